/* mobilenet.c: MobileNetV2: depthwise convolutions between narrow layers, for telephones; torchvision's names. */
#include "zoo/picture_kit.h"

typedef struct mobilenet_args {
    double width_mult, dropout;
} mobilenet_args;

/* The nearest multiple of 8 that loses no more than a tenth. */
static int64_t rounded(double channels) {
    const int64_t n = (int64_t)(channels + 4) / 8 * 8, low = n > 8 ? n : 8;
    return (double)low < 0.9 * channels ? low + 8 : low;
}

/* What one inverted residual block is. */
typedef struct block {
    const char *name;
    int64_t expand, out, stride;
} block;

static hd_val relu6(hd_loc at, hd_val x) {
    return hd_relu6_at(at, &(hd_unary_args){.x = x});
}

/* The norm's name is the convolution's with the number behind it. */
static hd_val conv_norm(hd_loc at, hd_val x, const char *name, const char *norm, hd_zoo_filter f) {
    f.start = HD_START_FAN_OUT;
    return hd_zoo_norm(at, hd_zoo_conv(at, x, name, &f), norm);
}

static hd_val inverted_residual(hd_loc at, hd_val x, const block *b) {
    const hd_dims d = hd_val_dims(x);
    const int64_t in = d.rank == 4 ? d.dim[1] : 1, wide = in * b->expand;
    hd_val h = x;
    int k = 0;
    if (b->expand > 1) {
        h = relu6(at, conv_norm(at, h, HD_ZOO_CALLED("%s.conv.0.0", b->name), HD_ZOO_CALLED("%s.conv.0.1", b->name),
                                (hd_zoo_filter){.out = wide, .size = 1}));
        k = 1;
    }
    h = relu6(at, conv_norm(at, h, HD_ZOO_CALLED("%s.conv.%d.0", b->name, k), HD_ZOO_CALLED("%s.conv.%d.1", b->name, k),
                            (hd_zoo_filter){.out = wide, .size = 3, .stride = b->stride, .around = 1, .groups = wide}));
    h = conv_norm(at, h, HD_ZOO_CALLED("%s.conv.%d", b->name, k + 1), HD_ZOO_CALLED("%s.conv.%d", b->name, k + 2),
                  (hd_zoo_filter){.out = b->out, .size = 1});
    return b->stride == 1 && in == b->out ? hd_add_at(at, &(hd_binary_args){.a = x, .b = h}) : h;
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    static const struct {
        int8_t expand, repeat, stride;
        int16_t out;
    } stages[] = {{1, 1, 1, 16}, {6, 2, 2, 24},  {6, 3, 2, 32}, {6, 4, 2, 64},
                  {6, 3, 1, 96}, {6, 3, 2, 160}, {6, 1, 1, 320}};
    const mobilenet_args *a = args;
    hd_val h =
        relu6(at, conv_norm(at, x, "features.0.0", "features.0.1",
                            (hd_zoo_filter){.out = rounded(32 * a->width_mult), .size = 3, .stride = 2, .around = 1}));
    int number = 1;
    for (size_t s = 0; s < sizeof stages / sizeof stages[0]; s++)
        for (int i = 0; i < stages[s].repeat; i++) {
            const block b = {HD_ZOO_CALLED("features.%d", number++), stages[s].expand,
                             rounded(stages[s].out * a->width_mult), i == 0 ? stages[s].stride : 1};
            h = inverted_residual(at, h, &b);
        }
    const double widest = a->width_mult > 1 ? a->width_mult : 1;
    h = relu6(at, conv_norm(at, h, "features.18.0", "features.18.1",
                            (hd_zoo_filter){.out = rounded(1280 * widest), .size = 1}));
    h = hd_zoo_drop(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 1)), a->dropout);
    return hd_zoo_linear_from(at, h, "classifier.1", outputs, HD_START_SMALL, 0);
}

static const hd_option options[] = {
    HD_ZOO_OPT(mobilenet_args, width_mult, FLOAT, .def = 1, .min = 0.05, .max = 100, .help = "all widths times this"),
    HD_ZOO_DROPOUT(mobilenet_args, 0.2),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_mobilenet_v2 = {
    .name = "mobilenet_v2",
    .description = "inverted residual blocks of depthwise convolutions: little work, for small devices",
    .authors = "Sandler, Howard, Zhu, Zhmoginov, Chen",
    .paper = "MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018, arXiv:1801.04381",
    .year = 2018,
    HD_ZOO_IMAGENET,
    .args_size = sizeof(mobilenet_args),
    .options = options,
    .build = build,
};
