/* sinc.c: y = sin(πx) / (πx). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#define PI 3.14159265358979323846

/* sin πx by the distance to the nearest whole number: exact zeros, no loss for large x. */
static double sinc(double x) {
    if (x == 0) return 1;
    if (isinf(x)) return 0;
    const double whole = nearbyint(x), s = sin(PI * (x - whole));
    return (fmod(whole, 2) != 0 ? -s : s) / (PI * x);
}

/* (cos πx − y) / x, 0 at 0. */
static hd_val slope(hd_val x, hd_val y) {
    const hd_val zero = hd_number(x, 0);
    const hd_val rise = hd_div(hd_sub(hd_cos(hd_affine(x, .scale = PI)), y), x);
    return hd_where(hd_eq(x, zero), zero, rise);
}

HD_UNARY_OP(sinc, sinc(x), hd_mul(dy, slope(x, y)), .formula = "y = sin(πx) / (πx), 1 at 0", .source = "as torch.sinc",
            .doc = "The normalised cardinal sine: 1 at 0, 0 at every other whole number.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 0.5 3 -1.5}", "{1 0.6366197724 0 -0.2122065908}"}))
