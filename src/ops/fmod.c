/* fmod.c: the rest of a division, with the sign of a. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_BINARY_NUMBER_OP(fmod, fmod(a, b), b == 0 || b == -1 ? 0 : a % b, dy, hd_neg(hd_mul(dy, hd_trunc(hd_div(a, b)))),
                    .formula = "y = a − b·trunc(a / b)", .source = "as torch.fmod; C99's fmod", .onnx = "Mod",
                    .doc = "The rest of a divided by b, with the sign of a; NaN where b is 0 (0 in whole numbers).",
                    .samples = HD_BINARY_SAMPLES("", ":away",
                                                 {"f32[4]={5 -5 5.5 -1}, f32[4]={3 3 -2 inf}", "{2 -2 1.5 -1}"},
                                                 {"i64[3]={-7 7 7}, i64[3]={3 -3 0}", "{-1 1 0}"}))
