/* hadal/ops.h: the operations, as functions that add a node and return its value.
 *
 * Inputs come first and by position, options by name: hd_conv2d(x, w, b, .padding = {1, 1}). Names, meanings and
 * defaults are PyTorch's. Zero means the default; HD_ZERO and HD_AXIS(0) say an explicit zero where it differs. Every
 * function hd_NAME is a macro over hd_NAME_at(place, &args), which serves C++ and bindings. Formulas, shapes and
 * sources stand in src/ops/NAME.c and are printed by `hadal ops show NAME`. */
#ifndef HADAL_OPS_H
#define HADAL_OPS_H
#include "hadal/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = f(x), elementwise, any shape. */
typedef struct hd_unary_args {
    hd_val x;
    int end_;
} hd_unary_args;
/** y = f(a, b), elementwise with NumPy's broadcasting. */
typedef struct hd_binary_args {
    hd_val a, b;
    int end_;
} hd_binary_args;
#define HD_UNARY_(name, ...)  hd_##name##_at(HD_HERE, &(hd_unary_args){__VA_ARGS__, .end_ = 0})
#define HD_BINARY_(name, ...) hd_##name##_at(HD_HERE, &(hd_binary_args){__VA_ARGS__, .end_ = 0})
#define HD_CALL_(name, ...)   hd_##name##_at(HD_HERE, &(hd_##name##_args){__VA_ARGS__, .end_ = 0})

HD_API hd_val hd_add_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_sub_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_mul_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_div_at(hd_loc at, const hd_binary_args *args);
#define hd_add(...) HD_BINARY_(add, __VA_ARGS__)
#define hd_sub(...) HD_BINARY_(sub, __VA_ARGS__)
#define hd_mul(...) HD_BINARY_(mul, __VA_ARGS__)
#define hd_div(...) HD_BINARY_(div, __VA_ARGS__)

HD_API hd_val hd_neg_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_exp_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_log_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sqrt_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_abs_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sign_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_sigmoid_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_tanh_at(hd_loc at, const hd_unary_args *args);
HD_API hd_val hd_relu_at(hd_loc at, const hd_unary_args *args);
#define hd_neg(...)     HD_UNARY_(neg, __VA_ARGS__)
#define hd_exp(...)     HD_UNARY_(exp, __VA_ARGS__)
#define hd_log(...)     HD_UNARY_(log, __VA_ARGS__)
#define hd_sqrt(...)    HD_UNARY_(sqrt, __VA_ARGS__)
#define hd_abs(...)     HD_UNARY_(abs, __VA_ARGS__)
#define hd_sign(...)    HD_UNARY_(sign, __VA_ARGS__)
#define hd_sigmoid(...) HD_UNARY_(sigmoid, __VA_ARGS__)
#define hd_tanh(...)    HD_UNARY_(tanh, __VA_ARGS__)
#define hd_relu(...)    HD_UNARY_(relu, __VA_ARGS__)
/** dx of an activation from its output y and dy: the ops that back-propagation uses. */
typedef struct hd_act_grad_args {
    hd_val y, dy;
    int end_;
} hd_act_grad_args;
HD_API hd_val hd_sigmoid_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_tanh_grad_at(hd_loc at, const hd_act_grad_args *args);
HD_API hd_val hd_relu_grad_at(hd_loc at, const hd_act_grad_args *args);
#define hd_sigmoid_grad(...) hd_sigmoid_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_tanh_grad(...)    hd_tanh_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_relu_grad(...)    hd_relu_grad_at(HD_HERE, &(hd_act_grad_args){__VA_ARGS__, .end_ = 0})

/** y = scale·x + shift. */
typedef struct hd_affine_args {
    hd_val x;
    double scale, shift; /**< defaults 1 and 0 */
    int end_;
} hd_affine_args;
HD_API hd_val hd_affine_at(hd_loc at, const hd_affine_args *args);
#define hd_affine(...) HD_CALL_(affine, __VA_ARGS__)

