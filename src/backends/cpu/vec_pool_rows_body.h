/* vec_pool_rows_body.h: the largest of windows where channels lie side by side, f32 or bf16: the largest of each row of
 * a window first, which windows below one another share, then of the rows. Its gradient in bf16 where windows overlap:
 * numbers and places are compared as one, and a row of dx is added up in f32 from the windows that its elements won.
 * NaN is larger than everything, and of equal largest elements the first wins. Included once for each instruction set.
 */
#include "backends/cpu/vec_pool.h"

/* Scratch of a thread. Forward: the largest of a row of x in each window, a ring of `kernel` rows of [ow] vectors.
 * Gradient: their codes instead; the winning places and dy of rows of windows, rings of `deep` rows; a row of dx and
 * one of codes. */
typedef struct pool_rings {
    float *best, *dy, *sum;
    int32_t *best_code, *tap, *code;
} pool_rings;
static pool_rings pool_rings_of(const hd_exec *e, const hd_vec_pool *s) {
    const int64_t row = s->ow * HD_VL, deep = s->deep * row;
    pool_rings r = {.best = hd_thread_scratch(e), .dy = hd_thread_scratch(e)};
    r.sum = r.dy + deep;
    r.best_code = (int32_t *)(void *)(r.sum + s->w * HD_VL);
    r.tap = r.best_code + s->kernel[0] * row;
    r.code = r.tap + deep;
    return r;
}

/* Runs AT(column of x, columns, first column in the window) for each window of a row: all columns are there away from
 * the edges, and the usual windows get loops of constant length. */
#define POOL_ROW(s, AT)                                                                                                \
    do {                                                                                                               \
        const int64_t kw_ = (s)->kernel[1], sw_ = (s)->stride[1], inner_ = (s)->inner.to;                              \
        int64_t ow = 0;                                                                                                \
        for (; ow < (s)->inner.from; ow++) POOL_ROW_EDGE(s, AT);                                                       \
        if (kw_ == 3)                                                                                                  \
            for (; ow < inner_; ow++) AT(ow *sw_ - (s)->padding[1], 3, 0);                                             \
        else if (kw_ == 2)                                                                                             \
            for (; ow < inner_; ow++) AT(ow *sw_ - (s)->padding[1], 2, 0);                                             \
        else                                                                                                           \
            for (; ow < inner_; ow++) AT(ow *sw_ - (s)->padding[1], kw_, 0);                                           \
        for (; ow < (s)->ow; ow++) POOL_ROW_EDGE(s, AT);                                                               \
    } while (0)
#define POOL_ROW_EDGE(s, AT)                                                                                           \
    do {                                                                                                               \
        const pool_window u_ = pool_window_of(s, 1, ow, (s)->w);                                                       \
        AT(u_.at + u_.lo, u_.hi - u_.lo, u_.lo);                                                                       \
    } while (0)

/* The slot of a ring behind k. */
HD_INLINE int64_t pool_turn(int64_t k, int64_t slots) {
    return k + 1 == slots ? 0 : k + 1;
}

/* Asks for what comes in the next row. */
HD_INLINE void pool_ask(const uint16_t *p) {
    __builtin_prefetch(p);
}

/* ---- forward ---- */

HD_INLINE void pool_row_best(const pool_plane *p, int64_t row, float *best, bool whole, bool half) {
    const hd_vec_pool *s = p->s;
    const int64_t step = s->x.step, first = p->x + row * s->w * step;
#define BEST(at, columns, lo)                                                                                          \
    do {                                                                                                               \
        int64_t of_ = first + (at)*step;                                                                               \
        vf v = vf_get(p->from_x, of_, half, whole, p->m);                                                              \
        for (int64_t j_ = 1; j_ < (columns); j_++)                                                                     \
            of_ += step, v = join_max(v, vf_get(p->from_x, of_, half, whole, p->m));                                   \
        vf_store(best + ow * HD_VL, v);                                                                                \
    } while (0)
    POOL_ROW(s, BEST);
#undef BEST
}

