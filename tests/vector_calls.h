/* vector_calls.h: calls of PyTorch, by their file of the reference vectors, as graphs of ours. A form that is not
 * supported gives none. */
#ifndef HD_TESTS_VECTOR_CALLS_H
#define HD_TESTS_VECTOR_CALLS_H
#include "vector_case.h"

#define UNARY(name)                                                                                                    \
    static hd_val call_##name(vector_case *c) {                                                                        \
        return hd_##name(vector_arg_value(c, 0, NULL));                                                                \
    }
UNARY(neg)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(abs)
UNARY(sign)
UNARY(sigmoid)
UNARY(relu)

#define BINARY(name)                                                                                                   \
    static hd_val call_##name(vector_case *c) {                                                                        \
        if (hd_json_get(c->kwargs, "alpha")) return (hd_val){0};                                                       \
        const hd_val a = vector_arg_value(c, 0, NULL), b = vector_arg_value(c, 1, NULL);                               \
        return hd_val_is_none(a) || hd_val_is_none(b) ? (hd_val){0} : hd_##name(a, b);                                 \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)

static hd_val reduce(vector_case *c, hd_val (*op)(hd_loc, const hd_reduce_args *)) {
    hd_reduce_args a = {.x = vector_arg_value(c, 0, NULL), .keepdim = vector_flag(c, 2, "keepdim", false)};
    if (!vector_ints(vector_arg(c, 1, "dim"), a.axes.dim, HD_MAX_DIMS, 0, &a.axes.rank)) return (hd_val){0};
    if (hd_val_dims(a.x).rank == 0) a.axes.rank = 0; /* PyTorch lets a scalar have an axis */
    return op(HD_HERE, &a);
}
static hd_val call_sum(vector_case *c) {
    return reduce(c, hd_sum_at);
}
static hd_val call_mean(vector_case *c) {
    return reduce(c, hd_mean_at);
}
static hd_val call_amax(vector_case *c) {
    return reduce(c, hd_max_at);
}

static hd_val call_matmul(vector_case *c) {
    const hd_val a = vector_arg_value(c, 0, NULL), b = vector_arg_value(c, 1, NULL);
    const hd_dims da = hd_val_dims(a), db = hd_val_dims(b);
    if (da.rank < 2 || db.rank < 2 || (db.rank != 2 && db.rank != da.rank)) return (hd_val){0};
    return hd_matmul(a, b);
}

static hd_val call_linear(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL), w = vector_arg_value(c, 1, NULL);
    return hd_linear(x, w, vector_arg_value(c, 2, "bias"));
}

static hd_val call_conv2d(vector_case *c) {
    hd_conv2d_args a = {.groups = (int64_t)vector_number(c, 6, "groups", 1)};
    int n;
    a.x = vector_arg_value(c, 0, NULL);
    a.w = vector_arg_value(c, 1, NULL);
    a.b = vector_arg_value(c, 2, "bias");
    if (!vector_ints(vector_arg(c, 3, "stride"), a.stride, 2, 2, &n)) return (hd_val){0};
    if (!vector_ints(vector_arg(c, 4, "padding"), a.padding, 2, 2, &n)) return (hd_val){0};
    if (!vector_ints(vector_arg(c, 5, "dilation"), a.dilation, 2, 2, &n)) return (hd_val){0};
    return hd_conv2d_at(HD_HERE, &a);
}

static bool pool_args(vector_case *c, hd_pool2d_args *a) {
    int n;
    a->x = vector_arg_value(c, 0, NULL);
    return hd_val_dims(a->x).rank == 4 && vector_ints(vector_arg(c, 1, "kernel_size"), a->kernel_size, 2, 2, &n) &&
           vector_ints(vector_arg(c, 2, "stride"), a->stride, 2, 2, &n) &&
           vector_ints(vector_arg(c, 3, "padding"), a->padding, 2, 2, &n);
}
static hd_val call_max_pool2d(vector_case *c) {
    hd_pool2d_args a = {0};
    int64_t dilation[2] = {1, 1};
    int n;
    if (!pool_args(c, &a) || !vector_ints(vector_arg(c, 4, "dilation"), dilation, 2, 2, &n)) return (hd_val){0};
    if (vector_flag(c, 5, "ceil_mode", false) || dilation[0] != 1 || dilation[1] != 1) return (hd_val){0};
    return hd_max_pool2d_at(HD_HERE, &a);
}
static hd_val call_avg_pool2d(vector_case *c) {
    hd_pool2d_args a = {0};
    if (!pool_args(c, &a) || vector_flag(c, 4, "ceil_mode", false)) return (hd_val){0};
    if (!vector_flag(c, 5, "count_include_pad", true) || vector_number(c, 6, "divisor_override", 0) != 0)
        return (hd_val){0};
    return hd_avg_pool2d_at(HD_HERE, &a);
}