/** Sum, mean, largest over some axes (none given: all). */
typedef struct hd_reduce_args {
    hd_val x;
    hd_dims axes; /**< HD_DIMS(0, -1); rank 0: all axes */
    bool keepdim;
    int end_;
} hd_reduce_args;
HD_API hd_val hd_sum_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_mean_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_max_at(hd_loc at, const hd_reduce_args *args);
#define hd_sum(...)  hd_sum_at(HD_HERE, &(hd_reduce_args){__VA_ARGS__, .end_ = 0})
#define hd_mean(...) hd_mean_at(HD_HERE, &(hd_reduce_args){__VA_ARGS__, .end_ = 0})
#define hd_max(...)  hd_max_at(HD_HERE, &(hd_reduce_args){__VA_ARGS__, .end_ = 0})
/** Gradient of max from x and dy: shared evenly among equal largest elements. */
typedef struct hd_max_grad_args {
    hd_val x, dy;
    hd_dims axes;
    bool keepdim;
    int end_;
} hd_max_grad_args;
HD_API hd_val hd_max_grad_at(hd_loc at, const hd_max_grad_args *args);
#define hd_max_grad(...) HD_CALL_(max_grad, __VA_ARGS__)
/** x broadcast to the shape of `like`; and x summed down to the shape of `like`: each is the other's gradient.
 * average: divided by the number of copies (of summands). reshape_like: x with the dimensions of `like`. */
typedef struct hd_like_args {
    hd_val x, like;
    bool average;
    int end_;
} hd_like_args;
typedef struct hd_reshape_like_args {
    hd_val x, like;
    int end_;
} hd_reshape_like_args;
HD_API hd_val hd_broadcast_like_at(hd_loc at, const hd_like_args *args);
HD_API hd_val hd_sum_like_at(hd_loc at, const hd_like_args *args);
HD_API hd_val hd_reshape_like_at(hd_loc at, const hd_reshape_like_args *args);
#define hd_broadcast_like(...) hd_broadcast_like_at(HD_HERE, &(hd_like_args){__VA_ARGS__, .end_ = 0})
#define hd_sum_like(...)       hd_sum_like_at(HD_HERE, &(hd_like_args){__VA_ARGS__, .end_ = 0})
#define hd_reshape_like(...)   HD_CALL_(reshape_like, __VA_ARGS__)

/** y = op(a) op(b), a [..., m, k], b [..., k, n] → [..., m, n]; trans_a: a is [..., k, m]; trans_b: b is [..., n, k].
 * Leading dimensions are equal, or absent in b. */
typedef struct hd_matmul_args {
    hd_val a, b;
    bool trans_a, trans_b;
    int end_;
} hd_matmul_args;
HD_API hd_val hd_matmul_at(hd_loc at, const hd_matmul_args *args);
#define hd_matmul(...) HD_CALL_(matmul, __VA_ARGS__)

/** An activation that a linear, convolution or normalisation applies to its result (set by fusion). */
enum { HD_ACT_NONE, HD_ACT_RELU, HD_ACT_SIGMOID, HD_ACT_TANH };

/** y = act(x wᵀ + b): x [..., in], w [out, in], b [out] or none → [..., out]. */
typedef struct hd_linear_args {
    hd_val x, w, b;
    int64_t act; /**< HD_ACT_… */
    int end_;
} hd_linear_args;
HD_API hd_val hd_linear_at(hd_loc at, const hd_linear_args *args);
#define hd_linear(...) HD_CALL_(linear, __VA_ARGS__)

