/* vec_index.c: kernels that pick and put by index: rows of a table, slices and elements along an axis. Sums run in the
 * order of the index, whatever the number of tasks, so the bits are the definition's. */
#include "backends/cpu/vec.h"
#include <math.h>

/* x [outer, n, inner], index [m] or [outer, m, inner], in elements. */
typedef struct index_state {
    int64_t outer, n, inner, m;
    size_t size; /* bytes of an element */
    bool wrap, add;
    float alpha;
    hd_dtype dtype;
    hd_vec_split split;
} index_state;

static int64_t index_place(const index_state *s, int64_t index) {
    if (s->wrap && index < 0) index += s->n;
    return index >= 0 && index < s->n ? index : -1;
}

/* What an index outside gives: NaN, 0 of whole numbers. */
static void index_fill_outside(hd_dtype dtype, void *y, int64_t n) {
    const float f = NAN;
    const double d = (double)NAN;
    const uint16_t b = 0x7fc0;
    const void *value = dtype == HD_F32 ? (const void *)&f : dtype == HD_F64 ? (const void *)&d : (const void *)&b;
    const size_t size = hd_dtype_size(dtype);
    if (dtype != HD_F32 && dtype != HD_F64 && dtype != HD_BF16) {
        memset(y, 0, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) memcpy((char *)y + (size_t)i * size, value, size);
}

static index_state *index_new(hd_kctx *k, int x, int64_t coded_axis, bool wrap) {
    index_state *s = hd_vec_state(k, sizeof *s);
    const hd_dims *d = &k->in[x].dims;
    const int axis = hd_axis_resolve(coded_axis, d->rank);
    if (!s) return NULL;
    *s = (index_state){.outer = 1, .n = d->dim[axis], .inner = 1, .wrap = wrap, .dtype = k->in[x].dtype};
    for (int i = 0; i < axis; i++) s->outer *= d->dim[i];
    for (int i = axis + 1; i < d->rank; i++) s->inner *= d->dim[i];
    s->size = hd_dtype_size(s->dtype);
    s->m = k->in[1].count;
    return s;
}

/* ---- rows picked: y row o·m + i is x row o·n + index[i] ---- */

static void index_pick_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const index_state *s = e->state;
    const int64_t *index = e->in[1], first = task * s->split.chunk;
    const int64_t last = hd_vec_min(first + s->split.chunk, s->outer * s->m);
    const size_t row = (size_t)s->inner * s->size;
    for (int64_t i = first; i < last; i++) {
        const int64_t k = index_place(s, index[i % s->m]);
        char *y = (char *)e->out[0] + (size_t)i * row;
        if (k >= 0)
            memcpy(y, (const char *)e->in[0] + (size_t)(i / s->m * s->n + k) * row, row);
        else
            index_fill_outside(s->dtype, y, s->inner);
    }
}

static hd_status index_pick(hd_kctx *k, hd_prepared *out, int64_t axis, bool wrap) {
    index_state *s = index_new(k, 0, axis, wrap);
    if (!s) return HD_E_MEMORY;
    s->split = hd_vec_split_rows(s->outer * s->m, s->inner, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, index_pick_run, s->split.tasks);
}
static hd_status embedding_prepare(hd_kctx *k, hd_prepared *out) {
    return index_pick(k, out, HD_AXIS(0), false);
}
static hd_status index_select_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_index_select_args *a = k->attr;
    return index_pick(k, out, a->axis, a->wrap);
}

/* ---- rows added: a task has some rows of y, and looks through all of the index ---- */

static void index_add_rows(const index_state *s, const hd_exec *e, int64_t o, int64_t first, int64_t last) {
    const int64_t *index = e->in[1], inner = s->inner;
    const size_t row = (size_t)inner * sizeof(float);
    float *y = (float *)e->out[0] + o * s->n * inner;
    if (e->out[0] != e->in[0])
        memcpy(y + first * inner, (const float *)e->in[0] + (o * s->n + first) * inner, (size_t)(last - first) * row);
    bool outside = false;
    for (int64_t i = 0; i < s->m; i++) {
        const int64_t k = index_place(s, index[i]);
        outside |= k < 0;
        if (k < first || k >= last) continue;
        const float *src = (const float *)e->in[2] + (o * s->m + i) * inner;
        float *to = y + k * inner;
        for (int64_t j = 0; j < inner; j++) to[j] += s->alpha * src[j];
    }
    if (outside) index_fill_outside(HD_F32, y + first * inner, (last - first) * inner);
}

