/* dot_body.h: products of few rows with a B whose columns lie together, as in y = x wᵀ for one sample: every element is
 * a dot product along k, HD_VL of them at a time, added up across lanes at the end. Compiled once per instruction set.
 */
#ifndef HD_CPU_DOT_BODY_H
#define HD_CPU_DOT_BODY_H
#include "backends/cpu/end_body.h"

/* Lane j is the sum over lanes of s[j], j < HD_VL. */
HD_INLINE vf dot_fold(vf s[HD_VL]) {
    HD_UNROLL for (int n = HD_VL; n > 1; n /= 2) HD_UNROLL for (int i = 0; i < n / 2; i++) s[i] =
        vf_even(s[2 * i], s[2 * i + 1]) + vf_odd(s[2 * i], s[2 * i + 1]);
    return s[0];
}

HD_INLINE void dot_end(const hd_gemm_block *g, vf sum, int64_t i, int64_t j, int64_t columns) {
    float *c = g->c + i * g->ldc + j;
    const float *y = end_needs_y(g->end) ? g->y + i * g->ldy + j : NULL;
    const float *start = g->add ? c : g->bias && !g->bias_one ? g->bias + j : NULL;
    if (g->bias && g->bias_one && !g->add) sum += vf_splat(*g->bias);
    if (columns == HD_VL) {
        if (start) sum += vf_load(start);
        vf_store(c, end_of(g->end, sum, y ? vf_load(y) : (vf){0}));
    } else {
        const vm m = vm_first(columns);
        if (start) sum += vf_load_m(start, m);
        vf_store_m(c, end_of(g->end, sum, y ? vf_load_m(y, m) : (vf){0}), m);
    }
}

/* R rows by N columns, R · N · U = HD_VL sums in registers; U: sums over every U-th vector of k. */
HD_INLINE void dot_sums(const int R, const int N, const hd_gemm_block *g, int64_t i, int64_t j, vf s[HD_VL]) {
    const int U = HD_VL / (R * N);
    const float *a = g->a + i * g->ra, *b = g->b + j * g->ldb;
    HD_UNROLL for (int u = 0; u < HD_VL; u++) s[u] = (vf){0};
    int64_t p = 0;
    for (; p + U * HD_VL <= g->k; p += U * HD_VL) HD_UNROLL for (int u = 0; u < U; u++) {
            vf x[HD_VL];
            HD_UNROLL for (int r = 0; r < R; r++) x[r] = vf_load(a + r * g->ra + p + u * HD_VL);
            HD_UNROLL for (int c = 0; c < N; c++) {
                const vf w = vf_load(b + c * g->ldb + p + u * HD_VL);
                HD_UNROLL for (int r = 0; r < R; r++) s[(r * N + c) * U + u] += x[r] * w;
            }
        }
    for (; p < g->k; p += HD_VL) {
        const vm m = vm_first(g->k - p);
        vf x[HD_VL];
        HD_UNROLL for (int r = 0; r < R; r++) x[r] = vf_load_m(a + r * g->ra + p, m);
        HD_UNROLL for (int c = 0; c < N; c++) {
            const vf w = vf_load_m(b + c * g->ldb + p, m);
            HD_UNROLL for (int r = 0; r < R; r++) s[(r * N + c) * U] += x[r] * w;
        }
    }
}

HD_INLINE void dot_tile(const int R, const int N, const hd_gemm_block *g, int64_t i, int64_t j) {
    const int U = HD_VL / (R * N);
    vf s[HD_VL];
    dot_sums(R, N, g, i, j, s);
    vf sum = dot_fold(s);
    if (R == 1 && N == HD_VL) {
        dot_end(g, sum, i, j, N);
        return;
    }
    float lane[HD_VL];
    HD_UNROLL for (int u = 1; u < U; u *= 2) sum = vf_even(sum, sum) + vf_odd(sum, sum);
    vf_store(lane, sum);
    HD_UNROLL for (int r = 0; r < R; r++) dot_end(g, vf_load_m(lane + r * N, vm_first(N)), i + r, j, N);
}

/* HD_VL columns of one row, N at a time, so that few streams come through memory: lanes are added up once for all. */
HD_INLINE void dot_long(const int N, const hd_gemm_block *g, int64_t i, int64_t j) {
    const int U = HD_VL / N;
    vf s[HD_VL], all[HD_VL];
    for (int t = 0; t < U; t++) {
        dot_sums(1, N, g, i, j + t * N, s);
        HD_UNROLL for (int c = 0; c < N; c++) {
            HD_UNROLL for (int u = 1; u < U; u++) s[c * U] += s[c * U + u];
            all[t * N + c] = s[c * U];
        }
    }
    dot_end(g, dot_fold(all), i, j, HD_VL);
}

/* All rows of N columns, R at a time; the rest one by one. */
HD_INLINE void dot_rows(const int R, const int N, const hd_gemm_block *g, int64_t j) {
    int64_t i = 0;
    for (; i + R <= g->m; i += R) dot_tile(R, N, g, i, j);
    if (R > 1)
        for (; i < g->m; i++) dot_tile(1, N, g, i, j);
}

/* Columns outside: those of B are read once for all rows. The more rows share a load of B the better; one row alone
 * takes many columns, or, of long ones, few streams through memory. */
static void dots(const hd_gemm_block *g) {
    enum { SIDE = HD_VL >= 16 ? 4 : 2, LONG = 8 * HD_VL };
    int64_t j = 0;
    if (g->m >= SIDE) {
        for (; j + HD_VL / SIDE <= g->n; j += HD_VL / SIDE) dot_rows(SIDE, HD_VL / SIDE, g, j);
    } else if (g->k >= LONG) {
        for (; j + HD_VL <= g->n; j += HD_VL)
            for (int64_t i = 0; i < g->m; i++) dot_long(4, g, i, j);
    } else {
        for (; j + HD_VL <= g->n; j += HD_VL) dot_rows(1, HD_VL, g, j);
    }
#if HD_VL == 16
    for (; j + 8 <= g->n; j += 8) dot_rows(2, 8, g, j);
#endif
#if HD_VL >= 8
    for (; j + 4 <= g->n; j += 4) dot_rows(HD_VL / 4, 4, g, j);
#endif
    for (; j + 2 <= g->n; j += 2) dot_rows(HD_VL / 2, 2, g, j);
    for (; j < g->n; j++) dot_rows(HD_VL, 1, g, j);
}
#endif
