/* prelu.c: a leaky relu whose slope is learnt, one for all or one a channel. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* Channel of element i: axis 1 of x. */
static void prelu_ref(const hd_ref *r) {
    const hd_tensor *x = &r->in[0], *w = &r->in[1], *y = &r->out[0];
    int64_t inner = 1;
    for (int i = 2; i < x->dims.rank; i++) inner *= x->dims.dim[i];
    for (int64_t i = 0; i < y->count; i++) {
        const double v = hd_get(x, i);
        hd_set(y, i, v > 0 ? v : v * hd_get(w, w->count == 1 ? 0 : i / inner % w->count));
    }
}

static hd_status prelu_infer(hd_infer *c) {
    char w[192], x[192];
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, c->in[0].dtype)) return HD_E_MODEL;
    if (hd_dims_count(&c->in[1].dims) == 1) return HD_OK;
    if (c->in[1].dims.rank == 1 && c->in[0].dims.rank >= 2) return hd_need_channels(c, 1, 0);
    return hd_infer_fail(c, "weight %s must have one number, or one for each channel (axis 1) of x %s",
                         hd_dims_text(w, &c->in[1].dims), hd_dims_text(x, &c->in[0].dims));
}

/* dx = x > 0 ? dy : weight·dy; dweight = Σ dy min(x, 0) over all that shares it. */
static void prelu_grad(hd_grad *c) {
    const hd_val x = c->in[0], dy = c->dout[0];
    hd_val w = c->in[1];
    const hd_dims dims = hd_val_dims(w), one = {0};
    w = hd_dims_count(&dims) == 1 ? hd_reshape(w, .dims = one) : hd_per_channel(w, x);
    if (c->needs[0]) c->din[0] = hd_where(hd_gt(x, hd_number(x, 0)), dy, hd_mul(dy, w));
    if (c->needs[1]) c->din[1] = hd_reshape_like(hd_unbroadcast(hd_mul(dy, hd_clamp(x, .max = HD_ZERO)), w), c->in[1]);
}

const hd_op hd_op_prelu = {
    .name = "prelu",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "weight"),
    .args_size = sizeof(hd_prelu_args),
    .flags = HD_OP_KINK | HD_OP_INPLACE,
    .infer = prelu_infer,
    .grad = prelu_grad,
    .ref = prelu_ref,
    .formula = "y = x > 0 ? x : weight·x",
    .source = "He, Zhang, Ren, Sun: Delving deep into rectifiers, arXiv:1502.01852",
    .doc = "A leaky relu whose slope for the negative is a parameter: one number, or one for each channel (axis 1).",
    .onnx = "PRelu",
    .samples = (const hd_sample[]){{"f32[3]={-2 0 3}, f32[1]={0.25}", "{-0.5 0 3}"},
                                   {"f32[2,2]={-1 -1 2 -2}, f32[2]={0.5 0.25}", "{-0.5 -0.25 2 -0.5}"},
                                   {"f32[2,3,2,2]:away, f32[3]", NULL},
                                   {"f32[4,3]:away, f32[3]", NULL},
                                   {"f32[2,3,5]:away, f32[1]", NULL},
                                   {"f32[]:away, f32[]", NULL},
                                   {"f32[0,3], f32[3]", NULL},
                                   {"f32[2,3,5]:away, f32[3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "3 channels"},
                                   {"f32[3], f32[3]", "must have one number"},
                                   {"f32[2,3], f64[3]", "weight must be f32"},
                                   {"i64[2]={1 2}, i64[1]={1}", "cast it first"},
                                   {0}},
};

HD_BUILDER(prelu, hd_prelu_args)
