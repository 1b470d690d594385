/* fill_like.c: a constant of the shape of another value. Knows nothing of backends. */
#include "ops/op_kit.h"

static void fill_like_ref(const hd_ref *r) {
    const hd_fill_like_args *a = r->attr;
    for (int64_t i = 0; i < r->out[0].count; i++) hd_set(&r->out[0], i, a->value);
}

static hd_status fill_like_infer(hd_infer *c) {
    c->out[0] = c->in[0];
    return HD_OK;
}

const hd_op hd_op_fill_like = {
    .name = "fill_like",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_fill_like_args),
    .options =
        (const hd_option[]){HD_OPTION(FLOAT, hd_fill_like_args, value, .help = "of every element"), HD_OPTION_END},
    .infer = fill_like_infer,
    .grad = hd_grad_zero,
    .no_grad_reason = "the result does not depend on x, only on its shape",
    .ref = fill_like_ref,
    .cost = hd_cost_copy,
    .formula = "y = value",
    .source = "as torch.full_like",
    .doc = "A constant of the shape and dtype of x, of which only the shape is read.",
    .samples = (const hd_sample[]){{"f32[2,2] | value=1.5", "{1.5 1.5 1.5 1.5}"},
                                   {"i64[2]={1 2} | value=-3", "{-3 -3}"},
                                   {"bool[2] | value=1", "{1 1}"},
                                   {"f32[3]", "{0 0 0}"},
                                   {"f32[2,3] | value=-2", NULL},
                                   {"f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2] | value=x", "value expects a number"}, {0}},
};

HD_BUILDER(fill_like, hd_fill_like_args)