HD_INLINE void pool_plane_max(const pool_plane *p, const pool_rings *r, bool whole, bool half) {
    const hd_vec_pool *s = p->s;
    const int64_t ring = s->ow * HD_VL;
    for (int64_t oh = 0, done = 0; oh < s->oh; oh++) {
        const pool_window v = pool_window_of(s, 0, oh, s->h);
        const int64_t from = v.at + v.lo, to = v.at + v.hi;
        for (done = done < from ? from : done; done < to; done++)
            pool_row_best(p, done, r->best + done % s->kernel[0] * ring, whole, half);
        const int64_t slot = from % s->kernel[0];
        for (int64_t ow = 0; ow < s->ow; ow++) {
            const float *best = r->best + ow * HD_VL;
            vf y = vf_load(best + slot * ring);
            for (int64_t i = 1, k = slot; i < to - from; i++)
                k = pool_turn(k, s->kernel[0]), y = join_max(y, vf_load(best + k * ring));
            vf_put_exact(p->to, p->y + (oh * s->ow + ow) * s->y.step, half, y, whole, p->m);
        }
    }
}

/* ---- gradient in bf16: who won ---- */

/* A code: 16 bits of the number in order of size, then 16 that are larger the earlier it comes. */

enum { POOL_PLACES = 0xffff };

HD_INLINE void pool_row_codes(const pool_plane *p, int64_t row, int32_t *code, bool whole) {
    const hd_vec_pool *s = p->s;
    const int64_t step = s->x.step, first = p->x + row * s->w * step;
    vi place = vi_splat((int32_t)(POOL_PLACES - row * s->w));
    for (int64_t l = 0; l < s->w; l++, place -= 1) {
        pool_ask((const uint16_t *)p->from_x + first + (s->w + l) * step);
        const vi x = (vi)vf_get(p->from_x, first + l * step, true, whole, p->m), sign = x >> 31;
        const vi size = x & 0x7fffffff;
        const vi number = vi_more(size, vi_splat(0x7f800000), vi_splat(0x7fff0000), (size ^ sign) - sign);
        vi_store(code + l * HD_VL, number | place);
    }
}

HD_INLINE void pool_row_best_code(const hd_vec_pool *s, const int32_t *code, int32_t *best) {
#define BEST(at, columns, lo)                                                                                          \
    do {                                                                                                               \
        const int32_t *c_ = code + (at)*HD_VL;                                                                         \
        vi m_ = vi_load(c_);                                                                                           \
        for (int64_t j_ = 1; j_ < (columns); j_++) m_ = vi_larger(m_, vi_load(c_ + j_ * HD_VL));                       \
        vi_store(best + ow * HD_VL, m_);                                                                               \
    } while (0)
    POOL_ROW(s, BEST);
#undef BEST
}

/* The winner's place relative to the window's, which may begin outside. */
HD_INLINE void pool_windows_code(const hd_vec_pool *s, const pool_rings *r, int64_t slot, pool_window v, int32_t *tap) {
    const int64_t ring = s->ow * HD_VL, kh = s->kernel[0];
    vi origin = vi_splat((int32_t)(POOL_PLACES - v.at * s->w + s->padding[1]));
    for (int64_t at = 0; at < ring; at += HD_VL, origin -= (int32_t)s->stride[1]) {
        vi m = vi_load(r->best_code + slot * ring + at);
        for (int64_t i = v.lo + 1, k = pool_turn(slot, kh); i < v.hi; i++, k = pool_turn(k, kh))
            m = vi_larger(m, vi_load(r->best_code + k * ring + at));
        vi_store(tap + at, origin - (m & POOL_PLACES));
    }
}

/* ---- gradient: what the winners get ---- */

