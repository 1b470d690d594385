/* calls_reduce.c: reductions, scans, softmax. */
#include "calls.h"
#include <math.h>
#include <string.h>

/* Whole numbers and truth values add up in i64. */
static hd_val widened(vector_case *c, int dtype_at, hd_val x) {
    const hd_dtype own = hd_val_is_none(x) ? c->dtype : hd_val_dtype(x);
    return vector_cast(x, vector_dtype(c, dtype_at, "dtype", vector_is_float(x) ? own : HD_I64));
}

static hd_reduce_args reduce_args(vector_case *c) {
    hd_reduce_args a = {.x = vector_tensor(c, 0, "input")};
    a.axes = vector_axes(c, 1, "dim", hd_val_dims(a.x).rank);
    a.keepdim = vector_bool(c, 2, "keepdim", false);
    return a;
}
static void reduce(vector_case *c, hd_val (*op)(hd_loc, const hd_reduce_args *)) {
    hd_reduce_args a = reduce_args(c);
    a.x = widened(c, 3, a.x);
    vector_give(c, op(HD_HERE, &a));
}
/* Those that keep the dtype, or say it themselves. */
static void reduce_as_is(vector_case *c, hd_val (*op)(hd_loc, const hd_reduce_args *)) {
    const hd_reduce_args a = reduce_args(c);
    vector_give(c, op(HD_HERE, &a));
}
#define REDUCE(name, how, op)                                                                                          \
    static void call_##name(vector_case *c) {                                                                          \
        how(c, op);                                                                                                    \
    }
REDUCE(sum, reduce, hd_sum_at)
REDUCE(prod, reduce, hd_prod_at)
REDUCE(mean, reduce, hd_mean_at)
REDUCE(amax, reduce_as_is, hd_max_at)
REDUCE(amin, reduce_as_is, hd_min_at)
REDUCE(any, reduce_as_is, hd_any_at)
REDUCE(all, reduce_as_is, hd_all_at)
REDUCE(count_nonzero, reduce_as_is, hd_count_nonzero_at)
REDUCE(logsumexp, reduce_as_is, hd_logsumexp_at)
REDUCE(nansum, reduce, hd_nansum_at)
REDUCE(nanmean, reduce, hd_nanmean_at)

static void call_aminmax(vector_case *c) {
    const hd_reduce_args a = reduce_args(c);
    vector_give(c, hd_min_at(HD_HERE, &a));
    vector_give(c, hd_max_at(HD_HERE, &a));
}

/* x.var(unbiased), x.var(dim, unbiased, keepdim), x.var(dim, correction=, keepdim=). */
static hd_var_args var_args(vector_case *c) {
    hd_var_args a = {.x = vector_tensor(c, 0, "input")};
    const hd_json *first = vector_arg(c, 1, NULL);
    const bool short_form = first && first->type == HD_JSON_BOOL;
    if (!short_form) a.axes = vector_axes(c, 1, "dim", hd_val_dims(a.x).rank);
    const bool unbiased = vector_bool(c, short_form ? 1 : 2, "unbiased", true);
    a.correction = vector_option(c, -1, "correction", unbiased);
    if (a.correction < 0) vector_unsupported(c, "a negative correction");
    a.keepdim = vector_bool(c, 3, "keepdim", false);
    return a;
}
static void var(vector_case *c, hd_val (*op)(hd_loc, const hd_var_args *), bool mean) {
    const hd_var_args a = var_args(c);
    vector_give(c, op(HD_HERE, &a));
    if (mean) vector_give(c, hd_mean(a.x, .axes = a.axes, .keepdim = a.keepdim));
}
static void call_var(vector_case *c) {
    var(c, hd_var_at, false);
}
static void call_std(vector_case *c) {
    var(c, hd_std_at, false);
}
static void call_var_mean(vector_case *c) {
    var(c, hd_var_at, true);
}
static void call_std_mean(vector_case *c) {
    var(c, hd_std_at, true);
}

static double number_of(double p) {
    return p == 0 ? HD_ZERO : p;
}
/* ||x||: `which` is the number, "fro", or missing (2). */
static void norm(vector_case *c, const char *which) {
    hd_norm_args a = {.x = vector_tensor(c, 0, "input")};
    const hd_json *p = vector_arg(c, 1, which);
    double power = 2;
    if (p && p->type != HD_JSON_STRING && !vector_is_number(p, &power)) vector_unsupported(c, "a norm of that form");
    if (p && p->type == HD_JSON_STRING && strcmp(p->string, "fro") != 0)
        vector_unsupported(c, "the norm %s of matrices", p->string);
    a.axes = vector_axes(c, 2, "dim", hd_val_dims(a.x).rank);
    a.keepdim = vector_bool(c, 3, "keepdim", false);
    a.x = widened(c, -1, a.x);
    a.p = number_of(power);
    vector_give(c, hd_norm_at(HD_HERE, &a));
}
static void call_norm(vector_case *c) {
    norm(c, "p");
}
static void call_vector_norm(vector_case *c) {
    norm(c, "ord");
}

