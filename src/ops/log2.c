/* log2.c: y = log₂ x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(log2, log2(x), hd_div(dy, hd_affine(x, .scale = 0.6931471805599453)), .formula = "y = log₂ x",
            .source = "as torch.log2", .doc = "The logarithm to the base 2: −inf at 0, NaN below.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[3]={1 8 0.3}", "{0 3 -1.7369655942}"}))
