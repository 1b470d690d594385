/* square.c: y = x². Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_NUMBER_OP(square, 0, x *x, x *x, hd_affine(hd_mul(dy, x), .scale = 2), .formula = "y = x²",
                   .source = "as torch.square", .doc = "Every element times itself. Integers wrap around.",
                   .samples = HD_UNARY_SAMPLES("", {"f32[3]={1 -2 0.5}", "{1 4 0.25}"}, {"i64[2]={-3 9}", "{9 81}"}))
