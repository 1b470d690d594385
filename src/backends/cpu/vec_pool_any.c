/* vec_pool_any.c: the largest of windows of any kind, adaptive, dilated or over the edge, and its gradient: plane by
 * plane in plain order. Plain windows vec_pool.c does faster. */
#include "backends/cpu/vec.h"
#include "ops/window_kit.h"

enum { ANY_WIDE = 4 }; /* columns of a window from which vectors pay */

typedef struct any_state {
    const hd_vec *v;
    int64_t h, w, oh, ow;
    hd_pool_span *rows, *columns; /* [oh], [ow] */
    hd_vec_split split;           /* of planes */
} any_state;

/* The first of the largest; NaN is larger than everything. */
static int64_t any_largest(const any_state *s, const float *x, hd_pool_span rows, hd_pool_span columns) {
    const int64_t w = s->w;
    int64_t at = rows.from * w + columns.from;
    if (rows.step == 1 && columns.step == 1 && columns.to - columns.from >= ANY_WIDE)
        return at + s->v->window_largest(x + at, w, rows.to - rows.from, columns.to - columns.from);
    float largest = x[at];
    for (int64_t i = rows.from; i < rows.to; i += rows.step)
        for (int64_t j = columns.from; j < columns.to; j += columns.step) {
            const float value = x[i * w + j];
            if (!(value > largest) && (value == value || largest != largest)) continue;
            at = i * w + j;
            largest = value;
        }
    return at;
}

static void any_planes(const hd_exec *e, int64_t task, bool grad) {
    const any_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t p = from; p < to; p++) {
        const float *x = (const float *)e->in[0] + p * s->h * s->w;
        const float *dy = grad ? (const float *)e->in[1] + p * s->oh * s->ow : NULL;
        float *y = (float *)e->out[0] + p * (grad ? s->h * s->w : s->oh * s->ow);
        if (grad) memset(y, 0, (size_t)(s->h * s->w) * sizeof *y);
        for (int64_t i = 0; i < s->oh; i++)
            for (int64_t j = 0; j < s->ow; j++) {
                const int64_t at = any_largest(s, x, s->rows[i], s->columns[j]), to_y = i * s->ow + j;
                if (grad)
                    y[at] += dy[to_y];
                else
                    y[to_y] = x[at];
            }
    }
}
static void any_run(void *exec, int64_t task) {
    any_planes(exec, task, false);
}
static void any_grad_run(void *exec, int64_t task) {
    any_planes(exec, task, true);
}

static hd_pool2d_window any_window(const hd_kctx *k) {
    hd_pool2d_window v;
    if (k->n_in == 2) {
        HD_POOL2D_COPY(v, *(const hd_pool2d_grad_args *)k->attr)
    } else {
        HD_POOL2D_COPY(v, *(const hd_pool2d_args *)k->attr)
    }
    return v;
}

/* Windows of an axis, or NULL without memory. */
static hd_pool_span *any_spans(hd_kctx *k, const hd_pool2d_window *v, int axis, int64_t out, int64_t n) {
    hd_pool_span *span = hd_arena_alloc_n(k->arena, (size_t)out, sizeof *span);
    for (int64_t i = 0; span && i < out; i++) span[i] = hd_pool_span_of(v, axis, i, n);
    return span;
}

static const char *any_supports(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    const hd_dims *x = &k->in[0].dims, *y = k->n_in == 2 ? &k->in[1].dims : &k->out[0].dims;
    if (reason) return reason;
    if (k->in[0].count == 0 || k->out[0].count == 0) return "nothing to pool";
    const hd_pool2d_window v = any_window(k);
    for (int axis = 0; axis < 2; axis++)
        for (int64_t i = 0; i < y->dim[2 + axis]; i++) {
            const hd_pool_span s = hd_pool_span_of(&v, axis, i, x->dim[2 + axis]);
            if (s.from < 0 || s.from >= s.to) return "a window holds nothing";
        }
    return NULL;
}

static hd_status any_prepare(hd_kctx *k, hd_prepared *out) {
    any_state *s = hd_vec_state(k, sizeof *s);
    const hd_dims *x = &k->in[0].dims, *y = k->n_in == 2 ? &k->in[1].dims : &k->out[0].dims;
    const hd_pool2d_window v = any_window(k);
    if (!s) return HD_E_MEMORY;
    s->v = hd_vec_for(k->isa);
    s->h = x->dim[2];
    s->w = x->dim[3];
    s->oh = y->dim[2];
    s->ow = y->dim[3];
    s->rows = any_spans(k, &v, 0, s->oh, s->h);
    s->columns = any_spans(k, &v, 1, s->ow, s->w);
    if (!s->rows || !s->columns) return HD_E_MEMORY;
    s->split = hd_vec_split_rows(x->dim[0] * x->dim[1], s->h * s->w, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, k->n_in == 2 ? any_grad_run : any_run, s->split.tasks);
}

#define ANY_KERNEL(op_name)                                                                                            \
    const hd_kernel hd_kernel_any_##op_name = {                                                                        \
        .name = "cpu." #op_name ".any", .op = #op_name, .supports = any_supports, .prepare = any_prepare};
ANY_KERNEL(max_pool2d)
ANY_KERNEL(max_pool2d_grad)
