/* cross_entropy.c: −ln of the probability that logits give to the right class, and the backward op of its plain form.
 * Knows nothing of backends. */
#include "ops/class_loss.h"
#include "ops/fused.h"

static void cross_entropy_ref(const hd_ref *r) {
    hd_class_loss_ref(r, true);
}

bool hd_cross_entropy_plain(const hd_class_loss_args *a, int rank, hd_dtype target, bool weighted) {
    return rank == 2 && target == HD_I64 && !weighted && a->reduction == HD_REDUCE_MEAN &&
           a->ignore_index == HD_IGNORE_INDEX && a->label_smoothing == 0;
}

/* The plain form has an op of its own; any other goes through ln p. */
static void cross_entropy_rule(hd_grad *c) {
    const hd_class_loss_args *a = c->attr;
    const hd_val x = c->in[0], target = c->in[1], weight = hd_grad_in(c, 2), dy = c->dout[0];
    const int rank = hd_val_dims(x).rank;
    if (hd_cross_entropy_plain(a, rank, hd_val_dtype(target), !hd_val_is_none(weight))) {
        if (c->needs[0]) c->din[0] = hd_cross_entropy_grad(x, target, dy);
        return;
    }
    const hd_class_terms t = {target, weight, a->reduction, a->ignore_index, a->label_smoothing};
    const int64_t axis = rank > 1 ? HD_AXIS(1) : HD_AXIS(0);
    const hd_val p = hd_log_softmax(x, .axis = axis);
    if (c->needs[0]) {
        const hd_val dp =
            hd_nll_grad(x, target, dy, weight, a->reduction, a->ignore_index, hd_explicit(a->label_smoothing));
        c->din[0] = hd_log_softmax_grad(p, dp, .axis = axis);
    }
    if (c->needs[1]) c->din[1] = hd_class_dtarget(p, t, dy);
    if (hd_grad_needs(c, 2)) c->din[2] = hd_class_dweight(p, t, dy);
}

static hd_status cross_entropy_grad_infer(hd_infer *c) {
    if (hd_infer_class_loss(c)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    return hd_need_scalar(c, 2, c->in[0].dtype);
}

void hd_cross_entropy_slopes(const hd_tensor *x, const hd_tensor *target, const hd_tensor *dx, double dy) {
    const int64_t n = x->dims.dim[0], classes = x->dims.dim[1], *t = target->data;
    int64_t counted = 0;
    for (int64_t i = 0; i < n; i++) counted += t[i] != HD_IGNORE_INDEX;
    const double scale = dy / (double)counted;
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = i * classes;
        const bool known = t[i] >= 0 && t[i] < classes;
        double most = -INFINITY, sum = 0;
        for (int64_t j = 0; j < classes; j++) most = fmax(most, hd_get(x, first + j));
        for (int64_t j = 0; j < classes; j++) sum += exp(hd_get(x, first + j) - most);
        for (int64_t j = 0; j < classes; j++) {
            const double d = exp(hd_get(x, first + j) - most) / sum - (j == t[i]);
            hd_set(dx, first + j, known ? d * scale : t[i] == HD_IGNORE_INDEX ? 0 : (double)NAN);
        }
    }
}

static void cross_entropy_grad_ref(const hd_ref *r) {
    hd_cross_entropy_slopes(&r->in[0], &r->in[1], &r->out[0], hd_get(&r->in[2], 0));
}

/* dx = (softmax(x) − onehot) dy/n: linear in dy; into x through the softmax of the rows that count. */
static void cross_entropy_grad_rule(hd_grad *c) {
    const hd_val x = c->in[0], target = c->in[1], dy = c->in[2], g = c->dout[0];
    if (c->needs[2]) {
        const hd_val unit = hd_cross_entropy_grad(x, target, hd_fill_like(dy, .value = 1));
        c->din[2] = hd_sum(hd_mul(g, unit));
    }
    if (!c->needs[0]) return;
    const hd_val each = hd_neg(hd_sum(hd_nll_grad(x, target, dy), .axes = HD_DIMS(1), .keepdim = true));
    c->din[0] = hd_mul(hd_softmax_grad(hd_softmax(x), g), each);
}

