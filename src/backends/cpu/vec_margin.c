/* vec_margin.c: the hinge loss of several classes, row by row; the sum over rows in their order. */
#include "backends/cpu/vec.h"
#include "ops/class_loss.h"
#include <math.h>

typedef struct margin_state {
    const hd_vec *v;
    int64_t classes, reduction;
    double margin;
    bool square, weighted;
    hd_vec_split split; /* of rows */
} margin_state;

/* Without the target's own term, which would be the margin. */
static double margin_row(const margin_state *s, const hd_exec *e, int64_t row) {
    const float *x = (const float *)e->in[0] + row * s->classes;
    const int64_t k = ((const int64_t *)e->in[1])[row];
    if (k < 0 || k >= s->classes) return (double)NAN;
    const float shift = (float)(s->margin - (double)x[k]);
    const double sum =
        s->v->line_hinge(x, k, shift, s->square) + s->v->line_hinge(x + k + 1, s->classes - k - 1, shift, s->square);
    return sum * (s->weighted ? (double)((const float *)e->in[2])[k] : 1) / (double)s->classes;
}

static void margin_rows_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const margin_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i++) {
        const double loss = margin_row(s, e, i);
        if (s->reduction == HD_REDUCE_NONE)
            ((float *)e->out[0])[i] = (float)loss;
        else
            ((double *)(void *)e->scratch)[i] = loss;
    }
}

static void margin_sum_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const margin_state *s = e->state;
    const double *loss = (const double *)(const void *)e->scratch;
    double sum = 0;
    (void)task;
    for (int64_t i = 0; i < s->split.n; i++) sum += loss[i];
    *(float *)e->out[0] = (float)(s->reduction == HD_REDUCE_SUM ? sum : sum / (double)s->split.n);
}

static const char *multi_margin_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (hd_vec_present(k, 2) && k->in[2].dtype != HD_F32) return "the weight is not f32";
    return k->in[0].count == 0 ? "there are no rows" : NULL;
}

static hd_status multi_margin_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_multi_margin_args *a = k->attr;
    margin_state *s = hd_vec_state(k, sizeof *s);
    const hd_dims *x = &k->in[0].dims;
    if (!s) return HD_E_MEMORY;
    s->v = hd_vec_for(k->isa);
    s->classes = x->dim[x->rank - 1];
    s->reduction = a->reduction;
    s->margin = a->margin;
    s->square = a->p == 2;
    s->weighted = hd_vec_present(k, 2);
    s->split = hd_vec_split_rows(k->in[1].count, s->classes, HD_VEC_GRAIN);
    out->state = s;
    out->phase[out->phases++] = (hd_phase){margin_rows_run, s->split.tasks};
    if (a->reduction == HD_REDUCE_NONE) return HD_OK;
    out->scratch = (size_t)s->split.n * sizeof(double);
    out->phase[out->phases++] = (hd_phase){margin_sum_run, 1};
    return HD_OK;
}

const hd_kernel hd_kernel_vec_multi_margin = {.name = "cpu.multi_margin",
                                              .op = "multi_margin",
                                              .supports = multi_margin_supports,
                                              .prepare = multi_margin_prepare};
