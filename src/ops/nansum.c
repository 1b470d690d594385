/* nansum.c: sum and mean of the elements that are numbers. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* s: sum, how many. */
static void add_number(double s[2], double v) {
    if (isnan(v)) return;
    s[0] += v;
    s[1] += 1;
}

HD_REDUCE_REF(nansum_ref, hd_reduce_args, double s[2] = {0}, add_number(s, (double)v), s[0])
HD_REDUCE_REF(nanmean_ref, hd_reduce_args, double s[2] = {0}, add_number(s, (double)v), s[0] / s[1])

/* d over x, 0 where x is NaN. */
static hd_val over_numbers(const hd_grad *c, hd_val d) {
    const hd_reduce_args *a = c->attr;
    const hd_val x = c->in[0], all = hd_broadcast_like(hd_keep_axes(d, x, &a->axes, a->keepdim), x);
    return hd_masked_fill(all, hd_isnan(x));
}

static void nansum_rule(hd_grad *c) {
    c->din[0] = over_numbers(c, c->dout[0]);
}

static void nanmean_rule(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    const hd_val ones = hd_masked_fill(hd_fill_like(c->in[0], .value = 1), hd_isnan(c->in[0]));
    c->din[0] = over_numbers(c, hd_div(c->dout[0], hd_sum(ones, .axes = a->axes, .keepdim = a->keepdim)));
}

#define NAN_BAD                                                                                                        \
    (const hd_bad_sample[]) {                                                                                          \
        {"f32[2,3] | axes=[2]", "axis 2 is out of range"}, {"i64[2]={1 2}", "f32 or f64"}, {                           \
            0                                                                                                          \
        }                                                                                                              \
    }

const hd_op hd_op_nansum = {
    HD_REDUCE_HEAD(nansum, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = hd_infer_reduce_float,
    .grad = nansum_rule,
    .ref = nansum_ref,
    .formula = "y = Σ x over the axes, NaN left out",
    .source = "as torch.nansum",
    .doc = "Sum over some axes, or over all, in which NaN counts as 0.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 nan 3 4}", "{8}"},
                                   {"f32[2,2]={1 nan nan nan} | axes=[1]", "{1 0}"},
                                   {"f32[2,3,4] | axes=[2,0] keepdim=true", NULL},
                                   {"f32[]", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[0,3] | axes=[0]", "{0 0 0}"},
                                   {0}},
    .bad = NAN_BAD,
};

const hd_op hd_op_nanmean = {
    HD_REDUCE_HEAD(nanmean, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = hd_infer_reduce_float,
    .grad = nanmean_rule,
    .ref = nanmean_ref,
    .formula = "y = mean of x over the axes, NaN left out",
    .source = "as torch.nanmean",
    .doc = "Mean over some axes, or over all, of the elements that are numbers; NaN where there is none.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 nan 3 5}", "{3}"},
                                   {"f32[2,2]={1 nan nan nan} | axes=[-1] keepdim=true", "{1 nan}"},
                                   {"f32[2,3,4] | axes=[2,0]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[0,3] | axes=[1]", NULL},
                                   {0}},
    .bad = NAN_BAD,
};

HD_BUILDER(nansum, hd_reduce_args)
HD_BUILDER(nanmean, hd_reduce_args)
