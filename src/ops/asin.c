/* asin.c: y = arcsin x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(asin, asin(x), hd_mul(dy, hd_rsqrt(hd_affine(hd_square(x), .scale = -1, .shift = 1))),
            .formula = "y = arcsin x", .source = "as torch.asin", .onnx = "Asin",
            .doc = "The angle whose sine is x, between −π/2 and π/2; NaN outside −1 … 1.",
            .samples = HD_UNARY_SAMPLES(":unit", {"f32[3]={0 1 -0.5}", "{0 1.5707963268 -0.5235987756}"}))
