/* winograd_body.h: the transforms and products of winograd.h in vectors of HD_VL channels. Compiled once per
 * instruction set. Knows no op and no tasks. */
#ifndef HD_CPU_WINOGRAD_BODY_H
#define HD_CPU_WINOGRAD_BODY_H
#include "backends/cpu/lanes.h"
#include "backends/cpu/winograd.h"

enum {
    WINO_BLOCK = HD_VL == 16 ? 16 : 8, /* channels of a block */
    WINO_ROWS = HD_VL == 16 ? 14 : 6,  /* tiles × 2 vectors of sums fill the registers */
    WINO_AHEAD = 3,
    WINO_TAPS = 9 * WINO_BLOCK * WINO_BLOCK /* floats of a block of weights */
};
static const float wino_a = 0.70710678f, wino_b = 1.41421356f; /* points 0, ±a, ±b, ∞; a² = ½, b² = 2 */

/* ---- transforms along one axis ---- */

/* Bᵀ d */
HD_INLINE void wino_in(vf t[6], const vf d[6]) {
    const vf u = d[3] - d[1] * 2, v = d[4] - d[2] * 2, p = d[3] - d[1] * 0.5f, q = d[4] - d[2] * 0.5f;
    t[0] = (d[0] + d[4]) - d[2] * 2.5f;
    t[1] = v + u * wino_a;
    t[2] = v - u * wino_a;
    t[3] = q + p * wino_b;
    t[4] = q - p * wino_b;
    t[5] = (d[1] + d[5]) - d[3] * 2.5f;
}

/* Aᵀ m */
HD_INLINE void wino_out(vf y[4], const vf m[6]) {
    const vf s = m[1] + m[2], d = m[1] - m[2], p = m[3] + m[4], q = m[3] - m[4];
    y[0] = m[0] + s + p;
    y[1] = d * wino_a + q * wino_b;
    y[2] = s * 0.5f + p * 2;
    y[3] = d * (wino_a * 0.5f) + q * (wino_b * 2) + m[5];
}

/* G g */
HD_INLINE void wino_taps(vf u[6], const vf g[3]) {
    const vf e = (g[0] + g[2] * 0.5f) * (-2.0f / 3), o = g[1] * (wino_a * (-2.0f / 3));
    const vf f = (g[0] + g[2] * 2) * (1.0f / 6), p = g[1] * (wino_b * (1.0f / 6));
    u[0] = g[0];
    u[1] = e + o;
    u[2] = e - o;
    u[3] = f + p;
    u[4] = f - p;
    u[5] = g[2];
}

/* ---- tiles ---- */

/* Where a tile lies. */
typedef struct wino_place {
    int64_t image, i, j;
} wino_place;

HD_INLINE wino_place wino_place_of(const hd_wino_side *s, int64_t tile) {
    const int64_t image = tile / (s->th * s->tw), rest = tile % (s->th * s->tw);
    return (wino_place){image, rest / s->tw, rest % s->tw};
}
HD_INLINE void wino_next(wino_place *p, const hd_wino_side *s) {
    if (++p->j < s->tw) return;
    p->j = 0;
    if (++p->i < s->th) return;
    p->i = 0;
    p->image++;
}

/* The tile's pixels that lie in the picture: rows i0 … i1, columns j0 … j1; zeros are read elsewhere. */
typedef struct wino_inside {
    int64_t i0, i1, j0, j1;
} wino_inside;

/* A vector of pixels at p, f32 or bf16. */
HD_INLINE vf wino_pixel(const char *p, const bool HALF) {
    return HALF ? vf_load_half((const void *)p, true, HD_VL) : vf_load((const void *)p);
}
HD_INLINE int64_t wino_size(bool half) {
    return half ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float);
}

