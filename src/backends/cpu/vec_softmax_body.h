/* vec_softmax_body.h: softmax, its logarithm and their gradients along an axis: rows where the axis is the last, else
 * vectors of HD_VL neighbours, each with its own sum. Included once for each instruction set, after the losses. */
#include "backends/cpu/vec_softmax.h"

/* y = e^(x − max) / sum, or x − max − ln sum. */
static void softmax_row(const float *x, float *y, int64_t n, bool ln) {
    float max, sum;
    if (n <= HD_VL) {
        const vm m = vm_first(n);
        vf e;
        sum = softmax_short(x, m, vi_first(n), &max, &e);
        if (!ln) vf_store_m(y, e / sum, m);
    } else {
        sum = softmax_long(x, n, &max, ln ? NULL : y);
        if (!ln) scale_row(y, n, 1 / sum);
    }
    if (!ln) return;
    const vf shift = v_log(vf_splat(sum));
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(y + j, vf_load_if(x + j, whole, m) - max - shift, whole, m);
    }
}

/* HD_VL neighbours, `inner` apart along the axis. */
HD_INLINE void softmax_columns(const float *x, float *y, int64_t n, int64_t inner, bool ln, bool whole, vm m) {
    vf max = vf_splat(-INFINITY), sum = vf_splat(0);
    for (int64_t j = 0; j < n; j++) max = vf_max(max, vf_load_if(x + j * inner, whole, m));
    for (int64_t j = 0; j < n; j++) {
        const vf e = v_exp(vf_load_if(x + j * inner, whole, m) - max);
        sum += e;
        if (!ln) vf_store_if(y + j * inner, e, whole, m);
    }
    const vf k = ln ? v_log(sum) : 1.0f / sum;
    for (int64_t j = 0; j < n; j++) {
        float *p = y + j * inner;
        const vf v = ln ? vf_load_if(x + j * inner, whole, m) - max - k : vf_load_if(p, whole, m) * k;
        vf_store_if(p, v, whole, m);
    }
}

static void softmax_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_softmax *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t o = from; o < to; o++) {
        const float *x = (const float *)e->in[0] + o * s->n * s->inner;
        float *y = (float *)e->out[0] + o * s->n * s->inner;
        if (s->inner == 1) {
            softmax_row(x, y, s->n, s->ln);
            continue;
        }
        int64_t i = 0;
        for (; i + HD_VL <= s->inner; i += HD_VL)
            softmax_columns(x + i, y + i, s->n, s->inner, s->ln, true, vm_first(HD_VL));
        if (i < s->inner) softmax_columns(x + i, y + i, s->n, s->inner, s->ln, false, vm_first(s->inner - i));
    }
}

/* dx = y (dy − Σ y dy); of the logarithm dy − e^y Σ dy. */
HD_INLINE vf softmax_slope(vf y, vf dy, vf sum, bool ln) {
    return ln ? dy - v_exp(y) * sum : y * (dy - sum);
}

static void softmax_grad_row(const float *y, const float *dy, float *dx, int64_t n, bool ln) {
    vf sum = vf_splat(0);
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        const vf d = vf_load_if(dy + j, whole, m);
        sum += ln ? d : d * vf_load_if(y + j, whole, m);
    }
    sum = vf_splat(vf_sum(sum));
    for (int64_t j = 0; j < n; j += HD_VL) {
        const bool whole = j + HD_VL <= n;
        const vm m = vm_first(n - j);
        vf_store_if(dx + j, softmax_slope(vf_load_if(y + j, whole, m), vf_load_if(dy + j, whole, m), sum, ln), whole,
                    m);
    }
}

HD_INLINE void softmax_grad_columns(const float *y, const float *dy, float *dx, int64_t n, int64_t inner, bool ln,
                                    bool whole, vm m) {
    vf sum = vf_splat(0);
    for (int64_t j = 0; j < n * inner; j += inner) {
        const vf d = vf_load_if(dy + j, whole, m);
        sum += ln ? d : d * vf_load_if(y + j, whole, m);
    }
    for (int64_t j = 0; j < n * inner; j += inner)
        vf_store_if(dx + j, softmax_slope(vf_load_if(y + j, whole, m), vf_load_if(dy + j, whole, m), sum, ln), whole,
                    m);
}

static void softmax_grad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_softmax *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t o = from; o < to; o++) {
        const int64_t at = o * s->n * s->inner;
        const float *y = (const float *)e->in[0] + at, *dy = (const float *)e->in[1] + at;
        float *dx = (float *)e->out[0] + at;
        if (s->inner == 1) {
            softmax_grad_row(y, dy, dx, s->n, s->ln);
            continue;
        }
        int64_t i = 0;
        for (; i + HD_VL <= s->inner; i += HD_VL)
            softmax_grad_columns(y + i, dy + i, dx + i, s->n, s->inner, s->ln, true, vm_first(HD_VL));
        if (i < s->inner)
            softmax_grad_columns(y + i, dy + i, dx + i, s->n, s->inner, s->ln, false, vm_first(s->inner - i));
    }
}
