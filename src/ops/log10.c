/* log10.c: y = log₁₀ x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(log10, log10(x), hd_div(dy, hd_affine(x, .scale = 2.302585092994046)), .formula = "y = log₁₀ x",
            .source = "as torch.log10", .doc = "The decimal logarithm: −inf at 0, NaN below.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[3]={1 1000 0.3}", "{0 3 -0.52287874528}"}))
