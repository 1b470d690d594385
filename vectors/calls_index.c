/* calls_index.c: gathering, scattering, indexing by tensors, masks. */
#include "calls.h"
#include <string.h>

/* x as at least one axis; the result of a scalar is one element again. */
typedef struct picked {
    hd_val x, index;
    int64_t axis;
    int rank; /* of x */
} picked;

static picked picked_args(vector_case *c) {
    picked p = {.x = vector_tensor(c, 0, "input")};
    p.rank = hd_val_dims(p.x).rank;
    p.x = vector_unscalar(p.x);
    p.axis = HD_AXIS(vector_axis(c, 1, "dim", p.rank, 0));
    p.index = vector_cast(vector_tensor(c, 2, "index"), HD_I64); /* an empty one is of any dtype */
    return p;
}
static void give(vector_case *c, hd_val y, bool scalar) {
    vector_give(c, scalar && hd_val_dims(y).rank ? hd_sum(y) : y);
}

static void call_gather(vector_case *c) {
    const picked p = picked_args(c);
    vector_ignore(c, -1, "sparse_grad");
    const hd_dims d = hd_val_dims(p.index);
    const bool scalar = d.rank == 0;
    if (d.rank > 1 && d.rank != p.rank) vector_unsupported(c, "an empty index of another rank");
    give(c, hd_gather(p.x, vector_unscalar(p.index), .axis = p.axis), scalar);
}
/* reduce="add" and "multiply" combine with what is there; a number is put as a tensor of the index's shape is. */
static void call_scatter(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val index = vector_unscalar(p.index);
    const char *how = vector_string(c, -1, "reduce", "");
    const bool add = strcmp(how, "add") == 0, multiply = strcmp(how, "multiply") == 0;
    hd_val src = {0};
    double value = 0;
    if (*how && !add && !multiply) vector_unsupported(c, "scatter with reduce=%s", how);
    if (vector_is_tensor(vector_arg(c, 3, "src")))
        src = vector_unscalar(vector_tensor(c, 3, "src"));
    else
        value = vector_number(c, 3, "value", 0);
    if (c->why[0]) return;
    if (*how && hd_val_is_none(src)) src = vector_full(c, hd_val_dtype(p.x), hd_val_dims(index), value);
    hd_val y;
    if (multiply)
        y = hd_scatter_reduce(p.x, index, src, .axis = p.axis, .reduce = HD_SCATTER_PROD);
    else
        y = add ? hd_scatter_add(p.x, index, src, .axis = p.axis)
                : hd_scatter(p.x, index, src, .axis = p.axis, .value = value);
    give(c, y, p.rank == 0);
}
static void call_scatter_add(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val src = vector_unscalar(vector_tensor(c, 3, "src"));
    give(c, hd_scatter_add(p.x, vector_unscalar(p.index), src, .axis = p.axis), p.rank == 0);
}

static void call_index_select(vector_case *c) {
    const picked p = picked_args(c);
    give(c, hd_index_select(p.x, vector_unscalar(p.index), .axis = p.axis), p.rank == 0);
}
static void call_index_add(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val src = vector_unscalar(vector_tensor(c, 3, "source"));
    const double alpha = vector_option(c, 4, "alpha", 1);
    give(c, hd_index_add(p.x, vector_unscalar(p.index), src, .axis = p.axis, .alpha = alpha), p.rank == 0);
}
static void call_index_copy(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val src = vector_unscalar(vector_tensor(c, 3, "source"));
    give(c, hd_index_copy(p.x, vector_unscalar(p.index), src, .axis = p.axis), p.rank == 0);
}
static void call_index_fill(vector_case *c) {
    const picked p = picked_args(c);
    const double value = vector_number(c, 3, "value", 0);
    give(c, hd_index_fill(p.x, vector_unscalar(p.index), .axis = p.axis, .value = value, .wrap = true), p.rank == 0);
}

static void call_masked_fill(vector_case *c) {
    hd_masked_fill_args a = {.x = vector_tensor(c, 0, "input"), .mask = vector_tensor(c, 1, "mask")};
    if (vector_is_tensor(vector_arg(c, 2, "value")))
        a.fill = vector_cast(vector_tensor(c, 2, "value"), hd_val_is_none(a.x) ? c->dtype : hd_val_dtype(a.x));
    else
        a.value = vector_number(c, 2, "value", 0);
    vector_give(c, hd_masked_fill_at(HD_HERE, &a));
}

