/* acosh.c: y = arcosh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(acosh, acosh(x), hd_mul(dy, hd_rsqrt(hd_affine(hd_square(x), .shift = -1))),
            .formula = "y = ln(x + √(x² − 1))", .source = "as torch.acosh", .onnx = "Acosh",
            .doc = "The number y ≥ 0 whose hyperbolic cosine is x; NaN for x < 1.",
            .samples = (const hd_sample[]){{"f32[3]={1 2 10}", "{0 1.316957897 2.9932228461}"},
                                           {"f32[2,2]={1.5 2 7 1.1}", NULL},
                                           {"f32[]={3}", NULL},
                                           {"f32[0,3]", NULL},
                                           {0}})
