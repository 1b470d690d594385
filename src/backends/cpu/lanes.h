/* lanes.h: what vectors need beyond isa.h around lanes: masks, wide products. Included only
 * into bodies, after isa.h. Knows no kernel. */
#ifndef HD_CPU_LANES_H
#define HD_CPU_LANES_H
#include "backends/cpu/isa.h"

typedef uint32_t vu __attribute__((vector_size(HD_VL * 4)));

/* x where the mask is set, else 0 */
HD_INLINE vf vf_where(vi mask, vf x) {
    return (vf)(mask & (vi)x);
}
/* Whole vectors, or the lanes of m: `whole` is a constant where speed counts. */
HD_INLINE vf vf_load_if(const float *p, bool whole, vm m) {
    return whole ? vf_load(p) : vf_load_m(p, m);
}
HD_INLINE void vf_store_if(float *p, vf v, bool whole, vm m) {
    if (whole)
        vf_store(p, v);
    else
        vf_store_m(p, v, m);
}
/* Runs STEP(offset, whole, mask) for the vectors of n elements. */
#define VF_EACH(n, STEP)                                                                                               \
    do {                                                                                                               \
        int64_t i_ = 0;                                                                                                \
        const vm m_ = vm_first((n) % HD_VL);                                                                           \
        for (; i_ + HD_VL <= (n); i_ += HD_VL) STEP(i_, true, m_);                                                     \
        if (i_ < (n)) STEP(i_, false, m_);                                                                             \
    } while (0)
