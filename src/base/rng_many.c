/* rng_many.c: owns many numbers of a stream at once: the first values of a large network are 25 million normal numbers,
 * and one after the other, by the C library's logarithm and cosine, they took longer than everything else before the
 * first step. Plain loops over short arrays, which compilers turn into vectors; no fused multiply-adds, so that the
 * bits are those of every other machine, and of one number alone. */
#include "base/rng_many.h"
#include <math.h>
#include <string.h>

enum { MANY = 64 };
static const uint64_t LOW32 = 0xffffffffu;

/* Block number first + j of the stream: its words 0 and 1, and 2 and 3, as numbers of 64 bits. */
static inline __attribute__((always_inline)) void blocks(uint64_t a[MANY], uint64_t b[MANY], const uint32_t key[2],
                                                         uint64_t first) {
    for (int j = 0; j < MANY; j++) {
        uint64_t c0 = (first + (uint64_t)j) & LOW32, c1 = (first + (uint64_t)j) >> 32, c2 = 0, c3 = 0;
        uint64_t k0 = key[0], k1 = key[1];
        for (int round = 0; round < 10; round++) { /* as hd_philox */
            const uint64_t p0 = c0 * HD_PHILOX_M0, p1 = c2 * HD_PHILOX_M1;
            c0 = (p1 >> 32) ^ c1 ^ k0;
            c2 = (p0 >> 32) ^ c3 ^ k1;
            c1 = p1 & LOW32;
            c3 = p0 & LOW32;
            k0 = (k0 + HD_PHILOX_W0) & LOW32;
            k1 = (k1 + HD_PHILOX_W1) & LOW32;
        }
        a[j] = c0 | c1 << 32;
        b[j] = c2 | c3 << 32;
    }
}

/* The upper 53 bits as a fraction: halves of 32 and 21 bits as mantissas of 2^52 and 2^84, which is exact. */
static inline __attribute__((always_inline)) void fractions(double out[MANY], const uint64_t x[MANY]) {
    uint64_t low[MANY], high[MANY];
    double l[MANY], h[MANY];
    for (int j = 0; j < MANY; j++) {
        low[j] = ((x[j] >> 11) & LOW32) | UINT64_C(0x4330000000000000);
        high[j] = x[j] >> 43 | UINT64_C(0x4530000000000000);
    }
    memcpy(l, low, sizeof l);
    memcpy(h, high, sizeof h);
    for (int j = 0; j < MANY; j++) out[j] = ((h[j] - 0x1p84) + (l[j] - 0x1p52)) * 0x1p-53;
}

/* log u of 2^-53 <= u <= 1: u = 2^k m with m from sqrt(1/2) to sqrt(2); log m = 2 artanh((m - 1) / (m + 1)). */
static inline __attribute__((always_inline)) void logarithms(double *out, const double *u, int many) {
    uint64_t bits[MANY], steps[MANY];
    double m[MANY], k[MANY];
    memcpy(bits, u, (size_t)many * sizeof *bits);
    for (int j = 0; j < many; j++) {
        const uint64_t from = bits[j] - UINT64_C(0x3fe6a09e667f3bcd); /* sqrt(1/2) */
        const uint64_t power = from >> 52;                            /* k, modulo 4096 */
        bits[j] -= power << 52;
        steps[j] = (power ^ 0x800) | UINT64_C(0x4330000000000000); /* 2^52 + k + 2048 */
    }
    memcpy(m, bits, (size_t)many * sizeof *m);
    memcpy(k, steps, (size_t)many * sizeof *k);
    for (int j = 0; j < many; j++) {
        const double s = (m[j] - 1) / (m[j] + 1), q = s * s;
        double p = 0;
        for (int i = 21; i >= 3; i -= 2) p = p * q + 1.0 / i;
        out[j] = (k[j] - (0x1p52 + 2048)) * 0.693147180559945309 + (2 * s + 2 * s * (q * p));
    }
}

/* 1 / 21!, 1 / 19! ... with the signs of the sine's series, to the third power */
enum { SINES = 10 };
static const double sine[SINES] = {1.0 / 51090942171709440000.0,
                                   -1.0 / 121645100408832000.0,
                                   1.0 / 355687428096000.0,
                                   -1.0 / 1307674368000.0,
                                   1.0 / 6227020800.0,
                                   -1.0 / 39916800.0,
                                   1.0 / 362880.0,
                                   -1.0 / 5040.0,
                                   1.0 / 120.0,
                                   -1.0 / 6.0};

/* cos 2 pi v of 0 <= v < 1 is sin of a quarter of a turn less, counted from the half: the series of the sine. */
static inline __attribute__((always_inline)) void cosines(double *out, const double *v, int many) {
    for (int j = 0; j < many; j++) {
        const double t = (fabs(v[j] - 0.5) - 0.25) * 6.283185307179586477, q = t * t;
        double p = 0;
        for (int i = 0; i < SINES; i++) p = p * q + sine[i];
        out[j] = t + t * (q * p);
    }
}

/* Box and Muller 1958. */
static inline __attribute__((always_inline)) void bells(double *out, const double *u, const double *v, int many) {
    double logs[MANY], waves[MANY];
    logarithms(logs, u, many);
    cosines(waves, v, many);
    for (int j = 0; j < many; j++) out[j] = sqrt(-2 * logs[j]) * waves[j];
}

double hd_rng_bell(double u, double v) {
    double x;
    bells(&x, &u, &v, 1);
    return x;
}

static inline __attribute__((always_inline)) void normals(double *out, const uint32_t key[2], uint64_t first,
                                                          size_t n) {
    uint64_t a[MANY], b[MANY];
    double u[MANY], v[MANY], x[MANY];
    for (size_t at = 0; at < n; at += MANY) {
        blocks(a, b, key, first + at);
        fractions(u, a);
        fractions(v, b);
        for (int j = 0; j < MANY; j++) u[j] = 1 - u[j]; /* never 0 */
        bells(x, u, v, MANY);
        memcpy(out + at, x, (n - at < MANY ? n - at : MANY) * sizeof *out);
    }
}

static void normals_generic(double *out, const uint32_t key[2], uint64_t first, size_t n) {
    normals(out, key, first, n);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void normals_avx2(double *out, const uint32_t key[2], uint64_t first, size_t n) {
    normals(out, key, first, n);
}
__attribute__((target("avx512f,avx512dq"))) static void normals_avx512(double *out, const uint32_t key[2],
                                                                       uint64_t first, size_t n) {
    normals(out, key, first, n);
}
#endif

void hd_rng_normals(double *out, hd_isa isa, const uint32_t key[2], uint64_t first, size_t n) {
#if defined(__x86_64__)
    if (isa == HD_ISA_AVX512) {
        normals_avx512(out, key, first, n);
        return;
    }
    if (isa == HD_ISA_AVX2) {
        normals_avx2(out, key, first, n);
        return;
    }
#endif
    (void)isa;
    normals_generic(out, key, first, n);
}
