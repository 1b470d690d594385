/* build.c: adding nodes: the one builder behind every hd_NAME function, and inference of shapes. */
#include "graph/graph.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hd_status hd_infer_fail(hd_infer *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->message, c->message_size, format, args);
    va_end(args);
    return HD_E_MODEL;
}

const char *hd_op_in_name(const hd_op *op, int i) {
    static const char *const unary[] = {"x"};
    static const char *const binary[] = {"a", "b"};
    if (op->flags & HD_OP_VARIADIC) return "x";
    if (op->in_names) {
        for (int k = 0; op->in_names[k]; k++)
            if (k == i) return op->in_names[k];
        return "?";
    }
    if (op->n_in + op->n_optional == 1 && i == 0) return unary[0];
    return i < 2 ? binary[i] : "?";
}

static size_t hd_input_bytes(const hd_op *op) {
    if (op->flags & HD_OP_VARIADIC) return sizeof(const hd_val *) + sizeof(int64_t);
    return sizeof(hd_val) * (size_t)(op->n_in + op->n_optional);
}

void *hd_attr_copy(const hd_op *op, const void *args, hd_arena *arena) {
    char *copy = hd_arena_alloc(arena, op->args_size ? op->args_size : 1);
    if (!copy) return NULL;
    const size_t skip = hd_input_bytes(op);
    if (args && op->args_size > skip) memcpy(copy + skip, (const char *)args + skip, op->args_size - skip);
    for (const hd_option *o = op->options; o && o->name; o++) {
        if (o->type != HD_OPT_STRING) continue;
        const char **text = (const char **)(void *)(copy + o->offset);
        if (*text && !(*text = hd_arena_strdup(arena, *text))) return NULL;
    }
    return copy;
}

/* The layer a message speaks of: the parameter's name without its last part ("c1" of "c1.weight"), else the value's. */
static void hd_label(const hd_graph *g, const int32_t *in, int32_t n_in, char *label, size_t size) {
    label[0] = 0;
    for (int32_t i = 0; i < n_in; i++) {
        if (in[i] < 0 || g->values[in[i]].kind != HD_KIND_PARAM) continue;
        const char *name = g->values[in[i]].name, *dot = strrchr(name, '.');
        snprintf(label, size, " \"%.*s\"", dot ? (int)(dot - name) : (int)strlen(name), name);
        return;
    }
}

static hd_status hd_infer_types(hd_graph *g, const hd_op *op, void *attr, const int32_t *in, int32_t n_in, hd_type *out,
                                char *message, size_t size) {
    hd_type fixed[16], *types = fixed;
    if (n_in > 16) {
        types = hd_arena_alloc_n(&g->arena, (size_t)n_in, sizeof *types);
        if (!types) return hd_fail_memory(g->ctx, (size_t)n_in * sizeof *types);
    }
    for (int32_t i = 0; i < n_in; i++) {
        if (in[i] >= 0)
            types[i] = g->values[in[i]].type;
        else
            types[i] = (hd_type){.dims = {.rank = -1}};
    }
    hd_infer c = {.op = op,
                  .attr = attr,
                  .n_in = n_in,
                  .in = types,
                  .n_out = op->n_out,
                  .out = out,
                  .message = message,
                  .message_size = size};
    return op->infer(&c);
}

static hd_val hd_node_failed(hd_graph *g, hd_loc at, const hd_op *op, const int32_t *in, int32_t n_in, hd_status status,
                             const char *message) {
    char label[160], place[320];
    hd_label(g, in, n_in, label, sizeof label);
    hd_graph_fail(g, status, "%s|%s%s: %s", hd_loc_text(place, sizeof place, at), op->name, label, message);
    return (hd_val){g, -1};
}

/* A node whose options are settled and whose results have these types; attr belongs to the graph. */
static hd_val hd_node_put(hd_graph *g, hd_loc at, const hd_op *op, const int32_t *in, int32_t n_in, void *attr,
                          const hd_type *out) {
    int32_t *kept = hd_arena_alloc_n(&g->arena, (size_t)n_in + 1, sizeof *kept);
    if (!kept || hd_grow(g->ctx, (void **)&g->nodes, &g->node_capacity, g->node_count + 1, sizeof *g->nodes) != HD_OK)
        return hd_node_failed(g, at, op, in, n_in, HD_E_MEMORY, "out of memory");
    memcpy(kept, in, (size_t)n_in * sizeof *kept);
    const int32_t first = (int32_t)g->value_count, node = (int32_t)g->node_count;
    for (int i = 0; i < op->n_out; i++) {
        hd_value *v = hd_graph_add_value(g, HD_KIND_NODE, "", out[i], at);
        if (!v) return (hd_val){g, -1};
        v->node = node;
        v->out = i;
    }
    g->nodes[g->node_count++] = (hd_node){
        .op = op, .n_in = n_in, .n_out = op->n_out, .in = kept, .out = first, .attr = attr, .loc = at, .order = node};
    return (hd_val){g, first};
}

