/* vec_softmax.h: state of softmax, its logarithm and their gradients: x is [outer, n, inner], the axis n in the middle.
 */
#ifndef HD_BACKENDS_CPU_VEC_SOFTMAX_H
#define HD_BACKENDS_CPU_VEC_SOFTMAX_H
#include "backends/cpu/vec.h"

typedef struct hd_vec_softmax {
    hd_vec_split split; /* of outer */
    int64_t n, inner;
    bool ln;
} hd_vec_softmax;
#endif
