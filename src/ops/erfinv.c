/* erfinv.c: the inverse of the error function. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#define PI        3.14159265358979323846
#define ROOT_PI_2 0.88622692545275801365 /* √π / 2 */

/* A start within 1 % (Winitzki: A handy approximation for the error function and its inverse, 2008), and three steps of
 * Halley's, each of which triples the digits. */
static double start(double x) {
    const double a = 0.147, l = log1p(-x * x), t = 2 / (PI * a) + l / 2;
    return x < 0.1 ? ROOT_PI_2 * x : sqrt(sqrt(t * t - l / a) - t);
}

static double erfinv(double x) {
    const double p = fabs(x);
    if (!(p < 1)) return p == 1 ? copysign(INFINITY, x) : NAN;
    double y = start(p);
    for (int i = 0; i < 3; i++) {
        const double off = p < 0.5 ? erf(y) - p : (1 - p) - erfc(y);
        y -= off / (exp(-y * y) / ROOT_PI_2 + y * off);
    }
    return copysign(y, x);
}

HD_UNARY_OP(erfinv, erfinv(x), hd_mul(dy, hd_affine(hd_exp(hd_square(y)), .scale = ROOT_PI_2)), .formula = "erf y = x",
            .source = "as torch.erfinv", .doc = "The number whose error function is x: infinite at ±1, NaN beyond.",
            .samples = HD_UNARY_SAMPLES(":unit", {"f32[4]={0 0.5 -0.75 1}", "{0 0.4769362762 -0.8134198476 inf}"}))
