/* vec_class.c: losses of class numbers in all their forms: weights, smoothing, classes that do not count, places. What
 * the plain cross-entropy of rows is, vec_loss.c does faster. */
#include "backends/cpu/vec.h"
#include "ops/class_loss.h"
#include <math.h>

enum { PLACES = 128 }; /* a block of places */

typedef struct class_state {
    const hd_vec *v;
    int64_t n, classes, inner; /* x [n, classes, inner] */
    int64_t blocks;            /* of the places of one sample */
    hd_vec_split split;        /* of n · blocks */
    double smooth;
    int64_t ignore, reduction;
    int weight; /* which input, or -1 */
    bool logits;
} class_state;

static double class_weight(const class_state *s, const hd_exec *e, int64_t k) {
    return s->weight < 0 ? 1 : (double)((const float *)e->in[s->weight])[k];
}

/* Σ of the weights of the targets that count. */
static double class_total(const class_state *s, const hd_exec *e) {
    const int64_t *target = e->in[1];
    double total = 0;
    for (int64_t i = 0; i < s->n * s->inner; i++) {
        if (target[i] == s->ignore) continue;
        total += target[i] < 0 || target[i] >= s->classes ? (double)NAN : class_weight(s, e, target[i]);
    }
    return total;
}

/* ln Σ eˣ over the classes of m places, side by side from x on. */
static void class_tops(const class_state *s, const float *x, int64_t m, float *top) {
    hd_vec_fn const largest = s->v->elem[HD_VEC_maximum][HD_VEC_VV], sub = s->v->elem[HD_VEC_sub][HD_VEC_VV],
                    exp_of = s->v->elem[HD_VEC_exp][HD_VEC_VV], add = s->v->elem[HD_VEC_add][HD_VEC_VV],
                    log_of = s->v->elem[HD_VEC_log][HD_VEC_VV];
    float sum[PLACES] = {0}, part[PLACES];
    if (s->inner == 1) {
        *top = s->v->line_log_sum(x, s->classes);
        return;
    }
    memcpy(top, x, (size_t)m * sizeof *top);
    for (int64_t j = 1; j < s->classes; j++) largest(top, top, x + j * s->inner, m, NULL);
    for (int64_t j = 0; j < s->classes; j++) {
        sub(part, x + j * s->inner, top, m, NULL);
        exp_of(part, part, part, m, NULL);
        add(sum, sum, part, m, NULL);
    }
    log_of(sum, sum, sum, m, NULL);
    add(top, top, sum, m, NULL);
}

/* Loss of one place: −Σ share (x − top). */
static double class_loss(const class_state *s, const hd_exec *e, const float *x, double top, int64_t k) {
    const double w = class_weight(s, e, k) * (1 - s->smooth), even = s->smooth / (double)s->classes;
    double loss = w != 0 ? w * (top - (double)x[k * s->inner]) : 0;
    if (even == 0) return loss;
    for (int64_t j = 0; j < s->classes; j++) {
        const double share = class_weight(s, e, j) * even;
        if (share != 0) loss += share * (top - (double)x[j * s->inner]);
    }
    return loss;
}

static void class_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const class_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    double sum = 0;
    for (int64_t b = from; b < to; b++) {
        const int64_t sample = b / s->blocks, at = b % s->blocks * PLACES, m = hd_vec_min(PLACES, s->inner - at);
        const float *x = (const float *)e->in[0] + sample * s->classes * s->inner + at;
        const int64_t *target = (const int64_t *)e->in[1] + sample * s->inner + at;
        float top[PLACES] = {0};
        if (s->logits) class_tops(s, x, m, top);
        for (int64_t i = 0; i < m; i++) {
            if (target[i] == s->ignore) continue;
            const bool known = target[i] >= 0 && target[i] < s->classes;
            sum += known ? class_loss(s, e, x + i, (double)top[i], target[i]) : (double)NAN;
        }
    }
    ((double *)e->scratch)[task] = sum;
}

static void class_end(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const class_state *s = e->state;
    const double sum = hd_vec_total(e, s->split.tasks);
    (void)task;
    *(float *)e->out[0] = (float)(s->reduction == HD_REDUCE_SUM ? sum : sum / class_total(s, e));
}

/* ---- the gradient of nll ---- */

