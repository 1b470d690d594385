/* shape_kit.h: what the ops that only move elements share: checked axes, copies along walks. Knows nothing of backends.
 */
#ifndef HD_OPS_SHAPE_KIT_H
#define HD_OPS_SHAPE_KIT_H
#include "ops/op_kit.h"

/* y[i] = x[first + w.at[0]] for the elements of output 0 in order. */
void hd_take_along(const hd_ref *r, hd_walk *w, int64_t first);
/* y = 0, then y[first + w.at[0]] = x[i] for the elements of input 0 in order. */
void hd_put_along(const hd_ref *r, hd_walk *w, int64_t first);

/* The decoded axis of input i, which must be there and not be the batch. */
hd_status hd_infer_axis_of(hd_infer *c, int i, int64_t coded, int *axis);
/* An option with a number for each axis of x (none given: 0). */
static inline int64_t hd_axis_number(const hd_dims *numbers, int axis) {
    return numbers->rank ? numbers->dim[axis] : 0;
}

/* Builders that lower to other ops: records a refusal "NAME: WHAT" at the place of the call and returns none. */
hd_val hd_build_refuse(hd_val x, hd_loc at, const char *name, const char *what, ...) HD_PRINTF(4, 5);
/* True when x is a value that a builder may go on with. */
bool hd_build_ready(hd_val x);
/* The decoded axis of x with `more` axes added, or -1 and a refusal. */
int hd_build_axis(hd_val x, hd_loc at, const char *name, int64_t coded, int more);
hd_val hd_reshape_to(hd_loc at, hd_val x, hd_dims dims);

/* Which of n elements stands at place i of a padded axis, counted from the first of x; -1: none. mode: HD_PAD_…. What
 * is cut off before and behind is not in the circle. */
int64_t hd_pad_source(int64_t mode, int64_t i, int64_t n, int64_t before, int64_t after);
#endif
