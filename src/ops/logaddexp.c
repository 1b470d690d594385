/* logaddexp.c: y = ln(eᵃ + eᵇ). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* max + ln(1 + e^−|a − b|): no overflow; equal infinities stay. */
static double both(double a, double b) {
    if (a == b && isinf(a)) return a;
    return (a > b ? a : b) + log1p(exp(-fabs(a - b)));
}

HD_BINARY_OP(
    logaddexp, both(a, b), hd_mul(dy, hd_sigmoid(hd_sub(a, b))), hd_mul(dy, hd_sigmoid(hd_sub(b, a))),
    .formula = "y = ln(eᵃ + eᵇ)", .source = "as torch.logaddexp",
    .doc = "The logarithm of a sum of two numbers that are given by their logarithms.",
    .samples = HD_BINARY_SAMPLES("", "", {"f32[4]={0 1000 -inf inf}, f32[4]={0 0 2 inf}", "{0.6931471806 1000 2 inf}"}))
