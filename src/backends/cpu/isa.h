/* isa.h: vectors of HD_VL floats and what C's operators cannot say about them, for the bodies (…_body.h) that are
 * compiled once per instruction set. Included only by isa_*.c, after HD_VL and HD_ISA(name) are defined. Knows no
 * kernel.
 *
 * Arithmetic, comparison (lanes 0 or -1) and bit operations are plain C on vf and vi; a * b + c becomes one fused
 * operation. Intrinsics stand here and nowhere else. */
#ifndef HD_CPU_ISA_H
#define HD_CPU_ISA_H

typedef float vf __attribute__((vector_size(HD_VL * 4)));
typedef int32_t vi __attribute__((vector_size(HD_VL * 4)));
typedef float vf_unaligned __attribute__((vector_size(HD_VL * 4), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(HD_VL * 4), aligned(4), may_alias));

/* Before a loop of constant length: its variables then live in registers, arrays of vectors included. */
#if defined(__clang__)
#define HD_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HD_UNROLL _Pragma("GCC unroll 32")
#endif
/* Lanes of two vectors picked by number, 0 … HD_VL-1 from a, then from b. */
#if defined(__clang__) || __GNUC__ >= 12
#define HD_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define HD_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){__VA_ARGS__})
#endif

#define HD_INLINE static inline __attribute__((always_inline, unused))
#define HD_UNUSED static __attribute__((unused))

