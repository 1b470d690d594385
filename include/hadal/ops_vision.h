/* hadal/ops_vision.h: pictures resampled, cut into windows, put together again, read between their points. See
 * hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_VISION_H
#define HADAL_OPS_VISION_H
#include "hadal/ops_window.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HD_RESAMPLE_NEAREST, HD_RESAMPLE_NEAREST_EXACT, HD_RESAMPLE_LINEAR, HD_RESAMPLE_CUBIC, HD_RESAMPLE_AREA };
/** An axis with `size` elements, each a weighted sum of its neighbours in x. Linear: its gradient is resample_grad. */
typedef struct hd_resample_args {
    hd_val x;
    int64_t axis, size;
    double scale; /**< elements of x for a step of y; 0: by the sizes */
    int64_t mode; /**< HD_RESAMPLE_… */
    bool align_corners;
    int end_;
} hd_resample_args;
HD_API hd_val hd_resample_at(hd_loc at, const hd_resample_args *args);
#define hd_resample(...) HD_CALL_(resample, __VA_ARGS__)
/** The transpose of resample; size: elements of the axis of x. */
typedef struct hd_resample_grad_args {
    hd_val dy;
    int64_t axis, size;
    double scale;
    int64_t mode;
    bool align_corners;
    int end_;
} hd_resample_grad_args;
HD_API hd_val hd_resample_grad_at(hd_loc at, const hd_resample_grad_args *args);
#define hd_resample_grad(...) HD_CALL_(resample_grad, __VA_ARGS__)

/** The windows of pictures as columns: x [n, c, h, w] → [n, c·kh·kw, windows] (torch.nn.functional.unfold). */
typedef struct hd_unfold2d_args {
    hd_val x;
    int64_t kernel_size[2], dilation[2], padding[2], stride[2];
    int end_;
} hd_unfold2d_args;
HD_API hd_val hd_unfold2d_at(hd_loc at, const hd_unfold2d_args *args);
#define hd_unfold2d(...) HD_CALL_(unfold2d, __VA_ARGS__)
/** Columns added up where they came from: x [n, c·kh·kw, windows] → [n, c, output_size] (torch.nn.functional.fold). */
typedef struct hd_fold2d_args {
    hd_val x;
    int64_t output_size[2], kernel_size[2], dilation[2], padding[2], stride[2];
    int end_;
} hd_fold2d_args;
HD_API hd_val hd_fold2d_at(hd_loc at, const hd_fold2d_args *args);
#define hd_fold2d(...) HD_CALL_(fold2d, __VA_ARGS__)

/* ---- made of other ops ---- */

enum {
    HD_INTERPOLATE_NEAREST,
    HD_INTERPOLATE_LINEAR,
    HD_INTERPOLATE_BILINEAR,
    HD_INTERPOLATE_BICUBIC,
    HD_INTERPOLATE_TRILINEAR,
    HD_INTERPOLATE_AREA,
    HD_INTERPOLATE_NEAREST_EXACT
};
/** x [n, c, …] with the axes behind the channels of another size, by sizes or by factors. */
typedef struct hd_interpolate_args {
    hd_val x;
    hd_dims size;           /**< sizes of the axes, or one for all; not given: by scale_factor */
    double scale_factor[3]; /**< of each axis; only the first given: of all */
    int64_t mode;           /**< HD_INTERPOLATE_… */
    bool align_corners, recompute_scale_factor;
    int end_;
} hd_interpolate_args;
HD_API hd_val hd_interpolate_at(hd_loc at, const hd_interpolate_args *args);
#define hd_interpolate(...) HD_CALL_(interpolate, __VA_ARGS__)

enum { HD_GRID_BILINEAR, HD_GRID_NEAREST, HD_GRID_BICUBIC };
enum { HD_GRID_ZEROS, HD_GRID_BORDER, HD_GRID_REFLECTION };
/** x [n, c, h, w] (or [n, c, d, h, w]) read at the places of grid [n, h', w', 2] (or [n, d', h', w', 3]), −1 … 1 along
 * each axis, the innermost first. */
