/* abs.c: y = |x|. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_NUMBER_OP(abs, HD_OP_KINK, fabs(x), negative ? 0 - x : x, hd_mul(dy, hd_sign(x)), .formula = "y = |x|",
                   .source = "as torch.abs",
                   .doc = "The absolute value of every element. Its derivative at 0 is taken as 0.", .onnx = "Abs",
                   .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-1 0 2 -0.5}", "{1 0 2 0.5}"},
                                               {"i64[3]={-3 0 9}", "{3 0 9}"}, {"u8[2]={200 0}", "{200 0}"}))
