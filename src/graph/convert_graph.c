/* convert_graph.c: a graph in another dtype: for checking in f64 what will run in f32. */
#include "base/context.h"
#include "graph/graph.h"
#include <string.h>

/* A constant's numbers in the other dtype; NULL without memory. */
static void *hd_converted_data(hd_graph *g, const hd_value *v, hd_dtype to) {
    const int64_t n = hd_dims_count(&v->type.dims);
    char *out = hd_arena_alloc_n(&g->arena, (size_t)n + 1, hd_dtype_size(to));
    for (int64_t i = 0; out && i < n; i++) {
        const double x = v->type.dtype == HD_F32 ? (double)((const float *)v->data)[i] : ((const double *)v->data)[i];
        const float small = (float)x;
        if (to == HD_F32)
            memcpy(out + (size_t)i * sizeof small, &small, sizeof small);
        else
            memcpy(out + (size_t)i * sizeof x, &x, sizeof x);
    }
    return out;
}

/* Options that name the dtype (of a cast) follow. */
static void hd_convert_options(const hd_node *node, hd_dtype from, hd_dtype to) {
    for (const hd_option *o = node->op->options; o && o->name; o++) {
        if (o->type != HD_OPT_DTYPE) continue;
        int64_t *field = (int64_t *)((char *)node->attr + o->offset);
        if (*field == HD_DTYPE(from)) *field = HD_DTYPE(to);
    }
}

static hd_status hd_convert_values(hd_graph *g, hd_dtype from, hd_dtype to) {
    for (size_t i = 0; i < g->value_count; i++) {
        hd_value *v = &g->values[i];
        if (v->kind == HD_KIND_NODE || v->type.dtype != from) continue;
        if (v->kind == HD_KIND_CONST && !(v->data = hd_converted_data(g, v, to))) return HD_E_MEMORY;
        v->type.dtype = to;
    }
    for (size_t i = 0; i < g->node_count; i++) hd_convert_options(&g->nodes[i], from, to);
    return hd_graph_infer(g);
}

hd_status hd_graph_convert(hd_graph **out, const hd_graph *graph, hd_dtype from, hd_dtype to) {
    hd_graph *g;
    if ((from != HD_F32 && from != HD_F64) || (to != HD_F32 && to != HD_F64))
        return hd_fail(graph->ctx, HD_E_USAGE, "hd_graph_convert|only f32 and f64 are exchanged|");
    HD_TRY(hd_graph_clone(&g, graph));
    const hd_status status = hd_convert_values(g, from, to);
    if (status == HD_OK) {
        *out = g;
        return HD_OK;
    }
    hd_graph_free(g);
    return status;
}
