/* logsumexp.c: ln Σ e^x over axes. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* The largest so far and Σ e^(x−largest), in one pass. */
typedef struct log_sum {
    double high, sum;
} log_sum;
static const log_sum nothing = {-INFINITY, 0};

/* What is infinite is not subtracted from itself. */
static void add_exp(log_sum *s, double v) {
    if (isnan(v))
        s->sum = v;
    else if (v <= s->high)
        s->sum += isinf(s->high) ? 0 : exp(v - s->high);
    else {
        s->sum = s->sum * exp(s->high - v) + 1;
        s->high = v;
    }
}
static double log_of(const log_sum *s) {
    return isinf(s->high) && !isnan(s->sum) ? s->high : s->high + log(s->sum);
}

HD_REDUCE_REF(logsumexp_ref, hd_reduce_args, log_sum s = nothing, add_exp(&s, (double)v), log_of(&s))

/* Each element's share of the sum. */
static void logsumexp_rule(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    const hd_val y = hd_keep_axes(c->out[0], c->in[0], &a->axes, a->keepdim);
    const hd_val dy = hd_keep_axes(c->dout[0], c->in[0], &a->axes, a->keepdim);
    c->din[0] = hd_mul(hd_exp_diff(c->in[0], y), dy);
}

const hd_op hd_op_logsumexp = {
    HD_REDUCE_HEAD(logsumexp, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = hd_infer_reduce_float,
    .grad = logsumexp_rule,
    .ref = logsumexp_ref,
    .formula = "y = ln Σ e^x over the axes",
    .source = "as torch.logsumexp",
    .doc = "Logarithm of the sum of exponentials over some axes, or over all, without overflow. Of nothing, or of −∞ "
           "alone, it is −∞.",
    .onnx = "ReduceLogSumExp",
    .samples = (const hd_sample[]){{"f32[2]={0 0}", "{0.6931471806}"},
                                   {"f32[2,2]={1000 1000 -1000 -inf} | axes=[1]", "{1000.6931471806 -1000}"},
                                   {"f32[2,2]={-inf -inf inf 1} | axes=[-1] keepdim=true", "{-inf inf}"},
                                   {"f32[3]={1 nan 2}", "{nan}"},
                                   {"f32[2,3,4] | axes=[1]", NULL},
                                   {"f32[2,3,4] | axes=[2,0] keepdim=true", NULL},
                                   {"f32[2,3,4] | axes=[-2,2]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[90,5,50] | axes=[1]", NULL},
                                   {"f32[0,2] | axes=[0]", "{-inf -inf}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"}, {"i64[2]", "f32 or f64"}, {0}},
};

HD_BUILDER(logsumexp, hd_reduce_args)
