/* calls_norm.c: normalisations: of batches, layers, groups, instances, neighbouring channels; softmin. */
#include "call_kit.h"
#include <string.h>

/* ---- mean and variance ---- */

typedef struct moments {
    hd_val mean, invstd; /* with the axes kept as 1 */
    hd_val y;            /* (x − mean) · invstd */
} moments;

static moments normalised(hd_val x, hd_dims axes, double eps) {
    moments m = {.mean = hd_mean(x, .axes = axes, .keepdim = true)};
    const hd_val centred = hd_sub(x, m.mean);
    const hd_val variance = hd_mean(hd_mul(centred, centred), .axes = axes, .keepdim = true);
    m.invstd = hd_div(hd_fill_like(variance, .value = 1), hd_sqrt(kit_shift(variance, eps)));
    m.y = hd_mul(centred, m.invstd);
    return m;
}

/* y · w + b, each where it is given. */
static hd_val scaled(hd_val y, hd_val w, hd_val b) {
    if (!hd_val_is_none(w)) y = hd_mul(y, w);
    return hd_val_is_none(b) ? y : hd_add(y, b);
}

/* A tensor of channels [c] as it broadcasts over [n, c, …]. */
static hd_val channels(hd_val v, int rank) {
    return hd_val_is_none(v) ? v : kit_vector(v, rank, 1);
}

static hd_dims axes_from(int first, int rank) {
    hd_dims axes = {0};
    for (int i = first; i < rank; i++) axes.dim[axes.rank++] = i;
    return axes;
}
static hd_dims all_but_channels(int rank) {
    hd_dims axes = axes_from(2, rank);
    for (int i = axes.rank++; i > 0; i--) axes.dim[i] = axes.dim[i - 1];
    axes.dim[0] = 0;
    return axes;
}

/* By statistics that are given. */
static hd_val by_statistics(hd_val x, hd_val mean, hd_val var, double eps) {
    const int rank = hd_val_dims(x).rank;
    const hd_val std = hd_sqrt(kit_shift(channels(var, rank), eps));
    return hd_div(hd_sub(x, channels(mean, rank)), std);
}

/* ---- batch normalisation ---- */

typedef struct batch_args {
    hd_val x, mean, var, w, b;
    bool training;
    double momentum, eps;
} batch_args;

/* The op itself, where it applies: it also moves the running statistics. */
static hd_val batch_op(vector_case *c, const batch_args *a) {
    const hd_dims channel = {.rank = 1, .dim = {kit_size(a->x, 1)}};
    const hd_dtype t = hd_val_dtype(a->x);
    hd_batch_norm_args op = {.x = a->x, .w = a->w, .b = a->b, .running_mean = a->mean, .running_var = a->var};
    op.eps = a->eps;
    if (a->training) op.momentum = a->momentum;
    if (hd_val_is_none(op.w)) op.w = vector_full(c, t, channel, 1);
    if (hd_val_is_none(op.b)) op.b = vector_full(c, t, channel, 0);
    return a->training ? hd_batch_norm_at(HD_HERE, &op) : hd_batch_norm_infer_at(HD_HERE, &op);
}

