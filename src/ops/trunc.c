/* trunc.c: x without its fraction. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_STEPS_OP(trunc, trunc(x), x, .formula = "y = sign(x) ⌊|x|⌋", .source = "as torch.trunc", .onnx = NULL,
            .doc = "Every element without its fraction: rounded towards 0. Integers stay.",
            .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={1.5 -1.5 2 -0.25}", "{1 -1 2 0}"},
                                        {"i64[3]={-3 0 9}", "{-3 0 9}"}))
