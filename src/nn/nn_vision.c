/* nn_vision.c: layers without parameters that give pictures another size, cut them into windows, order channels, or
 * only name what is there. */
#include "nn/layer.h"

#define PLAIN_LAYER(name_, args_type, builder_, help_, ...)                                                            \
    static const hd_option name_##_options[] = {__VA_ARGS__, HD_OPTION_END};                                           \
    HD_LAYER_PLAIN(name_, args_type, builder_, name_##_options, help_)
#define INTS(args_, field_, count_, ...)                                                                               \
    HD_LAYER_OPT(args_, field_, HD_OPT_INTS, count_, .max = HD_LAYER_MAX, __VA_ARGS__)

/* ---- size ---- */

/* PyTorch's factor is one number or one for each axis. */
typedef struct upsample {
    hd_val x;
    hd_dims size;
    double scale_factor;
    int64_t mode;
    bool align_corners;
} upsample;

static hd_val upsample_at(hd_loc at, const upsample *u) {
    const double factor = u->size.rank ? 0 : u->scale_factor;
    return hd_interpolate_at(
        at,
        &(hd_interpolate_args){
            .x = u->x, .size = u->size, .scale_factor = {factor}, .mode = u->mode, .align_corners = u->align_corners});
}
static const char *const upsample_modes[] = {"nearest",   "linear", "bilinear",      "bicubic",
                                             "trilinear", "area",   "nearest-exact", NULL};
PLAIN_LAYER(upsample, upsample, upsample_at, "signals, pictures or volumes of another size",
            HD_LAYER_OPT(upsample, size, HD_OPT_DIMS, 1, .help = "sizes afterwards, one number or one for each axis"),
            HD_LAYER_OPT(upsample, scale_factor, HD_OPT_FLOAT, 1, .def = 2, .min = 1e-6, .max = 1e6,
                         .help = "so many times as large, where size is not given"),
            HD_LAYER_OPT(upsample, mode, HD_OPT_ENUM, 1, .choices = upsample_modes, .help = "how points are filled in"),
            HD_LAYER_OPT(upsample, align_corners, HD_OPT_BOOL, 1, .help = "the corner points stay where they are"))

/* ---- windows ---- */

#define WINDOWS(args_)                                                                                                 \
    INTS(args_, kernel_size, 2, .def = 2, .min = 1, .help = "height and width of a window"),                           \
        INTS(args_, dilation, 2, .def = 1, .min = 1, .help = "between points of a window"),                            \
        INTS(args_, padding, 2, .min = 0, .help = "zeros on each side"),                                               \
        INTS(args_, stride, 2, .def = 1, .min = 1, .help = "from one window to the next")
PLAIN_LAYER(unfold, hd_unfold2d_args, hd_unfold2d_at, "the windows of pictures as columns: [n, c·kh·kw, windows]",
            WINDOWS(hd_unfold2d_args))
PLAIN_LAYER(fold, hd_fold2d_args, hd_fold2d_at, "columns of windows added up to pictures",
            INTS(hd_fold2d_args, output_size, 2, .min = 1, .help = "height and width of the pictures"),
            WINDOWS(hd_fold2d_args))

/* ---- channels, shapes, names ---- */

PLAIN_LAYER(channel_shuffle, hd_channel_shuffle_args, hd_channel_shuffle_at,
            "channels of `groups` groups taken in turn, so that groups learn of each other",
            HD_LAYER_OPT(hd_channel_shuffle_args, groups, HD_OPT_INT, 1, .def = 1, .min = 1, .max = HD_LAYER_MAX,
                         .help = "groups of channels"))
PLAIN_LAYER(normalize, hd_normalize_args, hd_normalize_at, "y = x / ‖x‖ along an axis",
            HD_LAYER_OPT(hd_normalize_args, p, HD_OPT_FLOAT, 1, .def = 2, .help = "which norm"),
            HD_LAYER_OPT(hd_normalize_args, axis, HD_OPT_AXIS, 1, .def = HD_AXIS(1),
                         .help = "axis whose norm becomes 1"),
            HD_LAYER_OPT(hd_normalize_args, eps, HD_OPT_FLOAT, 1, .def = 1e-12, .min = 0, .max = 1,
                         .help = "the least that is divided by"))

typedef struct unflatten {
    hd_val x;
    int64_t axis;
    hd_dims unflattened_size;
} unflatten;

static hd_val unflatten_at(hd_loc at, const unflatten *u) {
    const hd_dims x = hd_val_dims(u->x);
    const int axis = hd_axis_resolve(u->axis, x.rank), more = u->unflattened_size.rank;
    hd_dims y = {.rank = x.rank + more - 1};
    if (axis < 0 || more < 1 || y.rank > HD_MAX_DIMS)
        return hd_layer_refuse(u->x.graph, at, "unflatten", NULL, "Give unflattened_size, the sizes that axis becomes",
                               "there is no such axis, or too many sizes");
    for (int i = 0; i < y.rank; i++)
        y.dim[i] = i < axis ? x.dim[i] : i < axis + more ? u->unflattened_size.dim[i - axis] : x.dim[i - more + 1];
    return hd_reshape_at(at, &(hd_reshape_args){.x = u->x, .dims = y});
}
PLAIN_LAYER(unflatten, unflatten, unflatten_at, "an axis becomes several: rows of numbers become pictures",
            HD_LAYER_OPT(unflatten, axis, HD_OPT_AXIS, 1, .def = HD_AXIS(1), .help = "the axis"),
            HD_LAYER_OPT(unflatten, unflattened_size, HD_OPT_DIMS, 1, .help = "what it becomes, as in [1, 28, 28]"))

static hd_val build_identity(hd_loc at, hd_val x, const char *name, void *args) {
    (void)at, (void)name, (void)args;
    return x;
}
const hd_layer hd_layer_identity = {
    .name = "identity", .help = "y = x: a place that does nothing", .build = build_identity};

static hd_val build_softmax2d(hd_loc at, hd_val x, const char *name, void *args) {
    (void)name, (void)args;
    return hd_softmax_at(at, &(hd_softmax_args){.x = x, .axis = HD_AXIS(1)});
}
const hd_layer hd_layer_softmax2d = {
    .name = "softmax2d", .help = "softmax over the channels at every place of pictures", .build = build_softmax2d};
