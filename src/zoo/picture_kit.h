/* picture_kit.h: what networks for pictures share: layers under numbered names, with the initial values of torchvision.
 * Knows no network. */
#ifndef HADAL_ZOO_PICTURE_KIT_H
#define HADAL_ZOO_PICTURE_KIT_H
#include "zoo/zoo_kit.h"

enum { HD_ZOO_NAME = 64 };
/* The name of a layer from its parts, printf's manner, in memory of the calling block. */
#define HD_ZOO_CALLED(...) hd_zoo_called((char[HD_ZOO_NAME]){0}, __VA_ARGS__)
const char *hd_zoo_called(char *buffer, const char *format, ...) HD_PRINTF(2, 3);

/* How weights start. He et al. 2015 keep the size of what goes forward (fan in) or back (fan out). */
typedef enum hd_zoo_start {
    HD_START_USUAL,       /* the layer's own way */
    HD_START_FAN_IN,      /* normal, deviation √(2 / fan in) */
    HD_START_FAN_OUT,     /* normal, deviation √(2 / fan out) */
    HD_START_FAN_IN_EVEN, /* uniform in ±√(6 / fan in) */
    HD_START_SMALL        /* normal, deviation 0.01 */
} hd_zoo_start;
hd_init hd_zoo_init(hd_zoo_start start, double fan_in, double fan_out);

/* A square convolution. */
typedef struct hd_zoo_filter {
    int64_t out, size;      /* channels, height and width */
    int64_t stride, around; /* 0: 1; rim on each side */
    int64_t groups;         /* 0: 1 */
    bool bias;
    hd_zoo_start start;
    double bias_start; /* where `start` is not the usual */
} hd_zoo_filter;
hd_val hd_zoo_conv(hd_loc at, hd_val x, const char *name, const hd_zoo_filter *f);
hd_val hd_zoo_norm(hd_loc at, hd_val x, const char *name);
/* relu(conv(x)), relu(norm(conv(x))). */
hd_val hd_zoo_conv_relu(hd_loc at, hd_val x, const char *name, const hd_zoo_filter *f);
hd_val hd_zoo_conv_norm(hd_loc at, hd_val x, const char *conv, const char *norm, const hd_zoo_filter *f);
hd_val hd_zoo_max_pool(hd_loc at, hd_val x, int64_t size, int64_t stride, int64_t around, bool ceil_mode);
/* Means of windows that give size × size; x itself where it is so large already. */
hd_val hd_zoo_shrink(hd_loc at, hd_val x, int64_t size);
hd_val hd_zoo_join(hd_loc at, const hd_val *x, int64_t n); /* along channels */
/* x wᵀ + b that starts in a way of its own; bias_start NAN: the bias in the layer's. */
hd_val hd_zoo_linear_from(hd_loc at, hd_val x, const char *name, int64_t out, hd_zoo_start start, double bias_start);

/* A member of a family: `spec_` tells it from its sisters. */
#define HD_ZOO_MEMBER(id_, spec_, ...)                                                                                 \
    static hd_val build_##id_(hd_loc at, hd_val x, int64_t outputs, const void *args) {                                \
        return build(at, x, outputs, args, spec_);                                                                     \
    }                                                                                                                  \
    const hd_zoo_entry hd_zoo_##id_ = {.name = #id_, .build = build_##id_, __VA_ARGS__};
/* Shape and loss of networks for ImageNet's pictures. */
#define HD_ZOO_IMAGENET .sample = {3, {3, 224, 224}}, .outputs = 1000, .loss = "cross_entropy"
#endif
