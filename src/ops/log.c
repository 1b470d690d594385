/* log.c: y = ln x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(log, log(x), hd_div(dy, x), .formula = "y = ln x", .source = "as torch.log", .onnx = "Log",
            .doc = "The natural logarithm of every element: −inf at 0, NaN below. dx = dy/x.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[4]={1 2.718281828 0.5 0}", "{0 1 -0.6931471806 -inf}"}))
