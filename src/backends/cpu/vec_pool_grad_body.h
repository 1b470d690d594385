/* vec_pool_grad_body.h: gradient of the largest of windows, window by window, where channels lie side by side: f32, and
 * bf16 where windows lie apart. NaN is larger than everything, and of equal largest elements the first gets it.
 * Included once for each instruction set, behind vec_pool_body.h. */
#include "backends/cpu/vec_pool.h"

/* A plane of a group: elements from `x` and `y` on; y: the pooled one. */
typedef struct pool_plane {
    const hd_vec_pool *s;
    const void *from_x, *from_dy;
    void *to;
    int64_t x, y;
    bool whole;
    vm m;
} pool_plane;

/* Runs body for each group of the task. */
#define POOL_PLANES(body, DY)                                                                                          \
    do {                                                                                                               \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_pool *s_ = e->state;                                                                              \
        const hd_planes_task t_ = hd_planes_task_of(&s_->x, &s_->split, task);                                         \
        for (int64_t n_ = t_.image; n_ < t_.image_end; n_++)                                                           \
            for (int64_t g_ = t_.group; g_ < t_.group_end; g_++) {                                                     \
                const int64_t wide_ = s_->x.held - g_ * HD_VL;                                                         \
                const pool_plane p_ = {.s = s_,                                                                        \
                                       .from_x = e->in[0],                                                             \
                                       .from_dy = DY,                                                                  \
                                       .to = e->out[0],                                                                \
                                       .x = n_ * s_->x.image + hd_planes_start(&s_->x, g_),                            \
                                       .y = n_ * s_->y.image + hd_planes_start(&s_->y, g_),                            \
                                       .whole = wide_ >= HD_VL,                                                        \
                                       .m = vm_first(wide_)};                                                          \
                body(e, &p_);                                                                                          \
            }                                                                                                          \
    } while (0)

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

/* The lanes where v is the largest m and none before was; taken grows by them. */
HD_INLINE vk pool_first(vf v, vf m, vk *taken) {
    const vk hit = vk_and_not(vk_or(vk_equal(v, m), vk_nan(v)), *taken);
    *taken = vk_or(*taken, hit);
    return hit;
}

/* Spreads one dy over its window; apart: no other window writes there. */
HD_INLINE void pool_spread(const pool_plane *p, int64_t at, vf d, int64_t rows, int64_t columns, bool whole, bool half,
                           bool apart) {
    const int64_t step = p->s->x.step, line = p->s->w * step, first = p->x + at * step;
    vf best = vf_splat(-INFINITY);
    vk taken = vk_none();
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            best = join_max(best, vf_get(p->from_x, first + i * line + j * step, half, whole, p->m));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t of = first + i * line + j * step;
            vf share = vf_keep(pool_first(vf_get(p->from_x, of, half, whole, p->m), best, &taken), d);
            if (apart)
                vf_put_exact(p->to, of, half, share, whole, p->m);
            else
                vf_put(p->to, of, half, share + vf_get(p->to, of, half, whole, p->m), whole, p->m);
        }
}

HD_INLINE void pool_spread_all(const pool_plane *p, bool whole, bool half, bool apart) {
    const hd_vec_pool *s = p->s;
    int64_t dy = p->y;
#define SPREAD(at, rows, columns)                                                                                      \
    (pool_spread(p, at, vf_get(p->from_dy, dy, half, whole, p->m), rows, columns, whole, half, apart), dy += s->y.step)
    POOL_WINDOWS(s, SPREAD)
#undef SPREAD
}

/* Zeroes a plane, or, where windows lie apart, only what none of them covers. */
static void pool_clear(const pool_plane *p) {
    const hd_vec_pool *s = p->s;
    const int64_t covered_h = s->apart ? s->oh * s->kernel[0] : 0, covered_w = s->apart ? s->ow * s->kernel[1] : 0;
    for (int64_t h = 0; h < s->h; h++)
        for (int64_t l = h < covered_h ? covered_w : 0; l < s->w; l++)
            vf_put_exact(p->to, p->x + (h * s->w + l) * s->x.step, s->half, vf_splat(0), p->whole, p->m);
}

static void pool_windows_grad(const pool_plane *p) {
    pool_clear(p);
    if (p->s->half && p->whole)
        pool_spread_all(p, true, true, true);
    else if (p->s->half)
        pool_spread_all(p, false, true, true);
    else if (!p->whole)
        pool_spread_all(p, false, false, p->s->apart);
    else if (p->s->apart)
        pool_spread_all(p, true, false, true);
    else
        pool_spread_all(p, true, false, false);
}
