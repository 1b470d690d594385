/* add.c: y = a + b with broadcasting. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_ARITHMETIC_OP(
    add, a + b, dy, dy, .formula = "y = a + b", .source = "as torch.add; NumPy's broadcasting", .onnx = "Add",
    .doc = "The sum, element by element. Dimensions of 1 are repeated to fit the other operand. Integers wrap around.",
    .samples = HD_BINARY_SAMPLES("", "", {"f32[3]={1 2 3}, f32[3]={10 20 30}", "{11 22 33}"},
                                 {"f32[2,1]={1 2}, f32[3]={10 20 30}", "{11 21 31 12 22 32}"},
                                 {"u8[2]={250 1}, u8[2]={10 2}", "{4 3}"}, {"i64[2]={5 -7}, i64[1]={2}", "{7 -5}"}))
