/* group_norm.c: normalisation of groups of channels of each sample, and its backward op. Knows nothing of backends. */
#include "ops/norm_kit.h"

/* x by groups, or a message; the type of the statistics. */
static hd_status group_infer(hd_infer *c, int64_t groups, hd_type *statistics) {
    const hd_dims *x = &c->in[0].dims;
    if (hd_need_by_channel(c, 0)) return HD_E_MODEL;
    if (x->dim[1] % groups)
        return hd_infer_fail(c, "%lld channels can not be divided into %lld groups", (long long)x->dim[1],
                             (long long)groups);
    *statistics = (hd_type){c->in[0].dtype, HD_DIMS(x->dim[0], groups)};
    return HD_OK;
}

static hd_status group_norm_infer(hd_infer *c) {
    const hd_group_norm_args *a = c->attr;
    if (group_infer(c, a->num_groups, &c->out[1])) return HD_E_MODEL;
    for (int i = 1; i < 3; i++)
        if (hd_infer_norm_weight(c, i, &HD_DIMS(c->in[0].dims.dim[1]))) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[2] = c->out[1];
    return HD_OK;
}

static void group_norm_ref(const hd_ref *r) {
    const hd_group_norm_args *a = r->attr;
    const hd_norm_rows z = hd_norm_group_rows(&r->in[0].dims, a->num_groups);
    hd_norm_ref(r, &z, true, a->eps);
}

/* ---- gradients, over x as [n, groups, channels of a group, …] ---- */

static hd_val in_groups(hd_val v, hd_val x, int64_t groups) {
    const hd_dims d = hd_val_dims(x);
    hd_dims to = HD_DIMS(d.dim[0], groups, d.dim[1] / groups, 1);
    for (int i = 2; i < d.rank; i++) to.dim[3] *= d.dim[i];
    return hd_val_is_none(v) ? v : hd_reshape(v, .dims = to);
}
/* [n, groups] → [n, groups, 1, 1]; [c] → [groups, channels of a group, 1] */
static hd_val of_groups(hd_val v) {
    const hd_dims d = hd_val_dims(v);
    return hd_val_is_none(v) ? v : hd_reshape(v, .dims = HD_DIMS(d.dim[0], d.dim[1], 1, 1));
}
static hd_val of_channels(hd_val v, int64_t groups) {
    if (hd_val_is_none(v)) return v;
    return hd_reshape(v, .dims = HD_DIMS(groups, hd_val_dims(v).dim[0] / groups, 1));
}

void hd_norm_group_rule(hd_grad *c, int64_t groups) {
    const hd_val x = c->in[0];
    if (c->needs[0] && !(hd_val_is_none(c->dout[1]) && hd_val_is_none(c->dout[2]))) {
        const hd_norm_view v = {.x = in_groups(x, x, groups),
                                .mean = of_groups(c->out[1]),
                                .invstd = of_groups(c->out[2]),
                                .axes = HD_DIMS(2, 3)};
        c->din[0] = hd_reshape_like(hd_norm_through_statistics(&v, of_groups(c->dout[1]), of_groups(c->dout[2])), x);
    }
    if (hd_val_is_none(c->dout[0])) return;
    const hd_val grad = hd_group_norm_grad(x, c->out[1], c->out[2], c->dout[0], c->n_in > 1 ? c->in[1] : (hd_val){0},
                                           .num_groups = groups);
    if (c->needs[0]) c->din[0] = hd_plus(grad, c->din[0]);
    for (int i = 1; i < c->n_in && i < 3; i++)
        if (c->needs[i]) c->din[i] = hd_output(grad, i);
}

static void group_norm_rule(hd_grad *c) {
    hd_norm_group_rule(c, ((const hd_group_norm_args *)c->attr)->num_groups);
}

