/* l1.c: mean absolute error. Knows nothing of backends. */
#include "ops/loss_kit.h"

HD_PAIR_LOSS_REF(l1_ref, hd_loss_args, fabs(x - t))
HD_LOSS_COST(l1_cost, 3)

/* The sign of x − t; 0 at the kink. */
static void l1_rule(hd_grad *c) {
    hd_loss_opposite(c, hd_mul(hd_sign(hd_sub(c->in[0], c->in[1])), hd_loss_each(c)));
}

const hd_op hd_op_l1 = {
    HD_LOSS_HEAD(l1, hd_loss_args),
    HD_ONLY_REDUCTION(hd_loss_args),
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(l1),
    .formula = "loss = mean(|x − target|)",
    .source = "as torch.nn.L1Loss",
    .doc = "Mean absolute error: a loss of regression that single large errors do not rule. It learns the median.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, f32[2,2]={1 0 4 0}", "{1.75}"},
                                   {"f32[2]={1 2}, f32[2]={3 1} | reduction=sum", "{3}"},
                                   {"f32[2]={1 2}, f32[2]={3 1} | reduction=none", "{2 1}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[7], f32[7] | reduction=none", NULL},
                                   {"f32[2,3], f32[2,3] | reduction=sum", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

HD_BUILDER(l1, hd_loss_args)
