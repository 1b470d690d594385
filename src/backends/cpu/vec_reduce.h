/* vec_reduce.h: state of reductions. Neighbouring axes of one kind are joined, so that x is [outer, fold, keep, run]:
 * fold and run are summed, outer and keep stay; any of them may be 1. */
#ifndef HD_BACKENDS_CPU_VEC_REDUCE_H
#define HD_BACKENDS_CPU_VEC_REDUCE_H
#include "backends/cpu/vec.h"

enum { HD_VEC_OUTER, HD_VEC_FOLD, HD_VEC_KEEP, HD_VEC_RUN };

typedef struct hd_vec_reduce {
    int64_t size[4]; /* outer, fold, keep, run */
    int axis;        /* which of them the tasks divide */
    hd_vec_split split;
    bool partial;          /* tasks write [outer, keep] each to scratch; a second phase joins them */
    float factor;          /* of the result */
    hd_vec_fn fill, scale; /* broadcast_like */
} hd_vec_reduce;

/* Joins the axes of `dims` into size[4] by the bits of `mask` (reduced axes); false when they alternate too often. */
bool hd_vec_join_axes(const hd_dims *dims, unsigned mask, int64_t size[4]);
/* The mask of the axes that a reduction's option names; none: all. */
unsigned hd_vec_axes_mask(const hd_dims *axes, int rank);
/* The mask of axes that broadcasting `small` to `big` repeats. */
unsigned hd_vec_broadcast_mask(const hd_dims *small, const hd_dims *big);
#endif