/* v[point] = Bᵀ x B of one vector of channels; `row` numbers from row to row. */
HD_INLINE void wino_read_tile(float *v, int64_t point, const char *x, int64_t row, const bool WHOLE, wino_inside in,
                              const bool HALF) {
    static const float zero[HD_VL];
    vf t[6][6];
    HD_UNROLL for (int j = 0; j < 6; j++) {
        vf d[6], u[6];
        HD_UNROLL for (int i = 0; i < 6; i++) {
            const bool has = WHOLE || (i >= in.i0 && i < in.i1 && j >= in.j0 && j < in.j1);
            d[i] = wino_pixel(has ? x + (i * row + j * WINO_BLOCK) * wino_size(HALF) : (const char *)zero, HALF);
        }
        wino_in(u, d);
        HD_UNROLL for (int i = 0; i < 6; i++) t[i][j] = u[i];
    }
    HD_UNROLL for (int i = 0; i < 6; i++) {
        vf u[6];
        wino_in(u, t[i]);
        HD_UNROLL for (int j = 0; j < 6; j++) vf_store(v + (i * 6 + j) * point, u[j]);
    }
}

/* Asks for the 4×4 pixels that tile `at` has for itself: pictures come out of memory while others are computed. */
HD_INLINE void wino_ask(const void *x, const hd_wino_side *s, const wino_place *at, int64_t block) {
    const int64_t row = s->w * WINO_BLOCK;
    const int64_t first = ((at->image * s->blocks + block) * s->h + 4 * at->i) * row + 4 * at->j * WINO_BLOCK;
    const int64_t size = wino_size(s->half);
    const char *p = (const char *)x + first * size;
    HD_UNROLL for (int i = 0; i < 4; i++) HD_UNROLL for (int j = 0; j < 4; j++)
        __builtin_prefetch(p + (i * row + j * WINO_BLOCK) * size);
}

HD_INLINE void wino_read_of(float *v, const hd_wino_side *s, const void *x, int64_t first, int64_t n, const bool HALF) {
    const int64_t row = s->w * WINO_BLOCK, size = wino_size(HALF);
    for (int64_t b = 0; b < s->blocks; b++) {
        wino_place at = wino_place_of(s, first), ahead = wino_place_of(s, first + WINO_AHEAD);
        for (int64_t t = 0; t < n; t++, wino_next(&at, s), wino_next(&ahead, s)) {
            const int64_t i = 4 * at.i - s->pad, j = 4 * at.j - s->pad;
            const wino_inside in = {-i, s->h - i, -j, s->w - j};
            const int64_t pixel = ((at.image * s->blocks + b) * s->h + i) * row + j * WINO_BLOCK;
            const char *from = (const char *)x + pixel * size;
            float *to = v + (b * s->room + t) * WINO_BLOCK;
            if (t + WINO_AHEAD < n) wino_ask(x, s, &ahead, b);
            for (int c = 0; c < WINO_BLOCK; c += HD_VL)
                if (in.i0 <= 0 && in.i1 >= 6 && in.j0 <= 0 && in.j1 >= 6)
                    wino_read_tile(to + c, s->point, from + c * size, row, true, in, HALF);
                else
                    wino_read_tile(to + c, s->point, from + c * size, row, false, in, HALF);
        }
    }
}
static void wino_read(float *v, const hd_wino_side *s, const void *x, int64_t first, int64_t n) {
    if (s->half)
        wino_read_of(v, s, x, first, n, true);
    else
        wino_read_of(v, s, x, first, n, false);
}

/* ---- products ---- */

/* R tiles by NV vectors of channels, over all summed channels of one point. */
HD_INLINE void wino_sums(const int R, const int NV, float *m, const float *v, const float *u, int64_t blocks,
                         int64_t step) {
    vf acc[WINO_ROWS][2];
    HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int q = 0; q < NV; q++) acc[i][q] = vf_splat(0);
    for (int64_t b = 0; b < blocks; b++, v += step) {
        const float *at = v;
        for (int c = 0; c < WINO_BLOCK; c += 4, at += 4) HD_UNROLL for (int e = 0; e < 4; e++, u += NV * HD_VL) {
                vf w[2];
                HD_UNROLL for (int q = 0; q < NV; q++) w[q] = vf_load(u + q * HD_VL);
                HD_UNROLL for (int i = 0; i < R; i++) {
                    const vf x = vf_splat(at[i * WINO_BLOCK + e]);
                    HD_UNROLL for (int q = 0; q < NV; q++) acc[i][q] += x * w[q];
                }
            }
    }
    HD_UNROLL for (int i = 0; i < R; i++) HD_UNROLL for (int q = 0; q < NV; q++)
        vf_store(m + (i * NV + q) * HD_VL, acc[i][q]);
}

