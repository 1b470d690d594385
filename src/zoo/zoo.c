/* zoo.c: the list of known networks, and building one by name. Knows networks by their descriptors alone. */
#include "base/json.h"
#include "base/status.h"
#include "zoo/zoo_kit.h"
#include <stdio.h>
#include <string.h>

#define HD_ZOO(name) extern const hd_zoo_entry hd_zoo_##name;
#include "zoo/zoo.def"
#undef HD_ZOO

static const hd_zoo_entry *const all[] = {
#define HD_ZOO(name) &hd_zoo_##name,
#include "zoo/zoo.def"
#undef HD_ZOO
};
enum { NETWORKS = sizeof all / sizeof all[0] };

const hd_zoo_entry *hd_zoo_at(int i) {
    return i >= 0 && i < (int)NETWORKS ? all[i] : NULL;
}

const hd_zoo_entry *hd_zoo_find(const char *name) {
    for (int i = 0; i < (int)NETWORKS; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

static hd_val fail_last(hd_graph *graph) {
    const hd_error e = hd_last_error_parts(hd_graph_context(graph));
    hd_graph_fail(graph, e.status, "%s|%s|%s", e.where, e.what, e.fix);
    return (hd_val){0};
}

hd_val hd_zoo_refuse(hd_loc at, hd_val x, const char *what, const char *fix) {
    char where[600];
    (void)snprintf(where, sizeof where, at.column > 0 ? "%s:%d:%d" : "%s", at.file, at.line, at.column);
    hd_graph_fail(x.graph, HD_E_MODEL, "%s|%s|%s", where, what, fix);
    return (hd_val){0};
}

hd_val hd_zoo_refuse_input(hd_loc at, hd_val x, const char *what, const char *fix) {
    const hd_dims d = hd_val_dims(x);
    char shape[192], text[400];
    (void)snprintf(text, sizeof text, "%s, its input is %s", what, hd_dims_text(shape, &d));
    return hd_zoo_refuse(at, x, text, fix);
}

static hd_val unknown(hd_graph *graph, const char *name, hd_loc at) {
    const char *names[NETWORKS];
    for (int i = 0; i < (int)NETWORKS; i++) names[i] = all[i]->name;
    const char *near = hd_text_nearest(name, names, NETWORKS);
    char where[600];
    (void)snprintf(where, sizeof where, at.column > 0 ? "%s:%d:%d" : "%s", at.file, at.line, at.column);
    hd_graph_fail(graph, HD_E_MODEL, "%s|unknown model \"%s\"|%s%s%s", where, name, near ? "Did you mean " : "",
                  near ? near : "See: hadal help networks, or write one as 784-200-relu-10", near ? "?" : "");
    return (hd_val){0};
}

hd_val hd_zoo_build_tree(hd_val x, const char *name, int64_t outputs, const hd_json *options, const char *where,
                         hd_loc at) {
    hd_graph *g = x.graph;
    if (!g || hd_graph_status(g) != HD_OK) return (hd_val){0};
    const hd_zoo_entry *entry = hd_zoo_find(name);
    if (!entry) return unknown(g, name, at);
    hd_arena arena = {.ctx = hd_graph_context(g)};
    void *args = hd_arena_alloc(&arena, entry->args_size ? entry->args_size : 1);
    hd_val y = {0};
    if (!args || hd_options_read(arena.ctx, entry->options, args, options, where, name) != HD_OK)
        fail_last(g);
    else
        y = entry->build(at, x, outputs, args);
    hd_arena_free(&arena);
    return hd_graph_status(g) == HD_OK ? y : (hd_val){0};
}

hd_val hd_zoo_build(hd_val x, const char *name, int64_t outputs, const char *options_json) {
    hd_graph *g = x.graph;
    if (!g || hd_graph_status(g) != HD_OK) return (hd_val){0};
    hd_arena arena = {.ctx = hd_graph_context(g)};
    hd_json *options = NULL;
    hd_val y = {0};
    if (options_json && hd_json_parse(&options, &arena, "options", options_json, strlen(options_json)) != HD_OK)
        fail_last(g);
    else
        y = hd_zoo_build_tree(x, name, outputs, options, "options", (hd_loc){"model", 0, 0});
    hd_arena_free(&arena);
    return y;
}
