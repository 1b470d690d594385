/* calls_distance.c: lengths and what is made of them: norms of matrices, distances, vectors brought to a length.
 */
#include "call_kit.h"
#include <math.h>
#include <string.h>

static hd_val norm_of(hd_val x, double p, hd_dims axes, bool keepdim) {
    return hd_norm(x, .axes = axes, .keepdim = keepdim, .p = p == 0 ? HD_ZERO : p);
}

/* x, as floats. */
static hd_val floats(vector_case *c, int i, const char *name) {
    const hd_val x = vector_tensor(c, i, name);
    if (!c->why[0] && !vector_is_float(x)) vector_unsupported(c, "whole numbers");
    return x;
}

/* ---- norms of matrices ---- */

/* The largest (smallest) sum of |x| of a row or column: sums along one axis, then the largest along the other. */
static hd_val largest_sum(hd_val x, int sum_axis, int other, bool smallest) {
    const hd_val sums = kit_sum(hd_abs(x), sum_axis, true);
    return smallest ? hd_min(sums, .axes = kit_one(other), .keepdim = true)
                    : hd_max(sums, .axes = kit_one(other), .keepdim = true);
}

static hd_val matrix_norm(vector_case *c, hd_val x, const hd_json *ord, hd_dims axes, bool keepdim) {
    double p = 2;
    const bool word = ord && ord->type == HD_JSON_STRING;
    const int row = (int)axes.dim[0], column = (int)axes.dim[1];
    if (!ord || (word && strcmp(ord->string, "fro") == 0)) return norm_of(x, 2, axes, keepdim);
    if (word || !vector_is_number(ord, &p) || (fabs(p) != 1 && !isinf(p)) || row == column) {
        vector_unsupported(c, "a norm by singular values");
        return x;
    }
    const hd_val y = isinf(p) ? largest_sum(x, column, row, p < 0) : largest_sum(x, row, column, p < 0);
    if (keepdim) return y;
    return kit_drop(kit_drop(y, row > column ? row : column), row > column ? column : row);
}

static hd_val in_dtype(vector_case *c, hd_val x) {
    return c->why[0] ? x : vector_cast(x, vector_dtype(c, -1, "dtype", hd_val_dtype(x)));
}

static hd_dims last_two(int rank) {
    return HD_DIMS(rank - 2, rank - 1);
}

static void call_matrix_norm(vector_case *c) {
    const hd_val x = in_dtype(c, floats(c, 0, "input"));
    const int rank = hd_val_dims(x).rank;
    const bool keepdim = vector_bool(c, 3, "keepdim", false);
    hd_dims axes = vector_axes(c, 2, "dim", rank);
    if (axes.rank == 0 && rank >= 2) axes = last_two(rank);
    if (axes.rank != 2) vector_unsupported(c, "no matrix");
    if (c->why[0]) return;
    const hd_val y = matrix_norm(c, x, vector_arg(c, 1, "ord"), axes, keepdim);
    vector_give(c, y);
}

/* With an order and two axes (or a matrix and none) of matrices, else of vectors; without an order of all elements. */
static void call_linalg_norm(vector_case *c) {
    const hd_val x = in_dtype(c, floats(c, 0, "input"));
    const int rank = hd_val_dims(x).rank;
    const hd_json *ord = vector_arg(c, 1, "ord");
    const bool keepdim = vector_bool(c, 3, "keepdim", false);
    hd_dims axes = vector_axes(c, 2, "dim", rank);
    if (ord && axes.rank == 0 && rank == 2) axes = last_two(rank);
    double p = 2;
    if (c->why[0]) return;
    if (ord && axes.rank == 2)
        vector_give(c, matrix_norm(c, x, ord, axes, keepdim));
    else if ((ord && !vector_is_number(ord, &p)) || (ord && axes.rank == 0 && rank > 2))
        vector_unsupported(c, "a norm of that form");
    else
        vector_give(c, norm_of(x, p, axes, keepdim));
}

/* ---- distances ---- */

static void call_dist(vector_case *c) {
    const hd_val a = floats(c, 0, "input"), b = floats(c, 1, "other");
    vector_give(c, norm_of(hd_sub(a, b), vector_number(c, 2, "p", 2), (hd_dims){0}, false));
}

/* Of every two rows, the first with those behind it first. */
static void call_pdist(vector_case *c) {
    const hd_val x = floats(c, 0, "input");
    const double p = vector_number(c, 1, "p", 2);
    const int64_t n = kit_size(x, 0), pairs = n * (n - 1) / 2;
    if (hd_val_dims(x).rank != 2 || n > 256) vector_unsupported(c, "no table of rows");
    double *pick = c->why[0] ? NULL : hd_arena_alloc_n(c->arena, 2 * (size_t)pairs + 1, sizeof *pick);
    int64_t k = 0;
    if (!pick) return;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++, k++) pick[k] = (double)i, pick[pairs + k] = (double)j;
    const hd_val first = hd_index_select(x, vector_const(c, HD_I64, HD_DIMS(pairs), pick), .axis = HD_AXIS(0)),
                 second = hd_index_select(x, vector_const(c, HD_I64, HD_DIMS(pairs), pick + pairs), .axis = HD_AXIS(0));
    vector_give(c, norm_of(hd_sub(first, second), p, kit_one(1), false));
}

/* ---- to a length ---- */

static void call_normalize(vector_case *c) {
    const hd_val x = floats(c, 0, "input");
    const double p = vector_number(c, 1, "p", 2), eps = vector_number(c, 3, "eps", 1e-12);
    const int rank = hd_val_dims(x).rank;
    const hd_dims axes = vector_has(c, 2, "dim") ? vector_axes(c, 2, "dim", rank) : kit_one(1);
    if (c->why[0]) return;
    vector_give(c, hd_div(x, hd_maximum(norm_of(x, p, axes, true), vector_scalar(c, hd_val_dtype(x), eps))));
}

/* Slices along an axis that are longer than max_norm are brought down to it. */
static void call_renorm(vector_case *c) {
    const hd_val x = floats(c, 0, "input");
    const double p = vector_number(c, 1, "p", 2), most = vector_number(c, 3, "maxnorm", 1);
    const int rank = hd_val_dims(x).rank, axis = vector_axis(c, 2, "dim", rank, 0);
    hd_dims axes = {0};
    for (int i = 0; i < rank; i++)
        if (i != axis) axes.dim[axes.rank++] = i;
    if (axes.rank == 0) vector_unsupported(c, "a vector");
    if (c->why[0]) return;
    const hd_val length = norm_of(x, p, axes, true), top = vector_scalar(c, hd_val_dtype(x), most);
    const hd_val factor = hd_div(top, kit_shift(length, 1e-7));
    vector_give(c, hd_mul(x, hd_where(hd_gt(length, top), factor, hd_fill_like(length, .value = 1))));
}

const vector_entry vector_calls_distance[] = {
    {"linalg.norm", call_linalg_norm},
    {"linalg.norm.subgradients_at_zero", call_linalg_norm},
    {"linalg.matrix_norm", call_matrix_norm},
    {"dist", call_dist},
    {"nn.functional.pdist", call_pdist},
    {"nn.functional.normalize", call_normalize},
    {"renorm", call_renorm},
    {0},
};
