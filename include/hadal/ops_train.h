/* hadal/ops_train.h: what changes persistent values: optimiser steps, clipping. See hadal/ops.h for how they are
 * called. */
#ifndef HADAL_OPS_TRAIN_H
#define HADAL_OPS_TRAIN_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

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
