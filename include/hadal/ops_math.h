/* hadal/ops_math.h: the elementwise operations: arithmetic, functions, comparisons, activations. See hadal/ops.h for
 * how they are called. */
#ifndef HADAL_OPS_MATH_H
#define HADAL_OPS_MATH_H
#include "hadal/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = f(x), elementwise, any shape. */
typedef struct hd_unary_args {
    hd_val x;
    int end_;
} hd_unary_args;
/** y = f(a, b), elementwise with NumPy's broadcasting. */
typedef struct hd_binary_args {
    hd_val a, b;
    int end_;
} hd_binary_args;
#define HD_UNARY_(name, ...)  hd_##name##_at(HD_HERE, &(hd_unary_args){__VA_ARGS__, .end_ = 0})
#define HD_BINARY_(name, ...) hd_##name##_at(HD_HERE, &(hd_binary_args){__VA_ARGS__, .end_ = 0})
#define HD_CALL_(name, ...)   hd_##name##_at(HD_HERE, &(hd_##name##_args){__VA_ARGS__, .end_ = 0})

HD_API hd_val hd_add_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_sub_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_mul_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_div_at(hd_loc at, const hd_binary_args *args);
#define hd_add(...) HD_BINARY_(add, __VA_ARGS__)
#define hd_sub(...) HD_BINARY_(sub, __VA_ARGS__)
#define hd_mul(...) HD_BINARY_(mul, __VA_ARGS__)
#define hd_div(...) HD_BINARY_(div, __VA_ARGS__)

HD_API hd_val hd_neg_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_exp_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sqrt_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_abs_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sign_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sigmoid_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_tanh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_relu_at(hd_loc at, const hd_unary_args *args);
#define hd_neg(...)     HD_UNARY_(neg, __VA_ARGS__)
#define hd_exp(...)     HD_UNARY_(exp, __VA_ARGS__)
#define hd_log(...)     HD_UNARY_(log, __VA_ARGS__)
#define hd_sqrt(...)    HD_UNARY_(sqrt, __VA_ARGS__)
#define hd_abs(...)     HD_UNARY_(abs, __VA_ARGS__)
#define hd_sign(...)    HD_UNARY_(sign, __VA_ARGS__)
#define hd_sigmoid(...) HD_UNARY_(sigmoid, __VA_ARGS__)
#define hd_tanh(...)    HD_UNARY_(tanh, __VA_ARGS__)
#define hd_relu(...)    HD_UNARY_(relu, __VA_ARGS__)
/** dx of an activation from its output y and dy: the ops that back-propagation uses. */
typedef struct hd_act_grad_args {
    hd_val y, dy;
    int end_;
} hd_act_grad_args;
HD_API hd_val hd_sigmoid_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_tanh_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_relu_grad_at(hd_loc at, const hd_act_grad_args *args);
#define hd_sigmoid_grad(...) hd_sigmoid_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_tanh_grad(...)    hd_tanh_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_relu_grad(...)    hd_relu_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})

/** y = scale·x + shift. */
typedef struct hd_affine_args {
    hd_val x;
    double scale, shift; /**< defaults 1 and 0 */
    int end_;
} hd_affine_args;
HD_API hd_val hd_affine_at(hd_loc at, const hd_affine_args *args);
#define hd_affine(...) HD_CALL_(affine, __VA_ARGS__)

