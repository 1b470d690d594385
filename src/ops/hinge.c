/* hinge.c: the loss of support vector machines. Knows nothing of backends. */
#include "ops/loss_kit.h"

static double hinge_of(double z, bool squared) {
    const double short_of = hd_loss_least(1 - z, 0);
    return squared ? short_of * short_of : short_of;
}

HD_PAIR_LOSS_REF(hinge_ref, hd_hinge_args, hinge_of(t *x, a->squared))
HD_LOSS_COST(hinge_cost, 4)

/* dloss/d(t x) = −1 where t x < 1; squared: −2 (1 − t x) there. */
static void hinge_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1], left = hd_affine(hd_mul(t, x), .scale = -1, .shift = 1);
    const bool squared = ((const hd_hinge_args *)c->attr)->squared;
    const hd_val dz = squared ? hd_affine(hd_relu(left), .scale = -2) : hd_neg(hd_positive(left));
    hd_loss_slopes(c, c->needs[0] ? hd_mul(dz, t) : dz, c->needs[1] ? hd_mul(dz, x) : dz);
}

const hd_op hd_op_hinge = {
    HD_LOSS_HEAD(hinge, hd_hinge_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_hinge_args, squared, .help = "square the hinge"),
                                   HD_REDUCTION(hd_hinge_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(hinge),
    .formula = "loss = mean(max(0, 1 − target·x)), or of its square",
    .source = "Cortes, Vapnik 1995; squared: Chang, Hsieh, Lin 2008",
    .doc = "The loss of support vector machines: target is 1 or −1, and nothing is lost once x is on the right side by "
           "at least 1.",
    .samples = (const hd_sample[]){{"f32[3]={0.5 2 -1}, f32[3]={1 1 1} | reduction=none", "{0.5 0 2}"},
                                   {"f32[2]={0.5 1}, f32[2]={1 -1}", "{1.25}"},
                                   {"f32[2]={nan 1}, f32[2]={1 -1}", "{nan}"},
                                   {"f32[2]={0.5 1}, f32[2]={1 -1} | squared=true reduction=sum", "{4.25}"},
                                   {"f32[6], f32[6]={1 -1 -1 1 1 -1}", NULL},
                                   {"f32[2,3], f32[2,3] | reduction=none", NULL},
                                   {"f32[2,3], f32[2,3] | squared=true", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"}, {0}},
};

HD_BUILDER(hinge, hd_hinge_args)