/* Rows are numbered through all of the outer axes. */
static void index_add_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const index_state *s = e->state;
    int64_t at = task * s->split.chunk;
    const int64_t end = hd_vec_min(at + s->split.chunk, s->outer * s->n);
    while (at < end) {
        const int64_t o = at / s->n, first = at % s->n, last = hd_vec_min(s->n, first + end - at);
        index_add_rows(s, e, o, first, last);
        at += last - first;
    }
}

static hd_status index_add_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_index_add_args *a = k->attr;
    index_state *s = index_new(k, 0, a->axis, a->wrap);
    if (!s) return HD_E_MEMORY;
    s->alpha = (float)a->alpha;
    s->split = hd_vec_split_rows(s->outer * s->n, s->inner, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, index_add_run, s->split.tasks);
}

/* ---- elements along an axis: index [outer, m, inner] like the result (gather), or like src (scatter_add) ---- */

static void index_gather_line(const index_state *s, const hd_exec *e, int64_t o) {
    const int64_t *index = (const int64_t *)e->in[1] + o * s->m * s->inner;
    const char *x = (const char *)e->in[0] + (size_t)(o * s->n * s->inner) * s->size;
    char *y = (char *)e->out[0] + (size_t)(o * s->m * s->inner) * s->size;
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->inner; j++, index++, y += s->size) {
            const int64_t k = index_place(s, *index);
            const char *from = x + (size_t)(k * s->inner + j) * s->size;
            if (k < 0)
                index_fill_outside(s->dtype, y, 1);
            else if (s->size == 4)
                memcpy(y, from, 4);
            else
                memcpy(y, from, s->size);
        }
}

static void index_gather_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const index_state *s = e->state;
    const int64_t first = task * s->split.chunk, last = hd_vec_min(first + s->split.chunk, s->outer);
    for (int64_t o = first; o < last; o++) index_gather_line(s, e, o);
}

/* scatter_add adds; of equal places of scatter the last in the order of the index stays. */
static void index_scatter_line(const index_state *s, const hd_exec *e, int64_t o, bool *outside) {
    const int64_t *index = (const int64_t *)e->in[1] + o * s->m * s->inner;
    const float *src = e->in[2] ? (const float *)e->in[2] + o * s->m * s->inner : NULL;
    float *y = (float *)e->out[0] + o * s->n * s->inner;
    if (e->out[0] != e->in[0])
        memcpy(y, (const float *)e->in[0] + o * s->n * s->inner, (size_t)(s->n * s->inner) * sizeof *y);
    for (int64_t i = 0; i < s->m; i++)
        for (int64_t j = 0; j < s->inner; j++, index++, src += src != NULL) {
            const int64_t k = index_place(s, *index);
            const float value = src ? *src : s->alpha;
            *outside |= k < 0;
            if (k < 0) continue;
            float *to = y + k * s->inner + j;
            *to = s->add ? *to + value : value;
        }
}

/* An index outside spoils everything, so one task does all: it is rare that this is the bottleneck. */
static void index_scatter_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const index_state *s = e->state;
    bool outside = false;
    (void)task;
    for (int64_t o = 0; o < s->outer; o++) index_scatter_line(s, e, o, &outside);
    if (outside) index_fill_outside(HD_F32, e->out[0], s->outer * s->n * s->inner);
}

/* Index is as x is on every axis but the one. */
static bool index_is_aligned(const hd_kctx *k, int64_t coded_axis) {
    const hd_dims *x = &k->in[0].dims, *index = &k->in[1].dims;
    const int axis = hd_axis_resolve(coded_axis, x->rank);
    for (int i = 0; i < x->rank; i++)
        if (i != axis && x->dim[i] != index->dim[i]) return false;
    return true;
}

static hd_status index_lines(hd_kctx *k, hd_prepared *out, int64_t axis, bool wrap, hd_vec_run run, bool one_task) {
    index_state *s = index_new(k, 0, axis, wrap);
    if (!s) return HD_E_MEMORY;
    s->m = k->in[1].dims.dim[hd_axis_resolve(axis, k->in[1].dims.rank)];
    s->split =
        one_task ? (hd_vec_split){s->outer, s->outer, 1} : hd_vec_split_rows(s->outer, s->m * s->inner, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, run, s->split.tasks);
}

