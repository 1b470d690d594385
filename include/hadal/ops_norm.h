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

#ifdef __cplusplus
}
#endif
#endif
