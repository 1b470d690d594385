/* cross_entropy.c: −ln of the probability that logits give to the right class, and its backward op. Knows nothing of
 * backends. */
#include "ops/op_kit.h"

/* ln Σ e^x of a row, without overflow. */
static double log_sum_exp(const hd_tensor *x, int64_t first, int64_t n) {
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) max = fmax(max, hd_get(x, first + i));
    for (int64_t i = 0; i < n; i++) sum += exp(hd_get(x, first + i) - max);
    return max + log(sum);
}

/* A target that is no class makes the loss NaN: it can not be overlooked, and nothing outside is read. */
static void cross_entropy_ref(const hd_ref *r) {
    const hd_tensor *x = &r->in[0];
    const int64_t n = x->dims.dim[0], classes = x->dims.dim[1], *target = r->in[1].data;
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        if (target[i] < 0 || target[i] >= classes)
            loss += (double)NAN;
        else
            loss += log_sum_exp(x, i * classes, classes) - hd_get(x, i * classes + target[i]);
    }
    hd_set(&r->out[0], 0, loss / (double)n);
}

static void cross_entropy_rule(hd_grad *c) {
    if (c->needs[0]) c->din[0] = hd_cross_entropy_grad(c->in[0], c->in[1], c->dout[0]);
}

static hd_status cross_entropy_grad_infer(hd_infer *c) {
    if (hd_infer_class_loss(c)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    return hd_need_scalar(c, 2, c->in[0].dtype);
}

static void cross_entropy_grad_ref(const hd_ref *r) {
    const hd_tensor *x = &r->in[0];
    const int64_t n = x->dims.dim[0], classes = x->dims.dim[1], *target = r->in[1].data;
    const double scale = hd_get(&r->in[2], 0) / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const bool known = target[i] >= 0 && target[i] < classes;
        const double lse = log_sum_exp(x, i * classes, classes);
        for (int64_t j = 0; j < classes; j++) {
            const double d = exp(hd_get(x, i * classes + j) - lse) - (j == target[i]);
            hd_set(&r->out[0], i * classes + j, known ? d * scale : (double)NAN);
        }
    }
}

/* dx = (softmax(x) − onehot) dy/n: linear in dy; into x through the softmax. */
static void cross_entropy_grad_rule(hd_grad *c) {
    const hd_val x = c->in[0], target = c->in[1], dy = c->in[2], g = c->dout[0];
    if (c->needs[2]) {
        const hd_val unit = hd_cross_entropy_grad(x, target, hd_fill_like(dy, .value = 1));
        c->din[2] = hd_sum(hd_mul(g, unit));
    }
    if (!c->needs[0]) return;
    const hd_val each = hd_broadcast_like(dy, target, .average = true); /* dy/n, n may not be known yet */
    const hd_val column = hd_reshape(each, .dims = HD_DIMS(hd_val_dims(each).dim[0], 1));
    c->din[0] = hd_mul(hd_softmax_grad(hd_softmax(x), g), column);
}

static hd_cost cross_entropy_cost(const hd_infer *c) {
    return hd_cost_of(c, 4 * hd_cost_elements(&c->in[0]));
}

const hd_op hd_op_cross_entropy = {
    .name = "cross_entropy",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target"),
    .out_names = HD_NAMES("loss"),
    .args_size = sizeof(hd_loss_args),
    .infer = hd_infer_class_loss,
    .grad = cross_entropy_rule,
    .ref = cross_entropy_ref,
    .cost = cross_entropy_cost,
    .formula = "loss = −(1/n) Σᵢ ln softmax(xᵢ)[targetᵢ]",
    .source = "as torch.nn.CrossEntropyLoss",
    .doc =
        "The loss of classification: how surprised the network is by the right class, the mean over the batch. x are "
        "logits [n, c], target the class numbers, i64 [n]. A target outside 0 … c−1 makes the loss NaN.",
    .onnx = "SoftmaxCrossEntropyLoss",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}, i64[1]={1}", "{0.6931471806}"},
                                   {"f32[2,3]={1 2 3 0 0 0}, i64[2]={2 0}", "{0.7531091265}"},
                                   {"f32[1,2]={1000 -1000}, i64[1]={1}", "{2000}"},
                                   {"f32[2,2]={1 2 3 4}, i64[2]={0 2}", "{nan}"},
                                   {"f32[6,10], i64[6]:below(10)", NULL},
                                   {"f32[64,3], i64[64]:below(3)", NULL},
                                   {"f32[5,1], i64[5]:below(1)", "{0}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[5]:below(10)", "one class number for each row of x [6,10]"},
                                   {"f32[6,10], f32[6]", "target must be i64"},
                                   {"f32[6], i64[6]:below(2)", "x must have 2 dimensions"},
                                   {0}},
};

const hd_op hd_op_cross_entropy_grad = {
    .name = "cross_entropy_grad",
    .n_in = 3,
    .n_out = 1,
    .in_names = HD_NAMES("x", "target", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_loss_grad_args),
    .infer = cross_entropy_grad_infer,
    .grad = cross_entropy_grad_rule,
    .ref = cross_entropy_grad_ref,
    .cost = cross_entropy_cost,
    .formula = "dx = (softmax(x) − onehot(target)) dy/n",
    .source = "derivative of cross_entropy",
    .doc = "Back-propagation through cross_entropy: what the network says less what is right.",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}, i64[1]={1}, f32[]={4}", "{2 -2}"},
                                   {"f32[2,2]={0 0 1000 -1000}, i64[2]={0 0}, f32[]={1}", "{-0.25 0.25 0 0}"},
                                   {"f32[6,10], i64[6]:below(10), f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[6,10], i64[6]:below(10), f32[6]", "dy must be a scalar"}, {0}},
};

HD_BUILDER(cross_entropy, hd_loss_args)
HD_BUILDER(cross_entropy_grad, hd_loss_grad_args)
