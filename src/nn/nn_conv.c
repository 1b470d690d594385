/* nn_conv.c: the convolution layers with their parameters, plain and transposed, for signals, pictures and volumes. */
#include "nn/layer.h"
#include <math.h>

/* A convolution layer, whatever its dimensions: 1 (signals), 2 (pictures) or 3 (volumes). */
typedef struct conv {
    hd_loc at;
    const char *type;
    hd_val x;
    const char *name;
    int dims;
    int64_t out_channels, groups;
    int64_t kernel_size[3], stride[3], padding[3], dilation[3], output_padding[3];
    int64_t padding_mode;
    bool no_bias, transposed;
    const hd_init *weight_init, *bias_init;
} conv;

static int64_t or_one(int64_t v) {
    return v == 0 ? 1 : v;
}

static bool size_ok(int64_t v, int64_t low) {
    return v >= low && v <= HD_LAYER_MAX;
}

/* Refuses what would make no weight tensor; windows against pictures are the op's own rule. */
static bool settings_ok(const conv *v, const char *name, int64_t channels, int64_t groups) {
    hd_graph *g = v->x.graph;
    const char *what = NULL;
    if (!size_ok(v->out_channels, 1)) what = "out_channels must be 1 or more";
    for (int i = 0; i < v->dims; i++)
        if (!size_ok(v->kernel_size[i], 1)) what = "kernel_size must be 1 or more";
    if (!size_ok(groups, 1)) what = "groups must be 1 or more";
    if (what) {
        hd_layer_refuse(g, v->at, v->type, name, "Give out_channels and kernel_size", "%s", what);
        return false;
    }
    if (channels % groups != 0 || v->out_channels % groups != 0) {
        hd_layer_refuse(g, v->at, v->type, name, "Both must be multiples of groups",
                        "%lld input and %lld output channels can not be divided into %lld groups", (long long)channels,
                        (long long)v->out_channels, (long long)groups);
        return false;
    }
    return true;
}

/* A rim made of the picture itself stands in a pad of its own, and the convolution has none. */
static void pad_by_mode(conv *v) {
    const int first = 2, rank = first + v->dims;
    hd_pad_args a = {.x = v->x, .mode = v->padding_mode, .before = {.rank = rank}, .after = {.rank = rank}};
    bool any = false;
    if (v->padding_mode == HD_PAD_CONSTANT) return;
    for (int i = 0; i < v->dims; i++) {
        const int64_t around = or_one(v->dilation[i]) * (v->kernel_size[i] - 1);
        const bool same = v->padding[i] == HD_SAME;
        if (same && or_one(v->stride[i]) != 1) return; /* the op says why not */
        a.before.dim[first + i] = same ? around / 2 : v->padding[i];
        a.after.dim[first + i] = same ? around - around / 2 : v->padding[i];
        any = any || a.before.dim[first + i] || a.after.dim[first + i];
        v->padding[i] = 0;
    }
    if (any) v->x = hd_pad_at(v->at, &a);
}

#define PAIR(v)                                                                                                        \
    { (v)[0], (v)[1] }
#define TRIPLE(v)                                                                                                      \
    { (v)[0], (v)[1], (v)[2] }
#define OPERANDS .x = v->x, .w = w, .b = b, .groups = groups

static hd_val convolve(const conv *v, hd_val w, hd_val b, int64_t groups) {
    if (v->dims == 1)
        return hd_conv1d_at(v->at, &(hd_conv1d_args){OPERANDS, .stride = v->stride[0], .padding = v->padding[0],
                                                     .dilation = v->dilation[0]});
    if (v->dims == 2)
        return hd_conv2d_at(v->at, &(hd_conv2d_args){OPERANDS, .stride = PAIR(v->stride), .padding = PAIR(v->padding),
                                                     .dilation = PAIR(v->dilation)});
    return hd_conv3d_at(v->at, &(hd_conv3d_args){OPERANDS, .stride = TRIPLE(v->stride), .padding = TRIPLE(v->padding),
                                                 .dilation = TRIPLE(v->dilation)});
}

