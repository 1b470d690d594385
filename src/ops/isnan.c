/* isnan.c: whether x is not a number. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_TEST_OP(isnan, hd_infer_test, hd_bad_unary_number, isnan(x), .formula = "y = x ≠ x", .source = "as torch.isnan",
           .onnx = "IsNaN", .doc = "True where an element is not a number (NaN).",
           .samples = HD_UNARY_SAMPLES("", {"f32[5]={1 nan inf -inf 0}", "{0 1 0 0 0}"}, {"i64[2]={1 0}", "{0 0}"}))
