/* nn_linear.c: the linear layer with its parameters. */
#include "nn/layer.h"
#include <math.h>

hd_val hd_nn_linear_at(hd_loc at, const hd_nn_linear_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "linear", a->name, name)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(a->x);
    const int64_t in = dims.rank > 0 ? dims.dim[dims.rank - 1] : 0, out = a->out_features;
    if (in < 1)
        return hd_layer_refuse(g, at, "linear", name, "Give the input an axis of features",
                               "the last axis of its input has no size of its own");
    if (out < 1 || out > HD_LAYER_MAX)
        return hd_layer_refuse(g, at, "linear", name, "Give out_features, 1 or more", "out_features is %lld",
                               (long long)out);
    const double bound = 1 / sqrt((double)in);
    const hd_init usual = HD_UNIFORM(-bound, bound);
    const hd_init wi = a->weight_init ? *a->weight_init : usual, bi = a->bias_init ? *a->bias_init : usual;
    const hd_dtype t = hd_val_dtype(a->x);
    const hd_val w = hd_param_at(at, g, hd_layer_param(part, name, "weight"), t, HD_DIMS(out, in), wi);
    hd_val b = {0};
    if (!a->no_bias) b = hd_param_at(at, g, hd_layer_param(part, name, "bias"), t, HD_DIMS(out), bi);
    return hd_linear_at(at, &(hd_linear_args){.x = a->x, .w = w, .b = b});
}

typedef struct recipe_args {
    int64_t out_features;
    bool bias;
} recipe_args;

static hd_val build(hd_loc at, hd_val x, const char *name, void *args) {
    const recipe_args *a = args;
    const hd_dims dims = hd_val_dims(x);
    char shape[192];
    if (dims.rank == 4) /* the op would take it, row by row of every picture: never meant */
        return hd_layer_refuse(x.graph, at, "linear", name, "Put flatten (or global_avg_pool and flatten) before it",
                               "expects rows of numbers, its input is pictures %s", hd_dims_text(shape, &dims));
    return hd_nn_linear_at(
        at, &(hd_nn_linear_args){.x = x, .name = name, .out_features = a->out_features, .no_bias = !a->bias});
}

static const hd_option options[] = {
    HD_LAYER_OPT(recipe_args, out_features, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX, .help = "number of outputs"),
    HD_LAYER_OPT(recipe_args, bias, HD_OPT_BOOL, 1, .def = 1, .help = "add a trained number to each output"),
    HD_OPTION_END,
};

const hd_layer hd_layer_linear = {
    .name = "linear",
    .help = "y = x wᵀ + b: each output is a weighted sum of all inputs",
    .args_size = sizeof(recipe_args),
    .options = options,
    .build = build,
};
