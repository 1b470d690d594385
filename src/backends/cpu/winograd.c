/* winograd.c: convolution and the gradient of its input by Winograd's F(4×4, 3×3): the weights are transformed once for
 * all tasks; a task takes a piece of the tiles from pixels to results, in its core's own cache. */
#include "backends/cpu/winograd_plan.h"

/* Task: a panel of the result's channels and a slice of the summed ones. */
static void run_weights(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_wino_plan *p = e->state;
    const int64_t panel = task / p->slices, slice = task % p->slices, blocks = p->from.blocks;
    const int64_t channel = panel * p->panel, width = hd_wino_least(p->panel, p->channels - channel);
    const bool turned = p->direction == HD_WINO_GRAD_INPUT;
    const hd_wino_weights g = {
        .blocks_k = p->k / p->isa->block, .blocks_c = p->c / p->isa->block, .turned = turned, .half = p->half};
    float *u = (float *)(void *)e->kept + HD_WINO_POINTS * p->summed * channel;
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
                                         .u = (float *)(void *)e->kept + HD_WINO_POINTS * p->summed * channel,
                                         .m = m,
                                         .tiles = n,
                                         .blocks = p->from.blocks,
                                         .room = p->to.room,
                                         .width = width,
                                         .v_point = p->from.point};
        const hd_wino_end end = {.m = m,
                                 .y = e->out[0],
                                 .z = p->add ? e->in[3] : NULL,
                                 .bias = p->direction == HD_WINO_FORWARD && p->bias ? e->in[2] : NULL,
                                 .channel = channel,
                                 .width = width,
                                 .relu = p->relu};
        p->isa->product(&product);
        p->isa->write(&end, &p->to, first, n);
    }
}

static void wino_phases(const hd_wino_plan *p, hd_prepared *out) {
    out->phase[out->phases++] = (hd_phase){run_weights, p->panels * p->slices};
    out->phase[out->phases++] = (hd_phase){run_piece, p->pieces * p->parts};
    out->kept = (size_t)p->u * sizeof(float);
    out->once = 1;
    out->once_in = 1u << 1;
    out->scratch_per_thread = (size_t)(p->v + p->m) * sizeof(float);
}

HD_WINO_KERNEL(conv2d, HD_WINO_FORWARD)
HD_WINO_KERNEL(conv2d_grad_input, HD_WINO_GRAD_INPUT)

const hd_kernel hd_kernel_cpu_conv2d_add_winograd = {.name = "cpu.conv2d_add.winograd",
                                                     .op = "conv2d_add",
                                                     .flags = HD_K_INPLACE_LAST,
                                                     .supports = conv2d_supports,
                                                     .layouts = conv2d_layouts,
                                                     .prepare = conv2d_prepare};
