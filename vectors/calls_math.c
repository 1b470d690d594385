/* calls_math.c: elementwise arithmetic, functions, comparisons. Activations are calls_activation.c's. */
#include "calls.h"
#include <math.h>

#define UNARY(name)                                                                                                    \
    static void call_##name(vector_case *c) {                                                                          \
        vector_give(c, hd_##name(vector_tensor(c, 0, "input")));                                                       \
    }
UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(sign)
UNARY(sigmoid)
UNARY(rsqrt)
UNARY(reciprocal)
UNARY(square)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(asin)
UNARY(acos)
UNARY(atan)
UNARY(sinh)
UNARY(cosh)
UNARY(tanh)
UNARY(asinh)
UNARY(acosh)
UNARY(atanh)
UNARY(erf)
UNARY(erfc)
UNARY(erfinv)
UNARY(log1p)
UNARY(expm1)
UNARY(log2)
UNARY(log10)
UNARY(exp2)
UNARY(floor)
UNARY(ceil)
UNARY(trunc)
UNARY(frac)
UNARY(sinc)
UNARY(lgamma)
UNARY(digamma)
UNARY(logical_not)
UNARY(isnan)
UNARY(isinf)
UNARY(isfinite)

/* Both operands in the dtype that PyTorch computes in. */
static void operands(vector_case *c, hd_val *a, hd_val *b) {
    *a = vector_tensor(c, 0, "input");
    *b = vector_operand(c, 1, "other", *a);
    vector_promote(c, a, b);
}
#define BINARY(name)                                                                                                   \
    static void call_##name(vector_case *c) {                                                                          \
        hd_val a, b;                                                                                                   \
        operands(c, &a, &b);                                                                                           \
        vector_give(c, hd_##name(a, b));                                                                               \
    }
BINARY(mul)
BINARY(pow)
BINARY(maximum)
BINARY(minimum)
BINARY(fmax)
BINARY(fmin)
BINARY(fmod)
BINARY(remainder)
BINARY(atan2)
BINARY(hypot)
BINARY(logaddexp)
BINARY(xlogy)
BINARY(xlog1py)
BINARY(copysign)
BINARY(heaviside)
BINARY(eq)
BINARY(ne)
BINARY(lt)
BINARY(le)
BINARY(gt)
BINARY(ge)
BINARY(logical_and)
BINARY(logical_or)
BINARY(logical_xor)

/* The operands the other way round. */
static void call_rpow(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, hd_pow(b, a));
}
static void call_rmod(vector_case *c) {
    hd_val a, b;
    operands(c, &a, &b);
    vector_give(c, hd_remainder(b, a));
}
static void call_ldexp(vector_case *c) {
    hd_val a = vector_tensor(c, 0, "input"), b = vector_cast(vector_tensor(c, 1, "other"), c->dtype);
    vector_promote(c, &a, &b);
    vector_give(c, hd_mul(a, hd_exp2(b)));
}

/* Bounds may be tensors. What lies at a bound is x itself, and so is its gradient. */
static hd_val held(vector_case *c, hd_val x, int i, const char *name, bool above) {
    if (!vector_has(c, i, name)) return x;
    hd_val bound = vector_operand(c, i, name, x);
    vector_promote(c, &x, &bound);
    return hd_where(above ? hd_gt(x, bound) : hd_lt(x, bound), bound, x);
}
static void call_clamp(vector_case *c) {
    hd_clamp_args a = {.x = vector_tensor(c, 0, "input")};
    const hd_json *min = vector_arg(c, 1, "min"), *max = vector_arg(c, 2, "max");
    if ((!min || vector_is_number(min, &a.min)) && (!max || vector_is_number(max, &a.max))) {
        if (min && a.min == 0) a.min = HD_ZERO;
        if (max && a.max == 0) a.max = HD_ZERO;
        vector_give(c, hd_clamp_at(HD_HERE, &a));
        return;
    }
    const hd_val low = held(c, a.x, 1, "min", false);
    vector_give(c, held(c, low, 2, "max", true));
}
static void call_clamp_min(vector_case *c) {
    vector_give(c, held(c, vector_tensor(c, 0, "input"), 1, "min", false));
}
static void call_clamp_max(vector_case *c) {
    vector_give(c, held(c, vector_tensor(c, 0, "input"), 1, "max", true));
}

/* torch.where(cond, a, b), in the database as a.where(cond, b). */
static void call_where(vector_case *c) {
    const hd_val cond = vector_tensor(c, 1, "condition");
    hd_val a = vector_tensor(c, 0, "self"), b = vector_operand(c, 2, "other", a);
    if (hd_val_dtype(cond) != HD_BOOL) vector_unsupported(c, "a condition that is not bool");
    vector_promote(c, &a, &b);
    vector_give(c, hd_where(cond, a, b));
}
static void call_signbit(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_lt(hd_copysign(hd_fill_like(x, .value = 1), x), vector_scalar(c, hd_val_dtype(x), 0)));
}

