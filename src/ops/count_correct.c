/* count_correct.c: how many rows have their largest logit at the target. Knows nothing of backends. */
#include "ops/loss_kit.h"

static hd_status count_correct_infer(hd_infer *c) {
    if (hd_infer_class_loss(c)) return HD_E_MODEL;
    c->out[0].dtype = HD_I64;
    return HD_OK;
}

/* No logit is above the target's, none before it equal: of equal ones the first counts. A NaN is never right, nor is a
 * target that is no class. */
static void count_correct_ref(const hd_ref *r) {
    const int64_t n = r->in[0].dims.dim[0], classes = r->in[0].dims.dim[1], *target = r->in[1].data;
    int64_t correct = 0;
    for (int64_t i = 0; i < n; i++) {
        if (target[i] < 0 || target[i] >= classes) continue;
        const double mine = hd_get(&r->in[0], i * classes + target[i]);
        bool right = !isnan(mine);
        for (int64_t j = 0; j < classes && right; j++) {
            const double other = hd_get(&r->in[0], i * classes + j);
            right = !(other > mine) && !(other == mine && j < target[i]);
        }
        correct += right;
    }
    *(int64_t *)r->out[0].data = correct;
}

const hd_op hd_op_count_correct = {
    .name = "count_correct",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .args_size = sizeof(hd_count_correct_args),
    .flags = HD_OP_REDUCE,
    .infer = count_correct_infer,
    .no_grad_reason = "a count is a staircase: its derivative is 0 wherever it has one",
    .ref = count_correct_ref,
    .cost = hd_cost_input,
    .formula = "y = number of i with argmax(xᵢ) = targetᵢ",
    .source = "top-1 accuracy",
    .doc = "The number of right answers in a batch: x logits [n, c], target i64 [n]. Of equal logits the first counts.",
    .samples = (const hd_sample[]){{"f32[3,2]={1 0 0 1 5 5}, i64[3]={0 0 0}", "{2}"},
                                   {"f32[2,3]={1 2 3 3 2 1}, i64[2]={2 1}", "{1}"},
                                   {"f32[3,2]={nan 1 nan 1 5 nan}, i64[3]={0 1 2}", "{1}"},
                                   {"f32[64,10]:distinct, i64[64]:below(10)", NULL},
                                   {"f32[0,10], i64[0]", "{0}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[6,1]:below(10)", "one class number for each row"}, {0}},
};

HD_BUILDER(count_correct, hd_count_correct_args)
