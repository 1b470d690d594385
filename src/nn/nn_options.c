/* nn_options.c: fills an args struct from a JSON tree by its option schema. Owns the messages about wrong options;
 * knows no layer and no network. */
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "hadal/nn.h"
#include <stdio.h>
#include <string.h>

enum { MAX_NAMES = 64 };

/* What the readers of single values share. */
typedef struct reader {
    hd_context *ctx;
    const char *where, *owner;
    const hd_option *option;
} reader;

static hd_status refuse(const reader *r, const hd_json *value, const char *wanted) {
    static const char *const kinds[] = {"nothing", "yes or no", "a whole number", "a number",
                                        "a text",  "a list",    "an object"};
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s: %s takes %s, this is %s|%s is: %s", r->where, value->line,
                   value->column, r->owner, r->option->name, wanted, kinds[value->type], r->option->name,
                   r->option->help ? r->option->help : "see `hadal help recipe`");
}

static hd_status check_range(const reader *r, const hd_json *value, double number) {
    const hd_option *o = r->option;
    if (!(o->min < o->max) || (number >= o->min && number <= o->max)) return HD_OK;
    char low[32], high[32], got[32];
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s: %s must be %s … %s, this is %s", r->where, value->line,
                   value->column, r->owner, o->name, hd_text_from_f64(low, o->min), hd_text_from_f64(high, o->max),
                   hd_text_from_f64(got, number));
}

static hd_status read_int(const reader *r, const hd_json *value, int64_t *out) {
    if (value->type != HD_JSON_INT) return refuse(r, value, "a whole number");
    HD_TRY(check_range(r, value, (double)value->integer));
    *out = value->integer;
    return HD_OK;
}

static hd_status read_choice(const reader *r, const hd_json *value, const char *const *choices, size_t n,
                             int64_t *out) {
    char digits[32];
    if (value->type == HD_JSON_INT)
        (void)snprintf(digits, sizeof digits, "%lld", (long long)value->integer); /* a word may be a year */
    const char *word = value->type == HD_JSON_INT ? digits : value->string;
    if (value->type != HD_JSON_STRING && value->type != HD_JSON_INT) return refuse(r, value, "a word");
    for (size_t i = 0; i < n; i++) {
        if (strcmp(choices[i], word) != 0) continue;
        *out = (int64_t)i;
        return HD_OK;
    }
    const char *near = hd_text_nearest(word, choices, n);
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s: %s can not be \"%s\"|%s%s%s", r->where, value->line, value->column,
                   r->owner, r->option->name, word, near ? "Did you mean " : "It can be ", near ? near : choices[0],
                   near ? "?" : ", …");
}

static hd_status read_enum(const reader *r, const hd_json *value, int64_t *out) {
    size_t n = 0;
    while (r->option->choices[n]) n++;
    return read_choice(r, value, r->option->choices, n, out);
}

/* One number fills all; a list gives each. */
static hd_status read_ints(const reader *r, const hd_json *value, int64_t *out) {
    const size_t n = (size_t)r->option->count;
    if (value->type == HD_JSON_ARRAY) {
        if (value->count != n)
            return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s: %s takes one number or a list of %zu, this list has %zu",
                           r->where, value->line, value->column, r->owner, r->option->name, n, value->count);
        size_t i = 0;
        for (const hd_json *item = value->child; item; item = item->next) HD_TRY(read_int(r, item, &out[i++]));
        return HD_OK;
    }
    int64_t one = 0;
    if (value->type == HD_JSON_STRING && r->option->choices) { /* word k stands for −k */
        HD_TRY(read_enum(r, value, &one));
        one = -one;
    } else {
        HD_TRY(read_int(r, value, &one));
    }
    for (size_t i = 0; i < n; i++) out[i] = one;
    return HD_OK;
}

static hd_status read_dims(const reader *r, const hd_json *value, hd_dims *out) {
    hd_dims dims = {0};
    if (value->type == HD_JSON_INT) {
        dims.rank = 1;
        HD_TRY(read_int(r, value, &dims.dim[0]));
    } else if (value->type == HD_JSON_ARRAY) {
        if (value->count > HD_MAX_DIMS)
            return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s: %s takes at most %d numbers, this list has %zu", r->where,
                           value->line, value->column, r->owner, r->option->name, HD_MAX_DIMS, value->count);
        for (const hd_json *item = value->child; item; item = item->next)
            HD_TRY(read_int(r, item, &dims.dim[dims.rank++]));
    } else {
        return refuse(r, value, "a whole number or a list of them");
    }
    *out = dims;
    return HD_OK;
}

