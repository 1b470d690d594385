/* tan.c: y = tan x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(tan, tan(x), hd_mul(dy, hd_affine(hd_square(y), .shift = 1)), .formula = "y = tan x",
            .source = "as torch.tan", .onnx = "Tan", .doc = "The tangent of every element, an angle in radians.",
            .samples = HD_UNARY_SAMPLES(":unit", {"f32[3]={0 1 -2}", "{0 1.5574077247 2.1850398633}"}))
