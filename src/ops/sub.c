/* sub.c: y = a − b with broadcasting. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_BINARY_REF(sub_ref, a - b)

static void sub_grad(hd_grad *c) {
    if (c->needs[0]) c->din[0] = hd_unbroadcast(c->dout[0], c->in[0]);
    if (c->needs[1]) c->din[1] = hd_neg(hd_unbroadcast(c->dout[0], c->in[1]));
}

const hd_op hd_op_sub = {
    .name = "sub",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = hd_infer_binary,
    .grad = sub_grad,
    .ref = sub_ref,
    .formula = "y = a − b",
    .source = "as torch.sub; NumPy's broadcasting",
    .doc = "The difference, element by element, with broadcasting. Integers wrap around.",
    .onnx = "Sub",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={10 20 30}", "{-9 -18 -27}"},
                                   {"i32[2]={5 -7}, i32[]={2}", "{3 -9}"},
                                   {"u8[1]={1}, u8[1]={2}", "{255}"},
                                   {"f32[2,3,5], f32[2,3,5]", NULL},
                                   {"f32[3,1], f32[2,3,5]", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3,2]", "do not go together"},
                                   {"f32[2], f64[2]", "a is f32, b is f64"},
                                   {0}},
};

HD_BUILDER(sub, hd_binary_args)