/* Functions of one number. */
HD_API hd_val hd_rsqrt_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_reciprocal_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sin_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_cos_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_tan_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_asin_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_acos_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_atan_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sinh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_cosh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_asinh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_acosh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_atanh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_erf_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_erfc_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log1p_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_expm1_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log2_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log10_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_exp2_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_isnan_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_isinf_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_isfinite_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_floor_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_ceil_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_trunc_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_square_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_logical_not_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_silu_at(hd_loc at, const hd_unary_args *args);
#define hd_rsqrt(...)       HD_UNARY_(rsqrt, __VA_ARGS__)
#define hd_reciprocal(...)  HD_UNARY_(reciprocal, __VA_ARGS__)
#define hd_sin(...)         HD_UNARY_(sin, __VA_ARGS__)
#define hd_cos(...)         HD_UNARY_(cos, __VA_ARGS__)
#define hd_tan(...)         HD_UNARY_(tan, __VA_ARGS__)
#define hd_asin(...)        HD_UNARY_(asin, __VA_ARGS__)
#define hd_acos(...)        HD_UNARY_(acos, __VA_ARGS__)
#define hd_atan(...)        HD_UNARY_(atan, __VA_ARGS__)
#define hd_sinh(...)        HD_UNARY_(sinh, __VA_ARGS__)
#define hd_cosh(...)        HD_UNARY_(cosh, __VA_ARGS__)
#define hd_asinh(...)       HD_UNARY_(asinh, __VA_ARGS__)
#define hd_acosh(...)       HD_UNARY_(acosh, __VA_ARGS__)
#define hd_atanh(...)       HD_UNARY_(atanh, __VA_ARGS__)
#define hd_erf(...)         HD_UNARY_(erf, __VA_ARGS__)
#define hd_erfc(...)        HD_UNARY_(erfc, __VA_ARGS__)
#define hd_log1p(...)       HD_UNARY_(log1p, __VA_ARGS__)
#define hd_expm1(...)       HD_UNARY_(expm1, __VA_ARGS__)
#define hd_log2(...)        HD_UNARY_(log2, __VA_ARGS__)
#define hd_log10(...)       HD_UNARY_(log10, __VA_ARGS__)
#define hd_exp2(...)        HD_UNARY_(exp2, __VA_ARGS__)
#define hd_isnan(...)       HD_UNARY_(isnan, __VA_ARGS__)
#define hd_isinf(...)       HD_UNARY_(isinf, __VA_ARGS__)
#define hd_isfinite(...)    HD_UNARY_(isfinite, __VA_ARGS__)
#define hd_floor(...)       HD_UNARY_(floor, __VA_ARGS__)
#define hd_ceil(...)        HD_UNARY_(ceil, __VA_ARGS__)
#define hd_trunc(...)       HD_UNARY_(trunc, __VA_ARGS__)
#define hd_square(...)      HD_UNARY_(square, __VA_ARGS__)
#define hd_logical_not(...) HD_UNARY_(logical_not, __VA_ARGS__)
#define hd_silu(...)        HD_UNARY_(silu, __VA_ARGS__)

/* Functions of two numbers, comparisons (to bool), logic (everything but 0 is true; to bool). */
HD_API hd_val hd_eq_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_ne_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_lt_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_le_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_gt_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_ge_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_logical_and_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_logical_or_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_logical_xor_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_maximum_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_minimum_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_larger_at(hd_loc at, const hd_binary_args *args);
#define hd_eq(...)          HD_BINARY_(eq, __VA_ARGS__)
#define hd_ne(...)          HD_BINARY_(ne, __VA_ARGS__)
#define hd_lt(...)          HD_BINARY_(lt, __VA_ARGS__)
#define hd_le(...)          HD_BINARY_(le, __VA_ARGS__)
#define hd_gt(...)          HD_BINARY_(gt, __VA_ARGS__)
#define hd_ge(...)          HD_BINARY_(ge, __VA_ARGS__)
#define hd_logical_and(...) HD_BINARY_(logical_and, __VA_ARGS__)
#define hd_logical_or(...)  HD_BINARY_(logical_or, __VA_ARGS__)
#define hd_logical_xor(...) HD_BINARY_(logical_xor, __VA_ARGS__)
#define hd_maximum(...)     HD_BINARY_(maximum, __VA_ARGS__)
#define hd_minimum(...)     HD_BINARY_(minimum, __VA_ARGS__)
#define hd_larger(...)      HD_BINARY_(larger, __VA_ARGS__)

/** y = aᵇ; without b, a to the number `exponent`. */
typedef struct hd_pow_args {
    hd_val a, b;
    double exponent; /**< default 2 */
    int end_;
} hd_pow_args;
HD_API hd_val hd_pow_at(hd_loc at, const hd_pow_args *args);
#define hd_pow(...) HD_CALL_(pow, __VA_ARGS__)

/** y = cond ? a : b with broadcasting of all three; cond is bool. */
typedef struct hd_where_args {
    hd_val cond, a, b;
    int end_;
} hd_where_args;
HD_API hd_val hd_where_at(hd_loc at, const hd_where_args *args);
#define hd_where(...) HD_CALL_(where, __VA_ARGS__)