static void call_batch_norm(vector_case *c) {
    batch_args a = {.x = vector_tensor(c, 0, "input"),
                    .mean = vector_state(c, 1, "running_mean"),
                    .var = vector_state(c, 2, "running_var"),
                    .w = vector_tensor_if(c, 3, "weight"),
                    .b = vector_tensor_if(c, 4, "bias"),
                    .training = vector_bool(c, 5, "training", false)};
    a.momentum = vector_number(c, 6, "momentum", 0.1);
    a.eps = vector_number(c, 7, "eps", 1e-5);
    const int rank = hd_val_dims(a.x).rank;
    if (rank == 1 && kit_size(a.x, 0) == 0) { /* no samples, no channels: nothing comes back */
        vector_give(c, kit_scale(a.x, 1));
        return;
    }
    const bool running = !hd_val_is_none(a.mean) && !hd_val_is_none(a.var);
    if (rank < 2) vector_unsupported(c, "an input without channels");
    if (!a.training && !running) vector_unsupported(c, "neither statistics nor training");
    if (c->why[0]) return;
    const hd_dims d = hd_val_dims(a.x);
    const bool some = hd_dims_count(&d) > 0; /* of nothing there are no statistics to move */
    if (running && some && a.eps > 0 && (!a.training || (a.momentum > 0 && a.momentum <= 1)))
        vector_give(c, batch_op(c, &a));
    else
        vector_give(c, scaled(a.training ? normalised(a.x, all_but_channels(rank), a.eps).y
                                         : by_statistics(a.x, a.mean, a.var, a.eps),
                              channels(a.w, rank), channels(a.b, rank)));
}

/* Gives mean and inverse deviation too: of the batch, nothing without training. */
static void call_native_batch_norm(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), w = vector_tensor_if(c, 1, "weight"),
                 b = vector_tensor_if(c, 2, "bias"), mean = vector_tensor_if(c, 3, "running_mean"),
                 var = vector_tensor_if(c, 4, "running_var");
    const bool training = vector_bool(c, 5, "training", false);
    const double eps = vector_number(c, 7, "eps", 1e-5);
    vector_ignore(c, 6, "momentum"); /* what the running statistics become is no result */
    const int rank = hd_val_dims(x).rank;
    if (rank < 2) vector_unsupported(c, "an input without channels");
    if (!training && (hd_val_is_none(mean) || hd_val_is_none(var))) vector_unsupported(c, "no statistics");
    if (training && eps <= 0) vector_unsupported(c, "a negative eps");
    if (c->why[0]) return;
    if (!training) {
        vector_give(c, scaled(by_statistics(x, mean, var, eps), channels(w, rank), channels(b, rank)));
        vector_give(c, vector_full(c, hd_val_dtype(x), HD_DIMS(0), 0));
        vector_give(c, vector_full(c, hd_val_dtype(x), HD_DIMS(0), 0));
        return;
    }
    const hd_dims channel = HD_DIMS(kit_size(x, 1));
    batch_args a = {.x = x, .w = w, .b = b, .training = true, .momentum = 0.1, .eps = eps};
    a.mean = hd_state(c->g, "any_mean", hd_val_dtype(x), channel, HD_ZEROS);
    a.var = hd_state(c->g, "any_var", hd_val_dtype(x), channel, HD_ONES);
    const hd_val y = batch_op(c, &a);
    for (int i = 0; i < 3; i++) vector_give(c, hd_output(y, i));
}

/* ---- layer, group, instance ---- */

static hd_dims normalized_shape(vector_case *c, hd_val x) {
    hd_dims dims = {0};
    int64_t shape[2 * HD_MAX_DIMS];
    const int n = vector_ints(c, 1, "normalized_shape", shape, 0);
    if (n < 1 || n > hd_val_dims(x).rank) {
        vector_unsupported(c, "a shape to normalise that x does not have");
        return dims;
    }
    for (int i = 0; i < n; i++) dims.dim[dims.rank++] = shape[i];
    return dims;
}

static void layer_norm(vector_case *c, bool native) {
    hd_layer_norm_args a = {.x = vector_tensor(c, 0, "input"),
                            .w = vector_tensor_if(c, 2, "weight"),
                            .b = vector_tensor_if(c, 3, "bias"),
                            .eps = vector_option(c, 4, "eps", 1e-5)};
    a.normalized_shape = normalized_shape(c, a.x);
    if (c->why[0]) return;
    const hd_val y = hd_layer_norm_at(HD_HERE, &a);
    for (int i = 0; i < (native ? 3 : 1); i++) vector_give(c, hd_output(y, i));
}
static void call_layer_norm(vector_case *c) {
    layer_norm(c, false);
}
static void call_native_layer_norm(vector_case *c) {
    layer_norm(c, true);
}