static hd_val call_batch_norm(vector_case *c) {
    hd_batch_norm_args a = {.x = vector_arg_value(c, 0, NULL)};
    a.eps = vector_number(c, 7, "eps", 0);
    a.momentum = vector_number(c, 6, "momentum", 0);
    for (size_t i = 1; i < 5; i++)
        if (!vector_arg(c, i, NULL) || !vector_tensor(vector_arg(c, i, NULL))) return (hd_val){0};
    a.running_mean = vector_value(c, vector_arg(c, 1, NULL), true);
    a.running_var = vector_value(c, vector_arg(c, 2, NULL), true);
    a.w = vector_arg_value(c, 3, NULL);
    a.b = vector_arg_value(c, 4, NULL);
    if (a.momentum < 0) return (hd_val){0};
    if (vector_flag(c, 5, "training", false)) return hd_batch_norm_at(HD_HERE, &a);
    return hd_batch_norm_infer_at(HD_HERE, &a);
}

static hd_val softmax_of(vector_case *c, hd_val (*op)(hd_loc, const hd_softmax_args *)) {
    hd_softmax_args a = {.x = vector_arg_value(c, 0, NULL)};
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", -1);
    if (hd_val_dims(a.x).rank == 0 || hd_json_get(c->kwargs, "dtype")) return (hd_val){0};
    a.axis = HD_AXIS(axis);
    return op(HD_HERE, &a);
}
static hd_val call_softmax(vector_case *c) {
    return softmax_of(c, hd_softmax_at);
}
static hd_val call_log_softmax(vector_case *c) {
    return softmax_of(c, hd_log_softmax_at);
}

static hd_val call_reshape(vector_case *c) {
    hd_reshape_args a = {.x = vector_arg_value(c, 0, NULL)};
    if (!vector_ints(vector_arg(c, 1, "shape"), a.dims.dim, HD_MAX_DIMS, 0, &a.dims.rank)) return (hd_val){0};
    return hd_reshape_at(HD_HERE, &a);
}
static hd_val call_flatten(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL);
    if (hd_val_dims(x).rank == 0) return (hd_val){0};
    const int64_t start = (int64_t)vector_number(c, 1, "start_dim", 0),
                  end = (int64_t)vector_number(c, 2, "end_dim", -1);
    return hd_flatten(x, .start_axis = HD_AXIS(start), .end_axis = HD_AXIS(end));
}
static hd_val call_permute(vector_case *c) {
    hd_transpose_args a = {.x = vector_arg_value(c, 0, NULL)};
    if (!vector_ints(vector_arg(c, 1, "dims"), a.axes.dim, HD_MAX_DIMS, 0, &a.axes.rank)) return (hd_val){0};
    return a.axes.rank ? hd_transpose_at(HD_HERE, &a) : (hd_val){0};
}
static hd_val call_transpose(vector_case *c) {
    hd_transpose_args a = {.x = vector_arg_value(c, 0, NULL)};
    const int rank = a.axes.rank = hd_val_dims(a.x).rank;
    const int i = hd_axis_resolve(HD_AXIS((int64_t)vector_number(c, 1, "dim0", 0)), rank);
    const int j = hd_axis_resolve(HD_AXIS((int64_t)vector_number(c, 2, "dim1", 0)), rank);
    if (i < 0 || j < 0) return (hd_val){0};
    for (int k = 0; k < rank; k++) a.axes.dim[k] = k == i ? j : k == j ? i : k;
    return hd_transpose_at(HD_HERE, &a);
}
static hd_val call_cat(vector_case *c) {
    hd_val x[VECTOR_MOST];
    int64_t n = 0;
    for (const hd_json *v = c->args->child->child; v && n < VECTOR_MOST; v = v->next)
        x[n++] = vector_value(c, v, false);
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", 0);
    return hd_concat(x, n, .axis = HD_AXIS(axis));
}
static hd_val call_narrow(vector_case *c) {
    const hd_json *start = vector_arg(c, 2, "start");
    const int64_t axis = (int64_t)vector_number(c, 1, "dim", 0), n = (int64_t)vector_number(c, 3, "length", 0);
    if (!start || start->type != HD_JSON_INT || n == 0) return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_slice(x, .axis = HD_AXIS(axis), .start = start->integer, .stop = start->integer + n);
}
/* PyTorch names the rims from the last axis on. `at`: position of the value. */
static hd_val pad_of(vector_case *c, size_t at) {
    hd_pad_args a = {.x = vector_arg_value(c, 0, NULL), .value = vector_number(c, at, "value", 0)};
    int64_t rim[2 * HD_MAX_DIMS];
    int n;
    const int rank = a.before.rank = a.after.rank = hd_val_dims(a.x).rank;
    if (!vector_ints(vector_arg(c, 1, "pad"), rim, 2 * HD_MAX_DIMS, 0, &n) || n > 2 * rank) return (hd_val){0};
    for (int i = 0; i < n; i++) {
        if (rim[i] < 0) return (hd_val){0};
        (i & 1 ? &a.after : &a.before)->dim[rank - 1 - i / 2] = rim[i];
    }
    return hd_pad_at(HD_HERE, &a);
}
static hd_val call_pad(vector_case *c) {
    return pad_of(c, 3);
}
static hd_val call_constant_pad(vector_case *c) {
    return pad_of(c, 2);
}

