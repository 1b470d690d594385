/* hadal/ops_train.h: what changes persistent values: optimiser steps, clipping. See hadal/ops.h for how they are
 * called. */
#ifndef HADAL_OPS_TRAIN_H
#define HADAL_OPS_TRAIN_H
#include "hadal/ops_math.h"
#include "hadal/optimizer.h"

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

/** One step of an optimiser, in place: hd_optimizer_update(p, g, hyper, .o = hd_adam()) adds the operation of its name
 * ("adam_update"). g: the gradient, of the shape of p. hyper: f64 [5] = learning rate, step number 1, 2, …, weight
 * decay, weight (of hd_accumulate), share; share 0: everything stays as it is. scale: a float scalar that multiplies
 * the gradient (clipping); below 0: everything stays as it is. s0, s1, s2: what the optimiser keeps, of the shape of p,
 * as many as it names. ema: the moving average of p, where o.ema says so; at step 1 it begins as p. row: [n] or [k, n]
 * where p is [m, n]; g is then [m] or [k, m], and the gradient is their outer product, or the sum of k of them. Of `o`
 * the name and the optimiser's own options count. lr_scale: factor of the learning rate (0: 1). decay: this weight
 * decay instead of that of hyper (below 0: that of hyper; 0 means so too, HD_ZERO none). */
typedef struct hd_update_args {
    hd_val p, g, hyper, scale, s0, s1, s2, ema, row;
    hd_optimizer o;
    double lr_scale, decay;
    int end_;
} hd_update_args;
HD_API hd_val hd_optimizer_update_at(hd_loc at, const hd_update_args *args);
#define hd_optimizer_update(...) hd_optimizer_update_at(HD_HERE, &(hd_update_args){__VA_ARGS__, .end_ = 0})
/** min(1, max_norm / (‖all x‖₂ + 1e-6)), a scalar, f64 when an x is, else f32: the scale for clipping the gradient by
 * its norm. Output 1: the norm, f64. */
typedef struct hd_clip_scale_args {
    const hd_val *x;
    int64_t n;
    double max_norm;
    int end_;
} hd_clip_scale_args;
HD_API hd_val hd_clip_scale_at(hd_loc at, const hd_clip_scale_args *args);
#define hd_clip_scale(...) HD_CALL_(clip_scale, __VA_ARGS__)
/** Leaves out steps whose gradient is much longer than usual: output 1 is `scale`, or −1 where norm (f64 scalar) lies
 * more than `limit` deviations above the mean of the norms so far. state: f64 [4] = norms seen, mean, variance, left
 * out. */
typedef struct hd_outlier_guard_args {
    hd_val state, norm, scale, hyper;
    double limit;
    int end_;
} hd_outlier_guard_args;
HD_API hd_val hd_outlier_guard_at(hd_loc at, const hd_outlier_guard_args *args);
#define hd_outlier_guard(...) HD_CALL_(outlier_guard, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