HD_LOSS_COST(cross_entropy_cost, 4)

const hd_op hd_op_cross_entropy = {
    HD_CLASS_LOSS_HEAD(cross_entropy),
    HD_LOSS_RULES(cross_entropy),
    .formula = "loss = −(1/n) Σᵢ ln softmax(xᵢ)[targetᵢ]",
    .source = "as torch.nn.CrossEntropyLoss; label smoothing: Szegedy et al. 2016, equation 7",
    .doc =
        "The loss of classification: how surprised the network is by the right class, the mean over the batch. x are "
        "logits, [n, c] or with places [n, c, d…]; target the class numbers, i64 [n, d…], or probabilities of x's "
        "shape. weight says how much each class counts; the mean divides by the weights of the targets. Targets equal "
        "to ignore_index do not count; any other that lies outside 0 … c−1 makes the loss NaN.",
    .onnx = "SoftmaxCrossEntropyLoss",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}, i64[1]={1}", "{0.6931471806}"},
                                   {"f32[2,3]={1 2 3 0 0 0}, i64[2]={2 0}", "{0.7531091265}"},
                                   {"f32[1,2]={1000 -1000}, i64[1]={1}", "{2000}"},
                                   {"f32[2,2]={1 2 3 4}, i64[2]={0 2}", "{nan}"},
                                   {"f32[2,2]={0 0 3 4}, i64[2]={0 -100}", "{0.6931471806}"},
                                   {"f32[2,2]={0 0 0 0}, i64[2]={0 1}, f32[2]={1 3} | reduction=none",
                                    "{0.6931471806 2.079441542}"},
                                   {"f32[2]={0 1}, i64[]={1} | label_smoothing=0.5", "{0.5632616875}"},
                                   {"f32[6,10], i64[6]:below(10)", NULL},
                                   {"f32[64,3], i64[64]:below(3)", NULL},
                                   {"f32[5,1], i64[5]:below(1)", "{0}"},
                                   {"f32[6,4], i64[6]:below(4), f32[4]:pos | ignore_index=2 label_smoothing=0.2", NULL},
                                   {"f32[2,4,3,2], i64[2,3,2]:below(4), f32[4]:pos", NULL},
                                   {"f32[2,4,3], i64[2,3]:below(4) | reduction=none", NULL},
                                   {"f32[3,5], f32[3,5]:pos, f32[5]:pos | label_smoothing=0.1 reduction=sum", NULL},
                                   {"f32[2,3,2], f32[2,3,2]:pos", NULL},
                                   {"f32[5], f32[5]:pos", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[5]:below(10)", "one class number for each row of x [6,10]"},
                                   {"f32[6,10], f32[6]", "i64 [6]; or probabilities of x's shape"},
                                   {"f32[6], i64[6]:below(2)", "target [6] must have one class number"},
                                   {"f32[], i64[]={0}", "x must have the classes on axis 1"},
                                   {"f32[6,10], i64[6]:below(10), f32[6]", "a number for each of the 10 classes"},
                                   {0}},
};

const hd_op hd_op_cross_entropy_grad = {
    HD_LOSS_GRAD_HEAD(cross_entropy),
    .infer = cross_entropy_grad_infer,
    .grad = cross_entropy_grad_rule,
    .ref = cross_entropy_grad_ref,
    .cost = cross_entropy_cost,
    .formula = "dx = (softmax(x) − onehot(target)) dy/n",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}, i64[1]={1}, f32[]={4}", "{2 -2}"},
                                   {"f32[2,2]={0 0 1000 -1000}, i64[2]={0 0}, f32[]={1}", "{-0.25 0.25 0 0}"},
                                   {"f32[2,2]={0 0 1 2}, i64[2]={0 -100}, f32[]={1}", "{-0.5 0.5 0 0}"},
                                   {"f32[6,10], i64[6]:below(10), f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[6]:below(10), f32[6]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(cross_entropy, hd_class_loss_args)
HD_BUILDER(cross_entropy_grad, hd_loss_grad_args)
