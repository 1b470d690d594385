/* recipe.c: recipes: reading, setting single keys, asking for values, writing with every default. The keys themselves
 * stand in recipe_keys.c. */
#include "base/file.h"
#include "base/status.h"
#include "base/yaml.h"
#include "train/model.h"
#include "train/schedule.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_RECIPE = 4 << 20, PATH = 128 };

hd_status hd_recipe_new(hd_recipe **out, hd_context *ctx) {
    *out = NULL;
    hd_recipe *r = hd_alloc(ctx, sizeof *r);
    if (!r) return HD_E_MEMORY;
    r->ctx = ctx;
    r->arena.ctx = ctx;
    r->where = r->model_where = "recipe";
    r->root = hd_json_new(&r->arena, HD_JSON_OBJECT);
    if (!r->root) {
        hd_recipe_free(r);
        return HD_E_MEMORY;
    }
    *out = r;
    return HD_OK;
}

void hd_recipe_free(hd_recipe *r) {
    if (!r) return;
    hd_arena_free(&r->arena);
    hd_free(r->ctx, r);
}

static hd_status read_text(hd_recipe *r, const char *where, const char *text, size_t length) {
    hd_json *root = NULL;
    r->where = r->model_where = hd_arena_strdup(&r->arena, where);
    if (!r->where) return HD_E_MEMORY;
    HD_TRY(hd_yaml_parse(&root, &r->arena, where, text, length));
    HD_TRY(hd_recipe_check(r, root));
    r->root = root;
    return HD_OK;
}

static hd_status parse(hd_recipe **out, hd_context *ctx, const char *where, const char *text, size_t length) {
    hd_recipe *r = NULL;
    HD_TRY(hd_recipe_new(&r, ctx));
    const hd_status status = read_text(r, where, text, length);
    if (status == HD_OK)
        *out = r;
    else
        hd_recipe_free(r);
    return status;
}

hd_status hd_recipe_parse(hd_recipe **out, hd_context *ctx, const char *where, const char *text) {
    *out = NULL;
    return parse(out, ctx, where, text, strlen(text));
}

hd_status hd_recipe_load(hd_recipe **out, hd_context *ctx, const char *path) {
    char *text = NULL;
    size_t length = 0;
    *out = NULL;
    HD_TRY(hd_file_read(ctx, path, MAX_RECIPE, &text, &length));
    const hd_status status = parse(out, ctx, path, text, length);
    hd_free(ctx, text);
    return status;
}

hd_status hd_recipe_copy(hd_recipe **out, const hd_recipe *from) {
    hd_recipe *r = NULL;
    *out = NULL;
    HD_TRY(hd_recipe_new(&r, from->ctx));
    r->where = hd_arena_strdup(&r->arena, from->where);
    r->model_where = hd_arena_strdup(&r->arena, from->model_where);
    r->root = hd_json_copy(&r->arena, from->root);
    if (!r->where || !r->model_where || !r->root) {
        hd_recipe_free(r);
        return HD_E_MEMORY;
    }
    *out = r;
    return HD_OK;
}

/* ---- asking ---- */

const hd_json *hd_recipe_said(const hd_recipe *r, const char *key) {
    const hd_json *at = r->root;
    char part[PATH];
    while (at && *key) {
        const size_t n = strcspn(key, ".");
        if (n >= sizeof part) return NULL;
        memcpy(part, key, n);
        part[n] = '\0';
        at = hd_json_get(at, part);
        key += key[n] ? n + 1 : n;
    }
    return at && at->type != HD_JSON_NULL ? at : NULL;
}

/* An optimiser's own default of one of its settings; NAN when it has none such. */
static double optimizer_default(const hd_recipe *r, const char *setting) {
    hd_optimizer_info info;
    if (!hd_optimizer_find(hd_recipe_text(r, "train.optimizer.name"), &info)) return (double)NAN;
    if (strcmp(setting, "lr") == 0) return info.lr;
    if (strcmp(setting, "weight_decay") == 0) return info.weight_decay;
    for (const hd_option *k = info.options; k->name; k++)
        if (strcmp(k->name, setting) == 0 && k->type == HD_OPT_FLOAT) return k->def;
    return (double)NAN;
}

