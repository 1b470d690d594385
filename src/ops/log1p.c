/* log1p.c: y = ln(1 + x). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(log1p, log1p(x), hd_div(dy, hd_affine(x, .shift = 1)), .formula = "y = ln(1 + x)",
            .source = "as torch.log1p", .doc = "The logarithm of 1 + x, exact for small x: −inf at −1, NaN below.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[3]={0 1 1e-05}", "{0 0.69314718056 9.9999500003e-06}"}))
