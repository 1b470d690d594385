/* dot_body.h: products of few rows with a B whose columns lie together, as in y = x wᵀ for one sample: every element is
 * a dot product along k, HD_VL of them at a time, added up across lanes at the end. Compiled once per instruction set.
 */
#ifndef HD_CPU_DOT_BODY_H
#define HD_CPU_DOT_BODY_H
#include "backends/cpu/end_body.h"

/* Lane j is the sum over lanes of s[j], j < N; N is a power of two. */
HD_INLINE vf dot_fold(const int N, vf s[HD_VL]) {
    HD_UNROLL for (int n = N; n > 1; n /= 2) HD_UNROLL for (int i = 0; i < n / 2; i++) s[i] =
        vf_even(s[2 * i], s[2 * i + 1]) + vf_odd(s[2 * i], s[2 * i + 1]);
    HD_UNROLL for (int n = N; n < HD_VL; n *= 2) s[0] = vf_even(s[0], s[0]) + vf_odd(s[0], s[0]);
    return s[0];
}

/* N columns from j on, of one row. One column alone: four sums to hide the latency of adding. */
HD_INLINE void dot_columns(const int N, const hd_gemm_block *g, const float *a, int64_t i, int64_t j) {
    const float *b = g->b + j * g->ldb;
    vf s[HD_VL];
    int64_t p = 0;
    if (N == 1) {
        vf part[4] = {{0}, {0}, {0}, {0}};
        for (; p + 4 * HD_VL <= g->k; p += 4 * HD_VL)
            HD_UNROLL for (int u = 0; u < 4; u++) part[u] += vf_load(a + p + u * HD_VL) * vf_load(b + p + u * HD_VL);
        s[0] = (part[0] + part[1]) + (part[2] + part[3]);
    } else {
        HD_UNROLL for (int u = 0; u < N; u++) s[u] = (vf){0};
    }
    for (; p + HD_VL <= g->k; p += HD_VL) {
        const vf x = vf_load(a + p);
        HD_UNROLL for (int u = 0; u < N; u++) s[u] += x * vf_load(b + u * g->ldb + p);
    }
    if (p < g->k) {
        const vm m = vm_first(g->k - p);
        const vf x = vf_load_m(a + p, m);
        HD_UNROLL for (int u = 0; u < N; u++) s[u] += x * vf_load_m(b + u * g->ldb + p, m);
    }
    vf sum = dot_fold(N, s);
    float *c = g->c + i * g->ldc + j;
    const float *bias = g->bias, *y = end_needs_y(g->end) ? g->y + i * g->ldy + j : NULL;
    if (N == HD_VL) {
        if (bias) sum += g->bias_one ? vf_splat(*bias) : vf_load(bias + j);
        vf_store(c, end_of(g->end, sum, y ? vf_load(y) : (vf){0}));
    } else {
        const vm m = vm_first(N);
        if (bias) sum += g->bias_one ? vf_splat(*bias) : vf_load_m(bias + j, m);
        vf_store_m(c, end_of(g->end, sum, y ? vf_load_m(y, m) : (vf){0}), m);
    }
}

/* Columns outside: those of B are read once for all rows. */
static void dots(const hd_gemm_block *g) {
    int64_t j = 0;
    for (; j + HD_VL <= g->n; j += HD_VL)
        for (int64_t i = 0; i < g->m; i++) dot_columns(HD_VL, g, g->a + i * g->ra, i, j);
    for (; j + HD_VL / 4 <= g->n; j += HD_VL / 4)
        for (int64_t i = 0; i < g->m; i++) dot_columns(HD_VL / 4, g, g->a + i * g->ra, i, j);
    for (; j < g->n; j++)
        for (int64_t i = 0; i < g->m; i++) dot_columns(1, g, g->a + i * g->ra, i, j);
}
#endif