const char *hd_recipe_default(const hd_recipe *r, const hd_key *key, char text[32]) {
    static const char optimizer[] = "train.optimizer.", schedule[] = "train.schedule.";
    const char *name = key->pub.name, *own = NULL;
    if (strcmp(name, "train.optimizer.name") == 0 || strcmp(name, "train.schedule.name") == 0) return key->pub.def;
    if (strncmp(name, optimizer, sizeof optimizer - 1) == 0) {
        const double def = optimizer_default(r, name + sizeof optimizer - 1);
        if (!isnan(def)) own = hd_text_from_f64(text, def);
    } else if (strncmp(name, schedule, sizeof schedule - 1) == 0) {
        const char *kind = hd_recipe_text(r, "train.schedule.name");
        (void)hd_schedule_reads(kind ? kind : "", name + sizeof schedule - 1, &own);
    }
    return own ? own : key->pub.def;
}

double hd_recipe_number(const hd_recipe *r, const char *key) {
    const hd_json *v = hd_recipe_said(r, key);
    if (v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT)) return v->number;
    char text[32];
    const char *def = hd_recipe_default(r, hd_key_find(key), text);
    double number = 0;
    return hd_text_to_f64(def, strlen(def), &number) ? number : 0;
}

int64_t hd_recipe_int(const hd_recipe *r, const char *key) {
    const hd_json *v = hd_recipe_said(r, key);
    if (v && v->type == HD_JSON_INT) return v->integer;
    return (int64_t)hd_recipe_number(r, key);
}

bool hd_recipe_bool(const hd_recipe *r, const char *key) {
    const hd_json *v = hd_recipe_said(r, key);
    if (v) return v->type == HD_JSON_BOOL && v->boolean;
    return strcmp(hd_key_find(key)->pub.def, "true") == 0;
}

const char *hd_recipe_network_name(const hd_recipe *r) {
    const hd_json *said = hd_recipe_said(r, "model");
    const hd_json *name = said && said->type == HD_JSON_OBJECT ? hd_json_get(said, "name") : said;
    return name && name->type == HD_JSON_STRING ? name->string : NULL;
}

const hd_zoo_entry *hd_recipe_network(const hd_recipe *r) {
    const char *name = hd_recipe_network_name(r);
    return name ? hd_zoo_find(name) : NULL;
}

const char *hd_recipe_text(const hd_recipe *r, const char *key) {
    const hd_json *v = hd_recipe_said(r, key);
    if (v) return v->type == HD_JSON_STRING ? v->string : NULL;
    const char *def = hd_key_find(key)->pub.def;
    return def[0] ? def : NULL;
}

hd_optimizer hd_recipe_optimizer(const hd_recipe *r) {
    static const char *const all[] = {"lr", "weight_decay"};
    char key[PATH];
    hd_optimizer_info info;
    hd_optimizer o = {.name = hd_recipe_text(r, "train.optimizer.name"),
                      .max_norm = hd_recipe_number(r, "train.max_norm")};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        (void)snprintf(key, sizeof key, "train.optimizer.%s", all[i]);
        (void)hd_optimizer_set(&o, all[i], hd_recipe_number(r, key));
    }
    if (!hd_optimizer_find(o.name, &info)) return o;
    for (const hd_option *k = info.options; k->name; k++) {
        (void)snprintf(key, sizeof key, "train.optimizer.%s", k->name);
        const hd_json *said = hd_recipe_said(r, key);
        if (said) (void)hd_optimizer_set(&o, k->name, said->type == HD_JSON_BOOL ? said->boolean : said->number);
    }
    return o;
}

/* ---- setting ---- */

hd_status hd_recipe_put(hd_recipe *r, const char *key, hd_json *value) {
    hd_json *at = r->root;
    char part[PATH];
    if (!value) return HD_E_MEMORY;
    for (;;) {
        const size_t n = strcspn(key, ".");
        if (n >= sizeof part) return hd_fail(r->ctx, HD_E_USAGE, "%.60s…|no recipe has a key as long as this", key);
        memcpy(part, key, n);
        part[n] = '\0';
        if (!key[n]) return hd_json_set(&r->arena, at, part, value) ? HD_OK : HD_E_MEMORY;
        hd_json *inner = at->child;
        while (inner && strcmp(inner->key, part) != 0) inner = inner->next;
        if (!inner || inner->type != HD_JSON_OBJECT)
            inner = hd_json_set(&r->arena, at, part, hd_json_new(&r->arena, HD_JSON_OBJECT));
        if (!inner) return HD_E_MEMORY;
        at = inner;
        key += n + 1;
    }
}

