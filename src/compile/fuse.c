/* fuse.c: nodes that belong together become one: a layer and its activation, the paired gradients of a layer, a loss
 * and its gradient. Only here, never in the run loop. Each rule looks at one node and its neighbours. */
#include "compile/fuse.h"
#include "ops/fused.h"
#include "ops/optim_kit.h"
#include <string.h>

/* ---- activations ---- */

static int64_t hd_act_of(const char *name, bool grad) {
    static const char *const forward[] = {"", "relu", "sigmoid", "tanh"};
    static const char *const backward[] = {"", "relu_grad", "sigmoid_grad", "tanh_grad"};
    for (int64_t a = HD_ACT_RELU; a <= HD_ACT_TANH; a++)
        if (strcmp(name, (grad ? backward : forward)[a]) == 0) return a;
    return HD_ACT_NONE;
}

static int64_t *hd_act_field(const hd_node *n) {
    const hd_option *o = hd_option_find(n->op->options, "act");
    return o ? (int64_t *)(void *)((char *)n->attr + o->offset) : NULL;
}

/* act(layer(x)) → layer with act. Batch normalisation outside training takes relu alone. */
static bool hd_fuse_activation(hd_lower *l, hd_node *act) {
    hd_graph *g = l->g;
    const int64_t kind = hd_act_of(act->op->name, false);
    if (kind == HD_ACT_NONE) return false;
    hd_node *layer = hd_producer(g, act->in[0]);
    if (!layer || layer->out != act->in[0]) return false;
    const bool norm = hd_is_op(layer, "batch_norm_infer");
    if (!hd_is_op(layer, "linear") && !hd_is_op(layer, "conv2d") && !(norm && kind == HD_ACT_RELU)) return false;
    if (hd_single_user(g, layer->out) != act || *hd_act_field(layer) != HD_ACT_NONE) return false;
    *hd_act_field(layer) = kind;
    hd_replace(l, act->out, layer->out);
    act->dead = true;
    return true;
}

/* relu_grad(y, max_pool2d_grad(y, dy)) → max_pool2d_grad(y, relu_grad(p, dy)), p = max_pool2d(y): the place where the
 * largest element stands is masked just when p is, and p is smaller than y. */
static bool hd_mask_before_pool(hd_lower *l, hd_node *act) {
    hd_graph *g = l->g;
    const int32_t y = act->in[0], masked = act->out;
    const hd_node *grad = hd_producer(g, act->in[1]), *pool = NULL;
    if (!hd_is_op(act, "relu_grad") || !hd_is_op(grad, "max_pool2d_grad") || grad->in[0] != y) return false;
    if (hd_single_user(g, grad->out) != act) return false;
    const hd_pool2d_grad_args *a = grad->attr;
    for (size_t i = 0; i < g->node_count && !pool; i++) {
        if (!hd_is_op(&g->nodes[i], "max_pool2d") || g->nodes[i].in[0] != y) continue;
        const hd_pool2d_args *b = g->nodes[i].attr;
        if (memcmp(a->kernel_size, b->kernel_size, sizeof a->kernel_size) == 0 &&
            memcmp(a->stride, b->stride, sizeof a->stride) == 0 &&
            memcmp(a->padding, b->padding, sizeof a->padding) == 0 &&
            memcmp(a->dilation, b->dilation, sizeof a->dilation) == 0 &&
            memcmp(a->output_size, b->output_size, sizeof a->output_size) == 0 && a->ceil_mode == b->ceil_mode)
            pool = &g->nodes[i];
    }
    if (!pool) return false;
    const int32_t in[2] = {pool->out, grad->in[1]}, dx = grad->out, order = grad->order;
    const int32_t v = hd_insert(g, act->op, in, 2, act->attr, order, grad->loc); /* moves the nodes */
    if (v < 0) return false;
    hd_producer(g, dx)->in[1] = v;
    hd_producer(g, masked)->dead = true;
    hd_replace(l, masked, dx);
    return true;
}

/* ---- gradients of layers ---- */

static bool hd_sums_axes(const hd_node *n, const int64_t *axes, int count) {
    const hd_reduce_args *a = n->attr;
    if (!hd_is_op(n, "sum") || a->keepdim || a->axes.rank != count) return false;
    return memcmp(a->axes.dim, axes, (size_t)count * sizeof *axes) == 0;
}

