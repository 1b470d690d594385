/* hadal/ops_window.h: convolution, pooling, normalisation, dropout. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_WINDOW_H
#define HADAL_OPS_WINDOW_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A padding with which, at stride 1, the result is as large as the picture: half of it in front, and where it is odd
 * one more behind. Text: "same" ("valid": none). */
#define HD_SAME (-1)
/** 2-D convolution (cross-correlation), x [n, c, h, w], w [k, c/groups, r, s], b [k] or none → [n, k, h', w']. */
typedef struct hd_conv2d_args {
    hd_val x, w, b;
    int64_t stride[2], padding[2], dilation[2]; /**< defaults 1, 0, 1; padding: on each side, or HD_SAME */
    int64_t padding_extra[2];                   /**< so much more below and to the right (negative: less) */
    int64_t groups;
    int64_t act; /**< HD_ACT_… */
    int end_;
} hd_conv2d_args;
HD_API hd_val hd_conv2d_at(hd_loc at, const hd_conv2d_args *args);
#define hd_conv2d(...) HD_CALL_(conv2d, __VA_ARGS__)
/** Gradients of conv2d: of x from (dy, w); of w from (x, dy); `like` gives the shape. The one of x is
 * also the transposed convolution (hd_conv_transpose2d). */
typedef struct hd_conv2d_grad_args {
    hd_val a, b, like; /**< input: dy, w, x;  weight: x, dy, w */
    int64_t stride[2], padding[2], dilation[2], padding_extra[2];
    int64_t groups;
    int64_t output_size[2]; /**< of conv2d_grad_input without `like`: height and width of the result */
    int end_;
} hd_conv2d_grad_args;
HD_API hd_val hd_conv2d_grad_input_at(hd_loc at, const hd_conv2d_grad_args *args);
HD_API hd_val hd_conv2d_grad_weight_at(hd_loc at, const hd_conv2d_grad_args *args);
#define hd_conv2d_grad_input(...)  hd_conv2d_grad_input_at(HD_HERE, &(hd_conv2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_conv2d_grad_weight(...) hd_conv2d_grad_weight_at(HD_HERE, &(hd_conv2d_grad_args){__VA_ARGS__, .end_ = 0})

/** Pooling over windows, x [n, c, h, w] → [n, c, h', w'], of kernel_size or, adaptive, so that the result has
 * output_size: then window i is ⌊i·h/h'⌋ … ⌈(i+1)·h/h'⌉ (0 beside another number: as the picture). */
typedef struct hd_pool2d_args {
    hd_val x;
    int64_t kernel_size[2], stride[2], padding[2]; /**< stride default kernel_size */
    int64_t dilation[2];                           /**< of max */
    int64_t output_size[2];
    int64_t divisor_override; /**< of avg: sums are divided by it instead of the size of the window */
    bool ceil_mode;           /**< windows that reach over the edge count too */
    bool exclude_pad;         /**< of avg: zeros that padding adds are not counted (count_include_pad=False) */
    int end_;
} hd_pool2d_args;
HD_API hd_val hd_max_pool2d_at(hd_loc at, const hd_pool2d_args *args);
HD_API hd_val hd_avg_pool2d_at(hd_loc at, const hd_pool2d_args *args);
#define hd_max_pool2d(...) hd_max_pool2d_at(HD_HERE, &(hd_pool2d_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool2d(...) hd_avg_pool2d_at(HD_HERE, &(hd_pool2d_args){__VA_ARGS__, .end_ = 0})
typedef struct hd_pool2d_grad_args {
    hd_val x, dy;
    int64_t kernel_size[2], stride[2], padding[2], dilation[2], output_size[2];
    int64_t divisor_override;
    bool ceil_mode, exclude_pad;
    int end_;
} hd_pool2d_grad_args;
HD_API hd_val hd_max_pool2d_grad_at(hd_loc at, const hd_pool2d_grad_args *args);
HD_API hd_val hd_avg_pool2d_grad_at(hd_loc at, const hd_pool2d_grad_args *args);
/** y = dy at the place of the largest x of each window: the second derivative of max_pool2d. */
HD_API hd_val hd_max_pool2d_pick_at(hd_loc at, const hd_pool2d_grad_args *args);
/** Where the largest x of each window stands: i64, row · w + column. */
HD_API hd_val hd_max_pool2d_index_at(hd_loc at, const hd_pool2d_args *args);
#define hd_max_pool2d_index(...) hd_max_pool2d_index_at(HD_HERE, &(hd_pool2d_args){__VA_ARGS__, .end_ = 0})
#define hd_max_pool2d_pick(...)  hd_max_pool2d_pick_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_max_pool2d_grad(...)  hd_max_pool2d_grad_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool2d_grad(...)  hd_avg_pool2d_grad_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
/** Mean over height and width, x [n, c, h, w] → [n, c, 1, 1]. */
HD_API hd_val hd_global_avg_pool_at(hd_loc at, const hd_unary_args *args);
#define hd_global_avg_pool(...) HD_UNARY_(global_avg_pool, __VA_ARGS__)

/** Batch normalisation over all axes but 1: x [n, c, ...], w b mean var [c]. Training form; the infer form replaces it
 * when a program without training is compiled. Outputs: y, mean, invstd (of the batch, saved for backward), and the new
 * running mean and variance (unbiased). */
