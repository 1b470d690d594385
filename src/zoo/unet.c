/* unet.c: U-Net: a picture in, a class for every pixel out: four times down and four times up again, with what was seen
 * at each height on the way down put beside what comes up. Names say level and place. */
#include "zoo/picture_kit.h"

typedef struct unet_args {
    int64_t width, depth;
    bool valid;
    double dropout;
} unet_args;
enum { DEEPEST = 8 };

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t out, const unet_args *a) {
    const hd_zoo_filter f = {.out = out, .size = 3, .around = a->valid ? 0 : 1, .bias = true, .start = HD_START_FAN_IN};
    return hd_zoo_conv_relu(at, x, name, &f);
}

static hd_val double_conv(hd_loc at, hd_val x, const char *name, int64_t out, const unet_args *a) {
    x = conv(at, x, HD_ZOO_CALLED("%s.conv1", name), out, a);
    return conv(at, x, HD_ZOO_CALLED("%s.conv2", name), out, a);
}

static hd_val up_conv(hd_loc at, hd_val x, const char *name, int64_t out) {
    const hd_dims d = hd_val_dims(x);
    const hd_init weight = hd_zoo_init(HD_START_FAN_IN, d.rank == 4 ? (double)d.dim[1] : 1, 1), bias = HD_ZEROS;
    return hd_nn_conv_transpose2d_at(at, &(hd_nn_conv_transpose2d_args){.x = x,
                                                                        .name = name,
                                                                        .out_channels = out,
                                                                        .kernel_size = {2, 2},
                                                                        .stride = {2, 2},
                                                                        .weight_init = &weight,
                                                                        .bias_init = &bias});
}

/* The middle of x, or x with a rim of zeros, as large as `like`. */
static hd_val fit(hd_loc at, hd_val x, hd_val like) {
    const hd_dims a = hd_val_dims(x), b = hd_val_dims(like);
    hd_pad_args pad = {.x = x, .before = HD_DIMS(0, 0, 0, 0), .after = HD_DIMS(0, 0, 0, 0)};
    if (a.rank != 4 || b.rank != 4) return x;
    for (int i = 2; i < 4; i++) {
        const int64_t more = b.dim[i] - a.dim[i];
        pad.before.dim[i] = more / 2;
        pad.after.dim[i] = more - more / 2;
    }
    return a.dim[2] == b.dim[2] && a.dim[3] == b.dim[3] ? x : hd_pad_at(at, &pad);
}

/* [B, classes, h, w] → [B, h·w, classes]: labels stand row by row. */
static hd_val by_pixel(hd_loc at, hd_val y) {
    const hd_dims d = hd_val_dims(y);
    if (d.rank != 4) return y;
    const hd_val flat =
        hd_reshape_at(at, &(hd_reshape_args){.x = y, .dims = HD_DIMS(d.dim[0], d.dim[1], d.dim[2] * d.dim[3])});
    return hd_transpose_at(at, &(hd_transpose_args){.x = flat, .axes = HD_DIMS(0, 2, 1)});
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const unet_args *a = args;
    const int depth = (int)a->depth;
    hd_val seen[DEEPEST + 1], h = x;
    for (int i = 0; i < depth; i++) {
        seen[i] = double_conv(at, h, HD_ZOO_CALLED("down%d", i + 1), a->width << i, a);
        h = hd_zoo_max_pool(at, seen[i], 2, 2, 0, false);
    }
    h = double_conv(at, h, "bottom", a->width << depth, a);
    h = hd_zoo_drop(at, h, a->dropout);
    for (int i = depth - 1; i >= 0; i--) {
        h = up_conv(at, h, HD_ZOO_CALLED("up%d.up", i + 1), a->width << i);
        const hd_val both[] = {a->valid ? fit(at, seen[i], h) : seen[i], a->valid ? h : fit(at, h, seen[i])};
        h = double_conv(at, hd_zoo_join(at, both, 2), HD_ZOO_CALLED("up%d", i + 1), a->width << i, a);
    }
    const hd_zoo_filter last = {.out = outputs, .size = 1, .bias = true, .start = HD_START_FAN_IN};
    return by_pixel(at, hd_zoo_conv(at, h, "out", &last));
}

static const hd_option options[] = {
    HD_ZOO_OPT(unet_args, width, INT, .def = 64, .min = 1, .max = 1e6, .help = "channels of the highest level"),
    HD_ZOO_OPT(unet_args, depth, INT, .def = 4, .min = 1, .max = DEEPEST, .help = "how often the picture is halved"),
    HD_ZOO_OPT(unet_args, valid, BOOL, .def = 1,
               .help = "as published, without padding: classes of the middle alone (388×388 of 572×572)"),
    HD_ZOO_OPT(unet_args, dropout, FLOAT, .def = 0.5, .min = 0, .max = 1,
               .help = "share of the deepest level that dropout sets to 0"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_unet = {
    .name = "unet",
    .description = "down and up again with bridges between: a class for every pixel, from few pictures",
    .authors = "Ronneberger, Fischer, Brox",
    .paper = "U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015, arXiv:1505.04597",
    .year = 2015,
    .sample = {3, {1, 572, 572}},
    .outputs = 2,
    .loss = "cross_entropy",
    .args_size = sizeof(unet_args),
    .options = options,
    .build = build,
};
