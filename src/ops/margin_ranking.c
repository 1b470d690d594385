/* margin_ranking.c: which of two scores shall be higher. Knows nothing of backends. */
#include "ops/loss_kit.h"

static hd_status margin_ranking_infer(hd_infer *c) {
    return hd_infer_loss(c) ? HD_E_MODEL : hd_need_same(c, 2, 0);
}

static void margin_ranking_ref(const hd_ref *r) {
    const hd_margin_ranking_args *a = r->attr;
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double lead = hd_get(&r->in[0], i) - hd_get(&r->in[1], i);
        hd_loss_put(&s, i, hd_loss_least(a->margin - hd_get(&r->in[2], i) * lead, 0));
    }
    hd_loss_end(&s, (double)r->in[0].count);
}

/* With d = x1 − x2, where margin − t d > 0: dd = −t, dt = −d. */
static void margin_ranking_rule(hd_grad *c) {
    const hd_margin_ranking_args *a = c->attr;
    const hd_val t = c->in[2], d = hd_sub(c->in[0], c->in[1]);
    const hd_val lack = hd_affine(hd_mul(t, d), .scale = -1, .shift = a->margin);
    const hd_val each = hd_neg(hd_relu_grad(lack, hd_loss_each(c)));
    hd_loss_opposite(c, hd_mul(t, each));
    if (c->needs[2]) c->din[2] = hd_mul(d, each);
}

HD_LOSS_COST(margin_ranking_cost, 5)

const hd_op hd_op_margin_ranking = {
    HD_LOSS3_HEAD(margin_ranking, hd_margin_ranking_args, "x1", "x2", "target"),
    .options = (const hd_option[]){HD_MARGIN(hd_margin_ranking_args, 0, "lead that is enough"),
                                   HD_REDUCTION(hd_margin_ranking_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(margin_ranking),
    .formula = "loss = mean(max(0, margin − target (x1 − x2)))",
    .source = "as torch.nn.MarginRankingLoss",
    .doc = "x1 shall be above x2 by the margin where target is 1, below it where target is −1.",
    .samples = (const hd_sample[]){{"f32[3]={1 1 1}, f32[3]={2 2 0}, f32[3]={1 -1 1} | reduction=none", "{1 0 0}"},
                                   {"f32[2]={1 1}, f32[2]={2 0}, f32[2]={1 1} | margin=2", "{2}"},
                                   {"f32[2]={nan 1}, f32[2]={2 0}, f32[2]={1 1}", "{nan}"},
                                   {"f32[6], f32[6], f32[6]={1 -1 1 1 -1 -1}", NULL},
                                   {"f32[2,3], f32[2,3], f32[2,3] | margin=0.5 reduction=none", NULL},
                                   {"f32[5], f32[5], f32[5] | margin=1 reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[4], f32[3]", "must have the same shape"},
                                   {"f32[3], f32[3], f32[1]", "must have the same shape"},
                                   {0}},
};

HD_BUILDER(margin_ranking, hd_margin_ranking_args)
