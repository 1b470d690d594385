/* gemm.c: chooses among the compilations of the matrix routines. Knows nothing of ops. */
#include "backends/cpu/gemm.h"
#include "base/cpu.h"

const hd_gemm_isa *hd_gemm_of(hd_isa isa) {
#if defined(__x86_64__)
    if (isa == HD_ISA_AVX512) return &hd_gemm_avx512;
    if (isa == HD_ISA_AVX2) return &hd_gemm_avx2;
#endif
    (void)isa;
    return &hd_gemm_generic;
}

const hd_gemm_isa *hd_gemm_pairs_of(hd_isa isa) {
#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 10)
    if (hd_cpu_bf16(isa)) return &hd_gemm_bf16;
#endif
    (void)isa;
    return NULL;
}
