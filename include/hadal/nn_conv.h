/* hadal/nn_conv.h: convolution layers of volumes, and transposed ones; the others stand in hadal/nn.h. */
#ifndef HADAL_NN_CONV_H
#define HADAL_NN_CONV_H
#include "hadal/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** 3-D convolution. NAME.weight [out, in/groups, kd, kh, kw], NAME.bias [out]; uniform in ±1/√(in/groups·kd·kh·kw). */
typedef struct hd_nn_conv3d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size[3], stride[3], padding[3], dilation[3]; /**< padding: numbers, or HD_SAME in all */
    int64_t groups;
    int64_t padding_mode; /**< HD_PAD_… */
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv3d_args;
HD_API hd_val hd_nn_conv3d_at(hd_loc at, const hd_nn_conv3d_args *args);
#define hd_nn_conv3d(...) hd_nn_conv3d_at(HD_HERE, &(hd_nn_conv3d_args){__VA_ARGS__, .end_ = 0})

/** Transposed convolution of signals. NAME.weight [in, out/groups, k], NAME.bias [out]; uniform in ±1/√(out/groups·k).
 */
typedef struct hd_nn_conv_transpose1d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size, stride, padding, output_padding, dilation;
    int64_t groups;
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv_transpose1d_args;
HD_API hd_val hd_nn_conv_transpose1d_at(hd_loc at, const hd_nn_conv_transpose1d_args *args);
#define hd_nn_conv_transpose1d(...)                                                                                    \
    hd_nn_conv_transpose1d_at(HD_HERE, &(hd_nn_conv_transpose1d_args){__VA_ARGS__, .end_ = 0})

/** Of pictures: NAME.weight [in, out/groups, kh, kw]. */
typedef struct hd_nn_conv_transpose2d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size[2], stride[2], padding[2], output_padding[2], dilation[2];
    int64_t groups;
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv_transpose2d_args;
HD_API hd_val hd_nn_conv_transpose2d_at(hd_loc at, const hd_nn_conv_transpose2d_args *args);
#define hd_nn_conv_transpose2d(...)                                                                                    \
    hd_nn_conv_transpose2d_at(HD_HERE, &(hd_nn_conv_transpose2d_args){__VA_ARGS__, .end_ = 0})

/** Of volumes: NAME.weight [in, out/groups, kd, kh, kw]. */
typedef struct hd_nn_conv_transpose3d_args {
    hd_val x;
    const char *name;
    int64_t out_channels;
    int64_t kernel_size[3], stride[3], padding[3], output_padding[3], dilation[3];
    int64_t groups;
    bool no_bias;
    const hd_init *weight_init, *bias_init; /**< how they start; NULL: as above */
    int end_;
} hd_nn_conv_transpose3d_args;
HD_API hd_val hd_nn_conv_transpose3d_at(hd_loc at, const hd_nn_conv_transpose3d_args *args);
#define hd_nn_conv_transpose3d(...)                                                                                    \
    hd_nn_conv_transpose3d_at(HD_HERE, &(hd_nn_conv_transpose3d_args){__VA_ARGS__, .end_ = 0})

#ifdef __cplusplus
}
#endif
#endif
