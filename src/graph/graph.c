/* graph.c: storage of a graph, its leaves and its sticky error. Knows no op by name. */
#include "graph/graph.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hd_status hd_graph_new(hd_graph **out, hd_context *ctx) {
    *out = hd_alloc(ctx, sizeof **out);
    if (!*out) return HD_E_MEMORY;
    (*out)->ctx = ctx;
    (*out)->arena.ctx = ctx;
    return HD_OK;
}

void hd_graph_free(hd_graph *graph) {
    if (!graph) return;
    hd_context *ctx = graph->ctx;
    for (size_t i = 0; i < graph->derived_count; i++) hd_graph_free(graph->derived[i]);
    hd_free(ctx, graph->derived);
    hd_arena_free(&graph->arena);
    hd_free(ctx, graph->values);
    hd_free(ctx, graph->nodes);
    hd_free(ctx, graph);
}

hd_status hd_graph_own(hd_graph *parent, hd_graph *child) {
    HD_TRY(hd_grow(parent->ctx, (void **)&parent->derived, &parent->derived_capacity, parent->derived_count + 1,
                   sizeof *parent->derived));
    parent->derived[parent->derived_count++] = child;
    return HD_OK;
}

void hd_graph_fail(hd_graph *graph, hd_status status, const char *format, ...) {
    if (!graph || graph->status != HD_OK) return;
    graph->status = status;
    char text[sizeof graph->error];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(graph->error, text, sizeof text);
}

hd_status hd_graph_status(const hd_graph *graph) {
    if (graph->status == HD_OK) return HD_OK;
    /* The parts were split by '|' when the message was made; '%s' keeps them from being read as a format. */
    const char *first = strchr(graph->error, '|');
    if (!first) return hd_fail(graph->ctx, graph->status, "%s", graph->error);
    const char *second = strchr(first + 1, '|');
    const int where = (int)(first - graph->error);
    if (!second) return hd_fail(graph->ctx, graph->status, "%.*s|%s", where, graph->error, first + 1);
    return hd_fail(graph->ctx, graph->status, "%.*s|%.*s|%s", where, graph->error, (int)(second - first - 1), first + 1,
                   second + 1);
}

hd_context *hd_graph_context(const hd_graph *graph) {
    return graph->ctx;
}
int32_t hd_graph_value_count(const hd_graph *graph) {
    return (int32_t)graph->value_count;
}
int32_t hd_graph_node_count(const hd_graph *graph) {
    return (int32_t)graph->node_count;
}

bool hd_graph_node(const hd_graph *graph, int32_t i, hd_node_info *out) {
    if (i < 0 || (size_t)i >= graph->node_count || graph->nodes[i].dead) return false;
    const hd_node *n = &graph->nodes[i];
    *out = (hd_node_info){n->op, n->attr, n->n_in, n->n_out, n->loc};
    return true;
}
hd_val hd_graph_node_in(hd_graph *graph, int32_t i, int32_t k) {
    if (i < 0 || (size_t)i >= graph->node_count || k < 0 || k >= graph->nodes[i].n_in) return (hd_val){0};
    return hd_val_at(graph, graph->nodes[i].in[k]);
}
hd_val hd_graph_node_out(hd_graph *graph, int32_t i, int32_t k) {
    if (i < 0 || (size_t)i >= graph->node_count || k < 0 || k >= graph->nodes[i].n_out) return (hd_val){0};
    return (hd_val){graph, graph->nodes[i].out + k};
}

const char *hd_loc_text(char *buffer, size_t size, hd_loc at) {
    if (at.column)
        snprintf(buffer, size, "%s:%d:%d", at.file, at.line, at.column);
    else
        snprintf(buffer, size, "%s:%d", at.file ? at.file : "?", at.line);
    return buffer;
}

/* ---- values ---- */

hd_value *hd_graph_add_value(hd_graph *graph, hd_kind kind, const char *name, hd_type type, hd_loc at) {
    if (graph->value_count >= INT32_MAX / 2) {
        hd_graph_fail(graph, HD_E_MODEL, "|a graph holds at most %d values", INT32_MAX / 2);
        return NULL;
    }
    if (hd_grow(graph->ctx, (void **)&graph->values, &graph->value_capacity, graph->value_count + 1,
                sizeof *graph->values) != HD_OK) {
        hd_graph_fail(graph, HD_E_MEMORY, "|out of memory");
        return NULL;
    }
    const char *kept = name && *name ? hd_arena_strdup(&graph->arena, name) : "";
    if (!kept) {
        hd_graph_fail(graph, HD_E_MEMORY, "|out of memory");
        return NULL;
    }
    hd_value *v = &graph->values[graph->value_count++];
    memset(v, 0, sizeof *v);
    v->name = kept;
    v->kind = kind;
    v->type = type;
    v->node = -1;
    v->member_of = -1;
    v->loc = at;
    return v;
}

