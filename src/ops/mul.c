/* mul.c: y = a·b with broadcasting. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_ARITHMETIC_OP(mul, a *b, hd_mul(dy, b), hd_mul(dy, a), .formula = "y = a·b",
                 .source = "as torch.mul; NumPy's broadcasting", .onnx = "Mul",
                 .doc = "The product, element by element, with broadcasting. Integers wrap around.",
                 .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 3}, f32[3]={10 20 30}", "{10 40 90}"},
                                              {"i32[2]={5 -7}, i32[1]={2}", "{10 -14}"},
                                              {"u8[1]={100}, u8[1]={3}", "{44}"}, {"f32[5], f32[2,3,1]", NULL}))
