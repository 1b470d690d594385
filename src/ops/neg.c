/* neg.c: y = −x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_NUMBER_OP(neg, 0, -x, 0 - x, hd_neg(dy), .formula = "y = −x", .source = "as torch.neg",
                   .doc = "The negative of every element. Integers wrap around (u8: 256 − x).", .onnx = "Neg",
                   .samples = HD_UNARY_SAMPLES("", {"f32[3]={-1 0.5 2}", "{1 -0.5 -2}"},
                                               {"i32[3]={-2147483648 0 7}", "{-2147483648 0 -7}"},
                                               {"u8[2]={0 5}", "{0 251}"}))
