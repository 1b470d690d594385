/* densenet.c: DenseNet: each layer of a block sees the results of all before it; torchvision's names. */
#include "zoo/picture_kit.h"

typedef struct densenet_args {
    int64_t growth_rate, bn_size;
    double drop_rate;
} densenet_args;
enum { BLOCKS = 4, MOST_LAYERS = 64 };

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t out, int64_t size) {
    return hd_zoo_conv(at, x, name,
                       &(hd_zoo_filter){.out = out, .size = size, .around = size / 2, .start = HD_START_FAN_IN});
}

static hd_val norm_relu(hd_loc at, hd_val x, const char *name) {
    return hd_zoo_relu(at, hd_zoo_norm(at, x, name));
}

/* growth_rate new channels out of all there are. */
static hd_val layer(hd_loc at, hd_val x, const char *name, const densenet_args *a) {
    hd_val h = norm_relu(at, x, HD_ZOO_CALLED("%s.norm1", name));
    h = conv(at, h, HD_ZOO_CALLED("%s.conv1", name), a->bn_size * a->growth_rate, 1);
    h = norm_relu(at, h, HD_ZOO_CALLED("%s.norm2", name));
    h = conv(at, h, HD_ZOO_CALLED("%s.conv2", name), a->growth_rate, 3);
    return hd_zoo_drop(at, h, a->drop_rate);
}

static hd_val block(hd_loc at, hd_val x, int number, int layers, const densenet_args *a) {
    hd_val h = x;
    for (int i = 0; i < layers; i++) {
        const hd_val both[] = {h, layer(at, h, HD_ZOO_CALLED("features.denseblock%d.denselayer%d", number, i + 1), a)};
        h = hd_zoo_join(at, both, 2);
    }
    return h;
}

/* Half of the channels, half of the height and width. */
static hd_val transition(hd_loc at, hd_val x, int number) {
    const hd_dims d = hd_val_dims(x);
    const hd_val h = norm_relu(at, x, HD_ZOO_CALLED("features.transition%d.norm", number));
    return hd_avg_pool2d_at(
        at, &(hd_pool2d_args){.x = conv(at, h, HD_ZOO_CALLED("features.transition%d.conv", number), d.dim[1] / 2, 1),
                              .kernel_size = {2, 2}});
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    static const int layers[BLOCKS] = {6, 12, 24, 16};
    const densenet_args *a = args;
    const hd_zoo_filter first = {
        .out = 2 * a->growth_rate, .size = 7, .stride = 2, .around = 3, .start = HD_START_FAN_IN};
    hd_val h = hd_zoo_conv_norm(at, x, "features.conv0", "features.norm0", &first);
    h = hd_zoo_max_pool(at, h, 3, 2, 1, false);
    for (int k = 0; k < BLOCKS; k++) {
        h = block(at, h, k + 1, layers[k], a);
        if (k + 1 < BLOCKS) h = transition(at, h, k + 1);
    }
    h = hd_zoo_shrink(at, norm_relu(at, h, "features.norm5"), 1);
    return hd_zoo_linear_from(at, hd_zoo_rows(at, h), "classifier", outputs, HD_START_USUAL, 0);
}

static const hd_option options[] = {
    HD_ZOO_OPT(densenet_args, growth_rate, INT, .def = 32, .min = 1, .max = 1e5, .help = "channels that a layer adds"),
    HD_ZOO_OPT(densenet_args, bn_size, INT, .def = 4, .min = 1, .max = 1e4,
               .help = "width of a layer's 1×1 convolution, in growth rates"),
    HD_ZOO_OPT(densenet_args, drop_rate, FLOAT, .min = 0, .max = 1,
               .help = "share that dropout sets to 0 in each layer"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_densenet121 = {
    .name = "densenet121",
    .description = "121 layers, each connected with all before it in its block",
    .authors = "Huang, Liu, van der Maaten, Weinberger",
    .paper = "Densely connected convolutional networks, CVPR 2017, arXiv:1608.06993",
    .year = 2016,
    HD_ZOO_IMAGENET,
    .args_size = sizeof(densenet_args),
    .options = options,
    .build = build,
};
