/* vec_math_body.h: elementwise primitives beyond vec_elem_body.h's, in its macros: roundings, activations of straight
 * pieces and the like. c: as hd_vec_constants lays them out. Included once for each instruction set. */

UNARY(square, x *x)
UNARY(reciprocal, 1.0f / x)
UNARY(rsqrt, 1.0f / vf_sqrt(x))
UNARY(floor, vf_floor(x))
UNARY(ceil, vf_ceil(x))
UNARY(trunc, vf_trunc(x))
UNARY(round, vf_nearest(x))

/* nan stays in all of them: it stands second in vf_min and vf_max, and compares false */
HD_INLINE vf v_between(vf x, float low, float high) {
    return vf_min(vf_splat(high), vf_max(vf_splat(low), x));
}
HD_INLINE vf v_hardswish(vf x) {
    const vf y = x * (x + 3.0f) / 6.0f;
    return vf_blend(vk_more(x, vf_splat(3)), x, vf_blend(vk_more(vf_splat(-3), x), vf_splat(0), y));
}
/* b · slope at a. (a + 1.5) / 3 is a / 3 + ½ without the cancellation around −1.5. */
HD_INLINE vf v_hardswish_grad(vf a, vf b) {
    const vf inner = vf_blend(vk_more(vf_splat(-3), a), vf_splat(0), (a + 1.5f) / 3.0f);
    const vk right = vk_or(vk_more(a, vf_splat(3)), vk_nan(a));
    return b * vf_blend(right, vf_splat(1), inner);
}
HD_INLINE vf v_softsign(vf x) {
    const vf size = vf_min(vf_splat(0x1p100f), vf_abs(x)); /* from 2²⁵ on it is 1: no ∞ / ∞ */
    const vf y = (vf)((vi)(size / (1.0f + size)) | ((vi)x & INT32_MIN));
    return vf_blend(vk_nan(x), x, y);
}
/* Edges belong to the band; slopes of 0 give 0 whatever b is. */
HD_INLINE vf v_band_grad(vf a, vf b, const float *c) {
    const vk off = vk_or(vk_or(vk_more(vf_splat(c[0]), a), vk_more(a, vf_splat(c[1]))), vk_nan(a));
    const vf slope = vf_blend(off, vf_splat(c[3]), vf_splat(c[2]));
    return vf_blend(vk_equal(slope, vf_splat(0)), vf_splat(0), b * slope);
}

UNARY(relu6, v_between(x, 0, 6))
UNARY(leaky_relu, vf_blend(vk_more(x, vf_splat(0)), x, x *c[0]))
UNARY(hardtanh, v_between(x, c[0], c[1]))
UNARY(clamp, v_between(x, c[0], c[1]))
UNARY(hardswish, v_hardswish(x))
UNARY(hardsigmoid, v_between(x + 3.0f, 0, 6) / 6.0f)
UNARY(softsign, v_softsign(x))

BINARY(maximum, vf_blend(vk_nan(a), a, vf_max(a, b)))
BINARY(minimum, vf_blend(vk_nan(a), a, vf_min(a, b)))
BINARY(larger, vf_blend(vk_more(b, a), vf_splat(0), vf_blend(vk_equal(a, b), vf_splat(0.5f), vf_splat(1))))
/* a is x, b is dy */
BINARY(band_grad, v_band_grad(a, b, c))
BINARY(hardswish_grad, v_hardswish_grad(a, b))

UNARY(expm1, v_expm1(x))
UNARY(exp2, v_exp2(x))
UNARY(log1p, v_log1p(x))
UNARY(log2, v_log2(x))
UNARY(log10, v_log10(x))
UNARY(erf, v_erf(x))
UNARY(silu, v_silu(x))
UNARY(softplus, v_softplus(x, c))
UNARY(logsigmoid, v_logsigmoid(x))
UNARY(mish, v_mish(x))
UNARY(elu, v_elu(x, c))
UNARY(celu, v_elu(x, c))
UNARY(selu, v_elu(x, c))
BINARY(silu_grad, b *v_silu_slope(a))
BINARY(softplus_grad, v_softplus_grad(a, b, c))
BINARY(mish_grad, b *v_mish_slope(a))
BINARY(elu_grad, v_elu_grad(a, b, c))

/* Two forms: c[0] is HD_GELU_EXACT or HD_GELU_TANH. */
UNARY(gelu_exact, v_gelu(x))
UNARY(gelu_by_tanh, v_gelu_tanh(x))
BINARY(gelu_exact_grad, b *v_gelu_slope(a))
BINARY(gelu_by_tanh_grad, b *v_gelu_tanh_slope(a))
#define TWO_FORMS(name, exact, other)                                                                                  \
    static void elem_##name(float *y, const float *a, const float *b, int64_t n, const float *c) {                     \
        (c[0] == HD_GELU_EXACT ? elem_##exact : elem_##other)(y, a, b, n, c);                                          \
    }
TWO_FORMS(gelu, gelu_exact, gelu_by_tanh)
TWO_FORMS(gelu_grad_vv, gelu_exact_grad_vv, gelu_by_tanh_grad_vv)
TWO_FORMS(gelu_grad_vs, gelu_exact_grad_vs, gelu_by_tanh_grad_vs)
TWO_FORMS(gelu_grad_sv, gelu_exact_grad_sv, gelu_by_tanh_grad_sv)
#undef TWO_FORMS

#undef UNARY
#undef BINARY
#undef BINARY_MODE
