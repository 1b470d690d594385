/* bce_with_logits.c: binary cross-entropy of logits and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

/* −t ln σ(x) − (1−t) ln(1 − σ(x)) = max(x, 0) − x t + ln(1 + e^−|x|), which does not overflow. */
static void bce_ref(const hd_ref *r) {
    double loss = 0;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double x = hd_get(&r->in[0], i), t = hd_get(&r->in[1], i);
        loss += (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x)));
    }
    hd_set(&r->out[0], 0, loss / (double)r->in[0].count);
}

static void bce_rule(hd_grad *c) {
    const hd_val x = c->in[0], dy = c->dout[0];
    if (c->needs[0]) c->din[0] = hd_bce_with_logits_grad(x, c->in[1], dy);
    if (c->needs[1]) c->din[1] = hd_neg(hd_mul(x, hd_broadcast_like(dy, x, .average = true)));
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

static hd_cost bce_cost(const hd_infer *c) {
    return hd_cost_of(c, 6 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_bce_with_logits = {
    .name = "bce_with_logits",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_loss_args),
    .infer = hd_infer_loss,
    .grad = bce_rule,
    .ref = bce_ref,
    .cost = bce_cost,
    .formula = "loss = −mean(t ln σ(x) + (1−t) ln(1−σ(x)))",
    .source = "as torch.nn.BCEWithLogitsLoss",
    .doc = "The loss of yes-or-no questions: x are logits, target their answers, 0 … 1, of the same shape; the mean "
           "over all "
           "elements. Sigmoid and logarithm are taken together, so that nothing overflows.",
    .samples = (const hd_sample[]){{"f32[1]={0}, f32[1]={1}", "{0.6931471806}"},
                                   {"f32[2]={1000 -1000}, f32[2]={0 0}", "{500}"},
                                   {"f32[3,1], f32[3,1]={0 1 1}", NULL},
                                   {"f32[4,5], f32[4,5]:pos", NULL},
                                   {"f32[], f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,1], f32[6]", "target [6] must have the same shape"},
                                   {"f32[6], i64[6]:below(2)", "target is i64"},
                                   {0}},
};

const hd_op hd_op_bce_with_logits_grad = {
    .name = "bce_with_logits_grad",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_loss_grad_args),
    .infer = hd_infer_loss_grad,
    .grad = bce_grad_rule,
    .ref = bce_grad_ref,
    .cost = bce_cost,
    .formula = "dx = (σ(x) − t) dy/n",
    .source = "derivative of bce_with_logits",
    .doc = "Back-propagation through bce_with_logits.",
    .samples = (const hd_sample[]){{"f32[2]={0 0}, f32[2]={1 0}, f32[]={4}", "{-1 1}"},
                                   {"f32[4,5], f32[4,5]:pos, f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6], f32[6], f32[6]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(bce_with_logits, hd_loss_args)
HD_BUILDER(bce_with_logits_grad, hd_loss_grad_args)