static bool hd_dims_legal(hd_graph *graph, hd_loc at, const char *what, const char *name, const hd_dims *dims,
                          bool batch) {
    char place[320];
    if (dims->rank < 0 || dims->rank > HD_MAX_DIMS) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s \"%s\" has %d dimensions, at most %d are possible",
                      hd_loc_text(place, sizeof place, at), what, name, dims->rank, HD_MAX_DIMS);
        return false;
    }
    int batches = 0;
    for (int i = 0; i < dims->rank; i++) {
        if (dims->dim[i] == HD_BATCH)
            batches++;
        else if (dims->dim[i] < 0)
            batches = 9;
    }
    if (batches > (batch ? 1 : 0)) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s \"%s\" has a dimension that is not a size%s",
                      hd_loc_text(place, sizeof place, at), what, name, batch ? "; one may be HD_BATCH" : "");
        return false;
    }
    hd_dims bound = *dims;
    for (int i = 0; i < bound.rank; i++)
        if (bound.dim[i] < 0) bound.dim[i] = 1;
    const int64_t n = hd_dims_count(&bound);
    if (n < 0 || n > INT64_MAX / 16) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s \"%s\" has more elements than 64 bits count",
                      hd_loc_text(place, sizeof place, at), what, name);
        return false;
    }
    return true;
}

/* batch: whether one dimension may be HD_BATCH. */
static hd_val hd_leaf(hd_loc at, hd_graph *graph, hd_kind kind, bool batch, const char *what, const char *name,
                      hd_dtype dtype, hd_dims dims, hd_init init, const void *data) {
    const hd_val failed = {graph, -1};
    char place[320];
    if (!graph || graph->status != HD_OK) return failed;
    if (!name) name = "";
    if ((unsigned)dtype >= HD_DTYPE_COUNT) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s \"%s\" has no such dtype", hd_loc_text(place, sizeof place, at), what,
                      name);
        return failed;
    }
    if (!hd_dims_legal(graph, at, what, name, &dims, batch)) return failed;
    if (kind != HD_KIND_CONST && !*name) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s needs a name", hd_loc_text(place, sizeof place, at), what);
        return failed;
    }
    if (*name && !hd_val_is_none(hd_graph_find(graph, name))) {
        hd_graph_fail(graph, HD_E_MODEL,
                      "%s|%s \"%s\": the name is taken|Give every input, parameter and state a name of its own",
                      hd_loc_text(place, sizeof place, at), what, name);
        return failed;
    }
    char message[200];
    if (hd_init_check(&init, &dims, message, sizeof message) != HD_OK) {
        hd_graph_fail(graph, HD_E_MODEL, "%s|%s \"%s\": %s", hd_loc_text(place, sizeof place, at), what, name, message);
        return failed;
    }
    hd_value *v = hd_graph_add_value(graph, kind, name, (hd_type){dtype, dims}, at);
    if (!v) return failed;
    v->init = init;
    if (kind == HD_KIND_CONST) {
        const size_t bytes = (size_t)hd_dims_count(&dims) * hd_dtype_size(dtype);
        void *copy = hd_arena_alloc(&graph->arena, bytes ? bytes : 1);
        if (!copy) {
            hd_graph_fail(graph, HD_E_MEMORY, "|out of memory");
            return failed;
        }
        if (bytes) memcpy(copy, data, bytes);
        v->data = copy;
    }
    return (hd_val){graph, (int32_t)graph->value_count - 1};
}

hd_val hd_input_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims) {
    return hd_leaf(at, graph, HD_KIND_INPUT, true, "input", name, dtype, dims, HD_ZEROS, NULL);
}
hd_val hd_param_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims, hd_init init) {
    return hd_leaf(at, graph, HD_KIND_PARAM, false, "parameter", name, dtype, dims, init, NULL);
}
hd_val hd_state_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims, hd_init init) {
    return hd_leaf(at, graph, HD_KIND_STATE, false, "state", name, dtype, dims, init, NULL);
}
hd_val hd_buffer_at(hd_loc at, hd_graph *graph, const char *name, hd_dtype dtype, hd_dims dims) {
    const hd_val v = hd_leaf(at, graph, HD_KIND_STATE, true, "buffer", name, dtype, dims, HD_ZEROS, NULL);
    if (!hd_val_is_none(v)) hd_value_of(v)->buffer = true;
    return v;
}
hd_val hd_const_at(hd_loc at, hd_graph *graph, hd_dtype dtype, hd_dims dims, const void *data) {
    return hd_leaf(at, graph, HD_KIND_CONST, false, "constant", "", dtype, dims, HD_ZEROS, data);
}

