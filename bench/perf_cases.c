/* perf_cases.c: owns workloads that come from a file instead of workloads.def: for scripts that draw or search. */
#include "base/file.h"
#include "perf.h"
#include <string.h>

enum { MOST_BYTES = 4 << 20, MOST_CASES = 100000, MOST_SIZE = 1 << 24 };

static hd_status wrong(hd_arena *arena, const char *path, const hd_json *at, const char *expected) {
    return hd_fail(arena->ctx, HD_E_DATA, "%s:%d:%d|expected %s|", path, at->line, at->column, expected);
}

static bool whole(const hd_json *v, int64_t *out) {
    if (!v || v->type != HD_JSON_INT || v->integer < 1 || v->integer > MOST_SIZE) return false;
    *out = v->integer;
    return true;
}

static const char *text_or(const hd_json *v, const char *missing) {
    return !v ? missing : v->type == HD_JSON_STRING ? v->string : NULL;
}

/* The text of a network: a list of layers is written as JSON again. */
static const char *network_text(hd_arena *arena, const hd_json *v) {
    hd_text text = {.ctx = arena->ctx};
    if (v->type == HD_JSON_STRING) return hd_arena_strdup(arena, v->string);
    hd_json_print(&text, v, 0);
    const char *kept = text.failed ? NULL : hd_arena_strdup(arena, hd_text_str(&text));
    hd_text_free(&text);
    return kept;
}

static hd_status read_case(perf_workload *w, hd_arena *arena, const char *path, const hd_json *o) {
    const hd_json *name = hd_json_get(o, "name"), *network = hd_json_get(o, "network"),
                  *sample = hd_json_get(o, "sample"), *forward = hd_json_get(o, "forward");
    if (!name || name->type != HD_JSON_STRING || name->length == 0 || name->length >= PERF_NAME)
        return wrong(arena, path, o, "a case with a short \"name\"");
    if (!network || (network->type != HD_JSON_STRING && network->type != HD_JSON_ARRAY))
        return wrong(arena, path, o, "\"network\": one line, a name of the zoo, or a list of layers");
    if (!sample || sample->type != HD_JSON_ARRAY || sample->count < 1 || sample->count >= HD_MAX_DIMS)
        return wrong(arena, path, o, "\"sample\": the sizes of one");
    for (const hd_json *v = sample->child; v; v = v->next)
        if (!whole(v, &w->sample.dim[w->sample.rank++])) return wrong(arena, path, v, "a size of at least 1");
    if (hd_dims_count(&w->sample) > MOST_SIZE) return wrong(arena, path, sample, "a smaller sample");
    if (!whole(hd_json_get(o, "outputs"), &w->outputs) || !whole(hd_json_get(o, "batch"), &w->batch))
        return wrong(arena, path, o, "\"outputs\" and \"batch\" of at least 1");
    const char *loss = text_or(hd_json_get(o, "loss"), "cross_entropy");
    if (!loss || (strcmp(loss, "cross_entropy") != 0 && strcmp(loss, "mse") != 0))
        return wrong(arena, path, o, "\"loss\" to be cross_entropy or mse");
    w->name = hd_arena_strdup(arena, name->string);
    w->network = network_text(arena, network);
    w->loss = strcmp(loss, "mse") == 0 ? "mse" : "cross_entropy";
    w->optimizer = hd_sgd(.lr = 1e-3, .momentum = 0.9);
    w->forward = forward && forward->type == HD_JSON_BOOL && forward->boolean;
    return w->name && w->network ? HD_OK : HD_E_MEMORY;
}

hd_status perf_cases_read(perf_workload **out, int *n, hd_arena *arena, const char *path) {
    char *text;
    size_t length;
    hd_json *tree = NULL;
    *n = 0;
    HD_TRY(hd_file_read(arena->ctx, path, MOST_BYTES, &text, &length));
    hd_status status = hd_json_parse(&tree, arena, path, text, length);
    const hd_json *list = status == HD_OK ? hd_json_get(tree, "cases") : NULL;
    if (status == HD_OK && (!list || list->type != HD_JSON_ARRAY || list->count < 1 || list->count > MOST_CASES))
        status = wrong(arena, path, tree, "an object with a list \"cases\"");
    if (status == HD_OK && !(*out = hd_arena_alloc_n(arena, list->count, sizeof **out))) status = HD_E_MEMORY;
    for (const hd_json *v = list ? list->child : NULL; v && status == HD_OK; v = v->next)
        status = read_case(&(*out)[(*n)++], arena, path, v);
    hd_free(arena->ctx, text);
    return status;
}