static void slope_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const class_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n), inner = s->inner;
    const double dy = (double)*(const float *)e->in[2];
    const double each = s->reduction == HD_REDUCE_SUM ? dy : dy / class_total(s, e),
                 even = s->smooth / (double)s->classes;
    for (int64_t n = from; n < to; n++) {
        const int64_t *target = (const int64_t *)e->in[1] + n * inner;
        float *dx = (float *)e->out[0] + n * s->classes * inner;
        memset(dx, 0, (size_t)(s->classes * inner) * sizeof *dx);
        for (int64_t i = 0; i < inner; i++) {
            const int64_t k = target[i];
            if (k == s->ignore) continue;
            const bool known = k >= 0 && k < s->classes;
            for (int64_t j = 0; j < s->classes && (even != 0 || !known); j++)
                dx[j * inner + i] = known ? (float)(-class_weight(s, e, j) * even * each) : NAN;
            const double share = known ? class_weight(s, e, k) * (1 - s->smooth + even) : 0;
            if (known) dx[k * inner + i] = share == 0 ? 0 : (float)(-share * each);
        }
    }
}

/* ---- kernels ---- */

static const char *class_refuses(const hd_kctx *k, int64_t reduction) {
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (k->in[1].dtype != HD_I64) return "only for class numbers";
    if (k->in[0].count == 0) return "nothing to do";
    return reduction == HD_REDUCE_NONE ? "only for a sum or mean" : NULL;
}

static const char *class_supports(const hd_kctx *k) {
    return class_refuses(k, ((const hd_class_loss_args *)k->attr)->reduction);
}

static const char *slope_supports(const hd_kctx *k) {
    return class_refuses(k, ((const hd_nll_grad_args *)k->attr)->reduction);
}

static class_state *class_new(hd_kctx *k, int weight, int64_t reduction, int64_t ignore, double smooth) {
    class_state *s = hd_vec_state(k, sizeof *s);
    const hd_dims *x = &k->in[0].dims;
    if (!s) return NULL;
    *s = (class_state){.v = hd_vec_for(k->isa),
                       .n = x->rank > 1 ? x->dim[0] : 1,
                       .classes = x->rank > 1 ? x->dim[1] : x->dim[0],
                       .inner = 1,
                       .smooth = smooth,
                       .ignore = ignore > 0 ? ignore - 1 : ignore,
                       .reduction = reduction,
                       .weight = hd_vec_present(k, weight) ? weight : -1,
                       .logits = strcmp(k->op->name, "cross_entropy") == 0};
    for (int d = 2; d < x->rank; d++) s->inner *= x->dim[d];
    s->blocks = (s->inner + PLACES - 1) / PLACES;
    return s;
}

static hd_status class_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_class_loss_args *a = k->attr;
    class_state *s = class_new(k, 2, a->reduction, a->ignore_index, a->label_smoothing);
    if (!s) return HD_E_MEMORY;
    s->split = hd_vec_split_rows(s->n * s->blocks, hd_vec_min(s->inner, PLACES) * s->classes, HD_VEC_GRAIN_HEAVY);
    out->state = s;
    out->scratch = (size_t)s->split.tasks * sizeof(double);
    out->phases = 2;
    out->phase[0] = (hd_phase){class_run, s->split.tasks};
    out->phase[1] = (hd_phase){class_end, 1};
    return HD_OK;
}

static hd_status slope_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_nll_grad_args *a = k->attr;
    class_state *s = class_new(k, 3, a->reduction, a->ignore_index, a->label_smoothing);
    if (!s) return HD_E_MEMORY;
    s->split = hd_vec_split_rows(s->n, s->classes * s->inner, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, slope_run, s->split.tasks);
}

#define CLASS_KERNEL(variable, name_, op_name, supports_fn, prepare_fn)                                                \
    const hd_kernel hd_kernel_vec_##variable = {                                                                       \
        .name = name_, .op = op_name, .supports = supports_fn, .prepare = prepare_fn};
CLASS_KERNEL(nll, "cpu.nll", "nll", class_supports, class_prepare)
CLASS_KERNEL(nll_grad, "cpu.nll_grad", "nll_grad", slope_supports, slope_prepare)
CLASS_KERNEL(cross_entropy_any, "cpu.cross_entropy.any", "cross_entropy", class_supports, class_prepare)
