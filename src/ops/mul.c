/* mul.c: y = a·b with broadcasting. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_BINARY_REF(mul_ref, a *b)

static void mul_grad(hd_grad *c) {
    for (int i = 0; i < 2; i++)
        if (c->needs[i]) c->din[i] = hd_unbroadcast(hd_mul(c->dout[0], c->in[1 - i]), c->in[i]);
}

const hd_op hd_op_mul = {
    .name = "mul",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = hd_infer_binary,
    .grad = mul_grad,
    .ref = mul_ref,
    .formula = "y = a·b",
    .source = "as torch.mul; NumPy's broadcasting",
    .doc = "The product, element by element, with broadcasting. Integers wrap around.",
    .onnx = "Mul",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={10 20 30}", "{10 40 90}"},
                                   {"i32[2]={5 -7}, i32[1]={2}", "{10 -14}"},
                                   {"u8[1]={100}, u8[1]={3}", "{44}"},
                                   {"f32[2,3,5], f32[2,3,5]", NULL},
                                   {"f32[2,3,5], f32[1,3,1]", NULL},
                                   {"f32[5], f32[2,3,1]", NULL},
                                   {"f32[], f32[2,2]", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "do not go together"},
                                   {"f32[2], i64[2]={1 2}", "a is f32, b is i64"},
                                   {0}},
};

HD_BUILDER(mul, hd_binary_args)
