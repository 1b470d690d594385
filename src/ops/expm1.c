/* expm1.c: y = eˣ − 1. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(expm1, expm1(x), hd_mul(dy, hd_affine(y, .shift = 1)), .formula = "y = eˣ − 1", .source = "as torch.expm1",
            .doc = "The exponential less 1, exact for small x.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -1e-05}", "{0 1.7182818285 -9.9999500002e-06}"}))
