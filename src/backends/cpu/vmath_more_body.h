/* vmath_more_body.h: the other functions of vectors, on top of vmath_body.h's exp and log: expm1, exp2, log1p, log2,
 * log10, erf and the smooth activations with their slopes, within 4 units in the last place over all floats (slopes: of
 * the largest), with inf and nan as in C. Denormal numbers may count as zero. Compiled once per instruction set.
 *
 * Coefficients of their own were fitted to the smallest largest relative error (Chebyshev nodes, then Lawson's
 * reweighting, in 40 digits) and rounded to floats. */
#ifndef HD_CPU_VMATH_MORE_BODY_H
#define HD_CPU_VMATH_MORE_BODY_H
#include "backends/cpu/lanes.h"
#include "backends/cpu/vmath_body.h"

/* eˣ = p · 2ⁿ with p about 1, |x| < 200: products that underflow only at the end. */
HD_INLINE vf v_exp_parts(vf x, vf *n) {
    *n = vf_round(x * HD_LOG2E);
    vf r = x - *n * HD_LN2_HI;
    r = r - *n * HD_LN2_LO;
    return v_exp_tail(r) * (r * r) + r + 1.0f;
}
HD_INLINE vf vf_sign_of(vf x, vf y) { /* the sign of x to a y without one */
    return (vf)((vi)y | ((vi)x & INT32_MIN));
}
HD_INLINE vf v_held(vf x, float low, float high) { /* nan stays */
    return vf_min(vf_splat(high), vf_max(vf_splat(low), x));
}

/* 2ⁿ (eʳ − 1) + (2ⁿ − 1), by halves, because 2¹²⁸ is no float; but halves of the smallest x are denormal */
HD_INLINE vf v_expm1(vf x) {
    const vf held = v_held(x, -30, 89);
    const vf n = vf_round(held * HD_LOG2E);
    vf r = held - n * HD_LN2_HI;
    r = r - n * HD_LN2_LO;
    const vf q = v_exp_tail(r) * (r * r) + r;
    const vf half = (vf)((vi)(n + 12582912.0f + 126.0f) << 23);
    const vf y = half * q + (half - 0.5f);
    return vf_blend(vk_more(vf_splat(1e-9f), vf_abs(x)), x, vf_sign_of(x, y + y));
}

HD_INLINE vf v_exp2(vf x) {
    x = v_held(x, -200, 200);
    const vf n = vf_round(x), r = (x - n) * 0.693147180559945f;
    return vf_scale2(v_exp_tail(r) * (r * r) + r + 1.0f, n);
}

/* ln(1 + r) less r, −0.3 < r < 0.42 */
HD_INLINE vf v_log_tail(vf r) {
    const vf r2 = r * r;
    return v_log_cubic(r) * r2 * r - 0.5f * r2;
}
/* x = (1 + r) 2ᵉ, 1 + r within √½ … √2 */
HD_INLINE vf v_log_parts(vf x, vf *e) {
    const vi tiny = x < 1.17549435e-38f;
    const vi bits = (vi)vf_select(tiny, x * 8388608.0f, x) - 0x3f3504f3;
    *e = (vf)((bits >> 23) - (tiny & 23) + 0x4b400000) - 12582912.0f;
    return (vf)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
}
/* y, but the values of a logarithm at and beyond the ends of its domain */
HD_INLINE vf v_log_ends(vf x, vf y) {
    y = vf_select(x == 0.0f, vf_splat(-INFINITY), y);
    y = vf_select(x < 0.0f, vf_splat(NAN), y);
    return vf_select(x < INFINITY, y, x);
}
/* r log e in two parts: what is large in it, 1 and 0.4375 = 7/16 times r, is (almost) exact. */
HD_INLINE vf v_log2(vf x) {
    vf e;
    const vf r = v_log_parts(x, &e), s = v_log_tail(r);
    const vf y = r * 0.442695041f + s * 1.44269504f;
    return v_log_ends(x, e + (r + y));
}
HD_INLINE vf v_log10(vf x) {
    vf e;
    const vf r = v_log_parts(x, &e), s = v_log_tail(r);
    const vf fine = e * -7.9034151668e-7f + (s * 0.434294482f + r * -3.2055181e-3f);
    return v_log_ends(x, e * 0.301030785f + (fine + r * 0.4375f));
}

