/* hadal/ops_loss.h: losses, distances and the metric of training. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_LOSS_H
#define HADAL_OPS_LOSS_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
