/* isfinite.c: whether x is finite. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_TEST_OP(isfinite, hd_infer_test, hd_bad_unary_number, isfinite(x), .formula = "y = |x| < ∞",
           .source = "as torch.isfinite", .doc = "True where an element is neither infinite nor NaN.",
           .samples = HD_UNARY_SAMPLES("", {"f32[5]={1 nan inf -inf 0}", "{1 0 0 0 1}"}, {"i64[2]={1 0}", "{1 1}"}))
