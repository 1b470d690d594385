/* log.c: y = ln x. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_REF(log_ref, log(x))

static void log_grad(hd_grad *c) {
    c->din[0] = hd_div(c->dout[0], c->in[0]);
}

const hd_op hd_op_log = {
    .name = "log",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = log_grad,
    .ref = log_ref,
    .formula = "y = ln x",
    .source = "as torch.log",
    .doc = "The natural logarithm of every element: −inf at 0, NaN below. dx = dy/x.",
    .onnx = "Log",
    .samples = (const hd_sample[]){{"f32[3]={1 2.718281828 0.5}", "{0 1 -0.6931471806}"},
                                   {"f32[2,3,5]:pos", NULL},
                                   {"f32[]:pos", NULL},
                                   {"f32[0,2]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"u8[3]={1 2 3}", "f32 or f64"}, {0}},
};

HD_BUILDER(log, hd_unary_args)
