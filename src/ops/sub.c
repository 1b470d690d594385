/* sub.c: y = a − b with broadcasting. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_ARITHMETIC_OP(sub, a - b, dy, hd_neg(hd_to_operand(dy, b)), .formula = "y = a − b",
                 .source = "as torch.sub; NumPy's broadcasting", .onnx = "Sub",
                 .doc = "The difference, element by element, with broadcasting. Integers wrap around.",
                 .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 3}, f32[3]={10 20 30}", "{-9 -18 -27}"},
                                              {"i32[2]={5 -7}, i32[]={2}", "{3 -9}"}, {"u8[1]={1}, u8[1]={2}", "{255}"},
                                              {"f32[3,1], f32[2,3,5]", NULL}))