typedef struct hd_batch_norm_args {
    hd_val x, w, b, running_mean, running_var;
    double eps, momentum; /**< defaults 1e-5, 0.1 */
    int64_t act;
    int end_;
} hd_batch_norm_args;
HD_API hd_val hd_batch_norm_at(hd_loc at, const hd_batch_norm_args *args);
#define hd_batch_norm(...) HD_CALL_(batch_norm, __VA_ARGS__)
HD_API hd_val hd_batch_norm_infer_at(hd_loc at, const hd_batch_norm_args *args);
#define hd_batch_norm_infer(...) hd_batch_norm_infer_at(HD_HERE, &(hd_batch_norm_args){__VA_ARGS__, .end_ = 0})
/** Gradient of batch_norm: outputs dx, dw, db. y is read only where act is relu (dy is masked by y > 0). */
typedef struct hd_batch_norm_grad_args {
    hd_val x, w, mean, invstd, dy, y;
    int64_t act;
    int end_;
} hd_batch_norm_grad_args;
HD_API hd_val hd_batch_norm_grad_at(hd_loc at, const hd_batch_norm_grad_args *args);
#define hd_batch_norm_grad(...) HD_CALL_(batch_norm_grad, __VA_ARGS__)

/** Zeroes each element with probability p and scales the rest by 1/(1−p); identity in programs without training.
 * rng: i64 [2], seed and step; the mask is a function of (seed, step, stream, element). Use hd_nn_dropout. */
typedef struct hd_dropout_args {
    hd_val x, rng;
    double p;       /**< default 0.5 */
    int64_t stream; /**< which dropout of the network this is */
    int end_;
} hd_dropout_args;
HD_API hd_val hd_dropout_at(hd_loc at, const hd_dropout_args *args);
#define hd_dropout(...) HD_CALL_(dropout, __VA_ARGS__)

/** Draws z = mean + exp(½ log_var)·ε, ε from N(0, 1), mean and log_var of one shape; the mean in programs without
 * training. rng: i64 [2], seed and step; the noise is a function of (seed, step, stream, element). Use
 * hd_nn_reparameterize. */
typedef struct hd_reparameterize_args {
    hd_val mean, log_var, rng;
    int64_t stream; /**< which draw of the network this is */
    int end_;
} hd_reparameterize_args;
HD_API hd_val hd_reparameterize_at(hd_loc at, const hd_reparameterize_args *args);
#define hd_reparameterize(...) HD_CALL_(reparameterize, __VA_ARGS__)

/* ---- made of the ops above ---- */

/** 1-D convolution, x [n, c, l], w [k, c/groups, r], b [k] or none → [n, k, l']: conv2d of pictures of one row. */
typedef struct hd_conv1d_args {
    hd_val x, w, b;
    int64_t stride, padding, dilation, padding_extra, groups;
    int end_;
} hd_conv1d_args;
HD_API hd_val hd_conv1d_at(hd_loc at, const hd_conv1d_args *args);
#define hd_conv1d(...) HD_CALL_(conv1d, __VA_ARGS__)
/** Pooling of x [n, c, l]; options as hd_pool2d_args. */
typedef struct hd_pool1d_args {
    hd_val x;
    int64_t kernel_size, stride, padding, dilation, output_size;
    bool ceil_mode, exclude_pad;
    int end_;
} hd_pool1d_args;
HD_API hd_val hd_max_pool1d_at(hd_loc at, const hd_pool1d_args *args);
HD_API hd_val hd_avg_pool1d_at(hd_loc at, const hd_pool1d_args *args);
HD_API hd_val hd_max_pool1d_index_at(hd_loc at, const hd_pool1d_args *args);
#define hd_max_pool1d(...)       hd_max_pool1d_at(HD_HERE, &(hd_pool1d_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool1d(...)       hd_avg_pool1d_at(HD_HERE, &(hd_pool1d_args){__VA_ARGS__, .end_ = 0})
#define hd_max_pool1d_index(...) hd_max_pool1d_index_at(HD_HERE, &(hd_pool1d_args){__VA_ARGS__, .end_ = 0})
/** Pooling of x [n, c, d, h, w]; options as hd_pool2d_args. Over height and width first, then over depth. */
typedef struct hd_pool3d_args {
    hd_val x;
    int64_t kernel_size[3], stride[3], padding[3], dilation[3], output_size[3];
    int64_t divisor_override;
    bool ceil_mode, exclude_pad;
    int end_;
} hd_pool3d_args;
HD_API hd_val hd_max_pool3d_at(hd_loc at, const hd_pool3d_args *args);
HD_API hd_val hd_avg_pool3d_at(hd_loc at, const hd_pool3d_args *args);
#define hd_max_pool3d(...) hd_max_pool3d_at(HD_HERE, &(hd_pool3d_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool3d(...) hd_avg_pool3d_at(HD_HERE, &(hd_pool3d_args){__VA_ARGS__, .end_ = 0})
/** Adaptive pooling of x [n, c, h, w] to output_size, as plain pooling where the windows are alike. */
typedef struct hd_adaptive_pool2d_args {
    hd_val x;
    int64_t output_size[2]; /**< 0: as the picture */
    int end_;
} hd_adaptive_pool2d_args;
HD_API hd_val hd_adaptive_avg_pool2d_at(hd_loc at, const hd_adaptive_pool2d_args *args);
HD_API hd_val hd_adaptive_max_pool2d_at(hd_loc at, const hd_adaptive_pool2d_args *args);
#define hd_adaptive_avg_pool2d(...)                                                                                    \
    hd_adaptive_avg_pool2d_at(HD_HERE, &(hd_adaptive_pool2d_args){__VA_ARGS__, .end_ = 0})
#define hd_adaptive_max_pool2d(...)                                                                                    \
    hd_adaptive_max_pool2d_at(HD_HERE, &(hd_adaptive_pool2d_args){__VA_ARGS__, .end_ = 0})

#ifdef __cplusplus
}
#endif
#endif