/* The node that sums a value over these axes, or NULL. */
static hd_node *hd_find_sum(hd_graph *g, int32_t value, const int64_t *axes, int count) {
    for (size_t i = 0; i < g->node_count; i++)
        if (!g->nodes[i].dead && g->nodes[i].n_in == 1 && g->nodes[i].in[0] == value &&
            hd_sums_axes(&g->nodes[i], axes, count))
            return &g->nodes[i];
    return NULL;
}

/* Replaces weight gradient and bias sum by one node with results dw, db. */
static bool hd_pair_gradients(hd_lower *l, hd_node *weight, hd_node *bias, const hd_op *op, const int32_t *in,
                              int32_t n_in, const void *attr) {
    const int32_t dw = weight->out, db = bias->out, order = weight->order;
    const hd_loc at = weight->loc;
    weight->dead = bias->dead = true;
    const int32_t v = hd_insert(l->g, op, in, n_in, attr, order, at);
    if (v < 0) return false;
    hd_replace(l, dw, v);
    hd_replace(l, db, v + 1);
    return true;
}

/* matmul(dz, x, trans_a) and sum(dz, 0) → linear_grad_weight. */
static bool hd_fuse_linear_weight(hd_lower *l, hd_node *n) {
    if (!hd_is_op(n, "matmul")) return false;
    const hd_matmul_args *a = n->attr;
    if (!a->trans_a || a->trans_b || l->g->values[n->in[0]].type.dims.rank != 2 ||
        l->g->values[n->in[1]].type.dims.rank != 2)
        return false;
    hd_node *bias = hd_find_sum(l->g, n->in[0], (const int64_t[]){0}, 1);
    if (!bias) return false;
    const int32_t in[2] = {n->in[1], n->in[0]};
    return hd_pair_gradients(l, n, bias, &hd_op_linear_grad_weight, in, 2, &(hd_linear_grad_weight_args){.end_ = 0});
}

/* conv2d_grad_weight(x, dy, w) and sum(dy, 0 2 3) → conv2d_grad_params. */
static bool hd_fuse_conv_params(hd_lower *l, hd_node *n) {
    if (!hd_is_op(n, "conv2d_grad_weight")) return false;
    hd_node *bias = hd_find_sum(l->g, n->in[1], (const int64_t[]){0, 2, 3}, 3);
    if (!bias) return false;
    const int32_t in[3] = {n->in[0], n->in[1], n->in[2]};
    return hd_pair_gradients(l, n, bias, &hd_op_conv2d_grad_params, in, 3, n->attr);
}

/* act_grad(y, matmul(dz, w)) → linear_grad_input with act. */
static bool hd_fuse_linear_input(hd_lower *l, hd_node *act) {
    hd_graph *g = l->g;
    const int64_t kind = hd_act_of(act->op->name, true);
    if (kind == HD_ACT_NONE) return false;
    hd_node *product = hd_producer(g, act->in[1]);
    if (!hd_is_op(product, "matmul") || hd_single_user(g, product->out) != act) return false;
    const hd_matmul_args *a = product->attr;
    const int32_t in[3] = {product->in[0], product->in[1], act->in[0]}, out = act->out, order = act->order;
    if (a->trans_a || a->trans_b || g->values[in[0]].type.dims.rank != 2 || g->values[in[1]].type.dims.rank != 2)
        return false;
    const hd_loc at = product->loc;
    product->dead = act->dead = true;
    const int32_t v =
        hd_insert(g, &hd_op_linear_grad_input, in, 3, &(hd_linear_grad_input_args){.act = kind}, order, at);
    if (v < 0) return false;
    hd_replace(l, out, v);
    return true;
}

/* ---- updates ---- */

/* Elements below which an update of its own costs more than the gradient's way through memory, for one sample and for
 * several; rows of x from which the product costs so much that this way is not felt. */
enum { HD_OUTER_LEAST = 4096, HD_FACTORS_LEAST = 32768, HD_FACTORS_SIDE = 64, HD_FACTORS_MOST_ROWS = 256 };

static bool hd_pays_as_factors(const hd_dims *dz, const hd_dims *p) {
    const int64_t count = hd_dims_count(p);
    if (dz->rank != 2 || p->rank != 2) return false;
    if (dz->dim[0] == 1) return count >= HD_OUTER_LEAST;
    return count >= HD_FACTORS_LEAST && dz->dim[0] <= HD_FACTORS_MOST_ROWS && p->dim[0] >= HD_FACTORS_SIDE &&
           p->dim[1] >= HD_FACTORS_SIDE;
}

