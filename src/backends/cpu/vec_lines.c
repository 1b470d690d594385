/* vec_lines.c: kernels that go line by line over the last axis: triangles, the gated halves of glu, the gradient of
 * rims. */
#include "backends/cpu/vec_elem.h"
#include "ops/shape_kit.h"

/* ---- triangles: a part of every row stays, the rest is 0 ---- */

typedef struct triangle {
    int64_t rows, columns, diagonal;
    size_t size;
    bool lower;
    hd_vec_split split; /* of all rows */
} triangle;

static void triangle_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const triangle *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i++) {
        const int64_t edge =
            i % s->rows + s->diagonal + (s->lower ? 1 : 0); /* first column above, or of the triangle */
        const size_t cut = (size_t)(edge < 0 ? 0 : hd_vec_min(edge, s->columns)) * s->size,
                     line = (size_t)s->columns * s->size;
        const char *x = (const char *)e->in[0] + (size_t)i * line;
        char *y = (char *)e->out[0] + (size_t)i * line;
        if (x != y) memcpy(s->lower ? y : y + cut, s->lower ? x : x + cut, s->lower ? cut : line - cut);
        memset(s->lower ? y + cut : y, 0, s->lower ? line - cut : cut);
    }
}

static hd_status triangle_prepare(hd_kctx *k, hd_prepared *out) {
    triangle *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_dims *x = &k->in[0].dims;
    s->rows = x->dim[x->rank - 2];
    s->columns = x->dim[x->rank - 1];
    s->diagonal = ((const hd_triangle_args *)k->attr)->diagonal;
    if (s->diagonal > s->columns) s->diagonal = s->columns;
    if (s->diagonal < -s->rows) s->diagonal = -s->rows;
    s->size = hd_dtype_size(k->out[0].dtype);
    s->lower = strcmp(k->op->name, "tril") == 0;
    s->split = hd_vec_split_rows(s->columns > 0 ? k->out[0].count / s->columns : 0, s->columns, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, triangle_run, s->split.tasks);
}

/* ---- glu: σ of the second half of a line, times the first ---- */

typedef struct gate {
    hd_vec_fn sigmoid, mul;
    int64_t half;
    hd_vec_split split; /* of lines, x has two halves in each */
} gate;

static void gate_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const gate *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    for (int64_t i = from; i < to; i++) {
        const float *a = (const float *)e->in[0] + 2 * i * s->half, *b = a + s->half;
        float *y = (float *)e->out[0] + i * s->half;
        s->sigmoid(y, b, b, s->half, NULL);
        s->mul(y, y, a, s->half, NULL);
    }
}

static hd_status gate_prepare(hd_kctx *k, hd_prepared *out) {
    gate *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const hd_dims *y = &k->out[0].dims;
    const hd_vec *v = hd_vec_for(k->isa);
    s->half = 1;
    for (int d = hd_axis_resolve(((const hd_glu_args *)k->attr)->axis, y->rank); d < y->rank; d++) s->half *= y->dim[d];
    s->sigmoid = v->elem[HD_VEC_sigmoid][HD_VEC_VV];
    s->mul = v->elem[HD_VEC_mul][HD_VEC_VV];
    s->split = hd_vec_split_rows(s->half > 0 ? k->out[0].count / s->half : 0, s->half, HD_VEC_GRAIN_HEAVY);
    return hd_vec_one_phase(out, s, gate_run, s->split.tasks);
}

/* ---- gradient of rims: every element of dy goes to the one of dx that it was made of ---- */

typedef struct rim {
    hd_vec_fn add;
    int axes; /* from the first one with a rim on */
    int64_t dx[HD_MAX_DIMS], dy[HD_MAX_DIMS];
    int64_t *source[HD_MAX_DIMS]; /* of each place of an axis of dy: the place in dx, or -1 */
    int64_t first, body;          /* places of the last axis that lie side by side in dx: from `first` on */
    int64_t lines, wide, narrow;  /* lines of one block of dy; elements of a block of dy and of dx */
    hd_vec_split split;           /* of blocks, which have nothing to do with each other */
} rim;

