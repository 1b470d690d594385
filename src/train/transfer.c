/* transfer.c: begins a run, or a model, with weights from elsewhere, and keeps what was taken for the report. */
#include "train/transfer.h"
#include "base/file.h"
#include "base/status.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the network ---- */

/* "784-200-relu-10" with another last width. */
static hd_json *line_for(hd_arena *arena, const char *text, int64_t outputs) {
    const char *dash = strrchr(text, '-');
    hd_line_info line;
    if (!dash || !hd_line_read(text, &line) || line.activated || line.outputs == outputs) return NULL;
    const char *other = hd_arena_printf(arena, "%.*s-%lld", (int)(dash - text), text, (long long)outputs);
    return other ? hd_json_new_string(arena, other) : NULL;
}

/* A list of layers whose last is linear, with another width there. Known networks adapt by themselves. */
static void fit_outputs(hd_arena *arena, hd_json **model, int64_t outputs) {
    hd_json *m = *model, *last = m->type == HD_JSON_ARRAY ? m->last : NULL;
    hd_json *linear = last && last->type == HD_JSON_OBJECT ? last->child : NULL;
    hd_json *line = m->type == HD_JSON_STRING ? line_for(arena, m->string, outputs) : NULL;
    if (line) *model = line;
    if (linear && strcmp(linear->key, "linear") == 0 && hd_json_get(linear, "out_features"))
        (void)hd_json_set(arena, linear, "out_features", hd_json_new_int(arena, outputs));
}

static hd_status own_network(hd_transfer *x, hd_recipe *recipe, const hd_data_info *data) {
    const hd_json *own = hd_recipe_said(x->foreign.facts.recipe, "model");
    if (!own || hd_recipe_said(recipe, "model")) return HD_OK;
    hd_json *model = hd_json_copy(&recipe->arena, own);
    if (!model) return HD_E_MEMORY;
    if (data && data->classes != x->foreign.facts.data.classes)
        fit_outputs(&recipe->arena, &model, data->classes > 0 ? data->classes : data->targets);
    return hd_recipe_put(recipe, "model", model);
}

hd_status hd_transfer_open(hd_transfer *x, hd_recipe *recipe, const hd_data_info *data) {
    const char *from = hd_recipe_text(recipe, "train.from"), *map = hd_recipe_text(recipe, "train.rename");
    hd_context *ctx = recipe->ctx;
    if (!from) return hd_fail(ctx, HD_E_MODEL, "train.from|expected a file of weights, none is given|Give --from FILE");
    x->on = true;
    HD_TRY(hd_foreign_open(&x->foreign, ctx, from, map, recipe));
    x->info.from = hd_arena_strdup(&recipe->arena, from);
    if (!x->info.from) return HD_E_MEMORY;
    if (x->foreign.ours) return own_network(x, recipe, data);
    if (hd_recipe_said(recipe, "model")) return HD_OK;
    return hd_fail(ctx, HD_E_MODEL, "%s|expected the name of its network, the file says none|Add --model NAME", from);
}

/* ---- weights ---- */

hd_status hd_transfer_normalize(hd_transfer *x, hd_model *m) {
    if (!x->on || hd_recipe_said(m->recipe, "data.normalize")) return HD_OK;
    return hd_foreign_normalize(&x->foreign, m, &x->normalized);
}

/* What the file's memory holds moves to the model's. */
static hd_status keep(hd_transfer *x, const hd_taken *taken, hd_model *m) {
    hd_transfer_info *i = &x->info;
    const char **names = hd_arena_alloc_n(&m->arena, (size_t)taken->fresh_count + 1, sizeof *names);
    i->map = hd_arena_strdup(&m->arena, taken->map);
    for (int32_t k = 0; names && k < taken->fresh_count; k++)
        if (!(names[k] = hd_arena_strdup(&m->arena, taken->fresh[k]))) return HD_E_MEMORY;
    i->fresh = names;
    i->fresh_count = taken->fresh_count;
    i->taken = taken->count;
    i->taken_params = taken->params;
    i->frozen = m->params - m->trainable;
    return names && i->map ? HD_OK : HD_E_MEMORY;
}

hd_status hd_transfer_take(hd_transfer *x, hd_model *m) {
    hd_taken taken;
    if (!x->on) return HD_OK;
    HD_TRY(hd_foreign_take(&x->foreign, m, true, &taken));
    HD_TRY(keep(x, &taken, m));
    hd_foreign_close(&x->foreign);
    return HD_OK;
}

void hd_transfer_free(hd_transfer *x) {
    hd_foreign_close(&x->foreign);
}

