/* mish.c: y = x tanh(ln(1 + eˣ)) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* tanh ln(1 + eˣ) = (n² + 2n) / (n² + 2n + 2) with n = eˣ: no overflow up to 40, where it is 1. */
static double weight(double x) {
    const double n = exp(x < 40 ? x : 40);
    return n * (n + 2) / (n * (n + 2) + 2);
}

/* w + x σ(x) (1 − w²) with w as above; its limits are 0 and 1. */
static double slope(double x) {
    const double w = weight(x);
    if (fabs(x) > 1e4) return x > 0;
    return w + x / (1 + exp(-x)) * (1 - w * w);
}

/* σ (1 − w²) (2 + x (1 − σ − 2wσ)). */
static hd_val bend(hd_val x) {
    const hd_val s = hd_sigmoid(x), w = hd_tanh(hd_softplus(x));
    const hd_val inner = hd_sub(hd_affine(s, .scale = -1, .shift = 1), hd_affine(hd_mul(w, s), .scale = 2));
    return hd_mul(hd_tanh_grad(w, s), hd_affine(hd_mul(x, inner), .shift = 2));
}

HD_UNARY_OP(mish, x < -1e4 ? -0.0 : x * weight(x), hd_mish_grad(x, dy), .formula = "y = x tanh(ln(1 + eˣ))",
            .source = "Misra: Mish, a self regularized non-monotonic activation function, arXiv:1908.08681",
            .onnx = "Mish", .doc = "A smooth relu with a dip left of 0, close to silu.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 1 -2 -1000}", "{0 0.8650983883 -0.2525014883 0}"}))
HD_BACKWARD_OP(mish_grad, hd_backward_args, 0, dy *slope(x), hd_mul(hd_mul(d, dy), bend(x)), hd_mish_grad(x, d),
               .formula = "dx = dy (w + x σ(x) (1 − w²)), w = tanh(ln(1 + eˣ))", .source = "derivative of mish",
               .doc = "Back-propagation through mish, from its input.",
               .samples = HD_BACKWARD_SAMPLES("", "", {"f32[2]={0 1}, f32[2]={5 1}", "{3 1.0490363195}"}))
