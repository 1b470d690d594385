/* reciprocal.c: y = 1/x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(reciprocal, 1 / x, hd_neg(hd_mul(dy, hd_mul(y, y))), .formula = "y = 1 / x",
            .source = "as torch.reciprocal", .onnx = "Reciprocal",
            .doc = "One over every element; by IEEE 754, so that 1/0 is infinite.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[3]={1 -4 0.25}", "{1 -0.25 4}"}))