/** 2-D convolution (cross-correlation), x [n, c, h, w], w [k, c/groups, r, s], b [k] or none → [n, k, h', w']. */
typedef struct hd_conv2d_args {
    hd_val x, w, b;
    int64_t stride[2], padding[2], dilation[2]; /**< defaults 1, 0, 1 */
    int64_t groups;
    int64_t act; /**< HD_ACT_… */
    int end_;
} hd_conv2d_args;
HD_API hd_val hd_conv2d_at(hd_loc at, const hd_conv2d_args *args);
#define hd_conv2d(...) HD_CALL_(conv2d, __VA_ARGS__)
/** Gradients of conv2d: of x from (dy, w); of w from (x, dy); `like` gives the shape. */
typedef struct hd_conv2d_grad_args {
    hd_val a, b, like; /**< input: dy, w, x;  weight: x, dy, w */
    int64_t stride[2], padding[2], dilation[2];
    int64_t groups;
    int end_;
} hd_conv2d_grad_args;
HD_API hd_val hd_conv2d_grad_input_at(hd_loc at, const hd_conv2d_grad_args *args);
HD_API hd_val hd_conv2d_grad_weight_at(hd_loc at, const hd_conv2d_grad_args *args);
#define hd_conv2d_grad_input(...)  hd_conv2d_grad_input_at(HD_HERE, &(hd_conv2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_conv2d_grad_weight(...) hd_conv2d_grad_weight_at(HD_HERE, &(hd_conv2d_grad_args){__VA_ARGS__, .end_ = 0})

/** Pooling over windows, x [n, c, h, w] → [n, c, h', w']. stride default kernel_size. avg counts padded zeros. */
typedef struct hd_pool2d_args {
    hd_val x;
    int64_t kernel_size[2], stride[2], padding[2];
    int end_;
} hd_pool2d_args;
HD_API hd_val hd_max_pool2d_at(hd_loc at, const hd_pool2d_args *args);
HD_API hd_val hd_avg_pool2d_at(hd_loc at, const hd_pool2d_args *args);
#define hd_max_pool2d(...) hd_max_pool2d_at(HD_HERE, &(hd_pool2d_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool2d(...) hd_avg_pool2d_at(HD_HERE, &(hd_pool2d_args){__VA_ARGS__, .end_ = 0})
typedef struct hd_pool2d_grad_args {
    hd_val x, dy;
    int64_t kernel_size[2], stride[2], padding[2];
    int end_;
} hd_pool2d_grad_args;
HD_API hd_val hd_max_pool2d_grad_at(hd_loc at, const hd_pool2d_grad_args *args);
HD_API hd_val hd_avg_pool2d_grad_at(hd_loc at, const hd_pool2d_grad_args *args);
/** y = dy at the place of the largest x of each window: the second derivative of max_pool2d. */
HD_API hd_val hd_max_pool2d_pick_at(hd_loc at, const hd_pool2d_grad_args *args);
#define hd_max_pool2d_pick(...) hd_max_pool2d_pick_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_max_pool2d_grad(...) hd_max_pool2d_grad_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_avg_pool2d_grad(...) hd_avg_pool2d_grad_at(HD_HERE, &(hd_pool2d_grad_args){__VA_ARGS__, .end_ = 0})
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

/** Softmax and its logarithm along an axis (default the last). */
typedef struct hd_softmax_args {
    hd_val x;
    int64_t axis; /**< HD_AXIS(k) or negative; default −1 */
    int end_;
} hd_softmax_args;
HD_API hd_val hd_softmax_at(hd_loc at, const hd_softmax_args *args);
HD_API hd_val hd_log_softmax_at(hd_loc at, const hd_softmax_args *args);
#define hd_softmax(...)     hd_softmax_at(HD_HERE, &(hd_softmax_args){__VA_ARGS__, .end_ = 0})
#define hd_log_softmax(...) hd_log_softmax_at(HD_HERE, &(hd_softmax_args){__VA_ARGS__, .end_ = 0})
typedef struct hd_softmax_grad_args {
    hd_val y, dy;
    int64_t axis;
    int end_;
} hd_softmax_grad_args;
HD_API hd_val hd_softmax_grad_at(hd_loc at, const hd_softmax_grad_args *args);
HD_API hd_val hd_log_softmax_grad_at(hd_loc at, const hd_softmax_grad_args *args);
#define hd_softmax_grad(...)     hd_softmax_grad_at(HD_HERE, &(hd_softmax_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_log_softmax_grad(...) hd_log_softmax_grad_at(HD_HERE, &(hd_softmax_grad_args){__VA_ARGS__, .end_ = 0})

