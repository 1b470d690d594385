/* isa_avx2.c: the vector bodies compiled for AVX2: 8 floats a vector. */
#include "backends/cpu/bodies.h"

#if defined(__x86_64__)
#define HD_VL        8
#define HD_ISA(name) name##_avx2
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
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
