/* vec_body.h: gathers the bandwidth-bound bodies of one instruction set and fills its table. Included once by each
 * isa_*.c. */
#include "backends/cpu/lanes.h"
#include "backends/cpu/vmath_body.h"
#include "backends/cpu/vmath_more_body.h"
#include "backends/cpu/vmath_wide_body.h"

#include "backends/cpu/vec_cast_body.h"
#include "backends/cpu/vec_clip_body.h"
#include "backends/cpu/vec_dropout_body.h"
#include "backends/cpu/vec_elem_body.h"
#include "backends/cpu/vec_loss_body.h"
#include "backends/cpu/vec_lrn_body.h"
#include "backends/cpu/vec_mask_body.h"
#include "backends/cpu/vec_math_body.h"
#include "backends/cpu/vec_norm_body.h"
#include "backends/cpu/vec_pairs_body.h"
#include "backends/cpu/vec_reduce_body.h"
#include "backends/cpu/vec_rownorm_body.h"
#include "backends/cpu/vec_turn_body.h"
#include "backends/cpu/vec_update_body.h"

/* over functions of the above */
#include "backends/cpu/recurrent_body.h"
#include "backends/cpu/vec_attention_body.h"
#include "backends/cpu/vec_line_body.h"
#include "backends/cpu/vec_pool_body.h"
#include "backends/cpu/vec_pool_grad_body.h"
#include "backends/cpu/vec_pool_plain_body.h"
#include "backends/cpu/vec_pool_rows_body.h"
#include "backends/cpu/vec_softmax_body.h"

const hd_vec HD_ISA(hd_vec) = {
#define UNARY(name)  [HD_VEC_##name] = {elem_##name},
#define BINARY(name) [HD_VEC_##name] = {elem_##name##_vv, elem_##name##_vs, elem_##name##_sv},
    .elem = {HD_VEC_UNARIES(UNARY) HD_VEC_BINARIES(BINARY)},
#undef UNARY
#undef BINARY
#define MASK(name) [HD_VEC_MASK_##name] = mask_##name,
    .mask = {HD_VEC_MASKS(MASK)},
#undef MASK
    .power = elem_power,
#define HD_OPTIMIZER(name) .update_##name = update_##name,
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
    .cross_entropy = loss_cross_entropy,
    .count_correct = loss_count_correct,
    .sum = reduce_sum,
    .sum_join = reduce_join_sum,
    .max = reduce_max,
    .max_join = reduce_join_max,
    .min = reduce_min,
    .min_join = reduce_join_min,
    .prod = reduce_prod,
    .prod_join = reduce_join_prod,
    .line_squares = line_squares,
    .line_sum = line_sum,
    .line_pair = line_pair,
    .line_log_sum = line_log_sum,
    .line_largest = line_largest,
    .line_upto = line_upto,
    .line_past = line_past,
    .line_hinge = line_hinge,
    .window_largest = window_largest,
    .norm_sum = {norm_sum, norm_sum_half},
    .norm_normalise = {norm_normalise, norm_normalise_half},
    .norm_infer = {norm_infer, norm_infer_half},
    .norm_grad_sum = {norm_grad_sum, norm_grad_sum_half},
    .norm_grad = {norm_grad, norm_grad_half},
    .rownorm = rownorm,
    .rownorm_grad = rownorm_grad,
    .rownorm_join = rownorm_join,
    .lrn = lrn_run,
    .lrn_grad = lrn_grad_run,
    .dropout = dropout_plain,
    .dropout_lanes = dropout_lanes,
    .pool = {{{pool_plain_avg, pool_lanes_avg}, {pool_plain_max, pool_lanes_max}},
             {{pool_plain_avg_grad, pool_lanes_avg_grad}, {pool_plain_max_grad, pool_lanes_max_grad}}},
    .pool_global = {pool_plain_global, pool_lanes_global},
    .attention = attention_run,
    .attention_grad = attention_grad_run,
    .softmax = softmax_run,
    .softmax_grad = softmax_grad_run,
    .squares = clip_run,
    .cast_to_f32 = {[HD_F64] = cast_f64_f32,
                    [HD_I32] = cast_i32_f32,
                    [HD_I64] = cast_i64_f32,
                    [HD_U8] = cast_u8_f32,
                    [HD_BOOL] = cast_bool_f32,
                    [HD_BF16] = cast_bf16_f32},
    .cast_from_f32 = {[HD_F64] = cast_f32_f64,
                      [HD_I32] = cast_f32_i32,
                      [HD_I64] = cast_f32_i64,
                      [HD_U8] = cast_f32_u8,
                      [HD_BOOL] = cast_f32_bool,
                      [HD_BF16] = cast_f32_bf16},
    .cast_pairs = cast_pairs,
    .turn = turn,
#define PAIR(name) [HD_VEC_LOSS_##name] = loss_part_##name,
    .loss_pairs = {HD_VEC_LOSSES(PAIR)},
#undef PAIR
    .loss_squared_grad = loss_grad_squared,
    .loss_bce_grad = loss_grad_bce,
    .recurrent = {row_rnn_tanh, row_rnn_relu, row_lstm, row_gru},
    .recurrent_back = {back_rnn_tanh, back_rnn_relu, back_lstm, back_gru},
};
