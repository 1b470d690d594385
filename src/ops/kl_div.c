/* kl_div.c: Kullback-Leibler divergence. Knows nothing of backends. */
#include "ops/loss_kit.h"

static const char *const reductions[] = {"mean", "sum", "none", "batchmean", NULL};

/* t (ln t − x), where 0 ln 0 = 0. */
static double divergence(double x, double t, bool log_target) {
    if (log_target) return exp(t) * (t - x);
    return t > 0 ? t * (log(t) - x) : t == 0 ? 0 : (double)NAN;
}

HD_PAIR_LOSS_REF(kl_div_ref, hd_kl_div_args, divergence(x, t, a->log_target))
HD_LOSS_COST(kl_div_cost, 4)

static void kl_div_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1];
    const bool logs = ((const hd_kl_div_args *)c->attr)->log_target;
    const hd_val p = logs ? hd_exp(t) : t;
    hd_val dt = hd_sub(logs ? t : hd_log(t), x);
    dt = hd_affine(dt, .shift = 1);
    hd_loss_slopes(c, hd_neg(p), logs ? hd_mul(p, dt) : dt);
}

const hd_op hd_op_kl_div = {
    HD_LOSS_HEAD(kl_div, hd_kl_div_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_kl_div_args, log_target, .help = "target are logarithms too"),
                                   HD_OPTION(ENUM, hd_kl_div_args, reduction, .choices = reductions,
                                             .help = "mean, sum, none; batchmean: the sum over the batch's size"),
                                   HD_OPTION_END},
    HD_LOSS_RULES(kl_div),
    .formula = "loss = mean(target (ln target − x))",
    .source = "as torch.nn.KLDivLoss; Kullback, Leibler 1951",
    .doc = "How far the distribution whose logarithm is x lies from the distribution target. The mean is over all "
           "elements, as in PyTorch; the divergence itself is reduction=batchmean.",
    .samples =
        (const hd_sample[]){{"f32[2]={-0.6931471806 -0.6931471806}, f32[2]={1 0} | reduction=none", "{0.6931471806 0}"},
                            {"f32[2,2]={-1 -2 -3 -4}, f32[2,2]={1 0 0 1} | reduction=batchmean", "{2.5}"},
                            {"f32[2]={-1 -2}, f32[2]={0 0} | log_target=true", "{1.5}"},
                            {"f32[4,5], f32[4,5]:pos", NULL},
                            {"f32[4,5], f32[4,5]:pos | reduction=batchmean", NULL},
                            {"f32[2,3,2], f32[2,3,2] | log_target=true reduction=batchmean", NULL},
                            {"f32[6], f32[6]:pos | reduction=none", NULL},
                            {"f32[], f32[] | log_target=true reduction=sum", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | reduction=batch", "one of mean, sum, none, batchmean"},
                                   {0}},
};

HD_BUILDER(kl_div, hd_kl_div_args)
