/* data_options.c: a source's options from the members of a JSON object, by the option schema that ops and recipes use.
 */
#include "base/text.h"
#include "data/source.h"
#include <stdio.h>
#include <string.h>

enum { MAX_OPTIONS = 32 };

static void set_default(const hd_option *o, void *args) {
    char *field = (char *)args + o->offset;
    int64_t whole = o->type == HD_OPT_INT || o->type == HD_OPT_ENUM ? (int64_t)o->def : 0;
    if (o->type == HD_OPT_BOOL) *(bool *)field = o->def != 0;
    if (o->type == HD_OPT_INT || o->type == HD_OPT_ENUM) *(int64_t *)field = whole;
    if (o->type == HD_OPT_FLOAT) *(double *)field = o->def;
}

static hd_status wrong(hd_context *ctx, const hd_data_source *s, const hd_option *o, const char *expected) {
    return hd_fail(ctx, HD_E_DATA, "data %s|option %s: expected %s|%s", s->name, o->name, expected, o->help);
}

static hd_status set_number(hd_context *ctx, const hd_data_source *s, const hd_option *o, const hd_json *v,
                            void *args) {
    char *field = (char *)args + o->offset, low[32], high[32], expected[128];
    bool whole = o->type == HD_OPT_INT;
    bool fits =
        (v->type == HD_JSON_INT || (v->type == HD_JSON_FLOAT && !whole)) && v->number >= o->min && v->number <= o->max;
    if (!fits) {
        (void)snprintf(expected, sizeof expected, "a %s from %s to %s", whole ? "whole number" : "number",
                       hd_text_from_f64(low, o->min), hd_text_from_f64(high, o->max));
        return wrong(ctx, s, o, expected);
    }
    if (whole)
        *(int64_t *)field = v->integer;
    else
        *(double *)field = v->number;
    return HD_OK;
}

static hd_status set_choice(hd_context *ctx, const hd_data_source *s, const hd_option *o, const hd_json *v,
                            void *args) {
    char expected[160] = "one of";
    for (int i = 0; o->choices[i]; i++) {
        if (v->type == HD_JSON_STRING && strcmp(v->string, o->choices[i]) == 0) {
            *(int64_t *)(void *)((char *)args + o->offset) = i;
            return HD_OK;
        }
        size_t used = strlen(expected);
        (void)snprintf(expected + used, sizeof expected - used, " %s", o->choices[i]);
    }
    return wrong(ctx, s, o, expected);
}

/* "1x16x16" */
static bool read_shape(const char *text, hd_dims *out) {
    *out = (hd_dims){0};
    for (const char *s = text; out->rank < 3;) {
        const size_t n = strcspn(s, "x");
        int64_t side;
        if (!hd_text_to_i64(s, n, &side) || side < 1 || side > 1 << 24) return false;
        out->dim[out->rank++] = side;
        if (!s[n]) return true;
        s += n + 1;
    }
    return false;
}

/* [1, 16, 16] or "1x16x16" into hd_dims. */
static hd_status set_dims(hd_context *ctx, const hd_data_source *s, const hd_option *o, const hd_json *v, void *args) {
    hd_dims *dims = (hd_dims *)(void *)((char *)args + o->offset);
    hd_dims out = {0};
    if (v->type == HD_JSON_STRING) return read_shape(v->string, dims) ? HD_OK : wrong(ctx, s, o, "a shape as 1x16x16");
    if (v->type != HD_JSON_ARRAY || v->count < 1 || v->count > 3) return wrong(ctx, s, o, "one to three whole numbers");
    for (const hd_json *e = v->child; e; e = e->next) {
        if (e->type != HD_JSON_INT || e->integer < 1 || e->integer > 1 << 24)
            return wrong(ctx, s, o, "whole numbers from 1 on");
        out.dim[out.rank++] = e->integer;
    }
    *dims = out;
    return HD_OK;
}

static hd_status set_option(hd_context *ctx, const hd_data_source *s, const hd_option *o, const hd_json *v,
                            hd_arena *arena, void *args) {
    char *field = (char *)args + o->offset;
    switch (o->type) {
    case HD_OPT_BOOL:
        if (v->type == HD_JSON_INT && (v->integer == 0 || v->integer == 1))
            *(bool *)field = v->integer == 1;
        else if (v->type == HD_JSON_BOOL)
            *(bool *)field = v->boolean;
        else
            return wrong(ctx, s, o, "true or false");
        return HD_OK;
    case HD_OPT_INT:
    case HD_OPT_FLOAT: return set_number(ctx, s, o, v, args);
    case HD_OPT_ENUM: return set_choice(ctx, s, o, v, args);
    case HD_OPT_DIMS: return set_dims(ctx, s, o, v, args);
    case HD_OPT_STRING: {
        char *text = NULL;
        if (v->type == HD_JSON_INT)
            text = hd_arena_printf(arena, "%lld", (long long)v->integer);
        else if (v->type == HD_JSON_STRING)
            text = hd_arena_strdup(arena, v->string);
        else
            return wrong(ctx, s, o, "text");
        if (!text) return HD_E_MEMORY;
        *(const char **)(void *)field = text;
        return HD_OK;
    }
    default: return wrong(ctx, s, o, "an option type that data sources have");
    }
}

static hd_status unknown(hd_context *ctx, const hd_data_source *s, const char *key) {
    const char *names[MAX_OPTIONS + 3];
    size_t n = 0;
    names[n++] = "classes";
    names[n++] = "format";
    for (const hd_option *o = s->options; o && o->name && n < MAX_OPTIONS; o++) names[n++] = o->name;
    const char *near = hd_text_nearest(key, names, n);
    if (near) return hd_fail(ctx, HD_E_DATA, "data %s|unknown option \"%s\"|Did you mean %s?", s->name, key, near);
    char known[256] = "";
    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(known);
        (void)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    return hd_fail(ctx, HD_E_DATA, "data %s|unknown option \"%s\"|Known are: %s", s->name, key, known);
}

static bool skipped(const char *key, const char *const *skip) {
    for (; *skip; skip++)
        if (strcmp(*skip, key) == 0) return true;
    return false;
}

hd_status hd_source_options(hd_context *ctx, const hd_data_source *source, const hd_json *object,
                            const char *const *skip, hd_arena *arena, void *args) {
    for (const hd_option *o = source->options; o && o->name; o++) set_default(o, args);
    if (!object) return HD_OK;
    for (const hd_json *v = object->child; v; v = v->next) {
        if (skipped(v->key, skip)) continue;
        const hd_option *o = source->options;
        while (o && o->name && strcmp(o->name, v->key) != 0) o++;
        if (!o || !o->name) return unknown(ctx, source, v->key);
        HD_TRY(set_option(ctx, source, o, v, arena, args));
    }
    return HD_OK;
}