/* Outputs of a network that nobody named: their numbers. */
static hd_status number_classes(hd_model *m) {
    if (m->data.classes < 1 || m->data.class_names) return HD_OK;
    const char **names = hd_arena_alloc_n(&m->arena, (size_t)m->data.classes, sizeof *names);
    if (!names) return HD_E_MEMORY;
    for (int64_t i = 0; i < m->data.classes; i++)
        if (!(names[i] = hd_arena_printf(&m->arena, "%lld", (long long)i))) return HD_E_MEMORY;
    m->data.class_names = names;
    return HD_OK;
}

static hd_status open_foreign(hd_transfer *x, hd_recipe *recipe, hd_model **out) {
    hd_program *program = NULL;
    hd_taken taken;
    int64_t batch = 0;
    HD_TRY(hd_transfer_open(x, recipe, NULL));
    HD_TRY(hd_model_new(out, recipe, NULL));
    HD_TRY(number_classes(*out));
    HD_TRY(hd_model_infer(*out, 1, &program, &batch)); /* puts the tensors into the store */
    HD_TRY(hd_foreign_take(&x->foreign, *out, false, &taken));
    return hd_transfer_normalize(x, *out);
}

hd_status hd_model_open_foreign(hd_model **out, const hd_recipe *recipe) {
    hd_transfer x = {.on = false};
    hd_recipe *own = NULL;
    *out = NULL;
    hd_status status = hd_recipe_copy(&own, recipe);
    if (status == HD_OK) status = open_foreign(&x, own, out);
    if (status != HD_OK) {
        hd_model_free(*out);
        *out = NULL;
    }
    hd_transfer_free(&x);
    hd_recipe_free(own);
    return status;
}

/* ---- telling ---- */

void hd_transfer_json(hd_jw *w, const hd_transfer *x) {
    const hd_transfer_info *i = &x->info;
    hd_jw_begin(w, '{');
    hd_jw_key(w, "from"), hd_jw_string(w, i->from);
    hd_jw_key(w, "map"), hd_jw_string(w, i->map);
    hd_jw_key(w, "taken"), hd_jw_int(w, i->taken);
    hd_jw_key(w, "taken_params"), hd_jw_int(w, i->taken_params);
    hd_jw_key(w, "new"), hd_jw_begin(w, '[');
    for (int32_t k = 0; k < i->fresh_count; k++) hd_jw_string(w, i->fresh[k]);
    hd_jw_end(w);
    hd_jw_key(w, "frozen_params"), hd_jw_int(w, i->frozen);
    hd_jw_end(w);
}

hd_status hd_transfer_note(const hd_transfer *x, hd_context *ctx, const char *folder) {
    char path[4200];
    hd_text text = {.ctx = ctx};
    hd_jw w = {.out = &text};
    if (!x->on || !folder[0]) return HD_OK;
    hd_transfer_json(&w, x);
    hd_text_puts(&text, "\n");
    (void)snprintf(path, sizeof path, "%s/transfer.json", folder);
    const hd_status status = text.failed ? HD_E_MEMORY : hd_file_write(ctx, path, text.data, text.length);
    hd_text_free(&text);
    return status;
}

static int64_t whole(const hd_json *object, const char *key) {
    const hd_json *v = hd_json_get(object, key);
    return v && v->type == HD_JSON_INT ? v->integer : 0;
}

static const char *word(const hd_json *object, const char *key) {
    const hd_json *v = hd_json_get(object, key);
    return v && v->type == HD_JSON_STRING ? v->string : "";
}

hd_status hd_transfer_recall(hd_transfer *x, hd_arena *arena, const char *folder) {
    char *text = NULL;
    size_t length = 0;
    hd_json *tree = NULL;
    const char *path = hd_arena_printf(arena, "%s/transfer.json", folder);
    if (!path) return HD_E_MEMORY;
    if (!hd_path_exists(path)) return HD_OK;
    HD_TRY(hd_file_read(arena->ctx, path, 16 << 20, &text, &length));
    const hd_status status = hd_json_parse(&tree, arena, path, text, length);
    hd_free(arena->ctx, text);
    if (status != HD_OK) return status;
    const hd_json *fresh = hd_json_get(tree, "new");
    const char **names = hd_arena_alloc_n(arena, (fresh ? fresh->count : 0) + 1, sizeof *names);
    if (!names) return HD_E_MEMORY;
    x->info = (hd_transfer_info){.from = word(tree, "from"),
                                 .map = word(tree, "map"),
                                 .taken = (int32_t)whole(tree, "taken"),
                                 .taken_params = whole(tree, "taken_params"),
                                 .fresh = names,
                                 .frozen = whole(tree, "frozen_params")};
    for (const hd_json *v = fresh ? fresh->child : NULL; v; v = v->next)
        if (v->type == HD_JSON_STRING) names[x->info.fresh_count++] = v->string;
    x->on = true;
    return HD_OK;
}
