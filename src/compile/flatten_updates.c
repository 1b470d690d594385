/* flatten_updates.c: the optimiser steps of all parameters that are updated alike become one step over flat vectors:
 * parameters and optimiser state lie one behind the other in a block of the store, gradients in one region of the
 * arena. */
#include "compile/lower.h"
#include "compile/store.h"
#include "ops/fused.h"
#include "ops/optim_kit.h"
#include <stdio.h>
#include <string.h>

/* The roles of an update's inputs: 'p' parameter or state (in the store), 'g' the gradient, 's' shared (hyper, scale),
 * by position, as declared in hadal/ops_train.h; NULL: the node is no update, or one that makes its gradient itself. */
static const char *hd_update_roles(const hd_node *n) {
    const bool outer = n->n_in > HD_UP_ROW && n->in[HD_UP_ROW] >= 0;
    return !n->dead && !outer && hd_optim_of(n->op) ? "pgsspppps" : NULL;
}

/* By what the options say: the room between the fields of an args struct holds anything. Optimisers have numbers and
 * switches alone. */
static bool hd_options_alike(const hd_op *op, const void *a, const void *b) {
    for (const hd_option *o = op->options; o && o->name; o++) {
        const size_t size = o->type == HD_OPT_BOOL    ? sizeof(bool)
                            : o->type == HD_OPT_FLOAT ? sizeof(double)
                                                      : sizeof(int64_t);
        const char *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
        if (memcmp(x, y, size * (size_t)(o->count ? o->count : 1)) != 0) return false;
    }
    return true;
}

/* Updates go together when op, options, shared inputs and dtype agree. */
static bool hd_updates_alike(const hd_graph *g, const hd_node *a, const hd_node *b) {
    if (a->op != b->op || a->n_in != b->n_in || g->values[a->in[0]].type.dtype != g->values[b->in[0]].type.dtype)
        return false;
    const char *roles = hd_update_roles(a);
    for (int k = 0; k < a->n_in; k++) {
        if (roles[k] == 's' && a->in[k] != b->in[k]) return false;
        if ((a->in[k] < 0) != (b->in[k] < 0)) return false;
    }
    return hd_options_alike(a->op, a->attr, b->attr);
}

static int64_t hd_flat_size(const hd_lower *l, int32_t value) {
    const int64_t n = hd_layout_count(&l->v[value].layout, &l->g->values[value].type.dims);
    return (n + HD_FLAT_ALIGN - 1) / HD_FLAT_ALIGN * HD_FLAT_ALIGN;
}

/* A gradient may be written straight into the flat vector when a node of its own makes it and nothing else owns its
 * memory. */
static bool hd_can_move(const hd_lower *l, int32_t value) {
    const hd_value *v = &l->g->values[value];
    if (v->kind != HD_KIND_NODE || v->node < 0 || v->output || v->member_of >= 0) return false;
    const hd_node *n = &l->g->nodes[v->node];
    return !(n->op->flags & (HD_OP_VIEW | HD_OP_EFFECT));
}

/* Puts the store entries of input k of all members into one block, unless they lie so already. */
static hd_status hd_flat_block(hd_lower *l, const int32_t *members, int32_t n, int k, size_t total) {
    const size_t size = hd_dtype_size(l->g->values[l->g->nodes[members[0]].in[k]].type.dtype);
    const hd_entry *entries = l->store->entries;
    const hd_entry *first = &entries[l->v[l->g->nodes[members[0]].in[k]].entry];
    bool there = first->block >= 0 && l->store->blocks[first->block].bytes >= total * size;
    size_t at = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = l->g->nodes[members[i]].in[k];
        const hd_entry *e = &entries[l->v[value].entry];
        there = there && e->block == first->block && e->offset == at * size;
        at += (size_t)hd_flat_size(l, value);
    }
    if (there) return HD_OK;
    int32_t block;
    HD_TRY(hd_store_block(l->store, total * size, &block));
    at = 0;
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = l->g->nodes[members[i]].in[k];
        hd_store_put(l->store, l->v[value].entry, block, at * size);
        at += (size_t)hd_flat_size(l, value);
    }
    return HD_OK;
}

