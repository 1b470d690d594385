/* nn_shapes.c: layers without parameters that change shapes: flatten, rims around pictures and signals, pixel shuffle.
 */
#include "nn/layer.h"

static const hd_option flatten_options[] = {
    HD_LAYER_OPT(hd_flatten_args, start_axis, HD_OPT_AXIS, 1, .def = HD_AXIS(1), .help = "first axis of those joined"),
    HD_LAYER_OPT(hd_flatten_args, end_axis, HD_OPT_AXIS, 1, .def = -1, .help = "last axis of those joined"),
    HD_OPTION_END,
};
HD_LAYER_PLAIN(flatten, hd_flatten_args, hd_flatten_at, flatten_options,
               "joins all axes of a sample into one: pictures become rows of numbers")

/* ---- rims ---- */

/* PyTorch's order: left, right, top, bottom. */
typedef struct rim {
    int64_t padding[4];
    double value;
} rim;

static hd_val pad(hd_loc at, hd_val x, const rim *a, int dims, int64_t mode, const char *type) {
    char text[192];
    if (!hd_layer_ready(x)) return (hd_val){0};
    const hd_dims have = hd_val_dims(x);
    const int rank = have.rank;
    if (rank <= dims)
        return hd_layer_refuse(x.graph, at, type, NULL, "It pads the last axes behind a batch",
                               "expects %d axes or more, its input is %s", dims + 1, hd_dims_text(text, &have));
    hd_pad_args p = {.x = x, .mode = mode, .value = a->value, .before = {.rank = rank}, .after = {.rank = rank}};
    for (int i = 0; i < dims; i++) {
        p.before.dim[rank - 1 - i] = a->padding[2 * i];
        p.after.dim[rank - 1 - i] = a->padding[2 * i + 1];
    }
    return hd_pad_at(at, &p);
}

#define RIM_OPTION(count_)                                                                                             \
    HD_LAYER_OPT(rim, padding, HD_OPT_INTS, count_, .min = -HD_LAYER_MAX, .max = HD_LAYER_MAX,                         \
                 .help = "left, right (and top, bottom), or one number; negative: cut off")
static const hd_option rim2_options[] = {RIM_OPTION(2), HD_OPTION_END};
static const hd_option rim4_options[] = {RIM_OPTION(4), HD_OPTION_END};
#define VALUE_OPTION HD_LAYER_OPT(rim, value, HD_OPT_FLOAT, 1, .help = "what the rim holds")
static const hd_option value2_options[] = {RIM_OPTION(2), VALUE_OPTION, HD_OPTION_END};
static const hd_option value4_options[] = {RIM_OPTION(4), VALUE_OPTION, HD_OPTION_END};

#define PAD(name_, dims_, mode_, options_, help_)                                                                      \
    static hd_val build_##name_(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        (void)name;                                                                                                    \
        return pad(at, x, args, dims_, mode_, #name_);                                                                 \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {                                                                                \
        .name = #name_, .help = help_, .args_size = sizeof(rim), .options = options_, .build = build_##name_};

PAD(zero_pad2d, 2, HD_PAD_CONSTANT, rim4_options, "zeros around pictures")
PAD(constant_pad1d, 1, HD_PAD_CONSTANT, value2_options, "one number around signals")
PAD(constant_pad2d, 2, HD_PAD_CONSTANT, value4_options, "one number around pictures")
PAD(reflection_pad1d, 1, HD_PAD_REFLECT, rim2_options, "signals mirrored at their ends")
PAD(reflection_pad2d, 2, HD_PAD_REFLECT, rim4_options, "pictures mirrored at their edges")
PAD(replication_pad1d, 1, HD_PAD_REPLICATE, rim2_options, "the ends of signals repeated")
PAD(replication_pad2d, 2, HD_PAD_REPLICATE, rim4_options, "the edges of pictures repeated")
PAD(circular_pad1d, 1, HD_PAD_CIRCULAR, rim2_options, "signals around which they begin again")
PAD(circular_pad2d, 2, HD_PAD_CIRCULAR, rim4_options, "pictures around which they begin again")

/* ---- pixels ---- */

#define FACTOR(name_, help_)                                                                                           \
    {                                                                                                                  \
        .name = name_, .type = HD_OPT_INT, .offset = offsetof(hd_pixel_shuffle_args, factor), .count = 1, .def = 2,    \
        .min = 1, .max = 1 << 15, .help = help_                                                                        \
    }
static const hd_option shuffle_options[] = {FACTOR("upscale_factor", "how much larger height and width become"),
                                            HD_OPTION_END};
static const hd_option unshuffle_options[] = {FACTOR("downscale_factor", "how much smaller height and width become"),
                                              HD_OPTION_END};
HD_LAYER_PLAIN(pixel_shuffle, hd_pixel_shuffle_args, hd_pixel_shuffle_at, shuffle_options,
               "channels become pixels: pictures r times as high and wide, of c/r² channels")
HD_LAYER_PLAIN(pixel_unshuffle, hd_pixel_shuffle_args, hd_pixel_unshuffle_at, unshuffle_options,
               "pixels become channels: pictures of 1/r the height and width, of c·r²")
