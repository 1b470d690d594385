/* vec.h: the table of vector functions that each instruction set fills, and what the bandwidth-bound kernels share: the
 * split into tasks and the checks of operands. Knows no op. */
#ifndef HD_BACKENDS_CPU_VEC_H
#define HD_BACKENDS_CPU_VEC_H
#include "backends/cpu/copy.h"
#include "hadal/ops.h"
#include "ops/fused.h"
#include <string.h>

/* Elementwise primitives by op name. A unary one reads a; act gradients are binary in (y, dy). */
#define HD_VEC_BASIC_(X)   X(neg) X(exp) X(log) X(sqrt) X(abs) X(sign) X(sigmoid) X(tanh) X(relu) X(affine) X(fill_like)
#define HD_VEC_ROUND_(X)   X(square) X(reciprocal) X(rsqrt) X(floor) X(ceil) X(trunc) X(round)
#define HD_VEC_PIECE_(X)   X(relu6) X(leaky_relu) X(hardtanh) X(clamp) X(hardswish) X(hardsigmoid) X(softsign)
#define HD_VEC_POWER_(X)   X(expm1) X(exp2) X(log1p) X(log2) X(log10) X(erf)
#define HD_VEC_BENDS_(X)   X(gelu) X(silu) X(softplus) X(logsigmoid) X(mish) X(elu) X(celu) X(selu)
#define HD_VEC_ANGLE_(X)   X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(asinh) X(acosh) X(atanh)
#define HD_VEC_OTHER_(X)   X(erfc) X(tanhshrink) X(logit) X(hardshrink) X(softshrink) X(threshold) X(nan_to_num)
#define HD_VEC_ONES_(X)    HD_VEC_BASIC_(X) HD_VEC_ROUND_(X) HD_VEC_PIECE_(X) HD_VEC_POWER_(X) HD_VEC_BENDS_(X)
#define HD_VEC_UNARIES(X)  HD_VEC_ONES_(X) HD_VEC_ANGLE_(X) HD_VEC_OTHER_(X)
#define HD_VEC_PAIRS_(X)   X(add) X(sub) X(mul) X(div) X(sigmoid_grad) X(tanh_grad) X(relu_grad)
#define HD_VEC_CHOICE_(X)  X(maximum) X(minimum) X(larger) X(band_grad) X(hardswish_grad)
#define HD_VEC_SLOPES_(X)  X(gelu_grad) X(silu_grad) X(softplus_grad) X(mish_grad) X(elu_grad)
#define HD_VEC_RESTS_(X)   X(fmod) X(remainder) X(floor_divide) X(fmax) X(fmin) X(copysign)
#define HD_VEC_JOINS_(X)   X(pow) X(atan2) X(hypot) X(logaddexp) X(xlogy)
#define HD_VEC_TWOS_(X)    HD_VEC_RESTS_(X) HD_VEC_JOINS_(X)
#define HD_VEC_BINARIES(X) HD_VEC_PAIRS_(X) HD_VEC_CHOICE_(X) HD_VEC_SLOPES_(X) HD_VEC_TWOS_(X)
#define HD_VEC_ENUM_(name) HD_VEC_##name,
typedef enum hd_vec_op { HD_VEC_UNARIES(HD_VEC_ENUM_) HD_VEC_BINARIES(HD_VEC_ENUM_) HD_VEC_OPS } hd_vec_op;
#undef HD_VEC_ENUM_
/* Losses of pairs. */
#define HD_VEC_LOSSES(X)                                                                                               \
    X(squared)                                                                                                         \
    X(bce_with_logits)                                                                                                 \
    X(l1) X(smooth_l1) X(huber) X(bce) X(kl_div) X(kl_div_logs) X(poisson_nll) X(soft_margin) X(hinge_embedding)
#define HD_VEC_ENUM_(name) HD_VEC_LOSS_##name,
enum { HD_VEC_LOSSES(HD_VEC_ENUM_) HD_VEC_LOSS_COUNT };
#undef HD_VEC_ENUM_
/* Loops over rows of truth values and the like, see vec_mask_body.h. */
#define HD_VEC_SAME_(X)    X(eq_f32) X(ne_f32) X(lt_f32) X(le_f32) X(gt_f32) X(ge_f32)
#define HD_VEC_WHOLE_(X)   X(eq_i64) X(ne_i64) X(lt_i64) X(le_i64) X(gt_i64) X(ge_i64)
#define HD_VEC_LOGIC_(X)   X(logical_and) X(logical_or) X(logical_xor) X(logical_not) X(isnan) X(isinf) X(isfinite)
#define HD_VEC_PICKS_(X)   X(where1) X(where4) X(where8) X(lerp) X(prelu)
#define HD_VEC_MASKS(X)    HD_VEC_SAME_(X) HD_VEC_WHOLE_(X) HD_VEC_LOGIC_(X) HD_VEC_PICKS_(X)
#define HD_VEC_ENUM_(name) HD_VEC_MASK_##name,
enum { HD_VEC_MASKS(HD_VEC_ENUM_) HD_VEC_MASK_COUNT };
#undef HD_VEC_ENUM_
/* in: operands; step: 1 moves along, 0 stays; c: constants. */
typedef void (*hd_vec_row)(void *y, const void *const *in, const int64_t *step, int64_t n, const float *c);
/* Most numbers that a primitive takes from an op's options; what they are is in vec_traits.c and the bodies. */
enum { HD_VEC_CONSTANTS = 4 };
/* How a binary primitive reads its operands: both as vectors, b a single number, a a single number. */
enum { HD_VEC_VV, HD_VEC_VS, HD_VEC_SV };

