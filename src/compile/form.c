/* form.c: the training or the inference form of a graph. In inference nothing is drawn (dropout is the identity), batch
 * normalisation uses the running statistics, recurrent layers begin at zero, nothing persistent changes; marked results
 * stay when they need no inputs beyond the target's.
 */
#include "compile/lower.h"
#include "ops/fused.h"
#include <string.h>

/* Outside training whole sequences begin at zero: what recurrent layers carried is neither read nor changed. In decode
 * mode it is all that they know. */
static void hd_forget_carried(hd_graph *g, hd_node *n) {
    for (int k = n->op->n_in; k < n->n_in; k++) {
        const int32_t buffer = n->in[k];
        if (buffer < 0 || !g->values[buffer].buffer) continue;
        n->in[k] = -1;
        for (size_t i = 0; i < g->node_count; i++)
            if (hd_is_op(&g->nodes[i], "assign") && g->nodes[i].in[0] == buffer) g->nodes[i].dead = true;
    }
}

static hd_status hd_infer_form(hd_lower *l) {
    hd_graph *g = l->g;
    for (size_t i = 0; i < g->node_count; i++) {
        hd_node *n = &g->nodes[i];
        if (!g->decode && (hd_is_op(n, "lstm") || hd_is_op(n, "gru") || hd_is_op(n, "rnn"))) hd_forget_carried(g, n);
        if (hd_is_op(n, "dropout") || hd_is_op(n, "reparameterize")) {    /* input 0 is what they do without noise */
            if (g->values[n->out].output && g->values[n->in[0]].output) { /* both are results: a copy stays */
                n->op = &hd_op_reorder;
                n->n_in = 1;
                continue;
            }
            hd_replace(l, n->out, n->in[0]);
            n->dead = true;
        } else if (hd_is_op(n, "batch_norm") || hd_is_op(n, "instance_norm")) {
            hd_batch_norm_args args;
            memcpy(&args, n->attr, sizeof args);
            const int32_t y = n->out, in[5] = {n->in[0], n->in[1], n->in[2], n->in[3], n->in[4]}, order = n->order;
            const hd_loc at = n->loc;
            n->dead = true;
            const int32_t v = hd_insert(g, hd_op_find(NULL, "batch_norm_infer"), in, 5, &args, order, at);
            if (v < 0) return hd_graph_status(g);
            hd_replace(l, y, v);
        }
    }
    return HD_OK;
}

/* Inputs that the target depends on; a marked result that depends on others is dropped. */
static hd_status hd_keep_outputs(hd_lower *l) {
    hd_graph *g = l->g;
    bool *cone = hd_alloc_n(l->ctx, g->value_count + 1, sizeof *cone),
         *foreign = hd_alloc_n(l->ctx, g->value_count + 1, sizeof *foreign);
    if (cone && foreign) {
        cone[l->target] = true;
        for (size_t i = g->node_count; i-- > 0;) {
            const hd_node *n = &g->nodes[i];
            bool in = false;
            for (int k = 0; k < n->n_out && !n->dead; k++) in |= cone[n->out + k];
            for (int k = 0; k < n->n_in && in; k++)
                if (n->in[k] >= 0) cone[n->in[k]] = true;
        }
        for (size_t i = 0; i < g->value_count; i++) foreign[i] = g->values[i].kind == HD_KIND_INPUT && !cone[i];
        for (size_t i = 0; i < g->node_count; i++) {
            const hd_node *n = &g->nodes[i];
            bool f = false;
            for (int k = 0; k < n->n_in && !n->dead; k++) f |= n->in[k] >= 0 && foreign[n->in[k]];
            for (int k = 0; k < n->n_out && f; k++) foreign[n->out + k] = true;
        }
        for (size_t i = 0; i < g->value_count; i++)
            if (foreign[i]) g->values[i].output = NULL;
    }
    const bool ok = cone && foreign;
    hd_free(l->ctx, cone);
    hd_free(l->ctx, foreign);
    return ok ? HD_OK : HD_E_MEMORY;
}

hd_status hd_pass_form(hd_lower *l) {
    hd_graph *g = l->g;
    if (!l->train) {
        if (!g->backward) HD_TRY(hd_infer_form(l));
        /* The sorter restores "producers first" after nodes were added at the end. */
        HD_TRY(hd_sort_nodes(g));
        HD_TRY(hd_keep_outputs(l));
    }
    HD_TRY(hd_drop_dead(l));
    return hd_sort_nodes(g);
}
