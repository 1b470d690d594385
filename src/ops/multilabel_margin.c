/* multilabel_margin.c: the hinge loss of several right classes, and its backward op. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* Rows of x and of targets: a list of classes that ends at −1 or with the row. */
typedef struct label_rows {
    const hd_tensor *x;
    const int64_t *target;
    int64_t n, c;
} label_rows;

static label_rows rows_of(const hd_ref *r) {
    const hd_dims *x = &r->in[0].dims;
    return (label_rows){&r->in[0], r->in[1].data, x->rank > 1 ? x->dim[0] : 1, x->dim[x->rank - 1]};
}

static int64_t listed(const label_rows *l, int64_t row) {
    int64_t n = 0;
    while (n < l->c && l->target[row * l->c + n] >= 0) n++;
    return n;
}

static bool is_listed(const label_rows *l, int64_t row, int64_t n, int64_t k) {
    for (int64_t i = 0; i < n; i++)
        if (l->target[row * l->c + i] == k) return true;
    return false;
}

/* Σ of what each right class lacks of a lead of 1 before each wrong one, over c; its slopes go to dx, times dy. */
static double label_row(const label_rows *l, int64_t row, const hd_tensor *dx, double dy) {
    const int64_t n = listed(l, row), first = row * l->c;
    const double c = (double)l->c;
    double loss = 0;
    for (int64_t i = 0; i < l->c && dx; i++) hd_set(dx, first + i, 0);
    for (int64_t i = 0; i < n; i++) {
        const int64_t k = l->target[first + i];
        if (k >= l->c) loss = (double)NAN;
        for (int64_t j = 0; j < l->c && k < l->c; j++) {
            const double lack = 1 - hd_get(l->x, first + k) + hd_get(l->x, first + j);
            if (!(lack > 0) || is_listed(l, row, n, j)) continue;
            loss += lack / c;
            if (!dx) continue;
            hd_set(dx, first + k, hd_get(dx, first + k) - dy / c);
            hd_set(dx, first + j, hd_get(dx, first + j) + dy / c);
        }
    }
    for (int64_t i = 0; i < l->c && dx && isnan(loss); i++) hd_set(dx, first + i, loss);
    return loss;
}

static void multilabel_margin_ref(const hd_ref *r) {
    const hd_loss_args *a = r->attr;
    const label_rows l = rows_of(r);
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    for (int64_t i = 0; i < l.n; i++) hd_loss_put(&s, i, label_row(&l, i, NULL, 0));
    hd_loss_end(&s, (double)l.n);
}

static hd_status lists(hd_infer *c) {
    char a[192], b[192];
    const hd_dims *x = &c->in[0].dims;
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, HD_I64)) return HD_E_MODEL;
    if (x->rank < 1 || x->rank > 2) return hd_infer_fail(c, "x must be [n, c] or [c], it is %s", hd_dims_text(a, x));
    if (hd_dims_equal(x, &c->in[1].dims)) return HD_OK;
    return hd_infer_fail(c, "target %s must be as x %s: class numbers, then -1", hd_dims_text(a, &c->in[1].dims),
                         hd_dims_text(b, x));
}

static hd_status multilabel_margin_infer(hd_infer *c) {
    const hd_dims *x = &c->in[0].dims;
    c->out[0] = hd_scalar_type(c->in[0].dtype);
    if (lists(c)) return HD_E_MODEL;
    if (hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE && x->rank > 1) c->out[0].dims = HD_DIMS(x->dim[0]);
    return HD_OK;
}

static void multilabel_margin_rule(hd_grad *c) {
    const hd_loss_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_multilabel_margin_grad(c->in[0], c->in[1], c->dout[0], a->reduction);
}

static hd_status multilabel_margin_grad_infer(hd_infer *c) {
    char a[192];
    const hd_dims *x = &c->in[0].dims, *dy = &c->in[2].dims;
    c->out[0] = c->in[0];
    if (lists(c)) return HD_E_MODEL;
    if (x->rank == 1 || hd_reduction_of(c->op, c->attr) != HD_REDUCE_NONE) return hd_need_scalar(c, 2, c->in[0].dtype);
    if (dy->rank != 1 || dy->dim[0] != x->dim[0])
        return hd_infer_fail(c, "dy %s must have a number for each row of x", hd_dims_text(a, dy));
    return hd_need_dtype(c, 2, c->in[0].dtype);
}

