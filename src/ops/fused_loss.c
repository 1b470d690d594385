/* fused_loss.c: cross-entropy and its gradient in one pass over the logits. Made by the pass `fuse` where the gradient
 * that arrives at the loss is 1. Knows nothing of backends. */
#include "ops/fused.h"
#include "ops/op_kit.h"

static hd_status cross_entropy_both_infer(hd_infer *c) {
    if (hd_infer_class_loss(c)) return HD_E_MODEL;
    c->out[1] = c->in[0];
    return HD_OK;
}

static void cross_entropy_both_ref(const hd_ref *r) {
    const int64_t n = r->in[0].dims.dim[0], k = r->in[0].dims.dim[1];
    double loss = 0;
    for (int64_t s = 0; s < n; s++) {
        double most = -INFINITY, sum = 0;
        const int64_t label = ((const int64_t *)r->in[1].data)[s];
        for (int64_t j = 0; j < k; j++) most = fmax(most, hd_get(&r->in[0], s * k + j));
        for (int64_t j = 0; j < k; j++) sum += exp(hd_get(&r->in[0], s * k + j) - most);
        for (int64_t j = 0; j < k; j++) {
            const double z = hd_get(&r->in[0], s * k + j) - most, p = exp(z) / sum;
            if (j == label) loss += log(sum) - z;
            hd_set(&r->out[1], s * k + j, (p - (j == label)) / (double)n);
        }
    }
    hd_set(&r->out[0], 0, loss / (double)n);
}

const hd_op hd_op_cross_entropy_both = {
    .name = "cross_entropy_both",
    .n_in = 2,
    .n_out = 2,
    .in_names = (const char *const[]){"x", "target", NULL},
    .out_names = (const char *const[]){"loss", "dx", NULL},
    .args_size = sizeof(hd_cross_entropy_both_args),
    .flags = HD_OP_INTERNAL,
    .infer = cross_entropy_both_infer,
    .no_grad_reason = "made after differentiation, from cross_entropy and its gradient",
    .ref = cross_entropy_both_ref,
    .formula = "loss = −1/n Σ log softmax(x)[target], dx = (softmax(x) − onehot(target)) / n",
    .source = "as cross_entropy",
    .doc = "The loss of a classifier and the gradient of its logits, in one pass.",
    .samples = (const hd_sample[]){{"f32[1,2]={0 0}, i64[1]={1}", "{0.6931472} {0.5 -0.5}"},
                                   {"f32[2,2]={0 0 1000 -1000}, i64[2]={0 1}", "{1000.346574} {-0.25 0.25 0.5 -0.5}"},
                                   {"f32[5,10], i64[5]:below(10)", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[3]:below(3)", "one class number for each row"}, {0}},
};
