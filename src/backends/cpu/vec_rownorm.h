/* vec_rownorm.h: state of the kernels that normalise rows: layer, root mean square and group normalisation. */
#ifndef HD_BACKENDS_CPU_VEC_ROWNORM_H
#define HD_BACKENDS_CPU_VEC_ROWNORM_H
#include "backends/cpu/vec.h"
#include "ops/norm_kit.h"

/* A weight an element (run 1, one group), or a weight for every `run` elements. Scratch of the gradient: floats
 * [tasks][2][weights], the sums of each task for dw and db. */
typedef struct hd_vec_rownorm {
    hd_vec_split split; /* of rows */
    hd_vec_split join;  /* of weights */
    hd_norm_rows rows;
    int64_t weights;
    double eps;
    bool centred, half; /* half: x, y and their gradients are bf16; thread scratch: two rows of floats */
} hd_vec_rownorm;
#endif