hd_status hd_recipe_put_text(hd_recipe *r, const char *key, const char *text) {
    return hd_recipe_put(r, key, hd_json_new_string(&r->arena, text));
}

static bool is_word(const char *text, const char *a, const char *b, const char *c) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

/* A scalar as YAML would read it, as far as the key's types allow. */
static hd_json *scalar(hd_arena *arena, unsigned types, const char *text) {
    const size_t n = strlen(text);
    int64_t integer = 0;
    double number = 0;
    if (types & HD_KEY_BOOL && is_word(text, "true", "yes", "on")) return hd_json_new_bool(arena, true);
    if (types & HD_KEY_BOOL && is_word(text, "false", "no", "off")) return hd_json_new_bool(arena, false);
    if (types & (HD_KEY_INT | HD_KEY_NUMBER) && hd_text_to_i64(text, n, &integer))
        return hd_json_new_int(arena, integer);
    if (types & HD_KEY_NUMBER && hd_text_to_f64(text, n, &number)) return hd_json_new_number(arena, number);
    return hd_json_new_string(arena, text);
}

static hd_json *comma_list(hd_arena *arena, unsigned types, const char *text) {
    hd_json *list = hd_json_new(arena, HD_JSON_ARRAY);
    while (list && *text) {
        const size_t n = strcspn(text, ",");
        const char *item = hd_arena_strndup(arena, text, n);
        if (!item || !hd_json_add(list, scalar(arena, types, item))) return NULL;
        text += text[n] ? n + 1 : n;
    }
    return list;
}

/* The value that a text on a command line means. */
static hd_status read_value(hd_recipe *r, unsigned types, const char *key, const char *text, hd_json **out) {
    if ((text[0] == '{' || text[0] == '[') &&
        types & (HD_KEY_GROUPS | HD_KEY_LIST | HD_KEY_NUMBERS | HD_KEY_OBJECT | HD_KEY_MODEL))
        return hd_yaml_parse(out, &r->arena, key, text, strlen(text));
    if (types & HD_KEY_LIST && (!(types & HD_KEY_TEXT) || strchr(text, ',')))
        *out = comma_list(&r->arena, types & ~(unsigned)HD_KEY_LIST, text);
    else if (types & HD_KEY_NUMBERS && strchr(text, ','))
        *out = comma_list(&r->arena, HD_KEY_NUMBER, text);
    else
        *out = scalar(&r->arena, types, text);
    return *out ? HD_OK : HD_E_MEMORY;
}

/* "model.depth": an option of the model, which becomes an object if it was a name. */
static hd_status set_model_option(hd_recipe *r, const char *option, const char *text) {
    const hd_json *said = hd_recipe_said(r, "model");
    const char *name = said && said->type == HD_JSON_STRING ? said->string : NULL;
    hd_json *value = NULL;
    if (said && said->type == HD_JSON_ARRAY)
        return hd_fail(r->ctx, HD_E_USAGE, "model.%s|a model written as a list of layers has no options", option);
    if (said && name && name[0] >= '0' && name[0] <= '9')
        return hd_fail(r->ctx, HD_E_USAGE, "model.%s|the one-line network \"%s\" has no options", option, name);
    if (!said || name) {
        hd_json *object = hd_json_new(&r->arena, HD_JSON_OBJECT);
        if (!object || (name && !hd_json_set(&r->arena, object, "name", hd_json_new_string(&r->arena, name))))
            return HD_E_MEMORY;
        HD_TRY(hd_recipe_put(r, "model", object));
    }
    char key[PATH];
    (void)snprintf(key, sizeof key, "model.%s", option);
    HD_TRY(read_value(r, HD_KEY_BOOL | HD_KEY_INT | HD_KEY_NUMBER | HD_KEY_TEXT | HD_KEY_LIST, key, text, &value));
    return hd_recipe_put(r, key, value);
}

