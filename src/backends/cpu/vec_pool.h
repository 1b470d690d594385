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
    bool half;                    /* bf16: the largest, channels side by side */
    int64_t deep;                 /* most windows below one another that cover a row */
} hd_vec_pool;

/* Whether max_pool2d and its gradient read and write bf16 themselves in the layouts of k: channels side by side, and
 * planes whose places 16 bits number. */
bool hd_vec_pool_half(const hd_kctx *k);
#endif
