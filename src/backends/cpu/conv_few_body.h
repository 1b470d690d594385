/* conv_few_body.h: the routines of conv_few.h in vectors of HD_VL floats. Compiled once per instruction set. */
#ifndef HD_CPU_CONV_FEW_BODY_H
#define HD_CPU_CONV_FEW_BODY_H
#include "backends/cpu/conv_few.h"
#include "backends/cpu/dot_body.h"

/* ---- tiles: R rows by NV vectors of positions ---- */

#if HD_VL == 16
enum { FEW_ROWS = 6, FEW_VECTORS = 4 };
#else
enum { FEW_ROWS = 6, FEW_VECTORS = 2 };
#endif

HD_INLINE void few_tile(const int R, const int NV, const hd_few_tiles *g, int64_t i, int64_t j) {
    const float *a = g->a + i * g->ra, *b = g->b + j;
    const int64_t ra = g->ra;
    vf acc[FEW_ROWS][FEW_VECTORS];
    HD_UNROLL for (int r = 0; r < R; r++) HD_UNROLL for (int v = 0; v < NV; v++) acc[r][v] =
        vf_splat(g->bias ? g->bias[i + r] : 0);
    for (int64_t p = 0; p < g->depth; p++) {
        const float *ap = a + g->a_at[p], *bp = b + g->b_at[p];
        vf x[FEW_VECTORS];
        HD_UNROLL for (int v = 0; v < NV; v++) x[v] = vf_load(bp + v * HD_VL);
        HD_UNROLL for (int r = 0; r < R; r++) {
            const vf w = vf_splat(ap[r * ra]);
            HD_UNROLL for (int v = 0; v < NV; v++) acc[r][v] += w * x[v];
        }
    }
    if (g->relu) /* the second operand is what nan gives */
        HD_UNROLL for (int r = 0; r < R; r++) HD_UNROLL for (int v = 0; v < NV; v++) acc[r][v] =
            vf_max(acc[r][v], (vf){0});
    HD_UNROLL for (int r = 0; r < R; r++) HD_UNROLL for (int v = 0; v < NV; v++)
        vf_store(g->c + (i + r) * g->ldc + j + v * HD_VL, acc[r][v]);
}

#define FEW_EACH_ROW(X, NV) X(1, NV) X(2, NV) X(3, NV) X(4, NV) X(5, NV) X(6, NV)
#if HD_VL == 16
#define FEW_EACH(X) FEW_EACH_ROW(X, 1) FEW_EACH_ROW(X, 2) FEW_EACH_ROW(X, 3) FEW_EACH_ROW(X, 4)
#else
#define FEW_EACH(X) FEW_EACH_ROW(X, 1) FEW_EACH_ROW(X, 2)
#endif
#define FEW_FUNCTION(R, NV)                                                                                            \
    static void few_tile_##R##_##NV(const hd_few_tiles *g, int64_t i, int64_t j) {                                     \
        few_tile(R, NV, g, i, j);                                                                                      \
    }
FEW_EACH(FEW_FUNCTION)
typedef void (*few_tile_fn)(const hd_few_tiles *g, int64_t i, int64_t j);
static const few_tile_fn few_tile_table[FEW_VECTORS + 1][FEW_ROWS + 1] = {
#define FEW_ENTRY(R, NV) [NV][R] = few_tile_##R##_##NV,
    FEW_EACH(FEW_ENTRY)
#undef FEW_ENTRY
};

static void few_tiles(const hd_few_tiles *g) {
    const int64_t vectors = (g->n + HD_VL - 1) / HD_VL, parts = (g->rows + FEW_ROWS - 1) / FEW_ROWS;
    for (int64_t v = 0; v < vectors;) {
        const int64_t nv = vectors - v < FEW_VECTORS ? vectors - v : FEW_VECTORS;
        for (int64_t part = 0; part < parts; part++) {
            const int64_t i = part * g->rows / parts, rows = (part + 1) * g->rows / parts - i;
            few_tile_table[nv][rows](g, i, v * HD_VL);
        }
        v += nv;
    }
}

/* ---- dot products: R rows by Q points, along the positions of all images ---- */

#if HD_VL == 16
enum { FEW_SUMS = 32 }; /* of which 24 are used at the most */
#else
enum { FEW_SUMS = 8 };
#endif

