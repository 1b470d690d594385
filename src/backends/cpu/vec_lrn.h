/* vec_lrn.h: state of the kernels of local response normalisation. */
#ifndef HD_BACKENDS_CPU_VEC_LRN_H
#define HD_BACKENDS_CPU_VEC_LRN_H
#include "backends/cpu/vec.h"

enum { HD_VEC_LRN_PLACES = 64 }; /* places that a unit works on, through all channels */

/* x is [outer, c, places]; units are blocks of places. Scratch of the gradient: floats [tasks][c][HD_VEC_LRN_PLACES].
 */
typedef struct hd_vec_lrn {
    hd_vec_split split; /* of units */
    int64_t c, places, blocks;
    int64_t before, after; /* channels of a window around its own */
    float alpha, k, beta, factor;
    int quarters; /* 4·beta where it is 2, 3 or 4: roots do then; else 0 */
} hd_vec_lrn;
#endif
