/* atanh.c: y = artanh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(atanh, atanh(x), hd_div(dy, hd_affine(hd_square(x), .scale = -1, .shift = 1)),
            .formula = "y = ½ ln((1 + x) / (1 − x))", .source = "as torch.atanh", .onnx = "Atanh",
            .doc = "The number whose hyperbolic tangent is x; infinite at ±1, NaN beyond.",
            .samples = HD_UNARY_SAMPLES(":unit", {"f32[3]={0 1 -0.5}", "{0 inf -0.54930614433}"}))
