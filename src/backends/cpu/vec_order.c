/* vec_order.c: kernels that look for elements of rows by their rank: the k-th smallest and the middle one, the first k,
 * the best so far. Values and places are the definition's. */
#include "backends/cpu/vec.h"
#include "ops/order_kit.h"

enum { ORDER_MOST_KEPT = 64 }; /* of topk: they are kept in order, one by one */

typedef struct order_state {
    const hd_vec *v;
    int64_t n, stride, k; /* elements of a row, distance of two */
    float sign;           /* 1: the largest, -1: the smallest */
    bool middle, ignore_nan;
    hd_vec_split split; /* of rows, or of blocks of stride · n elements */
} order_state;

/* ---- the k-th smallest ---- */

/* Numbers that order as floats do: from −∞ to ∞. */
static float order_float(uint32_t key) {
    const uint32_t bits = key & 0x80000000u ? key ^ 0x80000000u : ~key;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static int64_t order_first_nan(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (x[i] != x[i]) return i;
    return 0;
}

/* Place of the first of the k-th smallest; NaN are the largest. Bisection over the 32 bits: every step counts once. */
static int64_t order_kth(const order_state *s, const float *x, int64_t k) {
    uint32_t low = 0x007fffffu, high = 0xff800000u; /* −∞, ∞ */
    if (s->v->line_upto(x, s->n, order_float(high)) < k) return order_first_nan(x, s->n);
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (s->v->line_upto(x, s->n, order_float(middle)) >= k)
            high = middle;
        else
            low = middle + 1;
    }
    const float value = order_float(low);
    for (int64_t i = 0; i < s->n; i++)
        if (x[i] == value) return i;
    return 0;
}

static int64_t order_middle(const order_state *s, const float *x) {
    const int64_t numbers = s->v->line_upto(x, s->n, order_float(0xff800000u));
    if (numbers < s->n && (!s->ignore_nan || numbers == 0)) return order_first_nan(x, s->n);
    return order_kth(s, x, (numbers - 1) / 2 + 1);
}

static void order_pick_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const order_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i++) {
        const float *x = (const float *)e->in[0] + i * s->n;
        const int64_t place = s->middle ? order_middle(s, x) : order_kth(s, x, s->k);
        ((float *)e->out[0])[i] = x[place];
        ((int64_t *)e->out[1])[i] = place;
    }
}

/* ---- the first k ---- */

/* Whether a, which comes later, stands before b in the order all the same. */
static bool order_before(float a, float b, bool largest) {
    if (a != a || b != b) return largest ? a != a && b == b : a == a && b != b;
    return largest ? a > b : a < b;
}

static void order_top(const order_state *s, const float *x, float *y, int64_t *place) {
    const bool largest = s->sign > 0;
    int64_t kept = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (kept == s->k) i = s->v->line_past(x, i, s->n, y[kept - 1], s->sign);
        if (i == s->n) return;
        if (kept == s->k && !order_before(x[i], y[kept - 1], largest)) continue;
        int64_t j = kept < s->k ? kept++ : kept - 1;
        for (; j > 0 && order_before(x[i], y[j - 1], largest); j--) y[j] = y[j - 1], place[j] = place[j - 1];
        y[j] = x[i];
        place[j] = i;
    }
}

static void order_top_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const order_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i++)
        order_top(s, (const float *)e->in[0] + i * s->n, (float *)e->out[0] + i * s->k,
                  (int64_t *)e->out[1] + i * s->k);
}

/* ---- the best so far ---- */

/* Of equal ones the last; NaN, once there, stays. sign · v of a NaN is one. */
static inline bool order_takes(float v, float best, float sign) {
    return sign * v >= sign * best || v != v;
}

static void order_so_far_row(const order_state *s, const float *x, float *y, int64_t *place) {
    float best = x[0];
    int64_t at = 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (order_takes(x[i], best, s->sign)) best = x[i], at = i;
        y[i] = best;
        place[i] = at;
    }
}

