/* calls_index.c: gathering, scattering, indexing by tensors, masks. */
#include "calls.h"

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
    const bool scalar = hd_val_dims(p.index).rank == 0;
    give(c, hd_gather(p.x, vector_unscalar(p.index), .axis = p.axis), scalar);
}
static void call_scatter(vector_case *c) {
    const picked p = picked_args(c);
    const hd_val index = vector_unscalar(p.index);
    const hd_json *src = vector_arg(c, 3, "src");
    if (vector_has(c, -1, "reduce")) vector_unsupported(c, "scatter with reduce");
    hd_val y;
    if (vector_is_tensor(src))
        y = hd_scatter(p.x, index, vector_unscalar(vector_tensor(c, 3, "src")), .axis = p.axis);
    else
        y = hd_scatter(p.x, index, .axis = p.axis, .value = vector_number(c, 3, "value", 0));
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
    const double alpha = vector_number(c, 4, "alpha", 1);
    give(c, hd_index_add(p.x, vector_unscalar(p.index), src, .axis = p.axis, .alpha = alpha == 0 ? HD_ZERO : alpha),
         p.rank == 0);
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

/* x as one row, elements by their number in it, in the shape of index. */
static void call_take(vector_case *c) {
    const hd_val x = hd_reshape(vector_tensor(c, 0, "input"), .dims = HD_DIMS(0)), index = vector_tensor(c, 1, "index");
    const hd_val flat = hd_reshape(index, .dims = HD_DIMS(0));
    vector_give(c, hd_reshape_like(hd_index_select(x, flat, .wrap = true), index));
}
/* The same, put. */
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
    {"put", call_put},
    {"nn.functional.embedding", call_embedding},
    {"nn.functional.one_hot", call_one_hot},
    {0},
};
