/* vgg.c: VGG: 3×3 convolutions all the way down, without and with batch normalisation, torchvision's names. */
#include "zoo/picture_kit.h"

typedef struct vgg_args {
    double dropout;
} vgg_args;

/* Convolutions of the five stages, with 64, 128, 256, 512, 512 channels; a pooling ends each. */
typedef struct vgg {
    int8_t convs[5];
    bool norm;
} vgg;

static hd_val classify(hd_loc at, hd_val h, int64_t outputs, double dropout) {
    h = hd_zoo_relu(at, hd_zoo_linear_from(at, h, "classifier.0", 4096, HD_START_SMALL, 0));
    h = hd_zoo_drop(at, h, dropout);
    h = hd_zoo_relu(at, hd_zoo_linear_from(at, h, "classifier.3", 4096, HD_START_SMALL, 0));
    h = hd_zoo_drop(at, h, dropout);
    return hd_zoo_linear_from(at, h, "classifier.6", outputs, HD_START_SMALL, 0);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args, const vgg *v) {
    static const int64_t channels[] = {64, 128, 256, 512, 512};
    const vgg_args *a = args;
    hd_val h = x;
    int number = 0; /* of the layer in torchvision's list, where ReLU and pooling count */
    for (int s = 0; s < 5; s++) {
        const hd_zoo_filter f = {.out = channels[s], .size = 3, .around = 1, .bias = true, .start = HD_START_FAN_OUT};
        for (int i = 0; i < v->convs[s]; i++) {
            h = hd_zoo_conv(at, h, HD_ZOO_CALLED("features.%d", number++), &f);
            if (v->norm) h = hd_zoo_norm(at, h, HD_ZOO_CALLED("features.%d", number++));
            h = hd_zoo_relu(at, h);
            number++;
        }
        h = hd_zoo_max_pool(at, h, 2, 2, 0, false);
        number++;
    }
    return classify(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 7)), outputs, a->dropout);
}

static const hd_option options[] = {HD_ZOO_DROPOUT(vgg_args, 0.5), HD_OPTION_END};

#define VGG(depth_, ...)                                                                                               \
    HD_ZOO_MEMBER(vgg##depth_, (&(const vgg){__VA_ARGS__, false}), VGG_ENTRY(#depth_ " layers, 3×3 convolutions"))     \
    HD_ZOO_MEMBER(vgg##depth_##_bn, (&(const vgg){__VA_ARGS__, true}),                                                 \
                  VGG_ENTRY(#depth_ " layers, 3×3 convolutions with batch normalisation"))
#define VGG_ENTRY(description_)                                                                                        \
    .description = description_, .authors = "Simonyan, Zisserman",                                                     \
    .paper = "Very deep convolutional networks for large-scale image recognition, ICLR 2015, arXiv:1409.1556",         \
    .year = 2014, HD_ZOO_IMAGENET, .args_size = sizeof(vgg_args), .options = options

VGG(11, {1, 1, 2, 2, 2})
VGG(13, {2, 2, 2, 2, 2})
VGG(16, {2, 2, 3, 3, 3})
VGG(19, {2, 2, 4, 4, 4})
