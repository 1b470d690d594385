/* nn_conv2d.c: the 2-D convolution layer with its parameters. */
#include "nn/layer.h"
#include <math.h>

static int64_t or_one(int64_t v) {
    return v == 0 ? 1 : v;
}

static bool size_ok(int64_t v, int64_t low) {
    return v >= low && v <= HD_LAYER_MAX;
}

/* Refuses what would make no weight tensor; windows against pictures are the op's own rule. */
static bool settings_ok(const hd_nn_conv2d_args *a, hd_loc at, const char *name, int64_t channels, int64_t groups) {
    hd_graph *g = a->x.graph;
    const char *what = NULL;
    if (!size_ok(a->out_channels, 1)) what = "out_channels must be 1 or more";
    if (!size_ok(a->kernel_size[0], 1) || !size_ok(a->kernel_size[1], 1)) what = "kernel_size must be 1 or more";
    if (!size_ok(groups, 1)) what = "groups must be 1 or more";
    if (what) {
        hd_layer_refuse(g, at, "conv2d", name, "Give out_channels and kernel_size", "%s", what);
        return false;
    }
    if (channels % groups != 0 || a->out_channels % groups != 0) {
        hd_layer_refuse(g, at, "conv2d", name, "Both must be multiples of groups",
                        "%lld input and %lld output channels can not be divided into %lld groups", (long long)channels,
                        (long long)a->out_channels, (long long)groups);
        return false;
    }
    return true;
}

hd_val hd_nn_conv2d_at(hd_loc at, const hd_nn_conv2d_args *a) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME], shape[192];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, "conv2d", a->name, name)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(a->x);
    if (dims.rank != 4 || dims.dim[1] < 1)
        return hd_layer_refuse(g, at, "conv2d", name, "Pictures are [batch, channels, height, width]",
                               "expects pictures, its input is %s", hd_dims_text(shape, &dims));
    const int64_t groups = or_one(a->groups), channels = dims.dim[1], out = a->out_channels;
    const int64_t kh = a->kernel_size[0], kw = a->kernel_size[1];
    if (!settings_ok(a, at, name, channels, groups)) return (hd_val){0};
    const int64_t in = channels / groups;
    const double bound = 1 / sqrt((double)in * (double)kh * (double)kw);
    const hd_init init = HD_UNIFORM(-bound, bound);
    const hd_dtype t = hd_val_dtype(a->x);
    const hd_val w = hd_param_at(at, g, hd_layer_param(part, name, "weight"), t, HD_DIMS(out, in, kh, kw), init);
    hd_val b = {0};
    if (!a->no_bias) b = hd_param_at(at, g, hd_layer_param(part, name, "bias"), t, HD_DIMS(out), init);
    return hd_conv2d_at(at, &(hd_conv2d_args){.x = a->x,
                                              .w = w,
                                              .b = b,
                                              .stride = {a->stride[0], a->stride[1]},
                                              .padding = {a->padding[0], a->padding[1]},
                                              .dilation = {a->dilation[0], a->dilation[1]},
                                              .groups = groups});
}

typedef struct recipe_args {
    hd_nn_conv2d_args nn;
    bool bias;
} recipe_args;

static hd_val build(hd_loc at, hd_val x, const char *name, void *args) {
    recipe_args *a = args;
    a->nn.x = x;
    a->nn.name = name;
    a->nn.no_bias = !a->bias;
    return hd_nn_conv2d_at(at, &a->nn);
}

#define OPT(f, ty, n, ...)                                                                                             \
    { .name = #f, .type = ty, .offset = offsetof(recipe_args, nn.f), .count = n, __VA_ARGS__ }
static const hd_option options[] = {
    OPT(out_channels, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX, .help = "number of filters"),
    OPT(kernel_size, HD_OPT_INTS, 2, .min = 1, .max = HD_LAYER_MAX, .help = "height and width of a filter"),
    OPT(stride, HD_OPT_INTS, 2, .def = 1, .min = 1, .max = HD_LAYER_MAX, .help = "pixels from one window to the next"),
    OPT(padding, HD_OPT_INTS, 2, .min = 0, .max = HD_LAYER_MAX, .help = "zeros around the picture"),
    OPT(dilation, HD_OPT_INTS, 2, .def = 1, .min = 1, .max = HD_LAYER_MAX, .help = "pixels between taps of a filter"),
    OPT(groups, HD_OPT_INT, 1, .def = 1, .min = 1, .max = HD_LAYER_MAX, .help = "channels are cut into so many groups"),
    HD_LAYER_OPT(recipe_args, bias, HD_OPT_BOOL, 1, .def = 1, .help = "add a trained number to each channel"),
    HD_OPTION_END,
};

const hd_layer hd_layer_conv2d = {
    .name = "conv2d",
    .help = "slides small filters over a picture: each output channel is one filter's answer at every place",
    .args_size = sizeof(recipe_args),
    .options = options,
    .build = build,
};