/** dx of an activation from its input x and dy. */
typedef struct hd_backward_args {
    hd_val x, dy;
    int end_;
} hd_backward_args;
HD_API hd_val hd_silu_grad_at(hd_loc at, const hd_backward_args *args);
#define hd_silu_grad(...)       HD_BACKWARD_(silu_grad, __VA_ARGS__)
#define HD_BACKWARD_(name, ...) hd_##name##_at(HD_HERE, &(hd_backward_args){__VA_ARGS__, .end_ = 0})

/** dx = dy · inside where low < x < high (≤ when closed), dy · outside elsewhere: the backward op of activations made
 * of straight pieces. Defaults −∞, ∞, 1, 0. */
typedef struct hd_band_grad_args {
    hd_val x, dy;
    double low, high, inside, outside;
    bool closed;
    int end_;
} hd_band_grad_args;
HD_API hd_val hd_band_grad_at(hd_loc at, const hd_band_grad_args *args);
#define hd_band_grad(...) HD_CALL_(band_grad, __VA_ARGS__)

/** y = x > 0 ? x : negative_slope·x. */
typedef struct hd_leaky_relu_args {
    hd_val x;
    double negative_slope; /**< default 0.01 */
    int end_;
} hd_leaky_relu_args;
HD_API hd_val hd_leaky_relu_at(hd_loc at, const hd_leaky_relu_args *args);
#define hd_leaky_relu(...) HD_CALL_(leaky_relu, __VA_ARGS__)

/** y = x Φ(x). */
typedef enum hd_gelu_form { HD_GELU_EXACT, HD_GELU_TANH } hd_gelu_form;
typedef struct hd_gelu_args {
    hd_val x;
    int64_t approximate; /**< HD_GELU_… */
    int end_;
} hd_gelu_args;
typedef struct hd_gelu_grad_args {
    hd_val x, dy;
    int64_t approximate;
    int end_;
} hd_gelu_grad_args;
HD_API hd_val hd_gelu_at(hd_loc at, const hd_gelu_args *args);
HD_API hd_val hd_gelu_grad_at(hd_loc at, const hd_gelu_grad_args *args);
#define hd_gelu(...)      HD_CALL_(gelu, __VA_ARGS__)
#define hd_gelu_grad(...) HD_CALL_(gelu_grad, __VA_ARGS__)

/** y = ln(1 + e^(beta·x)) / beta, x itself where beta·x > threshold. */
typedef struct hd_softplus_args {
    hd_val x;
    double beta, threshold; /**< defaults 1 and 20 */
    int end_;
} hd_softplus_args;
typedef struct hd_softplus_grad_args {
    hd_val x, dy;
    double beta, threshold;
    int end_;
} hd_softplus_grad_args;
HD_API hd_val hd_softplus_at(hd_loc at, const hd_softplus_args *args);
HD_API hd_val hd_softplus_grad_at(hd_loc at, const hd_softplus_grad_args *args);
#define hd_softplus(...)      HD_CALL_(softplus, __VA_ARGS__)
#define hd_softplus_grad(...) HD_CALL_(softplus_grad, __VA_ARGS__)

HD_API hd_val hd_frac_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sinc_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_erfinv_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_lgamma_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_digamma_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_selu_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_softsign_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_relu6_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_hardsigmoid_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_hardswish_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_mish_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_logsigmoid_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_tanhshrink_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_step_at(hd_loc at, const hd_unary_args *args);
#define hd_frac(...)        HD_UNARY_(frac, __VA_ARGS__)
#define hd_sinc(...)        HD_UNARY_(sinc, __VA_ARGS__)
#define hd_erfinv(...)      HD_UNARY_(erfinv, __VA_ARGS__)
#define hd_lgamma(...)      HD_UNARY_(lgamma, __VA_ARGS__)
#define hd_digamma(...)     HD_UNARY_(digamma, __VA_ARGS__)
#define hd_selu(...)        HD_UNARY_(selu, __VA_ARGS__)
#define hd_softsign(...)    HD_UNARY_(softsign, __VA_ARGS__)
#define hd_relu6(...)       HD_UNARY_(relu6, __VA_ARGS__)
#define hd_hardsigmoid(...) HD_UNARY_(hardsigmoid, __VA_ARGS__)
#define hd_hardswish(...)   HD_UNARY_(hardswish, __VA_ARGS__)
#define hd_mish(...)        HD_UNARY_(mish, __VA_ARGS__)
#define hd_logsigmoid(...)  HD_UNARY_(logsigmoid, __VA_ARGS__)
#define hd_tanhshrink(...)  HD_UNARY_(tanhshrink, __VA_ARGS__)
#define hd_step(...)        HD_UNARY_(step, __VA_ARGS__)

