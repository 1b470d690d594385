/* block_body.h: large products in blocks: B lies packed in the third cache, a block of A is packed into the second (or
 * read in place), a tile of it stays in the first while it meets the panels of a piece of B. Compiled once per
 * instruction set, after what packs (block_pack_body.h or pair_pack_body.h). */
#ifndef HD_CPU_BLOCK_BODY_H
#define HD_CPU_BLOCK_BODY_H
#include "backends/cpu/panel_body.h"

static void blocks(const hd_gemm_block *g) {
    for (int64_t p = 0; p < g->k; p += g->kc) {
        const int64_t k = g->k - p < g->kc ? g->k - p : g->kc;
        const float *b = g->b_packed + p * g->width + g->column * k;
        const bool packed = g->pack != NULL;
        tile_args t = {.k = k, .ra = packed ? 1 : g->ra, .ca = packed ? g->mr : 1, .ldb = TILE_COLUMNS, .ldc = g->ldc};
        for (int64_t i0 = 0; i0 < g->m; i0 += g->mc) {
            const int64_t end = g->m - i0 < g->mc ? g->m : i0 + g->mc;
            if (packed) pack_block(g, i0, end - i0, p, k);
            if (g->a_sums) block_sums(g->a_sums + i0, g->pack, g->mr, end - i0, k, p > 0);
            for (int64_t j = 0; j < g->n; j += g->nc)
                for (int64_t i = i0; i < end; i += g->mr)
                    for (int64_t q = j; q < g->n && q < j + g->nc; q += TILE_COLUMNS) {
                        const int64_t columns = g->n - q < TILE_COLUMNS ? g->n - q : TILE_COLUMNS;
                        t.b = b + q * k;
                        if (!packed && j == 0)
                            ask_tile(g, i + g->mr, p, k, q / TILE_COLUMNS,
                                     ((g->n < g->nc ? g->n : g->nc) + TILE_COLUMNS - 1) / TILE_COLUMNS);
                        one_tile(g, &t, packed ? g->pack + (i - i0) * k : g->a + i * g->ra + p, i, q, p, k,
                                 end - i < g->mr ? end - i : g->mr, columns, packed);
                    }
        }
    }
}
#endif
