/* isa_avx512.c: the vector bodies compiled for AVX-512: 16 floats a vector. */
#include "backends/cpu/bodies.h"

#if defined(__x86_64__)
#define HD_VL        16
#define HD_ISA(name) name##_avx512
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2"))),                   \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")
#endif
#include "backends/cpu/gemm_body.h"
#if __has_include("backends/cpu/vec_body.h")
#include "backends/cpu/vec_body.h"
#include "backends/cpu/winograd_back_body.h"
#endif
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