HD_INLINE vf vf_load(const float *p) {
    return *(const vf_unaligned *)p;
}
HD_INLINE void vf_store(float *p, vf v) {
    *(vf_unaligned *)p = v;
}
HD_INLINE vi vi_load(const int32_t *p) {
    return *(const vi_unaligned *)p;
}
HD_INLINE void vi_store(int32_t *p, vi v) {
    *(vi_unaligned *)p = v;
}
HD_INLINE vf vf_splat(float x) {
    return x - (vf){0};
}
HD_INLINE vi vi_splat(int32_t x) {
    return x + (vi){0};
}
/* mask ? a : b, by the bits of each lane */
HD_INLINE vf vf_select(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
HD_INLINE vf vf_abs(vf x) {
    return (vf)((vi)x & 0x7fffffff);
}

/* A mask vm selects the first n lanes. Lanes outside are not touched in memory, and read as 0.
 * vf_min and vf_max give b when a or b is not a number: put the value that must survive second. */
#if HD_VL == 16
typedef __mmask16 vm;
HD_INLINE vm vm_first(int64_t n) {
    return (vm)((1u << (n < 0 ? 0 : n < 16 ? n : 16)) - 1u);
}
HD_INLINE vm vm_between(int64_t lo, int64_t hi) { /* lanes lo ≤ i < hi */
    return (vm)(vm_first(hi < 0 ? 0 : hi) & ~vm_first(lo < 0 ? 0 : lo));
}
HD_INLINE vf vf_load_m(const float *p, vm m) {
    return (vf)_mm512_maskz_loadu_ps(m, p);
}
HD_INLINE void vf_store_m(float *p, vf v, vm m) {
    _mm512_mask_storeu_ps(p, m, (__m512)v);
}
HD_INLINE vf vf_min(vf a, vf b) {
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}
HD_INLINE vf vf_max(vf a, vf b) {
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}
HD_INLINE vf vf_sqrt(vf x) {
    return (vf)_mm512_sqrt_ps((__m512)x);
}
/* x · 2ⁿ, n whole, over- and underflowing as it should */
HD_INLINE vf vf_scale2(vf x, vf n) {
    return (vf)_mm512_scalef_ps((__m512)x, (__m512)n);
}
#elif HD_VL == 8
typedef __m256i vm;
HD_INLINE vm vm_first(int64_t n) {
    return (vm)((vi){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)n);
}
HD_INLINE vm vm_between(int64_t lo, int64_t hi) { /* lanes lo ≤ i < hi */
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (vm)((lane >= (int32_t)lo) & (lane < (int32_t)hi));
}
HD_INLINE vf vf_load_m(const float *p, vm m) {
    return (vf)_mm256_maskload_ps(p, m);
}
HD_INLINE void vf_store_m(float *p, vf v, vm m) {
    _mm256_maskstore_ps(p, m, (__m256)v);
}
HD_INLINE vf vf_min(vf a, vf b) {
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}
HD_INLINE vf vf_max(vf a, vf b) {
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}
HD_INLINE vf vf_sqrt(vf x) {
    return (vf)_mm256_sqrt_ps((__m256)x);
}
#else
typedef struct vm {
    int n;
} vm;
HD_INLINE vm vm_first(int64_t n) {
    return (vm){n < HD_VL ? (int)n : HD_VL};
}
HD_INLINE vf vf_load_m(const float *p, vm m) {
    vf v = {0};
    for (int i = 0; i < m.n; i++) v[i] = p[i];
    return v;
}
HD_INLINE void vf_store_m(float *p, vf v, vm m) {
    for (int i = 0; i < m.n; i++) p[i] = v[i];
}
HD_INLINE vf vf_min(vf a, vf b) {
    return vf_select(a < b, a, b);
}
HD_INLINE vf vf_max(vf a, vf b) {
    return vf_select(a > b, a, b);
}
HD_INLINE vf vf_sqrt(vf x) {
    for (int i = 0; i < HD_VL; i++) x[i] = sqrtf(x[i]);
    return x;
}
#endif

#if HD_VL != 16
HD_INLINE vi vi_of(vf whole) { /* a whole number of small size, by adding 1.5 · 2²³ and taking the low bits */
    return (vi)(whole + 12582912.0f) - 0x4b400000;
}
HD_INLINE vf vf_scale2(vf x, vf n) {
    /* in two steps, because 2ⁿ itself may be no number when x · 2ⁿ still is one */
    const vi whole = vi_of(vf_min(vf_splat(300), vf_max(vf_splat(-300), n)));
    const vi half = whole >> 1, rest = whole - half;
    return x * (vf)((half + 127) << 23) * (vf)((rest + 127) << 23);
}
#endif

/* a0 b0 a1 b1 …: of the first halves, of the second halves. */
HD_INLINE vf vf_zip_low(vf a, vf b) {
#if HD_VL == 16
    return HD_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif HD_VL == 8
    return HD_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return HD_SHUFFLE(a, b, 0, 4, 1, 5);
#endif
}
HD_INLINE vf vf_zip_high(vf a, vf b) {
#if HD_VL == 16
    return HD_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif HD_VL == 8
    return HD_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return HD_SHUFFLE(a, b, 2, 6, 3, 7);
#endif
}
/* a0 a2 … b0 b2 …, and a1 a3 … b1 b3 … */
HD_INLINE vf vf_even(vf a, vf b) {
#if HD_VL == 16
    return HD_SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif HD_VL == 8
    return HD_SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return HD_SHUFFLE(a, b, 0, 2, 4, 6);
#endif
}
HD_INLINE vf vf_odd(vf a, vf b) {
#if HD_VL == 16
    return HD_SHUFFLE(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif HD_VL == 8
    return HD_SHUFFLE(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return HD_SHUFFLE(a, b, 1, 3, 5, 7);
#endif
}

/* Nearest whole number, for |x| < 2²². */
HD_INLINE vf vf_round(vf x) {
    return (x + 12582912.0f) - 12582912.0f;
}
/* Sum and largest of the lanes, always in the same order: halves, quarters, … */
#if HD_VL == 16 || HD_VL == 8
#if HD_VL == 16
#define HD_HALVE(op, v) _mm256_##op##_ps(_mm512_castps512_ps256((__m512)(v)), _mm512_extractf32x8_ps((__m512)(v), 1))
#else
#define HD_HALVE(op, v) (__m256)(v)
#endif
#define HD_FOLD_LANES(name, op)                                                                                        \
    HD_INLINE float name(vf v) {                                                                                       \
        const __m256 eight = HD_HALVE(op, v);                                                                          \
        __m128 four = _mm_##op##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));                   \
        four = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                                                         \
        return _mm_cvtss_f32(_mm_##op##_ss(four, _mm_shuffle_ps(four, four, 1)));                                      \
    }
HD_FOLD_LANES(vf_sum, add)
HD_FOLD_LANES(vf_largest, max)
#undef HD_FOLD_LANES
#undef HD_HALVE
#else
HD_INLINE float vf_sum(vf v) {
    for (int half = HD_VL / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) v[i] += v[i + half];
    return v[0];
}
HD_INLINE float vf_largest(vf v) {
    for (int half = HD_VL / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) v[i] = v[i] > v[i + half] ? v[i] : v[i + half];
    return v[0];
}
#endif
#endif