static void multilabel_margin_grad_ref(const hd_ref *r) {
    const hd_multilabel_margin_grad_args *a = r->attr;
    const label_rows l = rows_of(r);
    const double n = a->reduction == HD_REDUCE_MEAN ? (double)l.n : 1;
    for (int64_t i = 0; i < l.n; i++)
        (void)label_row(&l, i, &r->out[0], hd_get(&r->in[2], a->reduction == HD_REDUCE_NONE ? i : 0) / n);
}

/* A staircase in x; linear in dy, so the gradient for dy is what arrives, times the slopes for dy = 1. */
static void multilabel_margin_grad_rule(hd_grad *c) {
    const hd_multilabel_margin_grad_args *a = c->attr;
    if (!c->needs[2]) return;
    const hd_val one = hd_fill_like(c->in[2], .value = 1);
    const hd_val part = hd_mul(c->dout[0], hd_multilabel_margin_grad(c->in[0], c->in[1], one, a->reduction));
    c->din[2] = hd_val_dims(one).rank ? hd_sum(part, .axes = HD_DIMS(-1)) : hd_sum(part);
}

HD_LOSS_COST(multilabel_margin_cost, 8)

const hd_op hd_op_multilabel_margin = {
    .name = "multilabel_margin",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_loss_args),
    HD_ONLY_REDUCTION(hd_loss_args),
    .flags = HD_OP_KINK,
    .infer = multilabel_margin_infer,
    HD_LOSS_RULES(multilabel_margin),
    .formula = "loss = mean over i of (1/c) Σ over right j, wrong k of max(0, 1 − x[j] + x[k])",
    .source = "as torch.nn.MultiLabelMarginLoss",
    .doc = "The hinge loss where several classes are right: x are scores [n, c] or [c], target lists the right classes "
           "of each row, i64 of x's shape, ended by −1. A class number above c−1 makes the loss NaN.",
    .samples = (const hd_sample[]){{"f32[1,4]={0.1 0.2 0.4 0.8}, i64[1,4]={3 0 -1 1}", "{0.85}"},
                                   {"f32[2,2]={0 0 5 0}, i64[2,2]={0 -1 0 -1} | reduction=none", "{0.5 0}"},
                                   {"f32[2]={0 0}, i64[2]={0 1} | reduction=sum", "{0}"},
                                   {"f32[2]={0 0}, i64[2]={2 -1}", "{nan}"},
                                   {"f32[3,4], i64[3,4]={0 2 -1 0 1 -1 0 0 3 2 1 -1}", NULL},
                                   {"f32[3,4], i64[3,4]={0 2 -1 0 -1 1 0 0 3 2 1 0} | reduction=none", NULL},
                                   {"f32[4], i64[4]={1 3 -1 -1} | reduction=sum", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], i64[3]:below(4)", "must be as x [3,4]"},
                                   {"f32[3,4], f32[3,4]", "target must be i64"},
                                   {"f32[1,3,4], i64[1,3,4]:below(4)", "x must be [n, c] or [c]"},
                                   {0}},
};

const hd_op hd_op_multilabel_margin_grad = {
    .name = "multilabel_margin_grad",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_multilabel_margin_grad_args),
    HD_ONLY_REDUCTION(hd_multilabel_margin_grad_args),
    .infer = multilabel_margin_grad_infer,
    .grad = multilabel_margin_grad_rule,
    .ref = multilabel_margin_grad_ref,
    .cost = multilabel_margin_cost,
    .formula = "dx[k] = ±dy/c for each pair that lacks a lead of 1",
    .source = "derivative of multilabel_margin",
    .doc = "Back-propagation through multilabel_margin.",
    .samples =
        (const hd_sample[]){{"f32[1,4]={0.1 0.2 0.4 0.8}, i64[1,4]={3 0 -1 1}, f32[]={2}", "{-1 1 1 -1}"},
                            {"f32[2,2]={0 0 5 0}, i64[2,2]={0 -1 0 -1}, f32[2]={2 4} | reduction=none", "{-1 1 0 0}"},
                            {"f32[3,4], i64[3,4]={0 2 -1 0 1 -1 0 0 3 2 1 -1}, f32[]", NULL},
                            {"f32[3,4], i64[3,4]={0 2 -1 0 -1 1 0 0 3 2 1 0}, f32[3] | reduction=none", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], i64[3,4]:below(4), f32[3]", "dy must be a scalar"},
                                   {"f32[3,4], i64[3,4]:below(4), f32[4] | reduction=none", "for each row of x"},
                                   {0}},
};

HD_BUILDER(multilabel_margin, hd_loss_args)
HD_BUILDER(multilabel_margin_grad, hd_multilabel_margin_grad_args)
