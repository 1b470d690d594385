/* recompute.c: activations are computed again when the backward pass needs them, instead of being kept (Chen et al.
 * 2016). The forward pass is cut into segments of about equal weight; what goes from one segment to a later one is
 * kept, what is only read within its segment and by the backward pass is made anew, from the segment's inputs, just
 * before the first gradient that reads it. The last segment is never made again. Runs on the placed graph, so that the
 * copies are the same kernels on the same layouts: the same bits. Knows no op by name. */
#include "compile/lower.h"

typedef struct hd_cut {
    hd_lower *l;
    size_t nodes, values; /* before copies were made */
    bool *forward;        /* by node: the loss depends on it */
    int32_t *segment;     /* by node of the forward pass */
    bool *kept;           /* by value */
    bool *read;           /* by value: the backward pass, or a copy, reads it */
    int32_t *copy;        /* by value, or -1 */
} hd_cut;

static hd_status hd_cut_new(hd_cut *c, hd_lower *l) {
    const size_t n = l->g->node_count, m = l->g->value_count;
    *c = (hd_cut){.l = l, .nodes = n, .values = m};
    c->forward = hd_alloc_n(l->ctx, n + 1, sizeof *c->forward);
    c->segment = hd_alloc_n(l->ctx, n + 1, sizeof *c->segment);
    c->kept = hd_alloc_n(l->ctx, m + 1, sizeof *c->kept);
    c->read = hd_alloc_n(l->ctx, m + 1, sizeof *c->read);
    c->copy = hd_alloc_n(l->ctx, m + 1, sizeof *c->copy);
    return c->forward && c->segment && c->kept && c->read && c->copy ? HD_OK : HD_E_MEMORY;
}

static void hd_cut_free(hd_cut *c) {
    hd_free(c->l->ctx, c->forward);
    hd_free(c->l->ctx, c->segment);
    hd_free(c->l->ctx, c->kept);
    hd_free(c->l->ctx, c->read);
    hd_free(c->l->ctx, c->copy);
}

/* The node of the forward pass that makes a value; -1: none does. */
static int32_t hd_made_by(const hd_cut *c, int32_t value) {
    const int32_t node = value >= 0 && (size_t)value < c->values ? c->l->g->values[value].node : -1;
    return node >= 0 && c->forward[node] ? node : -1;
}

static void hd_mark_forward(hd_cut *c) {
    const hd_graph *g = c->l->g;
    c->forward[g->values[c->l->target].node] = true;
    for (size_t i = c->nodes; i-- > 0;)
        for (int k = 0; c->forward[i] && k < g->nodes[i].n_in; k++) {
            const int32_t v = g->nodes[i].in[k], made = v >= 0 ? g->values[v].node : -1;
            if (made >= 0) c->forward[made] = true;
        }
    for (size_t i = 0; i < c->nodes; i++)
        for (int k = 0; !c->forward[i] && k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] >= 0) c->read[g->nodes[i].in[k]] = true;
}

static double hd_weight_of(const hd_cut *c, size_t node) {
    const hd_node *n = &c->l->g->nodes[node];
    double bytes = 0;
    for (int k = 0; k < n->n_out && !(n->op->flags & HD_OP_VIEW); k++) {
        const hd_type *type = &c->l->g->values[n->out + k].type;
        if (c->read[n->out + k]) bytes += (double)hd_dims_count(&type->dims) * (double)hd_dtype_size(type->dtype);
    }
    return bytes;
}

/* Segments, and what is kept: what other segments read, what is told, what an effect made, and the last segment. */
static void hd_divide(hd_cut *c, int segments) {
    const hd_graph *g = c->l->g;
    double total = 0, sum = 0;
    for (size_t i = 0; i < c->nodes; i++)
        if (c->forward[i]) total += hd_weight_of(c, i);
    for (size_t i = 0; i < c->nodes; i++) {
        if (!c->forward[i]) continue;
        const int s = total > 0 ? (int)(sum / total * segments) : 0;
        c->segment[i] = s < segments ? s : segments - 1;
        sum += hd_weight_of(c, i);
        const hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_out; k++)
            c->kept[n->out + k] = n->op->flags & (HD_OP_EFFECT | HD_OP_PLACED) || g->values[n->out + k].output ||
                                  g->values[n->out + k].member_of >= 0 || c->segment[i] == segments - 1;
        for (int k = 0; k < n->n_in; k++) {
            const int32_t made = hd_made_by(c, n->in[k]);
            if (made >= 0 && c->segment[made] != c->segment[i]) c->kept[n->in[k]] = true;
        }
    }
}

