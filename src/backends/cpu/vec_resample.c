/* vec_resample.c: kernels of resampling along an axis and of its gradient: weights are worked out once, when the
 * program is made. */
#include "backends/cpu/vec.h"
#include "ops/resample_kit.h"

enum { RESAMPLE_MOST = 1 << 20, RESAMPLE_LONG = 1024 }; /* weights in all, and of a sum that f32 takes */

/* x is [outer, in, inner]; element i of `out` has up to `taps` places and weights. */
typedef struct resample_state {
    hd_vec_split split; /* of outer */
    int64_t in, out, inner, taps;
    const int32_t *place; /* [out, taps]; -1: there are no more */
    const float *weight;
} resample_state;

static int64_t taps_most(const hd_resampling *r) {
    switch (r->mode) {
    case HD_RESAMPLE_NEAREST:
    case HD_RESAMPLE_NEAREST_EXACT: return 1;
    case HD_RESAMPLE_LINEAR: return 2;
    case HD_RESAMPLE_CUBIC: return 4;
    default: return r->in / r->out + 2;
    }
}

/* y = Σ weight·x over rows of `inner`; the first tap writes. */
static void resample_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const resample_state *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    for (int64_t o = task * s->split.chunk; o < to; o++) {
        const float *restrict x = (const float *)e->in[0] + o * s->in * s->inner;
        float *restrict y = (float *)e->out[0] + o * s->out * s->inner;
        for (int64_t i = 0; i < s->out; i++) {
            const int32_t *place = s->place + i * s->taps;
            const float *weight = s->weight + i * s->taps;
            for (int64_t t = 0; t < s->taps && place[t] >= 0; t++) {
                const float w = weight[t], *row = x + place[t] * s->inner;
                float *at = y + i * s->inner;
                if (t == 0)
                    for (int64_t k = 0; k < s->inner; k++) at[k] = w * row[k];
                else
                    for (int64_t k = 0; k < s->inner; k++) at[k] += w * row[k];
            }
        }
    }
}

static void resample_grad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const resample_state *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    for (int64_t o = task * s->split.chunk; o < to; o++) {
        const float *restrict dy = (const float *)e->in[0] + o * s->out * s->inner;
        float *restrict dx = (float *)e->out[0] + o * s->in * s->inner;
        memset(dx, 0, (size_t)(s->in * s->inner) * sizeof *dx);
        for (int64_t i = 0; i < s->out; i++) {
            const int32_t *place = s->place + i * s->taps;
            const float *weight = s->weight + i * s->taps, *row = dy + i * s->inner;
            for (int64_t t = 0; t < s->taps && place[t] >= 0; t++) {
                const float w = weight[t];
                float *at = dx + place[t] * s->inner;
                for (int64_t k = 0; k < s->inner; k++) at[k] += w * row[k];
            }
        }
    }
}

static hd_status resample_prepare(hd_kctx *k, hd_prepared *out, const hd_resample_args *a, const hd_dims *x,
                                  void (*run)(void *exec, int64_t task)) {
    const int axis = hd_axis_resolve(a->axis, x->rank);
    const hd_resampling r = hd_resampling_of(a, x->dim[axis]);
    resample_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    int64_t outer = 1;
    s->in = r.in;
    s->out = r.out;
    s->inner = 1;
    s->taps = taps_most(&r);
    for (int i = 0; i < x->rank; i++) *(i < axis ? &outer : &s->inner) *= i == axis ? 1 : x->dim[i];
    int32_t *place = hd_vec_state(k, (size_t)(s->out * s->taps) * sizeof *place);
    float *weight = hd_vec_state(k, (size_t)(s->out * s->taps) * sizeof *weight);
    if (!place || !weight) return HD_E_MEMORY;
    for (int64_t i = 0; i < r.out; i++) {
        const hd_taps p = hd_taps_of(&r, i);
        for (int64_t t = 0; t < p.n; t++) {
            place[i * s->taps + t] = (int32_t)hd_tap_place(&r, &p, t);
            weight[i * s->taps + t] = (float)hd_tap_weight(&p, t);
        }
        if (p.n < s->taps) place[i * s->taps + p.n] = -1;
    }
    s->place = place;
    s->weight = weight;
    s->split = hd_vec_split_rows(outer, s->inner * s->taps * (s->out > s->in ? s->out : s->in), HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, run, s->split.tasks);
}

static const char *resample_fits(const hd_kctx *k, const hd_resample_args *a, const hd_dims *x) {
    const hd_resampling r = hd_resampling_of(a, x->dim[hd_axis_resolve(a->axis, x->rank)]);
    if (k->in[0].count == 0) return "nothing to do";
    if (taps_most(&r) > RESAMPLE_LONG) return "sums too long for f32";
    if (r.out > RESAMPLE_MOST / taps_most(&r) || r.in > INT32_MAX) return "too many weights to keep";
    return hd_vec_need_f32(k);
}

static const char *forward_supports(const hd_kctx *k) {
    return resample_fits(k, k->attr, &k->in[0].dims);
}
static hd_status forward_prepare(hd_kctx *k, hd_prepared *out) {
    return resample_prepare(k, out, k->attr, &k->in[0].dims, resample_run);
}

/* The options of the way forward: from the shape of dx to that of dy. */
static hd_resample_args forward_args(const hd_kctx *k) {
    const hd_resample_grad_args *g = k->attr;
    const hd_dims *dy = &k->in[0].dims;
    return (hd_resample_args){.axis = g->axis,
                              .size = dy->dim[hd_axis_resolve(g->axis, dy->rank)],
                              .scale = g->scale,
                              .mode = g->mode,
                              .align_corners = g->align_corners};
}
static const char *grad_supports(const hd_kctx *k) {
    const hd_resample_args a = forward_args(k);
    return resample_fits(k, &a, &k->out[0].dims);
}
static hd_status grad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_resample_args a = forward_args(k);
    return resample_prepare(k, out, &a, &k->out[0].dims, resample_grad_run);
}

const hd_kernel hd_kernel_vec_resample = {
    .name = "cpu.resample", .op = "resample", .supports = forward_supports, .prepare = forward_prepare};
const hd_kernel hd_kernel_vec_resample_grad = {
    .name = "cpu.resample_grad", .op = "resample_grad", .supports = grad_supports, .prepare = grad_prepare};