/** Same elements, other dimensions; one dimension may be 0: worked out. HD_BATCH (−1) is worked out too, or is
 * dimension 0 of x when there is a 0 beside it. */
typedef struct hd_reshape_args {
    hd_val x;
    hd_dims dims;
    int end_;
} hd_reshape_args;
HD_API hd_val hd_reshape_at(hd_loc at, const hd_reshape_args *args);
#define hd_reshape(...) HD_CALL_(reshape, __VA_ARGS__)
/** Joins axes start_axis … end_axis into one (defaults 1 and −1). */
typedef struct hd_flatten_args {
    hd_val x;
    int64_t start_axis, end_axis;
    int end_;
} hd_flatten_args;
HD_API hd_val hd_flatten_at(hd_loc at, const hd_flatten_args *args);
#define hd_flatten(...) HD_CALL_(flatten, __VA_ARGS__)
/** Axes in another order: y.dim[i] = x.dim[axes[i]]; none given: the last two change places. */
typedef struct hd_transpose_args {
    hd_val x;
    hd_dims axes;
    int end_;
} hd_transpose_args;
HD_API hd_val hd_transpose_at(hd_loc at, const hd_transpose_args *args);
#define hd_transpose(...) HD_CALL_(transpose, __VA_ARGS__)
/** Joins n values along an axis (default 1). */
typedef struct hd_concat_args {
    const hd_val *x;
    int64_t n;
    int64_t axis;
    int end_;
} hd_concat_args;
HD_API hd_val hd_concat_at(hd_loc at, const hd_concat_args *args);
#define hd_concat(...) HD_CALL_(concat, __VA_ARGS__)
/** Elements start, start+step … below stop along an axis (default 1). stop 0: to the end. */
typedef struct hd_slice_args {
    hd_val x;
    int64_t axis, start, stop, step;
    int end_;
} hd_slice_args;
HD_API hd_val hd_slice_at(hd_loc at, const hd_slice_args *args);
#define hd_slice(...) HD_CALL_(slice, __VA_ARGS__)
/** The gradient of slice: dy put back into zeros of the shape of `like`. */
typedef struct hd_slice_grad_args {
    hd_val dy, like;
    int64_t axis, start, stop, step;
    int end_;
} hd_slice_grad_args;
HD_API hd_val hd_slice_grad_at(hd_loc at, const hd_slice_grad_args *args);
#define hd_slice_grad(...) HD_CALL_(slice_grad, __VA_ARGS__)
/** Elements of `value` around x: before.dim[i] and after.dim[i] on axis i (not given: none). */
typedef struct hd_pad_args {
    hd_val x;
    hd_dims before, after;
    double value;
    int end_;
} hd_pad_args;
HD_API hd_val hd_pad_at(hd_loc at, const hd_pad_args *args);
#define hd_pad(...) HD_CALL_(pad, __VA_ARGS__)
/** To another dtype: HD_DTYPE(HD_F64). Towards zero into integers; bool is x ≠ 0. */
typedef struct hd_cast_args {
    hd_val x;
    int64_t dtype;
    int end_;
} hd_cast_args;
HD_API hd_val hd_cast_at(hd_loc at, const hd_cast_args *args);
#define hd_cast(...) HD_CALL_(cast, __VA_ARGS__)
/** A constant tensor of the shape and dtype of x, filled with `value`; no gradient flows. */
typedef struct hd_fill_like_args {
    hd_val x;
    double value;
    int end_;
} hd_fill_like_args;
HD_API hd_val hd_fill_like_at(hd_loc at, const hd_fill_like_args *args);
#define hd_fill_like(...) HD_CALL_(fill_like, __VA_ARGS__)