/* Rows that lie across: all of them at once. */
static void order_so_far_block(const order_state *s, const float *x, float *y, int64_t *place) {
    const int64_t w = s->stride;
    memcpy(y, x, (size_t)w * sizeof *y);
    memset(place, 0, (size_t)w * sizeof *place);
    for (int64_t i = 1; i < s->n; i++, y += w, place += w)
        for (int64_t j = 0; j < w; j++) {
            const float v = x[i * w + j];
            const bool takes = order_takes(v, y[j], s->sign);
            y[w + j] = takes ? v : y[j];
            place[w + j] = takes ? i : place[j];
        }
}

static void order_so_far_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const order_state *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, s->split.n), block = s->n * s->stride;
    for (int64_t i = task * s->split.chunk; i < to; i++)
        (s->stride == 1 ? order_so_far_row : order_so_far_block)(
            s, (const float *)e->in[0] + i * block, (float *)e->out[0] + i * block, (int64_t *)e->out[1] + i * block);
}

/* ---- which ops ---- */

static const char *order_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32) return "only for f32";
    return k->in[0].count == 0 ? "nothing to look through" : NULL;
}

/* pick: without its axis an op looks through everything. */
static hd_rows order_rows(const hd_kctx *k, int64_t axis, bool pick) {
    const hd_dims *x = &k->in[0].dims;
    return pick ? hd_pick_rows(x, axis) : hd_rows_of(x, hd_axis_resolve(axis, x->rank), false);
}

static const char *order_side_by_side(const hd_kctx *k, int64_t axis, bool pick) {
    const char *reason = order_supports(k);
    if (reason) return reason;
    const hd_rows z = order_rows(k, axis, pick);
    if (z.n > INT32_MAX) return "more elements than are counted";
    return z.stride == 1 ? NULL : "rows do not lie side by side";
}
static const char *kthvalue_supports(const hd_kctx *k) {
    return order_side_by_side(k, ((const hd_kthvalue_args *)k->attr)->axis, true);
}
static const char *median_supports(const hd_kctx *k) {
    return order_side_by_side(k, ((const hd_median_args *)k->attr)->axis, true);
}
static const char *topk_supports(const hd_kctx *k) {
    const hd_topk_args *a = k->attr;
    return a->k > ORDER_MOST_KEPT ? "too many to keep in order" : order_side_by_side(k, a->axis, false);
}

/* cost: elements that one is worth, for the split. */
static hd_status order_prepare(hd_kctx *k, hd_prepared *out, order_state with, hd_rows z, int64_t cost,
                               hd_vec_run run) {
    order_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    *s = with;
    s->v = hd_vec_for(k->isa);
    s->n = z.n;
    s->stride = z.stride;
    s->split = hd_vec_split_rows(z.count / z.stride, z.n * z.stride * cost, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, run, s->split.tasks);
}

static hd_status kthvalue_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_kthvalue_args *a = k->attr;
    return order_prepare(k, out, (order_state){.k = a->k}, order_rows(k, a->axis, true), 8, order_pick_run);
}
static hd_status median_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_median_args *a = k->attr;
    const order_state s = {.middle = true, .ignore_nan = a->ignore_nan};
    return order_prepare(k, out, s, order_rows(k, a->axis, true), 8, order_pick_run);
}
static hd_status topk_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_topk_args *a = k->attr;
    const order_state s = {.k = a->k, .sign = a->smallest ? -1 : 1};
    return order_prepare(k, out, s, order_rows(k, a->axis, false), 1, order_top_run);
}
static hd_status so_far_prepare(hd_kctx *k, hd_prepared *out) {
    const order_state s = {.sign = strcmp(k->op->name, "cummin") == 0 ? -1 : 1};
    const hd_rows z = order_rows(k, ((const hd_cummax_args *)k->attr)->axis, false);
    return order_prepare(k, out, s, z, 1, order_so_far_run);
}

#define ORDER_KERNEL(op_name, supports_fn, prepare_fn)                                                                 \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name, .op = #op_name, .supports = supports_fn, .prepare = prepare_fn};
ORDER_KERNEL(kthvalue, kthvalue_supports, kthvalue_prepare)
ORDER_KERNEL(median, median_supports, median_prepare)
ORDER_KERNEL(topk, topk_supports, topk_prepare)
ORDER_KERNEL(cummax, order_supports, so_far_prepare)
ORDER_KERNEL(cummin, order_supports, so_far_prepare)
