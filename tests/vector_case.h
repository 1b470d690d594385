/* vector_case.h: a case of the reference vectors (opinfo/NAME.json and .safetensors): its arguments as values of a
 * graph, its expected results, and how options of PyTorch are read. See README.md beside the vectors. */
#ifndef HD_TESTS_VECTOR_CASE_H
#define HD_TESTS_VECTOR_CASE_H
#include "support.h"

#include "base/file.h"
#include "base/json.h"
#include "hadal/io.h"
#include "hadal/ops.h"
#include "hadal/program.h"
#include <math.h>

enum { VECTOR_MOST = 8 };

/* A file pair. */
typedef struct vector_file {
    hd_context *ctx;
    hd_arena arena;
    char *text;
    hd_json *root;
    hd_tensors *tensors;
} vector_file;

static inline bool vector_open(vector_file *f, hd_context *ctx, const char *name) {
    char path[512];
    size_t length;
    *f = (vector_file){.ctx = ctx, .arena = {.ctx = ctx}};
    (void)snprintf(path, sizeof path, "vectors/%s.json", name);
    const char *full = test_data(path);
    if (!full) return false;
    if (hd_file_read(ctx, full, 0, &f->text, &length) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (hd_json_parse(&f->root, &f->arena, name, f->text, length) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    (void)snprintf(path, sizeof path, "vectors/%s.safetensors", name);
    full = test_data(path);
    if (!full) fail_msg("%s is missing", path);
    if (hd_tensors_open(&f->tensors, ctx, full) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    return true;
}

static inline void vector_close(vector_file *f) {
    hd_tensors_close(f->tensors);
    hd_free(f->ctx, f->text);
    hd_arena_free(&f->arena);
}

/* A tensor of the file as doubles (the caller frees); i64 when `whole` is given instead. */
static inline double *vector_read(const vector_file *f, const char *name, hd_dims *dims, int64_t **whole) {
    hd_tensor_info t;
    if (!hd_tensors_find(f->tensors, name, &t)) fail_msg("no tensor %s", name);
    const int64_t n = hd_dims_count(&t.dims);
    double *x = calloc((size_t)n + 1, sizeof *x);
    const bool f64 = strcmp(t.dtype, "F64") == 0, i64 = strcmp(t.dtype, "I64") == 0;
    for (int64_t i = 0; i < n; i++) {
        float small;
        int64_t integer;
        if (f64)
            memcpy(&x[i], (const char *)t.data + 8 * i, 8);
        else if (i64)
            memcpy(&integer, (const char *)t.data + 8 * i, 8), x[i] = (double)integer;
        else
            memcpy(&small, (const char *)t.data + 4 * i, 4), x[i] = (double)small;
    }
    if (i64 && whole) {
        *whole = calloc((size_t)n + 1, sizeof **whole);
        if (n) memcpy(*whole, t.data, (size_t)n * 8);
    }
    *dims = t.dims;
    return x;
}

/* One case: tensor arguments in order become inputs "a0", "a1", …. */
typedef struct vector_case {
    const vector_file *file;
    const hd_json *json, *args, *kwargs;
    hd_graph *g;
    hd_dtype dtype; /* of floating inputs */
    int n;
    const char *name[VECTOR_MOST]; /* in the file */
    hd_val val[VECTOR_MOST];
    void *data[VECTOR_MOST];
} vector_case;

static inline const char *vector_tensor(const hd_json *v) {
    const hd_json *t = hd_json_get(v, "tensor");
    return t ? t->string : NULL;
}

static inline void *vector_data(hd_dtype dtype, const double *x, int64_t n) {
    float *small = calloc((size_t)n + 1, sizeof(double));
    if (dtype == HD_F64 && n) memcpy(small, x, (size_t)n * sizeof *x);
    for (int64_t i = 0; dtype == HD_F32 && i < n; i++) small[i] = (float)x[i];
    return small;
}

/* The value of an argument: the input made for it, or none (not a tensor, or too many). state: it persists. */
static inline hd_val vector_value(vector_case *c, const hd_json *arg, bool state) {
    static const char *const names[VECTOR_MOST] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
    const char *tensor = vector_tensor(arg);
    if (!tensor || c->n == VECTOR_MOST) return (hd_val){0};
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->name[i], tensor) == 0) return c->val[i];
    hd_dims dims;
    int64_t *whole = NULL;
    double *x = vector_read(c->file, tensor, &dims, &whole);
    const hd_dtype dtype = whole ? HD_I64 : c->dtype;
    const int i = c->n++;
    c->name[i] = tensor;
    c->data[i] = whole ? (void *)whole : vector_data(dtype, x, hd_dims_count(&dims));
    c->val[i] = state ? hd_state(c->g, names[i], dtype, dims, HD_ZEROS) : hd_input(c->g, names[i], dtype, dims);
    free(x);
    return c->val[i];
}

/* Positional argument i, or the one called `name`; NULL when not given. */
static inline const hd_json *vector_arg(const vector_case *c, size_t i, const char *name) {
    const hd_json *a = c->args ? c->args->child : NULL;
    for (; a && i > 0; i--) a = a->next;
    if (a) return a;
    return name ? hd_json_get(c->kwargs, name) : NULL;
}

static inline hd_val vector_arg_value(vector_case *c, size_t i, const char *name) {
    const hd_json *a = vector_arg(c, i, name);
    return a ? vector_value(c, a, false) : (hd_val){0};
}

/* Number or list of numbers into up to max; one number fills all of `fill`. False: something else. */
static inline bool vector_ints(const hd_json *a, int64_t *out, int max, int fill, int *count) {
    *count = 0;
    if (!a || a->type == HD_JSON_NULL) return true;
    if (a->type == HD_JSON_INT) {
        for (*count = 0; *count < (fill ? fill : 1); (*count)++) out[*count] = a->integer;
        return true;
    }
    if (a->type != HD_JSON_ARRAY) return false;
    for (const hd_json *v = a->child; v; v = v->next) {
        if (v->type != HD_JSON_INT || *count == max) return false;
        out[(*count)++] = v->integer;
    }
    for (; *count == 1 && fill == 2;) out[(*count)++] = out[0];
    return true;
}

static inline bool vector_flag(const vector_case *c, size_t i, const char *name, bool def) {
    const hd_json *a = vector_arg(c, i, name);
    return a && a->type == HD_JSON_BOOL ? a->boolean : def;
}
static inline double vector_number(const vector_case *c, size_t i, const char *name, double def) {
    const hd_json *a = vector_arg(c, i, name);
    return a && (a->type == HD_JSON_INT || a->type == HD_JSON_FLOAT) ? a->number : def;
}
/* Whether an option is absent or says this. */
static inline bool vector_says(const vector_case *c, const char *name, const char *word) {
    const hd_json *a = hd_json_get(c->kwargs, name);
    return !a || (a->type == HD_JSON_STRING && strcmp(a->string, word) == 0);
}
#endif
