/* lecun_1989.c: the network that read zip codes: 1,256 units, 64,660 connections, 9,760 weights. Each unit of a picture
 * has a bias of its own, and each map of the second layer sees eight of the twelve maps before it. */
#include "zoo/zoo_kit.h"
#include <math.h>

enum { MAPS = 12, SEEN = 8, KERNEL = 5, HIDDEN = 30 };

/* The paper writes ±2.4/F for F inputs; with the root, sums of F inputs start at the same spread in every layer. */
static hd_init spread(int64_t inputs) {
    const double bound = 2.4 / sqrt((double)inputs);
    return HD_UNIFORM(-bound, bound);
}

/* 5×5 windows at every second place; around the picture lies its background, −1. */
static hd_val maps(hd_loc at, hd_val x, const char *weight, const char *bias, int64_t seen, int64_t groups) {
    const hd_pad_args rim = {.x = x, .before = {4, {0, 0, 2, 2}}, .after = {4, {0, 0, 2, 2}}, .value = -1};
    const hd_val w = hd_param_at(at, x.graph, weight, hd_val_dtype(x), HD_DIMS(MAPS, seen, KERNEL, KERNEL),
                                 spread(seen * KERNEL * KERNEL));
    const hd_val y =
        hd_conv2d_at(at, &(hd_conv2d_args){.x = hd_pad_at(at, &rim), .w = w, .stride = {2, 2}, .groups = groups});
    const hd_dims d = hd_val_dims(y);
    if (d.rank != 4) return (hd_val){0}; /* refused, and the graph says why */
    const hd_val b = hd_param_at(at, x.graph, bias, hd_val_dtype(x), HD_DIMS(MAPS, d.dim[2], d.dim[3]), HD_ZEROS);
    return hd_tanh_at(at, &(hd_unary_args){.x = hd_add_at(at, &(hd_binary_args){.a = y, .b = b})});
}

/* Maps 1–8, 5–12, and 9–12 with 1–4: each third of the second layer sees another eight. */
static hd_val eight_of_twelve(hd_loc at, hd_val x) {
    const hd_val thirds[] = {
        hd_slice_at(at, &(hd_slice_args){.x = x, .axis = HD_AXIS(1), .stop = 8}),
        hd_slice_at(at, &(hd_slice_args){.x = x, .axis = HD_AXIS(1), .start = 4}),
        hd_slice_at(at, &(hd_slice_args){.x = x, .axis = HD_AXIS(1), .start = 8}),
        hd_slice_at(at, &(hd_slice_args){.x = x, .axis = HD_AXIS(1), .stop = 4}),
    };
    return hd_concat_at(at, &(hd_concat_args){.x = thirds, .n = 4});
}

static hd_val units(hd_loc at, hd_val x, const char *weight, const char *bias, int64_t n) {
    const int64_t in = hd_zoo_size(x);
    const hd_val w = hd_param_at(at, x.graph, weight, hd_val_dtype(x), HD_DIMS(n, in), spread(in));
    const hd_val b = hd_param_at(at, x.graph, bias, hd_val_dtype(x), HD_DIMS(n), HD_ZEROS);
    return hd_tanh_at(at, &(hd_unary_args){.x = hd_linear_at(at, &(hd_linear_args){.x = x, .w = w, .b = b})});
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    (void)args;
    const hd_dims d = hd_val_dims(x);
    if (d.rank != 4 || d.dim[1] != 1)
        return hd_zoo_refuse(at, x, "lecun-1989 reads grey pictures", "Train it on usps, or on digits");
    hd_val h = maps(at, x, "h1.weight", "h1.bias", 1, 1);
    h = maps(at, eight_of_twelve(at, h), "h2.weight", "h2.bias", SEEN, MAPS / 4);
    if (hd_val_is_none(h)) return h;
    h = units(at, hd_zoo_rows(at, h), "h3.weight", "h3.bias", HIDDEN);
    /* −1 … 1 becomes 0 … 1: a squared error against 0 and 1 is then a quarter of the one against −1 and 1. */
    return hd_affine_at(
        at, &(hd_affine_args){.x = units(at, h, "out.weight", "out.bias", outputs), .scale = 0.5, .shift = 0.5});
}

const hd_zoo_entry hd_zoo_lecun_1989 = {
    .name = "lecun-1989",
    .description = "the first convolution network trained by back-propagation on real pictures: zip codes, 16×16",
    .authors = "LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    .paper = "Backpropagation applied to handwritten zip code recognition, Neural Computation 1 (4), 1989, "
             "doi:10.1162/neco.1989.1.4.541",
    .year = 1989,
    .data = "usps",
    .sample = {3, {1, 16, 16}},
    .outputs = 10,
    .loss = "mse",
    .keeps_loss = true,
    .build = build,
};
