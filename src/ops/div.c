/* div.c: y = a / b with broadcasting. Knows nothing of backends. */
#include "ops/op_kit.h"

static void div_ref(const hd_ref *r) {
    hd_walk w;
    hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);
    const int64_t n = r->out[0].count;
    HD_FLOATS(r->out[0].dtype, HD_BINARY_LOOP(T, a / b))
}

/* Integers would need a rule for rounding and for b = 0 that no network asks for: floats alone. */
static hd_status div_infer(hd_infer *c) {
    if (hd_need_float(c, 0) || hd_need_float(c, 1)) return HD_E_MODEL;
    return hd_infer_binary(c);
}

/* ∂y/∂a = 1/b, ∂y/∂b = −y/b. */
static void div_grad(hd_grad *c) {
    const hd_val a = c->in[0], b = c->in[1];
    const hd_val d = hd_div(c->dout[0], b);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(d, a);
    if (c->needs[1]) c->din[1] = hd_neg(hd_unbroadcast(hd_mul(d, c->out[0]), b));
}

const hd_op hd_op_div = {
    .name = "div",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = div_infer,
    .grad = div_grad,
    .ref = div_ref,
    .formula = "y = a / b",
    .source = "as torch.div; NumPy's broadcasting",
    .doc = "The quotient, element by element, with broadcasting; by IEEE 754, so that x/0 is infinite and 0/0 NaN.",
    .onnx = "Div",
    .samples = (const hd_sample[]){{"f32[3]={1 2 -3}, f32[3]={2 4 0.5}", "{0.5 0.5 -6}"},
                                   {"f32[2,3,5], f32[2,3,5]:pos", NULL},
                                   {"f32[2,3,5], f32[3,1]:pos", NULL},
                                   {"f32[5], f32[2,3,1]:pos", NULL},
                                   {"f32[], f32[2,2]:pos", NULL},
                                   {"f32[0,3], f32[3]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "do not go together"},
                                   {"i64[2]={1 2}, i64[2]={1 2}", "f32 or f64"},
                                   {0}},
};

HD_BUILDER(div, hd_binary_args)
