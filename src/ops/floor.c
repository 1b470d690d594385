/* floor.c: y = ⌊x⌋. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_STEPS_OP(floor, floor(x), x, .formula = "y = ⌊x⌋", .source = "as torch.floor", .onnx = "Floor",
            .doc = "The largest whole number that is not above x. Integers stay.",
            .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={1.5 -1.5 2 -0.25}", "{1 -2 2 -1}"},
                                        {"i64[3]={-3 0 9}", "{-3 0 9}"}))