/* u = 1 + x lost c of x: ln(1 + x) = ln u + c / u, of which c / u is a fraction of a unit. */
HD_INLINE vf v_log1p(vf x) {
    vf e;
    const vf u = 1.0f + x;
    const vf c = (x - (u - 1.0f)) * vf_select(x > 0.0f, vf_splat(0.6f), vf_splat(1.7f));
    const vf far = v_log_parts(u, &e);
    const vi near = vf_select(x > 0.0f, x - 0.41421354f, -0.29289320f - x) < 0.0f;
    const vf r = vf_select(near, x, far);
    e = vf_select(near, vf_splat(0), e);
    vf s = v_log_tail(r) + e * HD_LN2_LO;
    s = s + vf_select(near | (vf_abs(x) > 1.0f), vf_splat(0), c);
    s = (r + s) + e * HD_LN2_HI;
    return vf_select(x == 0.0f, x, v_log_ends(u, s));
}

/* ln(1 + t), 0 ≤ t ≤ 1: half of 1 + t less 1 is exact where it is needed */
HD_INLINE vf v_log1p_unit(vf t) {
    const vi far = t > 0.41421354f;
    const vf r = vf_select(far, (t - 1.0f) * 0.5f, t), one = vf_where(far, vf_splat(1));
    const vf s = v_log_tail(r) + one * HD_LN2_LO;
    return (r + s) + one * HD_LN2_HI;
}
/* ln(1 + e^−|x|) */
HD_INLINE vf v_bend(vf x) {
    return v_log1p_unit(v_exp(-vf_abs(x)));
}
/* max(z, 0) + ln(1 + e^−|z|), over beta; c: beta, threshold, 1 / beta */
HD_INLINE vf v_softplus(vf x, const float *c) {
    const vf z = x * c[0];
    const vf y = (vf_max(vf_splat(0), z) + v_bend(z)) / c[0];
    return vf_blend(vk_more(z, vf_splat(c[1])), x, y);
}
HD_INLINE vf v_softplus_grad(vf x, vf dy, const float *c) {
    const vf z = x * c[0];
    return vf_blend(vk_more(z, vf_splat(c[1])), dy, dy * v_sigmoid(z));
}
HD_INLINE vf v_logsigmoid(vf x) {
    return vf_min(vf_splat(0), x) - v_bend(x);
}

/* σ(−|x|) = p 2ⁿ / (1 + p 2ⁿ) and σ(|x|), n apart */
HD_INLINE vf v_silu(vf x) {
    vf n;
    const vk left = vk_more(vf_splat(0), x);
    x = vf_max(vf_splat(-150), x);
    const vf p = v_exp_parts(-vf_min(vf_splat(150), vf_abs(x)), &n);
    const vf y = vf_blend(left, x * p, x) / (1.0f + vf_scale2(p, n));
    return vf_scale2(y, vf_keep(left, n));
}
/* s + x s s', s = σ(x), s' = σ(−x), both to their last digit */
HD_INLINE vf v_silu_slope(vf x) {
    x = v_held(x, -104, 104);
    const vk left = vk_more(vf_splat(0), x);
    const vf t = v_exp(-vf_abs(x)), most = 1.0f / (1.0f + t), rest = t * most;
    return vf_blend(left, rest, most) + x * most * rest;
}

/* x w, w = m / (m + 2), m = n (n + 2), n = eˣ: 1 from 20 on; left of 0 a power of 2 stays apart */
HD_INLINE vf v_mish(vf x) {
    vf k;
    const vk left = vk_more(vf_splat(0), x);
    const vf p = v_exp_parts(v_held(x, -150, 20), &k);
    const vf n = vf_scale2(p, k), m = n * (n + 2.0f);
    x = vf_max(vf_splat(-150), x);
    const vf top = vf_blend(left, p * (n + 2.0f), m);
    return vf_scale2(x * (top / (m + 2.0f)), vf_keep(left, k));
}
/* w + x σ(x) (1 − w²) */
HD_INLINE vf v_mish_slope(vf x) {
    x = v_held(x, -104, 104);
    const vf n = v_exp(vf_min(vf_splat(20), x)), m = n * (n + 2.0f), below = 1.0f / (m + 2.0f), w = m * below;
    return w + x * v_sigmoid(x) * (2.0f * below) * (1.0f + w);
}

/* c: alpha, scale, input_scale */
HD_INLINE vf v_elu(vf x, const float *c) {
    return c[1] * vf_blend(vk_more(x, vf_splat(0)), x, c[0] * v_expm1(x / c[2]));
}
HD_INLINE vf v_elu_grad(vf x, vf dy, const float *c) {
    const vf left = c[0] * c[2] * v_exp(x * c[2]);
    return dy * (c[1] * vf_blend(vk_more(x, vf_splat(0)), vf_splat(1), left));
}

/* |x| ≤ 1: x P(x²); beyond: 1 − e^−Q(|x|), Q = −ln erfc, of which erf sees less than a fifth of the error. 1 from 4 on.
 */
