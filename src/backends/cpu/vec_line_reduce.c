/* vec_line_reduce.c: reductions whose numbers lie in lines side by side: norm, variance, ln Σ eˣ, the place of the
 * largest. Others are left to their definitions. */
#include "backends/cpu/vec_reduce.h"
#include <math.h>
#include <stddef.h>

typedef struct line_state {
    const hd_vec *v;
    int64_t size[4];    /* outer, fold, keep, run */
    hd_vec_split split; /* of outer · keep results */
    double correction;
    float sign;
} line_state;

/* Joins the axes of x, of which these are reduced. */
static bool line_join(const hd_kctx *k, const hd_dims *axes, int64_t size[4]) {
    const hd_dims *x = &k->in[0].dims;
    return hd_vec_join_axes(x, hd_vec_axes_mask(axes, x->rank), size);
}

/* The options of all of them begin with x and axes. */
_Static_assert(offsetof(hd_var_args, axes) == offsetof(hd_reduce_args, axes), "var's axes stand elsewhere");
_Static_assert(offsetof(hd_norm_args, axes) == offsetof(hd_reduce_args, axes), "norm's axes stand elsewhere");
static const hd_dims *line_axes(const hd_kctx *k) {
    return &((const hd_reduce_args *)k->attr)->axes;
}

static const char *line_supports(const hd_kctx *k) {
    int64_t size[4];
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (k->in[0].count == 0) return "nothing to reduce";
    if (!line_join(k, line_axes(k), size)) return "kept and reduced axes alternate too often";
    return size[HD_VEC_RUN] >= 8 ? NULL : "the numbers do not lie side by side";
}

static const char *norm_supports(const hd_kctx *k) {
    return ((const hd_norm_args *)k->attr)->p == 2 ? line_supports(k) : "only of power 2";
}

static const char *log_sum_supports(const hd_kctx *k) {
    int64_t size[4];
    const char *reason = line_supports(k);
    if (reason) return reason;
    (void)line_join(k, line_axes(k), size);
    return size[HD_VEC_FOLD] == 1 ? NULL : "the numbers do not lie side by side";
}

static const char *largest_supports(const hd_kctx *k) {
    const int64_t axis = ((const hd_arg_args *)k->attr)->axis;
    const int rank = k->in[0].dims.rank;
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (k->in[0].count == 0) return "nothing to look through";
    return axis == 0 || hd_axis_resolve(axis, rank) == rank - 1 ? NULL : "only along the last axis";
}

/* Runs `one` for each result of the task, with where its first line begins. */
typedef void (*line_one)(const line_state *s, const float *x, int64_t place, void *y);
static void line_each(void *exec, int64_t task, line_one one) {
    const hd_exec *e = exec;
    const line_state *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const int64_t keep = s->size[HD_VEC_KEEP], run = s->size[HD_VEC_RUN], block = s->size[HD_VEC_FOLD] * keep * run;
    for (int64_t i = from; i < to; i++)
        one(s, (const float *)e->in[0] + i / keep * block + i % keep * run, i, e->out[0]);
}

static double line_all(const line_state *s, const float *x, bool squares, double center) {
    const int64_t run = s->size[HD_VEC_RUN], step = s->size[HD_VEC_KEEP] * run;
    double sum = 0;
    for (int64_t f = 0; f < s->size[HD_VEC_FOLD]; f++, x += step)
        sum += squares ? s->v->line_squares(x, run, center) : s->v->line_sum(x, run);
    return sum;
}

static double line_variance(const line_state *s, const float *x) {
    const double n = (double)(s->size[HD_VEC_FOLD] * s->size[HD_VEC_RUN]);
    const double mean = line_all(s, x, false, 0) / n;
    return line_all(s, x, true, mean) / (n > s->correction ? n - s->correction : 0);
}

static void one_norm(const line_state *s, const float *x, int64_t place, void *y) {
    ((float *)y)[place] = (float)sqrt(line_all(s, x, true, 0));
}
static void one_var(const line_state *s, const float *x, int64_t place, void *y) {
    ((float *)y)[place] = (float)line_variance(s, x);
}
static void one_std(const line_state *s, const float *x, int64_t place, void *y) {
    ((float *)y)[place] = (float)sqrt(line_variance(s, x));
}
static void one_logsumexp(const line_state *s, const float *x, int64_t place, void *y) {
    ((float *)y)[place] = s->v->line_log_sum(x, s->size[HD_VEC_RUN]);
}
static void one_argmax(const line_state *s, const float *x, int64_t place, void *y) {
    ((int64_t *)y)[place] = s->v->line_largest(x, s->size[HD_VEC_RUN], s->sign);
}
#define one_argmin one_argmax

static hd_status line_prepare(hd_kctx *k, hd_vec_run run, hd_prepared *out) {
    line_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const bool place = strncmp(k->op->name, "arg", 3) == 0;
    const bool var = strcmp(k->op->name, "var") == 0 || strcmp(k->op->name, "std") == 0;
    const int64_t last = k->in[0].dims.rank - 1;
    const hd_dims one = {.rank = 1, .dim = {last}}, all = {0};
    const hd_dims *axes = !place ? line_axes(k) : ((const hd_arg_args *)k->attr)->axis == 0 ? &all : &one;
    if (k->in[0].dims.rank == 0) axes = &all;
    s->v = hd_vec_for(k->isa);
    (void)line_join(k, axes, s->size);
    s->correction = var ? ((const hd_var_args *)k->attr)->correction : 0;
    s->sign = strcmp(k->op->name, "argmin") == 0 ? -1 : 1;
    s->split = hd_vec_split_rows(s->size[HD_VEC_OUTER] * s->size[HD_VEC_KEEP],
                                 s->size[HD_VEC_FOLD] * s->size[HD_VEC_RUN], HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, run, s->split.tasks);
}

#define LINE_REDUCE_KERNEL(op_name, supports_fn)                                                                       \
    static void run_##op_name(void *exec, int64_t task) {                                                              \
        line_each(exec, task, one_##op_name);                                                                          \
    }                                                                                                                  \
    static hd_status prepare_##op_name(hd_kctx *k, hd_prepared *out) {                                                 \
        return line_prepare(k, run_##op_name, out);                                                                    \
    }                                                                                                                  \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name, .op = #op_name, .supports = supports_fn, .prepare = prepare_##op_name};
LINE_REDUCE_KERNEL(norm, norm_supports)
LINE_REDUCE_KERNEL(var, line_supports)
LINE_REDUCE_KERNEL(std, line_supports)
LINE_REDUCE_KERNEL(logsumexp, log_sum_supports)
LINE_REDUCE_KERNEL(argmax, largest_supports)
LINE_REDUCE_KERNEL(argmin, largest_supports)