static hd_val convolve_back(const conv *v, hd_val w, hd_val b, int64_t groups) {
    if (v->dims == 1)
        return hd_conv_transpose1d_at(
            v->at, &(hd_conv_transpose1d_args){OPERANDS, .stride = v->stride[0], .padding = v->padding[0],
                                               .output_padding = v->output_padding[0], .dilation = v->dilation[0]});
    if (v->dims == 2)
        return hd_conv_transpose2d_at(v->at, &(hd_conv_transpose2d_args){OPERANDS, .stride = PAIR(v->stride),
                                                                         .padding = PAIR(v->padding),
                                                                         .output_padding = PAIR(v->output_padding),
                                                                         .dilation = PAIR(v->dilation)});
    return hd_conv_transpose3d_at(v->at, &(hd_conv_transpose3d_args){OPERANDS, .stride = TRIPLE(v->stride),
                                                                     .padding = TRIPLE(v->padding),
                                                                     .output_padding = TRIPLE(v->output_padding),
                                                                     .dilation = TRIPLE(v->dilation)});
}

static hd_val layer(conv v) {
    static const char *const things[] = {"signals", "pictures", "volumes"};
    static const char *const shapes[] = {"Signals are [batch, channels, length]",
                                         "Pictures are [batch, channels, height, width]",
                                         "Volumes are [batch, channels, depth, height, width]"};
    hd_graph *g = v.x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME], shape[192];
    if (!hd_layer_ready(v.x) || !hd_layer_name(g, v.at, v.type, v.name, name)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(v.x);
    if (dims.rank != 2 + v.dims || dims.dim[1] < 1)
        return hd_layer_refuse(g, v.at, v.type, name, shapes[v.dims - 1], "expects %s, its input is %s",
                               things[v.dims - 1], hd_dims_text(shape, &dims));
    const int64_t groups = or_one(v.groups), channels = dims.dim[1];
    if (!settings_ok(&v, name, channels, groups)) return (hd_val){0};
    hd_dims size = {.rank = 2 + v.dims, .dim = {v.out_channels, channels / groups}};
    if (v.transposed) size.dim[0] = channels, size.dim[1] = v.out_channels / groups;
    double inputs = (double)size.dim[1];
    for (int i = 0; i < v.dims; i++) inputs *= (double)(size.dim[2 + i] = v.kernel_size[i]);
    const hd_init usual = HD_UNIFORM(-1 / sqrt(inputs), 1 / sqrt(inputs));
    const hd_init wi = v.weight_init ? *v.weight_init : usual, bi = v.bias_init ? *v.bias_init : usual;
    const hd_dtype t = hd_val_dtype(v.x);
    const hd_val w = hd_param_at(v.at, g, hd_layer_param(part, name, "weight"), t, size, wi);
    hd_val b = {0};
    if (!v.no_bias) b = hd_param_at(v.at, g, hd_layer_param(part, name, "bias"), t, HD_DIMS(v.out_channels), bi);
    if (v.transposed) return convolve_back(&v, w, b, groups);
    pad_by_mode(&v);
    return convolve(&v, w, b, groups);
}

#define ONE(v)                                                                                                         \
    { v }
#define TWO(v)   PAIR(v)
#define THREE(v) TRIPLE(v)
/* What all of them have, from the public args struct; LIST turns a field into numbers. */
#define CONV_OF(dims_, LIST, type_)                                                                                    \
    .at = at, .type = type_, .x = a->x, .name = a->name, .dims = dims_, .out_channels = a->out_channels,               \
    .groups = a->groups, .kernel_size = LIST(a->kernel_size), .stride = LIST(a->stride), .padding = LIST(a->padding),  \
    .dilation = LIST(a->dilation), .no_bias = a->no_bias, .weight_init = a->weight_init, .bias_init = a->bias_init
#define CONV_LAYER(dims_, LIST)                                                                                        \
    hd_val hd_nn_conv##dims_##d_at(hd_loc at, const hd_nn_conv##dims_##d_args *a) {                                    \
        return layer((conv){CONV_OF(dims_, LIST, "conv" #dims_ "d"), .padding_mode = a->padding_mode});                \
    }                                                                                                                  \
    hd_val hd_nn_conv_transpose##dims_##d_at(hd_loc at, const hd_nn_conv_transpose##dims_##d_args *a) {                \
        return layer((conv){CONV_OF(dims_, LIST, "conv_transpose" #dims_ "d"), .transposed = true,                     \
                            .output_padding = LIST(a->output_padding)});                                               \
    }
CONV_LAYER(1, ONE)
CONV_LAYER(2, TWO)
CONV_LAYER(3, THREE)

/* ---- for recipes ---- */

static const char *const padding_words[] = {"valid", "same", NULL}; /* 0 and HD_SAME */
static const char *const padding_modes[] = {"zeros", "reflect", "replicate", "circular", NULL};

#define CONV_BUILD(dims_)                                                                                              \
    typedef struct recipe##dims_ {                                                                                     \
        hd_nn_conv##dims_##_args nn;                                                                                   \
        bool bias;                                                                                                     \
    } recipe##dims_;                                                                                                   \
    static hd_val build##dims_(hd_loc at, hd_val x, const char *name, void *args) {                                    \
        recipe##dims_ *a = args;                                                                                       \
        a->nn.x = x;                                                                                                   \
        a->nn.name = name;                                                                                             \
        a->nn.no_bias = !a->bias;                                                                                      \
        return hd_nn_conv##dims_##_at(at, &a->nn);                                                                     \
    }
