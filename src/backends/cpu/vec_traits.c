/* vec_traits.c: what kernels must know of each vector primitive: its cost, whether it keeps zero, and how the options
 * of its op become constants. */
#include "backends/cpu/vec_elem.h"
#include <float.h>
#include <math.h>

/* as ops/elu.c has them */
#define SELU_ALPHA 1.6732632423543772848
#define SELU_SCALE 1.0507009873554804934

bool hd_vec_op_heavy(int op) {
    switch (op) {
    case HD_VEC_exp:
    case HD_VEC_log:
    case HD_VEC_sigmoid:
    case HD_VEC_tanh:
    case HD_VEC_div:
    case HD_VEC_sqrt:
    case HD_VEC_reciprocal:
    case HD_VEC_rsqrt:
    case HD_VEC_softsign:
    case HD_VEC_expm1:
    case HD_VEC_exp2:
    case HD_VEC_log1p:
    case HD_VEC_log2:
    case HD_VEC_log10:
    case HD_VEC_erf:
    case HD_VEC_gelu:
    case HD_VEC_silu:
    case HD_VEC_softplus:
    case HD_VEC_logsigmoid:
    case HD_VEC_mish:
    case HD_VEC_elu:
    case HD_VEC_celu:
    case HD_VEC_selu:
    case HD_VEC_gelu_grad:
    case HD_VEC_silu_grad:
    case HD_VEC_softplus_grad:
    case HD_VEC_mish_grad:
    case HD_VEC_elu_grad:
    case HD_VEC_sin:
    case HD_VEC_cos:
    case HD_VEC_tan:
    case HD_VEC_asin:
    case HD_VEC_acos:
    case HD_VEC_atan:
    case HD_VEC_sinh:
    case HD_VEC_cosh:
    case HD_VEC_asinh:
    case HD_VEC_acosh:
    case HD_VEC_atanh:
    case HD_VEC_erfc:
    case HD_VEC_tanhshrink:
    case HD_VEC_logit:
    case HD_VEC_softshrink:
    case HD_VEC_fmod:
    case HD_VEC_remainder:
    case HD_VEC_floor_divide:
    case HD_VEC_pow:
    case HD_VEC_atan2:
    case HD_VEC_hypot:
    case HD_VEC_logaddexp:
    case HD_VEC_xlogy: return true;
    default: return false;
    }
}

bool hd_vec_op_keeps_zero(int op, const float *c) {
    switch (op) {
    case HD_VEC_exp:
    case HD_VEC_log:
    case HD_VEC_sigmoid:
    case HD_VEC_div:
    case HD_VEC_reciprocal:
    case HD_VEC_rsqrt:
    case HD_VEC_hardsigmoid:
    case HD_VEC_larger:
    case HD_VEC_exp2:
    case HD_VEC_log2:
    case HD_VEC_log10:
    case HD_VEC_softplus:
    case HD_VEC_logsigmoid:
    case HD_VEC_cos:
    case HD_VEC_acos:
    case HD_VEC_cosh:
    case HD_VEC_acosh:
    case HD_VEC_erfc:
    case HD_VEC_logit:
    case HD_VEC_fmod:
    case HD_VEC_remainder:
    case HD_VEC_floor_divide:
    case HD_VEC_pow:
    case HD_VEC_logaddexp: return false;
    case HD_VEC_threshold: return c[0] < 0 || c[1] == 0;
    case HD_VEC_affine: return c[1] == 0;
    case HD_VEC_fill_like: return c[0] == 0;
    case HD_VEC_hardtanh:
    case HD_VEC_clamp: return c[0] <= 0 && c[1] >= 0;
    default: return true;
    }
}

const char *hd_vec_op_refuses(int op, const void *attr) {
    const int64_t decimals = op == HD_VEC_round ? ((const hd_round_args *)attr)->decimals : 0;
    if (decimals < -30 || decimals > 30) return "only to 30 decimals";
    if (op == HD_VEC_logit && ((const hd_logit_args *)attr)->eps >= 0) return "only without eps";
    return NULL;
}

/* The floats from low to high, edges taken in or not, as two floats that are in. Subnormal numbers compare as zero:
 * what lies beside 0 is FLT_MIN. */
