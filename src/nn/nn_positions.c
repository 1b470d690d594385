/* nn_positions.c: what tells a network where in a sequence something stands: trained rows, waves, rotations. */
#include "base/alloc.h"
#include "nn/layer.h"
#include <math.h>

/* ---- constants ---- */

hd_val hd_layer_range(hd_graph *g, int64_t n) {
    hd_context *ctx = hd_graph_context(g);
    int64_t *x = hd_alloc_n(ctx, (size_t)n + 1, sizeof *x);
    if (!x) {
        hd_graph_fail(g, HD_E_MEMORY, "|out of memory");
        return (hd_val){0};
    }
    for (int64_t i = 0; i < n; i++) x[i] = i;
    const hd_val v = hd_const(g, HD_I64, HD_DIMS(n), x);
    hd_free(ctx, x);
    return v;
}

typedef enum wave_kind { WAVE_SIN, WAVE_COS, WAVE_BOTH } wave_kind;

/* Waves [rows, width]: of column i the angle p · base^(−2i/period); both: sin and cos in turn, of column ⌊i/2⌋. */
static hd_val waves(hd_graph *g, hd_dtype dtype, int64_t rows, int64_t width, int64_t period, double base,
                    wave_kind kind) {
    hd_context *ctx = hd_graph_context(g);
    const size_t n = (size_t)(rows * width);
    double *x = hd_alloc_n(ctx, n + 1, 2 * sizeof *x);
    if (!x) {
        hd_graph_fail(g, HD_E_MEMORY, "|out of memory");
        return (hd_val){0};
    }
    float *small = (float *)(void *)(x + n);
    for (int64_t p = 0; p < rows; p++)
        for (int64_t i = 0; i < width; i++) {
            const int64_t column = kind == WAVE_BOTH ? i / 2 : i;
            const double angle = (double)p * pow(base, -2.0 * (double)column / (double)period);
            const bool is_cos = kind == WAVE_COS || (kind == WAVE_BOTH && i % 2 == 1);
            x[p * width + i] = is_cos ? cos(angle) : sin(angle);
            small[p * width + i] = (float)x[p * width + i];
        }
    const hd_val v = dtype == HD_F64 ? hd_const(g, HD_F64, HD_DIMS(rows, width), x)
                                     : hd_const(g, HD_F32, HD_DIMS(rows, width), small);
    hd_free(ctx, x);
    return v;
}

/* Rows 0 … positions − 1 of a table, or, in decode mode, the one of this run. */
static hd_val rows_of(hd_val table, int64_t positions) {
    hd_graph *g = table.graph;
    if (!g) return table;
    if (hd_graph_decode(g) > 0) return hd_embedding(table, hd_position_input(g));
    return hd_val_dims(table).dim[0] == positions ? table : hd_slice(table, .axis = HD_AXIS(0), .stop = positions);
}

/* ---- rows that are added ---- */

hd_val hd_nn_positional_embedding_at(hd_loc at, const hd_nn_positional_embedding_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME], shape[192];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "positional_embedding", a->name, name)) return (hd_val){0};
    const hd_dims x = hd_val_dims(a->x);
    const int64_t decode = hd_graph_decode(g), n = x.rank >= 2 ? x.dim[x.rank - 2] : 0;
    const int64_t width = x.rank >= 2 ? x.dim[x.rank - 1] : 0, have = decode ? decode : n;
    const int64_t most = a->max_positions ? a->max_positions : have;
    if (n < 1 || width < 1)
        return hd_layer_refuse(g, at, "positional_embedding", name, "Put an embedding before it",
                               "expects [batch, positions, width], its input is %s", hd_dims_text(shape, &x));
    if (most < 1 || most > HD_LAYER_MAX || have > most)
        return hd_layer_refuse(g, at, "positional_embedding", name, "Shorten the sequences, or raise max_positions",
                               "expects at most %lld positions, its input has %lld", (long long)most, (long long)have);
    hd_val table;
    if (a->sinusoidal)
        table = waves(g, hd_val_dtype(a->x), have, width, width + width % 2, 10000, WAVE_BOTH);
    else
        table = hd_param_at(at, g, hd_layer_param(part, name, "weight"), hd_val_dtype(a->x), HD_DIMS(most, width),
                            HD_NORMAL(0, 0.02));
    return hd_add_at(at, &(hd_binary_args){.a = a->x, .b = rows_of(table, n)});
}

HD_LAYER_BUILD_NAMED(positional_embedding, hd_nn_positional_embedding_args, hd_nn_positional_embedding_at)

static const hd_option options[] = {
    HD_LAYER_OPT(hd_nn_positional_embedding_args, max_positions, HD_OPT_INT, 1, .min = 0, .max = HD_LAYER_MAX,
                 .help = "rows; 0: as many as the input has positions"),
    HD_LAYER_OPT(hd_nn_positional_embedding_args, sinusoidal, HD_OPT_BOOL, 1,
                 .help = "sines and cosines of the position instead of trained rows"),
    HD_OPTION_END,
};

const hd_layer hd_layer_positional_embedding = {
    .name = "positional_embedding",
    .help = "y = x + weight[position]: a trained row, or sines and cosines, for each position of a sequence",
    .args_size = sizeof(hd_nn_positional_embedding_args),
    .options = options,
    .build = build_positional_embedding,
};

/* ---- rotations ---- */

hd_val hd_nn_rotary_at(hd_loc at, const hd_nn_rotary_args *a) {
    if (!hd_layer_ready(a->x)) return (hd_val){0};
    hd_graph *g = a->x.graph;
    const hd_dims x = hd_val_dims(a->x);
    const int64_t decode = hd_graph_decode(g), n = x.rank >= 2 ? x.dim[x.rank - 2] : 0;
    const int64_t width = x.rank >= 2 ? x.dim[x.rank - 1] : 0, half = width / 2;
    char shape[192];
    if (n < 1 || width < 2 || width % 2)
        return hd_layer_refuse(g, at, "rotary", "", "Give an even width",
                               "expects [..., positions, an even width], its input is %s", hd_dims_text(shape, &x));
    const double base = a->base > 0 ? a->base : 10000;
    const int64_t rows = decode ? decode : n;
    const hd_val c = rows_of(waves(g, hd_val_dtype(a->x), rows, half, width, base, WAVE_COS), n);
    const hd_val s = rows_of(waves(g, hd_val_dtype(a->x), rows, half, width, base, WAVE_SIN), n);
    const hd_val low = hd_slice(a->x, .axis = -1, .stop = half), high = hd_slice(a->x, .axis = -1, .start = half);
    const hd_val y[2] = {hd_sub(hd_mul(low, c), hd_mul(high, s)), hd_add(hd_mul(high, c), hd_mul(low, s))};
    return hd_concat_at(at, &(hd_concat_args){.x = y, .n = 2, .axis = -1});
}
