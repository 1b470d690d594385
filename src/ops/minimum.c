/* minimum.c: the smaller of two, element by element. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_BINARY_NUMBER_OP(minimum, a < b || isnan(a) ? a : b, a < b ? a : b, hd_mul(dy, hd_larger(b, a)),
                    hd_mul(dy, hd_larger(a, b)), .formula = "y = min(a, b)",
                    .source = "as torch.minimum; NumPy's broadcasting", .onnx = "Min",
                    .doc = "The smaller of a and b; NaN where one of them is. At ties each gets half of the gradient.",
                    .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 -2 nan}, f32[3]={-1 5 1}", "{-1 -2 nan}"},
                                                 {"i64[2]={1 5}, i64[]={3}", "{1 3}"}))
