/* vec_loss_body.h: losses and their gradients, and the count of right answers; once for each instruction set. Sums are
 * kept in f32 lanes over a block and in double over blocks. */
#include "backends/cpu/vec_loss.h"

/* ---- logits [n, c] and a class for each row ---- */

/* Losses ln(sum) + (max − x[target]) of rows, a vector of them at a time. */
typedef struct loss_rows {
    float sum[HD_VL], shift[HD_VL];
    int filled;
    double total;
} loss_rows;

static void loss_rows_flush(loss_rows *l) {
    if (l->filled == 0) return;
    for (int i = l->filled; i < HD_VL; i++) l->sum[i] = 1, l->shift[i] = 0;
    l->total += (double)vf_sum(v_log(vf_load(l->sum)) + vf_load(l->shift));
    l->filled = 0;
}

HD_INLINE void loss_rows_add(loss_rows *l, float sum, float shift) {
    l->sum[l->filled] = sum;
    l->shift[l->filled++] = shift;
    if (l->filled == HD_VL) loss_rows_flush(l);
}

/* One row of at most HD_VL logits: e^(x − max) in e, its sum returned. */
HD_INLINE float softmax_short(const float *x, vm m, vi inside, float *max, vf *e) {
    const vf v = vf_select(inside, vf_load_m(x, m), vf_splat(-INFINITY));
    *max = vf_largest(v);
    *e = vf_where(inside, v_exp(v - *max));
    return vf_sum(*e);
}

/* A longer row: e^(x − max) goes to e unless that is NULL. */
static float softmax_long(const float *x, int64_t c, float *max, float *e) {
    vf top = vf_load(x), total = vf_splat(0);
    const int64_t whole = c / HD_VL * HD_VL;
    const vm m = vm_first(c - whole);
    const vi inside = vi_lanes() < vi_splat((int32_t)(c - whole));
    for (int64_t j = HD_VL; j < whole; j += HD_VL) top = vf_max(top, vf_load(x + j));
    top = vf_max(top, vf_select(inside, vf_load_m(x + whole, m), vf_splat(-INFINITY)));
    *max = vf_largest(top);
    for (int64_t j = 0; j < whole; j += HD_VL) {
        const vf y = v_exp(vf_load(x + j) - *max);
        total += y;
        if (e) vf_store(e + j, y);
    }
    if (whole < c) {
        const vf y = vf_where(inside, v_exp(vf_load_m(x + whole, m) - *max));
        total += y;
        if (e) vf_store_m(e + whole, y, m);
    }
    return vf_sum(total);
}

static void scale_row(float *y, int64_t c, float k) {
    int64_t j = 0;
    for (; j + HD_VL <= c; j += HD_VL) vf_store(y + j, vf_load(y + j) * k);
    if (j < c) vf_store_m(y + j, vf_load_m(y + j, vm_first(c - j)) * k, vm_first(c - j));
}

static void loss_cross_entropy(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rows *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n), c = s->c;
    const int64_t *target = e->in[1];
    const double dy = s->dy < 0 ? 1 : (double)*(const float *)e->in[s->dy];
    const float k = s->dx < 0 ? 0 : (float)(dy / hd_vec_counted(target, s->split.n));
    const vm m = vm_first(c);
    const vi inside = vi_lanes() < vi_splat((int32_t)hd_vec_min(c, HD_VL));
    loss_rows rows = {.filled = 0};
    for (int64_t i = from; i < to; i++) {
        const float *x = (const float *)e->in[0] + i * c;
        float *dx = s->dx < 0 ? NULL : (float *)e->out[s->dx] + i * c, max, sum;
        if (target[i] == -100) { /* does not count */
            if (dx) memset(dx, 0, (size_t)c * sizeof *dx);
            continue;
        }
        const bool known = target[i] >= 0 && target[i] < c; /* else the loss is not a number */
        const float right = known ? x[target[i]] : NAN;
        if (c <= HD_VL) {
            vf y;
            sum = softmax_short(x, m, inside, &max, &y);
            const vk here = vk_same(vi_lanes(), vi_splat(known ? (int32_t)target[i] : -1));
            if (dx) vf_store_m(dx, y * (k / sum) - vf_keep(here, vf_splat(k)), m);
        } else {
            sum = softmax_long(x, c, &max, dx);
            if (dx) scale_row(dx, c, k / sum);
            if (dx && known) dx[target[i]] -= k;
        }
        if (s->loss >= 0) loss_rows_add(&rows, sum, max - right);
    }
    loss_rows_flush(&rows);
    if (s->loss >= 0) ((double *)e->scratch)[task] = rows.total;
}

