/* calls_quantile.c: quantiles: places between the elements in order. */
#include "call_kit.h"
#include <string.h>

typedef struct quantile {
    hd_val x, q;
    hd_dims dims; /* of x */
    const char *how;
    int axis;
    bool along, keepdim, many; /* an axis was given; the axis stays as 1; q is a vector */
} quantile;

static quantile arguments(vector_case *c) {
    quantile a = {.x = vector_tensor(c, 0, "input")};
    const hd_json *q = vector_arg(c, 1, "q");
    a.dims = hd_val_dims(a.x);
    a.along = vector_has(c, 2, "dim");
    a.axis = vector_axis(c, 2, "dim", a.dims.rank, -1);
    a.keepdim = vector_bool(c, 3, "keepdim", false);
    a.how = vector_string(c, -1, "interpolation", "linear");
    a.q = vector_operand(c, 1, "q", a.x);
    a.many = vector_is_tensor(q) && hd_val_dims(a.q).rank == 1;
    if (hd_dims_count(&a.dims) == 0 || hd_val_dims(a.q).rank > 1) vector_unsupported(c, "no elements");
    if (!c->why[0] && !vector_is_float(a.x)) vector_unsupported(c, "whole numbers");
    return a;
}

/* The axis that is reduced as the last one; without one everything in a row. */
static hd_val in_rows(const quantile *a) {
    const int rank = a->dims.rank;
    hd_dims order = {.rank = rank};
    if (!a->along || rank == 0) return kit_reshape(a->x, HD_DIMS(hd_dims_count(&a->dims)));
    for (int i = 0, k = 0; i < rank; i++)
        if (i != a->axis) order.dim[k++] = i;
    order.dim[rank - 1] = a->axis;
    return rank > 1 ? hd_transpose(a->x, .axes = order) : a->x;
}

/* Elements number `at` (floats that are whole) along the last axis. */
static hd_val pick(hd_val sorted, hd_val at) {
    return hd_gather(sorted, vector_cast(at, HD_I64), .axis = -1);
}

/* Places of the sorted elements [..., n], between neighbours by `how`. */
static hd_val between(vector_case *c, hd_val sorted, hd_val at, const char *how) {
    const hd_val low = hd_floor(at), high = hd_ceil(at);
    if (strcmp(how, "lower") == 0) return pick(sorted, low);
    if (strcmp(how, "higher") == 0) return pick(sorted, high);
    if (strcmp(how, "linear") != 0 && strcmp(how, "midpoint") != 0) {
        vector_unsupported(c, "interpolation \"%s\"", how);
        return sorted;
    }
    const hd_val part = strcmp(how, "midpoint") == 0 ? hd_fill_like(at, .value = 0.5) : hd_sub(at, low);
    const hd_val a = pick(sorted, low), b = pick(sorted, high);
    return hd_add(a, hd_mul(part, hd_sub(b, a)));
}

/* Places q·(n − 1) in rows [..., n]. NaN is sorted to the end: one among them is the answer, or they do not count. */
static hd_val places(vector_case *c, const quantile *a, hd_val rows, bool skip_nan) {
    const int last = hd_val_dims(rows).rank - 1;
    const hd_dtype t = hd_val_dtype(rows);
    const hd_val nans = kit_sum(vector_cast(hd_isnan(rows), t), last, true);
    const hd_val top = vector_full(c, t, hd_val_dims(nans), (double)kit_size(rows, last) - 1);
    const hd_val zero = hd_fill_like(nans, .value = 0), q = kit_reshape(a->q, HD_DIMS(a->many ? kit_size(a->q, 0) : 1));
    if (skip_nan) return hd_mul(q, hd_maximum(hd_sub(top, nans), zero));
    return hd_where(hd_gt(nans, zero), top, hd_mul(q, top));
}

/* [..., q] with q in front, and the axis that was reduced as 1 where it stays. */
static hd_val arranged(const quantile *a, hd_val y) {
    const int last = hd_val_dims(y).rank - 1;
    hd_dims order = {.rank = last + 1, .dim = {last}};
    for (int i = 1; i <= last; i++) order.dim[i] = i - 1;
    y = last > 0 ? hd_transpose(y, .axes = order) : y;
    if (a->keepdim) y = a->along && a->dims.rank ? kit_insert(y, a->axis + 1, 1) : kit_insert(y, 1, a->dims.rank);
    return a->many ? y : kit_drop(y, 0);
}

static void quantiles(vector_case *c, bool skip_nan) {
    const quantile a = arguments(c);
    if (c->why[0]) return;
    const hd_val rows = in_rows(&a), at = places(c, &a, rows, skip_nan), y = between(c, hd_sort(rows), at, a.how);
    if (!c->why[0]) vector_give(c, arranged(&a, y));
}
static void call_quantile(vector_case *c) {
    quantiles(c, false);
}
static void call_nanquantile(vector_case *c) {
    quantiles(c, true);
}

const vector_entry vector_calls_quantile[] = {
    {"quantile", call_quantile},
    {"nanquantile", call_nanquantile},
    {0},
};
