/* data_open.c: from what a user wrote (a name, a path, a JSON object) to the source that opens it. */
#include "base/context.h"
#include "base/text.h"
#include "data/source.h"
#include <string.h>

static const char *const common[] = {"path", "source",    "name",  "format", "classes", "like",
                                     "text", "unlabeled", "width", "sample", "names",   NULL};

/* The one of path=, source=, name= that is there. */
static hd_status asked_for(hd_context *ctx, const hd_json *object, const char **out) {
    *out = NULL;
    for (int i = 0; i < 3; i++) {
        const hd_json *v = hd_json_get(object, common[i]);
        if (!v) continue;
        if (v->type != HD_JSON_STRING || !*v->string || *out)
            return hd_fail(ctx, HD_E_DATA, "data|expected one name or path as text in \"%s\"", common[i]);
        *out = v->string;
    }
    if (!*out) return hd_fail(ctx, HD_E_DATA, "data|expected a name or a path|Say path=\"…\" or source=\"digits\"");
    return HD_OK;
}

enum { MOST_NAMES = 64 };

/* "digits, xor, moons"; NULL without memory. */
static const char *listed(hd_arena *arena, const char *const *names, size_t n) {
    const char *list = "";
    for (size_t i = 0; i < n && list; i++) list = hd_arena_printf(arena, "%s%s%s", list, i ? ", " : "", names[i]);
    return list;
}

static hd_status unknown_format(const hd_data_request *r, const char *what, const hd_json *format) {
    const char *names[MOST_NAMES];
    size_t n = 0;
    for (int i = 0; hd_source_at(i) && n < MOST_NAMES; i++)
        if (hd_source_at(i)->looks_like) names[n++] = hd_source_at(i)->name;
    const char *list = listed(r->arena, names, n);
    if (!list) return HD_E_MEMORY;
    return hd_fail(r->ctx, HD_E_DATA, "%s|unknown format \"%s\"|Known are: %s", what,
                   format->type == HD_JSON_STRING ? format->string : "?", list);
}

static hd_status unknown_name(const hd_data_request *r, const char *name) {
    hd_context *ctx = r->ctx;
    const char *names[MOST_NAMES];
    size_t n = 0;
    for (int i = 0; hd_source_at(i) && n < MOST_NAMES; i++)
        if (hd_source_at(i)->named) names[n++] = hd_source_at(i)->name;
    for (int32_t i = 0; i < ctx->own[HD_OWN_SOURCE].count && n < MOST_NAMES; i++)
        names[n++] = ((const hd_data_reader *)ctx->own[HD_OWN_SOURCE].item[i])->name;
    const char *near = hd_text_nearest(name, names, n);
    if (near)
        return hd_fail(ctx, HD_E_DATA, "%s|neither a data set's name nor a file or folder|Did you mean %s?", name,
                       near);
    if (strchr(name, '/') || strchr(name, '.')) return hd_fail(ctx, HD_E_FILE, "%s|no such file or folder", name);
    const char *list = listed(r->arena, names, n);
    if (!list) return HD_E_MEMORY;
    return hd_fail(ctx, HD_E_DATA, "%s|neither a data set's name nor a file or folder|Names: %s; or say a path", name,
                   list);
}

/* A built-in name, or one of the program's own, wins over a path; then format= decides; then looking. *out is touched
 * only where one is found. */
static hd_status find_source(hd_data_request *r, const char *what, const hd_json *object, const hd_data_source **out) {
    hd_context *ctx = r->ctx;
    const hd_json *format = hd_json_get(object, "format");
    const hd_data_source *named = hd_source_find(what);
    r->reader = format || (named && named->named) ? NULL : hd_reader_find(ctx, what);
    if (r->reader || (named && named->named && !format)) {
        *out = r->reader ? &hd_source_own : named;
        return HD_OK;
    }
    if (format) {
        const hd_data_source *said = format->type == HD_JSON_STRING ? hd_source_find(format->string) : NULL;
        if (!said || !said->looks_like) return unknown_format(r, what, format);
        if (!hd_path_exists(what)) return hd_fail(ctx, HD_E_FILE, "%s|no such file or folder", what);
        *out = said;
        return HD_OK;
    }
    if (!hd_path_exists(what)) return unknown_name(r, what);
    for (int i = 0; hd_source_at(i); i++)
        if (hd_source_at(i)->looks_like && hd_source_at(i)->looks_like(what)) {
            *out = hd_source_at(i);
            return HD_OK;
        }
    return hd_fail(
        ctx, HD_E_DATA,
        "%s|expected an IDX folder (train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz), "
        "arrays (.npy, .npz), folders of pictures, text (.txt), or a table (.csv, .tsv, .txt, .data, .arff), "
        "found none of them|Say format=idx, format=npy, format=images, format=text or format=table",
        what);
}

