/* vec_traits.c: what kernels must know of each vector primitive: its cost, whether it keeps zero, and how the options
 * of its op become constants. */
#include "backends/cpu/vec_elem.h"
#include <float.h>
#include <math.h>

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
    case HD_VEC_softsign: return true;
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
    case HD_VEC_larger: return false;
    case HD_VEC_affine: return c[1] == 0;
    case HD_VEC_fill_like: return c[0] == 0;
    case HD_VEC_hardtanh:
    case HD_VEC_clamp: return c[0] <= 0 && c[1] >= 0;
    default: return true;
    }
}

const char *hd_vec_op_refuses(int op, const void *attr) {
    if (op == HD_VEC_round && ((const hd_round_args *)attr)->decimals != 0) return "only to whole numbers";
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
}

void hd_vec_constants(int op, const void *attr, float *c) {
    memset(c, 0, HD_VEC_CONSTANTS * sizeof *c);
    if (op == HD_VEC_affine) {
        const hd_affine_args *a = attr;
        c[0] = (float)a->scale;
        c[1] = (float)a->shift;
    } else if (op == HD_VEC_fill_like) {
        c[0] = (float)((const hd_fill_like_args *)attr)->value;
    } else if (op == HD_VEC_leaky_relu) {
        c[0] = (float)((const hd_leaky_relu_args *)attr)->negative_slope;
    } else if (op == HD_VEC_hardtanh) {
        const hd_hardtanh_args *a = attr;
        c[0] = (float)a->min_val;
        c[1] = (float)a->max_val;
    } else if (op == HD_VEC_clamp) {
        const hd_clamp_args *a = attr;
        c[0] = (float)a->min;
        c[1] = (float)a->max;
    } else if (op == HD_VEC_band_grad) {
        const hd_band_grad_args *a = attr;
        closed_band(a, c);
        c[2] = (float)a->inside;
        c[3] = (float)a->outside;
    }
}