static hd_val call_cross_entropy(vector_case *c) {
    const hd_val x = vector_arg_value(c, 0, NULL), t = vector_arg_value(c, 1, NULL);
    if (!vector_says(c, "reduction", "mean") || hd_json_get(c->kwargs, "weight")) return (hd_val){0};
    return hd_val_dims(x).rank == 2 && hd_val_dtype(t) == HD_I64 ? hd_cross_entropy(x, t) : (hd_val){0};
}
static hd_val call_bce(vector_case *c) {
    if (!vector_says(c, "reduction", "mean") || hd_json_get(c->kwargs, "weight") ||
        hd_json_get(c->kwargs, "pos_weight"))
        return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_bce_with_logits(x, vector_arg_value(c, 1, NULL));
}
static hd_val call_mse(vector_case *c) {
    if (!vector_says(c, "reduction", "mean")) return (hd_val){0};
    const hd_val x = vector_arg_value(c, 0, NULL);
    return hd_mse(x, vector_arg_value(c, 1, NULL));
}

static const struct {
    const char *file;
    hd_val (*call)(vector_case *c);
} calls[] = {
    {"neg", call_neg},
    {"exp", call_exp},
    {"log", call_log},
    {"sqrt", call_sqrt},
    {"abs", call_abs},
    {"sign", call_sign},
    {"sigmoid", call_sigmoid},
    {"nn.functional.relu", call_relu},
    {"add", call_add},
    {"sub", call_sub},
    {"mul", call_mul},
    {"true_divide", call_div},
    {"div.no_rounding_mode", call_div},
    {"sum", call_sum},
    {"mean", call_mean},
    {"amax", call_amax},
    {"matmul", call_matmul},
    {"mm", call_matmul},
    {"bmm", call_matmul},
    {"nn.functional.linear", call_linear},
    {"nn.functional.conv2d", call_conv2d},
    {"nn.functional.max_pool2d", call_max_pool2d},
    {"nn.functional.avg_pool2d", call_avg_pool2d},
    {"nn.functional.batch_norm", call_batch_norm},
    {"softmax", call_softmax},
    {"log_softmax", call_log_softmax},
    {"reshape", call_reshape},
    {"view", call_reshape},
    {"flatten", call_flatten},
    {"permute", call_permute},
    {"transpose", call_transpose},
    {"cat", call_cat},
    {"narrow", call_narrow},
    {"nn.functional.pad.constant", call_pad},
    {"constant_pad_nd", call_constant_pad},
    {"nn.functional.cross_entropy", call_cross_entropy},
    {"nn.functional.binary_cross_entropy_with_logits", call_bce},
    {"nn.functional.mse_loss", call_mse},
};
#endif