hd_val hd_output(hd_val value, int i) {
    if (hd_val_is_none(value)) return value;
    const hd_value *v = hd_value_of(value);
    if (v->node < 0) return i == 0 ? value : (hd_val){0};
    const hd_node *node = &value.graph->nodes[v->node];
    return i >= 0 && i < node->n_out ? (hd_val){value.graph, node->out + i} : (hd_val){0};
}

bool hd_val_is_none(hd_val value) {
    return !value.graph || value.id < 0;
}
hd_dtype hd_val_dtype(hd_val value) {
    return hd_val_is_none(value) ? HD_F32 : hd_value_of(value)->type.dtype;
}
hd_dims hd_val_dims(hd_val value) {
    return hd_val_is_none(value) ? (hd_dims){0} : hd_value_of(value)->type.dims;
}
hd_kind hd_val_kind(hd_val value) {
    return hd_val_is_none(value) ? HD_KIND_NODE : hd_value_of(value)->kind;
}
const char *hd_val_name(hd_val value) {
    return hd_val_is_none(value) ? "" : hd_value_of(value)->name;
}

static const char *hd_keep(hd_graph *graph, const char *text) {
    const char *kept = hd_arena_strdup(&graph->arena, text);
    if (!kept) hd_graph_fail(graph, HD_E_MEMORY, "|out of memory");
    return kept;
}

hd_val hd_name(hd_val value, const char *name) {
    if (hd_val_is_none(value) || !name) return value;
    const char *kept = hd_keep(value.graph, name);
    if (kept) hd_value_of(value)->name = kept;
    return value;
}

void hd_mark_output(hd_val value, const char *name) {
    if (hd_val_is_none(value) || !name) return;
    const char *kept = hd_keep(value.graph, name);
    if (kept) hd_value_of(value)->output = kept;
}

hd_val hd_graph_find(const hd_graph *graph, const char *name) {
    for (size_t i = 0; i < graph->value_count; i++)
        if (strcmp(graph->values[i].name, name) == 0) return (hd_val){(hd_graph *)(uintptr_t)graph, (int32_t)i};
    return (hd_val){0};
}

void hd_graph_set_decode(hd_graph *graph, int64_t max_positions) {
    if (max_positions < 1)
        hd_graph_fail(graph, HD_E_USAGE, "hd_graph_set_decode|max_positions is %lld, it must be at least 1",
                      (long long)max_positions);
    else if (graph->value_count)
        hd_graph_fail(graph, HD_E_USAGE, "hd_graph_set_decode|the graph has values already|Call it before building");
    else
        graph->decode = max_positions;
}
int64_t hd_graph_decode(const hd_graph *graph) {
    return graph->decode;
}

int64_t hd_graph_param_count(const hd_graph *graph) {
    int64_t n = 0;
    for (size_t i = 0; i < graph->value_count; i++)
        if (graph->values[i].kind == HD_KIND_PARAM) n += hd_dims_count(&graph->values[i].type.dims);
    return n;
}

/* ---- cloning ---- */

hd_status hd_graph_clone(hd_graph **out, const hd_graph *graph) {
    HD_TRY(hd_graph_status(graph));
    hd_graph *g;
    HD_TRY(hd_graph_new(&g, graph->ctx));
    hd_status status = HD_E_MEMORY;
    if (hd_grow(g->ctx, (void **)&g->values, &g->value_capacity, graph->value_count, sizeof *g->values) != HD_OK)
        goto fail;
    if (hd_grow(g->ctx, (void **)&g->nodes, &g->node_capacity, graph->node_count, sizeof *g->nodes) != HD_OK) goto fail;
    g->backward = graph->backward;
    g->decode = graph->decode;
    for (size_t i = 0; i < graph->value_count; i++) {
        hd_value v = graph->values[i];
        v.name = *v.name ? hd_arena_strdup(&g->arena, v.name) : "";
        if (!v.name) goto fail;
        if (v.output && !(v.output = hd_arena_strdup(&g->arena, v.output))) goto fail;
        if (v.data) {
            const size_t bytes = (size_t)hd_dims_count(&v.type.dims) * hd_dtype_size(v.type.dtype);
            void *copy = hd_arena_alloc(&g->arena, bytes ? bytes : 1);
            if (!copy) goto fail;
            memcpy(copy, v.data, bytes);
            v.data = copy;
        }
        g->values[g->value_count++] = v;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        hd_node n = graph->nodes[i];
        n.in = hd_arena_alloc_n(&g->arena, (size_t)n.n_in + 1, sizeof *n.in);
        n.attr = hd_attr_copy(n.op, n.attr, &g->arena);
        if (!n.in || !n.attr) goto fail;
        memcpy(n.in, graph->nodes[i].in, (size_t)n.n_in * sizeof *n.in);
        g->nodes[g->node_count++] = n;
    }
    *out = g;
    return HD_OK;
fail:
    hd_graph_free(g);
    return status;
}
