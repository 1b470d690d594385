/* options.c: the option schema: defaults, ranges, text in and out. Serves builders, printing, parsing and recipes. */
#include "graph/graph.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t *hd_as_ints(const hd_option *o, void *args) {
    return (int64_t *)(void *)((char *)args + o->offset);
}
static double *hd_as_float(const hd_option *o, void *args) {
    return (double *)(void *)((char *)args + o->offset);
}

const hd_option *hd_option_find(const hd_option *options, const char *name) {
    for (const hd_option *o = options; o && o->name; o++)
        if (strcmp(o->name, name) == 0) return o;
    return NULL;
}

static bool hd_in_range(const hd_option *o, double value, char *message, size_t size) {
    if (o->min == 0 && o->max == 0) return true; /* no range given */
    if (value >= o->min && value <= o->max) return true;
    snprintf(message, size, "%s is %.10g, it must lie in %.10g … %.10g", o->name, value, o->min, o->max);
    return false;
}

hd_status hd_options_settle(const hd_option *options, void *args, char *message, size_t size) {
    for (const hd_option *o = options; o && o->name; o++) {
        switch (o->type) {
        case HD_OPT_INT:
        case HD_OPT_INTS:
            for (int i = 0; i < o->count; i++) {
                int64_t *v = hd_as_ints(o, args) + i;
                if (*v == 0) *v = (int64_t)o->def;
                if (!hd_in_range(o, (double)*v, message, size)) return HD_E_MODEL;
            }
            break;
        case HD_OPT_AXIS:
        case HD_OPT_DTYPE:
            if (*hd_as_ints(o, args) == 0) *hd_as_ints(o, args) = (int64_t)o->def;
            break;
        case HD_OPT_FLOAT: {
            double *v = hd_as_float(o, args);
            if (*v == 0 && !signbit(*v)) *v = o->def;
            if (!hd_in_range(o, *v, message, size)) return HD_E_MODEL;
            break;
        }
        case HD_OPT_ENUM: {
            int64_t *v = hd_as_ints(o, args), n = 0;
            if (*v == 0) *v = (int64_t)o->def;
            while (o->choices[n]) n++;
            if (*v < 0 || *v >= n) {
                snprintf(message, size, "%s has no choice number %lld", o->name, (long long)*v);
                return HD_E_MODEL;
            }
            break;
        }
        case HD_OPT_BOOL:
        case HD_OPT_DIMS:
        case HD_OPT_STRING: break;
        }
    }
    return HD_OK;
}

static void hd_print_ints(hd_text *out, const int64_t *v, int n) {
    hd_text_puts(out, "[");
    for (int i = 0; i < n; i++) hd_text_printf(out, "%s%lld", i ? "," : "", (long long)v[i]);
    hd_text_puts(out, "]");
}

static bool hd_is_default(const hd_option *o, const void *args) {
    void *a = (char *)(uintptr_t)args;
    switch (o->type) {
    case HD_OPT_BOOL: return !*(const bool *)((const char *)args + o->offset);
    case HD_OPT_FLOAT: {
        const double v = *hd_as_float(o, a);
        return v == o->def && (v != 0 || !signbit(v));
    }
    case HD_OPT_DIMS: return ((const hd_dims *)(const void *)((const char *)args + o->offset))->rank == 0;
    case HD_OPT_STRING: return *(const char *const *)(const void *)((const char *)args + o->offset) == NULL;
    default:
        for (int i = 0; i < o->count; i++)
            if (hd_as_ints(o, a)[i] != (int64_t)o->def) return false;
        return true;
    }
}

void hd_options_print(const hd_option *options, const void *args, hd_text *out) {
    bool first = true;
    char buffer[192];
    for (const hd_option *o = options; o && o->name; o++) {
        if (hd_is_default(o, args)) continue;
        void *a = (char *)(uintptr_t)args;
        hd_text_printf(out, "%s%s=", first ? "" : " ", o->name);
        first = false;
        switch (o->type) {
        case HD_OPT_BOOL: hd_text_puts(out, "true"); break;
        case HD_OPT_INT: hd_text_printf(out, "%lld", (long long)*hd_as_ints(o, a)); break;
        case HD_OPT_INTS: hd_print_ints(out, hd_as_ints(o, a), o->count); break;
        case HD_OPT_FLOAT: hd_text_puts(out, hd_text_from_f64(buffer, *hd_as_float(o, a))); break;
        case HD_OPT_AXIS: {
            const int64_t v = *hd_as_ints(o, a);
            hd_text_printf(out, "%lld", (long long)(v > 0 ? v - 1 : v));
            break;
        }
        case HD_OPT_DIMS: {
            const hd_dims *d = (const hd_dims *)(const void *)((const char *)args + o->offset);
            hd_text_puts(out, hd_dims_text(buffer, d));
            break;
        }
        case HD_OPT_DTYPE: hd_text_puts(out, hd_dtype_name((hd_dtype)(*hd_as_ints(o, a) - 1))); break;
        case HD_OPT_ENUM: hd_text_puts(out, o->choices[*hd_as_ints(o, a)]); break;
        case HD_OPT_STRING:
            hd_text_printf(out, "\"%s\"", *(const char *const *)(const void *)((const char *)args + o->offset));
            break;
        }
    }
}

