/* calls_composite.c: calls of PyTorch that are made of several ops of ours. */
#include "calls.h"

/* add and sub with alpha: a ± alpha·b. */
static void add_alpha(vector_case *c, double sign) {
    hd_val a = vector_tensor(c, 0, "input"), b = vector_operand(c, 1, "other", a);
    const double alpha = sign * vector_number(c, -1, "alpha", 1);
    vector_promote(c, &a, &b);
    if (alpha == 1)
        vector_give(c, hd_add(a, b));
    else if (alpha == -1)
        vector_give(c, hd_sub(a, b));
    else
        vector_give(c, hd_add(a, hd_mul(b, vector_scalar(c, hd_val_dtype(b), alpha))));
}
static void call_add(vector_case *c) {
    add_alpha(c, 1);
}
static void call_sub(vector_case *c) {
    add_alpha(c, -1);
}

static void call_div(vector_case *c) {
    hd_val a = vector_tensor(c, 0, "input"), b = vector_operand(c, 1, "other", a);
    if (vector_arg(c, -1, "rounding_mode")) vector_unsupported(c, "a rounding mode");
    if (!vector_is_float(a) && !vector_is_float(b)) a = vector_cast(a, c->dtype);
    vector_promote(c, &a, &b);
    vector_give(c, hd_div(a, b));
}

const vector_entry vector_calls_composite[] = {
    {"add", call_add}, {"sub", call_sub}, {"true_divide", call_div}, {"div.no_rounding_mode", call_div}, {0},
};