static void call_take(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_take(x, vector_cast(vector_tensor(c, 1, "index"), HD_I64)));
}
static void call_take_along_dim(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), index = vector_tensor(c, 1, "indices");
    if (vector_has(c, 2, "dim"))
        vector_give(c, hd_take_along_dim(x, index, .axis = HD_AXIS(vector_axis(c, 2, "dim", hd_val_dims(x).rank, 0))));
    else
        vector_give(c, hd_take(x, hd_reshape(index, .dims = HD_DIMS(0))));
}
/* x as one row, elements put by their number in it. */
static void call_put(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), index = vector_tensor(c, 1, "index");
    const hd_val flat = hd_reshape(x, .dims = HD_DIMS(0)), at = hd_reshape(index, .dims = HD_DIMS(0));
    const hd_val src = hd_reshape(vector_tensor(c, 2, "source"), .dims = HD_DIMS(0));
    const bool add = vector_bool(c, 3, "accumulate", false);
    const hd_val y = add ? hd_index_add(flat, at, src, .wrap = true) : hd_index_copy(flat, at, src, .wrap = true);
    vector_give(c, hd_reshape_like(y, x));
}

static void call_embedding(vector_case *c) {
    const hd_val index = vector_tensor(c, 0, "input");
    hd_embedding_args a = {.weight = vector_tensor(c, 1, "weight"), .index = index};
    if (vector_has(c, 2, "padding_idx")) a.padding_idx = HD_AXIS(vector_int(c, 2, "padding_idx", 0));
    if (vector_has(c, 3, "max_norm")) vector_unsupported(c, "max_norm changes the weights in place");
    vector_ignore(c, 4, "norm_type");
    vector_only(c, 5, "scale_grad_by_freq", false);
    vector_ignore(c, 6, "sparse");
    vector_give(c, hd_embedding_at(HD_HERE, &a));
}
static void call_one_hot(vector_case *c) {
    const int64_t n = vector_int(c, 1, "num_classes", -1);
    if (n < 1) vector_unsupported(c, "the number of classes depends on the data");
    vector_give(c, hd_one_hot(vector_tensor(c, 0, "input"), .num_classes = n));
}

static int64_t how_of(vector_case *c, const char *word) {
    static const char *const names[] = {"sum", "prod", "mean", "amax", "amin"};
    static const char *const short_names[] = {"sum", "prod", "mean", "max", "min"};
    for (int i = 0; i < 5; i++)
        if (strcmp(word, names[i]) == 0 || strcmp(word, short_names[i]) == 0) return i;
    vector_unsupported(c, "the reduction %s", word);
    return 0;
}
static void call_scatter_reduce(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val index = vector_unscalar(p.index), src = vector_unscalar(vector_tensor(c, 3, "src"));
    const int64_t how = how_of(c, vector_string(c, 4, "reduce", "sum"));
    const bool self = vector_bool(c, 5, "include_self", true);
    give(c, hd_scatter_reduce(p.x, index, src, .axis = p.axis, .reduce = how, .exclude_self = !self), p.rank == 0);
}

/* One index for each slice of src. */
static void call_index_reduce(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val src = vector_unscalar(vector_tensor(c, 3, "source"));
    hd_dims row = hd_val_dims(src);
    const int axis = hd_axis_resolve(p.axis, row.rank);
    for (int i = 0; i < row.rank; i++)
        if (i != axis) row.dim[i] = 1;
    const hd_val index = hd_expand(hd_reshape(p.index, .dims = row), .dims = hd_val_dims(src));
    const int64_t how = how_of(c, vector_string(c, 4, "reduce", ""));
    const bool self = vector_bool(c, 5, "include_self", true);
    give(c, hd_scatter_reduce(p.x, index, src, .axis = p.axis, .reduce = how, .exclude_self = !self), p.rank == 0);
}

