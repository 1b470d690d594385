/* div_no_nan.c: a/b, and 0 where b is 0. Knows nothing of backends. */
#include "ops/op_kit.h"

static void div_no_nan_ref(const hd_ref *r) {
    hd_walk w;
    hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);
    const int64_t n = r->out[0].count;
    HD_FLOATS(r->out[0].dtype, HD_BINARY_LOOP(T, b == 0 ? 0 : a / b))
}

static hd_status div_no_nan_infer(hd_infer *c) {
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_binary(c);
}

static void div_no_nan_rule(hd_grad *c) {
    const hd_val d = hd_div_no_nan(c->dout[0], c->in[1]);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(d, c->in[0]);
    if (c->needs[1]) c->din[1] = hd_neg(hd_unbroadcast(hd_mul(d, c->out[0]), c->in[1]));
}

const hd_op hd_op_div_no_nan = {
    .name = "div_no_nan",
    .n_in = 2,
    .n_out = 1,
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_KINK,
    .infer = div_no_nan_infer,
    .grad = div_no_nan_rule,
    .ref = div_no_nan_ref,
    .formula = "y = a / b, 0 where b = 0",
    .source = "as tf.math.divide_no_nan",
    .doc = "Division that gives 0 where b is 0, and no gradient there: for norms and deviations at their kink.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 0}, f32[3]={2 0 0}", "{0.5 0 0}"},
                                   {"f32[2,1]={1 2}, f32[2]={0 4}", "{0 0.25 0 0.5}"},
                                   {"f32[2,3], f32[3]:pos", NULL},
                                   {"f32[], f32[]:pos", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"i64[2], i64[2]", "f32 or f64"}, {"f32[2], f32[3]", "do not go together"}, {0}},
};

HD_BUILDER(div_no_nan, hd_binary_args)
