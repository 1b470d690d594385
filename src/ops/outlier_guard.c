/* outlier_guard.c: leaves out a step whose gradient is much longer than usual. Knows nothing of backends. */
#include "ops/op_kit.h"
#include "ops/optim_kit.h"

enum { COUNT, MEAN, VARIANCE, SKIPPED, MEMBERS };

static hd_status outlier_guard_infer(hd_infer *c) {
    const hd_outlier_guard_args *a = c->attr;
    const hd_type *s = &c->in[0];
    if (s->dtype != HD_F64 || s->dims.rank != 1 || s->dims.dim[0] != MEMBERS)
        return hd_infer_fail(c, "state must be f64 [4]: count, mean, variance, left out");
    if (hd_need_scalar(c, 1, HD_F64) || hd_need_float(c, 2) || hd_need_scalar(c, 2, c->in[2].dtype) ||
        hd_need_hyper(c, 3, 2))
        return HD_E_MODEL;
    c->out[0] = *s;
    c->out[1] = c->in[2];
    return a->limit > 0 ? HD_OK : hd_infer_fail(c, "limit must be greater than 0");
}

/* The first 50 norms count alike, later ones fade. What is left out counts as the limit that it passed, so that a
 * lasting change is followed in the end. */
static void outlier_guard_ref(const hd_ref *r) {
    const hd_outlier_guard_args *a = r->attr;
    const double *was = r->in[0].data, *hyper = r->in[3].data, scale = hd_get(&r->in[2], 0);
    double *state = r->out[0].data, norm = hd_get(&r->in[1], 0);
    if (state != was) memcpy(state, was, MEMBERS * sizeof *state);
    hd_set(&r->out[1], 0, scale);
    if (hyper[HD_HYPER_SHARE] == 0) return; /* gradients are being added up */
    const double width = fmax(sqrt(state[VARIANCE]), 0.01 * state[MEAN]), limit = state[MEAN] + a->limit * width;
    const bool known = state[COUNT] >= 20, odd = !isfinite(norm) || (known && norm > limit);
    if (odd) {
        hd_set(&r->out[1], 0, -1);
        state[SKIPPED]++;
        if (!known) return;
        norm = limit;
    }
    const double share = 1 / fmin(++state[COUNT], 50), off = norm - state[MEAN];
    state[MEAN] += share * off;
    state[VARIANCE] = (1 - share) * (state[VARIANCE] + share * off * off);
}

const hd_op hd_op_outlier_guard = {
    .name = "outlier_guard",
    .n_in = 4,
    .n_out = 2,
    .in_names = HD_NAMES("state", "norm", "scale", "hyper"),
    .out_names = HD_NAMES("state", "scale"),
    .args_size = sizeof(hd_outlier_guard_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_outlier_guard_args, limit, .min = 0, .max = 1e30,
                                             .help = "deviations above the mean from which a step is left out"),
                                   HD_OPTION_END},
    .flags = HD_OP_EFFECT,
    .infer = outlier_guard_infer,
    .no_grad_reason = "it acts after the step that is differentiated",
    .ref = outlier_guard_ref,
    .cost = hd_cost_none,
    .alias = {1},
    .formula = "scale ← norm > mean + limit·deviation ? −1 : scale",
    .source = "z-score of the gradient norm, with a running mean and variance",
    .doc =
        "Watches the norm of the gradient. Where it is no number, or lies more than `limit` deviations above the "
        "running "
        "mean of the norms so far (after the first 20), the scale becomes −1: updates leave everything as it is. state "
        "is f64 [4]: norms seen, their mean, their variance, steps left out; the deviation is taken as at least a "
        "hundredth of the mean.",
    .samples =
        (const hd_sample[]){
            {"f64[4]={30 2 0.25 1}, f64[]={3}, f32[]={0.5}, f64[5]={0 0 0 1 1} | limit=3",
             "{31 2.03225806 0.27315297 1} {0.5}"},
            {"f64[4]={49 2 0.25 1}, f64[]={30}, f32[]={0.5}, f64[5]={0 0 0 1 1} | limit=2", "{50 2.02 0.2646 2} {-1}"},
            {"f64[4]={3 2 0.25 0}, f64[]={2}, f32[]={0.5}, f64[5]={0 0 0 1 1} | limit=2", "{4 2 0.1875 0} {0.5}"},
            {"f64[4]={49 2 0.25 1}, f64[]={30}, f32[]={0.5}, f64[5]={0 0 0 1 0} | limit=2", "{49 2 0.25 1} {0.5}"},
            {0}},
    .bad = (const hd_bad_sample[]){{"f64[3], f64[], f32[], f64[5]={0 0 0 1 1} | limit=2", "state must be f64 [4]"},
                                   {"f64[4], f64[], f32[], f64[5]={0 0 0 1 1}", "limit must be greater than 0"},
                                   {0}},
};

HD_BUILDER(outlier_guard, hd_outlier_guard_args)