hd_val hd_graph_add_node(hd_graph *g, hd_loc at, const hd_op *op, const int32_t *in, int32_t n_in, const void *attr) {
    char message[512] = "";
    hd_type out[HD_OP_MAX_OUT] = {0};
    void *own = hd_attr_copy(op, attr, &g->arena);
    if (!own) return hd_node_failed(g, at, op, in, n_in, HD_E_MEMORY, "out of memory");
    hd_status status = hd_options_settle(op->options, own, message, sizeof message);
    if (status == HD_OK) status = hd_infer_types(g, op, own, in, n_in, out, message, sizeof message);
    if (status != HD_OK) return hd_node_failed(g, at, op, in, n_in, status, message);
    return hd_node_put(g, at, op, in, n_in, own, out);
}

hd_val hd_graph_repeat_node(hd_graph *g, int32_t node, const int32_t *in) {
    const hd_node n = g->nodes[node]; /* the array grows */
    hd_type out[HD_OP_MAX_OUT];
    for (int i = 0; i < n.n_out; i++) out[i] = g->values[n.out + i].type;
    return hd_node_put(g, n.loc, n.op, in, n.n_in, n.attr, out);
}

/* Collects the inputs of an args struct. false: an input failed before, or the call is wrong (then it is recorded). */
static bool hd_collect(hd_loc at, const hd_op *op, const hd_val *vals, int64_t n, int64_t required, hd_graph **graph,
                       int32_t *in, int32_t *n_in) {
    hd_graph *g = NULL;
    for (int64_t i = 0; i < n; i++)
        if (vals[i].graph) g = vals[i].graph;
    *graph = g;
    if (!g || g->status != HD_OK) return false;
    *n_in = 0;
    for (int64_t i = 0; i < n; i++) {
        in[i] = vals[i].graph ? vals[i].id : -1;
        if (vals[i].graph && vals[i].graph != g) {
            hd_node_failed(g, at, op, in, (int32_t)i, HD_E_MODEL, "its inputs come from different graphs");
            return false;
        }
        if (in[i] >= 0)
            *n_in = (int32_t)i + 1;
        else if (vals[i].graph || i < required) {
            char text[96];
            snprintf(text, sizeof text, "input %s is missing", hd_op_in_name(op, (int)i));
            hd_node_failed(g, at, op, in, (int32_t)i, HD_E_MODEL, text);
            return false;
        }
    }
    return true;
}

hd_val hd_node_add(hd_loc at, const hd_op *op, const void *args) {
    const hd_val *vals = args;
    int64_t n = op->n_in + op->n_optional, required = op->n_in;
    int32_t fixed[16], *in = fixed, n_in = 0;
    if (op->flags & HD_OP_VARIADIC) {
        const hd_concat_like *list = args;
        vals = list->x;
        n = required = list->n;
    }
    hd_graph *g = NULL;
    if (n > 16) {
        for (int64_t i = 0; i < n && !g; i++) g = vals[i].graph;
        if (!g || g->status != HD_OK) return (hd_val){g, -1};
        in = n < INT32_MAX / 8 ? hd_arena_alloc_n(&g->arena, (size_t)n, sizeof *in) : NULL;
        if (!in) return hd_node_failed(g, at, op, NULL, 0, HD_E_MEMORY, "out of memory");
    }
    if (!hd_collect(at, op, vals, n, required, &g, in, &n_in)) return (hd_val){g, -1};
    return hd_graph_add_node(g, at, op, in, n_in, args);
}

hd_status hd_graph_infer_node(hd_graph *g, hd_node *node) {
    char message[512] = "", label[160], place[320];
    hd_type out[HD_OP_MAX_OUT] = {0};
    const hd_status status =
        hd_infer_types(g, node->op, node->attr, node->in, node->n_in, out, message, sizeof message);
    if (status == HD_E_MEMORY) return status;
    if (status != HD_OK) {
        hd_label(g, node->in, node->n_in, label, sizeof label);
        return hd_fail(g->ctx, status, "%s|%s%s: %s", hd_loc_text(place, sizeof place, node->loc), node->op->name,
                       label, message);
    }
    for (int i = 0; i < node->n_out; i++) g->values[node->out + i].type = out[i];
    return HD_OK;
}

hd_status hd_graph_infer(hd_graph *g) {
    for (size_t i = 0; i < g->node_count; i++)
        if (!g->nodes[i].dead) HD_TRY(hd_graph_infer_node(g, &g->nodes[i]));
    return HD_OK;
}
