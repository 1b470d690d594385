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

/** Product, smallest, ln Σ e^x over some axes (none given: all). */
HD_API hd_val hd_prod_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_min_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_logsumexp_at(hd_loc at, const hd_reduce_args *args);
#define HD_REDUCE_(name, ...) hd_##name##_at(HD_HERE, &(hd_reduce_args){__VA_ARGS__, .end_ = 0})
#define hd_prod(...)          HD_REDUCE_(prod, __VA_ARGS__)
#define hd_min(...)           HD_REDUCE_(min, __VA_ARGS__)
#define hd_logsumexp(...)     HD_REDUCE_(logsumexp, __VA_ARGS__)
/** Variance and standard deviation over some axes: Σ(x−mean)²/(n−correction). */
typedef struct hd_var_args {
    hd_val x;
    hd_dims axes;
    bool keepdim;
    double correction; /**< default 1 (unbiased); HD_ZERO: of the population */
    int end_;
} hd_var_args;
typedef struct hd_var_grad_args {
    hd_val x, dy;
    hd_dims axes;
    bool keepdim;
    double correction;
    int end_;
} hd_var_grad_args;
HD_API hd_val hd_var_at(hd_loc at, const hd_var_args *args);
HD_API hd_val hd_std_at(hd_loc at, const hd_var_args *args);
HD_API hd_val hd_var_grad_at(hd_loc at, const hd_var_grad_args *args);
#define hd_var(...)      HD_CALL_(var, __VA_ARGS__)
#define hd_std(...)      hd_std_at(HD_HERE, &(hd_var_args){__VA_ARGS__, .end_ = 0})
#define hd_var_grad(...) HD_CALL_(var_grad, __VA_ARGS__)
/** a/b, 0 where b is 0; and e^(a−b), 0 where a is −∞: what gradients of norms and of sums of exponentials need. */
HD_API hd_val hd_div_no_nan_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_exp_diff_at(hd_loc at, const hd_binary_args *args);
#define hd_div_no_nan(...) HD_BINARY_(div_no_nan, __VA_ARGS__)
#define hd_exp_diff(...)   HD_BINARY_(exp_diff, __VA_ARGS__)

/** Running sum, product, ln Σ e^x along an axis (default the last). */
typedef struct hd_scan_args {
    hd_val x;
    int64_t axis; /**< HD_AXIS(k) or negative; default −1 */
    bool reverse; /**< from the end to the front */
    int end_;
} hd_scan_args;
HD_API hd_val hd_cumsum_at(hd_loc at, const hd_scan_args *args);
HD_API hd_val hd_cumprod_at(hd_loc at, const hd_scan_args *args);
HD_API hd_val hd_logcumsumexp_at(hd_loc at, const hd_scan_args *args);
#define HD_SCAN_(name, ...)  hd_##name##_at(HD_HERE, &(hd_scan_args){__VA_ARGS__, .end_ = 0})
#define hd_cumsum(...)       HD_SCAN_(cumsum, __VA_ARGS__)
#define hd_cumprod(...)      HD_SCAN_(cumprod, __VA_ARGS__)
#define hd_logcumsumexp(...) HD_SCAN_(logcumsumexp, __VA_ARGS__)
/** Elements moved by some places along an axis; what comes free becomes `value`. */
typedef struct hd_shift_args {
    hd_val x;
    int64_t axis; /**< default −1 */
    int64_t by;   /**< default 1; negative: towards the front */
    double value;
    int end_;
} hd_shift_args;
HD_API hd_val hd_shift_at(hd_loc at, const hd_shift_args *args);
#define hd_shift(...) HD_CALL_(shift, __VA_ARGS__)
/** h_i = a_i h_(i−1) + b_i along an axis; a and b of one shape. */
typedef struct hd_linear_recurrence_args {
    hd_val a, b;
    int64_t axis; /**< default −1 */
    bool reverse;
    int end_;
} hd_linear_recurrence_args;
HD_API hd_val hd_linear_recurrence_at(hd_loc at, const hd_linear_recurrence_args *args);
#define hd_linear_recurrence(...) HD_CALL_(linear_recurrence, __VA_ARGS__)