HD_INLINE vf v_erf(vf x) {
    const vf t = vf_min(vf_splat(4), vf_abs(x)), z = t * t;
    vf p = 7.853854185668752e-05f * z - 8.01019137725234e-4f;
    p = p * z + 5.18832728266716e-3f;
    p = p * z - 2.6853810995817184e-2f;
    p = p * z + 1.128358542919159e-1f;
    p = p * z - 3.761262595653534e-1f;
    p = p * z + 1.1283791065216064f;
    vf q = -1.863800862338394e-4f * t + 2.9476669151335955e-3f;
    q = q * t - 2.1838096901774406e-2f;
    q = q * t + 1.0310681909322739e-1f;
    q = q * t + 6.381447315216064e-1f;
    q = q * t + 1.127089262008667f;
    q = q * t + 3.4151258296333253e-4f;
    const vf far = 1.0f - v_exp(-q);
    return vf_sign_of(x, vf_blend(vk_more(t, vf_splat(1)), far, p * t));
}

/* Φ(x) near 0 for x² = z < ½ */
HD_INLINE vf v_normal_near(vf x, vf z) {
    vf r = 1.0425383516121656e-4f * z - 1.1825116816908121e-3f;
    r = r * z + 9.972700849175453e-3f;
    r = r * z - 6.649032980203629e-2f;
    r = r * z + 3.989422917366028e-1f;
    return r * x + 0.5f;
}
/* t Φ(−t) = e^(−t²/2) P(u), u = (t − 3.125) / (t + 3.125), for 0.7 ≤ t ≤ 14.3: P, which stays finite beyond. */
HD_INLINE vf v_normal_tail(vf t) {
    const vf u = (t - 3.125f) / (t + 3.125f);
    vf p = -0.0004948329878970981f * u - 0.0005340879433788359f;
    p = p * u + 0.003941417206078768f;
    p = p * u + 0.0013162457616999745f;
    p = p * u - 0.03457317501306534f;
    p = p * u + 0.0944197028875351f;
    p = p * u - 0.13615094125270844f;
    p = p * u + 0.10424523800611496f;
    p = p * u + 0.366726815700531f;
    return p;
}
/* e^(−t²/2), 0 ≤ t ≤ 14.3: t² as an exact square of 12 bits and the rest */
HD_INLINE vf v_bell(vf t) {
    const vf top = (vf)((vi)t & ~0xfff), rest = (t - top) * (t + top) * -0.5f, s = top * top * -0.5f;
    const vf n = vf_round(s * HD_LOG2E);
    vf r = s - n * HD_LN2_HI;
    r = r - n * HD_LN2_LO;
    r = r + rest;
    return vf_scale2(v_exp_tail(r) * (r * r) + r + 1.0f, n);
}
/* x Φ(x): by the tail, near 0 by a series */
HD_INLINE vf v_gelu(vf x) {
    const vf t = vf_min(vf_splat(14.25f), vf_abs(x)), z = t * t; /* y is 0 in f32 from −13.2 on */
    const vf tail = v_normal_tail(t) * v_bell(t);
    const vf far = vf_blend(vk_more(x, vf_splat(0)), x, vf_splat(0)) - tail;
    return vf_blend(vk_more(vf_splat(0.5f), z), x * v_normal_near(x, z), far);
}
/* Φ + x φ */
HD_INLINE vf v_gelu_slope(vf x) {
    x = v_held(x, -14.25f, 14.25f);
    const vf t = vf_abs(x), z = t * t, bell = v_bell(t);
    const vf tail = v_normal_tail(t) * bell / t;
    const vf far = vf_blend(vk_more(x, vf_splat(0)), 1.0f - tail, tail);
    return vf_blend(vk_more(vf_splat(0.5f), z), v_normal_near(x, z), far) + x * (0.398942280f * bell);
}
/* x σ(v), v = √(8/π) (x + 0.044715 x³); rounding v costs digits far left, where y is below 10⁻⁶ */
HD_INLINE vf v_gelu_tanh(vf x) {
    const vf held = v_held(x, -14, 14), v = held * (held * held * 0.0713548163f + 1.59576912f);
    return vf_max(vf_splat(-14), x) * v_sigmoid(v);
}
HD_INLINE vf v_gelu_tanh_slope(vf x) {
    x = v_held(x, -14, 14);
    const vf z = x * x, v = x * (z * 0.0713548163f + 1.59576912f);
    const vk left = vk_more(vf_splat(0), x);
    const vf t = v_exp(-vf_abs(v)), most = 1.0f / (1.0f + t), rest = t * most;
    return vf_blend(left, rest, most) + x * most * rest * (z * 0.214064449f + 1.59576912f);
}
#endif
