/* sign.c: y = −1, 0 or 1. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_STEPS_OP(sign, isnan(x) ? x : (x > 0) - (x < 0), negative ? UINT64_MAX : x != 0,
            .formula = "y = −1, 0 or 1 as x is < 0, = 0 or > 0", .source = "as torch.sign",
            .doc = "The sign of every element; NaN stays NaN.", .onnx = "Sign",
            .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-1 0 2 -0.5}", "{-1 0 1 -1}"},
                                        {"i32[3]={-3 0 9}", "{-1 0 1}"}, {"u8[2]={200 0}", "{1 0}"}))
