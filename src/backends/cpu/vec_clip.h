/* vec_clip.h: state of clip_scale: all gradients in pieces of a fixed size, each with its sum of squares. */
#ifndef HD_BACKENDS_CPU_VEC_CLIP_H
#define HD_BACKENDS_CPU_VEC_CLIP_H
#include "backends/cpu/vec.h"

typedef struct hd_vec_piece {
    int input;
    int64_t from, n;
} hd_vec_piece;

typedef struct hd_vec_clip {
    int64_t pieces, chunk, tasks; /* pieces a task */
    hd_vec_piece *piece;
    double max_norm;
} hd_vec_clip;
#endif
