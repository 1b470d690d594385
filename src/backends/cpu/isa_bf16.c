/* isa_bf16.c: products of bf16 with sums in f32, for AVX-512 with its instructions for bf16, and what multiplies them
 * on its way: recurrent layers and attention. The tiles are those of f32 (tile_body.h) with a pair of neighbours along
 * k where one float stands. */
#include "backends/cpu/bodies.h"

#if defined(__x86_64__) && (defined(__clang__) || __GNUC__ >= 10)
#define HD_VL        16
#define HD_ISA(name) name##_bf16
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2"))),        \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,avx2")
#endif
#include "backends/cpu/isa.h"

/* Bits, not numbers: arithmetic on them would flush what looks like a denormal. */
HD_INLINE vf pair_splat(const float *p) {
    int32_t bits;
    memcpy(&bits, p, sizeof bits);
    return (vf)_mm512_set1_epi32(bits);
}
#define HD_TILE_SPLAT(p)      pair_splat(p)
#define HD_TILE_MADD(s, a, b) (vf) _mm512_dpbf16_ps((__m512)(s), (__m512bh)(a), (__m512bh)(b))
#include "backends/cpu/pair_pack_body.h"

#include "backends/cpu/block_body.h"

#define HD_TO_HALF(v) (__m256i) _mm512_cvtneps_pbh((__m512)(v))
#include "backends/cpu/recurrent_body.h"

#include "backends/cpu/vec_attention_half_body.h"

const hd_gemm_isa HD_ISA(hd_gemm) = {.lanes = HD_VL,
                                     .rows = TILE_ROWS,
                                     .kc = 256,
                                     .tiles = tiles,
                                     .pack_a = pack_a,
                                     .blocks = blocks,
                                     .pack_b = pack_panels,
                                     .pair_rows = pair_rows};

const hd_recurrent_fn *hd_recurrent_rows_of(bool back) {
    static const hd_recurrent_fn rows[2][HD_RECURRENT_KINDS] = {{row_rnn_tanh, row_rnn_relu, row_lstm, row_gru},
                                                                {back_rnn_tanh, back_rnn_relu, back_lstm, back_gru}};
    return rows[back];
}

hd_vec_run hd_attention_half_run(bool grad) {
    return grad ? half_attention_grad : half_attention;
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
#include "backends/cpu/recurrent.h"
#include "backends/cpu/vec_attention.h"

const hd_recurrent_fn *hd_recurrent_rows_of(bool back) {
    (void)back;
    return NULL;
}

hd_vec_run hd_attention_half_run(bool grad) {
    (void)grad;
    return NULL;
}
#endif
