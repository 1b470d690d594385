/* calls_order.c: what compares elements: places of extremes, sorting, ranks. */
#include "calls.h"
#include <math.h>
#include <string.h>

/* ---- a scalar is a row of one element ---- */

typedef struct along {
    hd_val x;
    int64_t axis; /* as options have it */
    int rank;     /* of the argument */
} along;

static along along_axis(vector_case *c, int at, int64_t def) {
    along a = {.x = vector_tensor(c, 0, "input")};
    a.rank = hd_val_dims(a.x).rank;
    a.x = vector_unscalar(a.x);
    a.axis = HD_AXIS(vector_axis(c, at, "dim", a.rank, def));
    return a;
}
static void give(vector_case *c, const along *a, hd_val y) {
    const bool drop = a->rank == 0 && hd_val_dims(y).rank > 0;
    vector_give(c, drop ? hd_sum(y) : y);
}
/* Values and places. */
static void give_both(vector_case *c, const along *a, hd_val y) {
    give(c, a, y);
    give(c, a, hd_output(y, 1));
}

static void arg(vector_case *c, hd_val (*op)(hd_loc, const hd_arg_args *)) {
    hd_arg_args a = {0};
    along x = {.x = vector_tensor(c, 0, "input")};
    if (vector_has(c, 1, "dim")) {
        x = along_axis(c, 1, 0);
        a.axis = x.axis;
    }
    a.x = x.x;
    a.keepdim = vector_bool(c, 2, "keepdim", false);
    give(c, &x, op(HD_HERE, &a));
}
static void call_argmax(vector_case *c) {
    arg(c, hd_argmax_at);
}
static void call_argmin(vector_case *c) {
    arg(c, hd_argmin_at);
}

/* Without an axis the extreme is a reduction; with one, the element at its first place. */
static void extreme(vector_case *c, hd_val (*op)(hd_loc, const hd_arg_args *)) {
    const along a = along_axis(c, 1, 0);
    const hd_val place = op(HD_HERE, &(hd_arg_args){.x = a.x, .axis = a.axis, .keepdim = true});
    const hd_val value = hd_gather(a.x, place, .axis = a.axis);
    const bool keepdim = vector_bool(c, 2, "keepdim", false) && a.rank > 0;
    const hd_dims axis = HD_DIMS(hd_axis_resolve(a.axis, hd_val_dims(a.x).rank));
    vector_give(c, keepdim ? value : hd_sum(value, .axes = axis));
    vector_give(c, keepdim ? place : hd_sum(place, .axes = axis));
}
static void call_max_dim(vector_case *c) {
    extreme(c, hd_argmax_at);
}
static void call_min_dim(vector_case *c) {
    extreme(c, hd_argmin_at);
}

static void call_sort(vector_case *c) {
    const along a = along_axis(c, 1, -1);
    vector_ignore(c, 3, "stable");
    give_both(c, &a, hd_sort(a.x, .axis = a.axis, .descending = vector_bool(c, 2, "descending", false)));
}
static void call_argsort(vector_case *c) {
    const along a = along_axis(c, 1, -1);
    vector_ignore(c, -1, "stable");
    give(c, &a, hd_argsort(a.x, .axis = a.axis, .descending = vector_bool(c, 2, "descending", false)));
}
static void call_msort(vector_case *c) {
    const along a = {.x = vector_tensor(c, 0, "input"), .axis = HD_AXIS(0), .rank = 1};
    give(c, &a, hd_sort(a.x, .axis = a.axis));
}
/* sorted=False leaves the order open: ours is one of them, but then PyTorch's places are another. */
static void call_topk(vector_case *c) {
    const along a = along_axis(c, 2, -1);
    vector_only(c, 4, "sorted", true);
    give_both(
        c, &a,
        hd_topk(a.x, .k = vector_int(c, 1, "k", 1), .axis = a.axis, .smallest = !vector_bool(c, 3, "largest", true)));
}
static void call_kthvalue(vector_case *c) {
    const along a = along_axis(c, 2, -1);
    const int64_t k = vector_int(c, 1, "k", 1);
    give_both(c, &a, hd_kthvalue(a.x, .k = k, .axis = a.axis, .keepdim = vector_bool(c, 3, "keepdim", false)));
}

/* Without an axis the value alone. */
static void median(vector_case *c, bool ignore_nan) {
    hd_median_args m = {.ignore_nan = ignore_nan, .keepdim = vector_bool(c, 2, "keepdim", false)};
    const bool whole = !vector_has(c, 1, "dim");
    const along a = along_axis(c, 1, 0);
    m.x = a.x;
    if (!whole) m.axis = a.axis;
    const hd_val y = hd_median_at(HD_HERE, &m);
    give(c, &a, y);
    if (!whole) give(c, &a, hd_output(y, 1));
}
static void call_median(vector_case *c) {
    median(c, false);
}
static void call_nanmedian(vector_case *c) {
    median(c, true);
}
static void call_mode(vector_case *c) {
    const along a = along_axis(c, 1, -1);
    give_both(c, &a, hd_mode(a.x, .axis = a.axis, .keepdim = vector_bool(c, 2, "keepdim", false)));
}

/* ---- quantiles: elements between two of the sorted ones ---- */

typedef struct quantiles {
    hd_val x, q; /* x [..., n] with the axis last, q [k] */
    int axis, rank;
    bool listed; /* q has an axis of its own, which comes first in the result */
    bool keepdim, whole;
} quantiles;

