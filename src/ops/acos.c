/* acos.c: y = arccos x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(acos, acos(x), hd_neg(hd_mul(dy, hd_rsqrt(hd_affine(hd_square(x), .scale = -1, .shift = 1)))),
            .formula = "y = arccos x", .source = "as torch.acos", .onnx = "Acos",
            .doc = "The angle whose cosine is x, between 0 and π; NaN outside −1 … 1.",
            .samples = HD_UNARY_SAMPLES(":unit", {"f32[3]={0 1 -0.5}", "{1.5707963268 0 2.0943951024}"}))
