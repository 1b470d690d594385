/* hadal/ops_reduce.h: reductions, scans, order (sort, largest), softmax. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_REDUCE_H
#define HADAL_OPS_REDUCE_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif
#endif
