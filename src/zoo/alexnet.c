/* alexnet.c: AlexNet, the network that won ImageNet 2012: as torchvision has it (one GPU, Krizhevsky 2014). */
#include "zoo/picture_kit.h"

typedef struct alexnet_args {
    double dropout;
} alexnet_args;

/* One convolution with ReLU; pool: a 3×3 max-pooling with stride 2 behind it. */
typedef struct stage {
    const char *name;
    hd_zoo_filter filter;
    bool pool;
} stage;

static const stage stages_2014[] = {
    {"features.0", {.out = 64, .size = 11, .stride = 4, .around = 2, .bias = true}, .pool = true},
    {"features.3", {.out = 192, .size = 5, .around = 2, .bias = true}, .pool = true},
    {"features.6", {.out = 384, .size = 3, .around = 1, .bias = true}, .pool = false},
    {"features.8", {.out = 256, .size = 3, .around = 1, .bias = true}, .pool = false},
    {"features.10", {.out = 256, .size = 3, .around = 1, .bias = true}, .pool = true},
};

enum { STAGES = 5 };

static hd_val classify(hd_loc at, hd_val h, int64_t outputs, double dropout) {
    static const char *const names[] = {"classifier.1", "classifier.4"};
    for (int i = 0; i < 2; i++) h = hd_zoo_relu(at, hd_zoo_dense(at, hd_zoo_drop(at, h, dropout), names[i], 4096));
    return hd_zoo_dense(at, h, "classifier.6", outputs);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const alexnet_args *a = args;
    hd_val h = x;
    for (int i = 0; i < STAGES; i++) {
        const stage *s = &stages_2014[i];
        h = hd_zoo_conv_relu(at, h, s->name, &s->filter);
        if (s->pool) h = hd_zoo_max_pool(at, h, 3, 2, 0, false);
    }
    return classify(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 6)), outputs, a->dropout);
}

static const hd_option options[] = {
    HD_ZOO_DROPOUT(alexnet_args, 0.5),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_alexnet = {
    .name = "alexnet",
    .description = "five convolutions and three linear layers, ReLU and dropout: the network that began the deep age",
    .authors = "Krizhevsky, Sutskever, Hinton",
    .paper = "ImageNet classification with deep convolutional neural networks, NIPS 2012; one device: arXiv:1404.5997",
    .year = 2012,
    HD_ZOO_IMAGENET,
    .args_size = sizeof(alexnet_args),
    .options = options,
    .build = build,
};