/* Lanes of bf16, and rounded to bf16 by the rule of base/bf16.h: whole vectors, or the first n lanes. */
HD_INLINE vu vu_to_half(vf v) {
    const vu x = (vu)v, nan = (vu)(v != v);
    return (((x + 0x7fff + (x >> 16 & 1)) & ~nan) | ((x | 0x400000) & nan)) >> 16;
}
#if HD_VL == 16
/* Rounded to bf16; isa_bf16.c has an instruction for it. */
#ifndef HD_TO_HALF
#define HD_TO_HALF(v) _mm512_cvtepi32_epi16((__m512i)vu_to_half(v))
#endif
HD_INLINE vf vf_load_half(const uint16_t *p, bool whole, int64_t n) {
    const __m256i h = whole ? _mm256_loadu_si256((const void *)p) : _mm256_maskz_loadu_epi16(vm_first(n), p);
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16);
}
HD_INLINE void vf_store_half(uint16_t *p, vf v, bool whole, int64_t n) {
    const __m256i h = HD_TO_HALF(v);
    if (whole)
        _mm256_storeu_si256((void *)p, h);
    else
        _mm256_mask_storeu_epi16(p, vm_first(n), h);
}
#else
HD_INLINE vf vf_load_half(const uint16_t *p, bool whole, int64_t n) {
    vu bits = {0};
    for (int i = 0; i < HD_VL && (whole || i < n); i++) bits[i] = (uint32_t)p[i] << 16;
    return (vf)bits;
}
HD_INLINE void vf_store_half(uint16_t *p, vf v, bool whole, int64_t n) {
    const vu half = vu_to_half(v);
    for (int i = 0; i < HD_VL && (whole || i < n); i++) p[i] = (uint16_t)half[i];
}
#endif
/* Of a vector of f32 or bf16 from element `at` on: whole, or the lanes of m. */
#if HD_VL == 16
HD_INLINE vf vf_load_half_m(const uint16_t *p, vm m) {
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, p)), 16);
}
HD_INLINE void vf_store_half_m(uint16_t *p, vf v, vm m) {
    _mm256_mask_storeu_epi16(p, m, HD_TO_HALF(v));
}
#else
HD_INLINE bool vm_has(vm m, int i) {
#if HD_VL == 8
    return ((vi)m)[i] != 0;
#else
    return i < m.n;
#endif
}
HD_INLINE vf vf_load_half_m(const uint16_t *p, vm m) {
    vu bits = {0};
    for (int i = 0; i < HD_VL; i++)
        if (vm_has(m, i)) bits[i] = (uint32_t)p[i] << 16;
    return (vf)bits;
}
HD_INLINE void vf_store_half_m(uint16_t *p, vf v, vm m) {
    const vu half = vu_to_half(v);
    for (int i = 0; i < HD_VL; i++)
        if (vm_has(m, i)) p[i] = (uint16_t)half[i];
}
#endif
HD_INLINE vf vf_get(const void *p, int64_t at, bool half, bool whole, vm m) {
    if (!half) return vf_load_if((const float *)p + at, whole, m);
    return whole ? vf_load_half((const uint16_t *)p + at, true, HD_VL) : vf_load_half_m((const uint16_t *)p + at, m);
}
HD_INLINE void vf_put(void *p, int64_t at, bool half, vf v, bool whole, vm m) {
    if (!half)
        vf_store_if((float *)p + at, v, whole, m);
    else if (whole)
        vf_store_half((uint16_t *)p + at, v, true, HD_VL);
    else
        vf_store_half_m((uint16_t *)p + at, v, m);
}
/* Of numbers that came out of bf16: nothing to round. */
HD_INLINE void vf_put_exact(void *p, int64_t at, bool half, vf v, bool whole, vm m) {
#if HD_VL == 16
    if (half && whole) {
        const __m256i h = _mm512_cvtepi32_epi16(_mm512_srli_epi32((__m512i)v, 16));
        _mm256_storeu_si256((void *)((uint16_t *)p + at), h);
        return;
    }
#endif
    vf_put(p, at, half, v, whole, m);
}
/* Whole numbers: towards −∞, towards ∞, towards 0, the nearest (of two the even one). The sign of x stays at 0. */
#if HD_VL != 4
/* Without optimisation the compiler's own header has a macro here that gives the mask −1 as an unsigned number. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#if HD_VL == 16
#define HD_TO_WHOLE(x, mode) (vf) _mm512_roundscale_ps((__m512)(x), (mode) | _MM_FROUND_NO_EXC)
#else
#define HD_TO_WHOLE(x, mode) (vf) _mm256_round_ps((__m256)(x), (mode) | _MM_FROUND_NO_EXC)
#endif
HD_INLINE vf vf_floor(vf x) {
    return HD_TO_WHOLE(x, _MM_FROUND_TO_NEG_INF);
}
HD_INLINE vf vf_ceil(vf x) {
    return HD_TO_WHOLE(x, _MM_FROUND_TO_POS_INF);
}
HD_INLINE vf vf_trunc(vf x) {
    return HD_TO_WHOLE(x, _MM_FROUND_TO_ZERO);
}
HD_INLINE vf vf_nearest(vf x) {
    return HD_TO_WHOLE(x, _MM_FROUND_TO_NEAREST_INT);
}
#undef HD_TO_WHOLE
#pragma GCC diagnostic pop
#else
/* y with the sign of x; from 2²³ on, and for nan, x itself: it is whole. */
HD_INLINE vf vf_if_fraction(vf x, vf y) {
    const vi fits = vf_abs(x) < 8388608.0f;
    return (vf)((vi)vf_select(fits, y, x) | ((vi)x & INT32_MIN));
}
HD_INLINE vf vf_cut(vf x) {
    const vf small = vf_where(vf_abs(x) < 8388608.0f, x);
    return __builtin_convertvector(__builtin_convertvector(small, vi), vf);
}
HD_INLINE vf vf_trunc(vf x) {
    return vf_if_fraction(x, vf_cut(x));
}
HD_INLINE vf vf_floor(vf x) {
    const vf y = vf_cut(x);
    return vf_if_fraction(x, y - vf_where(y > x, vf_splat(1)));
}
HD_INLINE vf vf_ceil(vf x) {
    const vf y = vf_cut(x);
    return vf_if_fraction(x, y + vf_where(y < x, vf_splat(1)));
}
HD_INLINE vf vf_nearest(vf x) {
    return vf_if_fraction(x, (vf_abs(x) + 8388608.0f) - 8388608.0f);
}
#endif
/* 0, 1, 2, … */
HD_INLINE vi vi_lanes(void) {
    static const int32_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vi_load(lane);
}
/* Mask of the first n lanes; n may be negative or too large. */
HD_INLINE vi vi_first(int64_t n) {
    return vi_lanes() < vi_splat((int32_t)(n < 0 ? 0 : n < HD_VL ? n : HD_VL));
}

