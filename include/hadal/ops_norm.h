/* hadal/ops_norm.h: normalisation by the statistics of each sample: over the last axes, over groups of channels. Batch
 * normalisation stands in ops_window.h. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_NORM_H
#define HADAL_OPS_NORM_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Layer normalisation over the last axes: y = (x − mean) / √(var + eps) · w + b, var without a correction. w, b are of
 * normalized_shape, each may be none. normalized_shape: the sizes of these axes; not given: those of w, else the last
 * one. Outputs: y, mean and 1/√(var + eps) (as x with 1 for these axes). */
typedef struct hd_layer_norm_args {
    hd_val x, w, b;
    hd_dims normalized_shape;
    double eps; /**< default 1e-5 */
    int end_;
} hd_layer_norm_args;
HD_API hd_val hd_layer_norm_at(hd_loc at, const hd_layer_norm_args *args);
#define hd_layer_norm(...) HD_CALL_(layer_norm, __VA_ARGS__)
/** Gradient of layer_norm: outputs dx, dw, db (the last two of normalized_shape, also where there was no w or b). */
typedef struct hd_layer_norm_grad_args {
    hd_val x, mean, invstd, dy, w;
    hd_dims normalized_shape;
    int end_;
} hd_layer_norm_grad_args;
HD_API hd_val hd_layer_norm_grad_at(hd_loc at, const hd_layer_norm_grad_args *args);
#define hd_layer_norm_grad(...) HD_CALL_(layer_norm_grad, __VA_ARGS__)

/** Root mean square normalisation over the last axes: y = x / √(mean x² + eps) · w. Outputs: y, 1/√(mean x² + eps). */
typedef struct hd_rms_norm_args {
    hd_val x, w;
    hd_dims normalized_shape; /**< as of layer_norm */
    double eps;               /**< default: the distance from 1 to the next number of x's dtype */
    int end_;
} hd_rms_norm_args;
HD_API hd_val hd_rms_norm_at(hd_loc at, const hd_rms_norm_args *args);
#define hd_rms_norm(...) HD_CALL_(rms_norm, __VA_ARGS__)
/** Gradient of rms_norm: outputs dx, dw. */
typedef struct hd_rms_norm_grad_args {
    hd_val x, invrms, dy, w;
    hd_dims normalized_shape;
    int end_;
} hd_rms_norm_grad_args;
HD_API hd_val hd_rms_norm_grad_at(hd_loc at, const hd_rms_norm_grad_args *args);
#define hd_rms_norm_grad(...) HD_CALL_(rms_norm_grad, __VA_ARGS__)

/** Group normalisation: the channels (axis 1) of each sample in num_groups groups, each brought to mean 0 and deviation
 * 1; w, b [c] or none. Outputs: y, mean [n, groups], 1/√(var + eps) [n, groups]. */
typedef struct hd_group_norm_args {
    hd_val x, w, b;
    int64_t num_groups; /**< default 1 */
    double eps;         /**< default 1e-5 */
    int end_;
} hd_group_norm_args;
HD_API hd_val hd_group_norm_at(hd_loc at, const hd_group_norm_args *args);
#define hd_group_norm(...) HD_CALL_(group_norm, __VA_ARGS__)
/** Gradient of group_norm: outputs dx, dw [c], db [c]. */
typedef struct hd_group_norm_grad_args {
    hd_val x, mean, invstd, dy, w;
    int64_t num_groups;
    int end_;
} hd_group_norm_grad_args;
HD_API hd_val hd_group_norm_grad_at(hd_loc at, const hd_group_norm_grad_args *args);
#define hd_group_norm_grad(...) HD_CALL_(group_norm_grad, __VA_ARGS__)

/** Instance normalisation: every channel of every sample on its own; w, b [c] or none. With running statistics [c]
 * (then w and b too) these move by `momentum`, and programs without training use them instead. */
typedef struct hd_instance_norm_args {
    hd_val x, w, b, running_mean, running_var;
    double eps, momentum; /**< defaults 1e-5, 0.1 */
    int end_;
} hd_instance_norm_args;
HD_API hd_val hd_instance_norm_at(hd_loc at, const hd_instance_norm_args *args);
#define hd_instance_norm(...) HD_CALL_(instance_norm, __VA_ARGS__)

/** Local response normalisation: y = x / (k + alpha/size · Σ x²)^beta, the sum over `size` channels (axis 1) around
 * each one's own, size/2 before it and (size − 1)/2 behind it. */
typedef struct hd_local_response_norm_args {
    hd_val x;
    int64_t size;          /**< must be given */
    double alpha, beta, k; /**< defaults 1e-4, 0.75, 1 */
    int end_;
} hd_local_response_norm_args;
HD_API hd_val hd_local_response_norm_at(hd_loc at, const hd_local_response_norm_args *args);
#define hd_local_response_norm(...) HD_CALL_(local_response_norm, __VA_ARGS__)
/** Gradient of local_response_norm by x. */
typedef struct hd_local_response_norm_grad_args {
    hd_val x, dy;
    int64_t size;
    double alpha, beta, k;
    int end_;
} hd_local_response_norm_grad_args;
HD_API hd_val hd_local_response_norm_grad_at(hd_loc at, const hd_local_response_norm_grad_args *args);
#define hd_local_response_norm_grad(...) HD_CALL_(local_response_norm_grad, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
