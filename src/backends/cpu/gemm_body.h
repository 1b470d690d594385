/* gemm_body.h: the routines of gemm.h in vectors of HD_VL floats. Compiled once per instruction set. */
#include "backends/cpu/block_pack_body.h"

#include "backends/cpu/block_body.h"
#include "backends/cpu/dot_body.h"
#include "backends/cpu/im2col_body.h"

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
