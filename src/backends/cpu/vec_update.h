/* vec_update.h: state of the optimiser kernels. */
#ifndef HD_BACKENDS_CPU_VEC_UPDATE_H
#define HD_BACKENDS_CPU_VEC_UPDATE_H
#include "backends/cpu/vec.h"

typedef struct hd_vec_update {
    hd_vec_split split;
    double momentum, beta1, beta2, eps;
    bool nesterov, decoupled;
    bool scale; /* a factor of the gradient is given */
} hd_vec_update;
#endif