/* Which segment each place of the axis belongs to: as many as end before it. */
static hd_val segment_of(vector_case *c, hd_val x, int axis) {
    const hd_val lengths = vector_tensor_if(c, -1, "lengths"), offsets = vector_tensor_if(c, -1, "offsets");
    const hd_val ends = hd_val_is_none(offsets) ? hd_cumsum(lengths) : hd_slice(offsets, .axis = -1, .start = 1);
    hd_dims dims = hd_val_dims(x), row = {.rank = axis + 1};
    for (int i = 0; i <= axis; i++) row.dim[i] = i < axis ? 1 : dims.dim[i];
    double *places = hd_arena_alloc_n(c->arena, (size_t)dims.dim[axis] + 1, sizeof *places);
    for (int64_t i = 0; places && i < dims.dim[axis]; i++) places[i] = (double)i;
    if (!places) return (hd_val){0};
    hd_dims lead = dims;
    lead.rank = axis + 1;
    const hd_val values = hd_expand(vector_const(c, HD_I64, row, places), .dims = lead);
    hd_val number = hd_searchsorted(ends, values, .right = true);
    for (int i = lead.rank; i < dims.rank; i++) number = hd_unsqueeze(number, .axis = -1);
    return hd_expand(number, .dims = dims);
}
/* One segment more than asked for takes what comes after the last. */
static void call_segment_reduce(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "data");
    const int64_t how = how_of(c, vector_string(c, 1, "reduce", ""));
    const int axis = vector_axis(c, -1, "axis", hd_val_dims(x).rank, 0);
    vector_ignore(c, -1, "unsafe");
    if (!vector_has(c, -1, "initial")) vector_unsupported(c, "segments without a first value");
    if (c->why[0]) return;
    const hd_val index = segment_of(c, x, axis), offsets = vector_tensor_if(c, -1, "offsets");
    const hd_dims ends = hd_val_dims(hd_val_is_none(offsets) ? vector_tensor(c, -1, "lengths") : offsets);
    const int64_t n = ends.dim[ends.rank - 1] - !hd_val_is_none(offsets);
    hd_dims dims = hd_val_dims(x);
    dims.dim[axis] = n + 1;
    const hd_val first = vector_full(c, hd_val_dtype(x), dims, vector_number(c, -1, "initial", 0));
    hd_val y;
    if (how == HD_SCATTER_MEAN) { /* the first value adds to the sum, but does not count */
        const hd_val ones = hd_fill_like(x, .value = 1), least = hd_fill_like(first, .value = 1);
        const hd_val count = hd_scatter_add(hd_fill_like(first), index, ones, .axis = HD_AXIS(axis));
        y = hd_div(hd_scatter_add(first, index, x, .axis = HD_AXIS(axis)), hd_maximum(count, least));
    } else {
        y = hd_scatter_reduce(first, index, x, .axis = HD_AXIS(axis), .reduce = how);
    }
    vector_give(c, hd_slice(y, .axis = HD_AXIS(axis), .stop = n));
}

/* Elements where the mask is true, from the front of source on. */
static void call_masked_scatter(vector_case *c) {
    hd_val x = vector_tensor(c, 0, "input"), mask = vector_tensor(c, 1, "mask");
    const hd_val source = hd_reshape(vector_tensor(c, 2, "source"), .dims = HD_DIMS(0));
    const hd_dims dx = hd_val_dims(x), dm = hd_val_dims(mask);
    hd_dims both;
    if (!hd_dims_broadcast(&both, &dx, &dm)) vector_unsupported(c, "x and mask do not go together");
    if (c->why[0]) return;
    x = hd_expand(x, .dims = both);
    mask = hd_expand(mask, .dims = both);
    const hd_val flat = hd_reshape(hd_cast(mask, .dtype = HD_DTYPE(HD_I64)), .dims = HD_DIMS(0));
    const hd_val one = vector_scalar(c, HD_I64, 1), place = hd_sub(hd_maximum(hd_cumsum(flat), one), one);
    vector_give(c, hd_where(mask, hd_reshape_like(hd_index_select(source, place), x), x));
}

