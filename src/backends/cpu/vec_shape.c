/* vec_shape.c: kernels that only move elements, by pieces of axes: expand, repeat, flip, roll, pad with a rim made of
 * x, diagonals, windows. Each is a few boxes, see copy.h. */
#include "backends/cpu/copy.h"
#include "backends/cpu/vec.h"

/* A run of an axis: `size` places of y from `to` on, taken from x at `from`, `step` apart (−1, 0 or 1). */
typedef struct axis_piece {
    int64_t to, size, from, step;
} axis_piece;
enum { MOST_PIECES = 3, MOST_CUT_AXES = 4 };
typedef struct axis_pieces {
    int n[HD_MAX_DIMS];
    axis_piece piece[HD_MAX_DIMS][MOST_PIECES];
} axis_pieces;

static void shape_strides(int64_t stride[HD_MAX_DIMS], const hd_dims *dims) {
    int64_t n = 1;
    for (int i = dims->rank - 1; i >= 0; i--) stride[i] = n, n *= dims->dim[i];
}

static hd_copy *shape_copy(hd_kctx *k, int boxes) {
    return hd_copy_new(k->arena, hd_dtype_size(k->out[0].dtype), boxes);
}

static hd_status shape_finish(hd_kctx *k, hd_copy *c, hd_prepared *out) {
    hd_copy_finish(c, k->out[0].count, hd_vec_for(k->isa)->turn, out);
    return HD_OK;
}

static void add_piece(axis_pieces *p, int axis, int64_t to, int64_t size, int64_t from, int64_t step) {
    if (size > 0) p->piece[axis][p->n[axis]++] = (axis_piece){to, size, from, step};
}

/* Every axis of y (as many as x has) is made of pieces: all their combinations are boxes. */
static hd_status copy_pieces_of(hd_kctx *k, const axis_pieces *p, hd_prepared *out) {
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    int64_t from[HD_MAX_DIMS], to[HD_MAX_DIMS];
    int boxes = 1;
    for (int d = 0; d < y->rank; d++) boxes *= p->n[d];
    hd_copy *c = shape_copy(k, boxes);
    if (!c) return HD_E_MEMORY;
    shape_strides(from, x);
    shape_strides(to, y);
    for (int number = 0; number < boxes; number++) {
        hd_copy_box b = {.axes = y->rank};
        for (int d = 0, rest = number; d < y->rank; d++) {
            const axis_piece *a = &p->piece[d][rest % p->n[d]];
            rest /= p->n[d];
            b.axis[d] = (hd_copy_axis){a->size, a->step * from[d], to[d]};
            b.from += a->from * from[d];
            b.to += a->to * to[d];
        }
        hd_copy_add(c, &b);
    }
    return shape_finish(k, c, out);
}

static hd_status one_box(hd_kctx *k, const hd_copy_box *b, bool fill, hd_prepared *out) {
    hd_copy *c = shape_copy(k, 1);
    if (!c) return HD_E_MEMORY;
    c->fill = fill;
    hd_copy_add(c, b);
    return shape_finish(k, c, out);
}

/* ---- repeated axes ---- */

/* Each axis of y is that of x some times: the copies are an axis of their own that stands still in x. */
static hd_status repeat_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    int64_t from[HD_MAX_DIMS], to[HD_MAX_DIMS];
    hd_copy_box b = {0};
    shape_strides(from, x);
    shape_strides(to, y);
    for (int d = 0; d < y->rank; d++) {
        const int e = d - (y->rank - x->rank);
        const int64_t n = e < 0 ? 1 : x->dim[e];
        b.axis[b.axes++] = (hd_copy_axis){n ? y->dim[d] / n : 0, 0, n * to[d]};
        if (e >= 0) b.axis[b.axes++] = (hd_copy_axis){n, from[e], to[d]};
    }
    return one_box(k, &b, false, out);
}

/* The same: an axis is repeated as often as y has elements of it, or once. */
#define expand_prepare repeat_prepare

/* ---- moved axes ---- */

static hd_status flip_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_dims *axes = &((const hd_flip_args *)k->attr)->axes, *x = &k->in[0].dims;
    axis_pieces p = {0};
    for (int d = 0; d < x->rank; d++) {
        bool turned = axes->rank == 0;
        for (int i = 0; i < axes->rank; i++) turned = turned || axes->dim[i] == d || axes->dim[i] + x->rank == d;
        add_piece(&p, d, 0, x->dim[d], turned ? x->dim[d] - 1 : 0, turned ? -1 : 1);
    }
    return copy_pieces_of(k, &p, out);
}

static hd_status roll_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_roll_args *a = k->attr;
    const hd_dims *x = &k->in[0].dims;
    axis_pieces p = {0};
    for (int d = 0; d < x->rank; d++) {
        int64_t shift = 0;
        for (int i = 0; i < a->axes.rank && x->dim[d]; i++)
            if (a->axes.dim[i] == d || a->axes.dim[i] + x->rank == d)
                shift = (a->shifts.dim[i] % x->dim[d] + x->dim[d]) % x->dim[d];
        add_piece(&p, d, 0, shift, x->dim[d] - shift, 1);
        add_piece(&p, d, shift, x->dim[d] - shift, 0, 1);
    }
    return copy_pieces_of(k, &p, out);
}

/* ---- rims ---- */