/* A copy of a node that reads copies where there are some, in its place before a node of the backward pass. */
static hd_status hd_copy_node(hd_cut *c, size_t node, int32_t order) {
    hd_lower *l = c->l;
    const hd_node n = l->g->nodes[node]; /* the array grows */
    int32_t *in = hd_arena_alloc_n(&l->arena, (size_t)n.n_in + 1, sizeof *in);
    if (!in) return HD_E_MEMORY;
    for (int k = 0; k < n.n_in; k++) in[k] = n.in[k] >= 0 && c->copy[n.in[k]] >= 0 ? c->copy[n.in[k]] : n.in[k];
    const int32_t out = hd_graph_repeat_node(l->g, (int32_t)node, in).id;
    if (out < 0) return hd_graph_status(l->g);
    l->g->nodes[l->g->values[out].node].order = order;
    HD_TRY(hd_lower_sync(l));
    for (int k = 0; k < n.n_out; k++) {
        l->v[out + k].layout = l->v[n.out + k].layout;
        l->v[out + k].layout_set = true;
        if (!c->kept[n.out + k]) c->copy[n.out + k] = out + k;
    }
    l->recomputed++;
    return HD_OK;
}

static bool hd_is_remade(const hd_cut *c, int32_t value, int s) {
    const int32_t made = hd_made_by(c, value);
    return made >= 0 && c->segment[made] == s && !c->kept[value];
}

static hd_status hd_remake(hd_cut *c, int s) {
    hd_graph *g = c->l->g;
    int32_t order = INT32_MAX;
    for (size_t i = 0; i < c->nodes; i++)
        for (int k = 0; !c->forward[i] && k < g->nodes[i].n_in; k++)
            if (hd_is_remade(c, g->nodes[i].in[k], s) && g->nodes[i].order < order) order = g->nodes[i].order;
    if (order == INT32_MAX) return HD_OK; /* nothing is read again */
    bool *wanted = hd_alloc_n(c->l->ctx, c->nodes + 1, sizeof *wanted);
    if (!wanted) return HD_E_MEMORY;
    for (size_t i = c->nodes; i-- > 0;) {
        if (!c->forward[i] || c->segment[i] != s) continue;
        const hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_out; k++) wanted[i] |= c->read[n->out + k] && !c->kept[n->out + k];
        for (int k = 0; wanted[i] && k < n->n_in; k++)
            if (n->in[k] >= 0) c->read[n->in[k]] = true;
    }
    hd_status status = HD_OK;
    for (size_t i = 0; i < c->nodes && status == HD_OK; i++)
        if (wanted[i]) status = hd_copy_node(c, i, order);
    hd_free(c->l->ctx, wanted);
    for (size_t i = 0; i < c->nodes && status == HD_OK; i++)
        for (int k = 0; !c->forward[i] && k < g->nodes[i].n_in; k++) {
            int32_t *in = &g->nodes[i].in[k];
            if (*in >= 0 && (size_t)*in < c->values && c->copy[*in] >= 0) *in = c->copy[*in];
        }
    return status;
}

hd_status hd_pass_recompute(hd_lower *l) {
    hd_graph *g = l->g;
    if (l->segments < 2 || !l->train || l->target < 0 || g->values[l->target].node < 0) return HD_OK;
    hd_cut c;
    HD_TRY(hd_sort_nodes(g));
    hd_status status = hd_cut_new(&c, l);
    if (status == HD_OK) {
        for (size_t i = 0; i < c.values; i++) c.copy[i] = -1;
        hd_mark_forward(&c);
        hd_divide(&c, l->segments);
        for (int s = 0; s + 1 < l->segments && status == HD_OK; s++) status = hd_remake(&c, s);
    }
    hd_cut_free(&c);
    HD_TRY(status);
    HD_TRY(hd_pass_place(l));
    return hd_sort_nodes(g);
}
