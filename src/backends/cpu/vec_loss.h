/* vec_loss.h: state of the loss kernels. */
#ifndef HD_BACKENDS_CPU_VEC_LOSS_H
#define HD_BACKENDS_CPU_VEC_LOSS_H
#include "backends/cpu/vec.h"

/* Losses over rows of logits. Task i writes its sum of losses (double) or hits (int64_t) to scratch[i]. */
typedef struct hd_vec_rows {
    hd_vec_split split; /* of rows */
    int64_t c;
    int dx, dy; /* output that receives the gradient, input that scales it; -1: none */
    int loss;   /* output that receives the loss; -1: none */
} hd_vec_rows;
/* Number of targets that count: all but −100. */
static inline double hd_vec_counted(const int64_t *target, int64_t n) {
    int64_t counted = 0;
    for (int64_t i = 0; i < n; i++) counted += target[i] != -100;
    return (double)counted;
}

/* Losses over pairs (x, target). Task i writes its sum to scratch[i]. */
typedef struct hd_vec_pairs {
    hd_vec_split split;
    double factor; /* of the sum of losses; of dy · dloss/dx */
    float c[4];    /* of the options */
} hd_vec_pairs;
#endif
