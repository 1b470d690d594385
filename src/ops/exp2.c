/* exp2.c: y = 2ˣ. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(exp2, exp2(x), hd_mul(dy, hd_affine(y, .scale = 0.6931471805599453)), .formula = "y = 2ˣ",
            .source = "as torch.exp2", .doc = "Two to the power of every element.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 3 -1.5}", "{1 8 0.35355339059}"}))
