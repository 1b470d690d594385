/* calls_views.c: other dimensions, axes in another order, parts of tensors: what PyTorch calls views. */
#include "calls.h"
#include <stdlib.h>
#include <string.h>

/* ---- other dimensions ---- */

/* −1 is worked out by hand: our own 0 means that. */
static hd_val reshaped(vector_case *c, hd_val x, hd_dims to) {
    const hd_dims have = hd_val_dims(x);
    int64_t known = 1, open = -1;
    for (int i = 0; i < to.rank; i++) {
        if (to.dim[i] < 0)
            open = i;
        else
            known *= to.dim[i];
    }
    if (open >= 0 && known > 0) to.dim[open] = hd_dims_count(&have) / known;
    if (open >= 0 && known == 0) vector_unsupported(c, "-1 beside 0");
    return hd_reshape(x, .dims = to);
}

static void call_reshape(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, reshaped(c, x, vector_dims(c, 1, "shape")));
}

static void call_reshape_as(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), other = vector_tensor(c, 1, "other");
    vector_give(c, reshaped(c, x, hd_val_dims(other)));
}

static void call_ravel(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    vector_give(c, hd_reshape(x, .dims = HD_DIMS(hd_dims_count(&d))));
}

static void call_contiguous(vector_case *c) {
    vector_give(c, vector_tensor(c, 0, "input"));
}

static void call_unflatten(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    const int axis = vector_axis(c, 1, "dim", d.rank, 0);
    int64_t list[2 * HD_MAX_DIMS];
    const int n = vector_ints(c, 2, "sizes", list, 0);
    hd_dims y = {.rank = d.rank - 1 + n};
    if (y.rank > HD_MAX_DIMS || n == 0) {
        vector_unsupported(c, "more than 8 axes");
        return;
    }
    for (int i = 0; i < axis; i++) y.dim[i] = d.dim[i];
    for (int i = 0; i < n; i++) y.dim[axis + i] = list[i];
    for (int i = axis + 1; i < d.rank; i++) y.dim[i - 1 + n] = d.dim[i];
    vector_give(c, reshaped(c, x, y));
}

static void call_flatten(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank, start = vector_axis(c, 1, "start_dim", rank, 0),
              end = vector_axis(c, 2, "end_dim", rank, -1);
    vector_give(c, rank ? hd_flatten(x, .start_axis = HD_AXIS(start), .end_axis = HD_AXIS(end)) : vector_unscalar(x));
}

static void call_squeeze(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims axes = vector_axes(c, 1, "dim", hd_val_dims(x).rank);
    vector_give(c, hd_squeeze(x, .axes = axes));
}

static void call_unsqueeze(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_unsqueeze(x, .axis = HD_AXIS(vector_axis(c, 1, "dim", hd_val_dims(x).rank + 1, 0))));
}

/* Axes of size 1 until there are n: numpy's atleast_1d, 2d, 3d. */
static hd_val at_least(hd_val x, int n) {
    if (n >= 1 && hd_val_dims(x).rank == 0) x = hd_unsqueeze(x);
    if (n >= 2 && hd_val_dims(x).rank == 1) x = hd_unsqueeze(x);
    if (n >= 3 && hd_val_dims(x).rank == 2) x = hd_unsqueeze(x, .axis = -1);
    return x;
}

/* One tensor, several, or a list of them. */
static void at_least_all(vector_case *c, int n) {
    hd_val x[VECTOR_MOST];
    const hd_json *first = vector_arg(c, 0, NULL);
    int count = 0;
    if (first && !vector_is_tensor(first))
        count = vector_tensors(c, 0, "tensors", x);
    else
        for (int i = 0; i < vector_count(c) && i < VECTOR_MOST; i++) x[count++] = vector_tensor(c, i, NULL);
    for (int i = 0; i < count; i++) vector_give(c, at_least(x[i], n));
}
static void call_atleast_1d(vector_case *c) {
    at_least_all(c, 1);
}
static void call_atleast_2d(vector_case *c) {
    at_least_all(c, 2);
}
static void call_atleast_3d(vector_case *c) {
    at_least_all(c, 3);
}

/* ---- axes in another order ---- */

static void call_permute(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims axes = vector_dims(c, 1, "dims");
    vector_give(c, axes.rank ? hd_transpose(x, .axes = axes) : x);
}

