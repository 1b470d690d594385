/* nn_layers.c: networks from the `model:` list of a recipe. Owns the list of layers and what nests: residual, branches,
 * layers, repeat. Knows layers by their descriptors alone. */
#include "base/json.h"
#include "base/status.h"
#include "nn/layer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 4000, MAX_REPEAT = 1000, MAX_BRANCHES = 64 };

#define HD_LAYER(name) extern const hd_layer hd_layer_##name;
#include "nn/layers.def"
#undef HD_LAYER
const hd_layer hd_layer_residual = {.name = "residual",
                                    .help = "y = x + layers(x): a list of layers and a way around it"};
const hd_layer hd_layer_branches = {
    .name = "branches", .help = "lists of layers side by side on the same input; merge: concat (channels) or add"};
const hd_layer hd_layer_layers = {.name = "layers", .help = "a list of layers, one after the other; for repeat"};

static const hd_layer *const all[] = {
#define HD_LAYER(name) &hd_layer_##name,
#include "nn/layers.def"
#undef HD_LAYER
};
enum { LAYERS = sizeof all / sizeof all[0] };

const hd_layer *hd_layer_at(int i) {
    return i >= 0 && i < (int)LAYERS ? all[i] : NULL;
}

const hd_layer *hd_layer_find(const char *name) {
    for (int i = 0; i < (int)LAYERS; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

/* One reading of one list. */
typedef struct build {
    hd_graph *graph;
    const char *where;
    hd_arena arena;
    int count;          /* layers made so far */
    int number[LAYERS]; /* of each kind, for names */
} build;

static hd_val build_list(build *b, hd_val x, const hd_json *list);

static hd_loc place(const build *b, const hd_json *item) {
    return item->key ? (hd_loc){b->where, item->key_line, item->key_column}
                     : (hd_loc){b->where, item->line, item->column};
}

static hd_val refuse(build *b, const hd_json *item, const char *what, const char *word, const char *fix) {
    const hd_loc at = place(b, item);
    hd_graph_fail(b->graph, HD_E_MODEL, "%s:%d:%d|%s%s%s%s|%s", b->where, at.line, at.column, what, word ? " \"" : "",
                  word ? word : "", word ? "\"" : "", fix);
    return (hd_val){0};
}

/* Makes what went wrong below the graph's own error. */
static hd_val refuse_last(build *b) {
    const hd_error e = hd_last_error_parts(hd_graph_context(b->graph));
    hd_graph_fail(b->graph, e.status, "%s|%s|%s", e.where, e.what, e.fix);
    return (hd_val){0};
}

static hd_val unknown_layer(build *b, const hd_json *item, const char *word) {
    const char *names[LAYERS];
    char fix[160];
    for (int i = 0; i < (int)LAYERS; i++) names[i] = all[i]->name;
    const char *near = hd_text_nearest(word, names, LAYERS);
    if (near)
        (void)snprintf(fix, sizeof fix, "Did you mean %s?", near);
    else
        (void)snprintf(fix, sizeof fix, "Layers are linear, conv2d, relu, …: see `hadal help layers`");
    return refuse(b, item, "unknown layer", word, fix);
}

/* The layer's own name, else its kind and number. */
static bool choose_name(build *b, hd_loc at, const hd_layer *layer, const hd_json *options, int copy, char *name) {
    const hd_json *given = hd_json_get(options, "name");
    if (given && given->type != HD_JSON_STRING) {
        refuse(b, given, "a layer's name is a text", NULL, "Put it in quotes");
        return false;
    }
    if (given) {
        if (!hd_layer_name(b->graph, at, layer->name, given->string, name)) return false;
        if (copy > 0) (void)snprintf(name + strlen(name), 16, ".%d", copy);
        return true;
    }
    int kind = 0;
    while (all[kind] != layer) kind++;
    if (b->number[kind] == 0) {
        if (!hd_layer_name(b->graph, at, layer->name, NULL, name)) return false;
        b->number[kind] = atoi(name + strlen(layer->name));
        return true;
    }
    (void)snprintf(name, HD_LAYER_NAME, "%s%d", layer->name, ++b->number[kind]);
    return true;
}

/* A layer with a builder of its own. copy: which copy of a repeated item, from 1; 0: not repeated. */
static hd_val build_plain(build *b, hd_val x, const hd_layer *layer, const hd_json *item, const hd_json *options,
                          int copy) {
    const hd_loc at = place(b, item);
    hd_context *ctx = hd_graph_context(b->graph);
    char name[HD_LAYER_NAME], owner[HD_LAYER_NAME + 64];
    if (!choose_name(b, at, layer, options, copy, name)) return (hd_val){0};
    void *args = hd_arena_alloc(&b->arena, layer->args_size ? layer->args_size : 1);
    if (!args) return refuse_last(b);
    (void)snprintf(owner, sizeof owner, "%s \"%s\"", layer->name, name);
    if (hd_options_read(ctx, layer->options, args, options, b->where, owner) != HD_OK) return refuse_last(b);
    const hd_val y = layer->build(at, x, name, args);
    if (!hd_val_is_none(y) && y.id != x.id && hd_val_name(y)[0] == '\0') hd_name(y, name);
    return y;
}

static hd_val build_residual(build *b, hd_val x, const hd_json *item, const hd_json *list) {
    const hd_val y = build_list(b, x, list);
    if (hd_val_is_none(y)) return y;
    const hd_dims in = hd_val_dims(x), out = hd_val_dims(y);
    char from[192], to[192], text[512];
    if (hd_dims_equal(&in, &out)) return hd_add_at(place(b, item), &(hd_binary_args){.a = x, .b = y});
    (void)snprintf(text, sizeof text, "residual: its layers make %s of %s, and both are added", hd_dims_text(to, &out),
                   hd_dims_text(from, &in));
    return refuse(b, item, text, NULL, "Keep the shape: padding for the kernel, stride 1, as many channels as come in");
}

static hd_val build_branches(build *b, hd_val x, const hd_json *item, const hd_json *lists, const hd_json *merge) {
    hd_val y[MAX_BRANCHES] = {{0}};
    if (lists->type != HD_JSON_ARRAY || lists->count < 2 || lists->count > MAX_BRANCHES)
        return refuse(b, item, "branches takes 2 … 64 lists of layers", NULL, "Write branches: [[…], […]]");
    const bool add = merge && merge->type == HD_JSON_STRING && strcmp(merge->string, "add") == 0;
    if (merge && !add && !(merge->type == HD_JSON_STRING && strcmp(merge->string, "concat") == 0))
        return refuse(b, merge, "merge is neither concat nor add", NULL, "Write merge: concat, or merge: add");
    int64_t n = 0;
    for (const hd_json *list = lists->child; list; list = list->next) {
        y[n] = build_list(b, x, list);
        if (hd_val_is_none(y[n++])) return (hd_val){0};
    }
    if (!add) return hd_concat_at(place(b, item), &(hd_concat_args){.x = y, .n = n, .axis = HD_AXIS(1)});
    hd_val sum = y[0];
    for (int64_t i = 1; i < n; i++) sum = hd_add_at(place(b, item), &(hd_binary_args){.a = sum, .b = y[i]});
    return sum;
}

static hd_val build_once(build *b, hd_val x, const hd_layer *layer, const hd_json *item, const hd_json *options,
                         const hd_json *merge, int copy) {
    if (++b->count > MAX_LAYERS) return refuse(b, item, "the network has more than 4,000 layers", NULL, "Repeat less");
    if (layer == &hd_layer_branches) return build_branches(b, x, item, options ? options : item, merge);
    if (layer->build) return build_plain(b, x, layer, item, options, copy);
    if (!options || options->type != HD_JSON_ARRAY)
        return refuse(b, item, "expected a list of layers in", layer->name, "Write - conv2d: {…} below it");
    return layer == &hd_layer_residual ? build_residual(b, x, item, options) : build_list(b, x, options);
}

/* {LAYER: options} with repeat and merge beside it. */
static hd_val build_object(build *b, hd_val x, const hd_json *object) {
    const hd_layer *layer = NULL;
    const hd_json *item = NULL, *repeat = NULL, *merge = NULL;
    for (const hd_json *m = object->child; m; m = m->next) {
        const hd_layer *found = hd_layer_find(m->key);
        if (strcmp(m->key, "repeat") == 0)
            repeat = m;
        else if (strcmp(m->key, "merge") == 0)
            merge = m;
        else if (!found)
            return unknown_layer(b, m, m->key);
        else if (layer)
            return refuse(b, m, "a second layer in one item", m->key, "Begin a new item of the list with \"- \"");
        else
            layer = found, item = m;
    }
    if (!layer)
        return refuse(b, object, "an item without a layer", NULL, "Write - relu, or - linear: {out_features: 10}");
    if (merge && layer != &hd_layer_branches) return refuse(b, merge, "merge belongs to branches", NULL, "Take it out");
    if (repeat && (repeat->type != HD_JSON_INT || repeat->integer < 1 || repeat->integer > MAX_REPEAT))
        return refuse(b, repeat, "repeat takes a whole number, 1 … 1000", NULL, "Write repeat: 3");
    const int64_t times = repeat ? repeat->integer : 1;
    const hd_json *options = item->type == HD_JSON_NULL ? NULL : item;
    for (int64_t i = 0; i < times && !hd_val_is_none(x); i++)
        x = build_once(b, x, layer, item, options, merge, times > 1 ? (int)i + 1 : 0);
    return x;
}

static hd_val build_list(build *b, hd_val x, const hd_json *list) {
    if (list->type != HD_JSON_ARRAY)
        return refuse(b, list, "expected a list of layers", NULL, "Write one layer a line, each after \"- \"");
    for (const hd_json *item = list->child; item && !hd_val_is_none(x); item = item->next) {
        if (item->type == HD_JSON_OBJECT) {
            x = build_object(b, x, item);
        } else if (item->type == HD_JSON_STRING) {
            const hd_layer *layer = hd_layer_find(item->string);
            x = layer ? build_once(b, x, layer, item, NULL, NULL, 0) : unknown_layer(b, item, item->string);
        } else {
            x = refuse(b, item, "an item of a model is a layer's name, or a layer with options", NULL,
                       "Write - relu, or - linear: {out_features: 10}");
        }
    }
    return x;
}

hd_val hd_layer_apply(hd_loc at, const hd_layer *layer, hd_val x, const char *name) {
    hd_val y = {0};
    if (!hd_layer_ready(x) || !layer->build) return y;
    hd_context *ctx = hd_graph_context(x.graph);
    hd_arena arena = {.ctx = ctx};
    void *args = hd_arena_alloc(&arena, layer->args_size ? layer->args_size : 1);
    if (!args || hd_options_read(ctx, layer->options, args, NULL, name, layer->name) != HD_OK) {
        const hd_error e = hd_last_error_parts(ctx);
        hd_graph_fail(x.graph, e.status, "%s|%s|%s", e.where, e.what, e.fix);
    } else {
        y = layer->build(at, x, name, args);
    }
    hd_arena_free(&arena);
    return y;
}

hd_val hd_nn_layers_tree(hd_val x, const hd_json *layers, const char *where) {
    if (!hd_layer_ready(x)) return (hd_val){0};
    build b = {.graph = x.graph, .where = where, .arena = {.ctx = hd_graph_context(x.graph)}};
    const hd_val y = build_list(&b, x, layers);
    hd_arena_free(&b.arena);
    return hd_graph_status(x.graph) == HD_OK ? y : (hd_val){0};
}

hd_val hd_nn_layers(hd_val x, const char *json) {
    if (!hd_layer_ready(x)) return (hd_val){0};
    build b = {.graph = x.graph, .where = "layers", .arena = {.ctx = hd_graph_context(x.graph)}};
    hd_json *tree = NULL;
    hd_val y = {0};
    if (hd_json_parse(&tree, &b.arena, b.where, json, strlen(json)) != HD_OK)
        y = refuse_last(&b);
    else
        y = hd_nn_layers_tree(x, tree, b.where);
    hd_arena_free(&b.arena);
    return y;
}
