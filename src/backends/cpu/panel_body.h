/* panel_body.h: a block of C, tile after tile, with B read in place or packed piece by piece. Compiled once per
 * instruction set. */
#ifndef HD_CPU_PANEL_BODY_H
#define HD_CPU_PANEL_BODY_H
#include "backends/cpu/end_body.h"
#include "backends/cpu/pack_body.h"
#include "backends/cpu/tile_body.h"

/* One tile of C: p … p+k of all g->k. */
HD_INLINE void one_tile(const hd_gemm_block *g, tile_args *t, const float *a, int64_t i, int64_t j, int64_t p,
                        int64_t k, int64_t rows, int64_t columns, bool unit) {
    t->a = a;
    t->c = g->c + i * g->ldc + j;
    t->last = columns > HD_VL ? columns - HD_VL : columns;
    t->start = NULL;
    t->start_rows = false;
    t->far = g->b_packed != NULL;
    t->late = t->far && (p > 0 || g->add);
    if (t->late) {
        /* the tile adds it at the end */
    } else if (p > 0 || g->add) {
        t->start = t->c;
        t->ld_start = g->ldc;
    } else if (g->bias) {
        t->start = g->bias + (g->bias_rows ? i : g->bias_one ? 0 : j);
        t->start_rows = g->bias_rows;
        t->ld_start = 0;
    }
    const bool end = p + k == g->k;
    t->relu = end && g->end == HD_END_RELU;
    tile_for(rows, columns, unit)(t);
    if (end && g->end > HD_END_RELU)
        end_block(g->end, t->c, g->ldc, end_needs_y(g->end) ? g->y + i * g->ldy + j : NULL, g->ldy, rows, columns);
}

/* The columns j … j+n of C, at p … p+k of k, with B in place or packed in g->pack. */
static void panels(const hd_gemm_block *g, int64_t j, int64_t n, int64_t p, int64_t k) {
    const bool packed = g->a_packed != NULL, unit = packed || g->ra == 1;
    tile_args t = {
        .k = k, .ra = g->ra, .ca = packed ? g->mr : g->ca, .ldb = g->pack ? TILE_COLUMNS : g->ldb, .ldc = g->ldc};
    for (int64_t i = 0, tile_number = g->tile0; i < g->m; i += g->mr, tile_number++) {
        const int64_t rows = g->m - i < g->mr ? g->m - i : g->mr;
        const float *a =
            packed ? g->a_packed + p * g->mr * g->tiles + tile_number * g->mr * k : g->a + i * g->ra + p * g->ca;
        for (int64_t q = 0; q < n; q += TILE_COLUMNS) {
            const int64_t columns = n - q < TILE_COLUMNS ? n - q : TILE_COLUMNS;
            t.b = g->pack ? g->pack + q * k : g->b + p * g->ldb + j + q;
            one_tile(g, &t, a, i, j + q, p, k, rows, columns, unit);
        }
    }
}

static void tiles(const hd_gemm_block *block) {
    hd_gemm_block g = *block;
    float one[TILE_COLUMNS];
    if (g.bias && g.bias_one) {
        for (int i = 0; i < TILE_COLUMNS; i++) one[i] = *g.bias;
        g.bias = one;
    }
    int64_t p = 0;
    do { /* once for k = 0: C is the bias alone */
        const int64_t k = g.k - p < g.kc ? g.k - p : g.kc;
        for (int64_t j = 0; j < g.n; j += g.nc) {
            const int64_t n = g.n - j < g.nc ? g.n - j : g.nc;
            if (g.pack) pack_b(g.pack, g.b + (g.bt ? j * g.ldb + p : p * g.ldb + j), g.ldb, g.bt, k, n);
            panels(&g, j, n, p, k);
        }
        p += k;
    } while (p < g.k);
}
#endif
