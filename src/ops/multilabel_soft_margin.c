/* multilabel_soft_margin.c: binary cross-entropy of each class, the mean over the classes of a sample. Knows nothing of
 * backends. */
#include "ops/loss_kit.h"

static hd_status multilabel_soft_margin_infer(hd_infer *c) {
    hd_dims rows = c->in[0].dims;
    if (hd_infer_loss(c) || hd_need_weight(c, 2)) return HD_E_MODEL;
    if (rows.rank-- == 0) return hd_infer_fail(c, "x must have the classes on its last axis, it is []");
    if (hd_reduction_of(c->op, c->attr) == HD_REDUCE_NONE) c->out[0].dims = rows;
    return HD_OK;
}

static void multilabel_soft_margin_ref(const hd_ref *r) {
    const hd_bce_args *a = r->attr;
    const hd_tensor *x = &r->in[0], *weight = hd_ref_in(r, 2);
    const int64_t c = x->dims.dim[x->dims.rank - 1], n = c ? x->count / c : 0;
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_walk w;
    hd_walk_init(&w, &x->dims, weight ? &weight->dims : &x->dims, NULL);
    for (int64_t i = 0; i < n; i++) {
        double loss = 0;
        for (int64_t j = i * c; j < (i + 1) * c; j++, hd_walk_next(&w)) {
            const double v = hd_get(x, j), t = hd_get(&r->in[1], j);
            loss += (fmax(v, 0) - v * t + log1p(exp(-fabs(v)))) * (weight ? hd_get(weight, w.at[0]) : 1);
        }
        hd_loss_put(&s, i, loss / (double)c);
    }
    hd_loss_end(&s, (double)n);
}

/* dx = weight (σ(x) − t)/c, dt = −weight x/c, dweight = the loss of an element over c. */
static void multilabel_soft_margin_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1];
    const hd_dims dims = hd_val_dims(x);
    const double share = 1 / (double)dims.dim[dims.rank - 1];
    const hd_val row = hd_sum(x, .axes = HD_DIMS(-1), .keepdim = true);
    const hd_val plain = hd_broadcast_like(hd_affine(hd_loss_column(c, row), .scale = share), x);
    const hd_val each = hd_loss_weigh(c, plain);
    if (c->needs[0]) c->din[0] = hd_mul(hd_sub(hd_sigmoid(x), t), each);
    if (c->needs[1]) c->din[1] = hd_neg(hd_mul(x, each));
    if (!hd_grad_needs(c, 2)) return;
    const hd_val loss = hd_bce_with_logits(x, t, .reduction = HD_REDUCE_NONE);
    c->din[2] = hd_unbroadcast(hd_mul(loss, plain), c->in[2]);
}

HD_LOSS_COST(multilabel_soft_margin_cost, 6)

const hd_op hd_op_multilabel_soft_margin = {
    HD_WEIGHTED_LOSS_HEAD(multilabel_soft_margin, hd_bce_args),
    HD_ONLY_REDUCTION(hd_bce_args),
    HD_LOSS_RULES(multilabel_soft_margin),
    .formula = "loss = −mean over i of (1/c) Σ over j of weight (t ln σ(x) + (1−t) ln(1−σ(x)))",
    .source = "as torch.nn.MultiLabelSoftMarginLoss",
    .doc = "Binary cross-entropy of each class of a sample, where several may be right: x are logits [n, c], target 0 "
           "or 1 for each, of the same shape. The mean is that of bce_with_logits; none gives one loss a sample.",
    .samples = (const hd_sample[]){{"f32[2,2]={0 0 0 0}, f32[2,2]={1 0 1 1} | reduction=none", "{0.6931471806 "
                                                                                               "0.6931471806}"},
                                   {"f32[2]={1000 0}, f32[2]={0 1}, f32[2]={1 2}", "{500.6931472}"},
                                   {"f32[4,5], f32[4,5]:pos", NULL},
                                   {"f32[4,5], f32[4,5]:pos, f32[5]:pos | reduction=none", NULL},
                                   {"f32[2,3,4], f32[2,3,4], f32[2,3,4]:pos | reduction=sum", NULL},
                                   {"f32[4], f32[4]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[], f32[]", "classes on its last axis"},
                                   {"f32[2,3], f32[2,3], f32[2]", "weight [2] can not be repeated over x [2,3]"},
                                   {0}},
};

HD_BUILDER(multilabel_soft_margin, hd_bce_args)
