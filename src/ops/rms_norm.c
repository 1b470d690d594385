/* rms_norm.c: root mean square normalisation over the last axes, and its backward op. Knows nothing of backends. */
#include "ops/norm_kit.h"

static hd_status rms_norm_infer(hd_infer *c) {
    hd_rms_norm_args *a = c->attr;
    if (hd_infer_norm_shape(c, 1, &a->normalized_shape, &c->out[1])) return HD_E_MODEL;
    if (hd_infer_norm_weight(c, 1, &a->normalized_shape)) return HD_E_MODEL;
    if (a->eps == 0 && !signbit(a->eps)) a->eps = c->in[0].dtype == HD_F64 ? 0x1p-52 : 0x1p-23;
    c->out[0] = c->in[0];
    return HD_OK;
}

static void rms_norm_ref(const hd_ref *r) {
    const hd_rms_norm_args *a = r->attr;
    const hd_norm_rows z = hd_norm_last_rows(&r->in[0].dims, &a->normalized_shape);
    hd_norm_ref(r, &z, false, a->eps);
}

static void rms_norm_rule(hd_grad *c) {
    const hd_rms_norm_args *a = c->attr;
    const hd_norm_view v = {
        .x = c->in[0], .invstd = c->out[1], .axes = hd_norm_last_axes(c->in[0], &a->normalized_shape)};
    if (c->needs[0]) c->din[0] = hd_norm_through_statistics(&v, (hd_val){0}, c->dout[1]);
    if (hd_val_is_none(c->dout[0])) return;
    const hd_val grad = hd_rms_norm_grad(v.x, v.invstd, c->dout[0], c->n_in > 1 ? c->in[1] : (hd_val){0},
                                         .normalized_shape = a->normalized_shape);
    if (c->needs[0]) c->din[0] = hd_plus(grad, c->din[0]);
    if (c->n_in > 1 && c->needs[1]) c->din[1] = hd_output(grad, 1);
}

const hd_op hd_op_rms_norm = {
    .name = "rms_norm",
    .n_in = 1,
    .n_optional = 1,
    .n_out = 2,
    .in_names = HD_NAMES("x", "weight"),
    .out_names = HD_NAMES("y", "invrms"),
    .args_size = sizeof(hd_rms_norm_args),
    .options = (const hd_option[]){HD_NORM_SHAPE_OPTION(hd_rms_norm_args),
                                   HD_OPTION(FLOAT, hd_rms_norm_args, eps, .min = 0, .max = 1e30,
                                             .help = "added to the mean square; default: the machine's epsilon"),
                                   HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = rms_norm_infer,
    .grad = rms_norm_rule,
    .ref = rms_norm_ref,
    .cost = hd_cost_norm,
    .formula = "y = x / √(mean x² + eps) · w, the mean over the last axes of each sample",
    .source = "Zhang, Sennrich: Root mean square layer normalization, NeurIPS 2019; as torch.nn.functional.rms_norm",
    .doc = "Layer normalisation without the mean: scales the last axes of x to a root mean square of 1.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 7}, f32[2]={5 10}", "{1 14} {0.2}"},
                                   {"f32[2,2]={0 0 3 3} | eps=7", "{0 0 0.75 0.75} {0.3779644730 0.25}"},
                                   {"f32[3,17], f32[17]:pos", NULL},
                                   {"f32[2,3,5], f32[3,5]:pos | normalized_shape=[3,5] eps=0.1", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3] | normalized_shape=4", "x [4,3] does not end in it"},
                                   {"f32[4,3] | eps=-1", "eps is -1"},
                                   {0}},
};

static hd_status rms_norm_grad_infer(hd_infer *c) {
    return hd_infer_norm_last_grad(c, &((hd_rms_norm_grad_args *)c->attr)->normalized_shape, 2);
}

static void rms_norm_grad_ref(const hd_ref *r) {
    const hd_rms_norm_grad_args *a = r->attr;
    const hd_norm_rows z = hd_norm_last_rows(&r->in[0].dims, &a->normalized_shape);
    hd_norm_grad_ref(r, &z, false);
}

static void rms_norm_grad_rule(hd_grad *c) {
    hd_norm_last_grad_rule(c, &((const hd_rms_norm_grad_args *)c->attr)->normalized_shape, false);
}

const hd_op hd_op_rms_norm_grad = {
    .name = "rms_norm_grad",
    .n_in = 3,
    .n_optional = 1,
    .n_out = 2,
    .in_names = HD_NAMES("x", "invrms", "dy", "weight"),
    .out_names = HD_NAMES("dx", "dw"),
    .args_size = sizeof(hd_rms_norm_grad_args),
    .options = (const hd_option[]){HD_NORM_SHAPE_OPTION(hd_rms_norm_grad_args), HD_OPTION_END},
    .infer = rms_norm_grad_infer,
    .grad = rms_norm_grad_rule,
    .ref = rms_norm_grad_ref,
    .cost = hd_cost_norm_grad,
    .formula = "g = dy·w, dx = invrms (g − x̂ mean(g x̂)), dw = Σ dy x̂, x̂ = x·invrms",
    .source = "derivative of rms_norm",
    .doc = "Back-propagation through rms_norm from the 1/root mean square that it saved.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 7}, f32[1,1]={0.2}, f32[1,2]={5 5}, f32[2]={1 2}", "{0.7 -0.1} {1 7}"},
                                   {"f32[3,17], f32[3,1]:pos, f32[3,17], f32[17]", NULL},
                                   {"f32[2,3,33], f32[2,3,1]:pos, f32[2,3,33]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[4,1], f32[4,2]", "dy [4,2] must have the same shape"}, {0}},
};

HD_BUILDER(rms_norm, hd_rms_norm_args)
HD_BUILDER(rms_norm_grad, hd_rms_norm_grad_args)
