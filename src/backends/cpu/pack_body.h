/* pack_body.h: copies of A and B in the order in which the tiles read them. Compiled once per instruction set. */
#ifndef HD_CPU_PACK_BODY_H
#define HD_CPU_PACK_BODY_H
#include "backends/cpu/tile_body.h"

/* Rows become columns: v[i][j] ↔ v[j][i]. Each round halves the distance between what belongs together. */
HD_INLINE void transpose(vf v[HD_VL]) {
    HD_UNROLL for (int round = 1; round < HD_VL; round *= 2) {
        vf w[HD_VL];
        HD_UNROLL for (int i = 0; i < HD_VL / 2; i++) {
            w[2 * i] = vf_zip_low(v[i], v[i + HD_VL / 2]);
            w[2 * i + 1] = vf_zip_high(v[i], v[i + HD_VL / 2]);
        }
        HD_UNROLL for (int i = 0; i < HD_VL; i++) v[i] = w[i];
    }
}

/* to[p·ld + j] = from[j·ld_from + p] for p < k, j < columns ≤ HD_VL; zero for the other j < HD_VL. */
static void pack_columns(float *to, int64_t ld, const float *from, int64_t ld_from, int64_t k, int64_t columns) {
    for (int64_t p = 0; p < k; p += HD_VL) {
        vf v[HD_VL];
        const vm m = vm_first(k - p);
        if (columns == HD_VL && k - p >= HD_VL) {
            HD_UNROLL for (int j = 0; j < HD_VL; j++) v[j] = vf_load(from + j * ld_from + p);
        } else {
            HD_UNROLL for (int j = 0; j < HD_VL; j++) v[j] =
                j < columns ? vf_load_m(from + j * ld_from + p, m) : (vf){0};
        }
        transpose(v);
        if (k - p >= HD_VL) {
            HD_UNROLL for (int j = 0; j < HD_VL; j++) vf_store(to + (p + j) * ld, v[j]);
        } else {
            HD_UNROLL for (int j = 0; j < HD_VL; j++) if (j < k - p) vf_store(to + (p + j) * ld, v[j]);
        }
    }
}

/* A panel of B, k × TILE_COLUMNS, from columns that lie together (bt) or rows. Columns past the end: zero, except that
 * a whole second vector of them is left out. */
static void pack_panel(float *to, const float *b, int64_t ldb, bool bt, int64_t k, int64_t columns) {
    const int64_t first = columns < HD_VL ? columns : HD_VL, second = columns - first;
    if (bt) {
        pack_columns(to, TILE_COLUMNS, b, ldb, k, first);
        if (second > 0) pack_columns(to + HD_VL, TILE_COLUMNS, b + HD_VL * ldb, ldb, k, second);
        return;
    }
    if (columns == TILE_COLUMNS) {
        for (int64_t p = 0; p < k; p++, b += ldb, to += TILE_COLUMNS) {
            vf_store(to, vf_load(b));
            vf_store(to + HD_VL, vf_load(b + HD_VL));
        }
        return;
    }
    const vm m0 = vm_first(first), m1 = vm_first(second);
    for (int64_t p = 0; p < k; p++, b += ldb, to += TILE_COLUMNS) {
        vf_store(to, vf_load_m(b, m0));
        if (second > 0) vf_store(to + HD_VL, vf_load_m(b + HD_VL, m1));
    }
}

/* Lanes of v become rows r … of step p of a tile. What is stored past the end of the step belongs to the next one,
 * which is written later; only the last step must be cut. */
HD_INLINE void pack_step(float *to, vf v, int64_t r, int64_t mr, bool last) {
    if (r + HD_VL <= mr || (r == 0 && !last))
        vf_store(to + r, v);
    else
        vf_store_m(to + r, v, vm_first(mr - r));
}

/* Rows r … of one tile of A, k × mr: at most HD_VL, `rows` of them there, the others zero. */
static void pack_rows(float *to, const float *a, int64_t ra, int64_t ca, int64_t mr, int64_t r, int64_t rows,
                      int64_t k) {
    if (ra == 1) {
        const vm m = vm_first(rows);
        for (int64_t p = 0; p < k; p++) pack_step(to + p * mr, vf_load_m(a + p * ca, m), r, mr, p == k - 1);
        return;
    }
    for (int64_t p = 0; p < k; p += HD_VL) {
        vf v[HD_VL];
        const vm m = vm_first(k - p);
        HD_UNROLL for (int i = 0; i < HD_VL; i++) v[i] = i < rows ? vf_load_m(a + i * ra + p, m) : (vf){0};
        transpose(v);
        HD_UNROLL for (int i = 0; i < HD_VL; i++) if (i < k - p)
            pack_step(to + (p + i) * mr, v[i], r, mr, p + i == k - 1);
    }
}

static void pack_a(float *packed, const hd_gemm_block *g, int64_t t0, int64_t t1) {
    for (int64_t p = 0; p < g->k; p += g->kc) {
        const int64_t k = g->k - p < g->kc ? g->k - p : g->kc;
        for (int64_t t = t0; t < t1; t++) {
            const int64_t i = t * g->mr, rows = g->m - i < g->mr ? g->m - i : g->mr;
            float *to = packed + p * g->mr * g->tiles + t * g->mr * k;
            for (int64_t r = 0; r < rows; r += HD_VL)
                pack_rows(to, g->a + (i + r) * g->ra + p * g->ca, g->ra, g->ca, g->mr, r,
                          rows - r < HD_VL ? rows - r : HD_VL, k);
        }
    }
}
#endif
