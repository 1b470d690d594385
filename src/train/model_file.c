/* model_file.c: models in files: weights as safetensors, and in the metadata everything that prediction needs: recipe,
 * class names, shape, normalisation. Reading trusts nothing. */
#include "base/file.h"
#include "base/status.h"
#include "train/model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_EXTRA = 8, MAX_CLASSES = 1 << 20 };

/* ---- writing ---- */

static void write_classes(hd_text *text, const hd_model *m) {
    hd_jw w = {.out = text};
    hd_jw_begin(&w, '[');
    for (int64_t i = 0; i < m->data.classes && m->data.class_names; i++) hd_jw_string(&w, m->data.class_names[i]);
    hd_jw_end(&w);
}

static void write_numbers(hd_jw *w, const char *key, const float *v, int64_t n) {
    hd_jw_key(w, key);
    hd_jw_begin(w, '[');
    for (int64_t i = 0; i < n; i++) hd_jw_number(w, (double)v[i]);
    hd_jw_end(w);
}

/* The data room made it: it is a JSON object already. */
static void write_encoding(hd_jw *w, const hd_model *m) {
    hd_arena arena = {.ctx = m->ctx};
    hd_json *tree = NULL;
    const char *text = m->data.encoding;
    if (!text) return;
    hd_jw_key(w, "table");
    if (hd_json_parse(&tree, &arena, "encoding", text, strlen(text)) == HD_OK)
        hd_jw_value(w, tree);
    else
        w->out->failed = true;
    hd_arena_free(&arena);
}

static void write_preprocess(hd_text *text, const hd_model *m) {
    const hd_model_data *d = &m->data;
    hd_jw w = {.out = text};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "data"), hd_jw_string(&w, d->name);
    hd_jw_key(&w, "kind"), hd_jw_string(&w, d->kind);
    hd_jw_key(&w, "stored"), hd_jw_string(&w, hd_dtype_name(d->stored));
    hd_jw_key(&w, "sample"), hd_jw_begin(&w, '[');
    for (int i = 0; i < d->sample.rank; i++) hd_jw_int(&w, d->sample.dim[i]);
    hd_jw_end(&w);
    hd_jw_key(&w, "classes"), hd_jw_int(&w, d->classes);
    hd_jw_key(&w, "targets"), hd_jw_int(&w, d->targets);
    if (d->positions > 0) hd_jw_key(&w, "positions"), hd_jw_int(&w, d->positions);
    if (d->codes > 0) hd_jw_key(&w, "codes"), hd_jw_int(&w, d->codes);
    if (d->as_is) hd_jw_key(&w, "as_is"), hd_jw_bool(&w, true);
    hd_jw_key(&w, "normalize"), hd_jw_begin(&w, '{');
    hd_jw_key(&w, "each"), hd_jw_int(&w, m->normalizer.each);
    write_numbers(&w, "mean", m->normalizer.mean, m->normalizer.channels);
    write_numbers(&w, "std", m->normalizer.std, m->normalizer.channels);
    hd_jw_end(&w);
    hd_jw_key(&w, "picture"), hd_jw_begin(&w, '{');
    hd_jw_key(&w, "low"), hd_jw_number(&w, (double)d->low);
    hd_jw_key(&w, "high"), hd_jw_number(&w, (double)d->high);
    hd_jw_key(&w, "ink"), hd_jw_number(&w, (double)d->ink);
    hd_jw_key(&w, "light_on_dark"), hd_jw_bool(&w, d->light_on_dark);
    hd_jw_key(&w, "centered"), hd_jw_bool(&w, d->centered);
    hd_jw_end(&w);
    if (d->target_mean) {
        hd_jw_key(&w, "target"), hd_jw_begin(&w, '{');
        write_numbers(&w, "mean", d->target_mean, d->targets);
        write_numbers(&w, "std", d->target_std, d->targets);
        hd_jw_end(&w);
    }
    write_encoding(&w, m);
    hd_jw_end(&w);
}

