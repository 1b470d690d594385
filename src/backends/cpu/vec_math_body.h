/* vec_math_body.h: elementwise primitives beyond vec_elem_body.h's, in its macros: roundings, activations of straight
 * pieces and the like. c: as hd_vec_constants lays them out. Included once for each instruction set. */

UNARY(square, x *x)
UNARY(reciprocal, 1.0f / x)
UNARY(rsqrt, 1.0f / vf_sqrt(x))
UNARY(floor, vf_floor(x))
UNARY(ceil, vf_ceil(x))
UNARY(trunc, vf_trunc(x))

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

/* Functions that are computed in double. */
UNARY(sin, v_sin(x))
UNARY(cos, v_cos(x))
UNARY(tan, v_tan(x))
UNARY(asin, v_asin(x))
UNARY(acos, v_acos(x))
UNARY(atan, v_atan(x))
UNARY(sinh, v_sinh(x))
UNARY(cosh, v_cosh(x))
UNARY(asinh, v_asinh(x))
UNARY(acosh, v_acosh(x))
UNARY(atanh, v_atanh(x))
UNARY(erfc, v_erfc(x))
UNARY(tanhshrink, v_tanhshrink(x))
UNARY(logit, v_logit(x))
BINARY(fmod, v_fmod(a, b))
BINARY(remainder, v_rest(a, b))
BINARY(floor_divide, v_floor_divide(a, b))
BINARY(pow, v_pow(a, b))
BINARY(atan2, v_atan2(a, b))
BINARY(hypot, v_hypot(a, b))
BINARY(logaddexp, v_logaddexp(a, b))
BINARY(xlogy, v_xlogy(a, b))

/* Numbers of the options that are wanted in double stand in two floats. */
HD_INLINE double v_constant(const float *c) {
    double value;
    memcpy(&value, c, sizeof value);
    return value;
}
HD_INLINE vd d_softshrink(vd x, double lambd) {
    return vd_select(x > lambd, x - lambd, vd_select(x < -lambd, x + lambd, x * 0.0));
}
HD_INLINE vf v_softshrink(vf x, double lambd) {
    return vf_of_wide(d_softshrink(vd_low(x), lambd), d_softshrink(vd_high(x), lambd));
}
HD_INLINE vf v_nan_to_num(vf x, const float *c) {
    const vf y = vf_select(x == INFINITY, vf_splat(c[1]), vf_select(x == -INFINITY, vf_splat(c[2]), x));
    return vf_blend(vk_nan(x), vf_splat(c[0]), y);
}
UNARY(hardshrink, vf_select(vf_abs(x) <= c[0], vf_splat(0), x))
UNARY(softshrink, v_softshrink(x, v_constant(c)))
UNARY(threshold, vf_select(x <= c[0], vf_splat(c[1]), x))
UNARY(nan_to_num, v_nan_to_num(x, c))
BINARY(fmax, vf_blend(vk_nan(a), b, vf_blend(vk_nan(b), a, vf_max(a, b))))
BINARY(fmin, vf_blend(vk_nan(a), b, vf_blend(vk_nan(b), a, vf_min(a, b))))
BINARY(copysign, (vf)(((vi)a & INT32_MAX) | ((vi)b & INT32_MIN)))

/* To whole numbers, or, c[0] not 0, by way of x · c, or x / c where c[2] says so. Beyond 2⁵¹ all digits are in front.
 */
HD_INLINE vd d_round_at(vd x, double power, bool divide) {
    const vd big = divide ? x / power : x * power, y = vd_round(big);
    return vd_select(vd_abs(big) < 0x1p51, divide ? y * power : y / power, x);
}
HD_INLINE vf v_round_at(vf x, const float *c) {
    const double power = v_constant(c);
    const bool divide = c[2] != 0;
    const vf y = vf_of_wide(d_round_at(vd_low(x), power, divide), d_round_at(vd_high(x), power, divide));
    return (vf)((vi)y | ((vi)x & INT32_MIN));
}
UNARY(round_whole, vf_nearest(x))
UNARY(round_decimals, v_round_at(x, c))
static void elem_round(float *y, const float *a, const float *b, int64_t n, const float *c) {
    (c[3] == 0 ? elem_round_whole : elem_round_decimals)(y, a, b, n, c);
}

/* xⁿ for one exponent: the usual ones without logarithms */
UNARY(power_cube, vf_of_wide(vd_low(x) * vd_low(x) * vd_low(x), vd_high(x) * vd_high(x) * vd_high(x)))
static void elem_power_any(float *y, const float *a, const float *b, int64_t n, const float *c) {
    (void)b;
    const double exponent = v_constant(c);
    for (int64_t i = 0; i < n; i += HD_VL) {
        const vm m = vm_first(n - i);
        const vf x = i + HD_VL <= n ? vf_load(a + i) : vf_load_m(a + i, m);
        const vi out = HD_NOT_FINITE(x) | (x == 0.0f);
        const vd e = vd_splat(exponent);
        vf v = vf_of_wide(d_pow(vd_low(x), e), d_pow(vd_high(x), e));
        for (int k = 0; k < HD_VL && __builtin_expect(vi_any(out), 0); k++)
            if (out[k]) v[k] = (float)pow((double)x[k], exponent);
        vf_store_if(y + i, v, i + HD_VL <= n, m);
    }
}
/* pow gives 0 and ∞ without a sign */
UNARY(power_root, vf_select(x == -INFINITY, vf_splat(INFINITY), vf_sqrt(x + 0.0f)))
static void elem_power(float *y, const float *a, const float *b, int64_t n, const float *c) {
    const double exponent = v_constant(c);
    (exponent == 2     ? elem_square
     : exponent == 3   ? elem_power_cube
     : exponent == -1  ? elem_reciprocal
     : exponent == 0.5 ? elem_power_root
                       : elem_power_any)(y, a, b, n, c);
}

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