/* One list of places along axis 0, or a mask over it with one value for all that it lets through. */
static void call_index_put(vector_case *c) {
    hd_val at[VECTOR_MOST];
    const hd_val x = vector_tensor(c, 0, "input");
    const int n = vector_tensors(c, 1, "indices", at);
    const bool add = vector_bool(c, 3, "accumulate", false);
    hd_val values = vector_tensor(c, 2, "values");
    if (n != 1 || hd_val_dims(at[0]).rank != 1) vector_unsupported(c, "places by more than one list");
    if (c->why[0]) return;
    if (hd_val_dtype(at[0]) == HD_BOOL) {
        const bool one_row = hd_val_dims(values).rank < hd_val_dims(x).rank || hd_val_dims(values).dim[0] == 1;
        if (!one_row) vector_unsupported(c, "a mask with values of its own");
        for (int i = hd_val_dims(x).rank; i > 1; i--) at[0] = hd_unsqueeze(at[0], .axis = -1);
        vector_give(c, hd_where(at[0], add ? hd_add(x, values) : values, x));
        return;
    }
    const hd_val index = vector_cast(at[0], HD_I64);
    hd_dims dims = hd_val_dims(x);
    dims.dim[0] = hd_val_dims(index).dim[0];
    values = hd_expand(values, .dims = dims);
    vector_give(c, add ? hd_index_add(x, index, values, .wrap = true) : hd_index_copy(x, index, values, .wrap = true));
}

static void call_embedding_bag(vector_case *c) {
    static const char *const modes[] = {"mean", "sum", "max"};
    hd_embedding_bag_args a = {.index = vector_tensor(c, 0, "input"), .weight = vector_tensor(c, 1, "weight")};
    if (hd_val_dtype(a.weight) == HD_I64) { /* both orders are in use */
        const hd_val index = a.weight;
        a.weight = a.index;
        a.index = index;
    }
    const char *mode = vector_string(c, 6, "mode", "mean");
    while (a.mode < 2 && strcmp(mode, modes[a.mode]) != 0) a.mode++;
    a.offsets = vector_tensor_if(c, 2, "offsets");
    a.per_sample_weights = vector_tensor_if(c, 8, "per_sample_weights");
    a.include_last_offset = vector_bool(c, 9, "include_last_offset", false);
    if (vector_has(c, 3, "max_norm")) vector_unsupported(c, "max_norm changes the weights in place");
    vector_ignore(c, 4, "norm_type");
    vector_only(c, 5, "scale_grad_by_freq", false);
    vector_ignore(c, 7, "sparse");
    if (vector_has(c, 10, "padding_idx")) a.padding_idx = HD_AXIS(vector_int(c, 10, "padding_idx", 0));
    vector_give(c, hd_embedding_bag_at(HD_HERE, &a));
}

static hd_val place_of(vector_case *c, hd_val y) {
    return vector_bool(c, -1, "out_int32", false) ? vector_cast(y, HD_I32) : y;
}
static void call_bucketize(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), boundaries = vector_tensor(c, 1, "boundaries");
    vector_give(c, place_of(c, hd_bucketize(x, boundaries, .right = vector_bool(c, -1, "right", false))));
}
static void call_searchsorted(vector_case *c) {
    hd_searchsorted_args a = {.sorted = vector_tensor(c, 0, "sorted_sequence"), .values = vector_tensor(c, 1, "input")};
    a.right = vector_bool(c, -1, "right", false) || strcmp(vector_string(c, -1, "side", "left"), "right") == 0;
    a.sorter = vector_tensor_if(c, -1, "sorter");
    vector_give(c, place_of(c, hd_searchsorted_at(HD_HERE, &a)));
}

const vector_entry vector_calls_index[] = {
    {"gather", call_gather},
    {"scatter", call_scatter},
    {"scatter_add", call_scatter_add},
    {"index_select", call_index_select},
    {"index_add", call_index_add},
    {"index_copy", call_index_copy},
    {"index_fill", call_index_fill},
    {"masked_fill", call_masked_fill},
    {"take", call_take},
    {"take_along_dim", call_take_along_dim},
    {"put", call_put},
    {"scatter_reduce.sum", call_scatter_reduce},
    {"scatter_reduce.prod", call_scatter_reduce},
    {"scatter_reduce.mean", call_scatter_reduce},
    {"scatter_reduce.amax", call_scatter_reduce},
    {"scatter_reduce.amin", call_scatter_reduce},
    {"index_reduce", call_index_reduce},
    {"segment_reduce.lengths", call_segment_reduce},
    {"segment_reduce.offsets", call_segment_reduce},
    {"masked_scatter", call_masked_scatter},
    {"index_put", call_index_put},
    {"nn.functional.embedding_bag", call_embedding_bag},
    {"bucketize", call_bucketize},
    {"searchsorted", call_searchsorted},
    {"nn.functional.embedding", call_embedding},
    {"nn.functional.one_hot", call_one_hot},
    {0},
};
