/* calls_distance.c: distances between rows, vectors brought to a length. */
#include "call_kit.h"

static hd_val norm_of(hd_val x, double p, hd_dims axes, bool keepdim) {
    return hd_norm(x, .axes = axes, .keepdim = keepdim, .p = p == 0 ? HD_ZERO : p);
}

/* x, as floats. */
static hd_val floats(vector_case *c, int i, const char *name) {
    const hd_val x = vector_tensor(c, i, name);
    if (!c->why[0] && !vector_is_float(x)) vector_unsupported(c, "whole numbers");
    return x;
}

/* Of every two rows, the first with those behind it first. */
static void call_pdist(vector_case *c) {
    const hd_val x = floats(c, 0, "input");
    const double p = vector_number(c, 1, "p", 2);
    const int64_t n = kit_size(x, 0), pairs = n * (n - 1) / 2;
    if (hd_val_dims(x).rank != 2 || n > 256) vector_unsupported(c, "no table of rows");
    double *pick = c->why[0] ? NULL : hd_arena_alloc_n(c->arena, 2 * (size_t)pairs + 1, sizeof *pick);
    int64_t k = 0;
    if (!pick) return;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++, k++) pick[k] = (double)i, pick[pairs + k] = (double)j;
    const hd_val first = hd_index_select(x, vector_const(c, HD_I64, HD_DIMS(pairs), pick), .axis = HD_AXIS(0)),
                 second = hd_index_select(x, vector_const(c, HD_I64, HD_DIMS(pairs), pick + pairs), .axis = HD_AXIS(0));
    vector_give(c, norm_of(hd_sub(first, second), p, kit_one(1), false));
}

static void call_normalize(vector_case *c) {
    const hd_val x = floats(c, 0, "input");
    const double p = vector_number(c, 1, "p", 2), eps = vector_number(c, 3, "eps", 1e-12);
    const int rank = hd_val_dims(x).rank;
    const hd_dims axes = vector_has(c, 2, "dim") ? vector_axes(c, 2, "dim", rank) : kit_one(1);
    if (c->why[0]) return;
    vector_give(c, hd_div(x, hd_maximum(norm_of(x, p, axes, true), vector_scalar(c, hd_val_dtype(x), eps))));
}

const vector_entry vector_calls_distance[] = {
    {"nn.functional.pdist", call_pdist},
    {"nn.functional.normalize", call_normalize},
    {0},
};
