/* nn_prelu.c: the leaky relu with a trained slope. */
#include "nn/layer.h"
#include <math.h>

/* PyTorch's default, from the paper (He, Zhang, Ren, Sun 2015). */
static const double first_slope = 0.25;

hd_val hd_nn_prelu_at(hd_loc at, const hd_nn_prelu_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "prelu", a->name, name)) return (hd_val){0};
    const int64_t n = a->num_parameters ? a->num_parameters : 1;
    if (n < 1 || n > HD_LAYER_MAX)
        return hd_layer_refuse(g, at, "prelu", name, "Give 1, or the number of channels", "num_parameters is %lld",
                               (long long)n);
    const double init = a->init == 0 && !signbit(a->init) ? first_slope : a->init;
    const hd_val weight =
        hd_param_at(at, g, hd_layer_param(part, name, "weight"), hd_val_dtype(a->x), HD_DIMS(n), HD_CONSTANT(init));
    return hd_prelu_at(at, &(hd_prelu_args){.x = a->x, .weight = weight});
}

HD_LAYER_BUILD_NAMED(prelu, hd_nn_prelu_args, hd_nn_prelu_at)

static const hd_option options[] = {
    HD_LAYER_OPT(hd_nn_prelu_args, num_parameters, HD_OPT_INT, 1, .def = 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "1, or the number of channels: a slope for each"),
    HD_LAYER_OPT(hd_nn_prelu_args, init, HD_OPT_FLOAT, 1, .def = 0.25, .help = "first value of the slopes"),
    HD_OPTION_END,
};

const hd_layer hd_layer_prelu = {
    .name = "prelu",
    .help = "y = x > 0 ? x : weight·x, the slope for x < 0 is trained",
    .activation = true,
    .args_size = sizeof(hd_nn_prelu_args),
    .options = options,
    .build = build_prelu,
};
