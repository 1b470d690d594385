/* silu.c: y = x σ(x) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* σ(x) (1 + x (1 − σ(x))); its limits are 0 and 1. */
static double silu_slope(double x) {
    const double s = 1 / (1 + exp(-x));
    if (fabs(x) > 1e4) return x > 0;
    return s * (1 + x * (1 - s));
}

/* s' (2 + x (1 − 2s)) with s = σ(x), s' = s (1 − s). */
static hd_val silu_bend(hd_val x) {
    const hd_val s = hd_sigmoid(x), ds = hd_mul(s, hd_affine(s, .scale = -1, .shift = 1));
    return hd_mul(ds, hd_affine(hd_mul(x, hd_affine(s, .scale = -2, .shift = 1)), .shift = 2));
}

HD_UNARY_OP(silu, x < -1e4 ? -0.0 : x / (1 + exp(-x)), hd_silu_grad(x, dy), .formula = "y = x / (1 + e⁻ˣ)",
            .source = "Elfwing, Uchibe, Doya: Sigmoid-weighted linear units, arXiv:1702.03118; swish: arXiv:1710.05941",
            .doc = "Weighs every element by its own sigmoid: a smooth relu with a dip left of 0. Also called swish.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 1 -2 -1000}", "{0 0.7310585786 -0.2384058440 0}"}))
HD_BACKWARD_OP(silu_grad, hd_backward_args, 0, dy *silu_slope(x), hd_mul(hd_mul(d, dy), silu_bend(x)),
               hd_silu_grad(x, d), .formula = "dx = dy σ(x) (1 + x (1 − σ(x)))", .source = "derivative of silu",
               .doc = "Back-propagation through silu, from its input.",
               .samples = HD_BACKWARD_SAMPLES("", "", {"f32[2]={0 1}, f32[2]={4 1}", "{2 0.9276705119}"}))
