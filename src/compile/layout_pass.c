/* layout_pass.c: a memory order for every value. Kernels say what they want; a parameter takes the order of its first
 * reader and keeps it in all programs of the store; where producer and reader differ a reorder node stands between. */
#include "compile/lower.h"
#include "compile/store.h"
#include "hadal/ops.h"
#include "ops/fused.h"
#include "ops/optim_kit.h"
#include <string.h>

/* What makes a value in another order: a cast that can write in it, from what is cast; else a reorder. */
static const hd_op *hd_reorder_op(hd_lower *l, int32_t value, const hd_layout *want, int32_t *from, hd_dtype *dtype) {
    const hd_node *n = hd_producer(l->g, value);
    *from = value;
    if (!n || !hd_is_op(n, "cast")) return &hd_op_reorder;
    hd_operand operands[2];
    const hd_kctx k = {.ctx = l->ctx,
                       .op = n->op,
                       .attr = n->attr,
                       .n_in = 1,
                       .n_out = 1,
                       .in = operands,
                       .out = operands + 1,
                       .isa = l->ctx->isa};
    hd_operand_of(l, n->in[0], &operands[0]);
    hd_operand_of(l, value, &operands[1]);
    operands[1].layout = *want;
    for (const hd_kernel *const *list = hd_kernels_default(); *list; list++)
        if (strcmp((*list)->op, "cast") == 0 && !hd_kernel_refuses(*list, &k)) *from = n->in[0];
    *dtype = l->g->values[value].type.dtype;
    return *from == value ? &hd_op_reorder : n->op;
}

/* The value in the order that is wanted: a node that makes it already, or a new one. */
static int32_t hd_reordered(hd_lower *l, int32_t value, const hd_layout *want, int32_t order, hd_status *status) {
    hd_graph *g = l->g;
    int32_t from;
    hd_dtype dtype = HD_F32;
    const hd_op *op = hd_reorder_op(l, value, want, &from, &dtype);
    for (size_t i = 0; i < g->node_count; i++) { /* the same one may be there already */
        const hd_node *n = &g->nodes[i];
        if (n->op == op && n->in[0] == from && hd_layout_equal(&l->v[n->out].layout, want) &&
            g->values[n->out].type.dtype == g->values[value].type.dtype) {
            if (n->order > order) g->nodes[i].order = order;
            return n->out;
        }
    }
    const hd_reorder_args reorder = {.end_ = 0};
    const hd_cast_args cast = {.dtype = HD_DTYPE(dtype)};
    const int32_t out =
        hd_insert(g, op, &from, 1, op == &hd_op_reorder ? (const void *)&reorder : &cast, order, g->values[value].loc);
    if (out < 0) {
        *status = hd_graph_status(g);
        return -1;
    }
    *status = hd_lower_sync(l);
    if (*status != HD_OK) return -1;
    l->v[out].layout = *want;
    l->v[out].layout_set = true;
    if (op != &hd_op_reorder) return out;
    if (g->values[value].kind == HD_KIND_PARAM)
        l->weight_reorders++;
    else
        l->reorders++;
    return out;
}

static bool hd_in_store(const hd_graph *g, int32_t v) {
    return g->values[v].kind == HD_KIND_PARAM || g->values[v].kind == HD_KIND_STATE;
}

/* What a node wants of its operands, into arrays of n_in and n_out. */
static void hd_wants(hd_lower *l, int32_t node, hd_operand *operands, hd_layout *in, hd_layout *out) {
    hd_kctx k;
    const hd_node *n = &l->g->nodes[node];
    const hd_kernel *kernel = hd_lnode_of(l, node)->kernel;
    hd_kctx_of(l, node, operands, &k);
    const hd_layout *said = hd_lnode_of(l, node)->wants;
    for (int i = 0; said && i < n->n_in + n->n_out; i++) *(i < n->n_in ? &in[i] : &out[i - n->n_in]) = said[i];
    if (said) return;
    if (kernel->layouts) {
        kernel->layouts(&k, in, out);
        return;
    }
    if (!(kernel->flags & HD_K_ANY_LAYOUT)) return;
    /* The order of the first input that has one and the shape of the result goes through. */
    const hd_layout *through = NULL;
    for (int i = 0; i < n->n_in && !through; i++)
        if (n->in[i] >= 0 && !hd_layout_is_plain(&k.in[i].layout) && hd_dims_equal(&k.in[i].dims, &k.out[0].dims))
            through = &l->v[n->in[i]].layout;
    if (!through) return;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && hd_dims_equal(&k.in[i].dims, &k.out[0].dims)) in[i] = *through;
    for (int i = 0; i < n->n_out; i++)
        if (hd_dims_equal(&k.out[i].dims, &k.out[0].dims)) out[i] = *through;
}

/* A view shows the memory of its first operand: pictures made rows keep their order, and rows made pictures again. Of
 * the others it reads no more than the shape. */