static void closed_band(const hd_band_grad_args *a, float *c) {
    c[0] = (float)a->low;
    c[1] = (float)a->high;
    if ((double)c[0] < a->low || (!a->closed && (double)c[0] == a->low)) c[0] = nextafterf(c[0], INFINITY);
    if ((double)c[1] > a->high || (!a->closed && (double)c[1] == a->high)) c[1] = nextafterf(c[1], -INFINITY);
    if (fabsf(c[0]) < FLT_MIN) c[0] = c[0] > 0 ? FLT_MIN : 0;
    if (fabsf(c[1]) < FLT_MIN) c[1] = c[1] < 0 ? -FLT_MIN : 0;
    c[2] = (float)a->inside;
    c[3] = (float)a->outside;
}

/* c[2] divides x in the forward ops, and multiplies it in elu_grad. */
static void elu_constants(float *c, double alpha, double scale, double input_scale) {
    c[0] = (float)alpha;
    c[1] = (float)scale;
    c[2] = (float)input_scale;
}

static void softplus_constants(float *c, double beta, double threshold) {
    c[0] = (float)beta;
    c[1] = (float)threshold;
}

/* A double in the place of two floats. */
static void wide_constant(float *c, double value) {
    memcpy(c, &value, sizeof value);
}

/* The largest float that is not above value: floats compare with it as with value. */
static float float_below(double value) {
    const float f = (float)value;
    return (double)f > value ? nextafterf(f, -INFINITY) : f;
}

/* c[3]: not to whole numbers; c[2]: by division. */
static void round_constants(float *c, int64_t decimals) {
    wide_constant(c, pow(10, (double)(decimals < 0 ? -decimals : decimals)));
    c[2] = decimals < 0;
    c[3] = decimals != 0;
}

static void nan_to_num_constants(float *c, const hd_nan_to_num_args *a) {
    c[0] = (float)a->nan;
    c[1] = isinf(a->posinf) ? FLT_MAX : (float)a->posinf;
    c[2] = isinf(a->neginf) ? -FLT_MAX : (float)a->neginf;
}

#define AS(op_) ((const hd_##op_##_args *)attr)
void hd_vec_constants(int op, const void *attr, float *c) {
    memset(c, 0, HD_VEC_CONSTANTS * sizeof *c);
    if (!attr && op != HD_VEC_selu) return; /* an op without options; selu has constants of its own */
    switch (op) {
    case HD_VEC_affine: c[0] = (float)AS(affine)->scale, c[1] = (float)AS(affine)->shift; break;
    case HD_VEC_fill_like: c[0] = (float)AS(fill_like)->value; break;
    case HD_VEC_leaky_relu: c[0] = (float)AS(leaky_relu)->negative_slope; break;
    case HD_VEC_hardtanh: c[0] = (float)AS(hardtanh)->min_val, c[1] = (float)AS(hardtanh)->max_val; break;
    case HD_VEC_clamp: c[0] = (float)AS(clamp)->min, c[1] = (float)AS(clamp)->max; break;
    case HD_VEC_band_grad: closed_band(AS(band_grad), c); break;
    case HD_VEC_gelu: c[0] = (float)AS(gelu)->approximate; break;
    case HD_VEC_gelu_grad: c[0] = (float)AS(gelu_grad)->approximate; break;
    case HD_VEC_softplus: softplus_constants(c, AS(softplus)->beta, AS(softplus)->threshold); break;
    case HD_VEC_softplus_grad: softplus_constants(c, AS(softplus_grad)->beta, AS(softplus_grad)->threshold); break;
    case HD_VEC_elu: elu_constants(c, AS(elu)->alpha, 1, 1); break;
    case HD_VEC_celu: elu_constants(c, AS(celu)->alpha, 1, AS(celu)->alpha); break;
    case HD_VEC_selu: elu_constants(c, SELU_ALPHA, SELU_SCALE, 1); break;
    case HD_VEC_elu_grad: elu_constants(c, AS(elu_grad)->alpha, AS(elu_grad)->scale, AS(elu_grad)->input_scale); break;
    case HD_VEC_round: round_constants(c, AS(round)->decimals); break;
    case HD_VEC_hardshrink: c[0] = float_below(AS(hardshrink)->lambd); break;
    case HD_VEC_softshrink: wide_constant(c, AS(softshrink)->lambd); break;
    case HD_VEC_threshold: c[0] = float_below(AS(threshold)->threshold), c[1] = (float)AS(threshold)->value; break;
    case HD_VEC_nan_to_num: nan_to_num_constants(c, AS(nan_to_num)); break;
    default: break;
    }
}