typedef void (*wino_sums_fn)(float *m, const float *v, const float *u, int64_t blocks, int64_t step);
#if HD_VL == 16
#define WINO_EACH(X, NV)                                                                                               \
    X(1, NV)                                                                                                           \
    X(2, NV)                                                                                                           \
    X(3, NV) X(4, NV) X(5, NV) X(6, NV) X(7, NV) X(8, NV) X(9, NV) X(10, NV) X(11, NV) X(12, NV) X(13, NV) X(14, NV)
#else
#define WINO_EACH(X, NV) X(1, NV) X(2, NV) X(3, NV) X(4, NV) X(5, NV) X(6, NV)
#endif
#define WINO_FUNCTION(R, NV)                                                                                           \
    static void wino_sums_##R##_##NV(float *m, const float *v, const float *u, int64_t blocks, int64_t step) {         \
        wino_sums(R, NV, m, v, u, blocks, step);                                                                       \
    }
WINO_EACH(WINO_FUNCTION, 1)
WINO_EACH(WINO_FUNCTION, 2)
#undef WINO_FUNCTION
static const wino_sums_fn wino_sums_for[2][WINO_ROWS + 1] = {
#define WINO_ENTRY(R, NV) [NV - 1][R] = wino_sums_##R##_##NV,
    WINO_EACH(WINO_ENTRY, 1) WINO_EACH(WINO_ENTRY, 2)
#undef WINO_ENTRY
};

static void wino_product(const hd_wino_product *p) {
    const int64_t groups = (p->tiles + WINO_ROWS - 1) / WINO_ROWS;
    const wino_sums_fn *sums = wino_sums_for[p->width / HD_VL - 1];
    for (int64_t point = 0; point < HD_WINO_POINTS; point++) {
        const float *v = p->v + point * p->v_point, *u = p->u + point * p->blocks * WINO_BLOCK * p->width;
        float *m = p->m + point * p->room * p->width;
        for (int64_t g = 0, t = 0; g < groups; g++) { /* groups of nearly the same size */
            const int64_t end = (g + 1) * p->tiles / groups;
            sums[end - t](m + t * p->width, v + t * WINO_BLOCK, u, p->blocks, p->room * WINO_BLOCK);
            t = end;
        }
    }
}

/* ---- results ---- */

/* rows × columns of y = Aᵀ m A of one vector of channels; `row` numbers from row to row of y, and of z, which is added
 * (ADD) and may be y. */
HD_INLINE void wino_write_tile(const bool ADD, char *y, const float *z, int64_t row, const float *m, int64_t point,
                               vf bias, bool relu, bool whole, int64_t rows, int64_t columns, const bool HALF) {
    vf t[4][6];
    HD_UNROLL for (int j = 0; j < 6; j++) {
        vf d[6], u[4];
        HD_UNROLL for (int i = 0; i < 6; i++) d[i] = vf_load(m + (i * 6 + j) * point);
        wino_out(u, d);
        HD_UNROLL for (int i = 0; i < 4; i++) t[i][j] = u[i];
    }
    HD_UNROLL for (int i = 0; i < 4; i++) {
        vf u[4];
        wino_out(u, t[i]);
        HD_UNROLL for (int j = 0; j < 4; j++) {
            if (!whole && (i >= rows || j >= columns)) continue;
            vf r = u[j] + bias;
            if (ADD) r += vf_load(z + i * row + j * WINO_BLOCK);
            if (relu) r = vf_max(r, vf_splat(0)); /* the second operand is what nan gives */
            char *to = y + (i * row + j * WINO_BLOCK) * wino_size(HALF);
            if (HALF)
                vf_store_half((void *)to, r, true, HD_VL);
            else
                vf_store((void *)to, r);
        }
    }
}

