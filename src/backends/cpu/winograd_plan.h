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
    bool bias, relu, add, half; /* half: weights that are multiplied are bf16 */
    int64_t n, c, k, h, w, oh, ow;
    hd_wino_side from, to;    /* pictures that are read and written; gradient of the weights: x and dy */
    int64_t tiles;            /* of all pictures */
    int64_t summed, channels; /* channels that are summed over, and of the result */
    int64_t panel, panels;    /* channels of the result that are computed at a time; the last may be half */
    int64_t pieces, parts;    /* tasks: pieces of the tiles × parts of the panels */
    int64_t slices;           /* of the summed channels, tasks of the weights' transform with the panels */
    /* Gradient of the weights: either groups of tiles, each a task with a sum of its own over pieces of at most `room`
     * tiles (chunks 0); or chunks of tiles, of which all pieces are transformed, then all products made, the task of a
     * part of a point. */
    int64_t groups, chunks;
    int64_t block, du; /* floats of a block of sums, of a group's */
    int64_t u, v, m;   /* floats of transformed weights; pixels; products (gradient of the weights: dy) */
} hd_wino_plan;

/* NULL, or the reason why not. */
const char *hd_wino_plan_make(hd_wino_plan *p, const hd_kctx *k, hd_wino_direction direction);
/* What the kernel list calls. */
void hd_wino_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out, hd_wino_direction direction);
/* The plan as the state of a kernel; `phases` adds the phases and scratch. */
hd_status hd_wino_prepare(hd_kctx *k, hd_prepared *out, hd_wino_direction direction,
                          void (*phases)(const hd_wino_plan *p, hd_prepared *out));
#define HD_WINO_KERNEL(op_name, direction)                                                                             \
    static const char *op_name##_supports(const hd_kctx *k) {                                                          \
        hd_wino_plan p;                                                                                                \
        return hd_wino_plan_make(&p, k, direction);                                                                    \
    }                                                                                                                  \
    static void op_name##_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {                                   \
        hd_wino_layouts(k, in, out, direction);                                                                        \
    }                                                                                                                  \
    static hd_status op_name##_prepare(hd_kctx *k, hd_prepared *out) {                                                 \
        return hd_wino_prepare(k, out, direction, wino_phases);                                                        \
    }                                                                                                                  \
    const hd_kernel hd_kernel_cpu_##op_name##_winograd = {.name = "cpu." #op_name ".winograd",                         \
                                                          .op = #op_name,                                              \
                                                          .flags = HD_K_BF16,                                          \
                                                          .supports = op_name##_supports,                              \
                                                          .layouts = op_name##_layouts,                                \
                                                          .prepare = op_name##_prepare};
static inline int64_t hd_wino_ceil(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
static inline int64_t hd_wino_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
#endif
