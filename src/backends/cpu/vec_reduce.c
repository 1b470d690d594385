/* vec_reduce.c: kernels of sum, mean, max, min, prod, sum_like and broadcast_like: the axes are joined to at most four,
 * the longest way is cut into tasks, and partial results are joined in the order of the tasks. */
#include "backends/cpu/vec_reduce.h"

bool hd_vec_join_axes(const hd_dims *dims, unsigned mask, int64_t size[4]) {
    int64_t length[HD_MAX_DIMS];
    bool reduced[HD_MAX_DIMS];
    int groups = 0, slot = 3;
    for (int d = 0; d < dims->rank; d++) {
        const bool r = mask >> d & 1;
        if (dims->dim[d] == 1) continue;
        if (groups > 0 && reduced[groups - 1] == r) {
            length[groups - 1] *= dims->dim[d];
        } else {
            reduced[groups] = r;
            length[groups++] = dims->dim[d];
        }
    }
    for (int i = 0; i < 4; i++) size[i] = 1;
    /* from the innermost on: run and fold take what is reduced, keep and outer what stays */
    for (int g = groups - 1; g >= 0; g--, slot--) {
        if (reduced[g] != (slot == HD_VEC_RUN || slot == HD_VEC_FOLD)) slot--;
        if (slot < 0) return false;
        size[slot] = length[g];
    }
    return true;
}

unsigned hd_vec_axes_mask(const hd_dims *axes, int rank) {
    unsigned mask = axes->rank == 0 ? ~0u : 0;
    for (int i = 0; i < axes->rank; i++) mask |= 1u << (axes->dim[i] < 0 ? axes->dim[i] + rank : axes->dim[i]);
    return mask;
}

unsigned hd_vec_broadcast_mask(const hd_dims *small, const hd_dims *big) {
    unsigned mask = 0;
    for (int d = 0; d < big->rank; d++) {
        const int own = d - (big->rank - small->rank);
        if (own < 0 || (small->dim[own] == 1 && big->dim[d] != 1)) mask |= 1u << d;
    }
    return mask;
}

static bool is_like(const hd_kctx *k) {
    return strcmp(k->op->name, "sum_like") == 0;
}

static unsigned reduce_mask(const hd_kctx *k) {
    if (is_like(k)) return hd_vec_broadcast_mask(&k->out[0].dims, &k->in[0].dims);
    return hd_vec_axes_mask(&((const hd_reduce_args *)k->attr)->axes, k->in[0].dims.rank);
}

static const char *reduce_supports(const hd_kctx *k) {
    int64_t size[4];
    if (k->in[0].dtype != HD_F32) return "only for f32";
    if (k->in[0].count == 0) return "nothing to reduce";
    return hd_vec_join_axes(&k->in[0].dims, reduce_mask(k), size) ? NULL : "kept and reduced axes alternate too often";
}

/* Divides the outermost axis that is longer than one: outer and keep give finished results, fold and run parts. */
static void reduce_split(hd_vec_reduce *s) {
    const int64_t *size = s->size, n = size[0] * size[1] * size[2] * size[3];
    s->axis = HD_VEC_OUTER;
    while (s->axis < HD_VEC_RUN && size[s->axis] == 1) s->axis++;
    const int64_t row = n / size[s->axis];
    s->split = hd_vec_split_rows(size[s->axis], row, HD_VEC_GRAIN);
    s->partial = s->split.tasks > 1 && (s->axis == HD_VEC_FOLD || s->axis == HD_VEC_RUN);
}

typedef struct reduce_loops {
    hd_vec_run run, join;
} reduce_loops;

static reduce_loops loops_of(const char *op, const hd_vec *v) {
    if (strcmp(op, "max") == 0) return (reduce_loops){v->max, v->max_join};
    if (strcmp(op, "min") == 0) return (reduce_loops){v->min, v->min_join};
    if (strcmp(op, "prod") == 0) return (reduce_loops){v->prod, v->prod_join};
    return (reduce_loops){v->sum, v->sum_join};
}

