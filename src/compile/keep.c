/* keep.c: what depends on weights alone. In inference these stay as they are from run to run, so the nodes that read
 * nothing else (folded and rounded weights, weights in another layout) run when the store's contents have changed and
 * their results are kept with the program. So are first phases of kernels that prepare weights (hd_prepared.once). */
#include "compile/lower.h"
#include "ops/fused.h"

bool hd_value_stays(const hd_lower *l, int32_t value) {
    const hd_graph *g = l->g;
    if (value < 0) return true; /* absent */
    const hd_value *v = &g->values[value];
    switch (v->kind) {
    case HD_KIND_PARAM:
    case HD_KIND_CONST: return true;
    case HD_KIND_STATE: return !v->buffer;
    case HD_KIND_NODE: return v->node >= 0 && hd_lnode_of(l, v->node)->kept;
    default: return false;
    }
}

hd_status hd_pass_keep(hd_lower *l) {
    hd_graph *g = l->g;
    if (l->train || l->lean) return HD_OK;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        bool stays = !(n->op->flags & (HD_OP_EFFECT | HD_OP_PLACED));
        for (int k = 0; k < n->n_in && stays; k++) stays = hd_value_stays(l, n->in[k]);
        hd_lnode_of(l, (int32_t)i)->kept = stays;
        if (!stays) continue;
        n->order = INT32_MIN + (int32_t)i; /* before all others, in the order that they have now */
        if (n->op != &hd_op_reorder || hd_layout_equal(&l->v[n->in[0]].layout, &l->v[n->out].layout)) continue;
        if (g->values[n->in[0]].kind == HD_KIND_PARAM)
            l->weight_reorders--;
        else
            l->reorders--;
    }
    return HD_OK;
}