/** Losses: the mean over the batch, a scalar. cross_entropy: x logits [n, c], target i64 [n] → rank 0.
 * bce_with_logits, mse, half_squared_error (½(y−t)², summed over the values of a sample, mean over the batch): target
 * of x's shape and dtype. */
typedef struct hd_loss_args {
    hd_val x, target;
    int end_;
} hd_loss_args;
HD_API hd_val hd_cross_entropy_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_bce_with_logits_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_mse_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_half_squared_error_at(hd_loc at, const hd_loss_args *args);
#define hd_cross_entropy(...)      hd_cross_entropy_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
#define hd_bce_with_logits(...)    hd_bce_with_logits_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
#define hd_mse(...)                hd_mse_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
#define hd_half_squared_error(...) hd_half_squared_error_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
/** dx of a loss from (x, target, dloss). */
typedef struct hd_loss_grad_args {
    hd_val x, target, dy;
    int end_;
} hd_loss_grad_args;
HD_API hd_val hd_cross_entropy_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_bce_with_logits_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_mse_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_half_squared_error_grad_at(hd_loc at, const hd_loss_grad_args *args);
#define hd_cross_entropy_grad(...)   hd_cross_entropy_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_bce_with_logits_grad(...) hd_bce_with_logits_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_mse_grad(...)             hd_mse_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})
#define hd_half_squared_error_grad(...)                                                                                \
    hd_half_squared_error_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})

/** Number of rows whose largest logit is the target: x [n, c], target i64 [n] → i64 scalar. The metric of training. */
HD_API hd_val hd_count_correct_at(hd_loc at, const hd_loss_args *args);
#define hd_count_correct(...) hd_count_correct_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})

/** Writes x into a state (same shape): the only way, beside optimisers, to change what persists. */
typedef struct hd_assign_args {
    hd_val state, x;
    int end_;
} hd_assign_args;
HD_API hd_val hd_assign_at(hd_loc at, const hd_assign_args *args);
#define hd_assign(...) HD_CALL_(assign, __VA_ARGS__)

/** Optimiser steps, in place. hyper: f64 [4] = learning rate, step number t = 1, 2, …, weight decay, 0. scale (may be
 * none): a float scalar that multiplies the gradient (clipping). sgd: g += wd·p; v = momentum·v + g (v = g at t = 1); p
 * −= lr·(nesterov ? g + momentum·v : v). PyTorch's form. adam (decoupled: AdamW): Kingma, Ba 2015; Loshchilov, Hutter
 * 2019; PyTorch's order of operations. */
typedef struct hd_sgd_update_args {
    hd_val p, g, hyper, scale, v; /**< v: none without momentum */
    double momentum;
    bool nesterov;
    int end_;
} hd_sgd_update_args;
HD_API hd_val hd_sgd_update_at(hd_loc at, const hd_sgd_update_args *args);
#define hd_sgd_update(...) HD_CALL_(sgd_update, __VA_ARGS__)
typedef struct hd_adam_update_args {
    hd_val p, g, m, v, hyper, scale;
    double beta1, beta2, eps; /**< defaults 0.9, 0.999, 1e-8 */
    bool decoupled;
    int end_;
} hd_adam_update_args;
HD_API hd_val hd_adam_update_at(hd_loc at, const hd_adam_update_args *args);
#define hd_adam_update(...) HD_CALL_(adam_update, __VA_ARGS__)
/** min(1, max_norm / (‖all x‖₂ + 1e-6)), a scalar, f64 when an x is, else f32: the scale for clipping the gradient by
 * its norm. */
typedef struct hd_clip_scale_args {
    const hd_val *x;
    int64_t n;
    double max_norm;
    int end_;
} hd_clip_scale_args;
HD_API hd_val hd_clip_scale_at(hd_loc at, const hd_clip_scale_args *args);
#define hd_clip_scale(...) HD_CALL_(clip_scale, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