static hd_val swapped(hd_val x, int i, int j) {
    hd_dims axes = {.rank = hd_val_dims(x).rank};
    for (int k = 0; k < axes.rank; k++) axes.dim[k] = k == i ? j : k == j ? i : k;
    return axes.rank ? hd_transpose(x, .axes = axes) : x;
}

static void call_transpose(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank, i = vector_axis(c, 1, "dim0", rank, 0),
              j = vector_axis(c, 2, "dim1", rank, 0);
    vector_give(c, swapped(x, i, j));
}

static void call_t(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_val_dims(x).rank < 2 ? x : swapped(x, 0, 1));
}

static void call_last_two(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank;
    vector_give(c, rank < 2 ? x : swapped(x, rank - 2, rank - 1));
}

static void call_reversed_axes(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    hd_dims axes = {.rank = hd_val_dims(x).rank};
    for (int i = 0; i < axes.rank; i++) axes.dim[i] = axes.rank - 1 - i;
    vector_give(c, axes.rank ? hd_transpose(x, .axes = axes) : x);
}

static void call_movedim(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank;
    const hd_dims from = vector_axes(c, 1, "source", rank), to = vector_axes(c, 2, "destination", rank);
    vector_give(c, hd_movedim(x, .source = from, .destination = to));
}

/* ---- parts ---- */

static void call_narrow(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    const int axis = vector_axis(c, 1, "dim", d.rank, 0);
    const int64_t start = vector_int(c, 2, "start", 0), n = vector_int(c, 3, "length", 0);
    const int64_t first = n == 0 ? d.dim[axis] : start < 0 ? start + d.dim[axis] : start;
    vector_give(c, hd_slice(x, .axis = HD_AXIS(axis), .start = first, .stop = first + n));
}

static void call_select(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, 0);
    vector_give(c, hd_select(x, .axis = HD_AXIS(axis), .index = vector_int(c, 2, "index", 0)));
}

/* start : stop : step as Python has it. */
static hd_slice_args slice_args(hd_val x, int axis, int64_t start, int64_t stop, int64_t step) {
    const int64_t n = hd_val_dims(x).dim[axis];
    if (start < 0) start = start + n > 0 ? start + n : 0;
    if (stop < 0) stop = stop + n > 0 ? stop + n : 0;
    if (stop <= start) start = n, stop = 0; /* nothing: from behind the end to the end */
    return (hd_slice_args){.x = x, .axis = HD_AXIS(axis), .start = start, .stop = stop, .step = step};
}

static hd_slice_args slice_of(vector_case *c, hd_val x, int first) {
    const int axis = vector_axis(c, first, "dim", hd_val_dims(x).rank, 0);
    const int64_t start = vector_int(c, first + 1, "start", 0), stop = vector_int(c, first + 2, "end", INT64_MAX / 4);
    return slice_args(x, axis, start, stop, vector_int(c, first + 3, "step", 1));
}

static void call_slice(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_slice_args a = slice_of(c, x, 1);
    vector_give(c, hd_slice_at(HD_HERE, &a));
}

/* x with another part put in: x − what stood there + the new one, exact for finite numbers. */
static void put_back(vector_case *c, hd_val x, hd_val old, hd_val zeros_and_new) {
    vector_give(c, hd_add(hd_sub(x, old), zeros_and_new));
}

static void scatter_slice(vector_case *c, hd_val x, hd_val src, const hd_slice_args *a) {
    hd_slice_grad_args g = {.like = x, .axis = a->axis, .start = a->start, .stop = a->stop, .step = a->step};
    g.dy = hd_slice_at(HD_HERE, a);
    const hd_val old = hd_slice_grad_at(HD_HERE, &g);
    g.dy = hd_reshape_like(src, g.dy);
    put_back(c, x, old, hd_slice_grad_at(HD_HERE, &g));
}

static void call_slice_scatter(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), src = vector_tensor(c, 1, "src");
    const hd_slice_args a = slice_of(c, x, 2);
    scatter_slice(c, x, src, &a);
}

