/* smooth_l1.c: absolute values whose tip is rounded off. Knows nothing of backends. */
#include "ops/loss_kit.h"

static double smooth_of(double d, double beta) {
    return d < beta ? 0.5 * d * d / beta : d - 0.5 * beta;
}

HD_PAIR_LOSS_REF(smooth_l1_ref, hd_smooth_l1_args, smooth_of(fabs(x - t), a->beta))
HD_LOSS_COST(smooth_l1_cost, 5)

/* (x − target)/beta, kept within ±1; of beta = 0 the sign. */
static void smooth_l1_rule(hd_grad *c) {
    const double beta = ((const hd_smooth_l1_args *)c->attr)->beta;
    const hd_val d = hd_sub(c->in[0], c->in[1]);
    const hd_val slope = beta > 0 ? hd_within(hd_affine(d, .scale = 1 / beta), 1) : hd_sign(d);
    hd_loss_opposite(c, hd_mul(slope, hd_loss_each(c)));
}

const hd_op hd_op_smooth_l1 = {
    HD_LOSS_HEAD(smooth_l1, hd_smooth_l1_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_smooth_l1_args, beta, .def = 1, .min = 0, .max = 1e300,
                                             .help = "distance from which it is |x − target|; 0: l1"),
                                   HD_REDUCTION(hd_smooth_l1_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(smooth_l1),
    .formula = "loss = mean(½ d²/beta where |d| < beta, else |d| − ½ beta), d = x − target",
    .source = "Girshick: Fast R-CNN, 2015, equation 3; as torch.nn.SmoothL1Loss",
    .doc = "huber over beta: the slope far away is 1 whatever beta is.",
    .samples = (const hd_sample[]){{"f32[3]={0.5 1 3}, f32[3]={0 0 0} | reduction=none", "{0.125 0.5 2.5}"},
                                   {"f32[2]={1 3}, f32[2]={0 0} | beta=2", "{1.125}"},
                                   {"f32[2]={1 3}, f32[2]={0 0} | beta=0 reduction=sum", "{4}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[4,5], f32[4,5] | beta=0.5 reduction=none", NULL},
                                   {"f32[7], f32[7] | beta=0 reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | beta=-1", "beta is -1"},
                                   {0}},
};

HD_BUILDER(smooth_l1, hd_smooth_l1_args)