hd_status hd_model_write(hd_model *m, const hd_weights *w, const char *path, const char *const *extra) {
    hd_text classes = {.ctx = m->ctx}, preprocess = {.ctx = m->ctx};
    char *recipe = NULL;
    hd_status status = hd_recipe_json(m->recipe, &recipe);
    write_classes(&classes, m);
    write_preprocess(&preprocess, m);
    if (status == HD_OK && (classes.failed || preprocess.failed)) status = HD_E_MEMORY;
    if (status == HD_OK) {
        const char *metadata[10 + 2 * MAX_EXTRA] = {"format",           "pt",           "hadal.version", hd_version(),
                                                    "hadal.recipe",     recipe,         "hadal.classes", classes.data,
                                                    "hadal.preprocess", preprocess.data};
        for (size_t i = 0; extra && extra[i] && i < 2 * MAX_EXTRA - 1; i++) metadata[10 + i] = extra[i];
        status = hd_tensors_write(m->ctx, path, w->tensor, w->count, metadata);
    }
    hd_memory_free(m->ctx, recipe);
    hd_text_free(&classes);
    hd_text_free(&preprocess);
    return status;
}

/* ---- reading ---- */

/* What one opening shares. */
typedef struct opening {
    hd_context *ctx;
    hd_arena arena;
    const char *path;
    hd_tensors *file;
    hd_recipe *recipe;
    const hd_json *preprocess, *classes;
    hd_model_data data;
} opening;

static hd_status damaged(const opening *o, const char *what) {
    return hd_fail(o->ctx, HD_E_MODEL, "%s|its metadata %s|Was it written by Hadal, and whole?", o->path, what);
}

static bool get_int(const hd_json *object, const char *key, int64_t low, int64_t high, int64_t *out) {
    const hd_json *v = hd_json_get(object, key);
    if (!v || v->type != HD_JSON_INT || v->integer < low || v->integer > high) return false;
    *out = v->integer;
    return true;
}

static float get_float(const hd_json *object, const char *key, float otherwise) {
    const hd_json *v = hd_json_get(object, key);
    const bool number = v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT);
    return number && fabs(v->number) < 1e30 ? (float)v->number : otherwise;
}

static bool get_bool(const hd_json *object, const char *key) {
    const hd_json *v = hd_json_get(object, key);
    return v && v->type == HD_JSON_BOOL && v->boolean;
}

static const char *get_text(const hd_json *object, const char *key) {
    const hd_json *v = hd_json_get(object, key);
    return v && v->type == HD_JSON_STRING ? v->string : "";
}

static hd_status read_sample(opening *o) {
    const hd_json *list = hd_json_get(o->preprocess, "sample");
    hd_dims *d = &o->data.sample;
    if (!list || list->type != HD_JSON_ARRAY || list->count < 1 || list->count >= HD_MAX_DIMS)
        return damaged(o, "say no shape of a sample");
    for (const hd_json *v = list->child; v; v = v->next) {
        if (v->type != HD_JSON_INT || v->integer < 1 || v->integer > 1 << 30)
            return damaged(o, "say an impossible shape");
        d->dim[d->rank++] = v->integer;
    }
    const int64_t n = hd_dims_count(d);
    return n > 0 && n <= (int64_t)1 << 32 ? HD_OK : damaged(o, "say an impossible shape");
}

static hd_status read_class_names(opening *o) {
    hd_model_data *d = &o->data;
    if (o->classes->type != HD_JSON_ARRAY) return damaged(o, "hold no list of classes");
    if (o->classes->count == 0) return HD_OK;
    if ((int64_t)o->classes->count != d->classes) return damaged(o, "name another number of classes than they say");
    d->class_names = hd_arena_alloc_n(&o->arena, o->classes->count, sizeof *d->class_names);
    if (!d->class_names) return HD_E_MEMORY;
    size_t n = 0;
    for (const hd_json *v = o->classes->child; v; v = v->next) {
        if (v->type != HD_JSON_STRING) return damaged(o, "hold no list of classes");
        d->class_names[n++] = v->string;
    }
    return HD_OK;
}

static hd_status read_encoding(opening *o) {
    const hd_json *table = hd_json_get(o->preprocess, "table");
    hd_text text = {.ctx = o->ctx};
    if (!table) return HD_OK;
    if (table->type != HD_JSON_OBJECT) return damaged(o, "hold no description of a table");
    hd_json_print(&text, table, 0);
    o->data.encoding = text.failed ? NULL : hd_arena_strndup(&o->arena, text.data, text.length);
    hd_text_free(&text);
    return o->data.encoding ? HD_OK : HD_E_MEMORY;
}

