/* vec_update.h: state of the optimiser kernels. */
#ifndef HD_BACKENDS_CPU_VEC_UPDATE_H
#define HD_BACKENDS_CPU_VEC_UPDATE_H
#include "backends/cpu/vec.h"
#include "ops/optim_kit.h"

typedef struct hd_vec_update {
    hd_vec_split split;
    const hd_optim *kind;
    hd_update_args args;
    bool scale;         /* a factor of the gradient is given */
    int64_t row;        /* elements of a row where the gradient is an outer product, and `split` counts rows; else 0 */
    hd_optim_step step; /* made by the first phase of each run */
} hd_vec_update;
#endif
