/* softmax.c: a probability for each of the elements of an axis, and its backward op. Knows nothing of backends. */
#include "ops/reduce_kit.h"

HD_SOFTMAX_REF(softmax_ref, exp(v - max) / sum)
HD_SOFTMAX_GRAD_REF(softmax_grad_ref, (y * dy), (y * (dy - sum)))

static void softmax_rule(hd_grad *c) {
    const hd_softmax_args *a = c->attr;
    c->din[0] = hd_softmax_grad(c->out[0], c->dout[0], .axis = a->axis);
}

/* dx = y (dy − Σ y dy). Into dy it is the same op; into y: g (dy − Σ y dy) − dy Σ g y. */
static void softmax_grad_rule(hd_grad *c) {
    const hd_softmax_grad_args *a = c->attr;
    const hd_val y = c->in[0], dy = c->in[1], g = c->dout[0];
    const hd_dims axis = HD_DIMS(hd_axis_resolve(a->axis, hd_val_dims(y).rank));
    if (c->needs[1]) c->din[1] = hd_softmax_grad(y, g, .axis = a->axis);
    if (!c->needs[0]) return;
    const hd_val centred = hd_sub(dy, hd_sum(hd_mul(y, dy), .axes = axis, .keepdim = true));
    c->din[0] = hd_sub(hd_mul(g, centred), hd_mul(dy, hd_sum(hd_mul(g, y), .axes = axis, .keepdim = true)));
}

#define AXIS_OPTION(args) HD_OPTION(AXIS, args, axis, .def = -1, .help = "axis whose elements add up to 1")

const hd_op hd_op_softmax = {
    .name = "softmax",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_softmax_args),
    .options = (const hd_option[]){AXIS_OPTION(hd_softmax_args), HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = hd_infer_softmax,
    .grad = softmax_rule,
    .ref = softmax_ref,
    .cost = hd_cost_softmax,
    .formula = "yᵢ = e^xᵢ / Σⱼ e^xⱼ",
    .source = "Bridle 1990; as torch.softmax",
    .doc = "Turns scores along an axis (the last, if not said) into probabilities: positive, adding up to 1.",
    .onnx = "Softmax",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}", "{0.5 0.5}"},
                                   {"f32[3]={1 2 3}", "{0.0900305732 0.2447284711 0.6652409558}"},
                                   {"f32[2]={1000 -1000}", "{1 0}"},
                                   {"f32[2,2]={0 5 0 5} | axis=0", "{0.5 0.5 0.5 0.5}"},
                                   {"f32[4,10]", NULL},
                                   {"f32[2,5,3] | axis=1", NULL},
                                   {"f32[5,1]", "{1 1 1 1 1}"},
                                   {"f32[0,3]", NULL},
                                   {"f32[7,33]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=2", "does not have the axis"},
                                   {"f32[]", "does not have the axis"},
                                   {0}},
};

const hd_op hd_op_softmax_grad = {
    .name = "softmax_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("y", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_softmax_grad_args),
    .options = (const hd_option[]){AXIS_OPTION(hd_softmax_grad_args), HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = hd_infer_softmax_grad,
    .grad = softmax_grad_rule,
    .ref = softmax_grad_ref,
    .cost = hd_cost_softmax,
    .formula = "dx = y (dy − Σ y dy)",
    .source = "derivative of softmax",
    .doc = "Back-propagation through softmax, from its output.",
    .samples = (const hd_sample[]){{"f32[2]={0.25 0.75}, f32[2]={1 2}", "{-0.1875 0.1875}"},
                                   {"f32[4,10], f32[4,10]", NULL},
                                   {"f32[2,5,3], f32[2,5,3] | axis=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3,2]", "same shape"},
                                   {"f32[2], f32[2] | axis=1", "does not have"},
                                   {0}},
};

HD_BUILDER(softmax, hd_softmax_args)
HD_BUILDER(softmax_grad, hd_softmax_grad_args)
