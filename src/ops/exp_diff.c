/* exp_diff.c: e^(a−b), and 0 where a is −∞. Knows nothing of backends. */
#include "ops/op_kit.h"

static void exp_diff_ref(const hd_ref *r) {
    hd_walk w;
    hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);
    const int64_t n = r->out[0].count;
    HD_FLOATS(r->out[0].dtype, HD_BINARY_LOOP(double, isinf(a) && a < 0 ? 0 : exp(a - b)))
}

static hd_status exp_diff_infer(hd_infer *c) {
    return hd_need_float(c, 0) ? HD_E_MODEL : hd_infer_binary(c);
}

static void exp_diff_rule(hd_grad *c) {
    const hd_val d = hd_mul(c->dout[0], c->out[0]);
    if (c->needs[0]) c->din[0] = hd_unbroadcast(d, c->in[0]);
    if (c->needs[1]) c->din[1] = hd_neg(hd_unbroadcast(d, c->in[1]));
}

const hd_op hd_op_exp_diff = {
    .name = "exp_diff",
    .n_in = 2,
    .n_out = 1,
    .args_size = sizeof(hd_binary_args),
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST,
    .infer = exp_diff_infer,
    .grad = exp_diff_rule,
    .ref = exp_diff_ref,
    .formula = "y = e^(a − b), 0 where a = −∞",
    .source = "the share of a summand in a sum of exponentials, from logarithms",
    .doc =
        "What a summand e^a is of a sum e^b, from their logarithms; 0 where the summand is, also of a sum that is 0.",
    .samples = (const hd_sample[]){{"f32[3]={1 -inf -inf}, f32[3]={1 0 -inf}", "{1 0 0}"},
                                   {"f32[2,1]={1000 999}, f32[1]={1000}", "{1 0.3678794412}"},
                                   {"f32[2,3], f32[3]", NULL},
                                   {"f32[], f32[]", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"u8[2], u8[2]", "f32 or f64"}, {"f32[2], f32[3]", "do not go together"}, {0}},
};

HD_BUILDER(exp_diff, hd_binary_args)
