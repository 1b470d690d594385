/* hadal/nn_norm.h: layers that normalise each sample by its own statistics. */
#ifndef HADAL_NN_NORM_H
#define HADAL_NN_NORM_H
#include "hadal/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Layer normalisation over the last axes. NAME.weight (ones), NAME.bias (zeros): [normalized_shape]. */
typedef struct hd_nn_layer_norm_args {
    hd_val x;
    const char *name;
    hd_dims normalized_shape; /**< sizes of the last axes; not given: the last one */
    double eps;               /**< default 1e-5 */
    bool no_affine;           /**< elementwise_affine=False: no weight, no bias */
    bool no_bias;
    int end_;
} hd_nn_layer_norm_args;
HD_API hd_val hd_nn_layer_norm_at(hd_loc at, const hd_nn_layer_norm_args *args);
#define hd_nn_layer_norm(...) hd_nn_layer_norm_at(HD_HERE, &(hd_nn_layer_norm_args){__VA_ARGS__, .end_ = 0})

/** Root mean square normalisation over the last axes. NAME.weight (ones): [normalized_shape]. */
typedef struct hd_nn_rms_norm_args {
    hd_val x;
    const char *name;
    hd_dims normalized_shape; /**< sizes of the last axes; not given: the last one */
    double eps;               /**< default: the distance from 1 to the next number of x's dtype */
    bool no_affine;           /**< elementwise_affine=False: no weight */
    int end_;
} hd_nn_rms_norm_args;
HD_API hd_val hd_nn_rms_norm_at(hd_loc at, const hd_nn_rms_norm_args *args);
#define hd_nn_rms_norm(...) hd_nn_rms_norm_at(HD_HERE, &(hd_nn_rms_norm_args){__VA_ARGS__, .end_ = 0})

/** Group normalisation of x [n, c, …]. NAME.weight (ones), NAME.bias (zeros): [c]. */
typedef struct hd_nn_group_norm_args {
    hd_val x;
    const char *name;
    int64_t num_groups;
    double eps;     /**< default 1e-5 */
    bool no_affine; /**< affine=False: no weight, no bias */
    int end_;
} hd_nn_group_norm_args;
HD_API hd_val hd_nn_group_norm_at(hd_loc at, const hd_nn_group_norm_args *args);
#define hd_nn_group_norm(...) hd_nn_group_norm_at(HD_HERE, &(hd_nn_group_norm_args){__VA_ARGS__, .end_ = 0})

/** Instance normalisation of x [n, c, …]: each channel of each sample on its own. With `affine` NAME.weight (ones) and
 * NAME.bias (zeros) [c]; with track_running_stats NAME.running_mean (zeros) and NAME.running_var (ones) [c], which
 * programs without training use. */
typedef struct hd_nn_instance_norm_args {
    hd_val x;
    const char *name;
    double eps, momentum; /**< defaults 1e-5, 0.1 */
    bool affine, track_running_stats;
    int end_;
} hd_nn_instance_norm_args;
HD_API hd_val hd_nn_instance_norm_at(hd_loc at, const hd_nn_instance_norm_args *args);
#define hd_nn_instance_norm(...) hd_nn_instance_norm_at(HD_HERE, &(hd_nn_instance_norm_args){__VA_ARGS__, .end_ = 0})

#ifdef __cplusplus
}
#endif
#endif
