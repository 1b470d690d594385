/* resnet.c: residual networks for ImageNet's pictures, torchvision's names and form ("v1.5": a bottleneck strides in
 * its 3×3 convolution). */
#include "zoo/picture_kit.h"

typedef struct resnet_args {
    int64_t groups, width_per_group;
    bool zero_init_residual;
} resnet_args;

typedef struct resnet {
    int8_t blocks[4];
    bool bottleneck;
} resnet;

/* One block: where it is and what it makes. */
typedef struct block {
    const char *name;
    int64_t channels, stride;
    const resnet_args *args;
} block;

static hd_zoo_filter filter(int64_t out, int64_t size, int64_t stride) {
    return (hd_zoo_filter){.out = out, .size = size, .stride = stride, .around = size / 2, .start = HD_START_FAN_OUT};
}

/* Part k of a block: convolution and norm; the last norm of a branch may start at zero. */
static hd_val part(hd_loc at, hd_val x, const block *b, int k, hd_zoo_filter f) {
    return hd_zoo_norm(at, hd_zoo_conv(at, x, HD_ZOO_CALLED("%s.conv%d", b->name, k), &f),
                       HD_ZOO_CALLED("%s.bn%d", b->name, k));
}

static hd_val last_part(hd_loc at, hd_val x, const block *b, int k, hd_zoo_filter f) {
    const hd_init zeros = HD_ZEROS;
    const hd_val h = hd_zoo_conv(at, x, HD_ZOO_CALLED("%s.conv%d", b->name, k), &f);
    return hd_nn_batch_norm_at(at,
                               &(hd_nn_batch_norm_args){.x = h,
                                                        .name = HD_ZOO_CALLED("%s.bn%d", b->name, k),
                                                        .weight_init = b->args->zero_init_residual ? &zeros : NULL});
}

static hd_val shortcut(hd_loc at, hd_val x, const block *b, int64_t out) {
    const hd_dims d = hd_val_dims(x);
    if (d.rank != 4 || (d.dim[1] == out && b->stride == 1)) return x;
    const hd_zoo_filter f = filter(out, 1, b->stride);
    return hd_zoo_norm(at, hd_zoo_conv(at, x, HD_ZOO_CALLED("%s.downsample.0", b->name), &f),
                       HD_ZOO_CALLED("%s.downsample.1", b->name));
}

static hd_val joined(hd_loc at, hd_val h, hd_val x) {
    return hd_zoo_relu(at, hd_add_at(at, &(hd_binary_args){.a = h, .b = x}));
}

static hd_val basic(hd_loc at, hd_val x, const block *b) {
    hd_val h = hd_zoo_relu(at, part(at, x, b, 1, filter(b->channels, 3, b->stride)));
    h = last_part(at, h, b, 2, filter(b->channels, 3, 1));
    return joined(at, h, shortcut(at, x, b, b->channels));
}

static hd_val bottleneck(hd_loc at, hd_val x, const block *b) {
    const int64_t groups = b->args->groups, width = b->channels * b->args->width_per_group / 64 * groups;
    hd_zoo_filter middle = filter(width, 3, b->stride);
    middle.groups = groups;
    hd_val h = hd_zoo_relu(at, part(at, x, b, 1, filter(width, 1, 1)));
    h = hd_zoo_relu(at, part(at, h, b, 2, middle));
    h = last_part(at, h, b, 3, filter(4 * b->channels, 1, 1));
    return joined(at, h, shortcut(at, x, b, 4 * b->channels));
}

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args, const resnet *r) {
    const resnet_args *a = args;
    if (!r->bottleneck && (a->groups != 1 || a->width_per_group != 64))
        return hd_zoo_refuse(at, x, "groups and width_per_group are for networks with bottlenecks",
                             "Take resnet50 or deeper");
    const hd_zoo_filter first = {.out = 64, .size = 7, .stride = 2, .around = 3, .start = HD_START_FAN_OUT};
    hd_val h = hd_zoo_max_pool(at, hd_zoo_conv_norm(at, x, "conv1", "bn1", &first), 3, 2, 1, false);
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < r->blocks[s]; i++) {
            const block b = {HD_ZOO_CALLED("layer%d.%d", s + 1, i), (int64_t)64 << s, s > 0 && i == 0 ? 2 : 1, a};
            h = r->bottleneck ? bottleneck(at, h, &b) : basic(at, h, &b);
        }
    return hd_zoo_dense(at, hd_zoo_rows(at, hd_zoo_shrink(at, h, 1)), "fc", outputs);
}

static const hd_option options[] = {
    HD_ZOO_OPT(resnet_args, groups, INT, .def = 1, .min = 1, .max = 1e6,
               .help = "groups of a bottleneck's 3×3 convolution (ResNeXt: 32)"),
    HD_ZOO_OPT(resnet_args, width_per_group, INT, .def = 64, .min = 1, .max = 1e6,
               .help = "width of a bottleneck's group (ResNeXt: 4; wide: 128)"),
    HD_ZOO_OPT(resnet_args, zero_init_residual, BOOL, .help = "each block starts as its shortcut alone"),
    HD_OPTION_END,
};

#define RESNET(depth_, bottleneck_, ...)                                                                               \
    HD_ZOO_MEMBER(resnet##depth_, (&(const resnet){__VA_ARGS__, bottleneck_}),                                         \
                  .description = #depth_ " layers with shortcuts around each block, so that depth no longer hurts",    \
                  .authors = "He, Zhang, Ren, Sun",                                                                    \
                  .paper = "Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385", .year = 2015,  \
                  HD_ZOO_IMAGENET, .args_size = sizeof(resnet_args), .options = options)

RESNET(18, false, {2, 2, 2, 2})
RESNET(34, false, {3, 4, 6, 3})
RESNET(50, true, {3, 4, 6, 3})
RESNET(101, true, {3, 4, 23, 3})
RESNET(152, true, {3, 8, 36, 3})