static void call_round(vector_case *c) {
    vector_give(c, hd_round(vector_tensor(c, 0, "input"), .decimals = vector_int(c, -1, "decimals", 0)));
}
static void call_logit(vector_case *c) {
    const double eps = vector_option(c, 1, "eps", -1);
    if (eps > 0.5) vector_unsupported(c, "a rim of more than half");
    vector_give(c, hd_logit(vector_tensor(c, 0, "input"), .eps = eps));
}
static void call_nan_to_num(vector_case *c) {
    vector_give(c, hd_nan_to_num(vector_tensor(c, 0, "input"), .nan = vector_number(c, 1, "nan", 0),
                                 .posinf = vector_option(c, 2, "posinf", INFINITY),
                                 .neginf = vector_option(c, 3, "neginf", -INFINITY)));
}
static void call_polygamma(vector_case *c) {
    vector_give(c, hd_polygamma(vector_tensor(c, 0, "input"), .n = vector_int(c, 1, "n", 0)));
}
/* Σ ln Γ(x − j/2) for j < p, and p (p − 1)/4 ln π. */
static void call_mvlgamma(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int64_t p = vector_int(c, 1, "p", 1);
    hd_val sum = hd_lgamma(x);
    for (int64_t j = 1; j < p; j++) sum = hd_add(sum, hd_lgamma(hd_affine(x, .shift = -0.5 * (double)j)));
    vector_give(c, hd_affine(sum, .shift = (double)(p * (p - 1)) / 4 * 1.1447298858494001741));
}
static void call_entr(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_val negative = hd_lt(x, vector_scalar(c, hd_val_dtype(x), 0));
    const hd_val none = vector_scalar(c, hd_val_dtype(x), -INFINITY);
    vector_give(c, hd_where(negative, none, hd_neg(hd_xlogy(x, x))));
}
static void call_ndtr(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_affine(hd_erfc(hd_affine(x, .scale = -0.70710678118654752440)), .scale = 0.5));
}
static void call_ndtri(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_affine(hd_erfinv(hd_affine(x, .scale = 2, .shift = -1)), .scale = 1.41421356237309504880));
}

const vector_entry vector_calls_math[] = {
    {"neg", call_neg},
    {"exp", call_exp},
    {"log", call_log},
    {"sqrt", call_sqrt},
    {"abs", call_abs},
    {"sign", call_sign},
    {"sigmoid", call_sigmoid},
    {"rsqrt", call_rsqrt},
    {"reciprocal", call_reciprocal},
    {"square", call_square},
    {"sin", call_sin},
    {"cos", call_cos},
    {"tan", call_tan},
    {"asin", call_asin},
    {"acos", call_acos},
    {"atan", call_atan},
    {"sinh", call_sinh},
    {"cosh", call_cosh},
    {"tanh", call_tanh},
    {"asinh", call_asinh},
    {"acosh", call_acosh},
    {"atanh", call_atanh},
    {"erf", call_erf},
    {"erfc", call_erfc},
    {"erfinv", call_erfinv},
    {"log1p", call_log1p},
    {"expm1", call_expm1},
    {"log2", call_log2},
    {"log10", call_log10},
    {"exp2", call_exp2},
    {"floor", call_floor},
    {"ceil", call_ceil},
    {"trunc", call_trunc},
    {"frac", call_frac},
    {"sinc", call_sinc},
    {"lgamma", call_lgamma},
    {"digamma", call_digamma},
    {"logical_not", call_logical_not},
    {"isnan", call_isnan},
    {"isinf", call_isinf},
    {"isfinite", call_isfinite},
    {"mul", call_mul},
    {"pow", call_pow},
    {"maximum", call_maximum},
    {"minimum", call_minimum},
    {"fmax", call_fmax},
    {"fmin", call_fmin},
    {"fmod", call_fmod},
    {"remainder", call_remainder},
    {"atan2", call_atan2},
    {"hypot", call_hypot},
    {"logaddexp", call_logaddexp},
    {"xlogy", call_xlogy},
    {"copysign", call_copysign},
    {"heaviside", call_heaviside},
    {"eq", call_eq},
    {"ne", call_ne},
    {"lt", call_lt},
    {"le", call_le},
    {"gt", call_gt},
    {"ge", call_ge},
    {"logical_and", call_logical_and},
    {"logical_or", call_logical_or},
    {"logical_xor", call_logical_xor},
    {"special.xlog1py", call_xlog1py},
    {"max.binary", call_maximum},
    {"min.binary", call_minimum},
    {"sgn", call_sign},
    {"__rpow__", call_rpow},
    {"__rmod__", call_rmod},
    {"ldexp", call_ldexp},
    {"clamp", call_clamp},
    {"clamp_min", call_clamp_min},
    {"clamp_max", call_clamp_max},
    {"where", call_where},
    {"signbit", call_signbit},
    {"round", call_round},
    {"round.decimals_0", call_round},
    {"round.decimals_3", call_round},
    {"round.decimals_neg_3", call_round},
    {"logit", call_logit},
    {"nan_to_num", call_nan_to_num},
    {"polygamma.polygamma_n_0", call_polygamma},
    {"polygamma.polygamma_n_1", call_polygamma},
    {"polygamma.polygamma_n_2", call_polygamma},
    {"polygamma.polygamma_n_3", call_polygamma},
    {"polygamma.polygamma_n_4", call_polygamma},
    {"special.polygamma.special_polygamma_n_0", call_polygamma},
    {"mvlgamma.mvlgamma_p_1", call_mvlgamma},
    {"mvlgamma.mvlgamma_p_3", call_mvlgamma},
    {"mvlgamma.mvlgamma_p_5", call_mvlgamma},
    {"special.entr", call_entr},
    {"special.ndtr", call_ndtr},
    {"special.ndtri", call_ndtri},
    {0},
};
