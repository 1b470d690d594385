/* vmath_wide_body.h: functions of vectors that are computed in double, where that is simpler than keeping the digits in
 * f32: trigonometric and hyperbolic functions and their inverses, erfc, powers, rests. Within 1 unit in the last place
 * of f32 over all floats, with inf and nan as in C. Denormal numbers may count as zero. Compiled once per instruction
 * set.
 *
 * Polynomials are Taylor's, cut where the rest is below 2⁻³⁰ of the value, but for arctangent and erfc: fitted to the
 * smallest largest relative error (Chebyshev nodes, Lawson's reweighting), here 2·10⁻¹¹ and 2·10⁻¹⁰. */
#ifndef HD_CPU_VMATH_WIDE_BODY_H
#define HD_CPU_VMATH_WIDE_BODY_H
#include "backends/cpu/lanes.h"

/* Half as many lanes of double. */
typedef double vd __attribute__((vector_size(HD_VL * 4)));
typedef int64_t vq __attribute__((vector_size(HD_VL * 4)));

/* The lower and the upper half of x, and back, rounded. */
#if HD_VL == 16
HD_INLINE vd vd_low(vf x) {
    return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
}
HD_INLINE vd vd_high(vf x) {
    return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
}
HD_INLINE vf vf_of_wide(vd low, vd high) {
    const __m512 half = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)low));
    return (vf)_mm512_insertf32x8(half, _mm512_cvtpd_ps((__m512d)high), 1);
}
HD_INLINE vd vd_sqrt(vd x) {
    return (vd)_mm512_sqrt_pd((__m512d)x);
}
#elif HD_VL == 8
HD_INLINE vd vd_low(vf x) {
    return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
}
HD_INLINE vd vd_high(vf x) {
    return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
}
HD_INLINE vf vf_of_wide(vd low, vd high) {
    return (vf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps((__m256d)low)),
                                    _mm256_cvtpd_ps((__m256d)high), 1);
}
HD_INLINE vd vd_sqrt(vd x) {
    return (vd)_mm256_sqrt_pd((__m256d)x);
}
#else
HD_INLINE vd vd_low(vf x) {
    return (vd){(double)x[0], (double)x[1]};
}
HD_INLINE vd vd_high(vf x) {
    return (vd){(double)x[2], (double)x[3]};
}
HD_INLINE vf vf_of_wide(vd low, vd high) {
    return (vf){(float)low[0], (float)low[1], (float)high[0], (float)high[1]};
}
HD_INLINE vd vd_sqrt(vd x) {
    return (vd){sqrt(x[0]), sqrt(x[1])};
}
#endif

HD_INLINE vd vd_splat(double x) {
    return x - (vd){0};
}
/* mask ? a : b; comparisons of vd give masks of vq */
HD_INLINE vd vd_select(vq mask, vd a, vd b) {
    return (vd)((mask & (vq)a) | (~mask & (vq)b));
}
HD_INLINE vd vd_abs(vd x) {
    return (vd)((vq)x & INT64_MAX);
}
HD_INLINE vd vd_sign_of(vd x, vd y) { /* the sign of x to a y without one */
    return (vd)((vq)y | ((vq)x & INT64_MIN));
}
HD_INLINE vd vd_at_most(vd x, double most) { /* nan stays */
    return vd_select(x > most, vd_splat(most), x);
}
HD_INLINE vd vd_at_least(vd x, double least) {
    return vd_select(x < least, vd_splat(least), x);
}
/* Nearest whole number, of two the even one, for |x| < 2⁵¹; and towards 0. */
#define HD_WIDE_WHOLE 6755399441055744.0 /* 1.5 · 2⁵² */
HD_INLINE vd vd_round(vd x) {
    return (x + HD_WIDE_WHOLE) - HD_WIDE_WHOLE;
}
HD_INLINE vd vd_trunc(vd x) {
    const vd size = vd_abs(x), y = vd_round(size);
    return vd_sign_of(x, y - vd_select(y > size, vd_splat(1), vd_splat(0)));
}

