/* vec_pool.h: state of the pooling kernels. */
#ifndef HD_BACKENDS_CPU_VEC_POOL_H
#define HD_BACKENDS_CPU_VEC_POOL_H
#include "backends/cpu/planes.h"

/* Windows that cover a row or column of x: from … to-1. */
typedef struct hd_vec_cover {
    int32_t from, to;
} hd_vec_cover;

typedef struct hd_vec_pool {
    hd_planes x, y;
    hd_planes_split split;
    int64_t h, w, oh, ow, kernel[2], stride[2], padding[2];
    float factor;                 /* 1 / size of the window */
    bool apart;                   /* windows touch nowhere and begin at 0: kernel = stride, no padding */
    hd_vec_cover *rows, *columns; /* [h], [w] */
    hd_vec_cover inner;           /* outputs of a row whose columns all lie inside */
    int64_t buffer;               /* floats of a row with its edges, in thread scratch */
} hd_vec_pool;
#endif
