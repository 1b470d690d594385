/* calls_make.c: tensors out of numbers alone: ranges, constants, index patterns. */
#include "call_kit.h"
#include <math.h>

/* A one-dimensional constant of n numbers f(i). */
typedef double (*maker)(const double *p, int64_t i);

static void make(vector_case *c, int64_t n, maker f, const double *p, hd_dtype dtype) {
    if (n < 0 || n > 1 << 24) vector_unsupported(c, "a range of %lld elements", (long long)n);
    if (c->why[0]) return;
    double *x = hd_arena_alloc_n(c->arena, (size_t)n + 1, sizeof *x);
    for (int64_t i = 0; i < n && x; i++) x[i] = f(p, i);
    vector_give(c, x ? vector_const(c, dtype, HD_DIMS(n), x) : (hd_val){0});
}

/* ---- ranges ---- */

static double arange_at(const double *p, int64_t i) {
    return p[0] + (double)i * p[2];
}
/* From both ends, as PyTorch does. p: start, end, n. */
static double linspace_at(const double *p, int64_t i) {
    const double step = p[2] > 1 ? (p[1] - p[0]) / (p[2] - 1) : 0;
    return (double)i < p[2] / 2 ? p[0] + step * (double)i : p[1] - step * (p[2] - (double)i - 1);
}
static double logspace_at(const double *p, int64_t i) {
    return pow(p[3], linspace_at(p, i));
}

static bool all_ints(const hd_json *const *a, int n) {
    bool ints = true;
    for (int i = 0; i < n; i++) ints &= !a[i] || vector_is_int(a[i]);
    return ints;
}

/* arange(end), arange(start, end), arange(start, end, step). */
static void call_arange(vector_case *c) {
    const bool one = vector_count(c) == 1 && !vector_has(c, -1, "end");
    const hd_json *given[3] = {vector_arg(c, one ? -1 : 0, "start"), vector_arg(c, one ? 0 : 1, "end"),
                               vector_arg(c, 2, "step")};
    const hd_dtype dtype = vector_dtype(c, -1, "dtype", all_ints(given, 3) ? HD_I64 : c->dtype);
    double p[3] = {0, 0, 1};
    for (int i = 0; i < 3; i++)
        if (given[i] && given[i]->type == HD_JSON_BOOL)
            p[i] = given[i]->boolean;
        else if (given[i] && !vector_is_number(given[i], &p[i]))
            vector_unsupported(c, "a range of something else");
    if (p[2] == 0) vector_unsupported(c, "steps of 0");
    make(c, (int64_t)ceil((p[1] - p[0]) / p[2]), arange_at, p, dtype);
}

static void range_of_n(vector_case *c, maker f, bool base) {
    const double n = (double)vector_int(c, 2, "steps", 100);
    const double p[4] = {vector_number(c, 0, "start", 0), vector_number(c, 1, "end", 0), n,
                         base ? vector_number(c, 3, "base", 10) : 0};
    make(c, (int64_t)n, f, p, vector_dtype(c, -1, "dtype", c->dtype));
}
static void call_linspace(vector_case *c) {
    range_of_n(c, linspace_at, false);
}
static void call_logspace(vector_case *c) {
    range_of_n(c, logspace_at, true);
}

/* ---- constants ---- */

static void filled(vector_case *c, double value) {
    const hd_dims dims = vector_dims(c, 0, "size");
    vector_give(c, vector_full(c, vector_dtype(c, -1, "dtype", c->dtype), dims, value));
}
static void call_ones(vector_case *c) {
    filled(c, 1);
}
static void call_zeros(vector_case *c) {
    filled(c, 0);
}

/* A number or a truth value. */
static double plain_number(vector_case *c, int i, const char *name) {
    const hd_json *a = vector_arg(c, i, name);
    return a && a->type == HD_JSON_BOOL ? a->boolean : vector_number(c, i, name, 0);
}

