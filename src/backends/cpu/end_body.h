/* end_body.h: what is done to results of a product at the end: activations, and their derivatives from y. Compiled once
 * per instruction set. */
#ifndef HD_CPU_END_BODY_H
#define HD_CPU_END_BODY_H
#include "backends/cpu/vmath_body.h"

HD_INLINE bool end_needs_y(hd_gemm_end end) {
    return end >= HD_END_RELU_GRAD;
}

/* As relu's definition: x > 0 ? x : 0, so that nan gives 0 */
HD_INLINE vf end_of(hd_gemm_end end, vf x, vf y) {
    switch (end) {
    case HD_END_RELU: return (vf)((vi)x & (x > 0.0f));
    case HD_END_SIGMOID: return v_sigmoid(x);
    case HD_END_TANH: return v_tanh(x);
    case HD_END_RELU_GRAD: return (vf)((vi)x & (y > 0.0f));
    case HD_END_SIGMOID_GRAD: return x * y * (1.0f - y);
    case HD_END_TANH_GRAD: return x * (1.0f - y * y);
    default: return x;
    }
}

HD_INLINE void end_rows(hd_gemm_end end, float *c, int64_t ldc, const float *y, int64_t ldy, int64_t rows,
                        int64_t columns) {
    const bool with_y = end_needs_y(end);
    const vm m = vm_first(columns % HD_VL);
    for (int64_t i = 0; i < rows; i++, c += ldc, y += with_y ? ldy : 0) {
        int64_t j = 0;
        for (; j + HD_VL <= columns; j += HD_VL)
            vf_store(c + j, end_of(end, vf_load(c + j), with_y ? vf_load(y + j) : (vf){0}));
        if (j < columns) vf_store_m(c + j, end_of(end, vf_load_m(c + j, m), with_y ? vf_load_m(y + j, m) : (vf){0}), m);
    }
}

/* Rows of C that are complete. The tiles do relu themselves. */
static void end_block(hd_gemm_end end, float *c, int64_t ldc, const float *y, int64_t ldy, int64_t rows,
                      int64_t columns) {
    switch (end) { /* each call is a loop of its own, without the choice in it */
    case HD_END_SIGMOID: end_rows(HD_END_SIGMOID, c, ldc, y, ldy, rows, columns); break;
    case HD_END_TANH: end_rows(HD_END_TANH, c, ldc, y, ldy, rows, columns); break;
    case HD_END_RELU_GRAD: end_rows(HD_END_RELU_GRAD, c, ldc, y, ldy, rows, columns); break;
    case HD_END_SIGMOID_GRAD: end_rows(HD_END_SIGMOID_GRAD, c, ldc, y, ldy, rows, columns); break;
    case HD_END_TANH_GRAD: end_rows(HD_END_TANH_GRAD, c, ldc, y, ldy, rows, columns); break;
    default: break;
    }
}
#endif
