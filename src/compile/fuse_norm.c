/* fuse_norm.c: rules of the pass `fuse` for batch normalisation in training: what is added to its result, the clip
 * behind it, and the gradients of all three become one pass over memory each way. Knows no kernel. */
#include "compile/fuse.h"
#include "ops/fused.h"
#include "ops/op_kit.h"
#include <string.h>

static hd_dims dims_of(const hd_graph *g, int32_t value) {
    return g->values[value].type.dims;
}

/* The norm whose result 0 a value is: batch_norm without activation, or one that fuse made without a clip. */
static hd_node *plain_norm(hd_graph *g, int32_t value) {
    hd_node *n = hd_producer(g, value);
    if (!n || n->dead || n->out != value) return NULL;
    if (hd_is_op(n, "batch_norm")) return ((const hd_batch_norm_args *)n->attr)->act == HD_ACT_NONE ? n : NULL;
    if (n->op != &hd_op_batch_norm_act) return NULL;
    return ((const hd_batch_norm_act_args *)n->attr)->clip == HD_CLIP_NONE ? n : NULL;
}

/* A norm with this residual and clip takes the place of another and of the node that followed it. */
static bool replace_norm(hd_lower *l, hd_node *norm, hd_node *after, int32_t residual, int64_t clip) {
    int32_t in[6];
    hd_batch_norm_act_args args = {.clip = clip};
    for (int i = 0; i < 6; i++) in[i] = i < norm->n_in ? norm->in[i] : -1;
    if (residual >= 0) in[5] = residual;
    if (norm->op == &hd_op_batch_norm_act) {
        const hd_batch_norm_act_args *old = norm->attr;
        args.eps = hd_explicit(old->eps), args.momentum = hd_explicit(old->momentum);
    } else {
        const hd_batch_norm_args *old = norm->attr;
        args.eps = hd_explicit(old->eps), args.momentum = hd_explicit(old->momentum);
    }
    const int32_t old = norm->out, y = after->out, order = after->order;
    const hd_loc at = norm->loc;
    norm->dead = after->dead = true;
    const int32_t v = hd_insert(l->g, &hd_op_batch_norm_act, in, in[5] < 0 ? 5 : 6, &args, order, at);
    if (v < 0) return false;
    hd_replace(l, y, v);
    for (int i = 1; i < 5; i++) hd_replace(l, old + i, v + i);
    return true;
}

bool hd_fuse_norm_add(hd_lower *l, hd_node *add) {
    hd_graph *g = l->g;
    if (!hd_is_op(add, "add")) return false;
    const hd_dims y = dims_of(g, add->out);
    for (int i = 0; i < 2; i++) {
        const int32_t value = add->in[i], other = add->in[1 - i];
        const hd_dims a = dims_of(g, value), b = dims_of(g, other);
        hd_node *norm = plain_norm(g, value);
        if (!norm || !hd_dims_equal(&a, &y) || !hd_dims_equal(&b, &y) || hd_single_user(g, value) != add) continue;
        if (norm->n_in > 5 && norm->in[5] >= 0) continue;
        return replace_norm(l, norm, add, other, HD_CLIP_NONE);
    }
    return false;
}

/* The gradient of relu (from its result) or relu6 (from its result as well as from what it clips: its edges are
 * outside). */
static bool is_clip_grad(const hd_node *n, int64_t clip) {
    if (clip == HD_CLIP_RELU) return hd_is_op(n, "relu_grad");
    if (clip != HD_CLIP_RELU6 || !hd_is_op(n, "band_grad")) return false;
    const hd_band_grad_args *a = n->attr;
    return a->low == 0 && a->high == 6 && a->inside == 1 && a->outside == 0 && !a->closed;
}

/* Nobody but the activation reads the norm's result, and its gradient, which may as well read the activation's. */
static bool only_clipped(hd_graph *g, int32_t value, const hd_node *act, int64_t clip) {
    if (g->values[value].output) return false;
    for (size_t i = 0; i < g->node_count; i++) {
        const hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in && !n->dead; k++) {
            if (n->in[k] != value || n == act) continue;
            if (clip != HD_CLIP_RELU6 || k != 0 || !is_clip_grad(n, clip)) return false;
        }
    }
    return true;
}

bool hd_fuse_norm_clip(hd_lower *l, hd_node *act) {
    hd_graph *g = l->g;
    const int64_t clip = hd_is_op(act, "relu") ? HD_CLIP_RELU : hd_is_op(act, "relu6") ? HD_CLIP_RELU6 : HD_CLIP_NONE;
    if (clip == HD_CLIP_NONE) return false;
    const int32_t value = act->in[0];
    hd_node *norm = plain_norm(g, value);
    if (!norm || !only_clipped(g, value, act, clip)) return false;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        if (n != act && !n->dead && n->n_in > 0 && n->in[0] == value && is_clip_grad(n, clip)) n->in[0] = act->out;
    }
    return replace_norm(l, norm, act, -1, clip);
}

/* Two gradients that are added up before a node, which alone reads their sum. */
static bool is_sum(const hd_graph *g, const hd_node *n) {
    if (!hd_is_op(n, "add")) return false;
    const hd_dims a = dims_of(g, n->in[0]), b = dims_of(g, n->in[1]), y = dims_of(g, n->out);
    return hd_dims_equal(&a, &y) && hd_dims_equal(&b, &y);
}

static bool replace_grad(hd_lower *l, hd_node *grad, hd_node *mask, const hd_node *norm, int64_t clip) {
    hd_graph *g = l->g;
    const bool add = norm->n_in > 5 && norm->in[5] >= 0;
    const hd_batch_norm_act_grad_args args = {.clip = clip};
    int32_t in[7] = {grad->in[0], grad->in[1], norm->in[2], grad->in[2], grad->in[3], mask->in[1], -1};
    if (!add && hd_single_user(g, mask->out) != grad) return false;
    if (add) {
        hd_node *sum = hd_producer(g, mask->in[1]);
        in[2] = grad->in[2], in[3] = grad->in[3], in[4] = norm->out;
        if (is_sum(g, sum) && hd_single_user(g, sum->out) == mask) {
            in[5] = sum->in[0], in[6] = sum->in[1];
            sum->dead = true;
        }
    }
    const int32_t out = grad->out, masked = mask->out, order = mask->order;
    const hd_loc at = grad->loc;
    grad->dead = mask->dead = true;
    const hd_op *op = add ? &hd_op_batch_norm_add_grad : &hd_op_batch_norm_act_grad;
    const int32_t v = hd_insert(g, op, in, in[6] < 0 ? 6 : 7, &args, order, at);
    if (v < 0) return false;
    for (int i = 0; i < 3; i++) hd_replace(l, out + i, v + i);
    if (add) hd_replace(l, masked, v + 3);
    return true;
}

bool hd_fuse_norm_grad(hd_lower *l, hd_node *grad) {
    hd_graph *g = l->g;
    if (!hd_is_op(grad, "batch_norm_grad") || ((const hd_batch_norm_grad_args *)grad->attr)->act != HD_ACT_NONE)
        return false;
    hd_node *mask = hd_producer(g, grad->in[4]), *norm = hd_producer(g, grad->in[2]);
    if (!mask || !norm || norm->op != &hd_op_batch_norm_act || norm->out + 1 != grad->in[2]) return false;
    const int64_t clip = ((const hd_batch_norm_act_args *)norm->attr)->clip;
    if (norm->in[0] != grad->in[0] || !is_clip_grad(mask, clip) || mask->in[0] != norm->out) return false;
    return replace_grad(l, grad, mask, norm, clip);
}
