/* asinh.c: y = arsinh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(asinh, asinh(x), hd_mul(dy, hd_rsqrt(hd_affine(hd_square(x), .shift = 1))),
            .formula = "y = ln(x + √(x² + 1))", .source = "as torch.asinh", .onnx = "Asinh",
            .doc = "The number whose hyperbolic sine is x.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{0 0.88137358702 -1.4436354752}"}))
