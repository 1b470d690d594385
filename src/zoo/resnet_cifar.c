/* resnet_cifar.c: residual networks for small pictures (section 4.2 of the paper): three stages of 16, 32 and 64
 * channels, 6n + 2 layers. Names are those of the weights that are passed around for them. */
#include "zoo/picture_kit.h"
#include <math.h>

typedef struct resnet_cifar_args {
    int64_t shortcut; /* enum below */
    int64_t width;
} resnet_cifar_args;
enum { SHORTCUT_A, SHORTCUT_B };

/* Shortcut A: every second row and column, new channels of zeros on both sides: no parameters. */
static hd_val plain_shortcut(hd_loc at, hd_val x, int64_t channels, int64_t stride) {
    const hd_dims d = hd_val_dims(x);
    const int64_t more = d.rank == 4 ? channels - d.dim[1] : 0;
    if (stride > 1)
        x = hd_avg_pool2d_at(at, &(hd_pool2d_args){.x = x, .kernel_size = {1, 1}, .stride = {stride, stride}});
    if (more == 0) return x;
    return hd_pad_at(
        at, &(hd_pad_args){.x = x, .before = HD_DIMS(0, more / 2, 0, 0), .after = HD_DIMS(0, more - more / 2, 0, 0)});
}

static hd_val trained_shortcut(hd_loc at, hd_val x, const char *name, int64_t channels, int64_t stride) {
    const hd_zoo_filter f = {.out = channels, .size = 1, .stride = stride, .start = HD_START_FAN_IN};
    return hd_zoo_norm(at, hd_zoo_conv(at, x, HD_ZOO_CALLED("%s.shortcut.0", name), &f),
                       HD_ZOO_CALLED("%s.shortcut.1", name));
}

static hd_val block(hd_loc at, hd_val x, const char *name, int64_t channels, int64_t stride, int64_t kind) {
    hd_zoo_filter f = {.out = channels, .size = 3, .stride = stride, .around = 1, .start = HD_START_FAN_IN};
    hd_val h = hd_zoo_conv_norm(at, x, HD_ZOO_CALLED("%s.conv1", name), HD_ZOO_CALLED("%s.bn1", name), &f);
    f.stride = 1;
    h = hd_zoo_norm(at, hd_zoo_conv(at, h, HD_ZOO_CALLED("%s.conv2", name), &f), HD_ZOO_CALLED("%s.bn2", name));
    if (stride > 1)
        x = kind == SHORTCUT_A ? plain_shortcut(at, x, channels, stride)
                               : trained_shortcut(at, x, name, channels, stride);
    return hd_zoo_relu(at, hd_add_at(at, &(hd_binary_args){.a = h, .b = x}));
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args, int blocks) {
    const resnet_cifar_args *a = args;
    const hd_zoo_filter first = {.out = a->width, .size = 3, .around = 1, .start = HD_START_FAN_IN};
    hd_val h = hd_zoo_conv_norm(at, x, "conv1", "bn1", &first);
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < blocks; i++)
            h = block(at, h, HD_ZOO_CALLED("layer%d.%d", s + 1, i), a->width << s, s > 0 && i == 0 ? 2 : 1,
                      a->shortcut);
    h = hd_zoo_rows(at, hd_zoo_shrink(at, h, 1));
    return hd_zoo_linear_from(at, h, "linear", outputs, HD_START_FAN_IN, NAN);
}

static const char *const shortcuts[] = {"A", "B", NULL};
static const hd_option options[] = {
    HD_ZOO_OPT(resnet_cifar_args, shortcut, ENUM, .choices = shortcuts,
               .help = "where sizes change: A every second pixel and channels of zeros, B a 1×1 convolution"),
    HD_ZOO_OPT(resnet_cifar_args, width, INT, .def = 16, .min = 1, .max = 1e6, .help = "channels of the first stage"),
    HD_OPTION_END,
};

#define RESNET_CIFAR(depth_)                                                                                           \
    HD_ZOO_MEMBER(resnet##depth_, ((depth_)-2) / 6,                                                                    \
                  .description = #depth_ " layers with shortcuts, for 32×32 pictures",                                 \
                  .authors = "He, Zhang, Ren, Sun",                                                                    \
                  .paper = "Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385", .year = 2015,  \
                  .data = "cifar10", .sample = {3, {3, 32, 32}}, .outputs = 10, .loss = "cross_entropy",               \
                  .args_size = sizeof(resnet_cifar_args), .options = options)

RESNET_CIFAR(20)
RESNET_CIFAR(32)
RESNET_CIFAR(44)
RESNET_CIFAR(56)
RESNET_CIFAR(110)