/* eˣ; beyond ±700 as at ±700, which is 0 and ∞ in f32 all the same */
HD_INLINE vd d_exp(vd x) {
    x = vd_at_least(vd_at_most(x, 700), -700);
    const vd n = vd_round(x * 1.4426950408889634);
    vd r = x - n * 0.693147180369123816490; /* ln 2 in two parts, n times the first is exact */
    r = r - n * 1.90821492927058770002e-10;
    vd p = r * (1.0 / 39916800) + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return p * (vd)((vq)(n + (HD_WIDE_WHOLE + 1023)) << 52);
}

/* ln x for normal x > 0; what comes of others is the caller's */
HD_INLINE vd d_log_plain(vd x) {
    const vq bits = (vq)x - 0x3fe6a09e667f3bcd; /* relative to √½ */
    const vd e = (vd)((bits >> 52) + 0x4338000000000000) - HD_WIDE_WHOLE;
    const vd m = (vd)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
    const vd s = (m - 1.0) / (m + 1.0), z = s * s;
    vd p = z * (2.0 / 15) + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    return e * 0.6931471805599453 + (s * 2.0 + s * z * p);
}
HD_INLINE vd d_log(vd x) {
    vd y = vd_select(x == 0.0, vd_splat(-(double)INFINITY), d_log_plain(x));
    y = vd_select(x < 0.0, vd_splat((double)NAN), y);
    return vd_select(x < (double)INFINITY, y, x); /* ∞ and nan give themselves */
}
/* ln(1 + u), u > −1: what 1 + u lost comes back by the quotient (Kahan) */
HD_INLINE vd d_log1p(vd u) {
    const vd w = 1.0 + u, d = w - 1.0;
    const vd y = d_log(w) * (u / vd_select(d == 0.0, vd_splat(1), d));
    return vd_select((vq)(d == 0.0) | (vq)(u == (double)INFINITY), u, y);
}

/* ---- sine, cosine, tangent ---- */

/* x − n π/2 for |x| ≤ 2²²: π/2 in parts of 30 bits, so that n times each is exact */
HD_INLINE vd d_quarter(vd x, vd *n) {
    *n = vd_round(x * 0.6366197723675814);
    vd r = x - *n * 1.570796325802803;
    r = r - *n * 9.920935791635221e-10;
    return r - *n * 5.170182981794105e-19;
}
HD_INLINE vd d_sin_near(vd r) {
    const vd z = r * r;
    vd p = z * (1.0 / 362880) - 1.0 / 5040;
    p = p - z * z * (1.0 / 39916800);
    p = p * z + 1.0 / 120;
    p = p * z - 1.0 / 6;
    return r + r * z * p;
}
HD_INLINE vd d_cos_near(vd r) {
    const vd z = r * r;
    vd p = z * (-1.0 / 3628800) + 1.0 / 40320;
    p = p + z * z * (1.0 / 479001600);
    p = p * z - 1.0 / 720;
    p = p * z + 1.0 / 24;
    p = p * z - 0.5;
    return p * z + 1.0;
}
/* Sine of the angle of which r is left after n quarters, `more` further on. */
HD_INLINE vd d_sin_turned(vd r, vd n, int64_t more) {
    const vq k = (vq)(n + HD_WIDE_WHOLE) + more;
    const vd y = vd_select(-(k & 1), d_cos_near(r), d_sin_near(r));
    return (vd)((vq)y ^ ((k & 2) << 62));
}
HD_INLINE vd d_sin(vd x) {
    vd n;
    const vd r = d_quarter(x, &n);
    return vd_select(x == 0.0, x, d_sin_turned(r, n, 0));
}
HD_INLINE vd d_cos(vd x) {
    vd n;
    const vd r = d_quarter(x, &n);
    return d_sin_turned(r, n, 1);
}
HD_INLINE vd d_tan(vd x) {
    vd n;
    const vd r = d_quarter(x, &n), s = d_sin_near(r), c = d_cos_near(r);
    const vq odd = -((vq)(n + HD_WIDE_WHOLE) & 1);
    return vd_select(x == 0.0, x, vd_select(odd, -c, s) / vd_select(odd, s, c));
}

