/* convert.c: owns the instruction sets of the data room's two loops. Knows nothing of data sets. */
#include "data/convert.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define WIDE 1
#include <immintrin.h>
#endif

static void convert_plain(float *out, const unsigned char *x, size_t n, float mean, float scale) {
    for (size_t i = 0; i < n; i++) out[i] = ((float)x[i] - mean) * scale;
}

static void sum_plain(const unsigned char *x, size_t n, uint64_t *sum, uint64_t *squares) {
    uint64_t s = 0, q = 0;
    for (size_t i = 0; i < n; i++) {
        s += x[i];
        q += (uint64_t)x[i] * x[i];
    }
    *sum += s;
    *squares += q;
}

#ifdef WIDE
__attribute__((target("avx2"))) static void convert_avx2(float *out, const unsigned char *x, size_t n, float mean,
                                                         float scale) {
    __m256 m = _mm256_set1_ps(mean), s = _mm256_set1_ps(scale);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(x + i));
        __m256 a = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
        __m256 b = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
        _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_sub_ps(a, m), s));
        _mm256_storeu_ps(out + i + 8, _mm256_mul_ps(_mm256_sub_ps(b, m), s));
    }
    convert_plain(out + i, x + i, n - i, mean, scale);
}

__attribute__((target("avx512f"))) static void convert_avx512(float *out, const unsigned char *x, size_t n, float mean,
                                                              float scale) {
    __m512 m = _mm512_set1_ps(mean), s = _mm512_set1_ps(scale);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(x + i));
        __m512 a = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
        _mm512_storeu_ps(out + i, _mm512_mul_ps(_mm512_sub_ps(a, m), s));
    }
    convert_plain(out + i, x + i, n - i, mean, scale);
}

static uint64_t add_lanes(const uint32_t *lane) {
    uint64_t total = 0;
    for (int i = 0; i < 8; i++) total += lane[i];
    return total;
}

/* Squares gather in 32-bit lanes, which hold 8,192 steps of at most 4 · 255² each. */
__attribute__((target("avx2"))) static void sum_avx2(const unsigned char *x, size_t n, uint64_t *sum,
                                                     uint64_t *squares) {
    size_t i = 0;
    while (i + 32 <= n) {
        size_t end = n - i > 32 * 8192 ? i + 32 * 8192 : n;
        __m256i s = _mm256_setzero_si256(), q = s, zero = s;
        for (; i + 32 <= end; i += 32) {
            __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(x + i));
            __m256i low = _mm256_unpacklo_epi8(bytes, zero), high = _mm256_unpackhi_epi8(bytes, zero);
            s = _mm256_add_epi64(s, _mm256_sad_epu8(bytes, zero));
            q = _mm256_add_epi32(q, _mm256_add_epi32(_mm256_madd_epi16(low, low), _mm256_madd_epi16(high, high)));
        }
        uint32_t lane[8];
        _mm256_storeu_si256((__m256i *)(void *)lane, q);
        *squares += add_lanes(lane);
        _mm256_storeu_si256((__m256i *)(void *)lane, s); /* each 64-bit lane stays below 2^32 */
        *sum += add_lanes(lane);
    }
    sum_plain(x + i, n - i, sum, squares);
}
#endif

void hd_convert_u8(hd_isa isa, float *out, const unsigned char *x, size_t n, float mean, float scale) {
#ifdef WIDE
    if (isa >= HD_ISA_AVX512) {
        convert_avx512(out, x, n, mean, scale);
        return;
    }
    if (isa >= HD_ISA_AVX2) {
        convert_avx2(out, x, n, mean, scale);
        return;
    }
#endif
    (void)isa;
    convert_plain(out, x, n, mean, scale);
}

void hd_convert_f32(float *out, const float *x, size_t n, float mean, float scale) {
    for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * scale;
}

void hd_sum_u8(hd_isa isa, const unsigned char *x, size_t n, uint64_t *sum, uint64_t *squares) {
#ifdef WIDE
    if (isa >= HD_ISA_AVX2) {
        sum_avx2(x, n, sum, squares);
        return;
    }
#endif
    (void)isa;
    sum_plain(x, n, sum, squares);
}
