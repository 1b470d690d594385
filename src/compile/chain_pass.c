/* chain_pass.c: runs of elementwise ops become one node, so that what lies between never reaches memory. A chain grows
 * from its last op to the producers that nobody else reads. */
#include "compile/lower.h"
#include "ops/fused.h"
#include <stdio.h>
#include <string.h>

enum { HD_CHAIN_STEPS = 16, HD_CHAIN_INPUTS = 12 };

typedef struct hd_chain {
    hd_lower *l;
    hd_dims dims;
    hd_dtype dtype;                 /* f32 or bf16: what lies between is f32 in both */
    hd_node *steps[HD_CHAIN_STEPS]; /* last op first */
    int count;
    int32_t inputs[HD_CHAIN_INPUTS];
    int input_count;
} hd_chain;

/* A chain without a kernel would be run by its definition, element by element: far slower than its ops apart. */
static bool hd_chains(const hd_op *op) {
    for (const hd_kernel *const *k = hd_kernels_default(); *k; k++)
        if (((*k)->flags & HD_K_CHAINS) && strcmp((*k)->op, op->name) == 0) return true;
    return false;
}

/* Ops that chains know: one or two tensors in, of one dtype, options that are a few numbers. */
static bool hd_can_chain(const hd_lower *l, const hd_node *n, hd_dtype dtype) {
    if (n->dead || !(n->op->flags & HD_OP_ELEMENTWISE) || (n->op->flags & HD_OP_VARIADIC) || n->op->n_out != 1)
        return false;
    if (n->op->n_optional > 0) return false; /* pow: what its one primitive reads is not said by the op alone */
    if (n->n_in < 1 || n->n_in > 2 || l->g->values[n->out].type.dtype != dtype) return false;
    if (!hd_chains(n->op) || hd_chain_constants(n->op) < 0) return false;
    for (int k = 0; k < n->n_in; k++) {
        const hd_type *t = n->in[k] >= 0 ? &l->g->values[n->in[k]].type : NULL;
        if (!t || t->dtype != dtype) return false;
        if (hd_dims_equal(&t->dims, &l->g->values[n->out].type.dims)) continue;
        if (hd_dims_count(&t->dims) != 1 || dtype != HD_F32) return false;
    }
    return true;
}

static bool hd_add_input(hd_chain *c, int32_t value) {
    for (int i = 0; i < c->input_count; i++)
        if (c->inputs[i] == value) return true;
    if (c->input_count == HD_CHAIN_INPUTS) return false;
    c->inputs[c->input_count++] = value;
    return true;
}

/* Takes producers in, breadth first; what can not come in stays an input. */
static void hd_chain_grow(hd_chain *c, hd_node *last) {
    hd_graph *g = c->l->g;
    c->steps[c->count++] = last;
    for (int s = 0; s < c->count; s++) {
        for (int k = 0; k < c->steps[s]->n_in; k++) {
            const int32_t value = c->steps[s]->in[k];
            hd_node *p = hd_producer(g, value);
            const bool fits = p && c->count < HD_CHAIN_STEPS && hd_can_chain(c->l, p, c->dtype) &&
                              hd_single_user(g, value) && hd_dims_equal(&g->values[value].type.dims, &c->dims);
            if (fits) c->steps[c->count++] = p;
        }
    }
}

static int hd_step_of(const hd_chain *c, int32_t value) {
    for (int s = 0; s < c->count; s++)
        if (c->steps[s]->out == value) return s;
    return -1;
}

/* ";1;2)": the options of a step. The characters it takes, or -1. */
static int hd_chain_options(const hd_node *n, char *text, size_t size) {
    size_t used = 0;
    char number[32];
    for (int k = 0; k < hd_chain_constants(n->op); k++) {
        const double value = hd_chain_constant(n->op, n->attr, k);
        const int w = snprintf(text + used, size - used, ";%s", hd_text_from_f64(number, value));
        if (w < 0 || (used += (size_t)w) >= size) return -1;
    }
    if (used + 2 > size) return -1;
    memcpy(text + used, ")", 2);
    return (int)used + 1;
}

/* Writes the program with the first op first. False when it does not fit. */
static bool hd_chain_text(hd_chain *c, char *text, size_t size) {
    size_t used = 0;
    for (int s = c->count - 1; s >= 0; s--) {
        const hd_node *n = c->steps[s];
        int w = snprintf(text + used, size - used, "%s%s(", used ? " " : "", n->op->name);
        if (w < 0 || (used += (size_t)w) >= size) return false;
        for (int k = 0; k < n->n_in; k++) {
            const int step = hd_step_of(c, n->in[k]);
            if (step < 0 && !hd_add_input(c, n->in[k])) return false;
            int input = 0;
            while (step < 0 && c->inputs[input] != n->in[k]) input++;
            w = snprintf(text + used, size - used, "%s%s%d", k ? "," : "", step < 0 ? "" : "%",
                         step < 0 ? input : c->count - 1 - step);
            if (w < 0 || (used += (size_t)w) >= size) return false;
        }
        w = hd_chain_options(n, text + used, size - used);
        if (w < 0 || (used += (size_t)w) >= size) return false;
    }
    return true;
}

/* Steps come breadth first: a producer found early may be needed by a later one. Sorted by place in the graph, last
 * first. */
static void hd_chain_sort(hd_chain *c) {
    for (int i = 1; i < c->count; i++)
        for (int j = i; j > 0 && c->steps[j] > c->steps[j - 1]; j--) {
            hd_node *t = c->steps[j];
            c->steps[j] = c->steps[j - 1];
            c->steps[j - 1] = t;
        }
}

hd_status hd_pass_chain(hd_lower *l) {
    hd_graph *g = l->g;
    const size_t count = g->node_count;
    for (size_t i = count; i-- > 0;) {
        const hd_type *type = &g->values[g->nodes[i].out].type;
        if (type->dtype != HD_F32 && type->dtype != HD_BF16) continue;
        if (!hd_can_chain(l, &g->nodes[i], type->dtype)) continue;
        char text[2048];
        hd_chain c = {.l = l, .dims = type->dims, .dtype = type->dtype};
        hd_chain_grow(&c, &g->nodes[i]);
        hd_chain_sort(&c);
        if (c.count < 2 || !hd_chain_text(&c, text, sizeof text)) continue;
        const int32_t out = g->nodes[i].out, order = g->nodes[i].order;
        const hd_loc at = g->nodes[i].loc;
        for (int s = 0; s < c.count; s++) c.steps[s]->dead = true;
        const int32_t v =
            hd_insert(g, &hd_op_chain, c.inputs, c.input_count, &(hd_chain_args){.program = text}, order, at);
        if (v < 0) return hd_graph_status(g);
        hd_replace(l, out, v);
    }
    return hd_sort_nodes(g);
}
