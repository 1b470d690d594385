/* vmath_body.h: exp, log, tanh and sigmoid of vectors, within 2 units in the last place (4 for tanh and sigmoid) over
 * all floats, with inf and nan as in C. Denormal results may be zero. Compiled once per instruction set. */
#ifndef HD_CPU_VMATH_BODY_H
#define HD_CPU_VMATH_BODY_H
#include "backends/cpu/isa.h"

/* ln 2 in two parts: n times the first is exact for |n| < 2⁹ (Cody and Waite 1980) */
#define HD_LOG2E  1.44269504088896341f
#define HD_LN2_HI 0.693359375f
#define HD_LN2_LO (-2.12194440e-4f)

/* (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2: minimax, Cephes expf (Moshier 1989) */
HD_INLINE vf v_exp_tail(vf r) {
    vf p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    return p * r + 5.0000001201e-1f;
}

HD_INLINE vf v_exp(vf x) {
    x = vf_min(vf_splat(104), vf_max(vf_splat(-104), x)); /* beyond: inf and 0 all the same; nan stays */
    const vf n = vf_round(x * HD_LOG2E);
    vf r = x - n * HD_LN2_HI;
    r = r - n * HD_LN2_LO;
    return vf_scale2(v_exp_tail(r) * (r * r) + r + 1.0f, n);
}

/* tanh |x| = m / (m + 2) with m = e^(2|x|) − 1, computed without the cancellation for small x. */
HD_INLINE vf v_tanh(vf x) {
    const vf two_x = vf_min(vf_splat(20), vf_abs(x) + vf_abs(x)); /* tanh 10 is 1 in f32 */
    const vf n = vf_round(two_x * HD_LOG2E);
    vf r = two_x - n * HD_LN2_HI;
    r = r - n * HD_LN2_LO;
    const vf q = v_exp_tail(r) * (r * r) + r;                    /* e^r − 1 */
    const vf power = (vf)((vi)(n + 12582912.0f + 127.0f) << 23); /* 2ⁿ, 0 ≤ n ≤ 29 */
    const vf m = power * q + (power - 1.0f);
    return (vf)((vi)(m / (m + 2.0f)) | ((vi)x & INT32_MIN));
}

HD_INLINE vf v_sigmoid(vf x) {
    return 1.0f / (1.0f + v_exp(-x));
}

/* (ln(1 + r) − r + r²/2) / r³ for √½ ≤ 1 + r < √2, as in Cephes logf (Moshier 1989) */
HD_INLINE vf v_log_cubic(vf r) {
    vf p = 7.0376836292e-2f * r - 1.1514610310e-1f;
    p = p * r + 1.1676998740e-1f;
    p = p * r - 1.2420140846e-1f;
    p = p * r + 1.4249322787e-1f;
    p = p * r - 1.6668057665e-1f;
    p = p * r + 2.0000714765e-1f;
    p = p * r - 2.4999993993e-1f;
    return p * r + 3.3333331174e-1f;
}

/* x = m · 2ᵉ, √½ ≤ m < √2 */
HD_INLINE vf v_log(vf x) {
    const vi tiny = x < 1.17549435e-38f; /* denormal, zero, negative */
    const vf y = vf_select(tiny, x * 8388608.0f, x);
    const vi bits = (vi)y - 0x3f3504f3; /* relative to √½ */
    const vi whole = (bits >> 23) - (tiny & 23);
    const vf e = (vf)((whole + 0x4b400000)) - 12582912.0f;
    const vf r = (vf)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    const vf r2 = r * r;
    vf s = v_log_cubic(r) * r2 * r + e * HD_LN2_LO;
    s = s - 0.5f * r2;
    s = (r + s) + e * HD_LN2_HI;
    s = vf_select(x == 0.0f, vf_splat(-INFINITY), s);
    s = vf_select(x < 0.0f, vf_splat(NAN), s);
    const vi fine = x < INFINITY; /* inf and nan give themselves */
    return vf_select(fine, s, x);
}
#endif
