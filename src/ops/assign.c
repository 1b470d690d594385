/* assign.c: writes into what persists. Knows nothing of backends. */
#include "ops/op_kit.h"

static hd_status assign_infer(hd_infer *c) {
    c->out[0] = c->in[0];
    return hd_need_same(c, 0, 1);
}

static void assign_ref(const hd_ref *r) {
    const size_t bytes = (size_t)r->out[0].count * hd_dtype_size(r->out[0].dtype);
    if (bytes) memmove(r->out[0].data, r->in[1].data, bytes);
}

const hd_op hd_op_assign = {
    .name = "assign",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("state", "x"),
    .args_size = sizeof(hd_assign_args),
    .flags = HD_OP_EFFECT,
    .infer = assign_infer,
    .no_grad_reason = "it acts after the step that is differentiated",
    .ref = assign_ref,
    .cost = hd_cost_copy,
    .alias = {1},
    .formula = "state ← x",
    .source = "assignment",
    .doc = "Writes x into a state of the same shape, to be read in the next step.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, f32[3]={4 5 6}", "{4 5 6}"},
                                   {"i64[]={1}, i64[]={-7}", "{-7}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[0], f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4]", "same shape"}, {"f32[2], f64[2]", "x is f64"}, {0}},
};

HD_BUILDER(assign, hd_assign_args)
