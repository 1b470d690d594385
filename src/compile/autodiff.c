/* autodiff.c: reverse-mode differentiation: every op's `grad` builds nodes; sums are added where a value fans out.
 * Linnainmaa 1970; Rumelhart, Hinton, Williams 1986. Knows no op by name. */
#include "compile/lower.h"
#include "hadal/ops.h"
#include <string.h>

typedef struct hd_tape {
    hd_graph *g;
    int32_t *grad; /* value id → id of its gradient, or -1 */
    bool *reach;   /* depends on what is differentiated for */
    size_t count;  /* values that were there before */
} hd_tape;

static hd_status hd_rule_wrong(hd_graph *g, const hd_node *n, int i, const char *what) {
    char place[320];
    return hd_fail(g->ctx, HD_E_MODEL, "%s|%s: its gradient rule gave %s for input %s",
                   hd_loc_text(place, sizeof place, n->loc), n->op->name, what, hd_op_in_name(n->op, i));
}

/* Adds a contribution to the gradient of a value. */
static hd_status hd_tape_add(hd_tape *t, const hd_node *n, int i, int32_t value, hd_val d) {
    if (d.graph != t->g || d.id < 0) {
        HD_TRY(hd_graph_status(t->g));
        return hd_rule_wrong(t->g, n, i, "a value of another graph");
    }
    const hd_type *is = &t->g->values[d.id].type, *want = &t->g->values[value].type;
    if (is->dtype != want->dtype || !hd_dims_equal(&is->dims, &want->dims)) {
        char a[192], b[192], text[512] = "shape ";
        strcat(strcat(strcat(text, hd_dims_text(a, &is->dims)), " instead of "), hd_dims_text(b, &want->dims));
        return hd_rule_wrong(t->g, n, i, text);
    }
    if (t->grad[value] < 0)
        t->grad[value] = d.id;
    else
        t->grad[value] = hd_add((hd_val){t->g, t->grad[value]}, d).id;
    return hd_graph_status(t->g);
}

static hd_status hd_tape_node(hd_tape *t, size_t index) {
    hd_graph *g = t->g;
    const hd_node n = g->nodes[index]; /* a copy: rules make the array grow */
    bool any = false, wanted = false;
    for (int k = 0; k < n.n_out; k++) any |= t->grad[n.out + k] >= 0;
    for (int k = 0; k < n.n_in; k++) wanted |= n.in[k] >= 0 && t->reach[n.in[k]];
    if (!any || !wanted) return HD_OK;
    if (!n.op->grad) {
        char place[320];
        return hd_fail(g->ctx, HD_E_MODEL, "%s|%s has no gradient: %s", hd_loc_text(place, sizeof place, n.loc),
                       n.op->name, n.op->no_grad_reason ? n.op->no_grad_reason : "none was written");
    }
    hd_arena scratch = {.ctx = g->ctx};
    const size_t m = (size_t)n.n_in + 1;
    hd_val *in = hd_arena_alloc_n(&scratch, m, sizeof *in), *din = hd_arena_alloc_n(&scratch, m, sizeof *din);
    bool *needs = hd_arena_alloc_n(&scratch, m, sizeof *needs);
    hd_val out[HD_OP_MAX_OUT], dout[HD_OP_MAX_OUT];
    hd_status status = in && din && needs ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) {
        for (int k = 0; k < n.n_in; k++) {
            in[k] = hd_val_at(g, n.in[k]);
            needs[k] = n.in[k] >= 0 && t->reach[n.in[k]];
        }
        for (int k = 0; k < n.n_out; k++) {
            out[k] = (hd_val){g, n.out + k};
            dout[k] = hd_val_at(g, t->grad[n.out + k]);
        }
        hd_grad c = {.graph = g,
                     .op = n.op,
                     .attr = n.attr,
                     .n_in = n.n_in,
                     .n_out = n.n_out,
                     .in = in,
                     .out = out,
                     .dout = dout,
                     .needs = needs,
                     .din = din};
        n.op->grad(&c);
        status = hd_graph_status(g);
    }
    for (int k = 0; k < n.n_in && status == HD_OK; k++)
        if (needs[k] && din[k].graph) status = hd_tape_add(t, &n, k, n.in[k], din[k]);
    hd_arena_free(&scratch);
    return status;
}

static hd_status hd_tape_run(hd_tape *t, hd_val value, hd_val seed, const hd_val *of, int32_t n, hd_val *grads) {
    hd_graph *g = t->g;
    const size_t nodes = g->node_count;
    for (size_t i = 0; i < t->count; i++) t->grad[i] = -1;
    for (int32_t i = 0; i < n; i++) {
        grads[i] = (hd_val){0};
        if (!hd_val_is_none(of[i])) t->reach[of[i].id] = true;
    }
    for (size_t i = 0; i < nodes; i++) {
        bool reach = false;
        for (int k = 0; k < g->nodes[i].n_in; k++) reach |= g->nodes[i].in[k] >= 0 && t->reach[g->nodes[i].in[k]];
        for (int k = 0; k < g->nodes[i].n_out && reach; k++) t->reach[g->nodes[i].out + k] = true;
    }
    t->grad[value.id] = hd_val_is_none(seed) ? hd_fill_like(value, .value = 1).id : seed.id;
    HD_TRY(hd_graph_status(g));
    for (size_t i = nodes; i-- > 0;)
        if (!g->nodes[i].dead) HD_TRY(hd_tape_node(t, i));
    for (int32_t i = 0; i < n; i++)
        if (!hd_val_is_none(of[i])) grads[i] = hd_val_at(g, t->grad[of[i].id]);
    g->backward = true;
    return HD_OK;
}

hd_status hd_gradients(hd_val value, hd_val seed, const hd_val *of, int32_t n, hd_val *grads) {
    if (!value.graph) return HD_E_USAGE;
    HD_TRY(hd_graph_status(value.graph));
    hd_graph *g = value.graph;
    const hd_type *type = value.id >= 0 ? &g->values[value.id].type : NULL;
    if (!type || (type->dtype != HD_F32 && type->dtype != HD_F64 && type->dtype != HD_BF16))
        return hd_fail(g->ctx, HD_E_USAGE, "gradients|expected a value of f32 or f64 to differentiate");
    if (hd_val_is_none(seed) && hd_dims_count(&type->dims) != 1)
        return hd_fail(g->ctx, HD_E_USAGE, "gradients|expected a scalar, or a gradient that arrives at it (seed)");
    hd_tape t = {.g = g, .count = g->value_count};
    t.grad = hd_alloc_n(g->ctx, t.count + 1, sizeof *t.grad);
    t.reach = hd_alloc_n(g->ctx, t.count + 1, sizeof *t.reach);
    const hd_status status = t.grad && t.reach ? hd_tape_run(&t, value, seed, of, n, grads) : HD_E_MEMORY;
    hd_free(g->ctx, t.grad);
    hd_free(g->ctx, t.reach);
    return status;
}
