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
/* 0, 1, 2, … */
HD_INLINE vi vi_lanes(void) {
    static const int32_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vi_load(lane);
}
/* Mask of the first n lanes; n may be negative or too large. */
HD_INLINE vi vi_first(int64_t n) {
    return vi_lanes() < vi_splat((int32_t)(n < 0 ? 0 : n < HD_VL ? n : HD_VL));
}

/* Whether a bit is set in a lane; the product of each lane and m as high and low words. */
#if HD_VL == 16
HD_INLINE bool vi_any(vi v) {
    return _mm512_test_epi32_mask((__m512i)v, (__m512i)v) != 0;
}
HD_INLINE vu vu_mul(vu x, uint32_t m, vu *high) {
    const __m512i k = _mm512_set1_epi64((int64_t)m), a = (__m512i)x;
    const __m512i even = _mm512_mul_epu32(a, k), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), k);
    *high = (vu)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    return (vu)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}
#elif HD_VL == 8
HD_INLINE bool vi_any(vi v) {
    return !_mm256_testz_si256((__m256i)v, (__m256i)v);
}
HD_INLINE vu vu_mul(vu x, uint32_t m, vu *high) {
    const __m256i k = _mm256_set1_epi64x((int64_t)m), a = (__m256i)x;
    const __m256i even = _mm256_mul_epu32(a, k), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), k);
    *high = (vu)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    return (vu)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}
#else
HD_INLINE bool vi_any(vi v) {
    int32_t any = 0;
    for (int i = 0; i < HD_VL; i++) any |= v[i];
    return any != 0;
}
HD_INLINE vu vu_mul(vu x, uint32_t m, vu *high) {
    vu low;
    for (int i = 0; i < HD_VL; i++) {
        const uint64_t product = (uint64_t)x[i] * m;
        low[i] = (uint32_t)product;
        (*high)[i] = (uint32_t)(product >> 32);
    }
    return low;
}
#endif
#endif
