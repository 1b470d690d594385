/* bodies.h: the headers that the vector bodies need, read before any instruction set is chosen, and the tables that the
 * bodies fill. A body (…_body.h) is compiled three times, by isa_avx512.c, isa_avx2.c and isa_generic.c; kernels take
 * the table of k->isa at prepare. */
#ifndef HD_CPU_BODIES_H
#define HD_CPU_BODIES_H
#include "base/context.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "backends/cpu/gemm.h"
#if __has_include("backends/cpu/vec.h")
#include "backends/cpu/vec.h"
#endif
#endif