HD_API hd_val hd_fmax_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_fmin_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_fmod_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_remainder_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_floor_divide_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_heaviside_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_atan2_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_hypot_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_logaddexp_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_xlogy_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_xlog1py_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_copysign_at(hd_loc at, const hd_binary_args *args);
#define hd_fmax(...)         HD_BINARY_(fmax, __VA_ARGS__)
#define hd_fmin(...)         HD_BINARY_(fmin, __VA_ARGS__)
#define hd_fmod(...)         HD_BINARY_(fmod, __VA_ARGS__)
#define hd_remainder(...)    HD_BINARY_(remainder, __VA_ARGS__)
#define hd_floor_divide(...) HD_BINARY_(floor_divide, __VA_ARGS__)
#define hd_heaviside(...)    HD_BINARY_(heaviside, __VA_ARGS__)
#define hd_atan2(...)        HD_BINARY_(atan2, __VA_ARGS__)
#define hd_hypot(...)        HD_BINARY_(hypot, __VA_ARGS__)
#define hd_logaddexp(...)    HD_BINARY_(logaddexp, __VA_ARGS__)
#define hd_xlogy(...)        HD_BINARY_(xlogy, __VA_ARGS__)
#define hd_xlog1py(...)      HD_BINARY_(xlog1py, __VA_ARGS__)
#define hd_copysign(...)     HD_BINARY_(copysign, __VA_ARGS__)

HD_API hd_val hd_hardswish_grad_at(hd_loc at, const hd_backward_args *args);
HD_API hd_val hd_mish_grad_at(hd_loc at, const hd_backward_args *args);
#define hd_hardswish_grad(...) HD_BACKWARD_(hardswish_grad, __VA_ARGS__)
#define hd_mish_grad(...)      HD_BACKWARD_(mish_grad, __VA_ARGS__)

/** The nearest number with so many decimals; ties to even. */
typedef struct hd_round_args {
    hd_val x;
    int64_t decimals;
    int end_;
} hd_round_args;
HD_API hd_val hd_round_at(hd_loc at, const hd_round_args *args);
#define hd_round(...) HD_CALL_(round, __VA_ARGS__)

/** y = min(max(x, min), max); one may be left out. */
typedef struct hd_clamp_args {
    hd_val x;
    double min, max; /**< defaults −∞ and ∞ */
    int end_;
} hd_clamp_args;
HD_API hd_val hd_clamp_at(hd_loc at, const hd_clamp_args *args);
#define hd_clamp(...) HD_CALL_(clamp, __VA_ARGS__)

/** y = ln(x / (1 − x)), x held between eps and 1 − eps. */
typedef struct hd_logit_args {
    hd_val x;
    double eps; /**< default −1: not held */
    int end_;
} hd_logit_args;
HD_API hd_val hd_logit_at(hd_loc at, const hd_logit_args *args);
#define hd_logit(...) HD_CALL_(logit, __VA_ARGS__)

/** Numbers in the place of NaN and the infinities. */
typedef struct hd_nan_to_num_args {
    hd_val x;
    double nan, posinf, neginf; /**< defaults 0 and the largest and lowest numbers of the dtype */
    int end_;
} hd_nan_to_num_args;
HD_API hd_val hd_nan_to_num_at(hd_loc at, const hd_nan_to_num_args *args);
#define hd_nan_to_num(...) HD_CALL_(nan_to_num, __VA_ARGS__)

