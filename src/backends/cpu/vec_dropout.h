/* vec_dropout.h: state of the dropout kernel. */
#ifndef HD_BACKENDS_CPU_VEC_DROPOUT_H
#define HD_BACKENDS_CPU_VEC_DROPOUT_H
#include "backends/cpu/planes.h"

typedef struct hd_vec_dropout {
    hd_vec_split split; /* plain order */
    hd_planes planes;   /* other orders */
    hd_planes_split planes_split;
    uint32_t limit, stream; /* a word below the limit drops its element */
    bool nothing;           /* p = 1: nothing is kept */
    bool half;              /* bf16, not f32 */
    float scale;
} hd_vec_dropout;
#endif
