/* exp.c: y = eˣ. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(exp, exp(x), hd_mul(dy, y), .formula = "y = eˣ", .source = "as torch.exp", .onnx = "Exp",
            .doc = "The exponential of every element. It is its own derivative: dx = dy·y.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{1 2.7182818285 0.1353352832}"},
                                        {"f32[2]={-1000 1000}", "{0 inf}"}))