static void call_select_scatter(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), src = vector_tensor(c, 1, "src");
    const hd_dims d = hd_val_dims(x);
    const int axis = vector_axis(c, 2, "dim", d.rank, 0);
    const int64_t index = vector_int(c, 3, "index", 0), at = index < 0 ? index + d.dim[axis] : index;
    const hd_slice_args a = slice_args(x, axis, at, at + 1, 1);
    scatter_slice(c, x, src, &a);
}

static hd_diagonal_args diagonal_args(vector_case *c, hd_val x, int i, int64_t axis1, int64_t axis2) {
    const int rank = hd_val_dims(x).rank;
    hd_diagonal_args a = {.x = x, .offset = vector_int(c, i, "offset", 0)};
    a.axis1 = HD_AXIS(vector_axis(c, i + 1, "dim1", rank, axis1));
    a.axis2 = HD_AXIS(vector_axis(c, i + 2, "dim2", rank, axis2));
    return a;
}

static void call_diagonal(vector_case *c) {
    const hd_diagonal_args a = diagonal_args(c, vector_tensor(c, 0, "input"), 1, 0, 1);
    vector_give(c, hd_diagonal_at(HD_HERE, &a));
}
static void call_linalg_diagonal(vector_case *c) {
    const hd_diagonal_args a = diagonal_args(c, vector_tensor(c, 0, "A"), -1, -2, -1);
    vector_give(c, hd_diagonal_at(HD_HERE, &a));
}

static void call_diagonal_scatter(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), src = vector_tensor(c, 1, "src");
    const hd_diagonal_args a = diagonal_args(c, x, 2, 0, 1);
    hd_diagonal_grad_args g = {.like = x, .offset = a.offset, .axis1 = a.axis1, .axis2 = a.axis2};
    g.dy = hd_diagonal_at(HD_HERE, &a);
    const hd_val old = hd_diagonal_grad_at(HD_HERE, &g);
    g.dy = src;
    put_back(c, x, old, hd_diagonal_grad_at(HD_HERE, &g));
}

static void call_unfold(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank, axis = vector_axis(c, 1, "dimension", rank, 0);
    const int64_t size = vector_int(c, 2, "size", 1), step = vector_int(c, 3, "step", 1);
    if (size == 0) vector_unsupported(c, "windows without elements");
    if (rank) {
        vector_give(c, hd_unfold(x, .axis = HD_AXIS(axis), .size = size, .step = step));
        return;
    }
    vector_give(c, hd_reshape(x, .dims = HD_DIMS(1))); /* a scalar has one window of one element */
}

/* ---- x[…] ---- */

/* A list of whole numbers as an index along an axis; those of neighbouring axes go together, as NumPy has it. */
static hd_val take_lists(vector_case *c, hd_val x, int axis, const hd_json *const *lists, int n) {
    const hd_dims d = hd_val_dims(x);
    hd_dims joined = {.rank = d.rank - n + 1};
    int64_t flat[256], count = 0;
    for (int i = 0; i < axis; i++) joined.dim[i] = d.dim[i];
    joined.dim[axis] = 1;
    for (int k = 0; k < n; k++) {
        const int64_t size = d.dim[axis + k];
        int64_t i = 0;
        for (const hd_json *v = lists[k]->child; v && i < 256; v = v->next, i++) {
            if (v->type != HD_JSON_INT || (k && i >= count)) {
                vector_unsupported(c, "an index of that form");
                return x;
            }
            flat[i] = (k ? flat[i] * size : 0) + (v->integer < 0 ? v->integer + size : v->integer);
        }
        count = i;
        joined.dim[axis] *= size;
    }
    for (int i = axis + n; i < d.rank; i++) joined.dim[i - n + 1] = d.dim[i];
    const hd_val index = hd_const(c->g, HD_I64, HD_DIMS(count), flat);
    return hd_index_select(hd_reshape(x, .dims = joined), index, .axis = HD_AXIS(axis));
}

static hd_val slice_by(hd_val x, int axis, const hd_json *slice) {
    const hd_json *start = slice->child, *stop = start ? start->next : NULL, *step = stop ? stop->next : NULL;
    const bool none[3] = {!start || start->type == HD_JSON_NULL, !stop || stop->type == HD_JSON_NULL,
                          !step || step->type == HD_JSON_NULL};
    if (none[0] && none[1] && none[2]) return x;
    const hd_slice_args a = slice_args(x, axis, none[0] ? 0 : start->integer, none[1] ? INT64_MAX / 4 : stop->integer,
                                       none[2] ? 1 : step->integer);
    return hd_slice_at(HD_HERE, &a);
}