static hd_status set_model(hd_recipe *r, const char *text) {
    hd_json *value = NULL;
    const hd_json *said = hd_recipe_said(r, "model");
    HD_TRY(read_value(r, HD_KEY_MODEL, "model", text, &value));
    r->model_where = "model";
    /* Options may have been given before the name. */
    if (value->type == HD_JSON_STRING && said && said->type == HD_JSON_OBJECT && !hd_json_get(said, "name"))
        return hd_recipe_put(r, "model.name", value);
    return hd_recipe_put(r, "model", value);
}

static hd_status unknown_key(hd_recipe *r, const char *key) {
    const char *names[256];
    char word[64];
    size_t n = 0;
    const hd_key *k;
    for (int i = 0; (k = hd_key_at(i)) && n + 2 < sizeof names / sizeof names[0]; i++) {
        const char *dot = strrchr(k->pub.name, '.');
        names[n++] = k->pub.name;
        if (dot) names[n++] = dot + 1;
    }
    (void)snprintf(word, sizeof word, "%s", key);
    for (char *c = word; *c; c++)
        if (*c == '-') *c = '_';
    const char *near = hd_text_nearest(word, names, n);
    return hd_fail(r->ctx, HD_E_USAGE, "%.60s|no recipe has this key, or more than one|%s%s%s", key,
                   near ? "Did you mean " : "All are listed by `hadal help recipe`", near ? near : "", near ? "?" : "");
}

hd_status hd_recipe_set(hd_recipe *r, const char *name, const char *text) {
    const hd_key *key = name && text ? hd_key_find(name) : NULL;
    hd_json *value = NULL;
    if (!key) return unknown_key(r, name ? name : "");
    if (key->types & HD_KEY_MODEL)
        return strncmp(name, "model.", 6) == 0 ? set_model_option(r, name + 6, text) : set_model(r, text);
    HD_TRY(read_value(r, key->types, key->pub.name, text, &value));
    HD_TRY(hd_recipe_check_value(r, key, name, value, HD_E_USAGE));
    value->line = 0;
    return hd_recipe_put(r, key->pub.name, value);
}

/* ---- writing ---- */

static hd_json *default_value(hd_arena *arena, const hd_recipe *r, const hd_key *key) {
    char text[32];
    const char *def = hd_recipe_default(r, key, text);
    return def[0] ? scalar(arena, key->types, def) : hd_json_new(arena, HD_JSON_NULL);
}

static hd_json *whole(const hd_recipe *r, hd_arena *arena) {
    hd_recipe full = {.ctx = r->ctx, .arena = {.ctx = r->ctx}, .where = r->where, .model_where = r->model_where};
    hd_json *root = full.root = hd_json_new(&full.arena, HD_JSON_OBJECT);
    const hd_key *key;
    for (int i = 0; root && (key = hd_key_at(i)) != NULL; i++) {
        const hd_json *said = hd_recipe_said(r, key->pub.name);
        if (!hd_key_applies(r, key)) continue;
        hd_json *value = said ? hd_json_copy(&full.arena, said) : default_value(&full.arena, r, key);
        if (hd_recipe_put(&full, key->pub.name, value) != HD_OK) root = NULL;
    }
    *arena = full.arena;
    return root;
}

hd_status hd_recipe_json(const hd_recipe *r, char **json) {
    hd_arena arena = {.ctx = r->ctx};
    hd_text text = {.ctx = r->ctx};
    const hd_json *root = whole(r, &arena);
    *json = NULL;
    if (root) hd_json_print(&text, root, 2);
    if (root) hd_text_puts(&text, "\n");
    hd_arena_free(&arena);
    if (!root || text.failed) {
        hd_text_free(&text);
        return HD_E_MEMORY;
    }
    *json = text.data;
    return HD_OK;
}

/* ---- data ---- */

/* The model's classes by name, and its shape where it reads pictures. */
static hd_status add_model(const hd_model *m, hd_arena *arena, hd_json *object) {
    hd_json *names = hd_json_new(arena, HD_JSON_ARRAY), *sample = hd_json_new(arena, HD_JSON_ARRAY);
    if (!names || !sample) return HD_E_MEMORY;
    for (int64_t i = 0; i < m->data.classes && m->data.class_names; i++)
        if (!hd_json_add(names, hd_json_new_string(arena, m->data.class_names[i]))) return HD_E_MEMORY;
    for (int i = 0; i < m->data.sample.rank && m->data.sample.rank == 3; i++)
        if (!hd_json_add(sample, hd_json_new_int(arena, m->data.sample.dim[i]))) return HD_E_MEMORY;
    const hd_dims *d = &m->data.sample;
    const bool sides = d->rank == 3 && d->dim[0] <= 1 << 16 && d->dim[1] <= 1 << 16 && d->dim[2] <= 1 << 16;
    if (!hd_json_set(arena, object, "names", names)) return HD_E_MEMORY;
    return !sides || hd_json_set(arena, object, "sample", sample) ? HD_OK : HD_E_MEMORY;
}

