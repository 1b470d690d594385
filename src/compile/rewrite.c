/* rewrite.c: the few ways in which passes change a graph. */
#include "compile/lower.h"
#include <stdlib.h>
#include <string.h>

hd_status hd_lower_sync(hd_lower *l) {
    HD_TRY(hd_grow(l->ctx, (void **)&l->v, &l->v_capacity, l->g->value_count + 1, sizeof *l->v));
    for (; l->v_count < l->g->value_count; l->v_count++)
        l->v[l->v_count] = (hd_lvalue){.root = (int32_t)l->v_count, .entry = -1};
    return HD_OK;
}

bool hd_is_op(const hd_node *n, const char *name) {
    return n && !n->dead && strcmp(n->op->name, name) == 0;
}

hd_node *hd_producer(hd_graph *g, int32_t value) {
    return value >= 0 && g->values[value].node >= 0 ? &g->nodes[g->values[value].node] : NULL;
}

void hd_replace(hd_lower *l, int32_t from, int32_t to) {
    hd_graph *g = l->g;
    if (l->target == from) l->target = to;
    for (size_t i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == from) g->nodes[i].in[k] = to;
    if (g->values[from].output && !g->values[to].output) {
        g->values[to].output = g->values[from].output;
        g->values[from].output = NULL;
    }
    if (*g->values[from].name && !*g->values[to].name) g->values[to].name = g->values[from].name;
}

int hd_use_count(const hd_graph *g, int32_t value) {
    int n = g->values[value].output != NULL;
    for (size_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].dead) continue;
        for (int k = 0; k < g->nodes[i].n_in; k++) n += g->nodes[i].in[k] == value;
    }
    return n;
}

hd_node *hd_single_user(hd_graph *g, int32_t value) {
    if (hd_use_count(g, value) != 1 || g->values[value].output) return NULL;
    for (size_t i = 0; i < g->node_count; i++) {
        if (g->nodes[i].dead) continue;
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == value) return &g->nodes[i];
    }
    return NULL;
}

int32_t hd_insert(hd_graph *g, const hd_op *op, const int32_t *in, int32_t n_in, const void *attr, int32_t order,
                  hd_loc at) {
    const hd_val v = hd_graph_add_node(g, at, op, in, n_in, attr);
    if (v.id >= 0) g->nodes[g->values[v.id].node].order = order;
    return v.id;
}

/* Buffers change in inference too. */
static bool changes_buffer(const hd_graph *g, const hd_node *n) {
    for (int k = 0; k < n->n_out; k++)
        if (hd_node_alias(n, k) >= 0 && g->values[hd_node_alias(n, k)].buffer) return true;
    return false;
}

/* Marks backwards from effects (in training; upon buffers always), marked outputs and the target. */
hd_status hd_drop_dead(hd_lower *l) {
    hd_graph *g = l->g;
    HD_TRY(hd_sort_nodes(g)); /* producers first, so that one walk backwards is enough */
    bool *wanted = hd_alloc_n(l->ctx, g->value_count + 1, sizeof *wanted);
    if (!wanted) return HD_E_MEMORY;
    for (size_t i = 0; i < g->value_count; i++) wanted[i] = g->values[i].output != NULL;
    if (l->target >= 0) wanted[l->target] = true;
    for (size_t i = g->node_count; i-- > 0;) {
        hd_node *n = &g->nodes[i];
        if (n->dead) continue;
        bool keep = (n->op->flags & HD_OP_EFFECT) && (l->train || changes_buffer(g, n));
        for (int k = 0; k < n->n_out; k++) keep |= wanted[n->out + k];
        if (!keep) {
            n->dead = true;
            continue;
        }
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] >= 0) wanted[n->in[k]] = true;
    }
    hd_free(l->ctx, wanted);
    return HD_OK;
}

/* ---- sorting: Kahn's algorithm with a heap on `order` ---- */

typedef struct hd_sorter {
    hd_graph *g;
    int32_t *heap, count;
} hd_sorter;

