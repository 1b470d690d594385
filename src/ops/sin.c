/* sin.c: y = sin x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(sin, sin(x), hd_mul(dy, hd_cos(x)), .formula = "y = sin x", .source = "as torch.sin", .onnx = "Sin",
            .doc = "The sine of every element, an angle in radians.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{0 0.84147098481 -0.90929742683}"}))
