/* heaviside.c: y = 0, b or 1 as a is below, at or above 0. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_BINARY_STEPS_OP(heaviside, a == 0 ? b : a > 0, a == 0 ? b : a > 0, .formula = "y = a < 0 ? 0 : a > 0 ? 1 : b",
                   .source = "as torch.heaviside", .doc = "The step function of a; b is its value at the step.",
                   .samples = HD_BINARY_SAMPLES(":away", ":away", {"f32[3]={-2 0 3}, f32[1]={0.5}", "{0 0.5 1}"},
                                                {"i64[2]={-2 0}, i64[2]={7 8}", "{0 8}"}))
