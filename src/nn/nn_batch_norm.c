/* nn_batch_norm.c: batch normalisation with its parameters and running statistics. */
#include "nn/layer.h"

hd_val hd_nn_batch_norm_at(hd_loc at, const hd_nn_batch_norm_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME], shape[192];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "batch_norm", a->name, name)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(a->x);
    if (dims.rank < 2 || dims.dim[1] < 1)
        return hd_layer_refuse(g, at, "batch_norm", name, "Its input is [batch, channels, …]",
                               "expects an axis of channels, its input is %s", hd_dims_text(shape, &dims));
    const hd_dims c = HD_DIMS(dims.dim[1]);
    const hd_dtype t = hd_val_dtype(a->x);
    hd_batch_norm_args args = {.x = a->x, .eps = a->eps, .momentum = a->momentum};
    args.w = hd_param_at(at, g, hd_layer_param(part, name, "weight"), t, c, a->weight_init ? *a->weight_init : HD_ONES);
    args.b = hd_param_at(at, g, hd_layer_param(part, name, "bias"), t, c, HD_ZEROS);
    args.running_mean = hd_state_at(at, g, hd_layer_param(part, name, "running_mean"), t, c, HD_ZEROS);
    args.running_var = hd_state_at(at, g, hd_layer_param(part, name, "running_var"), t, c, HD_ONES);
    return hd_batch_norm_at(at, &args);
}

HD_LAYER_BUILD_NAMED(batch_norm, hd_nn_batch_norm_args, hd_nn_batch_norm_at)

static const hd_option options[] = {
    HD_LAYER_OPT(hd_nn_batch_norm_args, eps, HD_OPT_FLOAT, 1, .def = 1e-5, .min = 1e-12, .max = 1,
                 .help = "added to the variance"),
    HD_LAYER_OPT(hd_nn_batch_norm_args, momentum, HD_OPT_FLOAT, 1, .def = 0.1, .min = 0, .max = 1,
                 .help = "weight of the newest batch in the running statistics"),
    HD_OPTION_END,
};

const hd_layer hd_layer_batch_norm = {
    .name = "batch_norm",
    .help = "brings each channel to mean 0 and deviation 1 over the batch, then scales and shifts it",
    .args_size = sizeof(hd_nn_batch_norm_args),
    .options = options,
    .build = build_batch_norm,
};
