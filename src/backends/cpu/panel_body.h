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

/* Asks for a part of the next tile of A, which lies far away: of its rows, or, where these are neighbours, its steps.
 */
HD_INLINE void ask_tile(const hd_gemm_block *g, int64_t i, int64_t p, int64_t k, int64_t part, int64_t parts) {
    const int64_t rows = g->m - i < g->mr ? g->m - i : g->mr;
    const float *a = g->a + i * g->ra + p * g->ca;
    if (rows <= 0) return;
    if (g->ra == 1) {
        for (int64_t s = part * k / parts; s < (part + 1) * k / parts; s++)
            __builtin_prefetch(a + s * g->ca + rows - 1, 0, 2);
    } else {
        for (int64_t r = part * rows / parts; r < (part + 1) * rows / parts; r++)
            for (int64_t s = 0; s < k; s += 16) __builtin_prefetch(a + r * g->ra + s, 0, 2);
    }
}

/* A piece of B in rows, k of them. */
typedef struct b_piece {
    const float *b;
    int64_t k, n;
} b_piece;

/* What is packed after the columns j … at p: of the next columns, of the next steps, or in the task beside this one. */
static b_piece piece_after(const hd_gemm_block *g, int64_t j, int64_t p) {
    const int64_t columns = g->n - j - g->nc, steps = g->k - p - g->kc;
    const b_piece same = {g->b + p * g->ldb + j + g->nc, steps < 0 ? g->k - p : g->kc,
                          columns < g->nc ? columns : g->nc};
    const b_piece below = {g->b + (p + g->kc) * g->ldb, steps < g->kc ? steps : g->kc, g->n < g->nc ? g->n : g->nc};
    const b_piece beside = {g->b + g->n, g->k < g->kc ? g->k : g->kc, g->n < g->nc ? g->n : g->nc};
    return columns > 0 ? same : steps > 0 ? below : beside;
}

/* Asks for a share of what is read after the columns j … j+n at p … p+k, in front of the tile at row i and column q. */
static void ask_ahead(const hd_gemm_block *g, int64_t j, int64_t n, int64_t p, int64_t k, int64_t i, int64_t q) {
    const int64_t parts = (n + TILE_COLUMNS - 1) / TILE_COLUMNS, all = parts * ((g->m + g->mr - 1) / g->mr);
    const int64_t part = i / g->mr * parts + q / TILE_COLUMNS;
    if (j == 0) ask_tile(g, i + g->mr, p, k, q / TILE_COLUMNS, parts);
    if (!g->pack || g->bt) return;
    const b_piece next = piece_after(g, j, p);
    for (int64_t s = part * next.k / all; s < (part + 1) * next.k / all; s++)
        for (int64_t c = 0; c < next.n; c += 16) __builtin_prefetch(next.b + s * g->ldb + c, 0, 2);
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
            if (g->ask) ask_ahead(g, j, n, p, k, i, q);
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
