/* exp.c: y = eˣ. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_REF(exp_ref, exp(x))

static void exp_grad(hd_grad *c) {
    c->din[0] = hd_mul(c->dout[0], c->out[0]);
}

const hd_op hd_op_exp = {
    .name = "exp",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = exp_grad,
    .ref = exp_ref,
    .formula = "y = eˣ",
    .source = "as torch.exp",
    .doc = "The exponential of every element. It is its own derivative: dx = dy·y.",
    .onnx = "Exp",
    .samples = (const hd_sample[]){{"f32[3]={0 1 -1}", "{1 2.718281828 0.3678794412}"},
                                   {"f32[2]={-200 -1000}", "{0 0}"},
                                   {"f32[2,3,5]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[4,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[3]={1 2 3}", "f32 or f64"}, {0}},
};

HD_BUILDER(exp, hd_unary_args)
