/* abs.c: y = |x|. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_NUMBER_REF(abs_ref, fabs(x), negative ? 0 - x : x)

static void abs_grad(hd_grad *c) {
    c->din[0] = hd_mul(c->dout[0], hd_sign(c->in[0]));
}

const hd_op hd_op_abs = {
    .name = "abs",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_KINK | HD_OP_INPLACE,
    .infer = hd_infer_unary_number,
    .grad = abs_grad,
    .ref = abs_ref,
    .formula = "y = |x|",
    .source = "as torch.abs",
    .doc = "The absolute value of every element. Its derivative at 0 is taken as 0.",
    .onnx = "Abs",
    .samples = (const hd_sample[]){{"f32[4]={-1 0 2 -0.5}", "{1 0 2 0.5}"},
                                   {"i64[3]={-3 0 9}", "{3 0 9}"},
                                   {"u8[2]={200 0}", "{200 0}"},
                                   {"f32[2,3,5]:away", NULL},
                                   {"f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"bool[2]={0 1}", "must be a number"}, {0}},
};

HD_BUILDER(abs, hd_unary_args)
