/* winograd_back_body.h: transforms and products of the gradient of the weights, and the table of winograd.h. Compiled
 * once per instruction set. Knows no op and no tasks. */
#include "backends/cpu/winograd_body.h"

enum {
    WINO_TAP = WINO_BLOCK * WINO_BLOCK,
    WINO_LINES = HD_VL == 16 ? 8 : 4, /* channels c that a product takes at once, by two vectors of k */
    WINO_STEP = HD_WINO_POINTS * WINO_TAP + HD_WINO_GAP
};

/* A d */
HD_INLINE void wino_spread_line(vf t[6], const vf d[4]) {
    const vf e = d[0] + d[2] * 0.5f, o = d[1] + d[3] * 0.5f, f = d[0] + d[2] * 2, p = d[1] + d[3] * 2;
    t[0] = d[0];
    t[1] = e + o * wino_a;
    t[2] = e - o * wino_a;
    t[3] = f + p * wino_b;
    t[4] = f - p * wino_b;
    t[5] = d[3];
}

/* Gᵀ u */
HD_INLINE void wino_gather_line(vf g[3], const vf u[6]) {
    const vf s = u[1] + u[2], d = u[1] - u[2], p = u[3] + u[4], q = u[3] - u[4];
    g[0] = u[0] - s * (2.0f / 3) + p * (1.0f / 6);
    g[1] = q * (wino_b * (1.0f / 6)) - d * (wino_a * (2.0f / 3));
    g[2] = (p - s) * (1.0f / 3) + u[5];
}

/* z[point] = A dy Aᵀ of one vector of channels; the sum of dy. Rows and columns of dy from `rows`, `columns` on are 0.
 */
