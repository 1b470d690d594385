/* isa_pairs.c: attention of bf16 compiled for AVX-512 with BF16. */
#include "backends/cpu/bodies.h"
#include "backends/cpu/pairs.h"
#include "base/cpu.h"

#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 10)
#define HD_VL        16
#define HD_ISA(name) name##_pairs
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2"))),        \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2")
#endif
#include "backends/cpu/pairs_body.h"
#include "backends/cpu/vec_attention_half_body.h"
static const hd_pairs_isa pairs = {
    .attention = half_attention,
    .attention_grad = half_attention_grad,
};
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

const hd_pairs_isa *hd_pairs_of(hd_isa isa) {
#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 10)
    return hd_cpu_bf16(isa) ? &pairs : NULL;
#else
    (void)isa;
    return NULL;
#endif
}
