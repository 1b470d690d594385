/* squeezenet.c: SqueezeNet 1.0 and 1.1, AlexNet's accuracy with a fiftieth of its parameters; torchvision's names. */
#include "zoo/picture_kit.h"

typedef struct squeezenet_args {
    double dropout;
} squeezenet_args;

/* What stands at places 0 … 12 of torchvision's list: the squeezed width of a fire module (which expands to eight times
 * of it), or 0: a pooling or the ReLU of the first convolution. */
typedef struct squeezenet {
    int64_t channels, size; /* of the first convolution */
    int8_t squeeze[13];
} squeezenet;
enum { RELU = 0, POOL = -1 };
static const squeezenet squeezenet_1_0 = {96, 7, {RELU, RELU, POOL, 16, 16, 32, POOL, 32, 48, 48, 64, POOL, 64}};
static const squeezenet squeezenet_1_1 = {64, 3, {RELU, RELU, POOL, 16, 16, POOL, 32, 32, POOL, 48, 48, 64, 64}};

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t out, int64_t size, int64_t stride, int64_t around) {
    const hd_zoo_filter f = {
        .out = out, .size = size, .stride = stride, .around = around, .bias = true, .start = HD_START_FAN_IN_EVEN};
    return hd_zoo_conv_relu(at, x, name, &f);
}

/* A narrow 1×1 convolution, then 1×1 and 3×3 ones side by side. */
static hd_val fire(hd_loc at, hd_val x, int place, int64_t squeeze) {
    const hd_val s = conv(at, x, HD_ZOO_CALLED("features.%d.squeeze", place), squeeze, 1, 1, 0);
    const hd_val both[] = {conv(at, s, HD_ZOO_CALLED("features.%d.expand1x1", place), 4 * squeeze, 1, 1, 0),
                           conv(at, s, HD_ZOO_CALLED("features.%d.expand3x3", place), 4 * squeeze, 3, 1, 1)};
    return hd_zoo_join(at, both, 2);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args, const squeezenet *v) {
    const squeezenet_args *a = args;
    hd_val h = conv(at, x, "features.0", v->channels, v->size, 2, 0);
    for (int i = 2; i < 13; i++)
        h = v->squeeze[i] == POOL ? hd_zoo_max_pool(at, h, 3, 2, 0, true) : fire(at, h, i, v->squeeze[i]);
    const hd_zoo_filter last = {.out = outputs, .size = 1, .bias = true, .start = HD_START_SMALL};
    h = hd_zoo_conv_relu(at, hd_zoo_drop(at, h, a->dropout), "classifier.1", &last);
    return hd_zoo_rows(at, hd_zoo_shrink(at, h, 1));
}

static const hd_option options[] = {HD_ZOO_DROPOUT(squeezenet_args, 0.5), HD_OPTION_END};

#define SQUEEZENET(version_, description_)                                                                             \
    HD_ZOO_MEMBER(squeezenet##version_, &squeezenet_##version_, .description = description_,                           \
                  .authors = "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",                                        \
                  .paper = "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, arXiv:1602.07360",           \
                  .year = 2016, HD_ZOO_IMAGENET, .args_size = sizeof(squeezenet_args), .options = options)

SQUEEZENET(1_0, "modules that squeeze and expand: as accurate as AlexNet with a fiftieth of its parameters")
SQUEEZENET(1_1, "SqueezeNet with earlier pooling: as accurate, with less than half of the work")
