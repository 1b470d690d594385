/* pair_pack_body.h: block_pack_body.h for bf16: pairs of neighbours along k, for AVX-512. Where these lie side by side
 * in memory a pair is moved like a float; else two rows are threaded into each other. */
#ifndef HD_CPU_PAIR_PACK_BODY_H
#define HD_CPU_PAIR_PACK_BODY_H
#include "backends/cpu/pack_body.h"

enum { PAIR_GROUP = 4, PAIR_AHEAD = 4 };

/* The pairs row[j], next[j] of some lanes; zeros where there is no next. */
HD_INLINE vf pair_load(const uint16_t *row, const uint16_t *next, vm m) {
    __m512i v = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, row));
    if (next) v = _mm512_or_si512(v, _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, next)), 16));
    return (vf)v;
}

static void pair_rows(float *to, const uint16_t *row, const uint16_t *next, int64_t n) {
    for (int64_t j = 0; j < n; j += HD_VL) {
        const vm m = vm_first(n - j);
        vf_store_m(to + j, pair_load(row + j, next ? next + j : NULL, m), m);
    }
}

/* The pairs of n columns as a step of each panel of k steps. */
static void pair_panel_rows(float *to, const uint16_t *row, const uint16_t *next, int64_t n, int64_t k) {
    for (int64_t j = 0; j < n; j += TILE_COLUMNS)
        pair_rows(to + j * k, row + j, next ? next + j : NULL, n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS);
}

/* Row 2·p of what lies in rows along the other side, and the row after it. */
typedef struct pair_of_rows {
    const uint16_t *row, *next;
} pair_of_rows;
HD_INLINE pair_of_rows pair_at(const hd_gemm_block *g, const float *of, int64_t ld, int64_t p, int64_t j) {
    const uint16_t *row = (const uint16_t *)(const void *)of + 2 * p * ld + j;
    return (pair_of_rows){row, g->odd && p + 1 == g->k ? NULL : row + ld};
}

static void pack_panels(const hd_gemm_block *g, int64_t j0, int64_t j1) {
    for (int64_t p = 0; p < g->k; p += g->kc) {
        const int64_t k = g->k - p < g->kc ? g->k - p : g->kc;
        for (int64_t q = j0; q < j1; q += PAIR_GROUP) {
            const int64_t j = q * TILE_COLUMNS, last = (q + PAIR_GROUP < j1 ? q + PAIR_GROUP : j1) * TILE_COLUMNS;
            const int64_t end = last < g->n ? last : g->n;
            float *to = g->b_packed + p * g->width + j * k;
            if (g->bt) {
                pack_b(to, g->b + j * g->ldb + p, g->ldb, true, k, end - j);
                continue;
            }
            for (int64_t i = 0; i < k; i++) {
                const pair_of_rows r = pair_at(g, g->b, g->ldb, p + i, j);
                pair_panel_rows(to + i * TILE_COLUMNS, r.row, r.next, end - j, k);
            }
        }
    }
}

/* As pack_steps, two steps at a time. */
static void pair_steps(const hd_gemm_block *g, int64_t i0, int64_t rows, int64_t p, int64_t k) {
    for (int64_t s = 0; s < k; s++) {
        const pair_of_rows r = pair_at(g, g->a, g->ca, p + s, i0);
        for (int64_t i = 0; i < rows; i += 32) {
            __builtin_prefetch(r.row + 2 * PAIR_AHEAD * g->ca + i);
            __builtin_prefetch(r.row + (2 * PAIR_AHEAD + 1) * g->ca + i);
        }
        for (int64_t i = 0; i < rows; i += g->mr)
            for (int64_t c = 0; c < g->mr && i + c < rows; c += HD_VL) {
                const int64_t left = (rows - i < g->mr ? rows - i : g->mr) - c;
                const vf v = pair_load(r.row + i + c, r.next ? r.next + i + c : NULL, vm_first(left));
                pack_step(g->pack + i * k + s * g->mr, v, c, g->mr, k - s);
            }
    }
}

static void pack_block(const hd_gemm_block *g, int64_t i, int64_t rows, int64_t p, int64_t k) {
    if (g->ra == 1) {
        pair_steps(g, i, rows, p, k);
        return;
    }
    for (int64_t t = 0; t < rows; t += g->mr)
        pack_rows(g->pack + t * k, g->a + (i + t) * g->ra + p, g->ra, 1, g->mr, 0, rows - t < g->mr ? rows - t : g->mr,
                  k);
}

/* sums[i] (+)= Σ over the pairs of row i of a packed block */
static void block_sums(float *sums, const float *packed, int64_t mr, int64_t rows, int64_t k, bool add) {
    for (int64_t i = 0; i < rows; i += mr) {
        const vm m = vm_first(rows - i < mr ? rows - i : mr);
        vf s[2] = {{0}, {0}};
        for (int64_t p = 0; p < k; p++) {
            const vi v = (vi)vf_load_m(packed + i * k + p * mr, m);
            s[0] += (vf)(v << 16);
            s[1] += (vf)(v & ~0xffff);
        }
        const vf sum = s[0] + s[1];
        vf_store_m(sums + i, add ? vf_load_m(sums + i, m) + sum : sum, m);
    }
}
#endif