/* "[1,2]" or "3": up to max numbers; B is HD_BATCH where batch is allowed. Returns how many, or -1. */
static int hd_read_ints(const char *text, int64_t *out, int max, bool batch) {
    const bool list = *text == '[';
    if (list) text++;
    int n = 0;
    if (list && *text == ']' && !text[1]) return 0;
    while (n < max) {
        const size_t length = strcspn(text, list ? ",]" : "");
        const char *s = text;
        size_t l = list ? length : strlen(text);
        while (l && *s == ' ') s++, l--;
        if (batch && l == 1 && *s == 'B')
            out[n] = HD_BATCH;
        else if (!hd_text_to_i64(s, l, &out[n]))
            return -1;
        n++;
        if (!list) return n;
        text += length;
        if (*text == ']') return text[1] ? -1 : n;
        if (*text++ != ',') return -1;
    }
    return -1;
}

static hd_status hd_set_wrong(const hd_option *o, const char *text, const char *expected, char *message, size_t size) {
    snprintf(message, size, "%s expects %s, got \"%s\"", o->name, expected, text);
    return HD_E_MODEL;
}

static hd_status hd_set_choice(const hd_option *o, void *args, const char *text, char *message, size_t size) {
    size_t n = 0;
    char list[256] = "";
    for (; o->choices[n]; n++) {
        if (strcmp(o->choices[n], text) == 0) {
            *hd_as_ints(o, args) = (int64_t)n;
            return HD_OK;
        }
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "one of ", o->choices[n]);
    }
    return hd_set_wrong(o, text, list, message, size);
}

hd_status hd_option_set(const hd_option *o, void *args, const char *text, hd_arena *arena, char *message, size_t size) {
    char *field = (char *)args + o->offset;
    switch (o->type) {
    case HD_OPT_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return hd_set_wrong(o, text, "true or false", message, size);
        *(bool *)field = strcmp(text, "true") == 0;
        return HD_OK;
    case HD_OPT_INT:
        if (!hd_text_to_i64(text, strlen(text), hd_as_ints(o, args)))
            return hd_set_wrong(o, text, "a whole number", message, size);
        return HD_OK;
    case HD_OPT_INTS: {
        int64_t v[16];
        for (int k = 0; o->choices && o->choices[k]; k++) { /* word k stands for −k in every number */
            if (strcmp(o->choices[k], text) != 0) continue;
            for (int i = 0; i < o->count; i++) hd_as_ints(o, args)[i] = -k;
            return HD_OK;
        }
        const int n = hd_read_ints(text, v, o->count < 16 ? o->count : 16, false);
        if (n != o->count && n != 1) return hd_set_wrong(o, text, "a whole number or a list like [1,1]", message, size);
        for (int i = 0; i < o->count; i++) hd_as_ints(o, args)[i] = v[n == 1 ? 0 : i];
        return HD_OK;
    }
    case HD_OPT_FLOAT: {
        double v;
        if (!hd_text_to_f64(text, strlen(text), &v) || isnan(v))
            return hd_set_wrong(o, text, "a number", message, size);
        *hd_as_float(o, args) = v == 0 ? HD_ZERO : v;
        return HD_OK;
    }
    case HD_OPT_AXIS: {
        int64_t v;
        if (!hd_text_to_i64(text, strlen(text), &v)) return hd_set_wrong(o, text, "an axis number", message, size);
        *hd_as_ints(o, args) = HD_AXIS(v);
        return HD_OK;
    }
    case HD_OPT_DIMS: {
        hd_dims d = {0};
        d.rank = hd_read_ints(text, d.dim, HD_MAX_DIMS, true);
        if (d.rank < 0) return hd_set_wrong(o, text, "a list of sizes like [3,4]", message, size);
        memcpy(field, &d, sizeof d);
        return HD_OK;
    }
    case HD_OPT_DTYPE:
        for (int t = 0; t < HD_DTYPE_COUNT; t++) {
            if (strcmp(text, hd_dtype_name((hd_dtype)t)) != 0) continue;
            *hd_as_ints(o, args) = HD_DTYPE(t);
            return HD_OK;
        }
        return hd_set_wrong(o, text, "a dtype like f32", message, size);
    case HD_OPT_ENUM: return hd_set_choice(o, args, text, message, size);
    case HD_OPT_STRING: {
        const size_t n = strlen(text);
        const bool quoted = n >= 2 && text[0] == '"' && text[n - 1] == '"';
        const char *kept = hd_arena_strndup(arena, quoted ? text + 1 : text, quoted ? n - 2 : n);
        if (!kept) return HD_E_MEMORY;
        memcpy(field, &kept, sizeof kept);
        return HD_OK;
    }
    }
    return HD_E_MODEL;
}
