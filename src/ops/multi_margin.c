/* multi_margin.c: the hinge loss of several classes. Knows nothing of backends. */
#include "graph/graph.h"
#include "ops/class_loss.h"

static hd_status multi_margin_infer(hd_infer *c) {
    const hd_multi_margin_args *a = c->attr;
    char text[192];
    hd_dims rows;
    if (hd_infer_class_view(c, 2, false, &rows) || hd_need_dtype(c, 1, HD_I64)) return HD_E_MODEL;
    if (rows.rank > 1) return hd_infer_fail(c, "x must be [n, c] or [c], it is %s", hd_dims_text(text, &c->in[0].dims));
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    if (a->reduction == HD_REDUCE_NONE) c->out[0].dims = rows;
    return HD_OK;
}

static void multi_margin_ref(const hd_ref *r) {
    const hd_multi_margin_args *a = r->attr;
    const hd_class_view v = hd_class_view_of(&r->in[0], &r->in[1], hd_ref_in(r, 2), HD_NO_CLASS, 0);
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    for (int64_t i = 0; i < hd_class_places(&v); i++) {
        const int64_t first = hd_class_at(&v, i), k = ((const int64_t *)r->in[1].data)[i];
        double loss = 0;
        for (int64_t j = 0; j < v.s.n && k >= 0 && k < v.s.n; j++) {
            const double lack = hd_loss_least(a->margin - hd_get(v.x, first + k) + hd_get(v.x, first + j), 0);
            if (j != k) loss += a->p == 2 ? lack * lack : lack;
        }
        const bool known = k >= 0 && k < v.s.n;
        hd_loss_put(&s, i, known ? loss * hd_class_weight(&v, k) / (double)v.s.n : (double)NAN);
    }
    hd_loss_end(&s, (double)hd_class_places(&v));
}

/* One-hot rows come as the gradient of nll. Slopes of the classes that reach the margin; the target takes them back. */
static void multi_margin_rule(hd_grad *c) {
    const hd_multi_margin_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1], weight = hd_grad_in(c, 2);
    const double classes = (double)hd_val_dims(x).dim[hd_val_dims(x).rank - 1];
    const hd_val one = hd_fill_like(hd_nll(x, t, .reduction = HD_REDUCE_NONE), .value = -1);
    const hd_val onehot = hd_nll_grad(x, t, one, .reduction = HD_REDUCE_NONE, .ignore_index = HD_NO_CLASS);
    const hd_val mine = hd_sum(hd_mul(x, onehot), .axes = HD_DIMS(-1), .keepdim = true);
    const hd_val lack = hd_affine(hd_sub(x, mine), .shift = hd_explicit(a->margin));
    const hd_val rest = hd_affine(onehot, .scale = -1, .shift = 1);
    hd_val each = hd_loss_column(c, mine);
    if (c->needs[0]) {
        const hd_val slope = a->p == 2 ? hd_affine(hd_relu(lack), .scale = 2) : hd_positive(lack);
        if (!hd_val_is_none(weight))
            each = hd_mul(each, hd_sum(hd_mul(onehot, weight), .axes = HD_DIMS(-1), .keepdim = true));
        const hd_val other = hd_mul(hd_affine(hd_mul(slope, rest), .scale = 1 / classes), each);
        const hd_val back = hd_mul(onehot, hd_sum(other, .axes = HD_DIMS(-1), .keepdim = true));
        c->din[0] = hd_sub(other, back);
    }
    if (!hd_grad_needs(c, 2)) return;
    const hd_val loss = hd_multi_margin(x, t, .p = a->p, .margin = hd_explicit(a->margin), .reduction = HD_REDUCE_NONE);
    const hd_val of_class = hd_mul(onehot, hd_mul(hd_column(loss), hd_loss_column(c, mine)));
    c->din[2] = hd_val_dims(x).rank > 1 ? hd_channel_sum(of_class) : of_class;
}

HD_LOSS_COST(multi_margin_cost, 4)

const hd_op hd_op_multi_margin = {
    HD_WEIGHTED_LOSS_HEAD(multi_margin, hd_multi_margin_args),
    .options = (const hd_option[]){HD_OPTION(INT, hd_multi_margin_args, p, .def = 1, .min = 1, .max = 2,
                                             .help = "power of what a class lacks: 1 or 2"),
                                   HD_MARGIN(hd_multi_margin_args, 1, "lead that is enough"),
                                   HD_REDUCTION(hd_multi_margin_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    HD_LOSS_RULES(multi_margin),
    .formula = "loss = mean over i of (1/c) Σ over j ≠ target of weight[target] max(0, margin − x[target] + x[j])^p",
    .source = "Crammer, Singer 2001; as torch.nn.MultiMarginLoss",
    .doc = "The hinge loss of several classes: x are scores [n, c] or [c], target class numbers, i64. Nothing is lost "
           "once the score of the target leads all others by the margin. A target that is no class makes it NaN.",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 0 3 0 0}, i64[2]={0 0} | reduction=none", "{0.6666666667 0}"},
                                   {"f32[3]={1 2 0}, i64[]={0}, f32[3]={2 1 1} | p=2", "{2.666666667}"},
                                   {"f32[1,2]={1 2}, i64[1]={2}", "{nan}"},
                                   {"f32[1,2]={nan 2}, i64[1]={1}", "{nan}"},
                                   {"f32[5,4], i64[5]:below(4)", NULL},
                                   {"f32[5,4], i64[5]:below(4), f32[4]:pos | p=2 margin=0.5 reduction=none", NULL},
                                   {"f32[5,4], i64[5]:below(4), f32[4]:pos | reduction=sum", NULL},
                                   {"f32[4], i64[]={3} | p=2", NULL},
                                   {"f32[3,37], i64[3]:below(37)", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[5]:below(10)", "one class number for each row of x [6,10]"},
                                   {"f32[6,10], i64[6]:below(10) | p=3", "p is 3"},
                                   {"f32[6,10,2], i64[6,2]:below(10)", "x must be [n, c] or [c]"},
                                   {0}},
};

HD_BUILDER(multi_margin, hd_multi_margin_args)