static void hd_view_wants(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    const hd_operand *x = &k->in[0], *y = &k->out[0];
    hd_layout other;
    for (int i = 1; i < k->n_in; i++) in[i] = k->in[i].layout;
    if (x->dims.rank < 1 || y->dims.rank < 1 || x->dims.dim[0] != y->dims.dim[0]) return;
    const bool fits = hd_dims_equal(&x->dims, &y->dims) ? (other = x->layout, true)
                      : y->dims.rank == 2               ? hd_layout_as_rows(&x->layout, &x->dims, &other)
                      : x->dims.rank == 2               ? hd_layout_as_picture(&x->layout, &y->dims, &other)
                                                        : false;
    if (!fits) return;
    in[0] = x->layout;
    out[0] = other;
}

/* The features of a linear layer may come in any order, when its weight's columns stand in the same. The weight decides
 * where it is placed already. False: not such a product. */
static bool hd_rows_wants(const hd_lower *l, const hd_node *n, const hd_kctx *k, hd_layout *in, hd_layout *out) {
    const bool forward = hd_is_op(n, "linear"), back = hd_is_op(n, "linear_grad_input") || hd_is_op(n, "matmul");
    const bool weight = hd_is_op(n, "linear_grad_weight");
    if ((!forward && !back && !weight) || k->in[0].dims.rank != 2 || k->in[1].dims.rank != 2) return false;
    if (hd_is_op(n, "matmul") && ((const hd_matmul_args *)n->attr)->trans_b) return false;
    const bool placed = forward && l->v[n->in[1]].layout_set;
    const hd_layout rows = back || placed ? k->in[1].layout : k->in[0].layout;
    if (!rows.places) return false;
    if (forward)
        in[0] = in[1] = rows;
    else if (weight)
        in[0] = out[0] = rows;
    else {
        in[1] = out[0] = rows;
        if (k->n_in > 2 && n->in[2] >= 0) in[2] = rows;
    }
    return true;
}

/* What a node wants, views and rows of features first. */
static void hd_node_wants(hd_lower *l, int32_t node, hd_operand *operands, hd_layout *in, hd_layout *out) {
    hd_kctx k;
    const hd_node *n = &l->g->nodes[node];
    hd_kctx_of(l, node, operands, &k);
    if (n->op->flags & HD_OP_VIEW)
        hd_view_wants(&k, in, out);
    else if (hd_lnode_of(l, node)->kernel->layouts || !hd_rows_wants(l, n, &k, in, out))
        hd_wants(l, node, operands, in, out);
}

/* A parameter or state that nobody has placed yet takes what is wanted. */
static hd_status hd_settle_input(hd_lower *l, int32_t value, const hd_layout *want) {
    hd_lvalue *v = &l->v[value];
    if (v->layout_set || !hd_in_store(l->g, value)) return HD_OK;
    hd_entry *e = &l->store->entries[v->entry];
    if (!e->layout_set) {
        e->layout = *want;
        e->layout_set = true;
    }
    v->layout = e->layout;
    v->layout_set = true;
    return HD_OK;
}

static hd_status hd_layout_node(hd_lower *l, int32_t node) {
    hd_graph *g = l->g;
    const int32_t n_in = g->nodes[node].n_in, n_out = g->nodes[node].n_out, order = g->nodes[node].order;
    const size_t count = (size_t)(n_in + n_out) + 1;
    hd_operand *operands = hd_alloc_n(l->ctx, count, sizeof *operands);
    hd_layout *want = hd_alloc_n(l->ctx, count, sizeof *want);
    hd_status status = operands && want ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) hd_node_wants(l, node, operands, want, want + n_in);
    for (int32_t i = 0; i < n_in && status == HD_OK; i++) {
        const int32_t value = g->nodes[node].in[i];
        if (value < 0) continue;
        status = hd_settle_input(l, value, &want[i]);
        if (status != HD_OK || hd_layout_equal(&l->v[value].layout, &want[i])) continue;
        const int32_t other = hd_reordered(l, value, &want[i], order, &status);
        if (status == HD_OK) g->nodes[node].in[i] = other;
    }
    for (int32_t o = 0; o < n_out && status == HD_OK; o++) {
        const int32_t value = g->nodes[node].out + o;
        const int32_t alias = hd_node_alias(&g->nodes[node], o);
        l->v[value].layout = alias >= 0 ? l->v[alias].layout : want[n_in + o];
        l->v[value].layout_set = true;
    }
    hd_free(l->ctx, operands);
    hd_free(l->ctx, want);
    return status;
}

/* Updates write where the store has the value: their first operand may not be reordered, the others follow it. */
static bool hd_is_in_place(const hd_node *n) {
    return (n->op->flags & HD_OP_EFFECT) && n->op->alias[0] == 1;
}

/* What an update wants of its operand i. Of two factors of a gradient [m, n], g has no order and the features of `row`
 * stand as the columns of the weights do. */
