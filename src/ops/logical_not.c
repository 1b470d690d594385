/* logical_not.c: the opposite of a truth value. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static void logical_not_ref(const hd_ref *r) {
    bool *y = r->out[0].data;
    for (int64_t i = 0; i < r->out[0].count; i++) y[i] = hd_get(&r->in[0], i) == 0;
}

static hd_status logical_not_infer(hd_infer *c) {
    c->out[0] = (hd_type){HD_BOOL, c->in[0].dims};
    return HD_OK;
}

const hd_op hd_op_logical_not = {
    HD_UNARY_FIELDS(logical_not, 0),
    .infer = logical_not_infer,
    .no_grad_reason = HD_TRUTH_REASON,
    .ref = logical_not_ref,
    .formula = "y = ¬x",
    .source = "as torch.logical_not",
    .doc = "True where an element is 0 (false).",
    .onnx = "Not",
    .samples = HD_UNARY_SAMPLES("", {"f32[3]={1 0 nan}", "{0 1 0}"}, {"bool[2]={0 1}", "{1 0}"}),
    .bad = (const hd_bad_sample[]){{0}},
};

HD_BUILDER(logical_not, hd_unary_args)
