/* hadal/ops_conv.h: convolution of volumes and transposed convolution; see ops_window.h for the others. */
#ifndef HADAL_OPS_CONV_H
#define HADAL_OPS_CONV_H
#include "hadal/ops_window.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All of these are made of conv2d and its gradients. */

/** 3-D convolution, x [n, c, d, h, w], w [k, c/groups, q, r, s], b [k] or none → [n, k, d', h', w']. */
typedef struct hd_conv3d_args {
    hd_val x, w, b;
    int64_t stride[3], padding[3], dilation[3]; /**< defaults 1, 0, 1; padding: on each side, or HD_SAME */
    int64_t groups;
    int end_;
} hd_conv3d_args;
HD_API hd_val hd_conv3d_at(hd_loc at, const hd_conv3d_args *args);
#define hd_conv3d(...) HD_CALL_(conv3d, __VA_ARGS__)

/** Transposed convolution of signals, x [n, c, l], w [c, k/groups, r], b [k] or none → [n, k, l'] with
 * l' = (l − 1)·stride − 2·padding + dilation·(r − 1) + output_padding + 1. */
typedef struct hd_conv_transpose1d_args {
    hd_val x, w, b;
    int64_t stride, padding, output_padding, groups, dilation; /**< defaults 1, 0, 0, 1, 1 */
    int end_;
} hd_conv_transpose1d_args;
HD_API hd_val hd_conv_transpose1d_at(hd_loc at, const hd_conv_transpose1d_args *args);
#define hd_conv_transpose1d(...) HD_CALL_(conv_transpose1d, __VA_ARGS__)
/** Of pictures: x [n, c, h, w], w [c, k/groups, r, s] → [n, k, h', w']. */
typedef struct hd_conv_transpose2d_args {
    hd_val x, w, b;
    int64_t stride[2], padding[2], output_padding[2];
    int64_t groups;
    int64_t dilation[2];
    int end_;
} hd_conv_transpose2d_args;
HD_API hd_val hd_conv_transpose2d_at(hd_loc at, const hd_conv_transpose2d_args *args);
#define hd_conv_transpose2d(...) HD_CALL_(conv_transpose2d, __VA_ARGS__)
/** Of volumes: x [n, c, d, h, w], w [c, k/groups, q, r, s] → [n, k, d', h', w']. */
typedef struct hd_conv_transpose3d_args {
    hd_val x, w, b;
    int64_t stride[3], padding[3], output_padding[3];
    int64_t groups;
    int64_t dilation[3];
    int end_;
} hd_conv_transpose3d_args;
HD_API hd_val hd_conv_transpose3d_at(hd_loc at, const hd_conv_transpose3d_args *args);
#define hd_conv_transpose3d(...) HD_CALL_(conv_transpose3d, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
