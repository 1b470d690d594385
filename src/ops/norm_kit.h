/* norm_kit.h: what the normalisations of single samples share: rows of elements that are normalised together, their
 * definition, their gradient and its own gradient. Knows nothing of backends. */
#ifndef HD_OPS_NORM_KIT_H
#define HD_OPS_NORM_KIT_H
#include "ops/op_kit.h"

/* x as rows of m elements side by side, each normalised on its own. Element j of row r has the weight number
 * (r % groups)·(m / run) + j / run. */
typedef struct hd_norm_rows {
    int64_t rows, m, groups, run;
} hd_norm_rows;
static inline int64_t hd_norm_weights(const hd_norm_rows *z) {
    return z->groups * (z->m / z->run);
}
/* Over the last axes, as many as `shape` has; over groups of channels. Of dimensions that infer has accepted. */
hd_norm_rows hd_norm_last_rows(const hd_dims *x, const hd_dims *shape);
hd_norm_rows hd_norm_group_rows(const hd_dims *x, int64_t num_groups);

/* Definitions. x, weight, bias (rms: none) → y, mean (rms: none), invstd. */
void hd_norm_ref(const hd_ref *r, const hd_norm_rows *z, bool centred, double eps);
/* x, mean (rms: none), invstd, dy, weight → dx, dw, db (rms: none). */
void hd_norm_grad_ref(const hd_ref *r, const hd_norm_rows *z, bool centred);

/* Settles normalized_shape from input iw (where it is there) or as the last axis of x, checks it against x and gives
 * the type of the statistics: x with 1 for these axes. */
hd_status hd_infer_norm_shape(hd_infer *c, int iw, hd_dims *shape, hd_type *statistics);
/* Input i is absent, or of x's dtype and these dimensions. */
hd_status hd_infer_norm_weight(hd_infer *c, int i, const hd_dims *dims);
/* Input i is of this type. */
hd_status hd_infer_norm_statistics(hd_infer *c, int i, const hd_type *type);
/* Inputs of the gradient over the last axes: x, statistics, dy (number idy), weight → types of dx, dw, db. */
hd_status hd_infer_norm_last_grad(hd_infer *c, hd_dims *shape, int idy);
hd_cost hd_cost_norm(const hd_infer *c);
hd_cost hd_cost_norm_grad(const hd_infer *c);

/* ---- gradients, of values that broadcast against x over the normalised axes ---- */

typedef struct hd_norm_view {
    hd_val x, mean, invstd, dy, w; /* mean: none for rms; w may be none */
    hd_dims axes;                  /* normalised */
} hd_norm_view;
/* What reaches x through the mean and 1/deviation that a normalisation gives. None where nothing does. */
hd_val hd_norm_through_statistics(const hd_norm_view *v, hd_val dmean, hd_val dinvstd);
/* From gradients of dx, dw and db (each may be none) to those of the view's x, mean, invstd, dy and w, none where
 * nothing arrives. dw and db as they broadcast against x. */
hd_norm_view hd_norm_second(const hd_norm_view *v, hd_val u, hd_val vw, hd_val vb);

/* The last axes of x, as many as `shape` has; the rule of a gradient over them. */
hd_dims hd_norm_last_axes(hd_val x, const hd_dims *shape);
void hd_norm_last_grad_rule(hd_grad *c, const hd_dims *shape, bool centred);

/* The rule of an op (x, weight, bias, …) → (y, mean, invstd, …) over groups of channels. */
void hd_norm_group_rule(hd_grad *c, int64_t groups);

#define HD_NORM_SHAPE_OPTION(args_)                                                                                    \
    HD_OPTION(DIMS, args_, normalized_shape, .help = "sizes of the last axes; none: as weight, else the last one")
/* An op of hd_batch_norm_args that moves running statistics: what all of them say alike. */
#define HD_NORM_RUNNING_HEAD(name_)                                                                                    \
    .name = #name_, .n_in = 5, .n_out = 5, .in_names = HD_NAMES("x", "weight", "bias", "running_mean", "running_var"), \
    .out_names = HD_NAMES("y", "mean", "invstd", "running_mean", "running_var"),                                       \
    .args_size = sizeof(hd_batch_norm_args), .options = (const hd_option[]){HD_BATCH_NORM_OPTIONS, HD_OPTION_END},     \
    .flags = HD_OP_EFFECT, .alias = {0, 0, 0, 4, 5}
#endif
