/* cost.c: work of a node: what its op says, else an operation per result element and the bytes of its operands. */
#include "compile/lower.h"

hd_cost hd_node_cost(const hd_lower *l, int32_t node) {
    const hd_graph *g = l->g;
    const hd_node *n = &g->nodes[node];
    hd_type in[16], out[HD_OP_MAX_OUT];
    if (n->op->cost && n->n_in <= 16) {
        for (int k = 0; k < n->n_in; k++)
            in[k] = n->in[k] < 0 ? (hd_type){.dims = {.rank = -1}} : g->values[n->in[k]].type;
        for (int k = 0; k < n->n_out; k++) out[k] = g->values[n->out + k].type;
        hd_infer c = {.op = n->op, .attr = n->attr, .n_in = n->n_in, .in = in, .n_out = n->n_out, .out = out};
        return n->op->cost(&c);
    }
    hd_cost cost = {0};
    for (int k = 0; k < n->n_out; k++) cost.flops += (double)hd_dims_count(&g->values[n->out + k].type.dims);
    for (int k = 0; k < n->n_in + n->n_out; k++) {
        const int32_t v = k < n->n_in ? n->in[k] : n->out + k - n->n_in;
        if (v < 0) continue;
        cost.bytes += (double)hd_dims_count(&g->values[v].type.dims) * (double)hd_dtype_size(g->values[v].type.dtype);
    }
    return cost;
}
