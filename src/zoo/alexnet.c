/* alexnet.c: AlexNet, the network that won ImageNet 2012: as torchvision has it (one GPU, Krizhevsky 2014), and as it
 * was published (two groups, local response normalisation), under Caffe's names. */
#include "zoo/picture_kit.h"

typedef struct alexnet_args {
    int64_t form; /* enum below */
    double dropout;
} alexnet_args;
enum { FORM_2014, FORM_2012 };

/* One convolution with ReLU; pool: a 3×3 max-pooling with stride 2 behind it. */
typedef struct stage {
    const char *name;
    hd_zoo_filter filter;
    bool norm, pool;
} stage;

static const stage stages_2014[] = {
    {"features.0", {.out = 64, .size = 11, .stride = 4, .around = 2, .bias = true}, .norm = false, .pool = true},
    {"features.3", {.out = 192, .size = 5, .around = 2, .bias = true}, .norm = false, .pool = true},
    {"features.6", {.out = 384, .size = 3, .around = 1, .bias = true}, .norm = false, .pool = false},
    {"features.8", {.out = 256, .size = 3, .around = 1, .bias = true}, .norm = false, .pool = false},
    {"features.10", {.out = 256, .size = 3, .around = 1, .bias = true}, .norm = false, .pool = true},
};

#define FILTER_2012(out_, size_, groups_, bias_)                                                                       \
    {                                                                                                                  \
        .out = out_, .size = size_, .around = (size_) / 2, .groups = groups_, .bias = true, .start = HD_START_SMALL,   \
        .bias_start = bias_                                                                                            \
    }
static const stage stages_2012[] = {
    {"conv1",
     {.out = 96, .size = 11, .stride = 4, .around = 2, .bias = true, .start = HD_START_SMALL},
     .norm = true,
     .pool = true},
    {"conv2", FILTER_2012(256, 5, 2, 1), .norm = true, .pool = true},
    {"conv3", FILTER_2012(384, 3, 1, 0), .norm = false, .pool = false},
    {"conv4", FILTER_2012(384, 3, 2, 1), .norm = false, .pool = false},
    {"conv5", FILTER_2012(256, 3, 2, 1), .norm = false, .pool = true},
};
enum { STAGES = 5 };

/* y = x / (2 + 1e-4 Σ x²)^0.75, the sum over five channels around each; the op divides its alpha by their number. */
static hd_val normalise(hd_loc at, hd_val x) {
    return hd_local_response_norm_at(
        at, &(hd_local_response_norm_args){.x = x, .size = 5, .alpha = 5e-4, .beta = 0.75, .k = 2});
}

static hd_val classify(hd_loc at, hd_val h, int64_t outputs, double dropout, bool plain) {
    const char *const names[2][3] = {{"fc6", "fc7", "fc8"}, {"classifier.1", "classifier.4", "classifier.6"}};
    for (int i = 0; i < 2; i++) {
        if (plain)
            h = hd_zoo_relu(at, hd_zoo_dense(at, hd_zoo_drop(at, h, dropout), names[1][i], 4096));
        else
            h = hd_zoo_drop(at, hd_zoo_relu(at, hd_zoo_linear_from(at, h, names[0][i], 4096, HD_START_SMALL, 1)),
                            dropout);
    }
    return plain ? hd_zoo_dense(at, h, names[1][2], outputs)
                 : hd_zoo_linear_from(at, h, names[0][2], outputs, HD_START_SMALL, 0);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const alexnet_args *a = args;
    const bool plain = a->form == FORM_2014;
    hd_val h = x;
    for (int i = 0; i < STAGES; i++) {
        const stage *s = plain ? &stages_2014[i] : &stages_2012[i];
        h = hd_zoo_conv_relu(at, h, s->name, &s->filter);
        if (s->norm) h = normalise(at, h);
        if (s->pool) h = hd_zoo_max_pool(at, h, 3, 2, 0, false);
    }
    return classify(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 6)), outputs, a->dropout, plain);
}

static const char *const forms[] = {"2014", "2012", NULL};
static const hd_option options[] = {
    HD_ZOO_OPT(alexnet_args, form, ENUM, .choices = forms,
               .help =
                   "2014: torchvision's, for one device; 2012: as published, two groups and response normalisation"),
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
