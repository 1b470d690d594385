/* div.c: y = a / b with broadcasting. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static void div_ref(const hd_ref *r) {
    HD_BINARY_EACH(HD_FLOATS, double, a / b)
}

/* ∂y/∂a = 1/b, ∂y/∂b = −y/b. */
static void div_grad(hd_grad *c) {
    const hd_val a = c->in[0], b = c->in[1];
    const hd_val d = hd_div(c->dout[0], b);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(d, a);
    if (c->needs[1]) c->din[1] = hd_neg(hd_unbroadcast(hd_mul(d, c->out[0]), b));
}

/* Integers would need a rule for rounding: floor_divide. */
HD_ELEMENTWISE_OP(
    div, hd_binary_args, HD_OP_BROADCAST | HD_OP_INPLACE, hd_infer_binary_float, hd_bad_binary_float, HD_BINARY_FIELDS,
    .grad = div_grad, .formula = "y = a / b", .source = "as torch.div; NumPy's broadcasting", .onnx = "Div",
    .doc = "The quotient, element by element, with broadcasting; by IEEE 754, so that x/0 is infinite and 0/0 NaN.",
    .samples = HD_BINARY_SAMPLES("", ":pos", {"f32[3]={1 2 -3}, f32[3]={2 4 0.5}", "{0.5 0.5 -6}"},
                                 {"f32[2]={1 0}, f32[1]={0}", "{inf nan}"}, {"f32[5], f32[2,3,1]:pos", NULL}))