/** The n-th derivative of digamma. */
typedef struct hd_polygamma_args {
    hd_val x;
    int64_t n;
    int end_;
} hd_polygamma_args;
HD_API hd_val hd_polygamma_at(hd_loc at, const hd_polygamma_args *args);
#define hd_polygamma(...) HD_CALL_(polygamma, __VA_ARGS__)

/** y = a + weight (b − a); weight is a tensor or a number. */
typedef struct hd_lerp_args {
    hd_val a, b, w;
    double at; /**< default 0.5: where w is not given */
    int end_;
} hd_lerp_args;
HD_API hd_val hd_lerp_at(hd_loc at, const hd_lerp_args *args);
#define hd_lerp(...) HD_CALL_(lerp, __VA_ARGS__)

/** y = x > 0 ? x : alpha (eˣ − 1). */
typedef struct hd_elu_args {
    hd_val x;
    double alpha; /**< default 1 */
    int end_;
} hd_elu_args;
HD_API hd_val hd_elu_at(hd_loc at, const hd_elu_args *args);
#define hd_elu(...) HD_CALL_(elu, __VA_ARGS__)

/** y = x > 0 ? x : alpha (e^(x/alpha) − 1). */
typedef struct hd_celu_args {
    hd_val x;
    double alpha; /**< default 1 */
    int end_;
} hd_celu_args;
HD_API hd_val hd_celu_at(hd_loc at, const hd_celu_args *args);
#define hd_celu(...) HD_CALL_(celu, __VA_ARGS__)

/** dx of elu, celu and selu: scale·dy·(x > 0 ? 1 : alpha·input_scale·e^(input_scale·x)); defaults 1. */
typedef struct hd_elu_grad_args {
    hd_val x, dy;
    double alpha, scale, input_scale;
    int end_;
} hd_elu_grad_args;
HD_API hd_val hd_elu_grad_at(hd_loc at, const hd_elu_grad_args *args);
#define hd_elu_grad(...) HD_CALL_(elu_grad, __VA_ARGS__)

/** y = min(max(x, min_val), max_val). */
typedef struct hd_hardtanh_args {
    hd_val x;
    double min_val, max_val; /**< defaults −1 and 1 */
    int end_;
} hd_hardtanh_args;
HD_API hd_val hd_hardtanh_at(hd_loc at, const hd_hardtanh_args *args);
#define hd_hardtanh(...) HD_CALL_(hardtanh, __VA_ARGS__)

/** y = x > threshold ? x : value. */
typedef struct hd_threshold_args {
    hd_val x;
    double threshold, value;
    int end_;
} hd_threshold_args;
HD_API hd_val hd_threshold_at(hd_loc at, const hd_threshold_args *args);
#define hd_threshold(...) HD_CALL_(threshold, __VA_ARGS__)

/** y = |x| > lambd ? x : 0. */
typedef struct hd_hardshrink_args {
    hd_val x;
    double lambd; /**< default 0.5 */
    int end_;
} hd_hardshrink_args;
HD_API hd_val hd_hardshrink_at(hd_loc at, const hd_hardshrink_args *args);
#define hd_hardshrink(...) HD_CALL_(hardshrink, __VA_ARGS__)

/** y = sign(x) max(|x| − lambd, 0). */
typedef struct hd_softshrink_args {
    hd_val x;
    double lambd; /**< default 0.5 */
    int end_;
} hd_softshrink_args;
HD_API hd_val hd_softshrink_at(hd_loc at, const hd_softshrink_args *args);
#define hd_softshrink(...) HD_CALL_(softshrink, __VA_ARGS__)

/** y = x > 0 ? x : weight·x; weight has one number, or one for each channel (axis 1). */
typedef struct hd_prelu_args {
    hd_val x, weight;
    int end_;
} hd_prelu_args;
HD_API hd_val hd_prelu_at(hd_loc at, const hd_prelu_args *args);
#define hd_prelu(...) HD_CALL_(prelu, __VA_ARGS__)

/** y = a σ(b), x = [a, b] along an axis. */
typedef struct hd_glu_args {
    hd_val x;
    int64_t axis; /**< HD_AXIS; default −1 */
    int end_;
} hd_glu_args;
HD_API hd_val hd_glu_at(hd_loc at, const hd_glu_args *args);
#define hd_glu(...) HD_CALL_(glu, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