/* Adds dy of a row of windows, `row` of whose kernel a row of dx is. */
HD_INLINE void pool_row_share(const hd_vec_pool *s, float *dx, const int32_t *tap, const float *dy, int64_t row) {
#define SHARE(at, columns, lo)                                                                                         \
    do {                                                                                                               \
        const vi won_ = vi_load(tap + ow * HD_VL);                                                                     \
        const vf d_ = vf_load(dy + ow * HD_VL);                                                                        \
        float *to_ = dx + (at)*HD_VL;                                                                                  \
        for (int64_t j_ = 0; j_ < (columns); j_++, to_ += HD_VL) {                                                     \
            const vk k_ = vk_same(won_, vi_splat((int32_t)(row * s->w + (lo) + j_)));                                  \
            vf_store(to_, vf_load(to_) + vf_keep(k_, d_));                                                             \
        }                                                                                                              \
    } while (0)
    POOL_ROW(s, SHARE);
#undef SHARE
}

/* dx of row h. */
HD_INLINE void pool_row_gather(const pool_plane *p, const pool_rings *r, int64_t h, bool whole) {
    const hd_vec_pool *s = p->s;
    const int64_t ring = s->ow * HD_VL, first = s->rows[h].from;
    memset(r->sum, 0, (size_t)(s->w * HD_VL) * sizeof *r->sum);
    for (int64_t oh = first, k = first % s->deep; oh < s->rows[h].to; oh++, k = pool_turn(k, s->deep))
        pool_row_share(s, r->sum, r->tap + k * ring, r->dy + k * ring, h + s->padding[0] - oh * s->stride[0]);
    for (int64_t l = 0, to = p->x + h * s->w * s->x.step; l < s->w; l++, to += s->x.step) {
        pool_ask((uint16_t *)p->to + to + s->w * s->x.step);
        vf_put(p->to, to, true, vf_load(r->sum + l * HD_VL), whole, p->m);
    }
}

HD_INLINE void pool_rows_grad(const pool_plane *p, const pool_rings *r, bool whole) {
    const hd_vec_pool *s = p->s;
    const int64_t ring = s->ow * HD_VL, kh = s->kernel[0];
    int64_t windows = 0, done = 0;
    for (int64_t h = 0; h < s->h; h++) {
        for (; windows < s->rows[h].to; windows++) {
            const pool_window v = pool_window_of(s, 0, windows, s->h);
            const int64_t slot = windows % s->deep * ring, from = v.at + v.lo;
            for (done = done < from ? from : done; done < v.at + v.hi; done++) {
                pool_row_codes(p, done, r->code, whole);
                pool_row_best_code(s, r->code, r->best_code + done % kh * ring);
            }
            pool_windows_code(s, r, from % kh, v, r->tap + slot);
            for (int64_t ow = 0, of = p->y + windows * s->ow * s->y.step; ow < s->ow; ow++, of += s->y.step)
                vf_store(r->dy + slot + ow * HD_VL, vf_get(p->from_dy, of, true, whole, p->m));
        }
        pool_row_gather(p, r, h, whole);
    }
}

static void pool_lanes_max_any(const hd_exec *e, const pool_plane *p) {
    const pool_rings rings = pool_rings_of(e, p->s);
    if (!p->whole)
        pool_plane_max(p, &rings, false, p->s->half);
    else if (p->s->half)
        pool_plane_max(p, &rings, true, true);
    else
        pool_plane_max(p, &rings, true, false);
}
static void pool_lanes_max(void *exec, int64_t task) {
    POOL_PLANES(pool_lanes_max_any, NULL);
}
static void pool_lanes_max_grad_any(const hd_exec *e, const pool_plane *p) {
    const pool_rings rings = pool_rings_of(e, p->s);
    if (!p->s->half || p->s->apart)
        pool_windows_grad(p);
    else if (p->whole)
        pool_rows_grad(p, &rings, true);
    else
        pool_rows_grad(p, &rings, false);
}
static void pool_lanes_max_grad(void *exec, int64_t task) {
    POOL_PLANES(pool_lanes_max_grad_any, e->in[1]);
}
#undef POOL_ROW
#undef POOL_ROW_EDGE
#undef POOL_PLANES
