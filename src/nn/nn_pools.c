/* nn_pools.c: layers without parameters that shrink signals, pictures and volumes. */
#include "nn/layer.h"

/* PyTorch's names for recipes; the ops count padding unless told not to. */
#define POOL_RECIPE(dims_)                                                                                             \
    typedef struct pool##dims_ {                                                                                       \
        hd_pool##dims_##_args op;                                                                                      \
        bool count_include_pad;                                                                                        \
    } pool##dims_;
POOL_RECIPE(2d)
POOL_RECIPE(1d)
POOL_RECIPE(3d)

#define POOL_OPTION(dims_, field_, count_, ...)                                                                        \
    {                                                                                                                  \
        .name = #field_, .type = HD_OPT_INTS, .offset = offsetof(pool##dims_, op.field_), .count = count_,             \
        .max = HD_LAYER_MAX, __VA_ARGS__                                                                               \
    }
#define POOL_OPTIONS(dims_, count_)                                                                                    \
    POOL_OPTION(dims_, kernel_size, count_, .def = 2, .min = 1, .help = "size of a window"),                           \
        POOL_OPTION(dims_, stride, count_, .min = 1,                                                                   \
                    .help = "from one window to the next; as kernel_size when not given"),                             \
        POOL_OPTION(dims_, padding, count_, .min = 0, .help = "rim on each side, at most half a window"), {            \
        .name = "ceil_mode", .type = HD_OPT_BOOL, .offset = offsetof(pool##dims_, op.ceil_mode), .count = 1,           \
        .help = "windows that reach over the edge count too"                                                           \
    }
#define COUNT_OPTION(dims_)                                                                                            \
    HD_LAYER_OPT(pool##dims_, count_include_pad, HD_OPT_BOOL, 1, .def = 1, .help = "zeros of the rim are counted")

static const hd_option max_pool2d_options[] = {
    POOL_OPTIONS(2d, 2), POOL_OPTION(2d, dilation, 2, .def = 1, .min = 1, .help = "between points of a window"),
    HD_OPTION_END};
static const hd_option avg_pool2d_options[] = {POOL_OPTIONS(2d, 2),
                                               COUNT_OPTION(2d),
                                               {.name = "divisor_override",
                                                .type = HD_OPT_INT,
                                                .offset = offsetof(pool2d, op.divisor_override),
                                                .count = 1,
                                                .min = 1,
                                                .max = HD_LAYER_MAX,
                                                .help = "divide by this instead of the size of a window"},
                                               HD_OPTION_END};
static const hd_option max_pool1d_options[] = {
    POOL_OPTIONS(1d, 1), POOL_OPTION(1d, dilation, 1, .def = 1, .min = 1, .help = "between points of a window"),
    HD_OPTION_END};
static const hd_option avg_pool1d_options[] = {POOL_OPTIONS(1d, 1), COUNT_OPTION(1d), HD_OPTION_END};

static const hd_option max_pool3d_options[] = {
    POOL_OPTIONS(3d, 3), POOL_OPTION(3d, dilation, 3, .def = 1, .min = 1, .help = "between points of a window"),
    HD_OPTION_END};
static const hd_option avg_pool3d_options[] = {POOL_OPTIONS(3d, 3), COUNT_OPTION(3d), HD_OPTION_END};

#define POOL(name_, dims_, avg_, help_)                                                                                \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        pool##dims_ *a = args;                                                                                         \
        (void)name;                                                                                                    \
        a->op.x = x;                                                                                                   \
        a->op.exclude_pad = (avg_) && !a->count_include_pad;                                                           \
        return hd_##name_##_at(at, &a->op);                                                                            \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .args_size = sizeof(pool##dims_),                                               \
                                       .options = name_##_options,                                                     \
                                       .build = build_##name_};

POOL(max_pool2d, 2d, false, "the largest element of each window")
POOL(avg_pool2d, 2d, true, "the mean of each window")
POOL(max_pool1d, 1d, false, "the largest element of each window of a signal")
POOL(avg_pool1d, 1d, true, "the mean of each window of a signal")
POOL(max_pool3d, 3d, false, "the largest element of each window of a volume")
POOL(avg_pool3d, 3d, true, "the mean of each window of a volume")

/* ---- to a given size ---- */

static const hd_option adaptive2d_options[] = {
    HD_LAYER_OPT(hd_adaptive_pool2d_args, output_size, HD_OPT_INTS, 2, .def = 1, .min = 0, .max = HD_LAYER_MAX,
                 .help = "height and width of the result; 0: as the picture"),
    HD_OPTION_END,
};
static const hd_option adaptive1d_options[] = {
    HD_LAYER_OPT(hd_pool1d_args, output_size, HD_OPT_INT, 1, .def = 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "length of the result"),
    HD_OPTION_END,
};

static const hd_option adaptive3d_options[] = {
    HD_LAYER_OPT(hd_pool3d_args, output_size, HD_OPT_INTS, 3, .def = 1, .min = 0, .max = HD_LAYER_MAX,
                 .help = "depth, height and width of the result; 0: as the volume"),
    HD_OPTION_END,
};

HD_LAYER_PLAIN(adaptive_avg_pool2d, hd_adaptive_pool2d_args, hd_adaptive_avg_pool2d_at, adaptive2d_options,
               "means of windows that give a picture of output_size")
HD_LAYER_PLAIN(adaptive_max_pool2d, hd_adaptive_pool2d_args, hd_adaptive_max_pool2d_at, adaptive2d_options,
               "largest elements of windows that give a picture of output_size")
HD_LAYER_PLAIN(adaptive_avg_pool1d, hd_pool1d_args, hd_avg_pool1d_at, adaptive1d_options,
               "means of windows that give a signal of output_size")
HD_LAYER_PLAIN(adaptive_max_pool1d, hd_pool1d_args, hd_max_pool1d_at, adaptive1d_options,
               "largest elements of windows that give a signal of output_size")

HD_LAYER_PLAIN(adaptive_avg_pool3d, hd_pool3d_args, hd_avg_pool3d_at, adaptive3d_options,
               "means of windows that give a volume of output_size")
HD_LAYER_PLAIN(adaptive_max_pool3d, hd_pool3d_args, hd_max_pool3d_at, adaptive3d_options,
               "largest elements of windows that give a volume of output_size")

/* ---- by powers ---- */

#define LP_OPTIONS(count_)                                                                                             \
    HD_LAYER_OPT(hd_lp_pool_args, p, HD_OPT_FLOAT, 1, .def = 2, .help = "the power"),                                  \
        HD_LAYER_OPT(hd_lp_pool_args, kernel_size, HD_OPT_INTS, count_, .def = 2, .min = 1, .max = HD_LAYER_MAX,       \
                     .help = "size of a window"),                                                                      \
        HD_LAYER_OPT(hd_lp_pool_args, stride, HD_OPT_INTS, count_, .min = 1, .max = HD_LAYER_MAX,                      \
                     .help = "from one window to the next; as kernel_size when not given"),                            \
        HD_LAYER_OPT(hd_lp_pool_args, ceil_mode, HD_OPT_BOOL, 1,                                                       \
                     .help = "windows that reach over the edge count too"),                                            \
        HD_OPTION_END
static const hd_option lp1d_options[] = {LP_OPTIONS(1)};
static const hd_option lp2d_options[] = {LP_OPTIONS(2)};
HD_LAYER_PLAIN(lp_pool1d, hd_lp_pool_args, hd_lp_pool_at, lp1d_options, "(Σ xᵖ)^(1/p) of each window of a signal")
HD_LAYER_PLAIN(lp_pool2d, hd_lp_pool_args, hd_lp_pool_at, lp2d_options, "(Σ xᵖ)^(1/p) of each window")

static hd_val build_global(hd_loc at, hd_val x, const char *name, void *args) {
    (void)name, (void)args;
    return hd_global_avg_pool_at(at, &(hd_unary_args){.x = x});
}
const hd_layer hd_layer_global_avg_pool = {
    .name = "global_avg_pool", .help = "the mean of each channel: 1×1 pictures", .build = build_global};