/* x[[1, 2]] is one list of whole numbers; a list of anything else is a tuple. */
static bool is_list(const hd_json *index) {
    const hd_json *v = index->child;
    while (v && v->type == HD_JSON_INT) v = v->next;
    return index->type == HD_JSON_ARRAY && !v;
}

/* Lists (and numbers beside them) with something between them: NumPy then puts their axis first. */
static bool is_torn(const hd_json *index) {
    int runs = 0;
    bool before = false, lists = false;
    for (const hd_json *v = index->child; v; v = v->next) {
        const bool now = v->type == HD_JSON_ARRAY || v->type == HD_JSON_INT;
        lists = lists || v->type == HD_JSON_ARRAY;
        runs += now && !before;
        before = now;
    }
    return lists && runs > 1;
}

static void call_getitem(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "input");
    const hd_json *index = vector_arg(c, 1, NULL);
    const bool tuple = index && index->type == HD_JSON_ARRAY && !is_list(index);
    int axis = 0;
    if (tuple && is_torn(index)) {
        vector_unsupported(c, "lists with something between them");
        return;
    }
    for (const hd_json *v = tuple ? index->child : index; v; v = tuple ? v->next : NULL) {
        const hd_json *lists[HD_MAX_DIMS];
        int n = 0;
        if (v->type == HD_JSON_NULL) { /* None: a new axis */
            x = hd_unsqueeze(x, .axis = HD_AXIS(axis));
            axis++;
            continue;
        }
        if (axis >= hd_val_dims(x).rank && !hd_json_get(v, "ellipsis")) {
            vector_unsupported(c, "an index of that form");
            return;
        }
        while (v && v->type == HD_JSON_ARRAY && n < HD_MAX_DIMS) {
            lists[n++] = v;
            if (!tuple || !v->next || v->next->type != HD_JSON_ARRAY) break;
            v = v->next;
        }
        if (n && axis + n <= hd_val_dims(x).rank) {
            x = take_lists(c, x, axis++, lists, n);
        } else if (v->type == HD_JSON_INT) {
            x = hd_select(x, .axis = HD_AXIS(axis), .index = v->integer);
        } else if (hd_json_get(v, "slice")) {
            x = slice_by(x, axis++, hd_json_get(v, "slice"));
        } else if (!hd_json_get(v, "ellipsis") || v->next) {
            vector_unsupported(c, "an index of that form");
            return;
        }
    }
    vector_give(c, x);
}

const vector_entry vector_calls_views[] = {
    {"reshape", call_reshape},
    {"view", call_reshape},
    {"view_copy", call_reshape},
    {"reshape_as", call_reshape_as},
    {"view_as", call_reshape_as},
    {"ravel", call_ravel},
    {"contiguous", call_contiguous},
    {"unflatten", call_unflatten},
    {"flatten", call_flatten},
    {"squeeze", call_squeeze},
    {"squeeze.multiple", call_squeeze},
    {"unsqueeze", call_unsqueeze},
    {"atleast_1d", call_atleast_1d},
    {"atleast_2d", call_atleast_2d},
    {"atleast_3d", call_atleast_3d},
    {"permute", call_permute},
    {"transpose", call_transpose},
    {"swapaxes", call_transpose},
    {"swapdims", call_transpose},
    {"t", call_t},
    {"T", call_reversed_axes},
    {"mT", call_last_two},
    {"mH", call_last_two},
    {"H", call_t},
    {"adjoint", call_last_two},
    {"movedim", call_movedim},
    {"moveaxis", call_movedim},
    {"narrow", call_narrow},
    {"narrow_copy", call_narrow},
    {"select", call_select},
    {"slice", call_slice},
    {"slice_scatter", call_slice_scatter},
    {"select_scatter", call_select_scatter},
    {"diagonal", call_diagonal},
    {"diagonal_copy", call_diagonal},
    {"linalg.diagonal", call_linalg_diagonal},
    {"diagonal_scatter", call_diagonal_scatter},
    {"unfold", call_unfold},
    {"unfold_copy", call_unfold},
    {"__getitem__", call_getitem},
    {0},
};
