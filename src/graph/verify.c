/* verify.c: what must hold of every graph, checked after each pass. */
#include "graph/graph.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hd_status hd_verify_node(const hd_graph *g, size_t i, const bool *made) {
    const hd_node *n = &g->nodes[i];
    if (n->out < 0 || (size_t)n->out + (size_t)n->n_out > g->value_count)
        return hd_fail(g->ctx, HD_E_MODEL, "graph|node %zu (%s): its results are out of range", i, n->op->name);
    for (int k = 0; k < n->n_in; k++) {
        const int32_t v = n->in[k];
        if (v < -1 || v >= (int32_t)g->value_count)
            return hd_fail(g->ctx, HD_E_MODEL, "graph|node %zu (%s): input %d is out of range", i, n->op->name, k);
        if (v >= 0 && !made[v])
            return hd_fail(g->ctx, HD_E_MODEL, "graph|node %zu (%s): input %d is used before it is made", i,
                           n->op->name, k);
        if (v < 0 && !(n->op->flags & HD_OP_VARIADIC) && k < n->op->n_in)
            return hd_fail(g->ctx, HD_E_MODEL, "graph|node %zu (%s): input %d is missing", i, n->op->name, k);
    }
    for (int k = 0; k < n->n_out; k++) {
        const hd_value *v = &g->values[n->out + k];
        if (v->node != (int32_t)i || v->out != k)
            return hd_fail(g->ctx, HD_E_MODEL, "graph|node %zu (%s): result %d does not know its node", i, n->op->name,
                           k);
    }
    return HD_OK;
}

static int hd_by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hd_status hd_verify_names(const hd_graph *g) {
    const char **names = hd_alloc_n(g->ctx, g->value_count + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    size_t n = 0;
    hd_status status = HD_OK;
    for (size_t i = 0; i < g->value_count; i++)
        if (g->values[i].kind != HD_KIND_NODE && *g->values[i].name) names[n++] = g->values[i].name;
    if (n) qsort(names, n, sizeof *names, hd_by_text);
    for (size_t i = 1; i < n && status == HD_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = hd_fail(g->ctx, HD_E_MODEL, "graph|the name \"%s\" is used twice", names[i]);
    hd_free(g->ctx, names);
    return status;
}

hd_status hd_graph_verify(const hd_graph *g) {
    HD_TRY(hd_graph_status(g));
    bool *made = hd_alloc_n(g->ctx, g->value_count + 1, sizeof *made);
    if (!made) return HD_E_MEMORY;
    hd_status status = HD_OK;
    for (size_t i = 0; i < g->value_count; i++) made[i] = g->values[i].kind != HD_KIND_NODE;
    for (size_t i = 0; i < g->node_count && status == HD_OK; i++) {
        if (g->nodes[i].dead) continue;
        status = hd_verify_node(g, i, made);
        for (int k = 0; status == HD_OK && k < g->nodes[i].n_out; k++) made[g->nodes[i].out + k] = true;
    }
    hd_free(g->ctx, made);
    HD_TRY(status);
    return hd_verify_names(g);
}
