/* huber.c: squares near 0, absolute values far away. Knows nothing of backends. */
#include "ops/loss_kit.h"

static double huber_of(double d, double delta) {
    return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
}

HD_PAIR_LOSS_REF(huber_ref, hd_huber_args, huber_of(fabs(x - t), a->delta))
HD_LOSS_COST(huber_cost, 5)

static void huber_rule(hd_grad *c) {
    const hd_huber_args *a = c->attr;
    hd_loss_opposite(c, hd_mul(hd_within(hd_sub(c->in[0], c->in[1]), a->delta), hd_loss_each(c)));
}

const hd_op hd_op_huber = {
    HD_LOSS_HEAD(huber, hd_huber_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_huber_args, delta, .def = 1, .min = 1e-300, .max = 1e300,
                                             .help = "distance from which the loss grows straight"),
                                   HD_REDUCTION(hd_huber_args), HD_OPTION_END},
    HD_LOSS_RULES(huber),
    .formula = "loss = mean(½ d² where |d| ≤ delta, else delta (|d| − ½ delta)), d = x − target",
    .source = "Huber 1964; as torch.nn.HuberLoss",
    .doc = "A loss of regression that treats small errors as mse and large ones as l1, so that outliers do not rule.",
    .samples = (const hd_sample[]){{"f32[3]={0.5 1 3}, f32[3]={0 0 0} | reduction=none", "{0.125 0.5 2.5}"},
                                   {"f32[2]={1 3}, f32[2]={0 0} | delta=2", "{2.25}"},
                                   {"f32[4,5], f32[4,5]", NULL},
                                   {"f32[4,5], f32[4,5] | delta=0.5 reduction=none", NULL},
                                   {"f32[7], f32[7] | delta=3 reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | delta=0", "delta is"},
                                   {0}},
};

HD_BUILDER(huber, hd_huber_args)
