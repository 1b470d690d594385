/* calls_shape.c: matrix products, shapes, views, padding, joining and splitting. */
#include "calls.h"

static void call_matmul(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    const hd_dims da = hd_val_dims(a), db = hd_val_dims(b);
    if (da.rank < 2 || db.rank < 2 || (db.rank != 2 && db.rank != da.rank)) vector_unsupported(c, "those ranks");
    vector_give(c, hd_matmul(a, b));
}

static void call_linear(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), w = vector_tensor(c, 1, "weight");
    vector_give(c, hd_linear(x, w, vector_tensor_if(c, 2, "bias")));
}

/* Only the positional form and a list: x.reshape(2, 3), x.reshape([2, 3]). −1 is worked out by hand. */
static void call_reshape(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims have = hd_val_dims(x);
    hd_dims to = vector_dims(c, 1, "shape");
    int64_t known = 1, free_axis = -1;
    for (int i = 0; i < to.rank; i++) {
        if (to.dim[i] < 0)
            free_axis = i;
        else
            known *= to.dim[i];
    }
    if (free_axis >= 0 && known > 0) to.dim[free_axis] = hd_dims_count(&have) / known;
    if (known == 0) vector_unsupported(c, "an empty tensor");
    vector_give(c, hd_reshape(x, .dims = to));
}

static void call_flatten(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank, start = vector_axis(c, 1, "start_dim", rank, 0),
              end = vector_axis(c, 2, "end_dim", rank, -1);
    vector_give(c, rank ? hd_flatten(x, .start_axis = HD_AXIS(start), .end_axis = HD_AXIS(end)) : vector_unscalar(x));
}

static void call_permute(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank;
    hd_dims axes = vector_dims(c, 1, "dims");
    for (int i = 0; i < axes.rank; i++) axes.dim[i] += axes.dim[i] < 0 ? rank : 0;
    if (axes.rank == 0) vector_unsupported(c, "a scalar");
    vector_give(c, hd_transpose(x, .axes = axes));
}

static void call_transpose(vector_case *c) {
    hd_transpose_args a = {.x = vector_tensor(c, 0, "input")};
    const int rank = a.axes.rank = hd_val_dims(a.x).rank, i = vector_axis(c, 1, "dim0", rank, 0),
              j = vector_axis(c, 2, "dim1", rank, 0);
    if (rank == 0) vector_unsupported(c, "a scalar");
    for (int k = 0; k < rank; k++) a.axes.dim[k] = k == i ? j : k == j ? i : k;
    vector_give(c, hd_transpose_at(HD_HERE, &a));
}

static void call_cat(vector_case *c) {
    hd_val x[VECTOR_MOST];
    const int n = vector_tensors(c, 0, "tensors", x), rank = n ? hd_val_dims(x[0]).rank : 0;
    vector_give(c, hd_concat(x, n, .axis = HD_AXIS(vector_axis(c, 1, "dim", rank, 0))));
}

static void call_narrow(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, 0);
    const int64_t start = vector_int(c, 2, "start", 0), n = vector_int(c, 3, "length", 0);
    if (n == 0) vector_unsupported(c, "an empty result");
    vector_give(c, hd_slice(x, .axis = HD_AXIS(axis), .start = start, .stop = start + n));
}

/* PyTorch names the rims from the last axis on. `at`: position of the value. */
static void pad(vector_case *c, int at) {
    hd_pad_args a = {.x = vector_tensor(c, 0, "input"), .value = vector_number(c, at, "value", 0)};
    int64_t rim[2 * HD_MAX_DIMS];
    const int n = vector_ints(c, 1, "pad", rim, 0), rank = a.before.rank = a.after.rank = hd_val_dims(a.x).rank;
    for (int i = 0; i < n; i++) {
        if (rim[i] < 0 || n > 2 * rank) {
            vector_unsupported(c, "a negative rim");
            break;
        }
        (i & 1 ? &a.after : &a.before)->dim[rank - 1 - i / 2] = rim[i];
    }
    vector_give(c, hd_pad_at(HD_HERE, &a));
}
static void call_pad(vector_case *c) {
    vector_ignore(c, 2, "mode");
    pad(c, 3);
}
static void call_constant_pad(vector_case *c) {
    pad(c, 2);
}

const vector_entry vector_calls_shape[] = {
    {"matmul", call_matmul},
    {"mm", call_matmul},
    {"bmm", call_matmul},
    {"nn.functional.linear", call_linear},
    {"reshape", call_reshape},
    {"view", call_reshape},
    {"flatten", call_flatten},
    {"permute", call_permute},
    {"transpose", call_transpose},
    {"cat", call_cat},
    {"narrow", call_narrow},
    {"nn.functional.pad.constant", call_pad},
    {"constant_pad_nd", call_constant_pad},
    {0},
};
