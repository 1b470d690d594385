/* sign.c: y = −1, 0 or 1. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_UNARY_NUMBER_REF(sign_ref, isnan(x) ? x : (x > 0) - (x < 0), negative ? UINT64_MAX : x != 0)

const hd_op hd_op_sign = {
    .name = "sign",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_KINK | HD_OP_INPLACE,
    .infer = hd_infer_unary_number,
    .grad = hd_grad_zero,
    .no_grad_reason = "the derivative is 0 everywhere but at 0, where there is none",
    .ref = sign_ref,
    .formula = "y = −1, 0 or 1 as x is < 0, = 0 or > 0",
    .source = "as torch.sign",
    .doc = "The sign of every element; NaN stays NaN.",
    .onnx = "Sign",
    .samples = (const hd_sample[]){{"f32[4]={-1 0 2 -0.5}", "{-1 0 1 -1}"},
                                   {"i32[3]={-3 0 9}", "{-1 0 1}"},
                                   {"u8[2]={200 0}", "{1 0}"},
                                   {"f32[2,3,5]:away", NULL},
                                   {"f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"bool[2]={0 1}", "must be a number"}, {0}},
};

HD_BUILDER(sign, hd_unary_args)
