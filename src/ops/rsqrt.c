/* rsqrt.c: y = 1/√x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(rsqrt, 1 / sqrt(x), hd_affine(hd_mul(dy, hd_mul(y, hd_mul(y, y))), .scale = -0.5), .formula = "y = 1 / √x",
            .source = "as torch.rsqrt", .doc = "One over the square root of every element: infinite at 0, NaN below.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[3]={1 4 0.25}", "{1 0.5 2}"}))
