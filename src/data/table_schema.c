/* table_schema.c: the schema of a table as JSON, as it travels with a model. Reading trusts nothing. */
#include "data/table.h"
#include <math.h>
#include <string.h>

static const char *const missings[] = {"refuse", "mean", "zero", "drop"};
static const char *const roles[] = {"feature", "target", "ignored"};

static void write_column(hd_jw *w, const hd_column *c) {
    hd_jw_begin(w, '{');
    if (*c->name) hd_jw_key(w, "name"), hd_jw_string(w, c->name);
    if (c->role != HD_COLUMN_FEATURE) hd_jw_key(w, "role"), hd_jw_string(w, roles[c->role]);
    if (c->words) {
        hd_jw_key(w, "words");
        hd_jw_begin(w, '[');
        for (int32_t i = 0; i < c->word_count; i++) hd_jw_string(w, c->words[i]);
        hd_jw_end(w);
    }
    if (c->role == HD_COLUMN_FEATURE) hd_jw_key(w, "fill"), hd_jw_number(w, (double)c->fill);
    hd_jw_end(w);
}

hd_status hd_schema_write(const hd_schema *s, hd_arena *arena, const char **out) {
    hd_text text = {.ctx = arena->ctx};
    hd_jw w = {.out = &text};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "header"), hd_jw_bool(&w, s->named);
    hd_jw_key(&w, "one_hot"), hd_jw_bool(&w, s->one_hot);
    hd_jw_key(&w, "missing"), hd_jw_string(&w, missings[s->missing]);
    hd_jw_key(&w, "columns");
    hd_jw_begin(&w, '[');
    for (int64_t i = 0; i < s->columns; i++) write_column(&w, &s->column[i]);
    hd_jw_end(&w);
    hd_jw_end(&w);
    *out = text.failed ? NULL : hd_arena_strndup(arena, text.data, text.length);
    hd_text_free(&text);
    return *out ? HD_OK : HD_E_MEMORY;
}

static hd_status damaged(hd_context *ctx) {
    return hd_fail(ctx, HD_E_MODEL, "|the model does not say how a table's columns become numbers|Is it whole?");
}

static int64_t place_of(const hd_json *v, const char *const *words, int64_t count, int64_t otherwise) {
    if (!v) return otherwise;
    for (int64_t i = 0; i < count; i++)
        if (v->type == HD_JSON_STRING && strcmp(v->string, words[i]) == 0) return i;
    return -1;
}

static hd_status read_words(hd_column *c, hd_context *ctx, hd_arena *arena, const hd_json *list) {
    if (list->type != HD_JSON_ARRAY || list->count > 1 << 16) return damaged(ctx);
    c->words = hd_arena_alloc_n(arena, list->count + 1, sizeof *c->words);
    if (!c->words) return HD_E_MEMORY;
    for (const hd_json *v = list->child; v; v = v->next) {
        if (v->type != HD_JSON_STRING || v->length > HD_WORD_MAX) return damaged(ctx);
        c->words[c->word_count] = hd_arena_strndup(arena, v->string, v->length);
        if (!c->words[c->word_count++]) return HD_E_MEMORY;
    }
    return HD_OK;
}

static hd_status read_column(hd_column *c, hd_context *ctx, hd_arena *arena, const hd_json *v) {
    const hd_json *name = hd_json_get(v, "name"), *words = hd_json_get(v, "words"), *fill = hd_json_get(v, "fill");
    const int64_t role = place_of(hd_json_get(v, "role"), roles, 3, HD_COLUMN_FEATURE);
    const bool number = fill && (fill->type == HD_JSON_INT || fill->type == HD_JSON_FLOAT);
    if (v->type != HD_JSON_OBJECT || role < 0 || (name && name->type != HD_JSON_STRING) || (fill && !number) ||
        (fill && !(fabs(fill->number) < 3e38)))
        return damaged(ctx);
    c->role = (int32_t)role;
    c->fill = fill ? (float)fill->number : 0;
    c->name = name ? hd_arena_strndup(arena, name->string, name->length) : "";
    if (!c->name) return HD_E_MEMORY;
    if (words) HD_TRY(read_words(c, ctx, arena, words));
    if (c->words && !(c->fill >= -1 && c->fill < (float)(c->word_count ? c->word_count : 1))) return damaged(ctx);
    return HD_OK;
}

hd_status hd_schema_read(hd_schema *s, hd_context *ctx, hd_arena *arena, const hd_json *object) {
    const hd_json *columns = hd_json_get(object, "columns"), *named = hd_json_get(object, "header"),
                  *hot = hd_json_get(object, "one_hot");
    *s = (hd_schema){.missing = place_of(hd_json_get(object, "missing"), missings, 4, HD_MISSING_REFUSE)};
    if (!columns || columns->type != HD_JSON_ARRAY || columns->count < 1 || columns->count > 1 << 18 || s->missing < 0)
        return damaged(ctx);
    s->named = named && named->type == HD_JSON_BOOL && named->boolean;
    s->one_hot = hot && hot->type == HD_JSON_BOOL && hot->boolean;
    s->column = hd_arena_alloc_n(arena, columns->count, sizeof *s->column);
    if (!s->column) return HD_E_MEMORY;
    for (const hd_json *v = columns->child; v; v = v->next) {
        hd_column *c = &s->column[s->columns++];
        HD_TRY(read_column(c, ctx, arena, v));
        int64_t *at = c->role == HD_COLUMN_TARGET ? &s->targets : &s->features;
        c->at = *at;
        if (c->role != HD_COLUMN_IGNORED) *at += c->role == HD_COLUMN_TARGET || !c->words ? 1 : c->word_count;
    }
    return s->features > 0 ? HD_OK : damaged(ctx);
}
