/* vec_pool_body.h: pooling over windows and its gradients; once for each instruction set. Where channels lie side by
 * side a vector holds the same place of HD_VL channels; in plain order rows are joined first, then columns. NaN is
 * larger than everything, and of equal largest elements the first gets the gradient. */
#include "backends/cpu/vec_pool.h"

/* Rows or columns lo … hi-1 of the kernel that lie inside x for output o. */
typedef struct pool_window {
    int64_t at, lo, hi; /* at: of kernel row or column 0 in x, may be negative */
} pool_window;
HD_INLINE pool_window pool_window_of(const hd_vec_pool *s, int axis, int64_t o, int64_t size) {
    const int64_t at = o * s->stride[axis] - s->padding[axis];
    return (pool_window){at, at < 0 ? -at : 0, hd_vec_min(s->kernel[axis], size - at)};
}

/* Runs body(state, x, y) for each plane group of the task: pointers to its first elements. */
typedef struct pool_place {
    const hd_vec_pool *s;
    const float *x, *dy; /* dy: of gradients */
    float *y;
    bool whole;
    vm m;
    int64_t channels; /* from the group on; below 1 in padding */
} pool_place;
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

/* ---- forward ---- */

#define POOL(name, NEUTRAL, join, FACTOR)                                                                              \
    HD_INLINE void pool_lanes_##name##_one(const hd_exec *e, const pool_place *q, bool whole) {                        \
        const hd_vec_pool *s = q->s;                                                                                   \
        const int64_t step = s->x.step;                                                                                \
        float *y = q->y;                                                                                               \
        (void)e;                                                                                                       \
        for (int64_t oh = 0; oh < s->oh; oh++) {                                                                       \
            const pool_window v = pool_window_of(s, 0, oh, s->h);                                                      \
            for (int64_t ow = 0; ow < s->ow; ow++, y += s->y.step) {                                                   \
                const pool_window u = pool_window_of(s, 1, ow, s->w);                                                  \
                vf best = vf_splat(NEUTRAL);                                                                           \
                for (int64_t i = v.lo; i < v.hi; i++) {                                                                \
                    const float *x = q->x + ((v.at + i) * s->w + u.at) * step;                                         \
                    for (int64_t j = u.lo; j < u.hi; j++) best = join(best, vf_load_if(x + j * step, whole, q->m));    \
                }                                                                                                      \
                vf_store_if(y, best *FACTOR, whole, q->m);                                                             \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void pool_lanes_##name##_any(const hd_exec *e, const pool_place *q) {                                       \
        if (q->whole)                                                                                                  \
            pool_lanes_##name##_one(e, q, true);                                                                       \
        else                                                                                                           \
            pool_lanes_##name##_one(e, q, false);                                                                      \
    }                                                                                                                  \
    static void pool_lanes_##name(void *exec, int64_t task) {                                                          \
        POOL_EACH(pool_lanes_##name##_any, POOL_X, NULL, POOL_Y);                                                      \
    }                                                                                                                  \
    /* one output row from the joined input row in b (padding included) */                                             \
    static void pool_columns_##name(const hd_vec_pool *s, const float *b, float *y) {                                  \
        const int64_t kw = s->kernel[1], sw = s->stride[1];                                                            \
        for (int64_t o = 0; o < s->ow; o += HD_VL) {                                                                   \
            vf best = vf_splat(NEUTRAL);                                                                               \
            for (int64_t j = 0; j < kw; j++) {                                                                         \
                const float *p = b + o * sw + j;                                                                       \
                if (sw == 1)                                                                                           \
                    best = join(best, vf_load(p));                                                                     \
                else if (sw == 2)                                                                                      \
                    best = join(best, vf_even(vf_load(p), vf_load(p + HD_VL)));                                        \
                else {                                                                                                 \
                    float lane[HD_VL];                                                                                 \
                    for (int l = 0; l < HD_VL; l++) lane[l] = p[l * sw];                                               \
                    best = join(best, vf_load(lane));                                                                  \
                }                                                                                                      \
            }                                                                                                          \
            vf_store_if(y + o, best * FACTOR, o + HD_VL <= s->ow, vm_first(s->ow - o));                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void pool_plain_##name##_one(const hd_exec *e, const pool_place *q) {                                       \
        const hd_vec_pool *s = q->s;                                                                                   \
        float *b = hd_thread_scratch(e), *row = b + s->padding[1];                                                     \
        for (int64_t oh = 0; oh < s->oh; oh++) {                                                                       \
            const pool_window v = pool_window_of(s, 0, oh, s->h);                                                      \
            const float *x = q->x + v.at * s->w;                                                                       \
            for (int64_t l = 0; l < s->w; l += HD_VL) {                                                                \
                const bool whole = l + HD_VL <= s->w;                                                                  \
                const vm m = vm_first(s->w - l);                                                                       \
                vf best = vf_load_if(x + v.lo * s->w + l, whole, m);                                                   \
                for (int64_t i = v.lo + 1; i < v.hi; i++) best = join(best, vf_load_if(x + i * s->w + l, whole, m));   \
                vf_store_if(row + l, best, whole, m);                                                                  \
            }                                                                                                          \
            pool_columns_##name(s, b, q->y + oh * s->ow);                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void pool_plain_##name(void *exec, int64_t task) {                                                          \
        const hd_vec_pool *state = ((const hd_exec *)exec)->state;                                                     \
        float *b = hd_thread_scratch((const hd_exec *)exec);                                                           \
        for (int64_t i = 0; i < state->buffer; i++) b[i] = NEUTRAL;                                                    \
        POOL_EACH(pool_plain_##name##_one, POOL_X, NULL, POOL_Y);                                                      \
    }
POOL(max, -INFINITY, join_max, 1.0f)
POOL(avg, 0, join_sum, s->factor)
#undef POOL

/* ---- gradient of max_pool2d ---- */

/* The lanes where v is the largest m and none before was; taken grows by them. */
HD_INLINE vi pool_first(vf v, vf m, vi *taken) {
    const vi hit = ((v == m) | (v != v)) & ~*taken;
    *taken |= hit;
    return hit;
}

HD_INLINE void pool_lanes_max_grad_one(const pool_place *q, bool whole) {
    const hd_vec_pool *s = q->s;
    const int64_t step = s->x.step;
    const float *dy = q->dy;
    for (int64_t oh = 0; oh < s->oh; oh++) {
        const pool_window v = pool_window_of(s, 0, oh, s->h);
        for (int64_t ow = 0; ow < s->ow; ow++, dy += s->y.step) {
            const pool_window u = pool_window_of(s, 1, ow, s->w);
            const vf d = vf_load_if(dy, whole, q->m);
            vf best = vf_splat(-INFINITY);
            vi taken = vi_splat(0);
            for (int64_t i = v.lo; i < v.hi; i++) {
                const float *x = q->x + ((v.at + i) * s->w + u.at) * step;
                for (int64_t j = u.lo; j < u.hi; j++) best = join_max(best, vf_load_if(x + j * step, whole, q->m));
            }
            for (int64_t i = v.lo; i < v.hi; i++) {
                const int64_t at = ((v.at + i) * s->w + u.at) * step;
                for (int64_t j = u.lo; j < u.hi; j++) {
                    const vi hit = pool_first(vf_load_if(q->x + at + j * step, whole, q->m), best, &taken);
                    float *dx = q->y + at + j * step;
                    vf share = vf_where(hit, d);
                    if (!s->apart) share += vf_load_if(dx, whole, q->m);
                    vf_store_if(dx, share, whole, q->m);
                }
            }
        }
    }
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
    if (q->whole)
        pool_lanes_max_grad_one(q, true);
    else
        pool_lanes_max_grad_one(q, false);
}
static void pool_lanes_max_grad(void *exec, int64_t task) {
    POOL_EACH(pool_lanes_max_grad_any, POOL_X, POOL_DY, POOL_DX);
}

/* Windows of 2 × 2 that lie apart, in plain order: HD_VL of them at once. */
static void pool_plain_max_grad_2x2(const pool_place *q) {
    const hd_vec_pool *s = q->s;
    for (int64_t oh = 0; oh < s->oh; oh++) {
        const float *x = q->x + 2 * oh * s->w, *dy = q->dy + oh * s->ow;
        float *dx = q->y + 2 * oh * s->w;
        for (int64_t o = 0; o < s->ow; o += HD_VL) {
            const int64_t left = s->ow - o;
            const bool whole = left >= HD_VL;
            const vm low = vm_first(2 * left), high = vm_first(2 * left > HD_VL ? 2 * left - HD_VL : 0);
            const float *p = x + 2 * o, *p2 = p + s->w;
            const vf a = vf_load_if(p, whole, low), b = vf_load_if(p + HD_VL, whole, high);
            const vf c = vf_load_if(p2, whole, low), d = vf_load_if(p2 + HD_VL, whole, high);
            const vf x00 = vf_even(a, b), x01 = vf_odd(a, b), x10 = vf_even(c, d), x11 = vf_odd(c, d);
            const vf best = join_max(join_max(x00, x01), join_max(x10, x11));
            const vf g = vf_load_if(dy + o, whole, vm_first(left));
            vi taken = vi_splat(0);
            const vf g00 = vf_where(pool_first(x00, best, &taken), g), g01 = vf_where(pool_first(x01, best, &taken), g);
            const vf g10 = vf_where(pool_first(x10, best, &taken), g), g11 = vf_where(pool_first(x11, best, &taken), g);
            vf_store_if(dx + 2 * o, vf_zip_low(g00, g01), whole, low);
            vf_store_if(dx + 2 * o + HD_VL, vf_zip_high(g00, g01), whole, high);
            vf_store_if(dx + 2 * o + s->w, vf_zip_low(g10, g11), whole, low);
            vf_store_if(dx + 2 * o + s->w + HD_VL, vf_zip_high(g10, g11), whole, high);
        }
        for (int64_t l = 2 * s->ow; l < s->w; l++) dx[l] = dx[l + s->w] = 0;
    }
    for (int64_t at = 2 * s->oh * s->w; at < s->h * s->w; at++) q->y[at] = 0;
}

static void pool_plain_max_grad_one(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    (void)e;
    if (s->apart && s->kernel[0] == 2 && s->kernel[1] == 2) {
        pool_plain_max_grad_2x2(q);
        return;
    }
    memset(q->y, 0, (size_t)(s->h * s->w) * sizeof *q->y);
    for (int64_t oh = 0; oh < s->oh; oh++) {
        const pool_window v = pool_window_of(s, 0, oh, s->h);
        for (int64_t ow = 0; ow < s->ow; ow++) {
            const pool_window u = pool_window_of(s, 1, ow, s->w);
            int64_t first = (v.at + v.lo) * s->w + u.at + u.lo;
            float best = q->x[first];
            for (int64_t i = v.lo; i < v.hi; i++)
                for (int64_t j = u.lo; j < u.hi; j++) {
                    const int64_t at = (v.at + i) * s->w + u.at + j;
                    const float x = q->x[at];
                    const bool more = x > best || (x != x && best == best);
                    best = more ? x : best;
                    first = more ? at : first;
                }
            q->y[first] += q->dy[oh * s->ow + ow];
        }
    }
}
static void pool_plain_max_grad(void *exec, int64_t task) {
    POOL_EACH(pool_plain_max_grad_one, POOL_X, POOL_DY, POOL_DX);
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

static void pool_plain_avg_grad_one(const hd_exec *e, const pool_place *q) {
    const hd_vec_pool *s = q->s;
    float *b = hd_thread_scratch(e);
    for (int64_t h = 0; h < s->h; h++) {
        float *dx = q->y + h * s->w;
        const hd_vec_cover r = s->rows[h];
        if (r.from < r.to && (h == 0 || s->rows[h - 1].from != r.from || s->rows[h - 1].to != r.to)) {
            for (int64_t o = 0; o < s->ow; o += HD_VL) {
                const bool whole = o + HD_VL <= s->ow;
                const vm m = vm_first(s->ow - o);
                vf sum = vf_splat(0);
                for (int32_t oh = r.from; oh < r.to; oh++) sum += vf_load_if(q->dy + oh * s->ow + o, whole, m);
                vf_store_if(b + o, sum * s->factor, whole, m);
            }
        }
        for (int64_t l = 0; l < s->w; l++) {
            float sum = 0;
            for (int32_t ow = s->columns[l].from; r.from < r.to && ow < s->columns[l].to; ow++) sum += b[ow];
            dx[l] = sum;
        }
    }
}
static void pool_plain_avg_grad(void *exec, int64_t task) {
    POOL_EACH(pool_plain_avg_grad_one, NULL, POOL_DY, POOL_DX);
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
static void pool_plain_global_one(const hd_exec *e, const pool_place *q) {
    (void)e;
    *q->y = reduce_run_sum(q->x, q->s->x.places) * q->s->factor;
}
static void pool_plain_global(void *exec, int64_t task) {
    POOL_EACH(pool_plain_global_one, POOL_X, NULL, (float *)e->out[0] + n * s->x.c + g);
}
#undef POOL_EACH
#undef POOL_X
#undef POOL_Y
#undef POOL_DY
#undef POOL_DX
