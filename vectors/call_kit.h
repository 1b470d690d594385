/* call_kit.h: small pieces that composite calls are made of. */
#ifndef HD_VECTORS_CALL_KIT_H
#define HD_VECTORS_CALL_KIT_H
#include "calls.h"

int64_t kit_size(hd_val x, int axis);                              /* of one axis; 0 for none */
hd_val kit_scale(hd_val x, double factor);                         /* factor·x, of floats */
hd_val kit_shift(hd_val x, double by);                             /* x + by, of floats */
hd_val kit_slice(hd_val x, int axis, int64_t start, int64_t stop); /* may be empty */
hd_val kit_reshape(hd_val x, hd_dims dims);                        /* 0 is a size like any other */
hd_val kit_insert(hd_val x, int axis, int64_t n);                  /* n axes of 1 before `axis` */
hd_val kit_drop(hd_val x, int axis);                               /* an axis of size 1 goes */
hd_val kit_expand(hd_val x, hd_dims dims);
hd_val kit_sum(hd_val x, int axis, bool keepdim);
hd_val kit_swap_last(hd_val x);                  /* the last two axes change places */
hd_dims kit_one(int axis);                       /* a list of one axis */
hd_dims kit_all_ones(int rank);                  /* dimensions of 1 */
hd_val kit_vector(hd_val v, int rank, int axis); /* [n] as [1, …, n, …, 1], n on `axis` of `rank` */

/* x with a batch, which PyTorch leaves out as it likes, and a result without the one that was added. rank: with it. */
typedef struct kit_batched {
    hd_val x;
    bool added;
} kit_batched;
kit_batched kit_batch(hd_val x, int rank);
void kit_give(vector_case *c, hd_val y, const kit_batched *like);
#endif
