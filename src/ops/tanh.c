/* tanh.c: y = tanh x and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_REF(tanh_ref, tanh(x))
HD_ACT_GRAD_REF(tanh_grad_ref, dy *(1 - y * y))

static void tanh_rule(hd_grad *c) {
    c->din[0] = hd_tanh_grad(c->out[0], c->dout[0]);
}

/* dx = dy (1 − y²): ∂/∂y = −2 y dy, ∂/∂dy = 1 − y². */
static void tanh_grad_rule(hd_grad *c) {
    const hd_val y = c->in[0], dy = c->in[1], d = c->dout[0];
    if (c->needs[0]) c->din[0] = hd_affine(hd_mul(hd_mul(d, dy), y), .scale = -2);
    if (c->needs[1]) c->din[1] = hd_tanh_grad(y, d);
}

const hd_op hd_op_tanh = {
    .name = "tanh",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = tanh_rule,
    .ref = tanh_ref,
    .formula = "y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
    .source = "LeCun, Bottou, Orr, Müller: Efficient backprop, 1998; as torch.tanh",
    .doc = "Hyperbolic tangent: squeezes every number into −1 … 1, centred at 0.",
    .onnx = "Tanh",
    .samples = (const hd_sample[]){{"f32[3]={0 1 -0.5}", "{0 0.7615941560 -0.4621171573}"},
                                   {"f32[2]={-1000 1000}", "{-1 1}"},
                                   {"f32[2,3,5]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[3,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]={1 2 3}", "f32 or f64"}, {0}},
};

const hd_op hd_op_tanh_grad = {
    .name = "tanh_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("y", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_act_grad_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_act_grad,
    .grad = tanh_grad_rule,
    .ref = tanh_grad_ref,
    .formula = "dx = dy (1 − y²)",
    .source = "derivative of tanh",
    .doc = "Back-propagation through tanh, from its output.",
    .samples = (const hd_sample[]){{"f32[3]={0 1 0.5}, f32[3]={5 6 4}", "{5 0 3}"}, {"f32[2,7], f32[2,7]", NULL}, {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], f32[3]", "y [2]"}, {0}},
};

HD_BUILDER(tanh, hd_unary_args)
HD_BUILDER(tanh_grad, hd_act_grad_args)