/* The axis goes last, in or out. */
static hd_val turned(hd_val x, int axis, bool back) {
    hd_transpose_args t = {.x = x, .axes = {.rank = hd_val_dims(x).rank}};
    int k = 0;
    for (int i = 0; i < t.axes.rank; i++) {
        const int from = i < axis ? i : i + 1;
        if (back)
            t.axes.dim[i] = i < axis ? i : i == axis ? t.axes.rank - 1 : i - 1;
        else
            t.axes.dim[k++] = i == t.axes.rank - 1 ? axis : from;
    }
    return t.axes.rank > 1 ? hd_transpose_at(HD_HERE, &t) : x;
}

static quantiles quantile_args(vector_case *c) {
    quantiles a = {.x = vector_tensor(c, 0, "input"), .whole = !vector_has(c, 2, "dim")};
    a.rank = hd_val_dims(a.x).rank;
    a.axis = a.whole ? 0 : vector_axis(c, 2, "dim", a.rank, 0);
    a.keepdim = vector_bool(c, 3, "keepdim", false) && a.rank > 0;
    if (a.whole && a.keepdim) vector_unsupported(c, "keepdim without an axis");
    const hd_val q = vector_operand(c, 1, "q", a.x);
    a.listed = hd_val_dims(q).rank > 0;
    a.q = vector_unscalar(q);
    a.x = a.whole ? hd_reshape(a.x, .dims = HD_DIMS(0)) : turned(vector_unscalar(a.x), a.axis, false);
    return a;
}

/* [..., k] as PyTorch gives it: k first, or gone; the axis as 1, or gone. */
static hd_val quantile_shape(const quantiles *a, hd_val y) {
    const int last = hd_val_dims(y).rank - 1;
    if (!a->listed) {
        if (!a->keepdim) return hd_sum(y, .axes = HD_DIMS(last));
        return turned(y, a->axis, true);
    }
    hd_transpose_args t = {.x = y, .axes = {.rank = last + 1}};
    t.axes.dim[0] = last;
    for (int i = 0; i < last; i++) t.axes.dim[i + 1] = i;
    y = last > 0 ? hd_transpose_at(HD_HERE, &t) : y;
    return a->keepdim ? hd_unsqueeze(y, .axis = HD_AXIS(a->axis + 1)) : y;
}

static hd_val at_rank(hd_val sorted, hd_val rank) {
    return hd_gather(sorted, hd_cast(rank, .dtype = HD_DTYPE(HD_I64)), .axis = -1);
}

static void quantile(vector_case *c, bool ignore_nan) {
    const quantiles a = quantile_args(c);
    const char *how = vector_string(c, 4, "interpolation", "linear");
    if (c->why[0]) return;
    const int last = hd_val_dims(a.x).rank - 1;
    hd_dims dims = hd_val_dims(a.x), counts = dims;
    counts.dim[last] = 1;
    dims.dim[last] = hd_val_dims(a.q).dim[0];
    const hd_val nan = hd_isnan(a.x);
    hd_val n = vector_full(c, c->dtype, counts, (double)(hd_val_dims(a.x).dim[last] - 1));
    if (ignore_nan) {
        const hd_val numbers = hd_masked_fill(hd_fill_like(a.x, .value = 1), nan);
        n = hd_affine(hd_sum(numbers, .axes = HD_DIMS(last), .keepdim = true), .shift = -1);
        n = hd_maximum(n, hd_fill_like(n));
    }
    const hd_val rank = hd_mul(hd_expand(a.q, .dims = dims), n), sorted = hd_sort(a.x);
    const bool high = strcmp(how, "higher") == 0, low = strcmp(how, "lower") == 0;
    const bool middle = strcmp(how, "midpoint") == 0;
    if (!high && !low && !middle && strcmp(how, "linear") != 0) vector_unsupported(c, "interpolation=%s", how);
    const hd_val below = at_rank(sorted, hd_floor(rank)), above = at_rank(sorted, hd_ceil(rank));
    const hd_val share = middle ? hd_fill_like(rank, .value = 0.5) : hd_sub(rank, hd_floor(rank));
    hd_val y = high ? above : low ? below : hd_add(below, hd_mul(share, hd_sub(above, below)));
    if (!ignore_nan) y = hd_masked_fill(y, hd_any(nan, .axes = HD_DIMS(last), .keepdim = true), .value = (double)NAN);
    vector_give(c, quantile_shape(&a, y));
}
static void call_quantile(vector_case *c) {
    quantile(c, false);
}
static void call_nanquantile(vector_case *c) {
    quantile(c, true);
}

static void cumulative(vector_case *c, hd_val (*op)(hd_loc, const hd_cummax_args *)) {
    const along a = along_axis(c, 1, 0);
    give_both(c, &a, op(HD_HERE, &(hd_cummax_args){.x = a.x, .axis = a.axis}));
}
static void call_cummax(vector_case *c) {
    cumulative(c, hd_cummax_at);
}
static void call_cummin(vector_case *c) {
    cumulative(c, hd_cummin_at);
}

const vector_entry vector_calls_order[] = {
    {"argmax", call_argmax},
    {"argmin", call_argmin},
    {"max.reduction_with_dim", call_max_dim},
    {"min.reduction_with_dim", call_min_dim},
    {"sort", call_sort},
    {"argsort", call_argsort},
    {"msort", call_msort},
    {"topk", call_topk},
    {"kthvalue", call_kthvalue},
    {"median", call_median},
    {"nanmedian", call_nanmedian},
    {"mode", call_mode},
    {"quantile", call_quantile},
    {"nanquantile", call_nanquantile},
    {"cummax", call_cummax},
    {"cummin", call_cummin},
    {0},
};