/* The norm of matrices over axes m and n: 1 and inf are the largest sum of a column and of a row. */
static hd_val matrix_norm(vector_case *c, hd_val x, const hd_json *ord, int m, int n, bool keepdim) {
    double p = 2;
    const bool named = ord && ord->type == HD_JSON_STRING;
    const hd_dims both = HD_DIMS(m, n);
    if (!ord || (named && strcmp(ord->string, "fro") == 0)) return hd_norm(x, .axes = both, .keepdim = keepdim);
    if (named || !vector_is_number(ord, &p) || fabs(p) == 2) vector_unsupported(c, "a norm by singular values");
    const hd_val sums = hd_norm(x, .axes = HD_DIMS(isinf(p) ? n : m), .keepdim = true, .p = 1);
    hd_reduce_args a = {.x = sums, .axes = both, .keepdim = keepdim};
    return p > 0 ? hd_max_at(HD_HERE, &a) : hd_min_at(HD_HERE, &a);
}
static void call_matrix_norm(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "A");
    const int rank = hd_val_dims(x).rank;
    hd_dims axes = vector_axes(c, 2, "dim", rank);
    if (axes.rank == 0) axes = HD_DIMS(rank - 2, rank - 1);
    if (rank < 2) vector_unsupported(c, "less than two axes");
    if (c->why[0]) return;
    const bool keepdim = vector_bool(c, 3, "keepdim", false);
    x = widened(c, -1, x);
    vector_give(c, matrix_norm(c, x, vector_arg(c, 1, "ord"), (int)axes.dim[0], (int)axes.dim[1], keepdim));
}
/* Without ord the vector norm of all; with ord a vector norm of one axis, a matrix norm of two. */
static void call_linalg_norm(vector_case *c) {
    const hd_val x = widened(c, -1, vector_tensor(c, 0, "A"));
    const int rank = hd_val_dims(x).rank;
    const hd_json *ord = vector_arg(c, 1, "ord");
    hd_dims axes = vector_axes(c, 2, "dim", rank);
    const bool keepdim = vector_bool(c, 3, "keepdim", false);
    double p = 2;
    if (axes.rank == 0 && ord)
        for (int i = 0; i < rank; i++) axes.dim[axes.rank++] = i;
    if (axes.rank == 2 && ord) {
        vector_give(c, matrix_norm(c, x, ord, (int)axes.dim[0], (int)axes.dim[1], keepdim));
        return;
    }
    if (ord && !vector_is_number(ord, &p)) vector_unsupported(c, "a vector norm of that name");
    vector_give(c, hd_norm(x, .axes = axes, .keepdim = keepdim, .p = number_of(p)));
}

/* A scan knows no axis of a scalar. */
static void scan(vector_case *c, hd_val (*op)(hd_loc, const hd_scan_args *)) {
    const hd_val x = widened(c, 2, vector_tensor(c, 0, "input"));
    const int rank = hd_val_dims(x).rank;
    const int64_t axis = HD_AXIS(vector_axis(c, 1, "dim", rank, 0));
    const hd_val y = op(HD_HERE, &(hd_scan_args){.x = vector_unscalar(x), .axis = axis});
    vector_give(c, rank ? y : hd_sum(y));
}
static void call_cumsum(vector_case *c) {
    scan(c, hd_cumsum_at);
}
static void call_cumprod(vector_case *c) {
    scan(c, hd_cumprod_at);
}
static void call_logcumsumexp(vector_case *c) {
    scan(c, hd_logcumsumexp_at);
}

static void softmax(vector_case *c, hd_val (*op)(hd_loc, const hd_softmax_args *)) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims dims = hd_val_dims(x);
    hd_softmax_args a = {.x = vector_cast(x, vector_dtype(c, 2, "dtype", c->dtype))};
    a.x = vector_unscalar(a.x);
    a.axis = HD_AXIS(vector_axis(c, 1, "dim", dims.rank, -1));
    const hd_val y = op(HD_HERE, &a);
    vector_give(c, dims.rank ? y : hd_sum(y));
}
static void call_softmax(vector_case *c) {
    softmax(c, hd_softmax_at);
}
static void call_log_softmax(vector_case *c) {
    softmax(c, hd_log_softmax_at);
}

const vector_entry vector_calls_reduce[] = {
    {"sum", call_sum},
    {"prod", call_prod},
    {"mean", call_mean},
    {"amax", call_amax},
    {"amin", call_amin},
    {"aminmax", call_aminmax},
    {"max.reduction_no_dim", call_amax},
    {"min.reduction_no_dim", call_amin},
    {"any", call_any},
    {"all", call_all},
    {"count_nonzero", call_count_nonzero},
    {"logsumexp", call_logsumexp},
    {"nansum", call_nansum},
    {"nanmean", call_nanmean},
    {"norm", call_norm},
    {"norm.fro", call_norm},
    {"norm.inf", call_norm},
    {"linalg.vector_norm", call_vector_norm},
    {"linalg.norm", call_linalg_norm},
    {"linalg.norm.subgradients_at_zero", call_linalg_norm},
    {"linalg.matrix_norm", call_matrix_norm},
    {"var", call_var},
    {"std", call_std},
    {"var_mean", call_var_mean},
    {"std_mean", call_std_mean},
    {"cumsum", call_cumsum},
    {"cumprod", call_cumprod},
    {"logcumsumexp", call_logcumsumexp},
    {"softmax", call_softmax},
    {"softmax.with_dtype", call_softmax},
    {"log_softmax", call_log_softmax},
    {"log_softmax.dtype", call_log_softmax},
    {0},
};
