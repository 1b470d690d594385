/* gemm.h: matrix products on the CPU: the table of routines that every instruction set fills (gemm_body.h). */
#ifndef HD_CPU_GEMM_H
#define HD_CPU_GEMM_H
#include "base/context.h"

typedef struct hd_gemm_isa {
    int lanes; /* floats in a vector */
    /* y = f(x) for n floats; for tests and epilogues */
    void (*exp)(float *y, const float *x, int64_t n);
    void (*log)(float *y, const float *x, int64_t n);
    void (*tanh)(float *y, const float *x, int64_t n);
    void (*sigmoid)(float *y, const float *x, int64_t n);
} hd_gemm_isa;

extern const hd_gemm_isa hd_gemm_avx512, hd_gemm_avx2, hd_gemm_generic;
/* The table of an instruction set; of the best one below it where this build has none. */
const hd_gemm_isa *hd_gemm_of(hd_isa isa);
#endif
