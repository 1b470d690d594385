/* frac.c: what stands behind the point. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_KINKED_UNARY_OP(frac, isinf(x) ? NAN : x - trunc(x), dy, .formula = "y = x − sign(x) ⌊|x|⌋",
                   .source = "as torch.frac", .doc = "The part of x behind the point, with its sign.",
                   .samples = HD_UNARY_SAMPLES("", {"f32[3]={1.5 -2.25 3}", "{0.5 -0.25 0}"}))
