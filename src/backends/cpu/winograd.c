/* winograd.c: convolution and the gradient of its input by Winograd's F(4×4, 3×3): the weights are transformed once for
 * all tasks; a task takes a piece of the tiles from pixels to results, in its core's own cache. */
#include "backends/cpu/winograd.h"
#include "backends/cpu/winograd_plan.h"
#include "base/status.h"

/* Task: a panel of the result's channels and a slice of the summed ones. */
static void run_weights(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t panel = task / p->slices, slice = task % p->slices, blocks = p->from.blocks;
    const int64_t channel = panel * p->panel, width = hd_wino_least(p->panel, p->channels - channel);
    const bool turned = p->direction == HD_WINO_GRAD_INPUT;
    const hd_wino_weights g = {.blocks_k = p->k / p->isa->block, .blocks_c = p->c / p->isa->block, .turned = turned};
    float *u = (float *)(void *)e->scratch + HD_WINO_POINTS * p->summed * channel;
    p->isa->weights(u, &g, e->in[1], channel, width, slice * blocks / p->slices, (slice + 1) * blocks / p->slices);
}

/* Task: a piece of the tiles and a part of the panels. */
static void run_piece(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t piece = task / p->parts, part = task % p->parts;
    const int64_t first = piece * p->tiles / p->pieces, n = (piece + 1) * p->tiles / p->pieces - first;
    float *v = hd_thread_scratch(e), *m = v + p->v;
    p->isa->read(v, &p->from, e->in[0], first, n);
    for (int64_t panel = part * p->panels / p->parts; panel < (part + 1) * p->panels / p->parts; panel++) {
        const int64_t channel = panel * p->panel, width = hd_wino_least(p->panel, p->channels - channel);
        const hd_wino_product product = {.v = v,
                                         .u = (float *)(void *)e->scratch + HD_WINO_POINTS * p->summed * channel,
                                         .m = m,
                                         .tiles = n,
                                         .blocks = p->from.blocks,
                                         .room = p->to.room,
                                         .width = width,
                                         .v_point = p->from.point};
        const hd_wino_end end = {.m = m,
                                 .y = e->out[0],
                                 .bias = p->direction == HD_WINO_FORWARD && p->bias ? e->in[2] : NULL,
                                 .channel = channel,
                                 .width = width,
                                 .relu = p->relu};
        p->isa->product(&product);
        p->isa->write(&end, &p->to, first, n);
    }
}

static hd_status wino_prepare(hd_kctx *k, hd_prepared *out, hd_wino_direction direction) {
    hd_wino_plan *p = hd_arena_alloc(k->arena, sizeof *p);
    if (!p) return HD_E_MEMORY;
    const char *reason = hd_wino_plan_make(p, k, direction);
    if (reason) return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|%s", k->op->name, reason);
    out->state = p;
    out->phase[out->phases++] = (hd_phase){run_weights, p->panels * p->slices};
    out->phase[out->phases++] = (hd_phase){run_piece, p->pieces * p->parts};
    out->scratch = (size_t)p->u * sizeof(float);
    out->scratch_per_thread = (size_t)(p->v + p->m) * sizeof(float);
    return HD_OK;
}

/* An operand that only gives a shape is named in the layout of what has that shape. */
static void wino_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out, hd_wino_direction direction) {
    hd_wino_plan p;
    if (hd_wino_plan_make(&p, k, direction)) return;
    in[0] = out[0] = hd_wino_picture_layout(&p);
    in[1] = hd_wino_weight_layout(&p);
    if (direction == HD_WINO_GRAD_INPUT && k->n_in > 2) in[2] = out[0];
}

#define WINO_KERNEL(op_name, direction)                                                                                \
    static const char *op_name##_supports(const hd_kctx *k) {                                                          \
        hd_wino_plan p;                                                                                                \
        return hd_wino_plan_make(&p, k, direction);                                                                    \
    }                                                                                                                  \
    static void op_name##_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {                                   \
        wino_layouts(k, in, out, direction);                                                                           \
    }                                                                                                                  \
    static hd_status op_name##_prepare(hd_kctx *k, hd_prepared *out) {                                                 \
        return wino_prepare(k, out, direction);                                                                        \
    }                                                                                                                  \
    const hd_kernel hd_kernel_cpu_##op_name##_winograd = {.name = "cpu." #op_name ".winograd",                         \
                                                          .op = #op_name,                                              \
                                                          .supports = op_name##_supports,                              \
                                                          .layouts = op_name##_layouts,                                \
                                                          .prepare = op_name##_prepare};
WINO_KERNEL(conv2d, HD_WINO_FORWARD)
WINO_KERNEL(conv2d_grad_input, HD_WINO_GRAD_INPUT)
