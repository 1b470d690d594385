/* hardswish.c: y = x·hardsigmoid(x) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static double slope(double x) {
    return x < -3 ? 0 : x <= 3 ? x / 3 + 0.5 : 1;
}

HD_KINKED_UNARY_OP(hardswish,
                   x <= -3  ? 0
                   : x >= 3 ? x
                            : x * (x + 3) / 6,
                   hd_hardswish_grad(x, dy), .formula = "y = x min(max(x + 3, 0), 6) / 6",
                   .source = "Howard et al.: Searching for MobileNetV3, arXiv:1905.02244", .onnx = "HardSwish",
                   .doc = "A silu without an exponential.",
                   .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-4 0 1.5 4}", "{0 0 1.125 4}"}))
HD_BACKWARD_OP(hardswish_grad, hd_backward_args, HD_OP_KINK, dy *slope(x),
               hd_band_grad(x, hd_mul(d, dy), .low = -3, .high = 3, .inside = 1.0 / 3), hd_hardswish_grad(x, d),
               .formula = "dx = x < −3 ? 0 : x ≤ 3 ? dy (x/3 + ½) : dy", .source = "derivative of hardswish",
               .doc = "Back-propagation through hardswish, from its input.",
               .samples = HD_BACKWARD_SAMPLES(":away", "", {"f32[3]={-4 0 4}, f32[3]={2 2 2}", "{0 1 2}"}))
