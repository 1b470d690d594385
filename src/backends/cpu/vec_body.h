/* vec_body.h: gathers the bandwidth-bound bodies of one instruction set and fills its table. Included once by each
 * isa_*.c. */
#include "backends/cpu/vmath_body.h"

/* x where the mask is set, else 0 */
HD_INLINE vf vf_where(vi mask, vf x) {
    return (vf)(mask & (vi)x);
}

/* Whole vectors, or the lanes of m: `whole` is a constant where these are used. */
HD_INLINE vf vf_load_if(const float *p, bool whole, vm m) {
    return whole ? vf_load(p) : vf_load_m(p, m);
}
HD_INLINE void vf_store_if(float *p, vf v, bool whole, vm m) {
    if (whole)
        vf_store(p, v);
    else
        vf_store_m(p, v, m);
}
/* 0, 1, 2, … */
HD_INLINE vi vi_lanes(void) {
    static const int32_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vi_load(lane);
}
/* Whether a bit is set in a lane. */
HD_INLINE bool vi_any(vi v) {
    int32_t lane[HD_VL], any = 0;
    vi_store(lane, v);
    for (int i = 0; i < HD_VL; i++) any |= lane[i];
    return any != 0;
}

#include "backends/cpu/vec_elem_body.h"
#include "backends/cpu/vec_loss_body.h"
#include "backends/cpu/vec_reduce_body.h"
#include "backends/cpu/vec_update_body.h"

const hd_vec HD_ISA(hd_vec) = {
#define UNARY(name)  [HD_VEC_##name] = {elem_##name},
#define BINARY(name) [HD_VEC_##name] = {elem_##name##_vv, elem_##name##_vs, elem_##name##_sv},
    .elem = {HD_VEC_UNARIES(UNARY) HD_VEC_BINARIES(BINARY)},
#undef UNARY
#undef BINARY
    .sgd_update = update_sgd,
    .adam_update = update_adam,
    .cross_entropy = loss_cross_entropy,
    .count_correct = loss_count_correct,
    .sum = reduce_sum,
    .sum_join = reduce_join_sum,
    .max = reduce_max,
    .max_join = reduce_join_max,
    .loss_squared = loss_part_squared,
    .loss_bce = loss_part_bce,
    .loss_squared_grad = loss_grad_squared,
    .loss_bce_grad = loss_grad_bce,
};