/* vk: which lanes a comparison holds for, in the form that the instruction set likes. */
#if HD_VL == 16
typedef __mmask16 vk;
HD_INLINE vk vk_none(void) {
    return 0;
}
HD_INLINE vk vk_more(vf a, vf b) {
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
}
HD_INLINE vk vk_equal(vf a, vf b) {
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_EQ_OQ);
}
HD_INLINE vk vk_nan(vf a) {
    return _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_UNORD_Q);
}
/* a is larger than b, or the first of them that is no number. */
HD_INLINE vk vk_better(vf a, vf b) {
    return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask((__m512)b, (__m512)b, _CMP_ORD_Q), (__m512)a, (__m512)b,
                                   _CMP_NLE_UQ);
}
HD_INLINE vk vk_at_least(vu a, vu b) {
    return _mm512_cmpge_epu32_mask((__m512i)a, (__m512i)b);
}
HD_INLINE vk vk_same(vi a, vi b) {
    return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}
HD_INLINE vi vi_larger(vi a, vi b) {
    return (vi)_mm512_max_epi32((__m512i)a, (__m512i)b);
}
/* a > b ? yes : no */
HD_INLINE vi vi_more(vi a, vi b, vi yes, vi no) {
    return (vi)_mm512_mask_mov_epi32((__m512i)no, _mm512_cmpgt_epi32_mask((__m512i)a, (__m512i)b), (__m512i)yes);
}
HD_INLINE vf vf_keep(vk k, vf x) {
    return (vf)_mm512_maskz_mov_ps(k, (__m512)x);
}
HD_INLINE vf vf_blend(vk k, vf a, vf b) {
    return (vf)_mm512_mask_mov_ps((__m512)b, k, (__m512)a);
}
#define vk_or(a, b)      ((vk)((a) | (b)))
#define vk_and_not(a, b) ((vk)((a) & ~(b)))
#else
typedef vi vk;
HD_INLINE vk vk_none(void) {
    return vi_splat(0);
}
HD_INLINE vk vk_more(vf a, vf b) {
    return a > b;
}
HD_INLINE vk vk_equal(vf a, vf b) {
    return a == b;
}
HD_INLINE vk vk_nan(vf a) {
    return a != a;
}
HD_INLINE vk vk_better(vf a, vf b) {
    return ~(a <= b) & (b == b);
}
HD_INLINE vk vk_at_least(vu a, vu b) {
    return (vi)(a >= b);
}
HD_INLINE vk vk_same(vi a, vi b) {
    return a == b;
}
HD_INLINE vi vi_more(vi a, vi b, vi yes, vi no) {
    const vi k = a > b;
    return (yes & k) | (no & ~k);
}
HD_INLINE vi vi_larger(vi a, vi b) {
    return vi_more(a, b, a, b);
}
HD_INLINE vf vf_keep(vk k, vf x) {
    return (vf)(k & (vi)x);
}
HD_INLINE vf vf_blend(vk k, vf a, vf b) {
    return vf_select(k, a, b);
}
#define vk_or(a, b)      ((a) | (b))
#define vk_and_not(a, b) ((a) & ~(b))
#endif

/* Joins of reductions. The larger: what is no number stays. */
HD_INLINE vf join_sum(vf a, vf b) {
    return a + b;
}
HD_INLINE vf join_max(vf a, vf b) {
    return vf_blend(vk_nan(a), a, vf_max(a, b));
}

/* Whether a bit is set in a lane. */
#if HD_VL == 16
HD_INLINE bool vi_any(vi v) {
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)v) != 0;
}
#elif HD_VL == 8
HD_INLINE bool vi_any(vi v) {
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
}
#else
HD_INLINE bool vi_any(vi v) {
    int32_t any = 0;
    for (int i = 0; i < HD_VL; i++) any |= v[i];
    return any != 0;
}
#endif

/* Words in the low halves of 64-bit lanes, of which the high halves do not count; their 64-bit products with m. */
typedef uint64_t vl __attribute__((vector_size(HD_VL * 4)));
HD_INLINE vl vl_mul(vl x, uint32_t m) {
#if HD_VL == 16
    return (vl)_mm512_mul_epu32((__m512i)x, _mm512_set1_epi64((int64_t)m));
#elif HD_VL == 8
    return (vl)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x((int64_t)m));
#else
    return (x & UINT32_MAX) * m;
#endif
}
/* even[0] odd[0] even[1] odd[1] … */
HD_INLINE vu vu_join(vl even, vl odd) {
    return (vu)((even & UINT32_MAX) | (odd << 32));
}
#endif
