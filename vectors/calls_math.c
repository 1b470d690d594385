/* calls_math.c: elementwise arithmetic, functions, comparisons and activations. */
#include "calls.h"
#include <math.h>

#define UNARY(name)                                                                                                    \
    static void call_##name(vector_case *c) {                                                                          \
        vector_give(c, hd_##name(vector_tensor(c, 0, "input")));                                                       \
    }
UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(sign)
UNARY(sigmoid)
UNARY(relu)

/* Both operands in the dtype that PyTorch computes in. */
#define BINARY(name)                                                                                                   \
    static void call_##name(vector_case *c) {                                                                          \
        hd_val a = vector_tensor(c, 0, "input"), b = vector_operand(c, 1, "other", a);                                 \
        vector_promote(c, &a, &b);                                                                                     \
        vector_give(c, hd_##name(a, b));                                                                               \
    }
BINARY(mul)

const vector_entry vector_calls_math[] = {
    {"neg", call_neg},
    {"exp", call_exp},
    {"log", call_log},
    {"sqrt", call_sqrt},
    {"abs", call_abs},
    {"sign", call_sign},
    {"mul", call_mul},
    {"sigmoid", call_sigmoid},
    {"nn.functional.relu", call_relu},
    {0},
};
