/* vec_distance.c: rows of two tensors side by side: cosine, distance, and the losses made of them; of rows that lie
 * along the last axis, of tensors of one shape. */
#include "backends/cpu/vec.h"
#include "ops/loss_kit.h"
#include <math.h>

typedef struct distance_state {
    const hd_vec *v;
    int64_t d;          /* elements of a row */
    hd_vec_split split; /* of rows */
    double eps, margin, factor;
    bool swap;
} distance_state;

/* Σ (a − b + eps)², rooted */
static double distance_of(const distance_state *s, const float *a, const float *b) {
    double sums[4];
    s->v->line_pair(a, b, s->d, s->eps, sums);
    return sqrt(sums[3]);
}

static double cosine_of(const distance_state *s, const float *a, const float *b) {
    double sums[4];
    s->v->line_pair(a, b, s->d, s->eps, sums);
    return sums[0] / (fmax(sqrt(sums[1]), s->eps) * fmax(sqrt(sums[2]), s->eps));
}

static double triplet_of(const distance_state *s, const float *a, const float *b, const float *c) {
    const double near = distance_of(s, a, b), far = distance_of(s, a, c);
    return hd_loss_least(s->margin + near - (s->swap ? fmin(far, distance_of(s, b, c)) : far), 0);
}

#define ROWS(...)                                                                                                      \
    const hd_exec *e = exec;                                                                                           \
    const distance_state *s = e->state;                                                                                \
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);                    \
    for (int64_t i = from; i < to; i++) {                                                                              \
        const float *a = (const float *)e->in[0] + i * s->d, *b = (const float *)e->in[1] + i * s->d;                  \
        __VA_ARGS__;                                                                                                   \
    }

static void cosine_run(void *exec, int64_t task) {
    ROWS(((float *)e->out[0])[i] = (float)cosine_of(s, a, b))
}
static void distance_run(void *exec, int64_t task) {
    ROWS(((float *)e->out[0])[i] = (float)distance_of(s, a, b))
}
static void triplet_run(void *exec, int64_t task) {
    double sum = 0;
    ROWS(sum += triplet_of(s, a, b, (const float *)e->in[2] + i * s->d))
    ((double *)e->scratch)[task] = sum;
}
/* rows of one number: x1, x2, target */
static void ranking_run(void *exec, int64_t task) {
    double sum = 0;
    ROWS(const double t = (double)((const float *)e->in[2])[i];
         sum += hd_loss_least(s->margin - t * ((double)*a - (double)*b), 0))
    ((double *)e->scratch)[task] = sum;
}
static void loss_end(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const distance_state *s = e->state;
    (void)task;
    *(float *)e->out[0] = (float)(hd_vec_total(e, s->split.tasks) * s->factor);
}

/* ---- kernels ---- */

static const char *same_rows(const hd_kctx *k) {
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    if (k->in[0].dims.rank < 1 || k->in[0].count == 0) return "nothing to compare";
    for (int i = 1; i < k->n_in; i++)
        if (!hd_dims_equal(&k->in[0].dims, &k->in[i].dims)) return "only for tensors of one shape";
    return NULL;
}

static const char *cosine_supports(const hd_kctx *k) {
    const char *reason = same_rows(k);
    const int rank = k->in[0].dims.rank;
    if (reason) return reason;
    return hd_axis_resolve(((const hd_cosine_similarity_args *)k->attr)->axis, rank) == rank - 1
               ? NULL
               : "only along the last axis";
}
static const char *distance_supports(const hd_kctx *k) {
    return ((const hd_pairwise_distance_args *)k->attr)->p == 2 ? same_rows(k) : "only Euclid's";
}
static const char *triplet_supports(const hd_kctx *k) {
    const hd_triplet_margin_args *a = k->attr;
    if (a->p != 2) return "only Euclid's";
    return a->reduction == HD_REDUCE_NONE ? "only for a sum or mean" : same_rows(k);
}
static const char *ranking_supports(const hd_kctx *k) {
    return ((const hd_margin_ranking_args *)k->attr)->reduction == HD_REDUCE_NONE ? "only for a sum or mean"
                                                                                  : same_rows(k);
}

static hd_status rows_prepare(hd_kctx *k, distance_state s, int64_t d, hd_vec_run run, bool loss, hd_prepared *out) {
    distance_state *state = hd_vec_state(k, sizeof *state);
    if (!state) return HD_E_MEMORY;
    const int64_t rows = k->in[0].count / d;
    s.v = hd_vec_for(k->isa);
    s.d = d;
    s.split = hd_vec_split_rows(rows, d, HD_VEC_GRAIN_HEAVY);
    s.factor = loss && hd_reduction_of(k->op, k->attr) == HD_REDUCE_MEAN ? 1 / (double)rows : 1;
    *state = s;
    out->state = state;
    out->phase[out->phases++] = (hd_phase){run, s.split.tasks};
    if (!loss) return HD_OK;
    out->scratch = (size_t)s.split.tasks * sizeof(double);
    out->phase[out->phases++] = (hd_phase){loss_end, 1};
    return HD_OK;
}

static int64_t row_of(const hd_kctx *k) {
    return k->in[0].dims.dim[k->in[0].dims.rank - 1];
}
static hd_status cosine_prepare(hd_kctx *k, hd_prepared *out) {
    const distance_state s = {.eps = ((const hd_cosine_similarity_args *)k->attr)->eps};
    return rows_prepare(k, s, row_of(k), cosine_run, false, out);
}
static hd_status distance_prepare(hd_kctx *k, hd_prepared *out) {
    const distance_state s = {.eps = ((const hd_pairwise_distance_args *)k->attr)->eps};
    return rows_prepare(k, s, row_of(k), distance_run, false, out);
}
static hd_status triplet_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_triplet_margin_args *a = k->attr;
    const distance_state s = {.eps = a->eps, .margin = a->margin, .swap = a->swap};
    return rows_prepare(k, s, row_of(k), triplet_run, true, out);
}
static hd_status ranking_prepare(hd_kctx *k, hd_prepared *out) {
    const distance_state s = {.margin = ((const hd_margin_ranking_args *)k->attr)->margin};
    return rows_prepare(k, s, 1, ranking_run, true, out);
}

#define DISTANCE_KERNEL(op_name, kind)                                                                                 \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name, .op = #op_name, .supports = kind##_supports, .prepare = kind##_prepare};
DISTANCE_KERNEL(cosine_similarity, cosine)
DISTANCE_KERNEL(pairwise_distance, distance)
DISTANCE_KERNEL(triplet_margin, triplet)
DISTANCE_KERNEL(margin_ranking, ranking)
