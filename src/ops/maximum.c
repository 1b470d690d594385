/* maximum.c: the larger of two, element by element. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_BINARY_NUMBER_OP(maximum, a > b || isnan(a) ? a : b, a > b ? a : b, hd_mul(dy, hd_larger(a, b)),
                    hd_mul(dy, hd_larger(b, a)), .formula = "y = max(a, b)",
                    .source = "as torch.maximum; NumPy's broadcasting", .onnx = "Max",
                    .doc = "The larger of a and b; NaN where one of them is. At ties each gets half of the gradient.",
                    .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 -2 nan}, f32[3]={-1 5 1}", "{1 5 nan}"},
                                                 {"i64[2]={1 5}, i64[]={3}", "{3 5}"}))
