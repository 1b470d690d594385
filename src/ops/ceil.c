/* ceil.c: y = ⌈x⌉. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_STEPS_OP(ceil, ceil(x), x, .formula = "y = ⌈x⌉", .source = "as torch.ceil", .onnx = "Ceil",
            .doc = "The smallest whole number that is not below x. Integers stay.",
            .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={1.5 -1.5 2 -0.25}", "{2 -1 2 0}"},
                                        {"i64[3]={-3 0 9}", "{-3 0 9}"}))
