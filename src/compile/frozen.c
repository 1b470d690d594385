/* frozen.c: what is not trained does not change: a norm with running statistics whose weight and bias are frozen stands
 * in training as it does outside, so that these stay those of the data it has learnt from. */
#include "compile/lower.h"

void hd_settle_frozen(hd_graph *g) {
    const hd_op *still = hd_op_find(NULL, "batch_norm_infer");
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        if (!hd_is_op(n, "batch_norm") && !hd_is_op(n, "instance_norm")) continue;
        if (g->values[n->in[1]].kind != HD_KIND_STATE || g->values[n->in[2]].kind != HD_KIND_STATE) continue;
        n->op = still; /* the same inputs and options; its first result is the only one */
        n->n_out = 1;
    }
}