static const char *gather_supports(const hd_kctx *k) {
    return index_is_aligned(k, ((const hd_gather_args *)k->attr)->axis) ? NULL : "index is smaller on another axis";
}
static hd_status gather_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_gather_args *a = k->attr;
    return index_lines(k, out, a->axis, a->wrap, index_gather_run, false);
}

static const char *scatter_add_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32) return "only f32";
    if (!index_is_aligned(k, ((const hd_scatter_add_args *)k->attr)->axis)) return "index is smaller on another axis";
    return hd_dims_equal(&k->in[1].dims, &k->in[2].dims) ? NULL : "src is larger than index";
}
static hd_status scatter_add_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_scatter_add_args *a = k->attr;
    const hd_status status = index_lines(k, out, a->axis, a->wrap, index_scatter_run, true);
    if (status == HD_OK) ((index_state *)out->state)->add = true;
    return status;
}

static const char *scatter_supports(const hd_kctx *k) {
    if (k->in[0].dtype != HD_F32) return "only f32";
    if (!index_is_aligned(k, ((const hd_scatter_args *)k->attr)->axis)) return "index is smaller on another axis";
    if (!hd_vec_present(k, 2)) return NULL;
    return hd_dims_equal(&k->in[1].dims, &k->in[2].dims) ? NULL : "src is larger than index";
}
static hd_status scatter_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_scatter_args *a = k->attr;
    const hd_status status = index_lines(k, out, a->axis, a->wrap, index_scatter_run, true);
    if (status == HD_OK) ((index_state *)out->state)->alpha = (float)a->value;
    return status;
}

static const char *index_add_supports(const hd_kctx *k) {
    return k->in[0].dtype == HD_F32 ? NULL : "only f32";
}

/* ---- rows of 0 and a 1 ---- */

typedef struct hot_state {
    int64_t classes;
    size_t size;
    hd_dtype dtype;
    hd_vec_split split;
} hot_state;

static void one_hot_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hot_state *s = e->state;
    static const float f = 1;
    static const double d = 1;
    static const int64_t whole = 1; /* its first bytes are the other whole numbers' */
    const void *one = s->dtype == HD_F32 ? (const void *)&f : s->dtype == HD_F64 ? (const void *)&d : &whole;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const size_t row = (size_t)s->classes * s->size;
    for (int64_t i = from; i < to; i++) {
        const int64_t k = ((const int64_t *)e->in[0])[i];
        char *y = (char *)e->out[0] + (size_t)i * row;
        if (k < 0 || k >= s->classes) {
            index_fill_outside(s->dtype, y, s->classes);
            continue;
        }
        memset(y, 0, row);
        memcpy(y + (size_t)k * s->size, one, s->size);
    }
}

static const char *one_hot_supports(const hd_kctx *k) {
    const uint16_t low_byte_first = 1;
    if (!*(const uint8_t *)&low_byte_first) return "only where the low byte comes first";
    return k->out[0].dtype == HD_BF16 || k->out[0].dtype == HD_BOOL ? "not for bf16 and bool" : NULL;
}
static hd_status one_hot_prepare(hd_kctx *k, hd_prepared *out) {
    hot_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->classes = ((const hd_one_hot_args *)k->attr)->num_classes;
    s->dtype = k->out[0].dtype;
    s->size = hd_dtype_size(s->dtype);
    s->split = hd_vec_split_rows(k->in[0].count, s->classes, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, one_hot_run, s->split.tasks);
}

#define INDEX_KERNEL(op_name, kernel_flags, supports_fn)                                                               \
    const hd_kernel hd_kernel_vec_##op_name = {                                                                        \
        .name = "cpu." #op_name,                                                                                       \
        .op = #op_name,                                                                                                \
        .flags = kernel_flags,                                                                                         \
        .supports = supports_fn,                                                                                       \
        .prepare = op_name##_prepare,                                                                                  \
    };
INDEX_KERNEL(embedding, HD_K_BF16, NULL)
INDEX_KERNEL(index_select, HD_K_BF16, NULL)
INDEX_KERNEL(gather, HD_K_BF16, gather_supports)
INDEX_KERNEL(index_add, HD_K_INPLACE, index_add_supports)
INDEX_KERNEL(scatter_add, HD_K_INPLACE, scatter_add_supports)
INDEX_KERNEL(scatter, HD_K_INPLACE, scatter_supports)
INDEX_KERNEL(one_hot, 0, one_hot_supports)