/* ---- and back ---- */

/* arctan q, 0 ≤ q ≤ 1 */
HD_INLINE vd d_atan_unit(vd q) {
    const vq far = (vq)(q > 0.41421356237309503);
    const vd t = vd_select(far, (q - 1.0) / (q + 1.0), q), z = t * t;
    vd p = z * 0.04714114871527215 - 0.08459694742047363;
    p = p * z + 0.11041169223478403;
    p = p * z - 0.1428164968211455;
    p = p * z + 0.19999886325589958;
    p = p * z - 0.33333332134278715;
    p = p * z - 2.07157e-11;
    return (t + t * p) + vd_select(far, vd_splat(0.7853981633974483), vd_splat(0));
}
/* The angle of (x, y) for y ≥ 0 and not both 0; ∞ only alone. */
HD_INLINE vd d_angle(vd y, vd x) {
    const vd w = vd_abs(x);
    const vq steep = (vq)(y > w);
    vd a = d_atan_unit(vd_select(steep, w, y) / vd_select(steep, y, w));
    a = vd_select(steep, 1.5707963267948966 - a, a);
    return vd_select(x < 0.0, 3.141592653589793 - a, a);
}
HD_INLINE vd d_atan(vd x) {
    return vd_select(x == 0.0, x, vd_sign_of(x, d_angle(vd_abs(x), vd_splat(1))));
}
HD_INLINE vd d_asin(vd x) { /* (1 − x)(1 + x) of a float is all but exact; beyond ±1 the root is nan */
    return vd_select(x == 0.0, x, vd_sign_of(x, d_angle(vd_abs(x), vd_sqrt((1.0 - x) * (1.0 + x)))));
}
HD_INLINE vd d_acos(vd x) {
    return d_angle(vd_sqrt((1.0 - x) * (1.0 + x)), x);
}

/* ---- hyperbolic functions ---- */

HD_INLINE vd d_sinh(vd x) {
    const vd e = d_exp(x), z = x * x;
    vd p = z * (1.0 / 362880) + 1.0 / 5040;
    p = p * z + 1.0 / 120;
    p = p * z + 1.0 / 6;
    return vd_select(vd_abs(x) < 0.5, x + x * z * p, (e - 1.0 / e) * 0.5);
}
HD_INLINE vd d_cosh(vd x) {
    const vd e = d_exp(x);
    return (e + 1.0 / e) * 0.5;
}
HD_INLINE vd d_asinh(vd x) {
    const vd w = vd_abs(x), z = w * w;
    return vd_sign_of(x, d_log1p(w + z / (1.0 + vd_sqrt(1.0 + z))));
}
HD_INLINE vd d_acosh(vd x) {
    const vd u = x - 1.0;
    return vd_select(x < 1.0, (x - x) / (x - x), d_log1p(u + vd_sqrt(u * (x + 1.0))));
}
HD_INLINE vd d_atanh(vd x) {
    const vd w = vd_abs(x);
    const vd y = vd_sign_of(x, 0.5 * d_log1p(2.0 * w / (1.0 - w)));
    return vd_select(w > 1.0, vd_splat((double)NAN), vd_select(w == 1.0, vd_sign_of(x, vd_splat((double)INFINITY)), y));
}
HD_INLINE vd d_tanhshrink(vd x) {
    const vd z = x * x, size = vd_at_most(vd_abs(x), 40);
    const vd t = vd_sign_of(x, 1.0 - 2.0 / (d_exp(size + size) + 1.0));
    vd p = z * (-1382.0 / 155925) + 62.0 / 2835;
    p = p * z - 17.0 / 315;
    p = p * z + 2.0 / 15;
    p = p * z - 1.0 / 3;
    return vd_select(vd_abs(x) < 0.125, x * z * -p, x - t);
}

/* ---- others ---- */

