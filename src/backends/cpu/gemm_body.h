/* gemm_body.h: the routines of gemm.h in vectors of HD_VL floats. Compiled once per instruction set. */
#include "backends/cpu/vmath_body.h"

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

const hd_gemm_isa HD_ISA(hd_gemm) = {
    .lanes = HD_VL, .exp = map_exp, .log = map_log, .tanh = map_tanh, .sigmoid = map_sigmoid};
