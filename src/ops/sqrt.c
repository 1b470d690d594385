/* sqrt.c: y = √x. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_REF(sqrt_ref, sqrt(x))

static void sqrt_grad(hd_grad *c) {
    c->din[0] = hd_affine(hd_div(c->dout[0], c->out[0]), .scale = 0.5);
}

const hd_op hd_op_sqrt = {
    .name = "sqrt",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_float,
    .grad = sqrt_grad,
    .ref = sqrt_ref,
    .formula = "y = √x",
    .source = "as torch.sqrt",
    .doc = "The square root of every element, NaN below 0. dx = dy/(2y), infinite at 0.",
    .onnx = "Sqrt",
    .samples = (const hd_sample[]){{"f32[4]={0 1 4 2}", "{0 1 2 1.414213562}"},
                                   {"f32[2,3,5]:pos", NULL},
                                   {"f32[]:pos", NULL},
                                   {"f32[0]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i32[3]={1 2 3}", "f32 or f64"}, {0}},
};

HD_BUILDER(sqrt, hd_unary_args)