/* |x| < ½: 1 − erf by its series; beyond e^−x² P(u), u = (|x| − 3) / (|x| + 3) */
HD_INLINE vd d_erfc(vd x) {
    const vd t = vd_at_most(vd_abs(x), 11), z = x * x, u = (t - 3.0) / (t + 3.0);
    vd p = u * 5.927827038856578e-05 + 3.411725699755144e-05;
    p = p * u - 0.0005961431100540526;
    p = p * u + 0.0007115885400165491;
    p = p * u + 0.004269061837250845;
    p = p * u - 0.024393102232594804;
    p = p * u + 0.07166584676649959;
    p = p * u - 0.15011589726975488;
    p = p * u + 0.245603800743789;
    p = p * u - 0.326233560747695;
    p = p * u + 0.17900115119411375;
    p = p * d_exp(-(t * t));
    vd s = z * (1.0 / 9360) - 1.0 / 1320;
    s = s * z + 1.0 / 216;
    s = s * z - 1.0 / 42;
    s = s * z + 1.0 / 10;
    s = s * z - 1.0 / 3;
    s = (x + x * z * s) * 1.1283791670955126;
    return vd_select(t < 0.5, 1.0 - s, vd_select(x < 0.0, 2.0 - p, p));
}
/* aᵇ for finite b and finite a ≠ 0 */
HD_INLINE vd d_pow(vd a, vd b) {
    const vd y = d_exp(b * d_log_plain(vd_abs(a)));
    const vd whole = vd_round(b), half = b * 0.5;
    const vq big = (vq)(vd_abs(b) >= 4503599627370496.0); /* 2⁵²: even, as far as f32 is asked */
    const vq odd = (vq)(half != vd_round(half)) & ~big;
    const vd left = vd_select((vq)(whole == b) | big, (vd)((vq)y ^ (odd & INT64_MIN)), vd_splat((double)NAN));
    return vd_select(a < 0.0, left, y);
}
/* a − b trunc(a / b), exact for finite a and b ≠ 0 with |a / b| < 2²⁸ */
HD_INLINE vd d_fmod(vd a, vd b) {
    const vd x = vd_abs(a), y = vd_abs(b);
    vd r = x - y * vd_trunc(x / y);
    r = vd_select(r < 0.0, r + y, r); /* the quotient may have been rounded to the next whole number */
    return vd_sign_of(a, r);
}
HD_INLINE vd d_logaddexp(vd a, vd b) {
    const vd most = vd_select(a > b, a, b);
    const vd y = most + d_log1p(d_exp(-vd_abs(a - b)));
    const vd same = vd_select((vq)(a == b) & (vq)(vd_abs(a) == (double)INFINITY), a, y);
    return vd_select(a != a, a, vd_select(b != b, b, same));
}
HD_INLINE vd d_xlogy(vd a, vd b) {
    return vd_select(b != b, b, vd_select(a == 0.0, vd_splat(0), a * d_log(b)));
}
HD_INLINE vd d_logit(vd x) {
    const vd near = d_log1p((2.0 * (2.0 * x - 1.0)) / (2.0 - 2.0 * x)), far = d_log(x / (1.0 - x));
    return vd_select((vq)(x > 0.25) & (vq)(x < 0.75), near, far);
}

/* Both halves through a function. */
#define WIDE_1(name)                                                                                                   \
    HD_INLINE vf v_##name(vf x) {                                                                                      \
        return vf_of_wide(d_##name(vd_low(x)), d_##name(vd_high(x)));                                                  \
    }
#define WIDE_2(name)                                                                                                   \
    HD_INLINE vf v_##name(vf a, vf b) {                                                                                \
        return vf_of_wide(d_##name(vd_low(a), vd_low(b)), d_##name(vd_high(a), vd_high(b)));                           \
    }
/* Where a vector has a lane outside of what the function takes, such lanes are left to C's. */
#define WIDE_WITHIN_1(name, outside)                                                                                   \
    HD_INLINE vf v_##name(vf x) {                                                                                      \
        const vi out = (outside);                                                                                      \
        vf y = vf_of_wide(d_##name(vd_low(x)), d_##name(vd_high(x)));                                                  \
        for (int i = 0; i < HD_VL && __builtin_expect(vi_any(out), 0); i++)                                            \
            if (out[i]) y[i] = (float)name((double)x[i]);                                                              \
        return y;                                                                                                      \
    }
