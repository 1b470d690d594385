/* pack_body.h: copies of A and B in the order in which the tiles read them. Compiled once per instruction set. */
#ifndef HD_CPU_PACK_BODY_H
#define HD_CPU_PACK_BODY_H
#include "backends/cpu/isa.h"
#include "backends/cpu/tile_size.h"

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

/* Panels of B, each k × TILE_COLUMNS, one after the other, from columns that lie together (bt) or from rows. In the
 * last panel, columns past the end are zero, except that a whole second vector of them is left out. */
HD_UNUSED void pack_b(float *to, const float *b, int64_t ldb, bool bt, int64_t k, int64_t n) {
    if (bt) {
        for (int64_t j = 0; j < n; j += HD_VL)
            pack_columns(to + j / TILE_COLUMNS * TILE_COLUMNS * k + j % TILE_COLUMNS, TILE_COLUMNS, b + j * ldb, ldb, k,
                         n - j < HD_VL ? n - j : HD_VL);
        return;
    }
    const vm m = vm_first(n % HD_VL);
    for (int64_t p = 0; p < k; p++, b += ldb, to += TILE_COLUMNS) { /* along the rows, as memory lies */
        float *step = to;
        int64_t j = 0;
        for (; j + TILE_COLUMNS <= n; j += TILE_COLUMNS, step += TILE_COLUMNS * k) {
            vf_store(step, vf_load(b + j));
            vf_store(step + HD_VL, vf_load(b + j + HD_VL));
        }
        for (; j < n; j += HD_VL, step += HD_VL) vf_store(step, j + HD_VL <= n ? vf_load(b + j) : vf_load_m(b + j, m));
    }
}

/* Lanes of v become rows r … of a step of a tile, of which `steps` are left. What is stored past the end of the step
 * belongs to the next ones, which are written later; it must not go past the end of the tile. */
HD_INLINE void pack_step(float *to, vf v, int64_t r, int64_t mr, int64_t steps) {
    if (r + HD_VL <= mr || (r == 0 && steps * mr >= HD_VL))
        vf_store(to + r, v);
    else
        vf_store_m(to + r, v, vm_first(mr - r));
}

/* Rows r … of one tile of A, k × mr: at most HD_VL, `rows` of them there, the others zero. */
static void pack_rows(float *to, const float *a, int64_t ra, int64_t ca, int64_t mr, int64_t r, int64_t rows,
                      int64_t k) {
    if (ra == 1) {
        const vm m = vm_first(rows);
        for (int64_t p = 0; p < k; p++) pack_step(to + p * mr, vf_load_m(a + p * ca, m), r, mr, k - p);
        return;
    }
    for (int64_t p = 0; p < k; p += HD_VL) {
        vf v[HD_VL];
        const vm m = vm_first(k - p);
        HD_UNROLL for (int i = 0; i < HD_VL; i++) v[i] = i < rows ? vf_load_m(a + i * ra + p, m) : (vf){0};
        transpose(v);
        HD_UNROLL for (int i = 0; i < HD_VL; i++) if (i < k - p) pack_step(to + (p + i) * mr, v[i], r, mr, k - p - i);
    }
}

HD_UNUSED void pack_a(float *packed, const hd_gemm_block *g, int64_t t0, int64_t t1) {
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
