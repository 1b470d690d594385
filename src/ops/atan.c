/* atan.c: y = arctan x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(atan, atan(x), hd_div(dy, hd_affine(hd_square(x), .shift = 1)), .formula = "y = arctan x",
            .source = "as torch.atan", .onnx = "Atan", .doc = "The angle whose tangent is x, between −π/2 and π/2.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -3}", "{0 0.7853981634 -1.2490457724}"}))