static hd_status read_dtype(const reader *r, const hd_json *value, int64_t *out) {
    const char *names[HD_DTYPE_COUNT];
    int64_t dtype = 0;
    for (int i = 0; i < HD_DTYPE_COUNT; i++) names[i] = hd_dtype_name((hd_dtype)i);
    HD_TRY(read_choice(r, value, names, HD_DTYPE_COUNT, &dtype));
    *out = HD_DTYPE(dtype);
    return HD_OK;
}

static hd_status read_value(const reader *r, const hd_json *value, void *field) {
    switch (r->option->type) {
    case HD_OPT_BOOL:
        if (value->type != HD_JSON_BOOL) return refuse(r, value, "true or false");
        *(bool *)field = value->boolean;
        return HD_OK;
    case HD_OPT_INT: return read_int(r, value, field);
    case HD_OPT_INTS: return read_ints(r, value, field);
    case HD_OPT_FLOAT:
        if (value->type != HD_JSON_INT && value->type != HD_JSON_FLOAT) return refuse(r, value, "a number");
        HD_TRY(check_range(r, value, value->number));
        *(double *)field = value->number == 0 ? HD_ZERO : value->number; /* zero alone would mean the default */
        return HD_OK;
    case HD_OPT_AXIS: {
        int64_t axis = 0;
        HD_TRY(read_int(r, value, &axis));
        if (axis < -HD_MAX_DIMS || axis >= HD_MAX_DIMS) return refuse(r, value, "an axis, −8 … 7");
        *(int64_t *)field = HD_AXIS(axis);
        return HD_OK;
    }
    case HD_OPT_DIMS: return read_dims(r, value, field);
    case HD_OPT_DTYPE: return read_dtype(r, value, field);
    case HD_OPT_ENUM: return read_enum(r, value, field);
    case HD_OPT_STRING:
        if (value->type != HD_JSON_STRING) return refuse(r, value, "a text");
        *(const char **)field = value->string;
        return HD_OK;
    }
    return HD_OK;
}

static void fill_default(const hd_option *o, void *field) {
    switch (o->type) {
    case HD_OPT_INT:
    case HD_OPT_AXIS:
    case HD_OPT_ENUM:
    case HD_OPT_DTYPE: *(int64_t *)field = (int64_t)o->def; break;
    case HD_OPT_INTS:
        for (int i = 0; i < o->count; i++) ((int64_t *)field)[i] = (int64_t)o->def;
        break;
    case HD_OPT_FLOAT: *(double *)field = o->def; break;
    case HD_OPT_BOOL: *(bool *)field = o->def != 0; break;
    case HD_OPT_DIMS: *(hd_dims *)field = (hd_dims){0}; break;
    case HD_OPT_STRING: *(const char **)field = NULL; break;
    }
}

static hd_status unknown_option(const reader *r, const hd_option *options, const hd_json *member) {
    const char *names[MAX_NAMES] = {NULL};
    size_t n = 0;
    for (const hd_option *o = options; o && o->name && n < MAX_NAMES; o++) names[n++] = o->name;
    const char *near = hd_text_nearest(member->key, names, n);
    return hd_fail(r->ctx, HD_E_MODEL, "%s:%d:%d|%s has no option \"%s\"|%s%s%s", r->where, member->key_line,
                   member->key_column, r->owner, member->key,
                   near ? "Did you mean "
                   : n  ? "It has "
                        : "It takes none",
                   near ? near
                   : n  ? names[0]
                        : "",
                   near    ? "?"
                   : n > 1 ? ", …"
                           : "");
}

hd_status hd_options_read(hd_context *ctx, const hd_option *options, void *args, const hd_json *object,
                          const char *where, const char *owner) {
    reader r = {ctx, where, owner, NULL};
    for (const hd_option *o = options; o && o->name; o++) fill_default(o, (char *)args + o->offset);
    if (!object) return HD_OK;
    if (object->type != HD_JSON_OBJECT)
        return hd_fail(ctx, HD_E_MODEL, "%s:%d:%d|%s takes its options by name|Write {name: value, …}", where,
                       object->line, object->column, owner);
    for (const hd_json *member = object->child; member; member = member->next) {
        if (strcmp(member->key, "name") == 0) continue; /* which thing this is: the caller's business */
        r.option = options;
        while (r.option && r.option->name && strcmp(r.option->name, member->key) != 0) r.option++;
        if (!r.option || !r.option->name) return unknown_option(&r, options, member);
        HD_TRY(read_value(&r, member, (char *)args + r.option->offset));
    }
    return HD_OK;
}