typedef struct hd_grid_sample_args {
    hd_val x, grid;
    int64_t mode;         /**< HD_GRID_BILINEAR, … */
    int64_t padding_mode; /**< HD_GRID_ZEROS, …: what lies outside */
    bool align_corners;
    int end_;
} hd_grid_sample_args;
HD_API hd_val hd_grid_sample_at(hd_loc at, const hd_grid_sample_args *args);
#define hd_grid_sample(...) HD_CALL_(grid_sample, __VA_ARGS__)
/** The grid of affine maps theta [n, 2, 3] (or [n, 3, 4]) for results of the sizes [n, c, h, w] (or [n, c, d, h, w]).
 */
typedef struct hd_affine_grid_args {
    hd_val theta;
    hd_dims size;
    bool align_corners;
    int end_;
} hd_affine_grid_args;
HD_API hd_val hd_affine_grid_at(hd_loc at, const hd_affine_grid_args *args);
#define hd_affine_grid(...) HD_CALL_(affine_grid, __VA_ARGS__)

/** Every element of x [n, c, …] (or [c, …]) at the place that max-pooling took it from (index, i64 of x's shape: place
 * among the elements of a channel), zeros elsewhere. `axes` 1, 2 or 3 (default 2) are pooled. */
typedef struct hd_max_unpool_args {
    hd_val x, index;
    int64_t axes;
    int64_t kernel_size[3], stride[3], padding[3]; /**< as of the pooling, outermost axis first */
    int64_t output_size[3];                        /**< not given: by the windows */
    int end_;
} hd_max_unpool_args;
HD_API hd_val hd_max_unpool_at(hd_loc at, const hd_max_unpool_args *args);
#define hd_max_unpool(...) HD_CALL_(max_unpool, __VA_ARGS__)

/** Where the largest x of each window stands: i64, among the d·h·w elements of a channel. */
HD_API hd_val hd_max_pool3d_index_at(hd_loc at, const hd_pool3d_args *args);
#define hd_max_pool3d_index(...) hd_max_pool3d_index_at(HD_HERE, &(hd_pool3d_args){__VA_ARGS__, .end_ = 0})

/** Power mean pooling without the mean: (Σ xᵖ)^(1/p) over windows of x [n, c, …], one to three axes. */
typedef struct hd_lp_pool_args {
    hd_val x;
    double p;                          /**< default 2 */
    int64_t kernel_size[3], stride[3]; /**< outermost axis first; stride default kernel_size */
    bool ceil_mode;
    int end_;
} hd_lp_pool_args;
HD_API hd_val hd_lp_pool_at(hd_loc at, const hd_lp_pool_args *args);
#define hd_lp_pool(...) HD_CALL_(lp_pool, __VA_ARGS__)

/** y_o = aᵀ W_o b + bias_o: a [..., i], b [..., j], w [o, i, j], bias [o] or none → [..., o]. */
typedef struct hd_bilinear_args {
    hd_val a, b, w, bias;
    int end_;
} hd_bilinear_args;
HD_API hd_val hd_bilinear_at(hd_loc at, const hd_bilinear_args *args);
#define hd_bilinear(...) HD_CALL_(bilinear, __VA_ARGS__)

/** x / max(‖x‖ₚ, eps) along an axis. */
typedef struct hd_normalize_args {
    hd_val x;
    double p;     /**< default 2 */
    int64_t axis; /**< default 1 */
    double eps;   /**< default 1e-12 */
    int end_;
} hd_normalize_args;
HD_API hd_val hd_normalize_at(hd_loc at, const hd_normalize_args *args);
#define hd_normalize(...) HD_CALL_(normalize, __VA_ARGS__)

/** The p-distances of all pairs of rows i < j of x [n, m]: [n(n − 1)/2]. */
typedef struct hd_pdist_args {
    hd_val x;
    double p; /**< default 2 */
    int end_;
} hd_pdist_args;
HD_API hd_val hd_pdist_at(hd_loc at, const hd_pdist_args *args);
#define hd_pdist(...) HD_CALL_(pdist, __VA_ARGS__)

/** The channels of x [n, c, …] in another order: channel i·groups + g is g·c/groups + i of x. */
typedef struct hd_channel_shuffle_args {
    hd_val x;
    int64_t groups;
    int end_;
} hd_channel_shuffle_args;
HD_API hd_val hd_channel_shuffle_at(hd_loc at, const hd_channel_shuffle_args *args);
#define hd_channel_shuffle(...) HD_CALL_(channel_shuffle, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