static void call_rms_norm(vector_case *c) {
    hd_rms_norm_args a = {.x = vector_tensor(c, 0, "input"), .w = vector_tensor_if(c, 2, "weight")};
    if (vector_has(c, 3, "eps")) a.eps = vector_option(c, 3, "eps", 0); /* without it: by the dtype */
    a.normalized_shape = normalized_shape(c, a.x);
    if (a.eps < 0) vector_unsupported(c, "a negative eps");
    if (c->why[0]) return;
    vector_give(c, hd_rms_norm_at(HD_HERE, &a));
}

static void call_group_norm(vector_case *c) {
    hd_group_norm_args a = {.x = vector_tensor(c, 0, "input"),
                            .num_groups = vector_int(c, 1, "num_groups", 1),
                            .w = vector_tensor_if(c, 2, "weight"),
                            .b = vector_tensor_if(c, 3, "bias"),
                            .eps = vector_option(c, 4, "eps", 1e-5)};
    if (c->why[0]) return;
    vector_give(c, hd_group_norm_at(HD_HERE, &a));
}

static void call_instance_norm(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), mean = vector_tensor_if(c, 1, "running_mean"),
                 var = vector_tensor_if(c, 2, "running_var"), w = vector_tensor_if(c, 3, "weight"),
                 b = vector_tensor_if(c, 4, "bias");
    const bool own = vector_bool(c, 5, "use_input_stats", true);
    const double eps = vector_number(c, 7, "eps", 1e-5);
    vector_ignore(c, 6, "momentum"); /* what the running statistics become is no result */
    const int rank = hd_val_dims(x).rank;
    if (rank < 3 || (!own && (hd_val_is_none(mean) || hd_val_is_none(var)))) vector_unsupported(c, "no statistics");
    if (c->why[0]) return;
    if (own)
        vector_give(c, hd_instance_norm(x, w, b, .eps = eps == 0 ? HD_ZERO : eps));
    else
        vector_give(c, scaled(by_statistics(x, mean, var, eps), channels(w, rank), channels(b, rank)));
}

/* ---- others ---- */

static void call_local_response_norm(vector_case *c) {
    hd_local_response_norm_args a = {.x = vector_tensor(c, 0, "input"), .size = vector_int(c, 1, "size", 1)};
    a.alpha = vector_option(c, 2, "alpha", 1e-4);
    a.beta = vector_option(c, 3, "beta", 0.75);
    a.k = vector_option(c, 4, "k", 1);
    if (c->why[0]) return;
    vector_give(c, hd_local_response_norm_at(HD_HERE, &a));
}

static void call_softmin(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims dims = hd_val_dims(x);
    const int axis = vector_axis(c, 1, "dim", dims.rank, -1);
    vector_ignore(c, 2, "_stacklevel");
    const hd_val in = vector_unscalar(vector_cast(x, vector_dtype(c, 3, "dtype", c->dtype)));
    if (c->why[0]) return;
    vector_give(c, kit_reshape(hd_softmax(hd_neg(in), .axis = HD_AXIS(axis)), dims));
}

const vector_entry vector_calls_norm[] = {
    {"nn.functional.batch_norm", call_batch_norm},
    {"native_batch_norm", call_native_batch_norm},
    {"nn.functional.layer_norm", call_layer_norm},
    {"native_layer_norm", call_native_layer_norm},
    {"nn.functional.rms_norm", call_rms_norm},
    {"nn.functional.group_norm", call_group_norm},
    {"nn.functional.instance_norm", call_instance_norm},
    {"nn.functional.local_response_norm", call_local_response_norm},
    {"nn.functional.softmin", call_softmin},
    {"nn.functional.softmin.with_dtype", call_softmin},
    {0},
};
