/* fold.c: what inference need not compute: a normalisation by running statistics goes into the weights of the layer
 * before it, and a sum into the convolution whose result it adds. Training keeps both, exact programs too. Knows no
 * kernel by name. */
#include "compile/lower.h"
#include "ops/fused.h"
#include <string.h>

/* Stays as it is from run to run, until somebody trains or loads. */
static bool hd_stays(const hd_graph *g, int32_t value) {
    if (value < 0) return false;
    const hd_value *v = &g->values[value];
    return v->kind == HD_KIND_PARAM || v->kind == HD_KIND_CONST || (v->kind == HD_KIND_STATE && !v->buffer);
}

static int64_t *hd_act_of_node(const hd_node *n) {
    const hd_option *o = hd_option_find(n->op->options, "act");
    return o ? (int64_t *)(void *)((char *)n->attr + o->offset) : NULL;
}

/* ---- normalisation ---- */

/* Whose output channels are the first axis of the weight and axis 1 of the result. */
static bool hd_takes_norm(const hd_graph *g, const hd_node *layer) {
    if (!hd_is_op(layer, "conv2d") && !hd_is_op(layer, "linear")) return false;
    if (hd_is_op(layer, "linear") && g->values[layer->out].type.dims.rank != 2) return false;
    const int32_t bias = layer->n_in > 2 ? layer->in[2] : -1;
    return hd_stays(g, layer->in[1]) && (bias < 0 || hd_stays(g, bias)) && *hd_act_of_node(layer) == HD_ACT_NONE;
}

/* batch_norm_infer(layer(x, w, b)) → layer(x, w', b'). */
static hd_status hd_fold_norm(hd_lower *l, int32_t node) {
    hd_graph *g = l->g;
    const hd_node norm = g->nodes[node];
    if (!hd_is_op(&norm, "batch_norm_infer")) return HD_OK;
    const hd_node *found = hd_producer(g, norm.in[0]);
    if (!found || found->out != norm.in[0] || !hd_takes_norm(g, found)) return HD_OK;
    if (hd_single_user(g, found->out) != &g->nodes[node]) return HD_OK;
    for (int k = 1; k < 5; k++)
        if (!hd_stays(g, norm.in[k])) return HD_OK;
    const hd_node layer = *found;
    const int32_t in[6] = {layer.in[1], norm.in[1], norm.in[2],
                           norm.in[3],  norm.in[4], layer.n_in > 2 ? layer.in[2] : -1};
    const hd_fold_norm_args args = {.eps = ((const hd_batch_norm_args *)norm.attr)->eps};
    const int32_t w = hd_insert(g, &hd_op_fold_norm, in, 6, &args, layer.order, layer.loc);
    if (w < 0) return hd_graph_status(g);
    const int32_t folded[3] = {layer.in[0], w, w + 1};
    const int32_t y = hd_insert(g, layer.op, folded, 3, layer.attr, norm.order, layer.loc);
    if (y < 0) return hd_graph_status(g);
    hd_node *made = hd_producer(g, y);
    *hd_act_of_node(made) = ((const hd_batch_norm_args *)norm.attr)->act;
    hd_producer(g, layer.out)->dead = g->nodes[node].dead = true;
    hd_replace(l, norm.out, y);
    return HD_OK;
}

/* ---- sum ---- */

/* The first of the list that runs the node, or NULL. */
static const hd_kernel *hd_first_kernel(const hd_kctx *k) {
    const hd_kernel *const *list = hd_kernels_default();
    for (size_t i = 0; list[i]; i++)
        if (strcmp(list[i]->op, k->op->name) == 0 && !hd_kernel_refuses(list[i], k)) return list[i];
    return NULL;
}

/* "onednn.conv2d.direct" and "onednn.conv2d_add.direct": the same but for the op in the middle. */
static bool hd_same_way(const hd_kernel *a, const hd_kernel *b) {
    if (!a || !b) return false;
    const size_t start = strcspn(a->name, ".");
    const char *x = strrchr(a->name, '.'), *y = strrchr(b->name, '.');
    return strcspn(b->name, ".") == start && strncmp(a->name, b->name, start) == 0 && x && y && strcmp(x, y) == 0;
}