static int64_t rim_of(const hd_dims *side, int axis) {
    return side->rank ? side->dim[axis] : 0;
}

static const char *pad_edges_support(const hd_kctx *k) {
    const hd_pad_args *a = k->attr;
    int cut = 0;
    if (a->mode == HD_PAD_CONSTANT) return "only for rims made of x";
    for (int d = 0; d < k->in[0].dims.rank; d++) cut += rim_of(&a->before, d) > 0 || rim_of(&a->after, d) > 0;
    return cut > MOST_CUT_AXES ? "only for rims on up to 4 axes" : NULL;
}

static hd_status pad_edges_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_pad_args *a = k->attr;
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    axis_pieces p = {0};
    for (int d = 0; d < x->rank; d++) {
        const int64_t n = x->dim[d], before = rim_of(&a->before, d), after = rim_of(&a->after, d);
        const int64_t low = before > 0 ? before : 0, high = after > 0 ? after : 0;
        const int64_t step = a->mode == HD_PAD_REFLECT ? -1 : a->mode == HD_PAD_CIRCULAR;
        const int64_t first = a->mode == HD_PAD_REFLECT    ? low
                              : a->mode == HD_PAD_CIRCULAR ? n - low + (after < 0 ? after : 0)
                                                           : 0;
        const int64_t last = a->mode == HD_PAD_REFLECT ? n - 2 : a->mode == HD_PAD_CIRCULAR ? low - before : n - 1;
        add_piece(&p, d, 0, low, first, step);
        add_piece(&p, d, low, y->dim[d] - low - high, low - before, 1);
        add_piece(&p, d, y->dim[d] - high, high, last, step);
    }
    return copy_pieces_of(k, &p, out);
}

/* ---- diagonals and windows ---- */

/* Box over the diagonals of `matrices`: strides of one side in `matrices`, of the other in the packed diagonals. */
static hd_copy_box diagonal_box(const hd_dims *matrices, const hd_dims *packed, int64_t coded1, int64_t coded2,
                                int64_t offset, bool take) {
    const int axis1 = hd_axis_resolve(coded1, matrices->rank), axis2 = hd_axis_resolve(coded2, matrices->rank);
    int64_t big[HD_MAX_DIMS], small[HD_MAX_DIMS];
    hd_copy_box b = {0};
    shape_strides(big, matrices);
    shape_strides(small, packed);
    for (int d = 0; d <= matrices->rank; d++) {
        if (d == axis1 || d == axis2) continue;
        const int64_t wide = d < matrices->rank ? big[d] : big[axis1] + big[axis2], narrow = small[b.axes];
        b.axis[b.axes] = (hd_copy_axis){packed->dim[b.axes], take ? wide : narrow, take ? narrow : wide};
        b.axes++;
    }
    *(take ? &b.from : &b.to) = offset < 0 ? -offset * big[axis1] : offset * big[axis2];
    return b;
}

static hd_status diagonal_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_diagonal_args *a = k->attr;
    const hd_copy_box b = diagonal_box(&k->in[0].dims, &k->out[0].dims, a->axis1, a->axis2, a->offset, true);
    return one_box(k, &b, false, out);
}

static hd_status diagonal_grad_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_diagonal_grad_args *a = k->attr;
    const hd_copy_box b = diagonal_box(&k->out[0].dims, &k->in[0].dims, a->axis1, a->axis2, a->offset, false);
    return one_box(k, &b, true, out);
}

static hd_status diag_embed_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_diagonal_args *a = k->attr;
    const hd_copy_box b = diagonal_box(&k->out[0].dims, &k->in[0].dims, a->axis1, a->axis2, a->offset, false);
    return one_box(k, &b, true, out);
}

static hd_status unfold_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_unfold_args *a = k->attr;
    const hd_dims *x = &k->in[0].dims, *y = &k->out[0].dims;
    const int axis = hd_axis_resolve(a->axis, x->rank);
    int64_t from[HD_MAX_DIMS] = {0}, to[HD_MAX_DIMS] = {0};
    hd_copy_box b = {.axes = y->rank};
    shape_strides(from, x);
    shape_strides(to, y);
    for (int d = 0; d < x->rank; d++) b.axis[d] = (hd_copy_axis){y->dim[d], from[d] * (d == axis ? a->step : 1), to[d]};
    b.axis[x->rank] = (hd_copy_axis){a->size, from[axis], 1};
    return one_box(k, &b, false, out);
}

#define SHAPE_KERNEL(variable, op_name, supports_fn)                                                                   \
    const hd_kernel hd_kernel_vec_##variable = {.name = "cpu." #variable,                                              \
                                                .op = op_name,                                                         \
                                                .flags = HD_K_BF16,                                                    \
                                                .supports = supports_fn,                                               \
                                                .prepare = variable##_prepare};
SHAPE_KERNEL(expand, "expand", NULL)
SHAPE_KERNEL(repeat, "repeat", NULL)
SHAPE_KERNEL(flip, "flip", NULL)
SHAPE_KERNEL(roll, "roll", NULL)
SHAPE_KERNEL(pad_edges, "pad", pad_edges_support)
SHAPE_KERNEL(diagonal, "diagonal", NULL)
SHAPE_KERNEL(diagonal_grad, "diagonal_grad", NULL)
SHAPE_KERNEL(diag_embed, "diag_embed", NULL)
SHAPE_KERNEL(unfold, "unfold", NULL)
