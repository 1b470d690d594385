/* vec_rows.c: see vec_rows.h. */
#include "backends/cpu/vec_rows.h"

/* How far an operand is from its element at place i of axis d of the result to the next one; -1: it has no element. */
static int64_t stride_along(const hd_operand *o, const hd_dims *y, int d) {
    const int e = d - (y->rank - o->dims.rank);
    int64_t stride = 1;
    if (e < 0 || o->dims.dim[e] == 1) return 0;
    for (int i = e + 1; i < o->dims.rank; i++) stride *= o->dims.dim[i];
    return stride;
}

/* Whether axis d of the result can join a row of n elements, and what each operand does along it then. */
static bool joins(const hd_row_walk *w, const hd_kctx *k, int d, int64_t n, int64_t step[HD_ROW_IN]) {
    for (int i = 0; i < w->in; i++) {
        const int64_t s = w->input[i] < 0 ? 0 : stride_along(&k->in[w->input[i]], &k->out[0].dims, d);
        if (n == 1)
            step[i] = s != 0;
        else if (s != (step[i] ? n : 0))
            return false;
        if (n == 1 && s > 1) return false;
    }
    return true;
}

void hd_row_walk_of(hd_row_walk *w, const hd_kctx *k, const int *in, int count, int64_t grain) {
    const hd_dims *y = &k->out[0].dims;
    int d = y->rank - 1;
    w->in = count;
    w->rows = w->row = 1;
    w->out_bytes = hd_dtype_size(k->out[0].dtype);
    for (int i = 0; i < count; i++) {
        w->input[i] = in[i];
        w->bytes[i] = in[i] < 0 ? 0 : hd_dtype_size(k->in[in[i]].dtype);
    }
    for (; d >= 0; d--) {
        int64_t step[HD_ROW_IN];
        memcpy(step, w->step, sizeof step);
        if (y->dim[d] == 1) continue;
        if (!joins(w, k, d, w->row, step)) break;
        memcpy(w->step, step, sizeof step);
        w->row *= y->dim[d];
    }
    for (; d >= 0; d--) {
        for (int i = 0; i < count; i++) w->stride[i][w->axes] = in[i] < 0 ? 0 : stride_along(&k->in[in[i]], y, d);
        w->size[w->axes++] = y->dim[d];
        w->rows *= y->dim[d];
    }
    w->split = w->rows == 1 ? hd_vec_split_of(w->row, grain) : hd_vec_split_rows(w->rows, w->row, grain);
}

/* Part of a row: n elements from `at` on. */
static void walk_row(const hd_row_walk *w, const hd_exec *e, int64_t row, int64_t at, int64_t n) {
    const void *in[HD_ROW_IN] = {NULL};
    int64_t place[HD_ROW_IN] = {0};
    for (int64_t a = 0, rest = row; a < w->axes; a++) {
        for (int i = 0; i < w->in; i++) place[i] += rest % w->size[a] * w->stride[i][a];
        rest /= w->size[a];
    }
    for (int i = 0; i < w->in; i++) {
        const char *base = w->input[i] < 0 ? (const char *)&w->value : e->in[w->input[i]];
        in[i] = base + (size_t)(place[i] + at * w->step[i]) * w->bytes[i];
    }
    char *y = (char *)e->out[0] + (size_t)(row * w->row + at) * w->out_bytes;
    if (w->run) {
        w->run(y, in, w->step, n, w->c);
        return;
    }
    const int mode = w->step[1] == 0 && n > 1 ? HD_VEC_VS : w->step[0] == 0 && n > 1 ? HD_VEC_SV : HD_VEC_VV;
    w->number[mode]((float *)(void *)y, in[0], in[1], n, w->c);
}

static void walk_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_row_walk *w = e->state;
    const int64_t from = task * w->split.chunk, to = hd_vec_min(from + w->split.chunk, w->split.n);
    if (w->rows == 1)
        walk_row(w, e, 0, from, to - from);
    else
        for (int64_t i = from; i < to; i++) walk_row(w, e, i, 0, w->row);
}

hd_status hd_row_walk_prepare(const hd_row_walk *w, hd_kctx *k, hd_prepared *out) {
    hd_row_walk *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    *s = *w;
    return hd_vec_one_phase(out, s, walk_run, s->split.tasks);
}