static void call_full(vector_case *c) {
    int64_t list[2 * HD_MAX_DIMS];
    hd_dims dims = {.rank = vector_ints(c, 0, "size", list, 0)};
    const hd_json *value = vector_arg(c, 1, "fill_value");
    const hd_dtype natural = value && value->type == HD_JSON_BOOL ? HD_BOOL : vector_is_int(value) ? HD_I64 : c->dtype;
    if (dims.rank > HD_MAX_DIMS) vector_unsupported(c, "more than %d dimensions", HD_MAX_DIMS);
    if (c->why[0]) return;
    for (int i = 0; i < dims.rank; i++) dims.dim[i] = list[i];
    vector_give(c, vector_full(c, vector_dtype(c, -1, "dtype", natural), dims, plain_number(c, 1, "fill_value")));
}

/* x.new_…: of x's dtype. */
static void new_of(vector_case *c, double value) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims dims = vector_dims(c, 1, "size");
    if (!c->why[0]) vector_give(c, vector_full(c, vector_dtype(c, -1, "dtype", hd_val_dtype(x)), dims, value));
}
static void call_new_ones(vector_case *c) {
    new_of(c, 1);
}
static void call_new_zeros(vector_case *c) {
    new_of(c, 0);
}
static void call_new_full(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    int64_t list[2 * HD_MAX_DIMS];
    hd_dims dims = {.rank = vector_ints(c, 1, "size", list, 0)};
    if (dims.rank > HD_MAX_DIMS) vector_unsupported(c, "more than %d dimensions", HD_MAX_DIMS);
    if (c->why[0]) return;
    for (int i = 0; i < dims.rank; i++) dims.dim[i] = list[i];
    vector_give(c,
                vector_full(c, vector_dtype(c, -1, "dtype", hd_val_dtype(x)), dims, plain_number(c, 2, "fill_value")));
}

/* Of x's shape. */
static void like(vector_case *c, double value) {
    const hd_val x = vector_tensor(c, 0, "input");
    if (c->why[0]) return;
    const hd_dtype dtype = vector_dtype(c, -1, "dtype", hd_val_dtype(x));
    vector_give(c, hd_fill_like(vector_cast(x, dtype), .value = value));
}
static void call_ones_like(vector_case *c) {
    like(c, 1);
}
static void call_zeros_like(vector_case *c) {
    like(c, 0);
}
static void call_fill(vector_case *c) {
    like(c, plain_number(c, 1, "value"));
}
static void call_full_like(vector_case *c) {
    like(c, plain_number(c, 1, "fill_value"));
}

static void call_eye(vector_case *c) {
    const int64_t n = vector_int(c, 0, "n", 0), m = vector_int(c, 1, "m", n);
    const hd_dtype dtype = vector_dtype(c, -1, "dtype", c->dtype);
    if (n < 0 || m < 0 || n > 1 << 12 || m > 1 << 12) vector_unsupported(c, "an identity of that size");
    double *x = c->why[0] ? NULL : hd_arena_alloc_n(c->arena, (size_t)(n * m) + 1, sizeof *x);
    for (int64_t i = 0; x && i < n && i < m; i++) x[i * m + i] = 1;
    if (x) vector_give(c, vector_const(c, dtype, HD_DIMS(n, m), x));
}

const vector_entry vector_calls_make[] = {
    {"arange", call_arange},
    {"linspace", call_linspace},
    {"logspace", call_logspace},
    {"ones", call_ones},
    {"zeros", call_zeros},
    {"full", call_full},
    {"new_ones", call_new_ones},
    {"new_zeros", call_new_zeros},
    {"new_full", call_new_full},
    {"ones_like", call_ones_like},
    {"zeros_like", call_zeros_like},
    {"zero_", call_zeros_like},
    {"full_like", call_full_like},
    {"fill", call_fill},
    {"eye", call_eye},
    {0},
};
