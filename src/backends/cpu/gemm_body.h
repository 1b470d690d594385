/* gemm_body.h: the routines of gemm.h in vectors of HD_VL floats. Compiled once per instruction set. */
#include "backends/cpu/dot_body.h"
#include "backends/cpu/end_body.h"
#include "backends/cpu/im2col_body.h"
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

#include "backends/cpu/block_body.h"

static void column_sums(float *y, const float *x, int64_t rows, int64_t columns, int64_t ld) {
    for (int64_t j = 0; j < columns; j += HD_VL) {
        const bool cut = columns - j < HD_VL;
        const vm m = vm_first(columns - j);
        vf s[4] = {{0}, {0}, {0}, {0}};
        int64_t i = 0;
        for (; i + 4 <= rows; i += 4)
            HD_UNROLL for (int u = 0; u < 4; u++) s[u] += tile_load(x + (i + u) * ld + j, cut, m);
        for (; i < rows; i++) s[0] += tile_load(x + i * ld + j, cut, m);
        const vf sum = (s[0] + s[1]) + (s[2] + s[3]);
        if (cut)
            vf_store_m(y + j, sum, m);
        else
            vf_store(y + j, sum);
    }
}

static void row_sums(float *y, const float *x, int64_t rows, int64_t columns, int64_t ld, bool add) {
    const vm m = vm_first(columns % HD_VL);
    for (int64_t i = 0; i < rows; i++, x += ld) {
        vf s[4] = {{0}, {0}, {0}, {0}};
        int64_t j = 0;
        for (; j + 4 * HD_VL <= columns; j += 4 * HD_VL)
            HD_UNROLL for (int u = 0; u < 4; u++) s[u] += vf_load(x + j + u * HD_VL);
        for (; j + HD_VL <= columns; j += HD_VL) s[0] += vf_load(x + j);
        if (j < columns) s[1] += vf_load_m(x + j, m);
        const float sum = vf_sum((s[0] + s[1]) + (s[2] + s[3]));
        y[i] = add ? y[i] + sum : sum;
    }
}

#define HD_MAP(name)                                                                                                   \
    static void map_##name(float *y, const float *x, int64_t n) {                                                      \
        int64_t i = 0;                                                                                                 \
        for (; i + HD_VL <= n; i += HD_VL) vf_store(y + i, v_##name(vf_load(x + i)));                                  \
        const vm m = vm_first(n - i);                                                                                  \
        if (i < n) vf_store_m(y + i, v_##name(vf_load_m(x + i, m)), m);                                                \
    }
HD_MAP(exp)
HD_MAP(log)
HD_MAP(tanh)
HD_MAP(sigmoid)

#include "backends/cpu/conv_few_body.h"

const hd_gemm_isa HD_ISA(hd_gemm) = {.lanes = HD_VL,
                                     .rows = TILE_ROWS,
                                     .kc = 512,
                                     .tiles = tiles,
                                     .dots = dots,
                                     .pack_a = pack_a,
                                     .blocks = blocks,
                                     .pack_b = pack_panels,
                                     .column_sums = column_sums,
                                     .row_sums = row_sums,
                                     .im2col = im2col,
                                     .col2im = col2im,
                                     .exp = map_exp,
                                     .log = map_log,
                                     .tanh = map_tanh,
                                     .sigmoid = map_sigmoid,
                                     .few = &few_routines};
