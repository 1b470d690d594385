/* hadal/ops_loss.h: losses, distances and the metric of training. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_LOSS_H
#define HADAL_OPS_LOSS_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a loss makes of its elements: their mean (the default), their sum, or all of them; batchmean (kl_div): the sum
 * over the batch's size. */
enum { HD_REDUCE_MEAN, HD_REDUCE_SUM, HD_REDUCE_NONE, HD_REDUCE_BATCHMEAN };

/** A loss of x and a target of the same shape and dtype, f32 or f64 → a scalar, or with HD_REDUCE_NONE a loss for each
 * element. mse: (x−t)². half_squared_error: ½(x−t)², whose mean is over the batch (axis 0) alone. l1: |x−t|.
 * soft_margin: ln(1 + e^(−t x)), t = ±1. */
typedef struct hd_loss_args {
    hd_val x, target;
    int64_t reduction; /**< HD_REDUCE_… */
    int end_;
} hd_loss_args;
#define HD_LOSS_(name, ...) hd_##name##_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
HD_API hd_val hd_mse_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_half_squared_error_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_l1_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_soft_margin_at(hd_loc at, const hd_loss_args *args);
#define hd_mse(...)                HD_LOSS_(mse, __VA_ARGS__)
#define hd_half_squared_error(...) HD_LOSS_(half_squared_error, __VA_ARGS__)
#define hd_l1(...)                 HD_LOSS_(l1, __VA_ARGS__)
#define hd_soft_margin(...)        HD_LOSS_(soft_margin, __VA_ARGS__)

/** The loss of classification. cross_entropy: x logits [n, c] or [n, c, d…] (or [c], one sample); nll: x their
 * logarithms of probabilities. target: class numbers, i64 [n, d…], or probabilities of x's shape and dtype. */
typedef struct hd_class_loss_args {
    hd_val x, target;
    hd_val weight; /**< [c], how much each class counts; optional */
    int64_t reduction;
    int64_t ignore_index;   /**< class number of samples that do not count, as HD_AXIS(k); default −100 */
    double label_smoothing; /**< 0 … 1: share of the target that is spread evenly over the classes */
    int end_;
} hd_class_loss_args;
HD_API hd_val hd_cross_entropy_at(hd_loc at, const hd_class_loss_args *args);
HD_API hd_val hd_nll_at(hd_loc at, const hd_class_loss_args *args);
#define hd_cross_entropy(...) hd_cross_entropy_at(HD_HERE, &(hd_class_loss_args){__VA_ARGS__, .end_ = 0})
#define hd_nll(...)           hd_nll_at(HD_HERE, &(hd_class_loss_args){__VA_ARGS__, .end_ = 0})
/** dx of nll; of x only the shape is read. dy: like nll's result. */
typedef struct hd_nll_grad_args {
    hd_val x, target, dy, weight;
    int64_t reduction, ignore_index;
    double label_smoothing;
    int end_;
} hd_nll_grad_args;
HD_API hd_val hd_nll_grad_at(hd_loc at, const hd_nll_grad_args *args);
#define hd_nll_grad(...) HD_CALL_(nll_grad, __VA_ARGS__)

/** Binary cross-entropy of probabilities x in 0 … 1 (logarithms are cut off at −100); target of x's shape, 0 … 1. */
typedef struct hd_bce_args {
    hd_val x, target;
    hd_val weight; /**< broadcasts over x; optional */
    int64_t reduction;
    int end_;
} hd_bce_args;
HD_API hd_val hd_bce_at(hd_loc at, const hd_bce_args *args);
#define hd_bce(...) HD_CALL_(bce, __VA_ARGS__)
/** The same of logits x. */
typedef struct hd_bce_with_logits_args {
    hd_val x, target;
    hd_val weight;     /**< broadcasts over x; optional */
    hd_val pos_weight; /**< how much a yes counts; broadcasts over x; optional */
    int64_t reduction;
    int end_;
} hd_bce_with_logits_args;
HD_API hd_val hd_bce_with_logits_at(hd_loc at, const hd_bce_with_logits_args *args);
#define hd_bce_with_logits(...) HD_CALL_(bce_with_logits, __VA_ARGS__)

/** dx of the plain form of a loss (the mean, no options) from (x, target, dloss). */
typedef struct hd_loss_grad_args {
    hd_val x, target, dy;
    int end_;
} hd_loss_grad_args;
#define HD_LOSS_GRAD_(name, ...) hd_##name##_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})
HD_API hd_val hd_cross_entropy_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_bce_with_logits_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_mse_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_half_squared_error_grad_at(hd_loc at, const hd_loss_grad_args *args);
#define hd_cross_entropy_grad(...)      HD_LOSS_GRAD_(cross_entropy, __VA_ARGS__)
#define hd_bce_with_logits_grad(...)    HD_LOSS_GRAD_(bce_with_logits, __VA_ARGS__)
#define hd_mse_grad(...)                HD_LOSS_GRAD_(mse, __VA_ARGS__)
#define hd_half_squared_error_grad(...) HD_LOSS_GRAD_(half_squared_error, __VA_ARGS__)

/** Number of rows whose largest logit is the target: x [n, c], target i64 [n] → i64 scalar. The metric of training. */
typedef struct hd_count_correct_args {
    hd_val x, target;
    int end_;
} hd_count_correct_args;
HD_API hd_val hd_count_correct_at(hd_loc at, const hd_count_correct_args *args);
#define hd_count_correct(...) HD_CALL_(count_correct, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