#define WIDE_WITHIN_2(name, outside)                                                                                   \
    HD_INLINE vf v_##name(vf a, vf b) {                                                                                \
        const vi out = (outside);                                                                                      \
        vf y = vf_of_wide(d_##name(vd_low(a), vd_low(b)), d_##name(vd_high(a), vd_high(b)));                           \
        for (int i = 0; i < HD_VL && __builtin_expect(vi_any(out), 0); i++)                                            \
            if (out[i]) y[i] = (float)name((double)a[i], (double)b[i]);                                                \
        return y;                                                                                                      \
    }
#define HD_NOT_FINITE(x) (~(vf_abs(x) < INFINITY))

WIDE_WITHIN_1(sin, ~(vf_abs(x) <= 4194304.0f))
WIDE_WITHIN_1(cos, ~(vf_abs(x) <= 4194304.0f))
WIDE_WITHIN_1(tan, ~(vf_abs(x) <= 4194304.0f))
WIDE_WITHIN_1(atan, HD_NOT_FINITE(x))
WIDE_1(asin)
WIDE_1(acos)
WIDE_1(sinh)
WIDE_1(cosh)
WIDE_WITHIN_1(asinh, HD_NOT_FINITE(x))
WIDE_WITHIN_1(acosh, HD_NOT_FINITE(x))
WIDE_1(atanh)
WIDE_1(tanhshrink)
WIDE_1(erfc)
WIDE_1(logit)
WIDE_WITHIN_2(pow, HD_NOT_FINITE(a) | HD_NOT_FINITE(b) | (a == 0.0f))
WIDE_WITHIN_2(fmod, HD_NOT_FINITE(a) | HD_NOT_FINITE(b) | ~(vf_abs(a) < vf_abs(b) * 268435456.0f))
WIDE_2(logaddexp)
WIDE_2(xlogy)

/* Of (a, b) that are both 0, or not finite, C knows what to say. */
HD_INLINE vd d_atan2(vd y, vd x) {
    return vd_sign_of(y, d_angle(vd_abs(y), x));
}
WIDE_WITHIN_2(atan2, HD_NOT_FINITE(a) | HD_NOT_FINITE(b) | ((a == 0.0f) & (b == 0.0f)))
HD_INLINE vd d_hypot(vd a, vd b) {
    return vd_sqrt(a * a + b * b);
}
WIDE_WITHIN_2(hypot, HD_NOT_FINITE(a) | HD_NOT_FINITE(b))

/* The rest with the sign of b; in double, because it may be too small for f32 before b is added. */
HD_INLINE vd d_rest(vd a, vd b) {
    const vd r = d_fmod(a, b);
    return vd_select((vq)(r != 0.0) & ((vq)(r < 0.0) ^ (vq)(b < 0.0)), r + b, r);
}
HD_INLINE double rest(double a, double b) {
    const double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
WIDE_WITHIN_2(rest, HD_NOT_FINITE(a) | HD_NOT_FINITE(b) | ~(vf_abs(a) < vf_abs(b) * 268435456.0f))
/* ⌊a / b⌋ by the rest, as the definition has it */
HD_INLINE vd d_floor_divide(vd a, vd b) {
    const vd r = d_fmod(a, b), q = (a - r) / b;
    const vq down = (vq)(r != 0.0) & ((vq)(r < 0.0) ^ (vq)(b < 0.0));
    return vd_round(vd_select(down, q - 1.0, q));
}
HD_INLINE double floor_divide(double a, double b) {
    if (b == 0) return a / b;
    const double r = fmod(a, b), q = (a - r) / b;
    return nearbyint(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}
WIDE_WITHIN_2(floor_divide, HD_NOT_FINITE(a) | HD_NOT_FINITE(b) | ~(vf_abs(a) < vf_abs(b) * 268435456.0f))
#undef WIDE_1
#undef WIDE_2
#undef WIDE_WITHIN_1
#undef WIDE_WITHIN_2
#endif
