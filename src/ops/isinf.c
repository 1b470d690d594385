/* isinf.c: whether x is infinite. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_TEST_OP(isinf, hd_infer_test, hd_bad_unary_number, isinf(x), .formula = "y = |x| = ∞", .source = "as torch.isinf",
           .onnx = "IsInf", .doc = "True where an element is infinite, of either sign.",
           .samples = HD_UNARY_SAMPLES("", {"f32[5]={1 nan inf -inf 0}", "{0 0 1 1 0}"}, {"i64[2]={1 0}", "{0 0}"}))
