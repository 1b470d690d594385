/* fused_loss.c: cross-entropy and its gradient in one pass over the logits. Made by the pass `fuse` where the gradient
 * that arrives at the loss is 1. Knows nothing of backends. */
#include "ops/class_loss.h"
#include "ops/fused.h"

static hd_status cross_entropy_both_infer(hd_infer *c) {
    if (hd_infer_class_loss(c)) return HD_E_MODEL;
    c->out[1] = c->in[0];
    return HD_OK;
}

static void cross_entropy_both_ref(const hd_ref *r) {
    hd_class_loss_args plain = {.ignore_index = HD_IGNORE_INDEX};
    hd_class_loss_ref(&(hd_ref){&plain, 2, 1, r->in, r->out}, true);
    hd_cross_entropy_slopes(&r->in[0], &r->in[1], &r->out[1], 1);
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
                                   {"f32[2,2]={0 0 1 2}, i64[2]={0 -100}", "{0.6931472} {-0.5 0.5 0 0}"},
                                   {"f32[5,10], i64[5]:below(10)", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[3]:below(3)", "one class number for each row"}, {0}},
};
