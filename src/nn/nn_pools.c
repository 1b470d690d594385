/* nn_pools.c: layers without parameters that shrink or reshape pictures. */
#include "nn/layer.h"

static const hd_option pool_options[] = {
    HD_LAYER_OPT(hd_pool2d_args, kernel_size, HD_OPT_INTS, 2, .def = 2, .min = 1, .max = HD_LAYER_MAX,
                 .help = "height and width of a window"),
    HD_LAYER_OPT(hd_pool2d_args, stride, HD_OPT_INTS, 2, .min = 1, .max = HD_LAYER_MAX,
                 .help = "pixels from one window to the next; as kernel_size when not given"),
    HD_LAYER_OPT(hd_pool2d_args, padding, HD_OPT_INTS, 2, .min = 0, .max = HD_LAYER_MAX,
                 .help = "pixels around the picture, at most half a window"),
    HD_OPTION_END,
};

#define POOL(name_, help_)                                                                                             \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        hd_pool2d_args *a = args;                                                                                      \
        (void)name;                                                                                                    \
        a->x = x;                                                                                                      \
        return hd_##name_##_at(at, a);                                                                                 \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .args_size = sizeof(hd_pool2d_args),                                            \
                                       .options = pool_options,                                                        \
                                       .build = build_##name_};

POOL(max_pool2d, "the largest element of each window")
POOL(avg_pool2d, "the mean of each window")

static hd_val build_global(hd_loc at, hd_val x, const char *name, void *args) {
    (void)name, (void)args;
    return hd_global_avg_pool_at(at, &(hd_unary_args){.x = x});
}
const hd_layer hd_layer_global_avg_pool = {
    .name = "global_avg_pool", .help = "the mean of each channel: 1×1 pictures", .build = build_global};

static hd_val build_flatten(hd_loc at, hd_val x, const char *name, void *args) {
    hd_flatten_args *a = args;
    (void)name;
    a->x = x;
    return hd_flatten_at(at, a);
}
static const hd_option flatten_options[] = {
    HD_LAYER_OPT(hd_flatten_args, start_axis, HD_OPT_AXIS, 1, .def = HD_AXIS(1), .help = "first axis of those joined"),
    HD_LAYER_OPT(hd_flatten_args, end_axis, HD_OPT_AXIS, 1, .def = -1, .help = "last axis of those joined"),
    HD_OPTION_END,
};
const hd_layer hd_layer_flatten = {.name = "flatten",
                                   .help = "joins all axes of a sample into one: pictures become rows of numbers",
                                   .args_size = sizeof(hd_flatten_args),
                                   .options = flatten_options,
                                   .build = build_flatten};
