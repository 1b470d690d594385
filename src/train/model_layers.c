/* model_layers.c: what `summary` shows: one row for each node of the network, read from the graph. */
#include "base/status.h"
#include "train/model.h"
#include <string.h>

/* "c1" of "c1.weight": what stands before the last dot. */
static const char *prefix_of(hd_arena *arena, const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? hd_arena_strndup(arena, name, (size_t)(dot - name)) : hd_arena_strdup(arena, name);
}

static hd_type bound(hd_val v) {
    hd_type t = {hd_val_dtype(v), hd_val_dims(v)};
    for (int i = 0; i < t.dims.rank; i++)
        if (t.dims.dim[i] == HD_BATCH) t.dims.dim[i] = 1;
    return t;
}

/* FLOP of a node for one sample, by the op's own formula. */
static double node_flops(hd_model *m, int32_t i, const hd_node_info *node) {
    enum { MAX_IN = 64 };
    hd_type in[MAX_IN], out[HD_OP_MAX_OUT];
    const int slots = node->op->n_in + node->op->n_optional;
    int n_in = node->n_in > slots ? (int)node->n_in : slots;
    if (n_in > MAX_IN) n_in = MAX_IN;
    for (int k = 0; k < n_in; k++) {
        const hd_val v = k < node->n_in ? hd_graph_node_in(m->graph, i, k) : (hd_val){0};
        in[k] = hd_val_is_none(v) ? (hd_type){.dims = {.rank = -1}} : bound(v);
    }
    for (int k = 0; k < node->n_out && k < HD_OP_MAX_OUT; k++) out[k] = bound(hd_graph_node_out(m->graph, i, k));
    if (node->op->flags & HD_OP_VIEW) return 0;
    if (!node->op->cost) return (double)hd_dims_count(&out[0].dims);
    const hd_infer c = {.op = node->op,
                        .attr = (void *)(uintptr_t)node->attr,
                        .n_in = n_in,
                        .in = in,
                        .n_out = node->n_out,
                        .out = out};
    return node->op->cost(&c).flops;
}

static hd_dims without_batch(hd_dims d) {
    if (d.rank == 0 || d.dim[0] != HD_BATCH) return d;
    memmove(d.dim, d.dim + 1, sizeof d.dim - sizeof d.dim[0]);
    d.rank--;
    return d;
}

static hd_status add_row(hd_model *m, int32_t i, const hd_node_info *node) {
    hd_layer_info *row = &m->layers[m->layer_count];
    const hd_val out = hd_graph_node_out(m->graph, i, 0);
    *row = (hd_layer_info){.name = hd_val_name(out),
                           .type = node->op->name,
                           .output = without_batch(hd_val_dims(out)),
                           .flops = node_flops(m, i, node)};
    bool named = false;
    for (int32_t k = 0; k < node->n_in; k++) {
        const hd_val in = hd_graph_node_in(m->graph, i, k);
        if (hd_val_is_none(in) || hd_val_kind(in) != HD_KIND_PARAM) continue;
        const hd_dims d = hd_val_dims(in);
        row->params += hd_dims_count(&d);
        if (named) continue;
        named = true;
        row->name = prefix_of(&m->arena, hd_val_name(in));
        if (!row->name) return HD_E_MEMORY;
    }
    m->flops += row->flops;
    m->layer_count++;
    return HD_OK;
}

hd_status hd_model_describe(hd_model *m) {
    hd_node_info node;
    m->layers = hd_arena_alloc_n(&m->arena, (size_t)m->net_nodes + 1, sizeof *m->layers);
    if (!m->layers) return HD_E_MEMORY;
    for (int32_t i = 0; i < m->net_nodes; i++)
        if (hd_graph_node(m->graph, i, &node)) HD_TRY(add_row(m, i, &node));
    m->params = m->trainable = hd_graph_param_count(m->graph);
    return HD_OK;
}

hd_layer_info hd_model_layer(const hd_model *m, int32_t i) {
    return i >= 0 && i < m->layer_count ? m->layers[i] : (hd_layer_info){.name = "", .type = ""};
}
