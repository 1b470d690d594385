/* instance_norm.c: normalisation of every channel of each sample, with running statistics (an op) or without (a
 * builder). Knows nothing of backends. */
#include "ops/norm_kit.h"

static hd_status running_infer(hd_infer *c) {
    const hd_batch_norm_args *a = c->attr;
    if (hd_need_by_channel(c, 4)) return HD_E_MODEL;
    if (c->in[0].dims.dim[1] < 1) return hd_infer_fail(c, "x must have a channel at least");
    if (a->act != HD_ACT_NONE) return hd_infer_fail(c, "act must be none");
    c->out[0] = c->in[0];
    c->out[1] = c->out[2] = (hd_type){c->in[0].dtype, HD_DIMS(c->in[0].dims.dim[0], c->in[0].dims.dim[1])};
    c->out[3] = c->out[4] = c->in[1];
    return HD_OK;
}

/* The running statistics move towards the mean over the samples of the means, and of the unbiased variances. */
static void running_ref(const hd_ref *r) {
    const hd_batch_norm_args *a = r->attr;
    const hd_norm_rows z = hd_norm_group_rows(&r->in[0].dims, r->in[0].dims.dim[1]);
    const double m = (double)z.m, unbias = m > 1 ? m / (m - 1) : 1, n = (double)r->in[0].dims.dim[0];
    hd_norm_ref(r, &z, true, a->eps);
    HD_FLOATS(
        r->out[0].dtype, for (int64_t c = 0; c < z.groups; c++) {
            double mean = 0, var = 0;
            for (int64_t i = c; i < z.rows; i += z.groups) {
                const double s = (double)((const T *)r->out[2].data)[i];
                mean += (double)((const T *)r->out[1].data)[i] / n;
                var += (1 / (s * s) - a->eps) * unbias / n;
            }
            const double old_mean = (double)((const T *)r->in[3].data)[c];
            const double old_var = (double)((const T *)r->in[4].data)[c];
            ((T *)r->out[3].data)[c] = (T)((1 - a->momentum) * old_mean + a->momentum * mean);
            ((T *)r->out[4].data)[c] = (T)((1 - a->momentum) * old_var + a->momentum * var);
        })
}

/* As group_norm with a group a channel; the running statistics are a record, no gradient flows into them. */
static void running_rule(hd_grad *c) {
    hd_norm_group_rule(c, hd_val_dims(c->in[0]).dim[1]);
}

const hd_op hd_op_instance_norm = {
    HD_NORM_RUNNING_HEAD(instance_norm),
    .infer = running_infer,
    .grad = running_rule,
    .ref = running_ref,
    .cost = hd_cost_norm,
    .formula = "y = (x − mean) / √(var + eps) · w + b, statistics of a channel of a sample",
    .source = "Ulyanov, Vedaldi, Lempitsky: Instance normalization, arXiv:1607.08022; as torch.nn.InstanceNorm2d with "
              "track_running_stats",
    .doc = "Brings every channel of every sample to mean 0 and deviation 1, then scales and shifts it: x [n, c, …]; "
           "weight, bias and running statistics [c], which move by `momentum` towards the mean over the samples, for "
           "use outside training. Without running statistics it is group_norm with a group for each channel.",
    .samples = (const hd_sample[]){{"f32[2,1,2]={1 3 4 4}, f32[1]={2}, f32[1]={1}, f32[1]={10}, f32[1]={5} | eps=3",
                                    "{0 2 1 1} {2 4} {0.5 0.5773502692} {9.3} {4.6}"},
                                   {"f32[3,4,5,5], f32[4]:pos, f32[4], f32[4], f32[4]:pos | momentum=0.3", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,5], f32[4], f32[3], f32[3], f32[3]", "weight is [4]"},
                                   {"f32[2,0,5], f32[0], f32[0], f32[0], f32[0]", "x must have a channel at least"},
                                   {"f32[4,3], f32[3], f32[3], f32[3], f32[3] | act=relu", "act must be none"},
                                   {0}},
};

hd_val hd_instance_norm_at(hd_loc at, const hd_instance_norm_args *a) {
    if (!hd_val_is_none(a->running_mean) || !hd_val_is_none(a->running_var)) {
        const hd_batch_norm_args args = {.x = a->x,
                                         .w = a->w,
                                         .b = a->b,
                                         .running_mean = a->running_mean,
                                         .running_var = a->running_var,
                                         .eps = a->eps,
                                         .momentum = a->momentum};
        return hd_node_add(at, &hd_op_instance_norm, &args);
    }
    const hd_dims dims = hd_val_dims(a->x);
    const int64_t channels = dims.rank > 1 && dims.dim[1] > 0 ? dims.dim[1] : 1; /* group_norm says what is wrong */
    const hd_group_norm_args args = {.x = a->x, .w = a->w, .b = a->b, .num_groups = channels, .eps = a->eps};
    return hd_group_norm_at(at, &args);
}
