/* vec_pool_body.h: pooling over windows and its gradients where channels lie side by side: a vector holds the same
 * place of HD_VL channels. NaN is larger than everything, and of equal largest elements the first gets the gradient.
 * Included once for each instruction set. */
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

/* Runs AT(first element inside, rows, columns) for each window of a plane in order. Columns away from the edges are all
 * there: the usual windows get loops of constant length. */
#define POOL_WINDOWS(s, AT)                                                                                            \
    for (int64_t oh = 0; oh < (s)->oh; oh++) {                                                                         \
        const pool_window v = pool_window_of(s, 0, oh, (s)->h);                                                        \
        const int64_t line = (v.at + v.lo) * (s)->w, rows = v.hi - v.lo, kw = (s)->kernel[1], sw = (s)->stride[1];     \
        int64_t ow = 0, at = line + (s)->inner.from * sw - (s)->padding[1];                                            \
        for (; ow < (s)->inner.from; ow++) POOL_EDGE(s, AT);                                                           \
        if (rows == 2 && kw == 2)                                                                                      \
            for (; ow < (s)->inner.to; ow++, at += sw) AT(at, 2, 2);                                                   \
        else if (rows == 3 && kw == 3)                                                                                 \
            for (; ow < (s)->inner.to; ow++, at += sw) AT(at, 3, 3);                                                   \
        else                                                                                                           \
            for (; ow < (s)->inner.to; ow++, at += sw) AT(at, rows, kw);                                               \
        for (; ow < (s)->ow; ow++) POOL_EDGE(s, AT);                                                                   \
    }
#define POOL_EDGE(s, AT)                                                                                               \
    do {                                                                                                               \
        const pool_window u = pool_window_of(s, 1, ow, (s)->w);                                                        \
        AT(line + u.at + u.lo, rows, u.hi - u.lo);                                                                     \
    } while (0)

/* ---- forward ---- */

#define POOL(name, NEUTRAL, join, FACTOR)                                                                              \
    HD_INLINE vf pool_join_##name(const pool_place *q, const float *x, int64_t rows, int64_t columns, bool whole) {    \
        const int64_t step = q->s->x.step, line = q->s->w * step;                                                      \
        vf best = vf_splat(NEUTRAL);                                                                                   \
        for (int64_t i = 0; i < rows; i++)                                                                             \
            for (int64_t j = 0; j < columns; j++) best = join(best, vf_load_if(x + i * line + j * step, whole, q->m)); \
        return best;                                                                                                   \
    }                                                                                                                  \
    HD_INLINE void pool_lanes_##name##_one(const pool_place *q, bool whole) {                                          \
        const hd_vec_pool *s = q->s;                                                                                   \
        float *y = q->y;                                                                                               \
        POOL_WINDOWS(s, POOL_STORE_##name)                                                                             \
    }                                                                                                                  \
    static void pool_lanes_##name##_any(const hd_exec *e, const pool_place *q) {                                       \
        (void)e;                                                                                                       \
        if (q->whole)                                                                                                  \
            pool_lanes_##name##_one(q, true);                                                                          \
        else                                                                                                           \
            pool_lanes_##name##_one(q, false);                                                                         \
    }                                                                                                                  \
    static void pool_lanes_##name(void *exec, int64_t task) {                                                          \
        POOL_EACH(pool_lanes_##name##_any, POOL_X, NULL, POOL_Y);                                                      \
    }
#define POOL_STORE(name, at, rows, columns)                                                                            \
    (vf_store_if(y, pool_join_##name(q, q->x + (at)*s->x.step, rows, columns, whole) * POOL_FACTOR_##name, whole,      \
                 q->m),                                                                                                \
     y += s->y.step)
#define POOL_STORE_max(at, rows, columns) POOL_STORE(max, at, rows, columns)
#define POOL_STORE_avg(at, rows, columns) POOL_STORE(avg, at, rows, columns)
#define POOL_FACTOR_max                   1.0f
#define POOL_FACTOR_avg                   s->factor
POOL(max, -INFINITY, join_max, 1.0f)
POOL(avg, 0, join_sum, s->factor)
#undef POOL

/* ---- gradient of max_pool2d ---- */

/* The lanes where v is the largest m and none before was; taken grows by them. */
HD_INLINE vk pool_first(vf v, vf m, vk *taken) {
    const vk hit = vk_and_not(vk_or(vk_equal(v, m), vk_nan(v)), *taken);
    *taken = vk_or(*taken, hit);
    return hit;
}

/* Spreads one dy over its window; apart: no other window writes there. */
HD_INLINE void pool_spread(const pool_place *q, int64_t at, vf d, int64_t rows, int64_t columns, bool whole,
                           bool apart) {
    const int64_t step = q->s->x.step, line = q->s->w * step;
    const float *x = q->x + at * step;
    float *dx = q->y + at * step;
    const vf best = pool_join_max(q, x, rows, columns, whole);
    vk taken = vk_none();
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            float *p = dx + i * line + j * step;
            vf share = vf_keep(pool_first(vf_load_if(x + i * line + j * step, whole, q->m), best, &taken), d);
            if (!apart) share += vf_load_if(p, whole, q->m);
            vf_store_if(p, share, whole, q->m);
        }
}

HD_INLINE void pool_lanes_max_grad_one(const pool_place *q, bool whole, bool apart) {
    const hd_vec_pool *s = q->s;
    const float *dy = q->dy;
#define SPREAD(at, rows, columns)                                                                                      \
    (pool_spread(q, at, vf_load_if(dy, whole, q->m), rows, columns, whole, apart), dy += s->y.step)
    POOL_WINDOWS(s, SPREAD)
#undef SPREAD
}

/* Zeroes a plane, or, where windows lie apart, only what none of them covers. */
static void pool_lanes_clear(const pool_place *q) {
    const hd_vec_pool *s = q->s;
    const int64_t covered_h = s->apart ? s->oh * s->kernel[0] : 0, covered_w = s->apart ? s->ow * s->kernel[1] : 0;
    for (int64_t h = 0; h < s->h; h++)
        for (int64_t l = h < covered_h ? covered_w : 0; l < s->w; l++)
            vf_store_if(q->y + (h * s->w + l) * s->x.step, vf_splat(0), q->whole, q->m);
}

static void pool_lanes_max_grad_any(const hd_exec *e, const pool_place *q) {
    (void)e;
    pool_lanes_clear(q);
    if (!q->whole)
        pool_lanes_max_grad_one(q, false, q->s->apart);
    else if (q->s->apart)
        pool_lanes_max_grad_one(q, true, true);
    else
        pool_lanes_max_grad_one(q, true, false);
}
static void pool_lanes_max_grad(void *exec, int64_t task) {
    POOL_EACH(pool_lanes_max_grad_any, POOL_X, POOL_DY, POOL_DX);
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