static bool read_floats(const hd_json *list, int64_t n, bool positive, float *out) {
    if (!list || list->type != HD_JSON_ARRAY || (int64_t)list->count != n) return false;
    for (const hd_json *v = list->child; v; v = v->next) {
        if ((v->type != HD_JSON_INT && v->type != HD_JSON_FLOAT) || !(fabs(v->number) < 3e38)) return false;
        if (positive && !((float)v->number > 0)) return false;
        *out++ = (float)v->number;
    }
    return true;
}

/* The list is as long as the targets before memory is asked for. */
static hd_status read_target(opening *o) {
    const hd_json *target = hd_json_get(o->preprocess, "target"), *mean = hd_json_get(target, "mean"),
                  *std = hd_json_get(target, "std");
    const int64_t n = o->data.targets;
    if (!target || o->data.classes > 0) return HD_OK;
    if (!mean || mean->type != HD_JSON_ARRAY || (int64_t)mean->count != n)
        return damaged(o, "hold no scale of the target");
    float *moments = hd_arena_alloc_n(&o->arena, (size_t)n, 2 * sizeof *moments);
    if (!moments) return HD_E_MEMORY;
    if (!read_floats(mean, n, false, moments) || !read_floats(std, n, true, moments + n))
        return damaged(o, "hold no scale of the target");
    o->data.target_mean = moments;
    o->data.target_std = moments + n;
    return HD_OK;
}

static hd_status read_data(opening *o) {
    const hd_json *p = o->preprocess, *picture = hd_json_get(p, "picture");
    hd_model_data *d = &o->data;
    HD_TRY(read_sample(o));
    if (!get_int(p, "classes", 0, MAX_CLASSES, &d->classes) || !get_int(p, "targets", 1, MAX_CLASSES, &d->targets))
        return damaged(o, "say no number of classes");
    if (hd_json_get(p, "positions") && !get_int(p, "positions", 0, MAX_CLASSES, &d->positions))
        return damaged(o, "say no number of positions");
    if (hd_json_get(p, "codes") && !get_int(p, "codes", 0, 1 << 30, &d->codes))
        return damaged(o, "say no number of codes");
    d->as_is = get_bool(p, "as_is");
    d->name = get_text(p, "data");
    d->kind = get_text(p, "kind");
    d->stored = strcmp(get_text(p, "stored"), "u8") == 0    ? HD_U8
                : strcmp(get_text(p, "stored"), "i32") == 0 ? HD_I32
                                                            : HD_F32;
    d->low = get_float(picture, "low", 0);
    d->high = get_float(picture, "high", 255);
    d->ink = get_float(picture, "ink", 0);
    d->light_on_dark = get_bool(picture, "light_on_dark");
    d->centered = get_bool(picture, "centered");
    HD_TRY(read_encoding(o));
    HD_TRY(read_target(o));
    return read_class_names(o);
}

static hd_status read_normalizer(const opening *o, hd_normalizer *z) {
    const hd_json *n = hd_json_get(o->preprocess, "normalize"), *mean = hd_json_get(n, "mean"),
                  *std = hd_json_get(n, "std");
    if (!mean || !std || mean->type != HD_JSON_ARRAY || std->type != HD_JSON_ARRAY || mean->count != std->count)
        return damaged(o, "hold no normalisation");
    if (mean->count == 0) return HD_OK;
    const int64_t size = hd_dims_count(&o->data.sample);
    if (!get_int(n, "each", 1, size, &z->each) || (int64_t)mean->count != size / z->each || size % z->each != 0)
        return damaged(o, "hold a normalisation of another shape");
    z->mean = hd_alloc_n(o->ctx, mean->count, sizeof *z->mean);
    z->std = hd_alloc_n(o->ctx, mean->count, sizeof *z->std);
    if (!z->mean || !z->std) return HD_E_MEMORY;
    const hd_json *s = std->child;
    for (const hd_json *v = mean->child; v; v = v->next, s = s->next) {
        const bool numbers = (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT) &&
                             (s->type == HD_JSON_INT || s->type == HD_JSON_FLOAT);
        if (!numbers || !(s->number > 0)) return damaged(o, "hold a normalisation that divides by nothing");
        z->mean[z->channels] = (float)v->number;
        z->std[z->channels++] = (float)s->number;
    }
    return HD_OK;
}

