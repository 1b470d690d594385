/* neg.c: y = −x. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_NUMBER_REF(neg_ref, -x, 0 - x)

static void neg_grad(hd_grad *c) {
    c->din[0] = hd_neg(c->dout[0]);
}

const hd_op hd_op_neg = {
    .name = "neg",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_INPLACE,
    .infer = hd_infer_unary_number,
    .grad = neg_grad,
    .ref = neg_ref,
    .formula = "y = −x",
    .source = "as torch.neg",
    .doc = "The negative of every element. Integers wrap around (u8: 256 − x).",
    .onnx = "Neg",
    .samples = (const hd_sample[]){{"f32[3]={-1 0.5 2}", "{1 -0.5 -2}"},
                                   {"i32[3]={-2147483648 0 7}", "{-2147483648 0 -7}"},
                                   {"u8[2]={0 5}", "{0 251}"},
                                   {"f32[3,5]", NULL},
                                   {"f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"bool[2]={0 1}", "must be a number"}, {0}},
};

HD_BUILDER(neg, hd_unary_args)