/* What the model knows of its data, for reading others in the same way. */
static hd_status add_encoding(const hd_model *m, const hd_json *source, bool unlabeled, hd_arena *arena,
                              hd_json **object) {
    hd_json *like = NULL;
    if (!*object) {
        *object = hd_json_new(arena, HD_JSON_OBJECT);
        if (!hd_json_set(arena, *object, "source", hd_json_copy(arena, source))) return HD_E_MEMORY;
    }
    const int64_t width = hd_dims_count(&m->data.sample);
    if (!hd_json_set(arena, *object, "unlabeled", hd_json_new_bool(arena, unlabeled))) return HD_E_MEMORY;
    if (!hd_json_set(arena, *object, "width", hd_json_new_int(arena, width))) return HD_E_MEMORY;
    HD_TRY(add_model(m, arena, *object));
    if (!m->data.encoding) return HD_OK;
    HD_TRY(hd_json_parse(&like, arena, "encoding", m->data.encoding, strlen(m->data.encoding)));
    if (!hd_json_set(arena, *object, "like", like)) return HD_E_MEMORY;
    if (m->data.classes == 0 || hd_json_get(*object, "classes")) return HD_OK;
    return hd_json_set(arena, *object, "classes", hd_json_new_int(arena, m->data.classes)) ? HD_OK : HD_E_MEMORY;
}

/* The keys of `data` that belong to its source, as one JSON object; a name alone stays a name. */
static hd_status source_text(const hd_recipe *r, const hd_model *model, bool unlabeled, hd_arena *arena, hd_text *out) {
    static const char *const passed[] = {"format", "label",   "task",   "ignore", "features",  "missing",
                                         "na",     "header",  "y",      "shape",  "n",         "noise",
                                         "binary", "classes", "seed",   "size",   "min_count", "token",
                                         "tag",    "unit",    "length", "stride", "function",  "inputs"};
    const hd_json *source = hd_recipe_said(r, "data.source");
    hd_json *object = NULL;
    if (!source) return hd_fail(r->ctx, HD_E_MODEL, "%s|the recipe names no data|Add data: {source: mnist}", r->where);
    if (source->type == HD_JSON_OBJECT) object = hd_json_copy(arena, source);
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "data.%s", passed[i]);
        const hd_json *said = hd_recipe_said(r, key);
        if (!said) continue;
        if (!object) {
            object = hd_json_new(arena, HD_JSON_OBJECT);
            if (!hd_json_set(arena, object, "source", hd_json_copy(arena, source))) return HD_E_MEMORY;
        }
        if (!hd_json_set(arena, object, passed[i], hd_json_copy(arena, said))) return HD_E_MEMORY;
    }
    if (model) HD_TRY(add_encoding(model, source, unlabeled, arena, &object));
    if (object)
        hd_json_print(out, object, 0);
    else
        hd_text_puts(out, source->string);
    return out->failed ? HD_E_MEMORY : HD_OK;
}

static hd_status open_data(hd_dataset **out, const hd_recipe *r, const hd_model *model, bool unlabeled,
                           const char *data_dir) {
    hd_arena arena = {.ctx = r->ctx};
    hd_text text = {.ctx = r->ctx};
    *out = NULL;
    hd_status status = source_text(r, model, unlabeled, &arena, &text);
    if (status == HD_OK) status = hd_data_open(out, r->ctx, hd_text_str(&text), data_dir);
    hd_text_free(&text);
    hd_arena_free(&arena);
    return status;
}

hd_status hd_recipe_open_data(hd_dataset **out, const hd_recipe *r, const char *data_dir) {
    return open_data(out, r, NULL, false, data_dir);
}

hd_status hd_model_open_data(hd_dataset **out, const hd_model *model, const hd_recipe *r, const char *data_dir,
                             bool unlabeled) {
    return open_data(out, r, model, unlabeled, data_dir);
}
