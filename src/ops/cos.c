/* cos.c: y = cos x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(cos, cos(x), hd_neg(hd_mul(dy, hd_sin(x))), .formula = "y = cos x", .source = "as torch.cos", .onnx = "Cos",
            .doc = "The cosine of every element, an angle in radians.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{1 0.54030230587 -0.41614683655}"}))