#define CONV_OPTION(dims_, field_, type_, count_, ...)                                                                 \
    {                                                                                                                  \
        .name = #field_, .type = HD_OPT_##type_, .offset = offsetof(recipe##dims_, nn.field_), .count = count_,        \
        .max = HD_LAYER_MAX, __VA_ARGS__                                                                               \
    }
#define CONV_OPTIONS(dims_, count_)                                                                                    \
    CONV_OPTION(dims_, out_channels, INT, 1, .min = 1, .help = "number of filters"),                                   \
        CONV_OPTION(dims_, kernel_size, INTS, count_, .min = 1, .help = "size of a filter"),                           \
        CONV_OPTION(dims_, stride, INTS, count_, .def = 1, .min = 1, .help = "from one window to the next"),           \
        CONV_OPTION(dims_, dilation, INTS, count_, .def = 1, .min = 1, .help = "between taps of a filter"),            \
        CONV_OPTION(dims_, groups, INT, 1, .def = 1, .min = 1, .help = "channels are cut into so many groups"),        \
        HD_LAYER_OPT(recipe##dims_, bias, HD_OPT_BOOL, 1, .def = 1, .help = "add a trained number to each channel")
#define CONV_DESCRIPTOR(dims_, help_)                                                                                  \
    const hd_layer hd_layer_conv##dims_ = {.name = "conv" #dims_,                                                      \
                                           .help = help_,                                                              \
                                           .args_size = sizeof(recipe##dims_),                                         \
                                           .options = options##dims_,                                                  \
                                           .build = build##dims_};

#define CONV_RECIPE(dims_, count_, help_)                                                                              \
    CONV_BUILD(dims_)                                                                                                  \
    static const hd_option options##dims_[] = {                                                                        \
        CONV_OPTIONS(dims_, count_),                                                                                   \
        CONV_OPTION(dims_, padding, INTS, count_, .min = 0, .choices = padding_words,                                  \
                    .help = "rim on each side, or same, or valid"),                                                    \
        {.name = "padding_mode",                                                                                       \
         .type = HD_OPT_ENUM,                                                                                          \
         .offset = offsetof(recipe##dims_, nn.padding_mode),                                                           \
         .count = 1,                                                                                                   \
         .choices = padding_modes,                                                                                     \
         .help = "what the rim is made of"},                                                                           \
        HD_OPTION_END,                                                                                                 \
    };                                                                                                                 \
    CONV_DESCRIPTOR(dims_, help_)
CONV_RECIPE(2d, 2, "slides small filters over a picture: each output channel is one filter's answer at every place")
CONV_RECIPE(1d, 1, "slides short filters along a signal: each output channel is one filter's answer at every place")
CONV_RECIPE(3d, 3, "slides small filters through a volume: each output channel is one filter's answer at every place")

#define BACK_RECIPE(dims_, count_, help_)                                                                              \
    CONV_BUILD(dims_)                                                                                                  \
    static const hd_option options##dims_[] = {                                                                        \
        CONV_OPTIONS(dims_, count_),                                                                                   \
        CONV_OPTION(dims_, padding, INTS, count_, .min = 0, .help = "rim that is cut off on each side"),               \
        CONV_OPTION(dims_, output_padding, INTS, count_, .min = 0, .help = "so much less is cut off behind"),          \
        HD_OPTION_END,                                                                                                 \
    };                                                                                                                 \
    CONV_DESCRIPTOR(dims_, help_)
BACK_RECIPE(_transpose2d, 2, "the other way of conv2d: every point of a picture writes a filter into a larger one")
BACK_RECIPE(_transpose1d, 1, "the other way of conv1d: every point of a signal writes a filter into a longer one")
BACK_RECIPE(_transpose3d, 3, "the other way of conv3d: every point of a volume writes a filter into a larger one")
