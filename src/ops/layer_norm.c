/* layer_norm.c: layer normalisation over the last axes, and its backward op. Knows nothing of backends. */
#include "ops/norm_kit.h"

static hd_status layer_norm_infer(hd_infer *c) {
    hd_layer_norm_args *a = c->attr;
    if (hd_infer_norm_shape(c, hd_absent(c, 1) ? 2 : 1, &a->normalized_shape, &c->out[1])) return HD_E_MODEL;
    for (int i = 1; i < 3; i++)
        if (hd_infer_norm_weight(c, i, &a->normalized_shape)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[2] = c->out[1];
    return HD_OK;
}

static void layer_norm_ref(const hd_ref *r) {
    const hd_layer_norm_args *a = r->attr;
    const hd_norm_rows z = hd_norm_last_rows(&r->in[0].dims, &a->normalized_shape);
    hd_norm_ref(r, &z, true, a->eps);
}

static void layer_norm_rule(hd_grad *c) {
    const hd_layer_norm_args *a = c->attr;
    const hd_norm_view v = {.x = c->in[0],
                            .mean = c->out[1],
                            .invstd = c->out[2],
                            .axes = hd_norm_last_axes(c->in[0], &a->normalized_shape)};
    if (c->needs[0]) c->din[0] = hd_norm_through_statistics(&v, c->dout[1], c->dout[2]);
    if (hd_val_is_none(c->dout[0])) return;
    const hd_val grad = hd_layer_norm_grad(v.x, v.mean, v.invstd, c->dout[0], c->n_in > 1 ? c->in[1] : (hd_val){0},
                                           .normalized_shape = a->normalized_shape);
    if (c->needs[0]) c->din[0] = hd_plus(grad, c->din[0]);
    for (int i = 1; i < c->n_in; i++)
        if (c->needs[i]) c->din[i] = hd_output(grad, i);
}

const hd_op hd_op_layer_norm = {
    .name = "layer_norm",
    .n_in = 1,
    .n_optional = 2,
    .n_out = 3,
    .in_names = HD_NAMES("x", "weight", "bias"),
    .out_names = HD_NAMES("y", "mean", "invstd"),
    .args_size = sizeof(hd_layer_norm_args),
    .options = (const hd_option[]){HD_NORM_SHAPE_OPTION(hd_layer_norm_args),
                                   HD_OPTION(FLOAT, hd_layer_norm_args, eps, .def = 1e-5, .min = -1e30, .max = 1e30,
                                             .help = "added to the variance"),
                                   HD_OPTION_END},
    .flags = HD_OP_INPLACE,
    .infer = layer_norm_infer,
    .grad = layer_norm_rule,
    .ref = layer_norm_ref,
    .cost = hd_cost_norm,
    .formula = "y = (x − mean) / √(var + eps) · w + b, statistics over the last axes of each sample",
    .source = "Ba, Kiros, Hinton: Layer normalization, arXiv:1607.06450; as torch.nn.functional.layer_norm",
    .doc =
        "Brings the last axes of x to mean 0 and deviation 1, for each place before them on its own, then scales and "
        "shifts by weight and bias of the sizes of these axes. It does not depend on the other samples of the "
        "batch, and is the same in training and afterwards.",
    .onnx = "LayerNormalization",
    .samples =
        (const hd_sample[]){
            {"f32[2,2]={1 3 4 4}, f32[2]={2 1}, f32[2]={1 0} | eps=0.0000001", "{-1 1 1 0} {2 4} {1 3162.277660168}"},
            {"f32[1,4]={1 3 5 7} | eps=4", "{-1 -0.3333333333 0.3333333333 1} {4} {0.3333333333}"},
            {"f32[2,1,2]={1 3 5 7} | normalized_shape=[1,2] eps=3", "{-0.5 0.5 -0.5 0.5} {2 6} {0.5 0.5}"},
            {"f32[3,17], f32[17]:pos, f32[17]", NULL},
            {"f32[2,3,33], f32[33]", NULL},
            {"f32[2,3,5], -, f32[3,5]", NULL},
            {"f32[4,3,5], f32[3,5]:pos, f32[3,5] | eps=0.1", NULL},
            {"f32[0,3]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[4]", "normalized_shape is [4], x [4,3] does not end in it"},
                                   {"f32[4,3], f32[3], f32[4]", "bias is [4], it must be [3]"},
                                   {"f32[]", "no axis to normalise over"},
                                   {"i64[3]={1 2 3}", "cast it first"},
                                   {0}},
};

/* ---- its gradient ---- */

static hd_status layer_norm_grad_infer(hd_infer *c) {
    return hd_infer_norm_last_grad(c, &((hd_layer_norm_grad_args *)c->attr)->normalized_shape, 3);
}

static void layer_norm_grad_ref(const hd_ref *r) {
    const hd_layer_norm_grad_args *a = r->attr;
    const hd_norm_rows z = hd_norm_last_rows(&r->in[0].dims, &a->normalized_shape);
    hd_norm_grad_ref(r, &z, true);
}

static void layer_norm_grad_rule(hd_grad *c) {
    hd_norm_last_grad_rule(c, &((const hd_layer_norm_grad_args *)c->attr)->normalized_shape, true);
}

const hd_op hd_op_layer_norm_grad = {
    .name = "layer_norm_grad",
    .n_in = 4,
    .n_optional = 1,
    .n_out = 3,
    .in_names = HD_NAMES("x", "mean", "invstd", "dy", "weight"),
    .out_names = HD_NAMES("dx", "dw", "db"),
    .args_size = sizeof(hd_layer_norm_grad_args),
    .options = (const hd_option[]){HD_NORM_SHAPE_OPTION(hd_layer_norm_grad_args), HD_OPTION_END},
    .infer = layer_norm_grad_infer,
    .grad = layer_norm_grad_rule,
    .ref = layer_norm_grad_ref,
    .cost = hd_cost_norm_grad,
    .formula = "g = dy·w, dx = invstd (g − mean(g) − x̂ mean(g x̂)), dw = Σ dy x̂, db = Σ dy, x̂ = (x − mean)·invstd",
    .source = "derivative of layer_norm",
    .doc = "Back-propagation through layer_norm from the mean and 1/deviation that it saved.",
    .samples = (const hd_sample[]){{"f32[1,2]={1 3}, f32[1,1]={2}, f32[1,1]={0.5}, f32[1,2]={4 2}, f32[2]={1 3}",
                                    "{-0.375 0.375} {-2 1} {4 2}"},
                                   {"f32[3,17], f32[3,1], f32[3,1]:pos, f32[3,17], f32[17]", NULL},
                                   {"f32[2,3,33], f32[2,3,1], f32[2,3,1]:pos, f32[2,3,33]", NULL},
                                   {"f32[4,3,5], f32[4,1,1], f32[4,1,1]:pos, f32[4,3,5], f32[3,5]", NULL},
                                   {"f32[0,3], f32[0,1], f32[0,1], f32[0,3]", "{} {0 0 0} {0 0 0}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3], f32[4,1], f32[4,1], f32[4,2]", "dy [4,2] must have the same shape"},
                                   {"f32[4,3], f32[4], f32[4,1], f32[4,3]", "mean is [4], it must be [4,1]"},
                                   {0}},
};

HD_BUILDER(layer_norm, hd_layer_norm_args)
HD_BUILDER(layer_norm_grad, hd_layer_norm_grad_args)
