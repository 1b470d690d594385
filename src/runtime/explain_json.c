/* explain_json.c: the kernels of a program for programs: a JSON object for every node that runs. */
#include "base/json.h"
#include "runtime/program.h"
#include <stdio.h>

/* What the result of the program depends on is the forward pass; what changes persistent values is the update; the rest
 * is the backward pass. */
static void mark_forward(const hd_program *p, bool *forward) {
    const hd_graph *g = p->lower.g;
    for (size_t i = g->node_count; i-- > 0;) {
        const hd_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_out; k++) forward[i] |= p->lower.target == n->out + k;
        for (int k = 0; forward[i] && k < n->n_in; k++)
            if (n->in[k] >= 0 && g->values[n->in[k]].node >= 0) forward[g->values[n->in[k]].node] = true;
    }
}

static void tell_operand(const hd_program *p, int32_t value, hd_jw *w) {
    char dims[192], layout[64], text[300];
    if (value < 0) {
        hd_jw_null(w);
        return;
    }
    const hd_value *v = &p->lower.g->values[value];
    const hd_layout *l = &p->lower.v[value].layout;
    (void)snprintf(text, sizeof text, "%s%s%s%s", hd_dtype_name(v->type.dtype), hd_dims_text(dims, &v->type.dims),
                   hd_layout_is_plain(l) ? "" : " ",
                   hd_layout_is_plain(l) ? "" : hd_layout_text(layout, l, v->type.dims.rank));
    hd_jw_string(w, text);
}

static double operand_bytes(const hd_program *p, const hd_node *n) {
    double bytes = 0;
    for (int k = 0; k < n->n_in + n->n_out; k++) {
        hd_operand o;
        hd_operand_of(&p->lower, k < n->n_in ? n->in[k] : n->out + k - n->n_in, &o);
        bytes += (double)o.bytes;
    }
    return bytes;
}

/* Steps from `first` on, as many as the node has phases. */
static void tell_node(const hd_program *p, int32_t node, int32_t first, const char *part, hd_jw *w) {
    const hd_node *n = &p->lower.g->nodes[node];
    const hd_lnode *ln = n->lower;
    double seconds = 0;
    hd_jw_begin(w, '{');
    hd_jw_key(w, "part"), hd_jw_string(w, part);
    hd_jw_key(w, "op"), hd_jw_string(w, n->op->name);
    hd_jw_key(w, "kernel"), hd_jw_string(w, ln->kernel->name);
    hd_jw_key(w, "variant"), hd_jw_int(w, ln->variant);
    hd_jw_key(w, "tuned"), hd_jw_bool(w, ln->tuned);
    hd_jw_key(w, "tasks"), hd_jw_begin(w, '[');
    for (int i = 0; i < ln->prepared.phases; i++) {
        hd_jw_int(w, p->steps[first + i].tasks);
        if (p->step_seconds) seconds += p->step_seconds[first + i];
    }
    hd_jw_end(w);
    hd_jw_key(w, "ms");
    if (p->step_seconds)
        hd_jw_number(w, 1e3 * seconds);
    else
        hd_jw_null(w);
    hd_jw_key(w, "flops"), hd_jw_number(w, hd_node_cost(&p->lower, node).flops);
    hd_jw_key(w, "bytes"), hd_jw_number(w, operand_bytes(p, n));
    hd_jw_key(w, "in"), hd_jw_begin(w, '[');
    for (int k = 0; k < n->n_in; k++) tell_operand(p, n->in[k], w);
    hd_jw_end(w);
    hd_jw_key(w, "out"), hd_jw_begin(w, '[');
    for (int k = 0; k < n->n_out; k++) tell_operand(p, n->out + k, w);
    hd_jw_end(w);
    hd_jw_key(w, "refused"), hd_jw_string(w, ln->refused);
    hd_jw_end(w);
}

hd_status hd_program_kernels(const hd_program *p, char **json) {
    const hd_graph *g = p->lower.g;
    hd_text out = {.ctx = p->ctx};
    hd_jw w = {.out = &out};
    bool *forward = hd_alloc_n(p->ctx, g->node_count + 1, sizeof *forward);
    *json = NULL;
    if (!forward) return HD_E_MEMORY;
    mark_forward(p, forward);
    hd_jw_begin(&w, '[');
    for (int32_t i = 0; i < p->step_count; i++) {
        const int32_t node = p->steps[i].node;
        if (i > 0 && p->steps[i - 1].node == node) continue;
        const bool update = g->nodes[node].op->flags & HD_OP_EFFECT;
        tell_node(p, node, i, update ? "update" : forward[node] ? "forward" : "backward", &w);
    }
    hd_jw_end(&w);
    hd_free(p->ctx, forward);
    if (out.failed) {
        hd_text_free(&out);
        return hd_fail_memory(p->ctx, out.length);
    }
    *json = out.data;
    return HD_OK;
}