HD_INLINE void wino_write_of(const hd_wino_end *e, const hd_wino_side *s, int64_t first, int64_t n, const bool HALF) {
    for (int64_t v = 0; v < e->width; v += HD_VL) {
        const int64_t channel = e->channel + v, block = channel / WINO_BLOCK;
        const vf bias = e->bias ? vf_load(e->bias + channel) : vf_splat(0);
        wino_place at = wino_place_of(s, first), ahead = wino_place_of(s, first + WINO_AHEAD);
        for (int64_t t = 0; t < n; t++, wino_next(&at, s), wino_next(&ahead, s)) {
            if (t + WINO_AHEAD < n) wino_ask(e->y, s, &ahead, block);
            const int64_t rows = s->h - 4 * at.i, columns = s->w - 4 * at.j, row = s->w * WINO_BLOCK;
            const int64_t pixel = ((at.image * s->blocks + block) * s->h + 4 * at.i) * row + 4 * at.j * WINO_BLOCK;
            char *y = (char *)e->y + (pixel + channel % WINO_BLOCK) * wino_size(HALF);
            const float *m = e->m + t * e->width + v;
            const int64_t point = s->room * e->width;
            if (e->z && !HALF)
                wino_write_tile(true, y, e->z + pixel + channel % WINO_BLOCK, row, m, point, bias, e->relu, false, rows,
                                columns, HALF);
            else if (rows >= 4 && columns >= 4)
                wino_write_tile(false, y, NULL, row, m, point, bias, e->relu, true, 4, 4, HALF);
            else
                wino_write_tile(false, y, NULL, row, m, point, bias, e->relu, false, rows, columns, HALF);
        }
    }
}
static void wino_write(const hd_wino_end *e, const hd_wino_side *s, int64_t first, int64_t n) {
    if (s->half)
        wino_write_of(e, s, first, n, true);
    else
        wino_write_of(e, s, first, n, false);
}

/* ---- weights ---- */

/* u[point] = G w Gᵀ of one vector of channels of the result. */
HD_INLINE void wino_weight_tile(float *u, int64_t point, const float *w, int64_t tap) {
    vf t[6][3];
    HD_UNROLL for (int j = 0; j < 3; j++) {
        vf g[3], r[6];
        HD_UNROLL for (int i = 0; i < 3; i++) g[i] = vf_load(w + (i * 3 + j) * tap);
        wino_taps(r, g);
        HD_UNROLL for (int i = 0; i < 6; i++) t[i][j] = r[i];
    }
    HD_UNROLL for (int i = 0; i < 6; i++) {
        vf r[6];
        wino_taps(r, t[i]);
        HD_UNROLL for (int j = 0; j < 6; j++) vf_store(u + (i * 6 + j) * point, r[j]);
    }
}

/* A block of weights with its channels exchanged and its taps in reverse. */
static void wino_turn(float *to, const float *w) {
    const int64_t tap = WINO_BLOCK * WINO_BLOCK;
    for (int64_t p = 0; p < 9; p++)
        turn(to + (8 - p) * tap, WINO_BLOCK, w + p * tap, WINO_BLOCK, WINO_BLOCK, WINO_BLOCK);
}

static void wino_weights(float *u, const hd_wino_weights *g, const void *w, int64_t channel, int64_t width, int64_t b0,
                         int64_t b1) {
    const int64_t summed = (g->turned ? g->blocks_k : g->blocks_c) * WINO_BLOCK;
    float turned[WINO_TAPS], wide[WINO_TAPS];
    for (int64_t v = 0; v < width; v += HD_VL)
        for (int64_t b = b0; b < b1; b++) {
            const int64_t out = (channel + v) / WINO_BLOCK;
            const int64_t at = (g->turned ? b * g->blocks_c + out : out * g->blocks_c + b) * WINO_TAPS;
            const float *block = g->half ? wide : (const float *)w + at;
            if (g->half) cast_bf16_f32(wide, (const uint16_t *)w + at, WINO_TAPS);
            if (g->turned) wino_turn(turned, block);
            const float *from = (g->turned ? turned : block) + (channel + v) % WINO_BLOCK;
            for (int64_t i = 0; i < WINO_BLOCK; i++)
                wino_weight_tile(u + (b * WINO_BLOCK + i) * width + v, summed * width, from + i * WINO_BLOCK,
                                 WINO_BLOCK * WINO_BLOCK);
        }
}
#endif