static hd_status group_norm_grad_infer(hd_infer *c) {
    const hd_group_norm_grad_args *a = c->attr;
    hd_type statistics;
    if (group_infer(c, a->num_groups, &statistics)) return HD_E_MODEL;
    for (int i = 1; i < 3; i++)
        if (hd_infer_norm_statistics(c, i, &statistics)) return HD_E_MODEL;
    const hd_dims channels = HD_DIMS(c->in[0].dims.dim[1]);
    if (hd_need_same(c, 0, 3) || hd_infer_norm_weight(c, 4, &channels)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[1] = c->out[2] = (hd_type){c->in[0].dtype, channels};
    return HD_OK;
}

static void group_norm_grad_ref(const hd_ref *r) {
    const hd_group_norm_grad_args *a = r->attr;
    const hd_norm_rows z = hd_norm_group_rows(&r->in[0].dims, a->num_groups);
    hd_norm_grad_ref(r, &z, true);
}

static void group_norm_grad_rule(hd_grad *c) {
    const int64_t groups = ((const hd_group_norm_grad_args *)c->attr)->num_groups;
    const hd_val x = c->in[0];
    hd_norm_view v = {.x = in_groups(x, x, groups),
                      .mean = of_groups(c->in[1]),
                      .invstd = of_groups(c->in[2]),
                      .dy = in_groups(c->in[3], x, groups),
                      .axes = HD_DIMS(2, 3)};
    if (c->n_in > 4) v.w = of_channels(c->in[4], groups);
    const hd_norm_view d = hd_norm_second(&v, in_groups(c->dout[0], x, groups), of_channels(c->dout[1], groups),
                                          of_channels(c->dout[2], groups));
    const hd_val from[4] = {d.x, d.mean, d.invstd, d.dy};
    for (int i = 0; i < 4; i++)
        if (c->needs[i] && !hd_val_is_none(from[i])) c->din[i] = hd_reshape_like(from[i], c->in[i]);
    if (!hd_val_is_none(d.w)) c->din[4] = hd_reshape_like(hd_unbroadcast(d.w, v.w), c->in[4]);
}

/* ---- descriptors ---- */

#define GROUPS(args_)                                                                                                  \
    HD_OPTION(INT, args_, num_groups, .def = 1, .min = 1, .max = HD_MAX_WINDOW, .help = "groups of channels")

const hd_op hd_op_group_norm = {
    .name = "group_norm",
    .n_in = 1,
    .n_optional = 2,
    .n_out = 3,
    .in_names = HD_NAMES("x", "weight", "bias"),
    .out_names = HD_NAMES("y", "mean", "invstd"),
    .args_size = sizeof(hd_group_norm_args),
    .options = (const hd_option[]){GROUPS(hd_group_norm_args),
                                   HD_OPTION(FLOAT, hd_group_norm_args, eps, .def = 1e-5, .min = -1e30, .max = 1e30,
                                             .help = "added to the variance"),
                                   HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = group_norm_infer,
    .grad = group_norm_rule,
    .ref = group_norm_ref,
    .cost = hd_cost_norm,
    .formula = "y = (x − mean) / √(var + eps) · w + b, statistics of a group of channels of a sample, w b a channel",
    .source = "Wu, He: Group normalization, ECCV 2018; as torch.nn.functional.group_norm",
    .doc = "Brings groups of neighbouring channels of each sample to mean 0 and deviation 1, then scales and shifts "
           "every channel: x [n, c, …]; weight and bias [c]. With one group for each channel it is instance "
           "normalisation. It does not depend on the other samples of the batch.",
    .onnx = "GroupNormalization",
    .samples = (const hd_sample[]){{"f32[1,4]={1 3 10 10}, f32[4]={1 2 1 1}, f32[4]={0 0 5 6} | num_groups=2 eps=3",
                                    "{-0.5 1 5 6} {2 10} {0.5 0.5773502692}"},
                                   {"f32[1,2,2]={1 1 3 3} | eps=3", "{-0.5 -0.5 0.5 0.5} {2} {0.5}"},
                                   {"f32[3,6,5,5], f32[6]:pos, f32[6] | num_groups=3", NULL},
                                   {"f32[2,4,19], f32[4]:pos, f32[4] | num_groups=4", NULL},
                                   {"f32[2,4,3], -, f32[4] | num_groups=2 eps=0.1", NULL},
                                   {"f32[3,8], f32[8] | num_groups=2", NULL},
                                   {"f32[0,4,3] | num_groups=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,4,3] | num_groups=3", "4 channels can not be divided into 3 groups"},
                                   {"f32[2,4,3], f32[3]", "weight is [3], it must be [4]"},
                                   {"f32[4]", "must be [n, c, …]"},
                                   {0}},
};

const hd_op hd_op_group_norm_grad = {
    .name = "group_norm_grad",
    .n_in = 4,
    .n_optional = 1,
    .n_out = 3,
    .in_names = HD_NAMES("x", "mean", "invstd", "dy", "weight"),
    .out_names = HD_NAMES("dx", "dw", "db"),
    .args_size = sizeof(hd_group_norm_grad_args),
    .options = (const hd_option[]){GROUPS(hd_group_norm_grad_args), HD_OPTION_END},
    .infer = group_norm_grad_infer,
    .grad = group_norm_grad_rule,
    .ref = group_norm_grad_ref,
    .cost = hd_cost_norm_grad,
    .formula = "g = dy·w, dx = invstd (g − mean(g) − x̂ mean(g x̂)), dw = Σ dy x̂, db = Σ dy, x̂ = (x − mean)·invstd",
    .source = "derivative of group_norm",
    .doc = "Back-propagation through group_norm from the mean and 1/deviation that it saved.",
    .samples =
        (const hd_sample[]){{"f32[1,2,1]={1 3}, f32[1,1]={2}, f32[1,1]={0.5}, f32[1,2,1]={4 2}, f32[2]={1 3}",
                             "{-0.375 0.375} {-2 1} {4 2}"},
                            {"f32[3,6,5,5], f32[3,3], f32[3,3]:pos, f32[3,6,5,5], f32[6]:pos | num_groups=3", NULL},
                            {"f32[2,4,19], f32[2,4], f32[2,4]:pos, f32[2,4,19] | num_groups=4", NULL},
                            {"f32[3,8], f32[3,2], f32[3,2]:pos, f32[3,8], f32[8] | num_groups=2", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,4], f32[2,1], f32[2,1], f32[2,3]", "dy [2,3] must have the same shape"},
                                   {"f32[2,4], f32[2,2], f32[2,1], f32[2,4]", "mean is [2,2], it must be [2,1]"},
                                   {0}},
};

HD_BUILDER(group_norm, hd_group_norm_args)
HD_BUILDER(group_norm_grad, hd_group_norm_grad_args)