/* A row is right when no logit is above the target's and none before it is equal: the first of the largest counts. */
static void loss_count_correct(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rows *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n), c = s->c;
    const int64_t *target = e->in[1];
    int64_t right = 0;
    for (int64_t i = from; i < to; i++) {
        const float *x = (const float *)e->in[0] + i * c;
        if (target[i] < 0 || target[i] >= c) continue;
        const float mine = x[target[i]];
        vi beaten = vi_splat(0);
        for (int64_t j = 0; j < c; j += HD_VL) {
            const vi lane = vi_lanes(), left = vi_splat((int32_t)hd_vec_min(c - j, HD_VL));
            const vi before = lane < vi_splat((int32_t)hd_vec_min(target[i] - j, HD_VL));
            const vf v = j + HD_VL <= c ? vf_load(x + j) : vf_load_m(x + j, vm_first(c - j));
            beaten |= ((v > mine) | ((v == mine) & before)) & (lane < left);
        }
        right += mine == mine && !vi_any(beaten);
    }
    ((int64_t *)e->scratch)[task] = right;
}

/* ---- pairs of numbers ---- */

HD_INLINE vf pair_squared(vf x, vf t, const float *c) {
    (void)c;
    return (x - t) * (x - t);
}
/* max(x, 0) − x t + ln(1 + e^−|x|); ln(1 + u) by Kahan's correction of the rounded 1 + u */
HD_INLINE vf pair_bce_with_logits(vf x, vf t, const float *c) {
    (void)c;
    const vf u = v_exp(-vf_abs(x)), w = 1.0f + u, d = w - 1.0f;
    const vf ln = vf_select(d == 0.0f, u, v_log(w) * (u / vf_select(d == 0.0f, vf_splat(1), d)));
    return vf_max(vf_splat(0), x) - x * t + ln;
}
HD_INLINE vf pair_slope_bce(vf x, vf t) {
    return v_sigmoid(x) - t;
}
HD_INLINE vf pair_slope_squared(vf x, vf t) {
    return x - t;
}

#define LOSS_PART(name, pair)                                                                                          \
    static void loss_part_##name(void *exec, int64_t task) {                                                           \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_pairs *s = e->state;                                                                              \
        const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);                \
        const float *x = e->in[0], *t = e->in[1];                                                                      \
        double total = 0;                                                                                              \
        for (int64_t block = from; block < to; block += 1024) {                                                        \
            const int64_t end = hd_vec_min(block + 1024, to);                                                          \
            vf sum = vf_splat(0);                                                                                      \
            int64_t i = block;                                                                                         \
            for (; i + HD_VL <= end; i += HD_VL) sum += pair(vf_load(x + i), vf_load(t + i), s->c);                    \
            if (i < end) {                                                                                             \
                const vm m = vm_first(end - i);                                                                        \
                const vf last = pair(vf_load_m(x + i, m), vf_load_m(t + i, m), s->c);                                  \
                sum += vf_where(vi_lanes() < vi_splat((int32_t)(end - i)), last);                                      \
            }                                                                                                          \
            total += (double)vf_sum(sum);                                                                              \
        }                                                                                                              \
        ((double *)e->scratch)[task] = total;                                                                          \
    }
LOSS_PART(squared, pair_squared)
LOSS_PART(bce_with_logits, pair_bce_with_logits)

#define LOSS_GRAD(name, slope)                                                                                         \
    static void loss_grad_##name(void *exec, int64_t task) {                                                           \
        const hd_exec *e = exec;                                                                                       \
        const hd_vec_pairs *s = e->state;                                                                              \
        const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);                \
        const float *x = e->in[0], *t = e->in[1];                                                                      \
        float *dx = e->out[0];                                                                                         \
        const vf k = vf_splat((float)(s->factor * (double)*(const float *)e->in[2]));                                  \
        int64_t i = from;                                                                                              \
        for (; i + HD_VL <= to; i += HD_VL) vf_store(dx + i, slope(vf_load(x + i), vf_load(t + i)) * k);               \
        if (i < to) {                                                                                                  \
            const vm m = vm_first(to - i);                                                                             \
            vf_store_m(dx + i, slope(vf_load_m(x + i, m), vf_load_m(t + i, m)) * k, m);                                \
        }                                                                                                              \
    }
LOSS_GRAD(squared, pair_slope_squared)
LOSS_GRAD(bce, pair_slope_bce)
#undef LOSS_GRAD

/* LOSS_PART goes on in vec_pairs_body.h, which undefines it. */
