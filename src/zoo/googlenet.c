/* googlenet.c: GoogLeNet (Inception v1) as torchvision has it: batch normalisation, and 3×3 instead of 5×5 in the third
 * branch of a module, as its published weights want. Two further classifiers may help to train it: their losses count
 * 0.3 each, and they are left out of predictions. */
#include "zoo/picture_kit.h"
#include <math.h>

typedef struct googlenet_args {
    bool aux;
    double dropout, dropout_aux;
} googlenet_args;

/* Widths of a module's branches: 1×1; 1×1 then 3×3; 1×1 then 3×3 again; pooling then 1×1. */
typedef struct inception {
    const char *name;
    int16_t c1, c3_in, c3, c5_in, c5, pool;
} inception;

static hd_val conv(hd_loc at, hd_val x, const char *name, int64_t out, int64_t size, int64_t stride) {
    const hd_zoo_filter f = {.out = out, .size = size, .stride = stride, .around = size / 2, .start = HD_START_SMALL};
    const hd_val h = hd_zoo_conv(at, x, HD_ZOO_CALLED("%s.conv", name), &f);
    return hd_zoo_relu(at, hd_nn_batch_norm_at(at, &(hd_nn_batch_norm_args){
                                                       .x = h, .name = HD_ZOO_CALLED("%s.bn", name), .eps = 1e-3}));
}

static hd_val module(hd_loc at, hd_val x, const inception *m) {
    const hd_val b2 = conv(at, x, HD_ZOO_CALLED("%s.branch2.0", m->name), m->c3_in, 1, 1);
    const hd_val b3 = conv(at, x, HD_ZOO_CALLED("%s.branch3.0", m->name), m->c5_in, 1, 1);
    const hd_val b4 = hd_zoo_max_pool(at, x, 3, 1, 1, true);
    const hd_val all[] = {conv(at, x, HD_ZOO_CALLED("%s.branch1", m->name), m->c1, 1, 1),
                          conv(at, b2, HD_ZOO_CALLED("%s.branch2.1", m->name), m->c3, 3, 1),
                          conv(at, b3, HD_ZOO_CALLED("%s.branch3.1", m->name), m->c5, 3, 1),
                          conv(at, b4, HD_ZOO_CALLED("%s.branch4.1", m->name), m->pool, 1, 1)};
    return hd_zoo_join(at, all, 4);
}

/* A classifier in the middle of the network. */
static void classify_early(hd_loc at, hd_val x, const char *name, int64_t outputs, double dropout) {
    hd_val h = conv(at, hd_zoo_shrink(at, x, 4), HD_ZOO_CALLED("%s.conv", name), 128, 1, 1);
    h = hd_zoo_relu(
        at, hd_zoo_linear_from(at, hd_zoo_rows(at, h), HD_ZOO_CALLED("%s.fc1", name), 1024, HD_START_SMALL, NAN));
    h = hd_zoo_drop(at, h, dropout);
    (void)hd_name(hd_zoo_linear_from(at, h, HD_ZOO_CALLED("%s.fc2", name), outputs, HD_START_SMALL, NAN), name);
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    static const inception modules[] = {
        {"inception3a", 64, 96, 128, 16, 32, 32},     {"inception3b", 128, 128, 192, 32, 96, 64},
        {"inception4a", 192, 96, 208, 16, 48, 64},    {"inception4b", 160, 112, 224, 24, 64, 64},
        {"inception4c", 128, 128, 256, 24, 64, 64},   {"inception4d", 112, 144, 288, 32, 64, 64},
        {"inception4e", 256, 160, 320, 32, 128, 128}, {"inception5a", 256, 160, 320, 32, 128, 128},
        {"inception5b", 384, 192, 384, 48, 128, 128},
    };
    const googlenet_args *a = args;
    hd_val h = hd_zoo_max_pool(at, conv(at, x, "conv1", 64, 7, 2), 3, 2, 0, true);
    h = conv(at, conv(at, h, "conv2", 64, 1, 1), "conv3", 192, 3, 1);
    h = hd_zoo_max_pool(at, h, 3, 2, 0, true);
    for (int i = 0; i < 9; i++) {
        h = module(at, h, &modules[i]);
        if (i == 1) h = hd_zoo_max_pool(at, h, 3, 2, 0, true);
        if (i == 2 && a->aux) classify_early(at, h, "aux1", outputs, a->dropout_aux);
        if (i == 5 && a->aux) classify_early(at, h, "aux2", outputs, a->dropout_aux);
        if (i == 6) h = hd_zoo_max_pool(at, h, 2, 2, 0, true);
    }
    h = hd_zoo_drop(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 1)), a->dropout);
    return hd_zoo_linear_from(at, h, "fc", outputs, HD_START_SMALL, NAN);
}

static const hd_option options[] = {
    HD_ZOO_OPT(googlenet_args, aux, BOOL, .help = "two further classifiers while training"),
    HD_ZOO_DROPOUT(googlenet_args, 0.2),
    HD_ZOO_OPT(googlenet_args, dropout_aux, FLOAT, .def = 0.7, .min = 0, .max = 1,
               .help = "share that dropout sets to 0 in the further classifiers"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_googlenet = {
    .name = "googlenet",
    .description = "modules of filters of several sizes side by side: winner of ImageNet 2014",
    .authors = "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    .paper = "Going deeper with convolutions, CVPR 2015, arXiv:1409.4842",
    .year = 2014,
    HD_ZOO_IMAGENET,
    .args_size = sizeof(googlenet_args),
    .options = options,
    .build = build,
};
