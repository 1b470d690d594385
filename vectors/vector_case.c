/* vector_case.c: reads the arguments of a call, remembers which were read, and refuses forms that are not known. */
#include "vector_case.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void vector_unsupported(vector_case *c, const char *format, ...) {
    if (c->why[0]) return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    if (!c->why[0]) (void)snprintf(c->why, sizeof c->why, "not supported");
}

void vector_give(vector_case *c, hd_val result) {
    if (c->n_out == VECTOR_MOST)
        vector_unsupported(c, "more than %d results", VECTOR_MOST);
    else
        c->out[c->n_out++] = result;
}

/* ---- finding an argument ---- */

static const hd_json *positional(vector_case *c, int i) {
    const hd_json *a = c->args && i >= 0 ? c->args->child : NULL;
    for (int k = 0; a && k < i; k++) a = a->next;
    if (a && i < 64) c->read_args |= UINT64_C(1) << i;
    return a;
}

static const hd_json *named(vector_case *c, const char *name) {
    int k = 0;
    for (const hd_json *a = c->kwargs && name ? c->kwargs->child : NULL; a; a = a->next, k++)
        if (strcmp(a->key, name) == 0) {
            if (k < 64) c->read_kwargs |= UINT64_C(1) << k;
            return a;
        }
    return NULL;
}

const hd_json *vector_arg(vector_case *c, int i, const char *name) {
    const hd_json *a = positional(c, i);
    if (!a) a = named(c, name);
    return a && a->type == HD_JSON_NULL ? NULL : a;
}

bool vector_has(vector_case *c, int i, const char *name) {
    return vector_arg(c, i, name) != NULL;
}

int vector_count(const vector_case *c) {
    return c->args ? (int)c->args->count : 0;
}

void vector_ignore(vector_case *c, int i, const char *name) {
    (void)vector_arg(c, i, name);
}

/* How messages call an argument. */
static const char *called(int i, const char *name) {
    static char text[32];
    if (name) return name;
    (void)snprintf(text, sizeof text, "argument %d", i);
    return text;
}

/* ---- numbers ---- */

bool vector_is_number(const hd_json *v, double *out) {
    if (v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT)) {
        *out = v->number;
        return true;
    }
    const hd_json *word = hd_json_get(v, "float");
    if (!word || word->type != HD_JSON_STRING) return false;
    const bool minus = word->string[0] == '-';
    if (strcmp(word->string + minus, "inf") == 0)
        *out = minus ? -INFINITY : INFINITY;
    else if (strcmp(word->string, "nan") == 0)
        *out = NAN;
    else
        return false;
    return true;
}

bool vector_is_int(const hd_json *v) {
    return v && v->type == HD_JSON_INT;
}

double vector_number(vector_case *c, int i, const char *name, double def) {
    const hd_json *a = vector_arg(c, i, name);
    double x = def;
    if (a && !vector_is_number(a, &x)) vector_unsupported(c, "%s is not a number", called(i, name));
    return x;
}

double vector_option(vector_case *c, int i, const char *name, double def) {
    const double x = vector_number(c, i, name, def);
    return x == 0 ? HD_ZERO : x;
}

int64_t vector_int(vector_case *c, int i, const char *name, int64_t def) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a) return def;
    if (a->type != HD_JSON_INT) vector_unsupported(c, "%s is not a whole number", called(i, name));
    return a->integer;
}

bool vector_bool(vector_case *c, int i, const char *name, bool def) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a) return def;
    if (a->type == HD_JSON_INT) return a->integer != 0;
    if (a->type != HD_JSON_BOOL) vector_unsupported(c, "%s is not True or False", called(i, name));
    return a->boolean;
}

const char *vector_string(vector_case *c, int i, const char *name, const char *def) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a) return def;
    if (a->type == HD_JSON_STRING) return a->string;
    vector_unsupported(c, "%s is not a text", called(i, name));
    return def ? def : "";
}

hd_dtype vector_dtype(vector_case *c, int i, const char *name, hd_dtype def) {
    const hd_json *a = vector_arg(c, i, name), *word = hd_json_get(a, "dtype");
    hd_dtype dtype = def;
    if (!a) return def;
    if (!word || word->type != HD_JSON_STRING || !vector_dtype_named(word->string, &dtype))
        vector_unsupported(c, "no dtype %s", word && word->string ? word->string : "of that form");
    return dtype;
}

void vector_only(vector_case *c, int i, const char *name, double value) {
    const hd_json *a = vector_arg(c, i, name);
    double x = value;
    if (!a) return;
    if (a->type == HD_JSON_BOOL)
        x = a->boolean;
    else if (!vector_is_number(a, &x))
        x = NAN;
    if (!(x == value)) vector_unsupported(c, "%s is not %g", called(i, name), value);
}

/* ---- lists of numbers ---- */

static int list_of_ints(vector_case *c, const hd_json *first, int i, const char *name, int64_t *out) {
    int n = 0;
    for (const hd_json *v = first; v; v = v->next, n++) {
        if (v->type != HD_JSON_INT || n == 2 * HD_MAX_DIMS) {
            vector_unsupported(c, "%s is not a list of at most %d numbers", called(i, name), 2 * HD_MAX_DIMS);
            return n;
        }
        out[n] = v->integer;
    }
    return n;
}

int vector_ints(vector_case *c, int i, const char *name, int64_t *out, int fill) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a) return 0;
    int n = 1;
    if (a->type == HD_JSON_ARRAY)
        n = list_of_ints(c, a->child, i, name, out);
    else if (a->type == HD_JSON_INT)
        out[0] = a->integer;
    else
        vector_unsupported(c, "%s is not made of whole numbers", called(i, name));
    if (n != 1) return n;
    for (; n < fill; n++) out[n] = out[0];
    return n;
}

int vector_rest_ints(vector_case *c, int i, const char *name, int64_t *out) {
    const hd_json *a = vector_arg(c, i, name);
    if (!a || a->type == HD_JSON_ARRAY) return vector_ints(c, i, name, out, 0);
    const int n = list_of_ints(c, a, i, name, out);
    for (int k = i; k < i + n; k++) (void)positional(c, k);
    return n;
}

hd_dims vector_dims(vector_case *c, int i, const char *name) {
    int64_t list[2 * HD_MAX_DIMS] = {0};
    hd_dims dims = {.rank = vector_rest_ints(c, i, name, list)};
    if (dims.rank > HD_MAX_DIMS) {
        vector_unsupported(c, "more than %d dimensions", HD_MAX_DIMS);
        dims.rank = HD_MAX_DIMS;
    }
    for (int k = 0; k < dims.rank; k++) dims.dim[k] = list[k];
    return dims;
}

/* ---- axes ---- */

static int axis_of(vector_case *c, int64_t axis, int rank) {
    const int most = rank ? rank : 1;
    if (axis < 0) axis += most;
    if (axis >= 0 && axis < most) return (int)axis;
    vector_unsupported(c, "an axis is out of range");
    return 0;
}

int vector_axis(vector_case *c, int i, const char *name, int rank, int64_t def) {
    return axis_of(c, vector_int(c, i, name, def), rank);
}

hd_dims vector_axes(vector_case *c, int i, const char *name, int rank) {
    int64_t list[2 * HD_MAX_DIMS] = {0};
    hd_dims axes = {0};
    const int n = vector_ints(c, i, name, list, 0);
    for (int k = 0; k < n; k++) {
        const int axis = axis_of(c, list[k], rank);
        if (rank && axes.rank < HD_MAX_DIMS) axes.dim[axes.rank++] = axis;
    }
    return axes;
}
