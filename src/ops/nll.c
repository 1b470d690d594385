/* nll.c: negative logarithm of the likelihood, from logarithms of probabilities, and its backward op. Knows nothing of
 * backends. */
#include "ops/class_loss.h"

static void nll_ref(const hd_ref *r) {
    hd_class_loss_ref(r, false);
}

static void nll_rule(hd_grad *c) {
    const hd_class_loss_args *a = c->attr;
    const hd_class_terms t = {c->in[1], hd_grad_in(c, 2), a->reduction, a->ignore_index, a->label_smoothing};
    const hd_val x = c->in[0], dy = c->dout[0];
    if (c->needs[0])
        c->din[0] =
            hd_nll_grad(x, t.target, dy, t.weight, a->reduction, a->ignore_index, hd_explicit(a->label_smoothing));
    if (c->needs[1]) c->din[1] = hd_class_dtarget(x, t, dy);
    if (hd_grad_needs(c, 2)) c->din[2] = hd_class_dweight(x, t, dy);
}

static hd_status nll_grad_infer(hd_infer *c) {
    const hd_nll_grad_args *a = c->attr;
    char text[192], want[192];
    hd_dims places;
    c->out[0] = c->in[0];
    if (hd_infer_class_view(c, 3, a->ignore_index != HD_IGNORE_INDEX, &places)) return HD_E_MODEL;
    if (a->reduction != HD_REDUCE_NONE) return hd_need_scalar(c, 2, c->in[0].dtype);
    if (!hd_dims_equal(&c->in[2].dims, &places))
        return hd_infer_fail(c, "dy %s must have the shape of the losses, %s", hd_dims_text(text, &c->in[2].dims),
                             hd_dims_text(want, &places));
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

static void nll_grad_ref(const hd_ref *r) {
    const hd_nll_grad_args *a = r->attr;
    const hd_tensor *dy = &r->in[2];
    const hd_class_view v =
        hd_class_view_of(&r->in[0], &r->in[1], hd_ref_in(r, 3), a->ignore_index, a->label_smoothing);
    const double total = a->reduction == HD_REDUCE_MEAN ? hd_class_total(&v) : 1;
    for (int64_t i = 0; i < hd_class_places(&v); i++) {
        const double each = hd_get(dy, a->reduction == HD_REDUCE_NONE ? i : 0) / total;
        for (int64_t j = 0; j < v.s.n; j++) {
            const double share = hd_class_share(&v, i, j);
            hd_set(&r->out[0], hd_class_at(&v, i) + j * v.s.inner, share == 0 ? 0 : -share * each);
        }
    }
}

/* Linear in dy, in the weight and in the probabilities of the target: what arrives takes the place of ln p. */
static void nll_grad_rule(hd_grad *c) {
    const hd_nll_grad_args *a = c->attr;
    const hd_class_terms t = {c->in[1], hd_grad_in(c, 3), a->reduction, a->ignore_index, a->label_smoothing};
    const hd_val g = c->dout[0], dy = c->in[2];
    if (c->needs[1]) c->din[1] = hd_class_dtarget(g, t, dy);
    if (c->needs[2])
        c->din[2] = hd_nll(g, t.target, t.weight, a->reduction, a->ignore_index, hd_explicit(a->label_smoothing));
    if (hd_grad_needs(c, 3)) c->din[3] = hd_class_dweight(g, t, dy);
}

HD_LOSS_COST(nll_cost, 2)

const hd_op hd_op_nll = {
    HD_CLASS_LOSS_HEAD(nll),
    HD_LOSS_RULES(nll),
    .formula = "loss = −Σ w[target] x[target] / Σ w[target]",
    .source = "as torch.nn.NLLLoss",
    .doc = "The loss of classification from logarithms of probabilities, x [n, c] or [n, c, d…], as log_softmax gives "
           "them on axis 1; target are class numbers, i64 [n, d…], or probabilities of x's shape. A target that is no "
           "class makes the loss NaN. From logits take cross_entropy.",
    .onnx = "NegativeLogLikelihoodLoss",
    .samples = (const hd_sample[]){{"f32[2,2]={-1 -2 -3 -4}, i64[2]={1 0}", "{2.5}"},
                                   {"f32[2,2]={-1 -2 -3 -4}, i64[2]={1 0}, f32[2]={1 3}", "{2.25}"},
                                   {"f32[2,2]={-1 -2 -3 -4}, i64[2]={1 0} | reduction=none ignore_index=0", "{2 0}"},
                                   {"f32[2,2]={-1 -2 -3 -4}, i64[2]={1 0} | reduction=sum label_smoothing=0.5", "{5}"},
                                   {"f32[2,2]={-1 -2 -3 -4}, i64[2]={1 2} | reduction=none", "{2 nan}"},
                                   {"f32[2]={-1 -2}, f32[2]={0.25 0.75}", "{1.75}"},
                                   {"f32[6,4], i64[6]:below(4)", NULL},
                                   {"f32[6,4], i64[6]:below(4), f32[4]:pos | ignore_index=1 label_smoothing=0.2", NULL},
                                   {"f32[2,4,3,2], i64[2,3,2]:below(4), f32[4]:pos | reduction=none", NULL},
                                   {"f32[4,3], f32[4,3]:pos, f32[3]:pos | label_smoothing=0.1", NULL},
                                   {"f32[4], i64[]={2}, f32[4]:pos | reduction=sum", NULL},
                                   {0}},
    .bad =
        (const hd_bad_sample[]){{"f32[6,10], i64[5]:below(10)", "one class number for each row of x [6,10], i64 [6]"},
                                {"f32[6,10], i64[6]:below(10), f32[6]", "a number for each of the 10 classes"},
                                {"f32[6,10], f32[6,10] | ignore_index=1", "target has probabilities"},
                                {"f32[6,10], i32[6]:below(10)", "target must be i64"},
                                {"f32[6,10], i64[6]:below(10) | label_smoothing=1.5", "label_smoothing is 1.5"},
                                {0}},
};

const hd_op hd_op_nll_grad = {
    .name = "nll_grad",
    .n_in = 3,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy", "weight"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_nll_grad_args),
    .options = (const hd_option[]){HD_CLASS_LOSS_OPTIONS(hd_nll_grad_args), HD_OPTION_END},
    .infer = nll_grad_infer,
    .grad = nll_grad_rule,
    .ref = nll_grad_ref,
    .cost = nll_cost,
    .formula = "dx[target] = −w[target] dy / Σ w[target]",
    .source = "derivative of nll",
    .doc = "Back-propagation through nll, and with log_softmax through cross_entropy. Of x only the shape is read.",
    .samples =
        (const hd_sample[]){{"f32[2,2], i64[2]={1 0}, f32[]={4}", "{0 -2 -2 0}"},
                            {"f32[2,2], i64[2]={1 0}, f32[]={4}, f32[2]={1 3}", "{0 -3 -1 0}"},
                            {"f32[2,2], i64[2]={1 0}, f32[2]={4 2}, - | reduction=none ignore_index=0", "{0 -4 0 0}"},
                            {"f32[2,2], i64[2]={1 2}, f32[]={1} | reduction=sum", "{0 -1 nan nan}"},
                            {"f32[6,4], i64[6]:below(4), f32[]", NULL},
                            {"f32[6,4], i64[6]:below(4), f32[], f32[4]:pos | ignore_index=1 label_smoothing=0.2", NULL},
                            {"f32[2,4,3], i64[2,3]:below(4), f32[2,3], f32[4]:pos | reduction=none", NULL},
                            {"f32[4,3], f32[4,3]:pos, f32[], f32[3]:pos | label_smoothing=0.1", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[6]:below(10), f32[6]", "dy must be a scalar"},
                                   {"f32[6,10], i64[6]:below(10), f32[] | reduction=none", "shape of the losses, [6]"},
                                   {0}},
};

HD_BUILDER(nll, hd_class_loss_args)
HD_BUILDER(nll_grad, hd_nll_grad_args)