/* Σ of the rows of dz: of one row dz itself. */
static int32_t hd_sum_of_rows(hd_graph *g, int32_t dz, int32_t order, hd_loc at) {
    const hd_dims of = g->values[dz].type.dims;
    if (of.dim[0] == 1)
        return hd_insert(g, hd_op_find(NULL, "reshape"), &dz, 1,
                         &(hd_reshape_args){.dims = {.rank = 1, .dim = {of.dim[1]}}}, order, at);
    return hd_insert(g, hd_op_find(NULL, "sum"), &dz, 1, &(hd_reduce_args){.axes = {.rank = 1}}, order, at);
}

/* update(p, dw, …) where dw = dzᵀ x and nobody else reads it → update(p, dz, …, row = x): the gradient is used where it
 * is made, one pass over the weights, and none in memory. */
static bool hd_fuse_outer_update(hd_lower *l, hd_node *n) {
    hd_graph *g = l->g;
    const char *precision = l->args->precision;
    if (!hd_optim_of(n->op) || n->n_in > HD_UP_ROW || (precision && strcmp(precision, "bf16") == 0)) return false;
    hd_node *grad = hd_producer(g, n->in[HD_UP_G]);
    if (!hd_is_op(grad, "linear_grad_weight") || grad->out != n->in[HD_UP_G] || hd_single_user(g, grad->out) != n)
        return false;
    const int32_t x = grad->in[0], dz = grad->in[1], db = grad->out + 1, order = grad->order;
    const hd_dims *of = &g->values[dz].type.dims, *p = &g->values[n->in[HD_UP_P]].type.dims;
    if (!hd_pays_as_factors(of, p)) return false;
    int32_t *in = hd_arena_alloc_n(&g->arena, HD_UP_INPUTS, sizeof *in);
    if (!in) return false;
    for (int i = 0; i < HD_UP_INPUTS; i++) in[i] = i < n->n_in ? n->in[i] : -1;
    in[HD_UP_G] = dz;
    in[HD_UP_ROW] = x;
    n->in = in;
    n->n_in = HD_UP_INPUTS;
    n->order = order; /* it only waits for those who read the weights: dz and x need not stay */
    grad->dead = true;
    if (!hd_use_count(g, db)) return true;
    const int32_t v = hd_sum_of_rows(g, dz, order, grad->loc); /* moves the nodes */
    if (v < 0) return false;
    hd_replace(l, db, v);
    return true;
}

/* ---- loss ---- */

static bool hd_is_one(hd_graph *g, int32_t value) {
    const hd_node *n = hd_producer(g, value);
    return hd_is_op(n, "fill_like") && ((const hd_fill_like_args *)n->attr)->value == 1;
}

/* cross_entropy(x, t) and cross_entropy_grad(x, t, 1) → cross_entropy_both. */
static bool hd_fuse_loss(hd_lower *l, hd_node *n) {
    hd_graph *g = l->g;
    if (!hd_is_op(n, "cross_entropy_grad") || !hd_is_one(g, n->in[2])) return false;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *loss = &g->nodes[i];
        if (!hd_is_op(loss, "cross_entropy") || loss->in[0] != n->in[0] || loss->in[1] != n->in[1]) continue;
        const bool weighted = loss->n_in > 2 && loss->in[2] >= 0;
        if (!hd_cross_entropy_plain(loss->attr, 2, HD_I64, weighted)) continue; /* the gradient's inputs say the rest */
        const int32_t in[2] = {n->in[0], n->in[1]}, y = loss->out, dx = n->out, order = loss->order;
        const hd_loc at = loss->loc;
        loss->dead = n->dead = true;
        const int32_t v =
            hd_insert(g, &hd_op_cross_entropy_both, in, 2, &(hd_cross_entropy_both_args){.end_ = 0}, order, at);
        if (v < 0) return false;
        hd_replace(l, y, v);
        hd_replace(l, dx, v + 1);
        return true;
    }
    return false;
}

hd_status hd_pass_fuse(hd_lower *l) {
    static bool (*const rules[])(hd_lower *, hd_node *) = {
        hd_fuse_activation,   hd_fuse_norm_add,      hd_fuse_norm_clip,   hd_mask_before_pool,
        hd_fuse_norm_grad,    hd_fuse_linear_weight, hd_fuse_conv_params, hd_fuse_linear_input,
        hd_fuse_outer_update, hd_fuse_loss,          hd_fuse_attention};
    hd_graph *g = l->g;
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        for (size_t i = 0; i < g->node_count; i++) {
            if (!g->nodes[i].dead) rules[r](l, &g->nodes[i]);
            HD_TRY(hd_graph_status(g));
        }
    HD_TRY(hd_drop_dead(l));
    return hd_sort_nodes(g);
}
