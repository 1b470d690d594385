/* bce.c: binary cross-entropy of probabilities. Knows nothing of backends. */
#include "ops/loss_kit.h"

/* ln x, not below −100: a probability of 0 is a large loss, not an infinite one. */
static double cut_log(double x) {
    return hd_loss_least(log(x), -100);
}

static void bce_ref(const hd_ref *r) {
    const hd_bce_args *a = r->attr;
    const hd_tensor *x = &r->in[0], *weight = hd_ref_in(r, 2);
    hd_loss_sum s = {&r->out[0], a->reduction, 0};
    hd_walk w;
    hd_walk_init(&w, &x->dims, weight ? &weight->dims : &x->dims, NULL);
    for (int64_t i = 0; i < x->count; i++, hd_walk_next(&w)) {
        const double p = hd_get(x, i), t = hd_get(&r->in[1], i);
        const double loss = -(t * cut_log(p) + (1 - t) * cut_log(1 - p));
        hd_loss_put(&s, i, weight ? loss * hd_get(weight, w.at[0]) : loss);
    }
    hd_loss_end(&s, (double)x->count);
}

static hd_status bce_infer(hd_infer *c) {
    return hd_infer_loss(c) ? HD_E_MODEL : hd_need_weight(c, 2);
}

/* dx = (x − t) / (x (1 − x)), the divisor at least 1e−12; dt = ln(1 − x) − ln x. */
static void bce_rule(hd_grad *c) {
    const double least = 1e-12;
    const hd_val x = c->in[0], t = c->in[1], rest = hd_affine(x, .scale = -1, .shift = 1);
    const hd_val plain = hd_loss_each(c), each = hd_loss_weigh(c, plain);
    if (c->needs[0]) {
        const hd_val width = hd_affine(hd_relu(hd_affine(hd_mul(x, rest), .shift = -least)), .shift = least);
        c->din[0] = hd_mul(hd_div(hd_sub(x, t), width), each);
    }
    if (c->needs[1]) c->din[1] = hd_mul(hd_sub(hd_log(rest), hd_log(x)), each);
    if (hd_grad_needs(c, 2))
        c->din[2] = hd_unbroadcast(hd_mul(hd_bce(x, t, .reduction = HD_REDUCE_NONE), plain), c->in[2]);
}

HD_LOSS_COST(bce_cost, 6)

const hd_op hd_op_bce = {
    HD_WEIGHTED_LOSS_HEAD(bce, hd_bce_args),
    HD_ONLY_REDUCTION(hd_bce_args),
    HD_LOSS_RULES(bce),
    .formula = "loss = −mean(weight (t ln x + (1−t) ln(1−x))), logarithms at least −100",
    .source = "as torch.nn.BCELoss",
    .doc = "The loss of yes-or-no questions: x are probabilities, 0 … 1, target their answers of the same shape. "
           "bce_with_logits does the same from logits, more exactly.",
    .samples =
        (const hd_sample[]){{"f32[2]={0.5 0.5}, f32[2]={1 0}", "{0.6931471806}"},
                            {"f32[2]={0 1}, f32[2]={1 1} | reduction=none", "{100 0}"},
                            {"f32[2]={nan 1}, f32[2]={1 1}", "{nan}"},
                            {"f32[2]={0.5 0.5}, f32[2]={1 0}, f32[1]={2} | reduction=sum", "{2.772588722}"},
                            {"f32[2,3]={0.2 0.7 0.5 0.9 0.4 0.3}, f32[2,3]={0 1 0.3 1 0 0}", NULL},
                            {"f32[2,2]={0.2 0.7 0.5 0.9}, f32[2,2]={0 1 0.3 1}, f32[2]:pos", NULL},
                            {"f32[2,2]={0.2 0.7 0.5 0.9}, f32[2,2]={0 1 0.3 1}, f32[2,1]:pos | reduction=none", NULL},
                            {"f32[2]={0.2 0.7}, f32[2]={0 0.8} | reduction=sum", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[2,3], f32[2,3], f32[2]", "weight [2] can not be repeated over x [2,3]"},
                                   {"f32[2,3], f32[2,3], f64[3]", "weight must be f32"},
                                   {0}},
};

HD_BUILDER(bce, hd_bce_args)
