/* logit.c: y = ln(x / (1 − x)), the inverse of the sigmoid. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* Near ½ by the area tangent, which loses no digits there. */
static double logit(const hd_logit_args *o, double x) {
    double p = x;
    if (o->eps >= 0) p = x < o->eps ? o->eps : x > 1 - o->eps ? 1 - o->eps : x;
    return p > 0.25 && p < 0.75 ? 2 * atanh(2 * p - 1) : log(p / (1 - p));
}

static hd_val rule(const hd_logit_args *o, hd_val x, hd_val dy) {
    const hd_val dx = hd_div(dy, hd_sub(x, hd_square(x)));
    if (o->eps < 0) return dx;
    return hd_band_grad(x, dx, .low = hd_explicit(o->eps), .high = hd_explicit(1 - o->eps), .closed = true);
}

HD_OPTION_OP(logit, 0, logit(o, x), rule(o, x, dy),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_logit_args, eps, .def = -1, .min = -1, .max = 0.5,
                                                      .help = "x is held between eps and 1 − eps; below 0: not held"),
                                            HD_OPTION_END},
             .formula = "y = ln(x / (1 − x))", .source = "as torch.logit",
             .doc = "The logarithm of the odds: the inverse of sigmoid. NaN outside 0 … 1, unless eps holds x inside.",
             .samples = (const hd_sample[]){{"f32[3]={0.5 0.9 0.25}", "{0 2.1972245773 -1.0986122887}"},
                                            {"f32[2]={-1 1} | eps=0.1", "{-2.1972245773 2.1972245773}"},
                                            {"f32[0,3]", NULL},
                                            {"f32[]={0.3}", NULL},
                                            {"f32[5]={0.05 0.3 0.5 0.7 0.97}", NULL},
                                            {"f32[5]={0.05 0.3 0.5 0.7 0.97} | eps=0.1", NULL},
                                            {0}})