static hd_status read_metadata(opening *o) {
    const char *recipe = hd_tensors_metadata(o->file, "hadal.recipe"),
               *preprocess = hd_tensors_metadata(o->file, "hadal.preprocess"),
               *classes = hd_tensors_metadata(o->file, "hadal.classes");
    hd_json *tree = NULL;
    if (!recipe || !preprocess || !classes)
        return hd_fail(o->ctx, HD_E_MODEL,
                       "%s|the file holds weights but no Hadal model|Say which network they are of: "
                       "hadal predict MODEL --from %s, or train DATA --model MODEL --from %s",
                       o->path, o->path, o->path);
    HD_TRY(hd_recipe_parse(&o->recipe, o->ctx, o->path, recipe));
    HD_TRY(hd_json_parse(&tree, &o->arena, o->path, preprocess, strlen(preprocess)));
    o->preprocess = tree;
    HD_TRY(hd_json_parse(&tree, &o->arena, o->path, classes, strlen(classes)));
    o->classes = tree;
    return read_data(o);
}

/* The file must hold what the network needs before memory for the network is asked for: its parameters can not take
 * more than the file. */
static hd_status check_size(const opening *o, const hd_model *m) {
    uint64_t held = 0;
    for (int32_t i = 0; i < hd_tensors_count(o->file); i++) held += hd_tensors_at(o->file, i).bytes;
    if (m->params >= 0 && (uint64_t)m->params <= held / 4) return HD_OK;
    return hd_fail(o->ctx, HD_E_MODEL,
                   "%s|its recipe describes %lld parameters, the file holds %llu numbers|Is it whole?", o->path,
                   (long long)m->params, (unsigned long long)(held / 4));
}

static hd_status read_weights(const opening *o, hd_model *m) {
    hd_program *program = NULL;
    hd_weights w = {0};
    int64_t batch = 0;
    HD_TRY(check_size(o, m));
    HD_TRY(hd_model_infer(m, 1, &program, &batch)); /* puts the tensors into the store */
    hd_status status = hd_weights_new(&w, m, false);
    if (status == HD_OK) status = hd_weights_read(&w, o->file, o->path, false, NULL);
    if (status == HD_OK) status = hd_weights_put(&w, m);
    hd_weights_free(&w);
    return status;
}

static hd_status open_file(opening *o, hd_model **out) {
    HD_TRY(hd_tensors_open(&o->file, o->ctx, o->path));
    HD_TRY(read_metadata(o));
    HD_TRY(hd_model_make(out, o->recipe, &o->data));
    HD_TRY(read_normalizer(o, &(*out)->normalizer));
    return read_weights(o, *out);
}

const char *hd_model_file_of(hd_arena *arena, const char *path) {
    if (!hd_path_is_dir(path)) return path;
    const char *best = hd_arena_printf(arena, "%s/best.safetensors", path);
    if (!best || hd_path_exists(best)) return best;
    return hd_arena_printf(arena, "%s/last.safetensors", path);
}

hd_status hd_model_open(hd_model **out, hd_context *ctx, const char *path) {
    opening o = {.ctx = ctx, .arena = {.ctx = ctx}, .data = {.targets = 1}};
    *out = NULL;
    o.path = hd_model_file_of(&o.arena, path);
    hd_status status = o.path ? open_file(&o, out) : HD_E_MEMORY;
    if (status != HD_OK) {
        hd_model_free(*out);
        *out = NULL;
    }
    hd_recipe_free(o.recipe);
    hd_tensors_close(o.file);
    hd_arena_free(&o.arena);
    return status;
}

hd_status hd_model_facts_read(hd_model_facts *out, hd_context *ctx, hd_tensors *file, const char *path) {
    opening o = {.ctx = ctx, .arena = {.ctx = ctx}, .data = {.targets = 1}, .path = path, .file = file};
    *out = (hd_model_facts){.normalizer = {.ctx = ctx}};
    hd_status status = read_metadata(&o);
    if (status == HD_OK) status = read_normalizer(&o, &out->normalizer);
    out->arena = o.arena;
    out->recipe = o.recipe;
    out->data = o.data;
    return status;
}

void hd_model_facts_free(hd_model_facts *f) {
    if (!f->arena.ctx) return;
    hd_recipe_free(f->recipe);
    hd_normalizer_free(&f->normalizer);
    hd_arena_free(&f->arena);
    *f = (hd_model_facts){0};
}