/* The flat value that stands for input k of all members. */
static hd_status hd_flat_stored(hd_lower *l, const int32_t *members, int32_t n, int k, int64_t total, int32_t *out) {
    hd_graph *g = l->g;
    const int32_t first = g->nodes[members[0]].in[k];
    char name[600];
    snprintf(name, sizeof name, "%s@flat", g->values[first].name);
    HD_TRY(hd_flat_block(l, members, n, k, (size_t)total));
    hd_type type = {g->values[first].type.dtype, {.rank = 1, .dim = {total}}};
    if (!hd_graph_add_value(g, g->values[first].kind, name, type, g->values[first].loc)) return hd_graph_status(g);
    *out = (int32_t)g->value_count - 1;
    HD_TRY(hd_lower_sync(l));
    l->v[*out].entry = l->v[first].entry;
    l->v[*out].layout_set = true;
    return HD_OK;
}

static hd_status hd_flat_gradient(hd_lower *l, const int32_t *members, int32_t n, int64_t total, int32_t order,
                                  int32_t *out) {
    hd_graph *g = l->g;
    int32_t *in = hd_arena_alloc_n(&l->arena, (size_t)n, sizeof *in);
    if (!in) return HD_E_MEMORY;
    for (int32_t i = 0; i < n; i++) {
        in[i] = g->nodes[members[i]].in[1];
        bool twice = false;
        for (int32_t j = 0; j < i; j++) twice |= in[j] == in[i];
        if (!twice && hd_can_move(l, in[i])) continue;
        const hd_layout layout = l->v[in[i]].layout;
        const int32_t copy =
            hd_insert(g, &hd_op_reorder, &in[i], 1, &(hd_reorder_args){.end_ = 0}, order, g->values[in[i]].loc);
        if (copy < 0) return hd_graph_status(g);
        HD_TRY(hd_lower_sync(l));
        l->v[copy].layout = layout;
        l->v[copy].layout_set = true;
        in[i] = copy;
    }
    /* Its length counts the physical elements, which shape inference can not know: it is set here. */
    *out = hd_insert(g, &hd_op_flat, in, n, &(hd_flat_args){.n = n}, order, g->nodes[members[0]].loc);
    if (*out < 0) return hd_graph_status(g);
    HD_TRY(hd_lower_sync(l));
    g->values[*out].type.dims = (hd_dims){.rank = 1, .dim = {total}};
    l->v[*out].layout_set = true;
    int64_t at = 0;
    for (int32_t i = 0; i < n; i++) {
        g->values[in[i]].member_of = *out;
        g->values[in[i]].member_offset = at;
        at += hd_flat_size(l, in[i]);
    }
    return HD_OK;
}

static hd_status hd_flatten_group(hd_lower *l, const int32_t *members, int32_t n) {
    hd_graph *g = l->g;
    const hd_node head = g->nodes[members[0]];
    const char *roles = hd_update_roles(&head);
    int32_t in[HD_UP_INPUTS], order = 0;
    int64_t total = 0;
    for (int32_t i = 0; i < n; i++) {
        const hd_node *m = &g->nodes[members[i]];
        total += hd_flat_size(l, m->in[0]);
        if (m->order > order) order = m->order;
    }
    for (int k = 0; k < head.n_in; k++) {
        in[k] = head.in[k];
        if (head.in[k] < 0 || roles[k] == 's') continue;
        if (roles[k] == 'g')
            HD_TRY(hd_flat_gradient(l, members, n, total, order, &in[k]));
        else
            HD_TRY(hd_flat_stored(l, members, n, k, total, &in[k]));
    }
    for (int32_t i = 0; i < n; i++) g->nodes[members[i]].dead = true;
    const int32_t out = hd_insert(g, head.op, in, head.n_in, head.attr, order, head.loc);
    if (out < 0) return hd_graph_status(g);
    HD_TRY(hd_lower_sync(l));
    for (int k = 0; k < head.n_out; k++) l->v[out + k].layout_set = true;
    return HD_OK;
}

hd_status hd_pass_flatten(hd_lower *l) {
    hd_graph *g = l->g;
    const size_t count = g->node_count;
    int32_t *members = hd_alloc_n(l->ctx, count + 1, sizeof *members);
    if (!members) return HD_E_MEMORY;
    hd_status status = HD_OK;
    for (size_t i = 0; i < count && status == HD_OK; i++) {
        if (!hd_update_roles(&g->nodes[i])) continue;
        int32_t n = 0;
        for (size_t j = i; j < count; j++)
            if (hd_update_roles(&g->nodes[j]) && hd_updates_alike(g, &g->nodes[i], &g->nodes[j]))
                members[n++] = (int32_t)j;
        status = hd_flatten_group(l, members, n);
    }
    hd_free(l->ctx, members);
    HD_TRY(status);
    HD_TRY(hd_pass_place(l));
    return hd_sort_nodes(g);
}