static bool hd_before(const hd_sorter *s, int32_t a, int32_t b) {
    const int32_t x = s->g->nodes[a].order, y = s->g->nodes[b].order;
    return x != y ? x < y : a < b;
}
static void hd_heap_push(hd_sorter *s, int32_t node) {
    int32_t i = s->count++;
    for (; i > 0 && hd_before(s, node, s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = node;
}
static int32_t hd_heap_pop(hd_sorter *s) {
    const int32_t top = s->heap[0], last = s->heap[--s->count];
    int32_t i = 0;
    for (;;) {
        int32_t c = 2 * i + 1;
        if (c >= s->count) break;
        if (c + 1 < s->count && hd_before(s, s->heap[c + 1], s->heap[c])) c++;
        if (!hd_before(s, s->heap[c], last)) break;
        s->heap[i] = s->heap[c];
        i = c;
    }
    s->heap[i] = last;
    return top;
}

/* Edges of a node: its inputs, and, for an effect, that whoever reads the old contents goes first. */
static hd_status hd_sorted_order(hd_graph *g, int32_t *sorted, int32_t *count) {
    const size_t n = g->node_count;
    hd_status status = HD_E_MEMORY;
    int32_t *waits = hd_alloc_n(g->ctx, n + 1, sizeof *waits), *heap = hd_alloc_n(g->ctx, n + 1, sizeof *heap);
    int32_t *head = hd_alloc_n(g->ctx, g->value_count + 1, sizeof *head);
    size_t edges = 0;
    for (size_t i = 0; i < n; i++) edges += (size_t)g->nodes[i].n_in;
    int32_t *next = hd_alloc_n(g->ctx, edges + 1, sizeof *next), *user = hd_alloc_n(g->ctx, edges + 1, sizeof *user);
    if (!waits || !heap || !head || !next || !user) goto done;
    for (size_t i = 0; i < g->value_count; i++) head[i] = -1;
    int32_t e = 0;
    for (size_t i = 0; i < n; i++) { /* lists of readers by value */
        const hd_node *node = &g->nodes[i];
        for (int k = 0; k < node->n_in && !node->dead; k++) {
            if (node->in[k] < 0) continue;
            user[e] = (int32_t)i;
            next[e] = head[node->in[k]];
            head[node->in[k]] = e++;
            const int32_t made = g->values[node->in[k]].node;
            if (made >= 0 && !g->nodes[made].dead) waits[i]++;
        }
    }
    for (size_t i = 0; i < n; i++) { /* an effect waits for the other readers of what it changes */
        const hd_node *node = &g->nodes[i];
        for (int k = 0; k < node->n_out && !node->dead; k++) {
            const int32_t changed = hd_node_alias(node, k);
            for (int32_t u = changed >= 0 ? head[changed] : -1; u >= 0; u = next[u])
                if (user[u] != (int32_t)i) waits[i]++;
        }
    }
    hd_sorter s = {.g = g, .heap = heap};
    for (size_t i = 0; i < n; i++)
        if (!g->nodes[i].dead && waits[i] == 0) hd_heap_push(&s, (int32_t)i);
    *count = 0;
    while (s.count) {
        const int32_t i = hd_heap_pop(&s);
        const hd_node *node = &g->nodes[i];
        sorted[(*count)++] = i;
        for (int k = 0; k < node->n_out; k++)
            for (int32_t u = head[node->out + k]; u >= 0; u = next[u])
                if (--waits[user[u]] == 0) hd_heap_push(&s, user[u]);
        for (int k = 0; k < node->n_in; k++) { /* release effects that waited for this reader */
            if (node->in[k] < 0) continue;
            for (int32_t u = head[node->in[k]]; u >= 0; u = next[u]) {
                const hd_node *other = &g->nodes[user[u]];
                for (int o = 0; user[u] != i && o < other->n_out; o++)
                    if (hd_node_alias(other, o) == node->in[k] && --waits[user[u]] == 0) hd_heap_push(&s, user[u]);
            }
        }
    }
    status = HD_OK;
done:
    hd_free(g->ctx, waits);
    hd_free(g->ctx, heap);
    hd_free(g->ctx, head);
    hd_free(g->ctx, next);
    hd_free(g->ctx, user);
    return status;
}

hd_status hd_sort_nodes(hd_graph *g) {
    int32_t *sorted = hd_alloc_n(g->ctx, g->node_count + 1, sizeof *sorted), count = 0;
    hd_node *nodes = hd_alloc_n(g->ctx, g->node_count + 1, sizeof *nodes);
    hd_status status = sorted && nodes ? hd_sorted_order(g, sorted, &count) : HD_E_MEMORY;
    size_t alive = 0;
    for (size_t i = 0; i < g->node_count; i++) alive += !g->nodes[i].dead;
    if (status == HD_OK && (size_t)count != alive)
        status = hd_fail(g->ctx, HD_E_MODEL, "graph|its nodes depend on each other in a circle");
    if (status == HD_OK) {
        for (int32_t i = 0; i < count; i++) {
            nodes[i] = g->nodes[sorted[i]];
            for (int k = 0; k < nodes[i].n_out; k++) g->values[nodes[i].out + k].node = i;
        }
        if (count > 0) memcpy(g->nodes, nodes, (size_t)count * sizeof *nodes);
        /* Values of nodes that are gone keep no producer. */
        for (size_t v = 0; v < g->value_count; v++) {
            hd_value *value = &g->values[v];
            if (value->kind != HD_KIND_NODE) continue;
            if (value->node >= count || g->nodes[value->node].out + value->out != (int32_t)v) value->node = -1;
        }
        g->node_count = (size_t)count;
    }
    hd_free(g->ctx, sorted);
    hd_free(g->ctx, nodes);
    return status;
}

void hd_operand_of(const hd_lower *l, int32_t value, hd_operand *out) {
    if (value < 0) {
        *out = (hd_operand){.dims = {.rank = -1}};
        return;
    }
    const hd_type *type = &l->g->values[value].type;
    out->dtype = type->dtype;
    out->dims = type->dims;
    out->layout = (size_t)value < l->v_count ? l->v[value].layout : HD_LAYOUT_PLAIN;
    out->count = hd_dims_count(&type->dims);
    out->bytes = (size_t)hd_layout_count(&out->layout, &out->dims) * hd_dtype_size(out->dtype);
}

void hd_kctx_of(hd_lower *l, int32_t node, hd_operand *operands, hd_kctx *out) {
    const hd_node *n = &l->g->nodes[node];
    for (int k = 0; k < n->n_in; k++) hd_operand_of(l, n->in[k], &operands[k]);
    for (int k = 0; k < n->n_out; k++) hd_operand_of(l, n->out + k, &operands[n->n_in + k]);
    *out = (hd_kctx){.ctx = l->ctx,
                     .arena = &l->arena,
                     .op = n->op,
                     .attr = n->attr,
                     .n_in = n->n_in,
                     .n_out = n->n_out,
                     .in = operands,
                     .out = operands + n->n_in,
                     .isa = l->ctx->isa,
                     .threads = l->ctx->threads,
                     .exact = l->args->exact,
                     .variant = n->lower ? hd_lnode_of(l, node)->variant : 0,
                     .inference = !l->train && !l->lean};
}
