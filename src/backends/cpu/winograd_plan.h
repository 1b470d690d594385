/* winograd_plan.h: whether and how a convolution is done by Winograd's F(4×4, 3×3): layouts, pieces, tasks. A function
 * of shapes and instruction set alone: part of the numeric plan. Runs nothing. */
#ifndef HD_CPU_WINOGRAD_PLAN_H
#define HD_CPU_WINOGRAD_PLAN_H
#include "backends/cpu/winograd.h"
#include "compile/kernel.h"

typedef enum hd_wino_direction { HD_WINO_FORWARD, HD_WINO_GRAD_INPUT, HD_WINO_GRAD_WEIGHT } hd_wino_direction;

typedef struct hd_wino_plan {
    const hd_wino_isa *isa;
    hd_wino_direction direction;
    bool bias, relu;
    int64_t n, c, k, h, w, oh, ow;
    hd_wino_side from, to;    /* pictures that are read and written; gradient of the weights: x and dy */
    int64_t tiles;            /* of all pictures */
    int64_t summed, channels; /* channels that are summed over, and of the result */
    int64_t panel, panels;    /* channels of the result that are computed at a time; the last may be half */
    int64_t pieces, parts;    /* tasks: pieces of the tiles × parts of the panels */
    int64_t slices;           /* of the summed channels, tasks of the weights' transform with the panels */
    int64_t u, v, m;          /* floats of scratch: shared, and two of each thread's */
} hd_wino_plan;

/* NULL, or the reason why not. */
const char *hd_wino_plan_make(hd_wino_plan *p, const hd_kctx *k, hd_wino_direction direction);
/* The layouts of x (and dx), w (dw), y (dy). */
hd_layout hd_wino_picture_layout(const hd_wino_plan *p);
hd_layout hd_wino_weight_layout(const hd_wino_plan *p);
static inline int64_t hd_wino_ceil(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
static inline int64_t hd_wino_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
#endif
