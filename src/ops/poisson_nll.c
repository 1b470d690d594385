/* poisson_nll.c: negative log-likelihood of counts. Knows nothing of backends. */
#include "ops/loss_kit.h"

static const char *const yes_no[] = {"true", "false", NULL};
static const double pi = 3.14159265358979323846;

static double poisson(const hd_poisson_nll_args *a, double x, double t) {
    const double loss = a->log_input == HD_OFF ? x - t * log(x + a->eps) : exp(x) - t * x;
    return a->full && t > 1 ? loss + t * log(t) - t + 0.5 * log(2 * pi * t) : loss;
}

HD_PAIR_LOSS_REF(poisson_nll_ref, hd_poisson_nll_args, poisson(a, x, t))
HD_LOSS_COST(poisson_nll_cost, 4)

/* Of rates: dx = 1 − t/(x + eps), dt = −ln(x + eps); of logarithms: dx = e^x − t, dt = −x. Stirling's term adds
 * ln t + 1/(2t) where t > 1. */
static void poisson_nll_rule(hd_grad *c) {
    const hd_poisson_nll_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1], each = hd_loss_each(c);
    const hd_val rate = a->log_input == HD_OFF ? hd_affine(x, .shift = hd_explicit(a->eps)) : x;
    if (c->needs[0]) {
        const hd_val dx =
            a->log_input == HD_OFF ? hd_affine(hd_div(t, rate), .scale = -1, .shift = 1) : hd_sub(hd_exp(x), t);
        c->din[0] = hd_mul(dx, each);
    }
    if (!c->needs[1]) return;
    hd_val dt = hd_neg(a->log_input == HD_OFF ? hd_log(rate) : x);
    if (a->full) {
        const hd_val half = hd_div(hd_fill_like(t, .value = 0.5), t);
        dt = hd_add(dt, hd_relu_grad(hd_affine(t, .shift = -1), hd_add(hd_log(t), half)));
    }
    c->din[1] = hd_mul(dt, each);
}

const hd_op hd_op_poisson_nll = {
    HD_LOSS_HEAD(poisson_nll, hd_poisson_nll_args),
    .options = (const hd_option[]){HD_OPTION(ENUM, hd_poisson_nll_args, log_input, .choices = yes_no,
                                             .help = "x is the logarithm of the rate; false: the rate"),
                                   HD_OPTION(BOOL, hd_poisson_nll_args, full, .help = "add Stirling's term for ln t!"),
                                   HD_EPS(hd_poisson_nll_args, 1e-8, "added to a rate before its logarithm"),
                                   HD_REDUCTION(hd_poisson_nll_args), HD_OPTION_END},
    HD_LOSS_RULES(poisson_nll),
    .formula = "loss = mean(e^x − target·x); of a rate: mean(x − target ln(x + eps))",
    .source = "as torch.nn.PoissonNLLLoss",
    .doc = "The loss of counts: target is how often something happened, x the logarithm of how often it was expected. "
           "full adds t ln t − t + ½ ln(2πt) for targets above 1, which changes no gradient of x.",
    .samples =
        (const hd_sample[]){{"f32[2]={0 1}, f32[2]={3 1} | reduction=none", "{1 1.718281828}"},
                            {"f32[2]={1 2}, f32[2]={3 1} | log_input=false eps=0 reduction=sum", "{2.306852819}"},
                            {"f32[]={0}, f32[]={2} | full=true", "{1.651806485}"},
                            {"f32[4,5], f32[4,5]:pos", NULL},
                            {"f32[6]:pos, f32[6]:pos | log_input=false full=true reduction=none", NULL},
                            {"f32[2,3], f32[2,3]={0.5 2 3 0.7 4 1.5} | full=true reduction=sum", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], f32[6] | log_input=maybe", "one of true, false"},
                                   {0}},
};

HD_BUILDER(poisson_nll, hd_poisson_nll_args)
