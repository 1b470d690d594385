/* block_pack_body.h: what block_body.h reads: panels of all of B, blocks of A, and sums along the rows of these.
 * Compiled once per instruction set; pair_pack_body.h has the same of bf16. */
#ifndef HD_CPU_BLOCK_PACK_BODY_H
#define HD_CPU_BLOCK_PACK_BODY_H
#include "backends/cpu/pack_body.h"

enum {
    PACK_GROUP = 4, /* panels written side by side: more of them compete for the same places of a cache */
    PACK_AHEAD = 6  /* steps of k */
};

static void pack_panels(const hd_gemm_block *g, int64_t j0, int64_t j1) {
    for (int64_t p = 0; p < g->k; p += g->kc) {
        const int64_t k = g->k - p < g->kc ? g->k - p : g->kc;
        for (int64_t q = j0; q < j1; q += PACK_GROUP) {
            const int64_t j = q * TILE_COLUMNS, end = (q + PACK_GROUP < j1 ? q + PACK_GROUP : j1) * TILE_COLUMNS;
            pack_b(g->b_packed + p * g->width + j * k, g->b + (g->bt ? j * g->ldb + p : p * g->ldb + j), g->ldb, g->bt,
                   k, (end < g->n ? end : g->n) - j);
        }
    }
}

/* Rows of A that are neighbours, step after step of k as they lie in memory, shared among the tiles. Steps lie pages
 * apart, which no cache sees coming. */
static void pack_steps(float *to, const float *a, int64_t ca, int64_t mr, int64_t rows, int64_t k) {
    for (int64_t p = 0; p < k; p++, a += ca) {
        for (int64_t i = 0; i < rows; i += 16) __builtin_prefetch(a + PACK_AHEAD * ca + i);
        for (int64_t i = 0; i < rows; i += mr)
            for (int64_t r = 0; r < mr && i + r < rows; r += HD_VL) {
                const int64_t left = (rows - i < mr ? rows - i : mr) - r;
                pack_step(to + i * k + p * mr, vf_load_m(a + i + r, vm_first(left)), r, mr, k - p);
            }
    }
}

static void pack_block(const hd_gemm_block *g, int64_t i, int64_t rows, int64_t p, int64_t k) {
    const float *a = g->a + i * g->ra + p * g->ca;
    if (g->ra == 1) {
        pack_steps(g->pack, a, g->ca, g->mr, rows, k);
        return;
    }
    for (int64_t t = 0; t < rows; t += g->mr)
        for (int64_t r = 0; r < g->mr && t + r < rows; r += HD_VL) {
            const int64_t tile = rows - t < g->mr ? rows - t : g->mr;
            pack_rows(g->pack + t * k, a + (t + r) * g->ra, g->ra, g->ca, g->mr, r, tile - r < HD_VL ? tile - r : HD_VL,
                      k);
        }
}

/* sums[i] (+)= Σ over the steps of k of row i of a packed block */
static void block_sums(float *sums, const float *packed, int64_t mr, int64_t rows, int64_t k, bool add) {
    for (int64_t i = 0; i < rows; i += mr)
        for (int64_t r = 0; r < mr && i + r < rows; r += HD_VL) {
            const int64_t left = (rows - i < mr ? rows - i : mr) - r;
            const vm m = vm_first(left);
            vf s[4] = {{0}, {0}, {0}, {0}};
            const float *at = packed + i * k + r;
            int64_t p = 0;
            for (; p + 4 <= k; p += 4) HD_UNROLL for (int u = 0; u < 4; u++) s[u] += vf_load_m(at + (p + u) * mr, m);
            for (; p < k; p++) s[0] += vf_load_m(at + p * mr, m);
            const vf sum = (s[0] + s[1]) + (s[2] + s[3]);
            vf_store_m(sums + i + r, add ? vf_load_m(sums + i + r, m) + sum : sum, m);
        }
}
#endif
