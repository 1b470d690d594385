/* soft_margin.c: the logistic loss of answers ±1. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* ln(1 + e^−z), z = t x, without overflow. */
HD_PAIR_LOSS_REF(soft_margin_ref, hd_loss_args, fmax(-t *x, 0) + log1p(exp(-fabs(t * x))))
HD_LOSS_COST(soft_margin_cost, 6)

/* dloss/dz = −σ(−z). */
static void soft_margin_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1], dz = hd_neg(hd_sigmoid(hd_neg(hd_mul(t, x))));
    hd_loss_slopes(c, c->needs[0] ? hd_mul(dz, t) : dz, c->needs[1] ? hd_mul(dz, x) : dz);
}

const hd_op hd_op_soft_margin = {
    HD_LOSS_HEAD(soft_margin, hd_loss_args),
    HD_ONLY_REDUCTION(hd_loss_args),
    HD_LOSS_RULES(soft_margin),
    .formula = "loss = mean(ln(1 + e^(−target·x)))",
    .source = "as torch.nn.SoftMarginLoss",
    .doc = "The logistic loss of two classes called 1 and −1: bce_with_logits with other names for the answers.",
    .samples = (const hd_sample[]){{"f32[2]={0 0}, f32[2]={1 -1}", "{0.6931471806}"},
                                   {"f32[2]={1000 1000}, f32[2]={1 -1} | reduction=none", "{0 1000}"},
                                   {"f32[2]={1 0}, f32[2]={-1 1} | reduction=sum", "{2.006408868}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[6], f32[6]={1 -1 -1 1 1 -1} | reduction=none", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

HD_BUILDER(soft_margin, hd_loss_args)
