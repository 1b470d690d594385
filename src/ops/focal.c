/* focal.c: binary cross-entropy in which what is already right hardly counts. Knows nothing of backends. */
#include "ops/loss_kit.h"

static double focal_of(const hd_focal_args *a, double x, double t) {
    const double s = 1 / (1 + exp(-x)), off = s * (1 - t) + (1 - s) * t;
    const double loss = (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x)));
    return (a->alpha >= 0 ? a->alpha * t + (1 - a->alpha) * (1 - t) : 1) * pow(off, a->gamma) * loss;
}

HD_PAIR_LOSS_REF(focal_ref, hd_focal_args, focal_of(a, x, t))
HD_LOSS_COST(focal_cost, 12)

/* off^power; log of 0 is −∞, whose exponential is 0 again. */
static hd_val power_of(hd_val off, double power) {
    if (power == 0) return hd_fill_like(off, .value = 1);
    if (power == 1) return off;
    return power == 2 ? hd_mul(off, off) : hd_exp(hd_affine(hd_log(off), .scale = power));
}

/* With s = σ(x), off = s (1−t) + (1−s) t, α = alpha t + (1−alpha)(1−t), l = bce: the product rule over α off^gamma l,
 * where doff/dx = (1 − 2t) s (1−s), doff/dt = 1 − 2s, dl/dx = s − t, dl/dt = −x. */
static void focal_rule(hd_grad *c) {
    const hd_focal_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1], s = hd_sigmoid(x), each = hd_loss_each(c);
    const hd_val turn = hd_affine(t, .scale = -2, .shift = 1), off = hd_add(hd_mul(s, turn), t);
    const hd_val loss = hd_bce_with_logits(x, t, .reduction = HD_REDUCE_NONE), strong = power_of(off, a->gamma);
    const hd_val steep = hd_affine(hd_mul(power_of(off, a->gamma - 1), loss), .scale = hd_explicit(a->gamma));
    const hd_val alpha = a->alpha >= 0 ? hd_affine(t, .scale = hd_explicit(2 * a->alpha - 1), .shift = 1 - a->alpha)
                                       : hd_fill_like(t, .value = 1);
    if (c->needs[0]) {
        const hd_val through_off = hd_mul(hd_mul(steep, turn), hd_mul(s, hd_affine(s, .scale = -1, .shift = 1)));
        const hd_val dx = hd_add(through_off, hd_mul(strong, hd_sub(s, t)));
        c->din[0] = hd_mul(hd_mul(alpha, dx), each);
    }
    if (!c->needs[1]) return;
    const hd_val dt = hd_sub(hd_mul(steep, hd_affine(s, .scale = -2, .shift = 1)), hd_mul(strong, x));
    hd_val all = hd_mul(alpha, dt);
    if (a->alpha >= 0) all = hd_add(all, hd_affine(hd_mul(strong, loss), .scale = hd_explicit(2 * a->alpha - 1)));
    c->din[1] = hd_mul(all, each);
}

const hd_op hd_op_focal = {
    HD_LOSS_HEAD(focal, hd_focal_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_focal_args, alpha, .def = 0.25, .min = -1, .max = 1,
                                             .help = "share of yes; negative: both count the same"),
                                   HD_OPTION(FLOAT, hd_focal_args, gamma, .def = 2, .min = 0, .max = 1e6,
                                             .help = "how little counts what is already right; 0: all the same"),
                                   HD_REDUCTION(hd_focal_args), HD_OPTION_END},
    HD_LOSS_RULES(focal),
    .formula = "loss = −mean(α (1 − p)^gamma ln p), p = σ(x) or 1 − σ(x), α = alpha or 1 − alpha as target is 1 or 0",
    .source = "Lin, Goyal, Girshick, He, Dollár: Focal loss for dense object detection, 2017, equation 5",
    .doc = "Binary cross-entropy of logits where easy elements hardly count, for a yes that is rare: target 0 or 1 of "
           "x's shape. Targets between are mixed linearly.",
    .samples = (const hd_sample[]){{"f32[2]={0 0}, f32[2]={1 0} | reduction=none", "{0.04332169878 0.1299650964}"},
                                   {"f32[1]={0}, f32[1]={1} | gamma=0 alpha=-1", "{0.6931471806}"},
                                   {"f32[2]={1000 -1000}, f32[2]={1 0} | reduction=sum", "{0}"},
                                   {"f32[4,5], f32[4,5]:bool", NULL},
                                   {"f32[6], f32[6]={1 0 0.25 1 0 0.5} | alpha=0.6 gamma=1.5 reduction=none", NULL},
                                   {"f32[6], f32[6]={1 0 0.25 1 0 0.5} | alpha=-1 gamma=1 reduction=sum", NULL},
                                   {"f32[6], f32[6]={1 0 0.25 1 0 0.5} | gamma=0", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | gamma=-1", "gamma is -1"},
                                   {0}},
};

HD_BUILDER(focal, hd_focal_args)