/* The model's shape and the names of its classes. */
static hd_status read_model(hd_data_request *r, const hd_json *object) {
    const hd_json *sample = hd_json_get(object, "sample"), *names = hd_json_get(object, "names");
    for (const hd_json *v = sample ? sample->child : NULL; v; v = v->next) {
        if (v->type != HD_JSON_INT || v->integer < 1 || v->integer > 1 << 16 || r->sample.rank == 3)
            return hd_fail(r->ctx, HD_E_DATA, "data|expected up to three sides in \"sample\"");
        r->sample.dim[r->sample.rank++] = v->integer;
    }
    for (const hd_json *v = names ? names->child : NULL; v; v = v->next)
        if (v->type != HD_JSON_STRING) return hd_fail(r->ctx, HD_E_DATA, "data|expected texts in \"names\"");
    r->names = names && names->count ? names : NULL;
    return HD_OK;
}

/* What comes from a trained model, and data that are given as text. */
static hd_status read_extras(hd_data_request *r, const hd_json *object) {
    const hd_json *text = hd_json_get(object, "text"), *unlabeled = hd_json_get(object, "unlabeled");
    r->like = hd_json_get(object, "like");
    if ((r->like && r->like->type != HD_JSON_OBJECT) || (text && text->type != HD_JSON_STRING))
        return hd_fail(r->ctx, HD_E_DATA, "data|expected an object in \"like\" and text in \"text\"");
    r->text = text ? text->string : NULL;
    const hd_json *width = hd_json_get(object, "width");
    r->width = width && width->type == HD_JSON_INT ? width->integer : 0;
    r->unlabeled = unlabeled && unlabeled->type == HD_JSON_BOOL && unlabeled->boolean;
    return HD_OK;
}

static hd_status open_asked(hd_dataset **out, hd_data_request *r, const char *what, const hd_json *object) {
    const hd_data_source *source = &hd_source_table;
    HD_TRY(read_extras(r, object));
    HD_TRY(read_model(r, object));
    if (hd_json_get(r->like, "items")) source = &hd_source_movielens;
    if (!r->text) HD_TRY(find_source(r, what, object, &source));
    const hd_json *classes = hd_json_get(object, "classes");
    if (classes && (classes->type != HD_JSON_INT || classes->integer < 1 || classes->integer > INT64_C(1) << 20))
        return hd_fail(r->ctx, HD_E_DATA, "data|option classes: expected a whole number from 1 to 1048576");
    r->classes = classes ? classes->integer : 0;
    bool by_name = source->named && strcmp(source->name, what) == 0 && !hd_json_get(object, "format");
    r->path = by_name ? NULL : what;
    r->name = by_name ? source->name : hd_path_last(what);
    void *args = hd_arena_alloc(r->arena, source->args_size + 1);
    if (!args) return HD_E_MEMORY;
    HD_TRY(hd_source_options(r->ctx, source, object, common, r->arena, args));
    r->args = args;
    hd_dataset *d;
    HD_TRY(hd_data_make(&d, r->ctx));
    hd_status status = HD_OK;
    d->info.name = hd_arena_strdup(&d->arena, r->name);
    if (!d->info.name) status = HD_E_MEMORY;
    if (status == HD_OK) status = source->open(d, r);
    if (status == HD_OK) status = hd_data_finish(d, r->classes);
    if (status != HD_OK) {
        hd_data_free(d);
        return status;
    }
    *out = d;
    return HD_OK;
}

static hd_status open_text(hd_dataset **out, hd_data_request *r, const char *source) {
    r->data_dir = hd_data_folder(r->arena, r->data_dir);
    if (!r->data_dir) return HD_E_MEMORY;
    const char *s = source;
    while (*s == ' ' || *s == '\t' || *s == '\n') s++;
    if (*s != '{') return open_asked(out, r, source, NULL);
    hd_json *object;
    const char *what;
    HD_TRY(hd_json_parse(&object, r->arena, "data", s, strlen(s)));
    HD_TRY(asked_for(r->ctx, object, &what));
    return open_asked(out, r, what, object);
}

hd_status hd_data_open(hd_dataset **out, hd_context *ctx, const char *source, const char *data_dir) {
    if (!source || !*source)
        return hd_fail(ctx, HD_E_USAGE, "data|expected a name, a path or a JSON object, got nothing");
    hd_arena arena = {.ctx = ctx};
    hd_data_request r = {.ctx = ctx, .arena = &arena, .data_dir = data_dir};
    hd_status status = open_text(out, &r, source);
    hd_arena_free(&arena);
    return status;
}