/* y[i] = f(a[i], b[i]), i < n; y may be a or b. c: the constants. */
typedef void (*hd_vec_fn)(float *y, const float *a, const float *b, int64_t n, const float *c);
/* A phase of a node; exec is a const hd_exec *. */
typedef void (*hd_vec_run)(void *exec, int64_t task);

typedef void (*hd_vec_cast)(void *y, const void *x, int64_t n);
/* 16×16 numbers rounded to bf16, pairs of rows or of columns side by side. */
typedef void (*hd_vec_cast_tile)(uint16_t *y, const float *x, bool columns);

/* Units of one row of a recurrent layer at one step. */
struct hd_recurrent_row;
typedef void (*hd_recurrent_fn)(const struct hd_recurrent_row *r);

typedef struct hd_vec {
    hd_vec_fn elem[HD_VEC_OPS][3];
    hd_vec_row mask[HD_VEC_MASK_COUNT];
    hd_vec_fn power; /* of one number, a double in c */
#define HD_OPTIMIZER(name) hd_vec_run update_##name;
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
    hd_vec_run cross_entropy, count_correct;
    hd_vec_run sum, sum_join, max, max_join, min, min_join, prod, prod_join;
    double (*line_sum)(const float *x, int64_t n);
    double (*line_squares)(const float *x, int64_t n, double center); /* Σ (x − center)² */
    /* sums: Σ a b, Σ a², Σ b², Σ (a − b + eps)² */
    void (*line_pair)(const float *a, const float *b, int64_t n, double eps, double sums[4]);
    float (*line_log_sum)(const float *x, int64_t n);               /* ln Σ eˣ */
    int64_t (*line_largest)(const float *x, int64_t n, float sign); /* first of the largest of sign · x; first NaN */
    int64_t (*line_upto)(const float *x, int64_t n, float t);       /* how many are at most t */
    /* first from `from` on that is not known to be sign · x ≤ sign · t, or n */
    int64_t (*line_past)(const float *x, int64_t from, int64_t n, float t, float sign);
    /* offset of the first largest of a window over lines w apart; first NaN */
    int64_t (*window_largest)(const float *x, int64_t w, int64_t rows, int64_t columns);
    double (*line_hinge)(const float *x, int64_t n, float shift, bool square); /* Σ max(x + shift, 0), or of squares */
    hd_vec_run norm_sum[2], norm_normalise[2], norm_infer[2], norm_grad_sum[2], norm_grad[2]; /* f32, bf16 */
    hd_vec_run rownorm, rownorm_grad, rownorm_join;
    hd_vec_run lrn, lrn_grad;
    hd_vec_run dropout, dropout_lanes;
    hd_vec_run pool[2][2][2]; /* gradient, largest, channels side by side */
    hd_vec_run pool_global[2];
    hd_vec_run softmax, softmax_grad, squares;
    hd_vec_run attention, attention_grad;
    hd_vec_cast cast_to_f32[HD_DTYPE_COUNT], cast_from_f32[HD_DTYPE_COUNT];
    hd_vec_cast_tile cast_pairs;
    hd_turn_fn turn;
    hd_recurrent_fn recurrent[4], recurrent_back[4]; /* by kind: recurrent.h */
    hd_vec_run loss_pairs[HD_VEC_LOSS_COUNT];
    hd_vec_run loss_squared_grad, loss_bce_grad;
} hd_vec;

extern const hd_vec hd_vec_generic, hd_vec_avx2, hd_vec_avx512;
/* The table of an instruction set, or of the best one below it that this build has. */
const hd_vec *hd_vec_for(hd_isa isa);

/* n elements in tasks of `chunk` (a multiple of 64; the last may be shorter): a function of n and grain alone. */
typedef struct hd_vec_split {
    int64_t n, chunk, tasks;
} hd_vec_split;
hd_vec_split hd_vec_split_of(int64_t n, int64_t grain);
/* n rows of `row` elements in tasks of `chunk` whole rows. */
hd_vec_split hd_vec_split_rows(int64_t n, int64_t row, int64_t grain);
/* Elements below which a second task costs more than it brings: cheap work, and work with exp or division in it. */
enum { HD_VEC_GRAIN = 32768, HD_VEC_GRAIN_HEAVY = 16384, HD_VEC_MAX_TASKS = 64 };

static inline int64_t hd_vec_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Reasons to refuse, NULL when it fits. */
const char *hd_vec_need_f32(const hd_kctx *k);                /* all operands present are f32 */
const char *hd_vec_need_f32_upto(const hd_kctx *k, int n_in); /* the first n_in inputs and all outputs are */
bool hd_vec_present(const hd_kctx *k, int in);
/* Zeroed state from the program's arena. */
void *hd_vec_state(hd_kctx *k, size_t bytes);
/* All that a node of one phase has to say. */
static inline hd_status hd_vec_one_phase(hd_prepared *out, void *state, hd_vec_run run, int64_t tasks) {
    out->state = state;
    out->phase[0] = (hd_phase){run, tasks};
    out->phases = 1;
    return HD_OK;
}
/* Sum of the first n doubles in scratch in their order, whichever tasks left them there. */
static inline double hd_vec_total(const hd_exec *e, int64_t n) {
    const double *part = (const double *)e->scratch;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += part[i];
    return sum;
}
/* Physical elements of an f32 operand, padding included. */
static inline int64_t hd_vec_count(const hd_operand *o) {
    return (int64_t)(o->bytes / sizeof(float));
}
#endif