/** How many elements over some axes are not zero (i64); whether any, whether all (bool). */
HD_API hd_val hd_count_nonzero_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_any_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_all_at(hd_loc at, const hd_reduce_args *args);
#define hd_count_nonzero(...) HD_REDUCE_(count_nonzero, __VA_ARGS__)
#define hd_any(...)           HD_REDUCE_(any, __VA_ARGS__)
#define hd_all(...)           HD_REDUCE_(all, __VA_ARGS__)
/** Where the largest (smallest) element along an axis is, i64; no axis: the place in x read row by row. */
typedef struct hd_arg_args {
    hd_val x;
    int64_t axis; /**< HD_AXIS(k) or negative; 0: all elements */
    bool keepdim;
    int end_;
} hd_arg_args;
HD_API hd_val hd_argmax_at(hd_loc at, const hd_arg_args *args);
HD_API hd_val hd_argmin_at(hd_loc at, const hd_arg_args *args);
#define hd_argmax(...) hd_argmax_at(HD_HERE, &(hd_arg_args){__VA_ARGS__, .end_ = 0})
#define hd_argmin(...) hd_argmin_at(HD_HERE, &(hd_arg_args){__VA_ARGS__, .end_ = 0})

/** Elements along an axis in order (output 0) and where they stood (output 1, i64): hd_output(y, 1). Equal ones keep
 * their order. hd_argsort: output 1 alone. */
typedef struct hd_sort_args {
    hd_val x;
    int64_t axis; /**< default −1 */
    bool descending;
    int end_;
} hd_sort_args;
HD_API hd_val hd_sort_at(hd_loc at, const hd_sort_args *args);
HD_API hd_val hd_argsort_at(hd_loc at, const hd_sort_args *args);
#define hd_sort(...)    HD_CALL_(sort, __VA_ARGS__)
#define hd_argsort(...) hd_argsort_at(HD_HERE, &(hd_sort_args){__VA_ARGS__, .end_ = 0})
/** The k largest along an axis, the largest first, and where they stand. */
typedef struct hd_topk_args {
    hd_val x;
    int64_t k;    /**< default 1 */
    int64_t axis; /**< default −1 */
    bool smallest;
    int end_;
} hd_topk_args;
HD_API hd_val hd_topk_at(hd_loc at, const hd_topk_args *args);
#define hd_topk(...) HD_CALL_(topk, __VA_ARGS__)
/** The k-th smallest along an axis; the lower one in the middle; the most frequent one; and where they stand. */
typedef struct hd_kthvalue_args {
    hd_val x;
    int64_t k;    /**< default 1 */
    int64_t axis; /**< default −1 */
    bool keepdim;
    int end_;
} hd_kthvalue_args;
typedef struct hd_median_args {
    hd_val x;
    int64_t axis; /**< 0: all elements */
    bool keepdim;
    bool ignore_nan;
    int end_;
} hd_median_args;
typedef struct hd_mode_args {
    hd_val x;
    int64_t axis; /**< default −1 */
    bool keepdim;
    int end_;
} hd_mode_args;
HD_API hd_val hd_kthvalue_at(hd_loc at, const hd_kthvalue_args *args);
HD_API hd_val hd_median_at(hd_loc at, const hd_median_args *args);
HD_API hd_val hd_mode_at(hd_loc at, const hd_mode_args *args);
#define hd_kthvalue(...) HD_CALL_(kthvalue, __VA_ARGS__)
#define hd_median(...)   HD_CALL_(median, __VA_ARGS__)
#define hd_mode(...)     HD_CALL_(mode, __VA_ARGS__)
/** The largest (smallest) so far along an axis, and where it stands. */
typedef struct hd_cummax_args {
    hd_val x;
    int64_t axis; /**< default −1 */
    int end_;
} hd_cummax_args;
HD_API hd_val hd_cummax_at(hd_loc at, const hd_cummax_args *args);
HD_API hd_val hd_cummin_at(hd_loc at, const hd_cummax_args *args);
#define hd_cummax(...) HD_CALL_(cummax, __VA_ARGS__)
#define hd_cummin(...) hd_cummin_at(HD_HERE, &(hd_cummax_args){__VA_ARGS__, .end_ = 0})

/** Sum and mean of the elements that are not NaN. */
HD_API hd_val hd_nansum_at(hd_loc at, const hd_reduce_args *args);
HD_API hd_val hd_nanmean_at(hd_loc at, const hd_reduce_args *args);
#define hd_nansum(...)  HD_REDUCE_(nansum, __VA_ARGS__)
#define hd_nanmean(...) HD_REDUCE_(nanmean, __VA_ARGS__)
/** (Σ |x|^p)^(1/p) over some axes; p may be INFINITY or −INFINITY. */
typedef struct hd_norm_args {
    hd_val x;
    hd_dims axes;
    bool keepdim;
    double p; /**< default 2; HD_ZERO counts what is not 0 */
    int end_;
} hd_norm_args;
HD_API hd_val hd_norm_at(hd_loc at, const hd_norm_args *args);
#define hd_norm(...) HD_CALL_(norm, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
