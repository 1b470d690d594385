/* log_softmax.c: the logarithm of softmax, without overflow, and its backward op. Knows nothing of backends. */
#include "ops/reduce_kit.h"

HD_SOFTMAX_REF(log_softmax_ref, v - max - log(sum))
HD_SOFTMAX_GRAD_REF(log_softmax_grad_ref, dy, dy - exp(y) * sum)

static void log_softmax_rule(hd_grad *c) {
    const hd_softmax_args *a = c->attr;
    c->din[0] = hd_log_softmax_grad(c->out[0], c->dout[0], .axis = a->axis);
}

/* dx = dy − e^y Σ dy. Into dy: g − Σ g e^y; into y: −g e^y Σ dy. */
static void log_softmax_grad_rule(hd_grad *c) {
    const hd_softmax_grad_args *a = c->attr;
    const hd_val dy = c->in[1], g = c->dout[0], ge = hd_mul(g, hd_exp(c->in[0]));
    const hd_dims axis = HD_DIMS(hd_axis_resolve(a->axis, hd_val_dims(dy).rank));
    if (c->needs[0]) c->din[0] = hd_neg(hd_mul(ge, hd_sum(dy, .axes = axis, .keepdim = true)));
    if (c->needs[1]) c->din[1] = hd_sub(g, hd_sum(ge, .axes = axis, .keepdim = true));
}

#define AXIS_OPTION(args) HD_OPTION(AXIS, args, axis, .def = -1, .help = "axis whose probabilities add up to 1")

const hd_op hd_op_log_softmax = {
    .name = "log_softmax",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_softmax_args),
    .options = (const hd_option[]){AXIS_OPTION(hd_softmax_args), HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = hd_infer_softmax,
    .grad = log_softmax_rule,
    .ref = log_softmax_ref,
    .cost = hd_cost_softmax,
    .formula = "yᵢ = xᵢ − ln Σⱼ e^xⱼ",
    .source = "as torch.log_softmax",
    .doc =
        "The logarithm of softmax along an axis (the last, if not said), exact where softmax itself would round to 0.",
    .onnx = "LogSoftmax",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}", "{-0.6931471806 -0.6931471806}"},
                                   {"f32[2]={1000 -1000}", "{0 -2000}"},
                                   {"f32[4,10]", NULL},
                                   {"f32[2,5,3] | axis=1", NULL},
                                   {"f32[3,1]", "{0 0 0}"},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=-3", "does not have the axis"}, {0}},
};

const hd_op hd_op_log_softmax_grad = {
    .name = "log_softmax_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("y", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_softmax_grad_args),
    .options = (const hd_option[]){AXIS_OPTION(hd_softmax_grad_args), HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = hd_infer_softmax_grad,
    .grad = log_softmax_grad_rule,
    .ref = log_softmax_grad_ref,
    .cost = hd_cost_softmax,
    .formula = "dx = dy − e^y Σ dy",
    .source = "derivative of log_softmax",
    .doc = "Back-propagation through log_softmax, from its output.",
    .samples = (const hd_sample[]){{"f32[2]={-0.6931471806 -0.6931471806}, f32[2]={1 3}", "{-1 1}"},
                                   {"f32[4,10], f32[4,10]", NULL},
                                   {"f32[2,5,3], f32[2,5,3] | axis=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3,2]", "same shape"}, {0}},
};

HD_BUILDER(log_softmax, hd_softmax_args)
HD_BUILDER(log_softmax_grad, hd_softmax_grad_args)
