/* call_kit.c: small pieces that composite calls are made of. Nothing here knows a call. */
#include "call_kit.h"

int64_t kit_size(hd_val x, int axis) {
    const hd_dims d = hd_val_dims(x);
    return axis >= 0 && axis < d.rank ? d.dim[axis] : 0;
}

hd_val kit_scale(hd_val x, double factor) {
    return factor == 1 ? x : hd_affine(x, .scale = factor == 0 ? HD_ZERO : factor);
}

hd_val kit_shift(hd_val x, double by) {
    return by == 0 ? x : hd_affine(x, .shift = by);
}

/* hd_slice takes a stop of 0 for the end. */
hd_val kit_slice(hd_val x, int axis, int64_t start, int64_t stop) {
    if (stop <= start) start = stop = kit_size(x, axis);
    return hd_slice(x, .axis = HD_AXIS(axis), .start = start, .stop = stop);
}

/* hd_reshape works out a 0, unless x has no elements, which is when a 0 is meant. */
hd_val kit_reshape(hd_val x, hd_dims dims) {
    const hd_dims have = hd_val_dims(x);
    return hd_dims_equal(&have, &dims) ? x : hd_reshape(x, .dims = dims);
}

hd_val kit_insert(hd_val x, int axis, int64_t n) {
    const hd_dims have = hd_val_dims(x);
    hd_dims to = {.rank = have.rank + (int)n};
    if (n <= 0 || to.rank > HD_MAX_DIMS) return x;
    for (int i = 0, k = 0; i < to.rank; i++) to.dim[i] = i >= axis && i < axis + n ? 1 : have.dim[k++];
    return kit_reshape(x, to);
}

hd_val kit_drop(hd_val x, int axis) {
    const hd_dims have = hd_val_dims(x);
    hd_dims to = {0};
    for (int i = 0; i < have.rank; i++)
        if (i != axis) to.dim[to.rank++] = have.dim[i];
    return kit_reshape(x, to);
}

hd_val kit_expand(hd_val x, hd_dims dims) {
    const hd_dims have = hd_val_dims(x);
    if (hd_val_is_none(x) || hd_dims_equal(&have, &dims)) return x;
    return hd_expand(x, .dims = dims);
}

kit_batched kit_batch(hd_val x, int rank) {
    if (hd_val_dims(x).rank != rank - 1) return (kit_batched){x, false};
    return (kit_batched){kit_insert(x, 0, 1), true};
}

void kit_give(vector_case *c, hd_val y, const kit_batched *like) {
    vector_give(c, like->added ? kit_drop(y, 0) : y);
}

hd_dims kit_one(int axis) {
    return (hd_dims){.rank = 1, .dim = {axis}};
}

hd_dims kit_all_ones(int rank) {
    hd_dims d = {.rank = rank};
    for (int i = 0; i < rank; i++) d.dim[i] = 1;
    return d;
}

hd_val kit_sum(hd_val x, int axis, bool keepdim) {
    return hd_sum(x, .axes = kit_one(axis), .keepdim = keepdim);
}

hd_val kit_swap_last(hd_val x) {
    return hd_transpose(x);
}

hd_val kit_vector(hd_val v, int rank, int axis) {
    hd_dims to = kit_all_ones(rank);
    if (axis < rank) to.dim[axis] = kit_size(v, 0);
    return kit_reshape(v, to);
}