/* Offset in a block of dx of line number `line` of a block of dy, or -1. */
static int64_t rim_line(const rim *s, int64_t line) {
    int64_t at = 0, stride = s->dx[s->axes - 1];
    for (int d = s->axes - 2; d >= 0; d--) {
        const int64_t place = s->source[d][line % s->dy[d]];
        line /= s->dy[d];
        if (place < 0) return -1;
        at += place * stride;
        stride *= s->dx[d];
    }
    return at;
}

static void rim_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const rim *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const int last = s->axes - 1;
    for (int64_t b = from; b < to; b++) {
        const float *dy = (const float *)e->in[0] + b * s->wide;
        float *dx = (float *)e->out[0] + b * s->narrow;
        memset(dx, 0, (size_t)s->narrow * sizeof *dx);
        for (int64_t l = 0; l < s->lines; l++, dy += s->dy[last]) {
            const int64_t at = rim_line(s, l), *source = s->source[last];
            if (at < 0) continue;
            for (int64_t i = 0; i < s->first; i++)
                if (source[i] >= 0) dx[at + source[i]] += dy[i];
            if (s->body > 0) {
                float *middle = dx + at + source[s->first];
                s->add(middle, middle, dy + s->first, s->body, NULL);
            }
            for (int64_t i = s->first + s->body; i < s->dy[last]; i++)
                if (source[i] >= 0) dx[at + source[i]] += dy[i];
        }
    }
}

static bool rim_axis(hd_kctx *k, rim *s, int d, int axis) {
    const hd_pad_grad_args *a = k->attr;
    const int64_t before = hd_axis_number(&a->before, axis), after = hd_axis_number(&a->after, axis);
    s->source[d] = hd_arena_alloc_n(k->arena, (size_t)s->dy[d] + 1, sizeof *s->source[d]);
    for (int64_t i = 0; s->source[d] && i < s->dy[d]; i++)
        s->source[d][i] = hd_pad_source(a->mode, i - before, s->dx[d], before, after);
    s->first = before > 0 ? before : 0; /* of the last axis in the end */
    s->body = s->dy[d] - s->first - (after > 0 ? after : 0);
    return s->source[d] != NULL;
}

static hd_status rim_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_pad_grad_args *a = k->attr;
    const hd_dims *x = &k->out[0].dims, *y = &k->in[0].dims;
    rim *s = hd_vec_state(k, sizeof *s);
    int axis = 0;
    int64_t blocks = 1;
    if (!s) return HD_E_MEMORY;
    for (; axis < x->rank - 1; axis++) {
        if (hd_axis_number(&a->before, axis) || hd_axis_number(&a->after, axis)) break;
        blocks *= x->dim[axis];
    }
    s->lines = s->wide = s->narrow = 1;
    for (; axis < x->rank; axis++, s->axes++) {
        s->dx[s->axes] = x->dim[axis];
        s->dy[s->axes] = y->dim[axis];
        s->narrow *= x->dim[axis];
        s->wide *= y->dim[axis];
        if (axis < x->rank - 1) s->lines *= y->dim[axis];
        if (!rim_axis(k, s, s->axes, axis)) return HD_E_MEMORY;
    }
    s->add = hd_vec_for(k->isa)->elem[HD_VEC_add][HD_VEC_VV];
    s->split = hd_vec_split_rows(blocks, s->wide, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, rim_run, s->split.tasks);
}

static const char *rim_supports(const hd_kctx *k) {
    if (k->out[0].dtype != HD_F32) return "only for f32";
    return k->out[0].dims.rank > 0 && k->out[0].count > 0 && k->in[0].count > 0 ? NULL : "nothing to do";
}

#define LINE_KERNEL(op_name, kernel_flags, supports_fn, prepare_fn)                                                    \
    const hd_kernel hd_kernel_vec_##op_name = {.name = "cpu." #op_name,                                                \
                                               .op = #op_name,                                                         \
                                               .flags = kernel_flags,                                                  \
                                               .supports = supports_fn,                                                \
                                               .prepare = prepare_fn};
LINE_KERNEL(tril, HD_K_INPLACE | HD_K_BF16, NULL, triangle_prepare)
LINE_KERNEL(triu, HD_K_INPLACE | HD_K_BF16, NULL, triangle_prepare)
LINE_KERNEL(glu, 0, hd_vec_need_f32, gate_prepare)
LINE_KERNEL(pad_grad, 0, rim_supports, rim_prepare)
