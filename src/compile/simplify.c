/* simplify.c: nodes that do nothing go; so does what nobody reads. */
#include "compile/lower.h"
#include "hadal/ops.h"
#include <string.h>

/* Ops that only change shape or dtype: identities when the result is as the input. */
static bool hd_keeps_elements(const hd_op *op) {
    static const char *const names[] = {"reshape", "flatten", "reshape_like", "sum_like", "broadcast_like", "cast"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(op->name, names[i]) == 0) return true;
    return false;
}

static bool hd_is_identity(const hd_graph *g, const hd_node *n) {
    if (n->n_in < 1 || n->in[0] < 0) return false;
    if (g->values[n->out].output && g->values[n->in[0]].output) return false; /* both are results */
    const hd_type *x = &g->values[n->in[0]].type, *y = &g->values[n->out].type;
    if (x->dtype != y->dtype || !hd_dims_equal(&x->dims, &y->dims)) return false;
    if (hd_keeps_elements(n->op)) return true;
    if (strcmp(n->op->name, "affine") == 0) {
        const hd_affine_args *a = n->attr;
        return a->scale == 1 && a->shift == 0;
    }
    return strcmp(n->op->name, "concat") == 0 && n->n_in == 1;
}

hd_status hd_pass_simplify(hd_lower *l) {
    hd_graph *g = l->g;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        if (n->dead || !hd_is_identity(g, n)) continue;
        hd_replace(l, n->out, n->in[0]);
        n->dead = true;
    }
    HD_TRY(hd_drop_dead(l));
    return hd_sort_nodes(g);
}