HD_INLINE vf wino_spread_tile(float *z, int64_t point, const char *dy, int64_t row, const bool WHOLE, int64_t rows,
                              int64_t columns, const bool HALF) {
    static const float zero[HD_VL];
    vf t[6][4], sum[4];
    HD_UNROLL for (int j = 0; j < 4; j++) {
        vf d[4], u[6];
        HD_UNROLL for (int i = 0; i < 4; i++) {
            const bool has = WHOLE || (i < rows && j < columns);
            d[i] = wino_pixel(has ? dy + (i * row + j * WINO_BLOCK) * wino_size(HALF) : (const char *)zero, HALF);
        }
        sum[j] = (d[0] + d[1]) + (d[2] + d[3]);
        wino_spread_line(u, d);
        HD_UNROLL for (int i = 0; i < 6; i++) t[i][j] = u[i];
    }
    HD_UNROLL for (int i = 0; i < 6; i++) {
        vf u[6];
        wino_spread_line(u, t[i]);
        HD_UNROLL for (int j = 0; j < 6; j++) vf_store(z + (i * 6 + j) * point, u[j]);
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

HD_INLINE void wino_spread_of(float *z, float *db, const hd_wino_side *s, const void *dy, int64_t first, int64_t n,
                              const bool HALF) {
    const int64_t row = s->w * WINO_BLOCK, size = wino_size(HALF);
    for (int64_t b = 0; b < s->blocks; b++) {
        vf sum[WINO_BLOCK / HD_VL];
        HD_UNROLL for (int c = 0; c < WINO_BLOCK / HD_VL; c++) sum[c] = vf_splat(0);
        wino_place at = wino_place_of(s, first), ahead = wino_place_of(s, first + WINO_AHEAD);
        for (int64_t t = 0; t < n; t++, wino_next(&at, s), wino_next(&ahead, s)) {
            const int64_t rows = s->h - 4 * at.i, columns = s->w - 4 * at.j;
            const int64_t pixel = ((at.image * s->blocks + b) * s->h + 4 * at.i) * row + 4 * at.j * WINO_BLOCK;
            const char *from = (const char *)dy + pixel * size;
            float *to = z + (b * s->room + t) * WINO_BLOCK;
            if (t + WINO_AHEAD < n) wino_ask(dy, s, &ahead, b);
            HD_UNROLL for (int c = 0; c < WINO_BLOCK; c += HD_VL) sum[c / HD_VL] +=
                rows >= 4 && columns >= 4
                    ? wino_spread_tile(to + c, s->point, from + c * size, row, true, 4, 4, HALF)
                    : wino_spread_tile(to + c, s->point, from + c * size, row, false, rows, columns, HALF);
        }
        if (!db) continue;
        HD_UNROLL for (int c = 0; c < WINO_BLOCK / HD_VL; c++) {
            float *to = db + b * WINO_BLOCK + c * HD_VL;
            vf_store(to, vf_load(to) + sum[c]);
        }
    }
}

static void wino_spread(float *z, float *db, const hd_wino_side *s, const void *dy, int64_t first, int64_t n) {
    if (s->half)
        wino_spread_of(z, db, s, dy, first, n, true);
    else
        wino_spread_of(z, db, s, dy, first, n, false);
}

/* ---- products ---- */

/* WINO_LINES channels c by NV vectors of k, summed over tiles. k: the vectors' place in z and in du. */
HD_INLINE void wino_outer_sums(const int NV, float *const du[2], const float *v, const float *const z[2], int64_t tiles,
                               bool add) {
    vf acc[WINO_LINES][2];
    HD_UNROLL for (int i = 0; i < WINO_LINES; i++) HD_UNROLL for (int q = 0; q < NV; q++) acc[i][q] =
        add ? vf_load(du[q] + i * WINO_BLOCK) : vf_splat(0);
    const float *z0 = z[0], *z1 = z[NV - 1];
#pragma GCC unroll 4
    for (int64_t t = 0; t < tiles; t++, v += WINO_BLOCK, z0 += WINO_BLOCK, z1 += WINO_BLOCK) {
        const vf a = vf_load(z0), b = NV > 1 ? vf_load(z1) : a;
        HD_UNROLL for (int i = 0; i < WINO_LINES; i++) {
            const vf x = vf_splat(v[i]);
            acc[i][0] += x * a;
            if (NV > 1) acc[i][1] += x * b;
        }
    }
    HD_UNROLL for (int i = 0; i < WINO_LINES; i++) HD_UNROLL for (int q = 0; q < NV; q++)
        vf_store(du[q] + i * WINO_BLOCK, acc[i][q]);
}

/* Two vectors of k are blocks k and k + 1, or the two halves of a block. */
static void wino_outer(const hd_wino_outer *o) {
    const int64_t plane = o->room * WINO_BLOCK, next = HD_VL < WINO_BLOCK ? HD_VL : plane;
    const int64_t next_du = HD_VL < WINO_BLOCK ? HD_VL : o->blocks_c * WINO_STEP;
    const int64_t step = HD_VL < WINO_BLOCK ? 1 : 2;
    for (int64_t point = o->point0; point < o->point1; point++)
        for (int64_t k = o->k0; k < o->k1; k += step) {
            const float *z = o->z + point * o->z_point + k * plane, *const zs[2] = {z, z + next};
            for (int64_t c = o->c0; c < o->c1; c++)
                for (int64_t i = 0; i < WINO_BLOCK; i += WINO_LINES) {
                    const float *v = o->v + point * o->v_point + c * plane + i;
                    float *du = o->du + (k * o->blocks_c + c) * WINO_STEP + point * WINO_TAP + i * WINO_BLOCK;
                    if (step == 1 || k + 1 < o->k1)
                        wino_outer_sums(2, (float *const[2]){du, du + next_du}, v, zs, o->tiles, o->add);
                    else
                        wino_outer_sums(1, (float *const[2]){du, du}, v, zs, o->tiles, o->add);
                }
        }
}

/* ---- results ---- */

static void wino_gather(float *dw, float *du, int64_t groups, int64_t step) {
    for (int64_t far = 1; far < groups; far *= 2)
        for (int64_t g = 0; g + far < groups; g += 2 * far)
            for (int64_t i = 0; i < HD_WINO_POINTS * WINO_TAP; i += HD_VL) {
                float *to = du + g * step + i;
                vf_store(to, vf_load(to) + vf_load(to + far * step));
            }
    for (int64_t at = 0; at < WINO_TAP; at += HD_VL) {
        vf t[3][6];
        HD_UNROLL for (int j = 0; j < 6; j++) {
            vf u[6], g[3];
            HD_UNROLL for (int i = 0; i < 6; i++) u[i] = vf_load(du + (i * 6 + j) * WINO_TAP + at);
            wino_gather_line(g, u);
            HD_UNROLL for (int i = 0; i < 3; i++) t[i][j] = g[i];
        }
        HD_UNROLL for (int i = 0; i < 3; i++) {
            vf g[3];
            wino_gather_line(g, t[i]);
            HD_UNROLL for (int j = 0; j < 3; j++) vf_store(dw + (i * 3 + j) * WINO_TAP + at, g[j]);
        }
    }
}

const hd_wino_isa HD_ISA(hd_wino) = {.lanes = HD_VL,
                                     .block = WINO_BLOCK,
                                     .rows = WINO_ROWS,
                                     .read = wino_read,
                                     .product = wino_product,
                                     .write = wino_write,
                                     .weights = wino_weights,
                                     .spread = wino_spread,
                                     .outer = wino_outer,
                                     .gather = wino_gather};
