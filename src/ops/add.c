/* add.c: y = a + b with broadcasting. Knows nothing of backends. */
#include "ops/op_kit.h"

HD_BINARY_REF(add_ref, a + b)

static void add_grad(hd_grad *c) {
    for (int i = 0; i < 2; i++)
        if (c->needs[i]) c->din[i] = hd_unbroadcast(c->dout[0], c->in[i]);
}

const hd_op hd_op_add = {
    .name = "add",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = hd_infer_binary,
    .grad = add_grad,
    .ref = add_ref,
    .formula = "y = a + b",
    .source = "as torch.add; NumPy's broadcasting",
    .doc = "The sum, element by element. Dimensions of 1 are repeated to fit the other operand. Integers wrap around.",
    .onnx = "Add",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={10 20 30}", "{11 22 33}"},
                                   {"f32[2,1]={1 2}, f32[3]={10 20 30}", "{11 21 31 12 22 32}"},
                                   {"u8[2]={250 1}, u8[2]={10 2}", "{4 3}"},
                                   {"i64[2]={5 -7}, i64[1]={2}", "{7 -5}"},
                                   {"f32[2,3,5], f32[2,3,5]", NULL},
                                   {"f32[2,3,5], f32[3,1]", NULL},
                                   {"f32[], f32[2,2]", NULL},
                                   {"f32[0,3], f32[1,3]", NULL},
                                   {"f32[4,1,3], f32[1,5,1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "do not go together"},
                                   {"f32[2], i64[2]={1 2}", "a is f32, b is i64"},
                                   {"bool[2], bool[2]", "must be a number"},
                                   {0}},
};

HD_BUILDER(add, hd_binary_args)
