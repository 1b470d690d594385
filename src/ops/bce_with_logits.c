/* bce_with_logits.c: binary cross-entropy of logits and its backward op. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* −p t ln σ(x) − (1−t) ln(1 − σ(x)) = (1−t) x + (1 + (p−1) t) ln(1 + e^−x), which does not overflow as written here. */
static double bce_of(double x, double t, double p) {
    return (1 - t) * x + (1 + (p - 1) * t) * (log1p(exp(-fabs(x))) + (x < 0 ? -x : 0));
}

static void bce_ref(const hd_ref *r) {
    const hd_bce_with_logits_args *a = r->attr;
    const hd_tensor *x = &r->in[0], *weight = hd_ref_in(r, 2), *positive = hd_ref_in(r, 3);
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_walk w;
    hd_walk_init(&w, &x->dims, weight ? &weight->dims : &x->dims, positive ? &positive->dims : NULL);
    for (int64_t i = 0; i < x->count; i++, hd_walk_next(&w)) {
        const double p = positive ? hd_get(positive, w.at[1]) : 1;
        const double loss = bce_of(hd_get(x, i), hd_get(&r->in[1], i), p);
        hd_loss_put(&s, i, weight ? loss * hd_get(weight, w.at[0]) : loss);
    }
    hd_loss_end(&s, (double)x->count);
}

static hd_status bce_infer(hd_infer *c) {
    if (hd_infer_loss(c) || hd_need_weight(c, 2)) return HD_E_MODEL;
    return hd_need_weight(c, 3);
}

/* dx = σ(x) (1 + (p−1) t) − p t, dt = (p−1) ln(1 + e^−x) − x, dp = t ln(1 + e^−x). */
static void bce_rule(hd_grad *c) {
    const hd_bce_with_logits_args *a = c->attr;
    const hd_val x = c->in[0], t = c->in[1], weight = hd_grad_in(c, 2), p = hd_grad_in(c, 3);
    if (hd_val_is_none(weight) && hd_val_is_none(p) && a->reduction == HD_REDUCE_MEAN) {
        if (c->needs[0]) c->din[0] = hd_bce_with_logits_grad(x, t, c->dout[0]);
        if (c->needs[1]) c->din[1] = hd_neg(hd_mul(x, hd_loss_each(c)));
        return;
    }
    const hd_val plain = hd_loss_each(c), each = hd_loss_weigh(c, plain);
    if (c->needs[0]) {
        const hd_val yes = hd_val_is_none(p) ? t : hd_mul(t, p), share = hd_sigmoid(x);
        const hd_val all = hd_val_is_none(p) ? share : hd_mul(share, hd_affine(hd_sub(yes, t), .shift = 1));
        c->din[0] = hd_mul(hd_sub(all, yes), each);
    }
    if (c->needs[1] && hd_val_is_none(p)) c->din[1] = hd_neg(hd_mul(x, each));
    if (c->needs[1] && !hd_val_is_none(p))
        c->din[1] = hd_mul(hd_sub(hd_mul(hd_softplus_minus(x), hd_affine(p, .shift = -1)), x), each);
    if (hd_grad_needs(c, 2)) {
        const hd_val loss = hd_bce_with_logits(x, t, .pos_weight = p, .reduction = HD_REDUCE_NONE);
        c->din[2] = hd_unbroadcast(hd_mul(loss, plain), weight);
    }
    if (hd_grad_needs(c, 3)) c->din[3] = hd_unbroadcast(hd_mul(hd_mul(t, hd_softplus_minus(x)), each), p);
}

static void bce_grad_ref(const hd_ref *r) {
    const double scale = hd_get(&r->in[2], 0) / (double)r->in[0].count;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double x = hd_get(&r->in[0], i), t = hd_get(&r->in[1], i);
        hd_set(&r->out[0], i, (1 / (1 + exp(-x)) - t) * scale);
    }
}

/* dx = (σ(x) − t) dy/n. */
static void bce_grad_rule(hd_grad *c) {
    const hd_val x = c->in[0], t = c->in[1], dy = c->in[2], g = c->dout[0];
    const hd_val each = hd_mul(g, hd_broadcast_like(dy, x, .average = true));
    if (c->needs[0]) c->din[0] = hd_sigmoid_grad(hd_sigmoid(x), each);
    if (c->needs[1]) c->din[1] = hd_neg(each);
    if (c->needs[2]) c->din[2] = hd_sum(hd_mul(g, hd_bce_with_logits_grad(x, t, hd_fill_like(dy, .value = 1))));
}

HD_LOSS_COST(bce_cost, 6)

const hd_op hd_op_bce_with_logits = {
    .name = "bce_with_logits",
    .n_in = 2,
    .n_optional = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "weight", "pos_weight"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_bce_with_logits_args),
    HD_ONLY_REDUCTION(hd_bce_with_logits_args),
    .infer = bce_infer,
    HD_LOSS_RULES(bce),
    .formula = "loss = −mean(weight (pos_weight t ln σ(x) + (1−t) ln(1−σ(x))))",
    .source = "as torch.nn.BCEWithLogitsLoss",
    .doc = "The loss of yes-or-no questions: x are logits, target their answers, 0 … 1, of the same shape; the mean "
           "over all elements. Sigmoid and logarithm are taken together, so that nothing overflows. Where yes is rare, "
           "pos_weight makes it count more.",
    .samples =
        (const hd_sample[]){{"f32[1]={0}, f32[1]={1}", "{0.6931471806}"},
                            {"f32[2]={1000 -1000}, f32[2]={0 0}", "{500}"},
                            {"f32[2]={0 0}, f32[2]={1 0}, f32[2]={1 3} | reduction=none", "{0.6931471806 2.079441542}"},
                            {"f32[2]={0 0}, f32[2]={1 0}, -, f32[]={3} | reduction=sum", "{2.772588722}"},
                            {"f32[3,1], f32[3,1]={0 1 1}", NULL},
                            {"f32[4,5], f32[4,5]:pos", NULL},
                            {"f32[4,5], f32[4,5]:pos | reduction=none", NULL},
                            {"f32[4,5], f32[4,5]:pos, f32[4,1]:pos", NULL},
                            {"f32[4,5], f32[4,5]:pos, -, f32[5]:pos | reduction=sum", NULL},
                            {"f32[4,5], f32[4,5]:pos, f32[1,5], f32[5]:pos | reduction=none", NULL},
                            {"f32[], f32[]", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], i64[6]:below(2)", "target is i64"},
                                   {"f32[2,3], f32[2,3], f32[2]", "weight [2] can not be repeated over x [2,3]"},
                                   {"f32[2,3], f32[2,3], -, f32[4,2,3]", "pos_weight [4,2,3] can not be repeated"},
                                   {0}},
};

const hd_op hd_op_bce_with_logits_grad = {
    HD_LOSS_GRAD_HEAD(bce_with_logits),
    .infer = hd_infer_loss_grad,
    .grad = bce_grad_rule,
    .ref = bce_grad_ref,
    .cost = bce_cost,
    .formula = "dx = (σ(x) − t) dy/n",
    .samples = (const hd_sample[]){{"f32[2]={0 0}, f32[2]={1 0}, f32[]={4}", "{-1 1}"},
                                   {"f32[4,5], f32[4,5]:pos, f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[6]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(bce_with_logits, hd_bce_with_logits_args)
HD_BUILDER(bce_with_logits_grad, hd_loss_grad_args)
