/* calls_reduce.c: reductions, scans, order, softmax. */
#include "calls.h"

static void reduce(vector_case *c, hd_val (*op)(hd_loc, const hd_reduce_args *)) {
    hd_reduce_args a = {.x = vector_tensor(c, 0, "input")};
    a.axes = vector_axes(c, 1, "dim", hd_val_dims(a.x).rank);
    a.keepdim = vector_bool(c, 2, "keepdim", false);
    a.x = vector_cast(a.x, vector_dtype(c, -1, "dtype", hd_val_is_none(a.x) ? c->dtype : hd_val_dtype(a.x)));
    vector_give(c, op(HD_HERE, &a));
}
static void call_sum(vector_case *c) {
    reduce(c, hd_sum_at);
}
static void call_mean(vector_case *c) {
    reduce(c, hd_mean_at);
}
static void call_amax(vector_case *c) {
    reduce(c, hd_max_at);
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
    {"mean", call_mean},
    {"amax", call_amax},
    {"softmax", call_softmax},
    {"softmax.with_dtype", call_softmax},
    {"log_softmax", call_log_softmax},
    {"log_softmax.dtype", call_log_softmax},
    {0},
};