static hd_status reduce_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_reduce *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_vec *v = hd_vec_for(k->isa);
    const bool mean = strcmp(k->op->name, "mean") == 0;
    hd_vec_join_axes(&k->in[0].dims, reduce_mask(k), s->size);
    const bool average = is_like(k) ? ((const hd_like_args *)k->attr)->average : mean;
    s->factor = average ? (float)(1 / (double)(s->size[HD_VEC_FOLD] * s->size[HD_VEC_RUN])) : 1;
    reduce_split(s);
    out->state = s;
    if (s->partial) out->scratch = (size_t)(s->split.tasks * s->size[HD_VEC_KEEP]) * sizeof(float);
    const reduce_loops loops = loops_of(k->op->name, v);
    out->phase[out->phases++] = (hd_phase){loops.run, s->split.tasks};
    if (s->partial) out->phase[out->phases++] = (hd_phase){loops.join, 1};
    return HD_OK;
}

/* ---- broadcast_like: the same axes the other way ---- */

static void broadcast_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_reduce *s = e->state;
    const int64_t fold = s->size[HD_VEC_FOLD], keep = s->size[HD_VEC_KEEP], run = s->size[HD_VEC_RUN];
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const float *x = e->in[0];
    float *y = (float *)e->out[0] + from * keep * run;
    for (int64_t i = from; i < to; i++) { /* over outer and fold */
        const float *row = x + i / fold * keep;
        if (run == 1) {
            memcpy(y, row, (size_t)keep * sizeof *y);
            y += keep;
        } else {
            for (int64_t k = 0; k < keep; k++, y += run) s->fill(y, NULL, NULL, run, row + k);
        }
    }
    if (s->factor != 1 && to > from) {
        const int64_t n = (to - from) * keep * run;
        const float c[2] = {s->factor, 0};
        s->scale(y - n, y - n, NULL, n, c);
    }
}

static const char *broadcast_supports(const hd_kctx *k) {
    int64_t size[4];
    if (k->in[0].dtype != HD_F32) return "only for f32";
    return hd_vec_join_axes(&k->out[0].dims, hd_vec_broadcast_mask(&k->in[0].dims, &k->out[0].dims), size)
               ? NULL
               : "kept and repeated axes alternate too often";
}

/* A number for each channel [n, c, 1, …] all over its plane: channels may lie side by side there. Lanes: how many, 0
 * where they may not. */
static int64_t broadcast_lanes(const hd_kctx *k, const hd_layout *l) {
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    hd_layout rows;
    if (x->rank != y->rank || !hd_layout_as_rows(l, y, &rows) || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1])
        return 0;
    for (int d = 2; d < x->rank; d++)
        if (x->dim[d] != 1) return 0;
    return rows.permuted ? y->dim[1] : rows.nblk ? rows.blk[0] : 0;
}

/* Of the second operand no more than the shape is read. */
static void broadcast_layouts(const hd_kctx *k, hd_layout *in, hd_layout *out) {
    in[1] = k->in[1].layout;
    if (broadcast_lanes(k, &in[1])) out[0] = in[1];
}

static hd_status broadcast_prepare(hd_kctx *k, hd_prepared *out) {
    hd_vec_reduce *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    hd_vec_join_axes(&k->out[0].dims, hd_vec_broadcast_mask(&k->in[0].dims, &k->out[0].dims), s->size);
    const int64_t lanes = hd_layout_is_plain(&k->out[0].layout) ? 0 : broadcast_lanes(k, &k->out[0].layout);
    if (lanes) {
        s->size[HD_VEC_OUTER] = k->in[0].count / lanes;
        s->size[HD_VEC_FOLD] = k->in[0].count ? k->out[0].count / k->in[0].count : 0;
        s->size[HD_VEC_KEEP] = lanes;
        s->size[HD_VEC_RUN] = 1;
    }
    const bool average = ((const hd_like_args *)k->attr)->average;
    s->factor = average ? (float)(1 / (double)(s->size[HD_VEC_FOLD] * s->size[HD_VEC_RUN])) : 1;
    s->fill = hd_vec_for(k->isa)->elem[HD_VEC_fill_like][0];
    s->scale = hd_vec_for(k->isa)->elem[HD_VEC_affine][0];
    s->split = hd_vec_split_rows(s->size[0] * s->size[1], s->size[2] * s->size[3], HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, broadcast_run, s->split.tasks);
}

#define REDUCE_KERNEL(op_name, supports_fn, layouts_fn, prepare_fn)                                                    \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .supports = supports_fn,                                                                                       \
        .layouts = layouts_fn,                                                                                         \
        .prepare = prepare_fn,                                                                                         \
    };
REDUCE_KERNEL(sum, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(mean, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(max, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(min, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(prod, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(sum_like, reduce_supports, NULL, reduce_prepare)
REDUCE_KERNEL(broadcast_like, broadcast_supports, broadcast_layouts, broadcast_prepare)