/* The convolution with the sum in it is done the way that it would be done without. */
static bool hd_sum_costs_nothing(hd_lower *l, const hd_node *conv, int32_t z) {
    const int32_t value[5] = {conv->in[0], conv->in[1], conv->in[2], z, conv->out};
    const hd_conv2d_add_args args = hd_conv2d_add_args_of(conv->attr);
    hd_operand operand[5];
    for (int i = 0; i < 5; i++) hd_operand_of(l, value[i], &operand[i]);
    hd_kctx k = {.ctx = l->ctx,
                 .arena = &l->arena,
                 .op = &hd_op_conv2d_add,
                 .attr = &args,
                 .n_in = 4,
                 .n_out = 1,
                 .in = operand,
                 .out = operand + 4,
                 .isa = l->ctx->isa,
                 .threads = l->ctx->threads,
                 .inference = true};
    const hd_kernel *with = hd_first_kernel(&k);
    k.op = conv->op;
    k.attr = conv->attr;
    k.n_in = 3;
    return with && hd_same_way(hd_first_kernel(&k), with);
}

/* The convolution that makes input k of a sum and serves nothing else. */
static const hd_node *hd_summand(const hd_lower *l, const hd_node *sum, int k) {
    hd_graph *g = l->g;
    const hd_node *conv = hd_producer(g, sum->in[k]);
    const bool fits = hd_is_op(conv, "conv2d") && conv->n_in > 2 && conv->in[2] >= 0 &&
                      *hd_act_of_node(conv) == HD_ACT_NONE && g->values[conv->out].type.dtype == HD_F32 &&
                      hd_single_user(g, conv->out) == sum;
    return fits ? conv : NULL;
}

/* add(conv2d(x, w, b), z) → conv2d_add(x, w, b, z), of the later one where both are convolutions. */
static hd_status hd_fold_sum(hd_lower *l, int32_t node) {
    hd_graph *g = l->g;
    const hd_node sum = g->nodes[node];
    if (!hd_is_op(&sum, "add") || sum.in[0] == sum.in[1]) return HD_OK;
    const hd_dims *dims = &g->values[sum.out].type.dims;
    for (int k = 0; k < 2; k++)
        if (!hd_dims_equal(&g->values[sum.in[k]].type.dims, dims)) return HD_OK;
    const hd_node *a = hd_summand(l, &g->nodes[node], 0), *b = hd_summand(l, &g->nodes[node], 1);
    const hd_node *conv = a && (!b || a->order > b->order) ? a : b;
    if (!conv) return HD_OK;
    const int32_t z = conv == a ? sum.in[1] : sum.in[0], done = conv->out;
    if (!hd_sum_costs_nothing(l, conv, z)) return HD_OK;
    const int32_t in[4] = {conv->in[0], conv->in[1], conv->in[2], z};
    const hd_conv2d_add_args args = hd_conv2d_add_args_of(conv->attr);
    const int32_t y = hd_insert(g, &hd_op_conv2d_add, in, 4, &args, sum.order, conv->loc);
    if (y < 0) return hd_graph_status(g);
    hd_producer(g, done)->dead = g->nodes[node].dead = true;
    hd_replace(l, sum.out, y);
    hd_node *act = hd_single_user(g, y);
    if (!hd_is_op(act, "relu")) return HD_OK;
    *hd_act_of_node(hd_producer(g, y)) = HD_ACT_RELU;
    hd_replace(l, act->out, y);
    act->dead = true;
    return HD_OK;
}

hd_status hd_pass_fold(hd_lower *l) {
    hd_graph *g = l->g;
    const bool single = !l->args->precision || strcmp(l->args->precision, "f32") == 0;
    const bool own = !l->args->backend || strcmp(l->args->backend, "default") == 0;
    if (l->train || l->lean || g->backward || l->args->exact) return HD_OK;
    size_t count = g->node_count;
    for (size_t i = 0; i < count; i++) HD_TRY(hd_fold_norm(l, (int32_t)i));
    HD_TRY(hd_drop_dead(l));
    HD_TRY(hd_sort_nodes(g));
    count = g->node_count;
    for (size_t i = 0; single && own && i < count; i++) HD_TRY(hd_fold_sum(l, (int32_t)i));
    HD_TRY(hd_drop_dead(l));
    return hd_sort_nodes(g);
}
