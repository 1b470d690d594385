/* vec_pool_body.h: means of windows and their gradient where channels lie side by side: a vector holds the same place
 * of HD_VL channels. Included once for each instruction set. */
#include "backends/cpu/vec_pool.h"

/* Rows or columns lo … hi-1 of the kernel that lie inside x for output o. */
typedef struct pool_window {
    int64_t at, lo, hi; /* at: of kernel row or column 0 in x, may be negative */
} pool_window;
HD_INLINE pool_window pool_window_of(const hd_vec_pool *s, int axis, int64_t o, int64_t size) {
    const int64_t at = o * s->stride[axis] - s->padding[axis];
    return (pool_window){at, at < 0 ? -at : 0, hd_vec_min(s->kernel[axis], size - at)};
}

/* One group of channels of an image. */
typedef struct pool_place {
    const hd_vec_pool *s;
    const float *x, *dy; /* dy: of gradients */
    float *y;
    bool whole;
    vm m;
    int64_t channels; /* from the group on; below 1 in padding */
} pool_place;

/* Runs body for each group of the task. */
#define POOL_EACH(body, IN0, IN1, OUT)                                                                                 \
    do {                                                                                                               \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_pool *s = e->state;                                                                               \
        const hd_planes_task r = hd_planes_task_of(&s->x, &s->split, task);                                            \
        for (int64_t n = r.image; n < r.image_end; n++)                                                                \
            for (int64_t g = r.group; g < r.group_end; g++) {                                                          \
                const int64_t at_x = n * s->x.image + hd_planes_start(&s->x, g);                                       \
                const int64_t at_y = n * s->y.image + hd_planes_start(&s->y, g);                                       \
                const int64_t wide = s->x.held - g * HD_VL;                                                            \
                const pool_place q = {s, IN0, IN1, OUT, wide >= HD_VL, vm_first(wide), s->x.c - g * HD_VL};            \
                (void)at_x, (void)at_y;                                                                                \
                body(e, &q);                                                                                           \
            }                                                                                                          \
    } while (0)
#define POOL_X  ((const float *)e->in[0] + at_x)
#define POOL_Y  ((float *)e->out[0] + at_y)
#define POOL_DY ((const float *)e->in[1] + at_y)
#define POOL_DX ((float *)e->out[0] + at_x)

/* ---- means ---- */

HD_INLINE void pool_lanes_avg_one(const pool_place *q, bool whole) {
    const hd_vec_pool *s = q->s;
    const int64_t step = s->x.step, line = s->w * step;
    float *y = q->y;
    for (int64_t oh = 0; oh < s->oh; oh++) {
        const pool_window v = pool_window_of(s, 0, oh, s->h);
        for (int64_t ow = 0; ow < s->ow; ow++, y += s->y.step) {
            const pool_window u = pool_window_of(s, 1, ow, s->w);
            const float *x = q->x + (v.at * s->w + u.at) * step;
            vf sum = vf_splat(0);
            for (int64_t i = v.lo; i < v.hi; i++)
                for (int64_t j = u.lo; j < u.hi; j++) sum += vf_load_if(x + i * line + j * step, whole, q->m);
            vf_store_if(y, sum * s->factor, whole, q->m);
        }
    }
}
static void pool_lanes_avg_any(const hd_exec *e, const pool_place *q) {
    (void)e;
    if (q->whole)
        pool_lanes_avg_one(q, true);
    else
        pool_lanes_avg_one(q, false);
}
static void pool_lanes_avg(void *exec, int64_t task) {
    POOL_EACH(pool_lanes_avg_any, POOL_X, NULL, POOL_Y);
}

/* ---- gradient of avg_pool2d: every element gathers from the windows that cover it ---- */

static void pool_lanes_avg_grad_any(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    const int64_t step = s->y.step;
    float *dx = q->y;
    (void)e;
    for (int64_t h = 0; h < s->h; h++)
        for (int64_t l = 0; l < s->w; l++, dx += s->x.step) {
            vf sum = vf_splat(0);
            for (int32_t oh = s->rows[h].from; oh < s->rows[h].to; oh++)
                for (int32_t ow = s->columns[l].from; ow < s->columns[l].to; ow++)
                    sum += vf_load_if(q->dy + (oh * s->ow + ow) * step, q->whole, q->m);
            vf_store_if(dx, sum * s->factor, q->whole, q->m);
        }
}
static void pool_lanes_avg_grad(void *exec, int64_t task) {
    POOL_EACH(pool_lanes_avg_grad_any, NULL, POOL_DY, POOL_DX);
}

/* ---- global_avg_pool: out is plain ---- */

static void pool_lanes_global_any(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    vf a = vf_splat(0), b = a;
    int64_t i = 0;
    (void)e;
    for (; i + 2 <= s->x.places; i += 2) {
        a += vf_load_if(q->x + i * s->x.step, q->whole, q->m);
        b += vf_load_if(q->x + (i + 1) * s->x.step, q->whole, q->m);
    }
    if (i < s->x.places) a += vf_load_if(q->x + i * s->x.step, q->whole, q->m);
    if (q->channels > 0) vf_store_m(q->y, (a + b) * s->factor, vm_first(q->channels));
}
static void pool_lanes_global(void *exec, int64_t task) {
    POOL_EACH(pool_lanes_global_any, POOL_X, NULL, (float *)e->out[0] + n * s->x.c + g * HD_VL);
}
