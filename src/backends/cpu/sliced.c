/* sliced.c: reductions, scans, order and columns of windows by their definitions, many slices of the first axis at
 * once: rows that do not look at each other are shared among tasks. The bits are the definition's. */
#include "backends/cpu/vec.h"

enum { SLICED_MOST_IN = 2, SLICED_GRAIN = 8192 };

typedef struct sliced_state {
    hd_ref ref;
    hd_tensor in[SLICED_MOST_IN], out[HD_OP_MAX_OUT];
    void (*run)(const hd_ref *r);
    hd_vec_split split;
} sliced_state;

/* Slices first … first+n−1 of a tensor whose memory is at `data`. */
static hd_tensor sliced_part(const hd_tensor *t, void *data, int64_t first, int64_t n) {
    hd_tensor part = *t;
    const int64_t each = t->dims.dim[0] ? t->count / t->dims.dim[0] : 0;
    part.dims.dim[0] = n;
    part.count = each * n;
    part.data = (char *)data + (size_t)(first * each) * hd_dtype_size(t->dtype);
    return part;
}

static void sliced_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const sliced_state *s = e->state;
    const int64_t first = task * s->split.chunk, n = hd_vec_min(s->split.chunk, s->split.n - first);
    hd_tensor in[SLICED_MOST_IN], out[HD_OP_MAX_OUT];
    hd_ref r = s->ref;
    for (int i = 0; i < r.n_in; i++) in[i] = sliced_part(&s->in[i], e->in[i], first, n);
    for (int i = 0; i < r.n_out; i++) out[i] = sliced_part(&s->out[i], e->out[i], first, n);
    r.in = in;
    r.out = out;
    if (n > 0) s->run(&r);
}

static hd_tensor sliced_tensor(const hd_operand *o) {
    return (hd_tensor){.dtype = o->dtype, .dims = o->dims, .count = o->count};
}

static hd_status sliced_prepare(hd_kctx *k, hd_prepared *out) {
    sliced_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const int64_t n = k->in[0].dims.dim[0];
    s->ref = (hd_ref){.attr = k->attr, .n_in = k->n_in, .n_out = k->n_out};
    for (int i = 0; i < k->n_in; i++) s->in[i] = sliced_tensor(&k->in[i]);
    for (int i = 0; i < k->n_out; i++) s->out[i] = sliced_tensor(&k->out[i]);
    s->run = k->op->ref;
    s->split = hd_vec_split_rows(n, n ? k->in[0].count / n : 0, SLICED_GRAIN);
    return hd_vec_one_phase(out, s, sliced_run, s->split.tasks);
}

/* ---- which ops, and when the first axis is one of many rows ---- */

static bool sliced_axes_free(const hd_dims *axes, int rank) {
    for (int i = 0; i < axes->rank; i++)
        if (axes->dim[i] == 0 || axes->dim[i] == -rank) return false;
    return axes->rank > 0;
}
static bool sliced_axis_free(int64_t axis, int rank) {
    return axis != 0 && hd_axis_resolve(axis, rank) > 0;
}

#define SLICED(op_name, args, free)                                                                                    \
    static const char *sliced_##op_name##_supports(const hd_kctx *k) {                                                 \
        const args *a = k->attr;                                                                                       \
        return free ? NULL : "the first axis is not one of rows";                                                      \
    }                                                                                                                  \
    const hd_kernel hd_kernel_sliced_##op_name = {                                                                     \
        .name = "cpu.sliced." #op_name,                                                                                \
        .op = #op_name,                                                                                                \
        .supports = sliced_##op_name##_supports,                                                                       \
        .prepare = sliced_prepare,                                                                                     \
    };
#define AXES_FREE    sliced_axes_free(&a->axes, k->in[0].dims.rank)
#define SAMPLES_FREE ((void)a, true) /* they never look at each other */
#define AXIS_FREE    sliced_axis_free(a->axis, k->in[0].dims.rank)
SLICED(prod, hd_reduce_args, AXES_FREE)
SLICED(min, hd_reduce_args, AXES_FREE)
SLICED(logsumexp, hd_reduce_args, AXES_FREE)
SLICED(nansum, hd_reduce_args, AXES_FREE)
SLICED(nanmean, hd_reduce_args, AXES_FREE)
SLICED(var, hd_var_args, AXES_FREE)
SLICED(std, hd_var_args, AXES_FREE)
SLICED(norm, hd_norm_args, AXES_FREE)
SLICED(cumsum, hd_scan_args, AXIS_FREE)
SLICED(cumprod, hd_scan_args, AXIS_FREE)
SLICED(logcumsumexp, hd_scan_args, AXIS_FREE)
SLICED(linear_recurrence, hd_linear_recurrence_args, AXIS_FREE)
SLICED(argmax, hd_arg_args, AXIS_FREE)
SLICED(argmin, hd_arg_args, AXIS_FREE)
SLICED(sort, hd_sort_args, AXIS_FREE)
SLICED(topk, hd_topk_args, AXIS_FREE)
SLICED(kthvalue, hd_kthvalue_args, AXIS_FREE)
SLICED(median, hd_median_args, AXIS_FREE)
SLICED(mode, hd_mode_args, AXIS_FREE)
SLICED(cummax, hd_cummax_args, AXIS_FREE)
SLICED(cummin, hd_cummax_args, AXIS_FREE)
SLICED(unfold2d, hd_unfold2d_args, SAMPLES_FREE)
SLICED(fold2d, hd_fold2d_args, SAMPLES_FREE)