HD_INLINE void few_dot(const int R, const int Q, const hd_few_dots *g, int64_t i, int64_t p, int64_t rows,
                       int64_t points) {
    vf s[FEW_SUMS];
    const float *a[FEW_ROWS], *b[8];
    HD_UNROLL for (int u = 0; u < FEW_SUMS; u++) s[u] = (vf){0};
    for (int r = 0; r < R; r++) a[r] = g->a + (i + (r < rows ? r : 0)) * g->lda;
    for (int q = 0; q < Q; q++) b[q] = g->b + g->b_at[p + (q < points ? q : 0)];
    for (int64_t image = 0; image < g->images; image++) {
        const int64_t ai = image * g->a_image, bi = image * g->b_image;
        for (int64_t t = 0; t < g->n; t += HD_VL) {
            vf x[8];
            HD_UNROLL for (int q = 0; q < Q; q++) x[q] = vf_load(b[q] + bi + t);
            HD_UNROLL for (int r = 0; r < R; r++) {
                const vf d = vf_load(a[r] + ai + t);
                HD_UNROLL for (int q = 0; q < Q; q++) s[r * Q + q] += d * x[q];
            }
        }
    }
    float sums[FEW_SUMS];
    HD_UNROLL for (int u = 0; u < R * Q; u += HD_VL) vf_store(sums + u, dot_fold(s + u));
    for (int64_t r = 0; r < rows; r++) {
        float *c = g->c + (i + r) * g->ldc + p;
        const float *sum = sums + r * Q;
        if (g->add)
            for (int64_t q = 0; q < points; q++) c[q] += sum[q];
        else if (points == Q) /* a move of known length */
            memcpy(c, sum, (size_t)Q * sizeof *c);
        else
            for (int64_t q = 0; q < points; q++) c[q] = sum[q];
    }
}

HD_INLINE void few_dot_rows(const int R, const int Q, const hd_few_dots *g, int64_t i, int64_t rows) {
    for (int64_t p = 0; p < g->depth; p += Q) few_dot(R, Q, g, i, p, rows, g->depth - p < Q ? g->depth - p : Q);
}

static void few_dots(const hd_few_dots *g) {
#if HD_VL == 16
    enum { MOST = 6 };
#else
    enum { MOST = 2 };
#endif
    const int64_t parts = (g->rows + MOST - 1) / MOST;
    for (int64_t part = 0; part < parts; part++) {
        const int64_t i = part * g->rows / parts, rows = (part + 1) * g->rows / parts - i;
#if HD_VL == 16
        if (rows > 4)
            few_dot_rows(6, 4, g, i, rows);
        else if (rows > 2)
            few_dot_rows(4, 4, g, i, rows);
        else
            few_dot_rows(2, 8, g, i, rows);
#else
        few_dot_rows(2, 4, g, i, rows);
#endif
    }
}

/* ---- lines ---- */

static void few_lines(float *to, int64_t ld_to, const float *from, int64_t ld_from, int64_t lines, int64_t n) {
    const vm m = vm_first(n % HD_VL);
    for (int64_t i = 0; i < lines; i++, to += ld_to, from += ld_from) {
        int64_t j = 0;
        for (; j + HD_VL <= n; j += HD_VL) vf_store(to + j, vf_load(from + j));
        if (j < n) vf_store_m(to + j, vf_load_m(from + j, m), m);
    }
}

/* 0 … HD_VL */
HD_INLINE int64_t few_within(int64_t n) {
    return n < 0 ? 0 : n < HD_VL ? n : HD_VL;
}

HD_INLINE void few_part_lines(float *even, float *odd, int64_t ld_to, const float *from, int64_t ld_from, int64_t lines,
                              int64_t evens, int64_t odds) {
    const int64_t n = 2 * evens - 1 > 2 * odds ? 2 * evens - 1 : 2 * odds;
    const vm low = vm_first(n), high = vm_first(n - HD_VL), even_lanes = vm_first(evens), odd_lanes = vm_first(odds);
    for (int64_t i = 0; i < lines; i++, even += ld_to, odd += ld_to, from += ld_from) {
        const vf a = vf_load_m(from, low), b = vf_load_m(from + HD_VL, high);
        vf_store_m(even, vf_even(a, b), even_lanes);
        vf_store_m(odd, vf_odd(a, b), odd_lanes);
    }
}

/* A vector's width of columns at a time. */
static void few_part(float *even, float *odd, int64_t ld_to, const float *from, int64_t ld_from, int64_t lines,
                     int64_t evens, int64_t odds) {
    for (int64_t j = 0; j < evens || j < odds; j += HD_VL)
        few_part_lines(even + j, odd + j, ld_to, from + 2 * j, ld_from, lines, few_within(evens - j),
                       few_within(odds - j));
}

static void few_merge(float *to, int64_t ld_to, const float *even, const float *odd, int64_t ld_from, int64_t lines,
                      int64_t n) {
    for (int64_t j = 0; j < n; j += 2 * HD_VL) {
        const vm low = vm_first(n - j), high = vm_first(n - j - HD_VL);
        const vm even_lanes = vm_first((n - j + 1) / 2), odd_lanes = vm_first((n - j) / 2);
        const float *a = even + j / 2, *b = odd + j / 2;
        float *y = to + j;
        for (int64_t i = 0; i < lines; i++, y += ld_to, a += ld_from, b += ld_from) {
            const vf x0 = vf_load_m(a, even_lanes), x1 = vf_load_m(b, odd_lanes);
            vf_store_m(y, vf_zip_low(x0, x1), low);
            vf_store_m(y + HD_VL, vf_zip_high(x0, x1), high);
        }
    }
}

static void few_end(hd_gemm_end end, float *y, int64_t n) {
    end_block(end, y, 0, NULL, 0, 1, n);
}

static const hd_few_isa few_routines = {.tiles = few_tiles,
                                        .dots = few_dots,
                                        .row_sums = row_sums,
                                        .lines = few_lines,
                                        .part = few_part,
                                        .merge = few_merge,
                                        .end = few_end};
#endif
