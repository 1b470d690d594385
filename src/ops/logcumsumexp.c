/* logcumsumexp.c: running ln Σ e^x along an axis. Knows nothing of backends. */
#include "ops/scan_kit.h"

/* ln(e^a + e^b) without overflow; −∞ stands for a sum of nothing. */
static double log_add(double a, double b) {
    const double high = fmax(a, b), low = fmin(a, b);
    if (isnan(a) || isnan(b)) return (double)NAN;
    return isinf(high) ? high : high + log1p(exp(low - high));
}

static void logcumsumexp_ref(const hd_ref *r) {
    const hd_scan_args *a = r->attr;
    HD_FLOATS(r->out[0].dtype, HD_SCAN_LOOP(double sum = -INFINITY, sum = log_add(sum, (double)x[at]), sum))
}

/* dxₖ = Σ dyᵢ e^(xₖ−yᵢ) over i ≥ k = e^(xₖ−yₖ) Rₖ with Rₖ = dyₖ + e^(yₖ−yₖ₊₁) Rₖ₊₁: y never falls, so nothing
 * overflows. */
static void logcumsumexp_rule(hd_grad *c) {
    const hd_scan_args *a = c->attr;
    const hd_val y = c->out[0];
    const hd_val next = hd_shift(y, .axis = a->axis, .by = a->reverse ? 1 : -1, .value = (double)INFINITY);
    const hd_val sums = hd_linear_recurrence(hd_exp_diff(y, next), c->dout[0], .axis = a->axis, .reverse = !a->reverse);
    c->din[0] = hd_mul(hd_exp_diff(c->in[0], y), sums);
}

const hd_op hd_op_logcumsumexp = {
    HD_SCAN_HEAD(logcumsumexp),
    .infer = hd_infer_scan_float,
    .grad = logcumsumexp_rule,
    .ref = logcumsumexp_ref,
    .formula = "yᵢ = ln Σ e^xⱼ over j ≤ i along the axis (j ≥ i with reverse)",
    .source = "as torch.logcumsumexp",
    .doc = "Running logarithm of the sum of exponentials along an axis (the last, if not said), without overflow.",
    .samples = (const hd_sample[]){{"f32[3]={0 0 0}", "{0 0.6931471806 1.0986122887}"},
                                   {"f32[3]={1000 -inf 1000}", "{1000 1000 1000.6931471806}"},
                                   {"f32[2]={-inf -inf} | reverse=true", "{-inf -inf}"},
                                   {"f32[2,3,4] | axis=1", NULL},
                                   {"f32[2,3] | axis=-2 reverse=true", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=2", "does not have the axis"}, {"i64[2]", "f32 or f64"}, {0}},
};

HD_BUILDER(logcumsumexp, hd_scan_args)
