/* relu.c: y = max(x, 0) and its backward op. Nair, Hinton, ICML 2010. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_REF(relu_ref, x > 0 || isnan(x) ? x : 0)
HD_ACT_GRAD_REF(relu_grad_ref, y > 0 ? dy : 0)

static void relu_grad_rule(hd_grad *c) {
    c->din[0] = hd_relu_grad(c->out[0], c->dout[0]);
}

/* dx is linear in dy and constant in y almost everywhere. */
static void relu_grad_grad_rule(hd_grad *c) {
    c->din[1] = hd_relu_grad(c->in[0], c->dout[0]);
}

const hd_op hd_op_relu = {
    .name = "relu",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_KINK | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = relu_grad_rule,
    .ref = relu_ref,
    .formula = "y = max(x, 0)",
    .source = "Nair, Hinton: Rectified linear units improve restricted Boltzmann machines, ICML 2010",
    .doc = "Rectified linear unit: passes what is positive, stops the rest. Its derivative at 0 is taken as 0.",
    .onnx = "Relu",
    .samples = (const hd_sample[]){{"f32[4]={-1 0 2 -0.5}", "{0 0 2 0}"},
                                   {"f32[2,3,5]:away", NULL},
                                   {"f32[0,3]", NULL},
                                   {"f32[]={2}", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]={1 2 3}", "f32 or f64"}, {0}},
};

const hd_op hd_op_relu_grad = {
    .name = "relu_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = (const char *const[]){"y", "dy", NULL},
    .out_names = (const char *const[]){"dx", NULL},
    .args_size = sizeof(hd_act_grad_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_KINK | HD_OP_INPLACE,
    .infer = hd_infer_act_grad,
    .grad = relu_grad_grad_rule,
    .ref = relu_grad_ref,
    .formula = "dx = y > 0 ? dy : 0",
    .source = "derivative of relu",
    .doc = "Back-propagation through relu, from its output.",
    .samples =
        (const hd_sample[]){{"f32[3]={0 1 2}, f32[3]={5 6 7}", "{0 6 7}"}, {"f32[2,7]:away, f32[2,7]", NULL}, {0}},
    .bad = (const hd_bad_sample[]){{"f32[2], f32[3]", "y [2]"}, {0}},
};

HD_BUILDER(relu, hd_unary_args)
HD_BUILDER(relu_grad, hd_act_grad_args)