static const hd_layout *hd_follows(const hd_lower *l, const hd_node *n, int32_t i, const hd_layout *layout) {
    static const hd_layout plain = {0};
    const hd_dims *own = &l->g->values[n->in[0]].type.dims;
    const bool factors = hd_optim_of(n->op) && n->n_in > HD_UP_ROW && n->in[HD_UP_ROW] >= 0;
    const bool same = factors && i == HD_UP_G     ? false
                      : factors && i == HD_UP_ROW ? layout->places != 0
                                                  : hd_dims_equal(&l->g->values[n->in[i]].type.dims, own);
    return same ? layout : &plain;
}

static hd_status hd_layout_effect(hd_lower *l, int32_t node) {
    hd_graph *g = l->g;
    const int32_t owner = g->nodes[node].in[0], order = g->nodes[node].order;
    HD_TRY(hd_settle_input(l, owner, &HD_LAYOUT_PLAIN));
    const hd_layout layout = l->v[owner].layout;
    for (int32_t i = 1; i < g->nodes[node].n_in; i++) {
        const int32_t value = g->nodes[node].in[i];
        if (value < 0) continue;
        const hd_layout *want = hd_follows(l, &g->nodes[node], i, &layout);
        HD_TRY(hd_settle_input(l, value, want));
        if (hd_layout_equal(&l->v[value].layout, want)) continue;
        hd_status status = HD_OK;
        const int32_t other = hd_reordered(l, value, want, order, &status);
        HD_TRY(status);
        g->nodes[node].in[i] = other;
    }
    for (int32_t o = 0; o < g->nodes[node].n_out; o++) {
        l->v[g->nodes[node].out + o].layout = layout;
        l->v[g->nodes[node].out + o].layout_set = true;
    }
    return HD_OK;
}

/* Results are read in plain order. */
static hd_status hd_layout_outputs(hd_lower *l) {
    hd_graph *g = l->g;
    const size_t count = g->value_count;
    for (size_t i = 0; i < count; i++) {
        const bool target = l->target == (int32_t)i;
        if ((!g->values[i].output && !target) || hd_layout_is_plain(&l->v[i].layout)) continue;
        hd_status status = HD_OK;
        const int32_t plain = hd_reordered(l, (int32_t)i, &HD_LAYOUT_PLAIN, INT32_MAX, &status);
        HD_TRY(status);
        g->values[plain].output = g->values[i].output;
        g->values[i].output = NULL;
        if (target) l->target = plain;
    }
    return HD_OK;
}

static hd_status hd_store_entries(hd_lower *l) {
    for (size_t i = 0; i < l->g->value_count; i++) {
        const hd_value *v = &l->g->values[i];
        if (!hd_in_store(l->g, (int32_t)i)) {
            l->v[i].layout_set = v->kind != HD_KIND_NODE;
            continue;
        }
        if (!hd_use_count(l->g, (int32_t)i)) continue;
        HD_TRY(hd_store_entry(l->store, v->name, v->type, v->init, v->kind == HD_KIND_PARAM, &l->v[i].entry));
        hd_entry *e = &l->store->entries[l->v[i].entry];
        e->buffer = v->buffer;
        l->v[i].layout = e->layout;
        l->v[i].layout_set = e->layout_set;
    }
    return HD_OK;
}

/* A weight that is cast before it is multiplied takes the order of its gradient: casts can write in any. */
static hd_status hd_layout_masters(hd_lower *l) {
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_node *n = &l->g->nodes[i];
        if (!hd_is_op(n, "conv2d_grad_weight") && !hd_is_op(n, "conv2d_grad_params")) continue;
        if (l->g->values[n->in[0]].type.dtype != HD_BF16 || n->in[2] < 0 || l->v[n->in[2]].entry < 0) continue;
        hd_operand operands[5];
        hd_layout want[5] = {0};
        hd_wants(l, (int32_t)i, operands, want, want + n->n_in);
        HD_TRY(hd_settle_input(l, n->in[2], &want[2]));
    }
    return HD_OK;
}

hd_status hd_pass_layout(hd_lower *l) {
    HD_TRY(hd_lower_sync(l));
    HD_TRY(hd_store_entries(l));
    HD_TRY(hd_layout_masters(l));
    const size_t count = l->g->node_count;
    for (size_t i = 0; i < count; i++) {
        if (hd_is_in_place(&l->g->nodes[i]))
            HD_TRY(hd_layout_effect(l, (int32_t)i));
        else
            HD_TRY(hd_layout_node(l, (int32_t)i));
    }
    HD_TRY(hd_layout_outputs(l));
    for (size_t i = 0; i < l->g->value_count; i++) /* what no kernel asked for stays plain */
        if (l->v[i].entry >= 0 && !l->v[i].layout_set) HD_TRY(hd_settle_input(l, (int32_t)i, &HD_LAYOUT_PLAIN));
    HD_TRY(hd_drop_dead(l));  /* casts that nobody reads in the order of their input */
    HD_TRY(hd_pass_place(l)); /* the reorders */
    return hd_sort_nodes(l->g);
}
