/* sigmoid.c: y = 1 / (1 + e⁻ˣ) and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

/* 1 / (1 + e⁻ˣ) does not overflow: e⁻ˣ = inf gives 0. */
HD_UNARY_REF(sigmoid_ref, 1 / (1 + exp(-x)))
HD_ACT_GRAD_REF(sigmoid_grad_ref, dy *y *(1 - y))

static void sigmoid_rule(hd_grad *c) {
    c->din[0] = hd_sigmoid_grad(c->out[0], c->dout[0]);
}

/* dx = dy y (1 − y): ∂/∂y = dy (1 − 2y), ∂/∂dy = y (1 − y). */
static void sigmoid_grad_rule(hd_grad *c) {
    const hd_val y = c->in[0], dy = c->in[1], d = c->dout[0];
    if (c->needs[0]) c->din[0] = hd_mul(hd_mul(d, dy), hd_affine(y, .scale = -2, .shift = 1));
    if (c->needs[1]) c->din[1] = hd_sigmoid_grad(y, d);
}

const hd_op hd_op_sigmoid = {
    .name = "sigmoid",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = sigmoid_rule,
    .ref = sigmoid_ref,
    .formula = "y = 1 / (1 + e⁻ˣ)",
    .source = "Verhulst 1845; as torch.sigmoid",
    .doc = "The logistic function: squeezes every number into 0 … 1, so that a result reads as a probability.",
    .onnx = "Sigmoid",
    .samples = (const hd_sample[]){{"f32[3]={0 4 -2}", "{0.5 0.9820137900 0.1192029220}"},
                                   {"f32[2]={-1000 1000}", "{0 1}"},
                                   {"f32[2,3,5]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[3,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]={1 2 3}", "f32 or f64"}, {0}},
};

const hd_op hd_op_sigmoid_grad = {
    .name = "sigmoid_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("y", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_act_grad_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_act_grad,
    .grad = sigmoid_grad_rule,
    .ref = sigmoid_grad_ref,
    .formula = "dx = dy y (1 − y)",
    .source = "derivative of sigmoid",
    .doc = "Back-propagation through sigmoid, from its output.",
    .samples =
        (const hd_sample[]){{"f32[3]={0.5 1 0.2}, f32[3]={4 6 10}", "{1 0 1.6}"}, {"f32[2,7], f32[2,7]", NULL}, {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], f32[3]", "y [2]"}, {"f32[2], f64[2]", "dy is f64"}, {0}},
};

HD_BUILDER(sigmoid, hd_unary_args)
HD_BUILDER(sigmoid_grad, hd_act_grad_args)
