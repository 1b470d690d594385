/* diagonal.c: diagonals of matrices: taking them, and putting values on them. Knows nothing of backends. */
#include "ops/shape_kit.h"

/* Where a diagonal lies in a matrix: its length, the axes, and the first row and column. */
typedef struct diagonal_place {
    int axis1, axis2; /* -1: wrong */
    int64_t n, row, column;
} diagonal_place;

static diagonal_place place_of(const hd_dims *x, int64_t axis1, int64_t axis2, int64_t offset) {
    diagonal_place p = {hd_axis_resolve(axis1, x->rank), hd_axis_resolve(axis2, x->rank), 0, 0, 0};
    if (p.axis1 < 0 || p.axis2 < 0 || p.axis1 == p.axis2) return (diagonal_place){-1, -1, 0, 0, 0};
    if (offset > HD_MAX_WINDOW || offset < -HD_MAX_WINDOW) return p; /* diagonal_dims refuses it */
    p.row = offset < 0 ? -offset : 0;
    p.column = offset > 0 ? offset : 0;
    const int64_t rows = x->dim[p.axis1] - p.row, columns = x->dim[p.axis2] - p.column;
    p.n = rows < columns ? rows : columns;
    if (p.n < 0) p.n = 0;
    return p;
}

/* Shape of the diagonal of in[i], or a message. */
static hd_status diagonal_dims(hd_infer *c, const hd_dims *x, const diagonal_place *p, int64_t offset, hd_dims *y) {
    char text[192];
    if (p->axis1 < 0) return hd_infer_fail(c, "axis1 and axis2 must name two axes of x %s", hd_dims_text(text, x));
    if (x->dim[p->axis1] < 0 || x->dim[p->axis2] < 0)
        return hd_infer_fail(c, "the batch of x %s has no diagonal", hd_dims_text(text, x));
    if (offset > HD_MAX_WINDOW || offset < -HD_MAX_WINDOW)
        return hd_infer_fail(c, "an offset of %lld is not possible", (long long)offset);
    *y = (hd_dims){0};
    for (int i = 0; i < x->rank; i++)
        if (i != p->axis1 && i != p->axis2) y->dim[y->rank++] = x->dim[i];
    y->dim[y->rank++] = p->n;
    return HD_OK;
}

/* A walk over the diagonals of x in the order of their elements; returns where the first begins. */
static int64_t walk_diagonal(hd_walk *w, const hd_dims *x, const diagonal_place *p) {
    int64_t stride[HD_MAX_DIMS];
    hd_strides(stride, x);
    memset(w, 0, sizeof *w);
    for (int i = 0; i < x->rank; i++) {
        if (i == p->axis1 || i == p->axis2) continue;
        w->dim[w->rank] = x->dim[i];
        w->stride[0][w->rank++] = stride[i];
    }
    w->dim[w->rank] = p->n;
    w->stride[0][w->rank++] = stride[p->axis1] + stride[p->axis2];
    return p->row * stride[p->axis1] + p->column * stride[p->axis2];
}

static hd_status diagonal_infer(hd_infer *c) {
    const hd_diagonal_args *a = c->attr;
    const diagonal_place p = place_of(&c->in[0].dims, a->axis1, a->axis2, a->offset);
    c->out[0].dtype = c->in[0].dtype;
    return diagonal_dims(c, &c->in[0].dims, &p, a->offset, &c->out[0].dims);
}

static void diagonal_ref(const hd_ref *r) {
    const hd_diagonal_args *a = r->attr;
    const diagonal_place p = place_of(&r->in[0].dims, a->axis1, a->axis2, a->offset);
    hd_walk w;
    const int64_t first = walk_diagonal(&w, &r->in[0].dims, &p);
    hd_take_along(r, &w, first);
}

static void diagonal_rule(hd_grad *c) {
    const hd_diagonal_args *a = c->attr;
    c->din[0] = hd_diagonal_grad(c->dout[0], c->in[0], .offset = a->offset, .axis1 = a->axis1, .axis2 = a->axis2);
}

static hd_status diagonal_grad_infer(hd_infer *c) {
    const hd_diagonal_grad_args *a = c->attr;
    const diagonal_place p = place_of(&c->in[1].dims, a->axis1, a->axis2, a->offset);
    char got[192], want[192];
    hd_dims dy;
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    if (diagonal_dims(c, &c->in[1].dims, &p, a->offset, &dy)) return HD_E_MODEL;
    if (hd_dims_equal(&dy, &c->in[0].dims)) return HD_OK;
    return hd_infer_fail(c, "dy is %s, the diagonal is %s", hd_dims_text(got, &c->in[0].dims), hd_dims_text(want, &dy));
}

static void put_diagonal(const hd_ref *r, int64_t axis1, int64_t axis2, int64_t offset) {
    const diagonal_place p = place_of(&r->out[0].dims, axis1, axis2, offset);
    hd_walk w;
    const int64_t first = walk_diagonal(&w, &r->out[0].dims, &p);
    hd_put_along(r, &w, first);
}

static void diagonal_grad_ref(const hd_ref *r) {
    const hd_diagonal_grad_args *a = r->attr;
    put_diagonal(r, a->axis1, a->axis2, a->offset);
}

static void diagonal_back(hd_grad *c, int64_t offset, int64_t axis1, int64_t axis2) {
    if (c->needs[0]) c->din[0] = hd_diagonal(c->dout[0], .offset = offset, .axis1 = axis1, .axis2 = axis2);
}

static void diagonal_grad_rule(hd_grad *c) {
    const hd_diagonal_grad_args *a = c->attr;
    diagonal_back(c, a->offset, a->axis1, a->axis2);
}

static hd_status diag_embed_infer(hd_infer *c) {
    const hd_diagonal_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    const int axis1 = hd_axis_resolve(a->axis1, x->rank + 1), axis2 = hd_axis_resolve(a->axis2, x->rank + 1);
    char text[192];
    int last;
    if (hd_infer_axis_of(c, 0, -1, &last)) return HD_E_MODEL;
    if (x->rank == HD_MAX_DIMS || axis1 < 0 || axis2 < 0 || axis1 == axis2)
        return hd_infer_fail(c, "axis1 and axis2 must be two of the %d axes of the result of x %s", x->rank + 1,
                             hd_dims_text(text, x));
    if (a->offset > HD_MAX_WINDOW || a->offset < -HD_MAX_WINDOW || x->dim[last] > INT64_MAX / 2)
        return hd_infer_fail(c, "an offset of %lld is not possible", (long long)a->offset);
    const int64_t size = x->dim[last] + (a->offset < 0 ? -a->offset : a->offset);
    c->out[0] = (hd_type){c->in[0].dtype, {.rank = x->rank + 1}};
    for (int i = 0, k = 0; i <= x->rank; i++) c->out[0].dims.dim[i] = i == axis1 || i == axis2 ? size : x->dim[k++];
    return HD_OK;
}

static void diag_embed_ref(const hd_ref *r) {
    const hd_diagonal_args *a = r->attr;
    put_diagonal(r, a->axis1, a->axis2, a->offset);
}

static void diag_embed_rule(hd_grad *c) {
    const hd_diagonal_args *a = c->attr;
    diagonal_back(c, a->offset, a->axis1, a->axis2);
}

#define DIAGONAL_OPTIONS(args, first, second)                                                                          \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(INT, args, offset, .help = "which diagonal: 0 the main one, positive above it"),                     \
            HD_OPTION(AXIS, args, axis1, .def = (first), .help = "axis of the rows"),                                  \
            HD_OPTION(AXIS, args, axis2, .def = (second), .help = "axis of the columns"), HD_OPTION_END                \
    }

const hd_op hd_op_diagonal = {
    .name = "diagonal",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_diagonal_args),
    .options = DIAGONAL_OPTIONS(hd_diagonal_args, HD_AXIS(0), HD_AXIS(1)),
    .infer = diagonal_infer,
    .grad = diagonal_rule,
    .ref = diagonal_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, i] = x[…, i, i + offset, …]",
    .source = "as torch.diagonal",
    .doc = "The diagonal of the matrices that two axes span; it becomes the last axis.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}", "{1 4}"},
                                   {"i64[2,3]={1 2 3 4 5 6} | offset=1", "{2 6}"},
                                   {"f32[3,2]={1 2 3 4 5 6} | offset=-1", "{3 6}"},
                                   {"f32[2,2] | offset=5", "{}"},
                                   {"f32[2,3,4,5] | axis1=1 axis2=-1 offset=-1", NULL},
                                   {"f32[4,3,5] | axis1=2 axis2=0 offset=1", NULL},
                                   {"f32[50,60]", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3]", "two axes of x [3]"},
                                   {"f32[2,3] | axis1=1 axis2=-1", "two axes"},
                                   {"f32[2,3] | offset=4000000000", "an offset of 4000000000"},
                                   {0}},
};

const hd_op hd_op_diagonal_grad = {
    .name = "diagonal_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("dy", "like"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_diagonal_grad_args),
    .options = DIAGONAL_OPTIONS(hd_diagonal_grad_args, HD_AXIS(0), HD_AXIS(1)),
    .infer = diagonal_grad_infer,
    .grad = diagonal_grad_rule,
    .ref = diagonal_grad_ref,
    .cost = hd_cost_copy,
    .formula = "dx = 0; dx[…, i, i + offset, …] = dy[…, i]",
    .source = "the transpose of diagonal",
    .doc = "Back-propagation through diagonal: dy put on the diagonal of zeros of the shape of `like`.",
    .samples = (const hd_sample[]){{"f32[2]={7 8}, f32[2,3]", "{7 0 0 0 8 0}"},
                                   {"f32[1]={7}, f32[2,2] | offset=-1", "{0 0 7 0}"},
                                   {"f32[2,4,2], f32[2,3,4,5] | axis1=1 axis2=-1 offset=-1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3], f32[2,2]", "dy is [3], the diagonal is [2]"}, {0}},
};

const hd_op hd_op_diag_embed = {
    .name = "diag_embed",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_diagonal_args),
    .options = DIAGONAL_OPTIONS(hd_diagonal_args, -2, -1),
    .infer = diag_embed_infer,
    .grad = diag_embed_rule,
    .ref = diag_embed_ref,
    .cost = hd_cost_copy,
    .formula = "y = 0; y[…, i, i + offset, …] = x[…, i]",
    .source = "as torch.diag_embed",
    .doc = "Square matrices with the last axis of x on one of their diagonals and 0 elsewhere; axis1 and axis2 say "
           "where the axes of the matrices stand in the result.",
    .samples = (const hd_sample[]){{"f32[2]={7 8}", "{7 0 0 8}"},
                                   {"i64[1]={7} | offset=1", "{0 7 0 0}"},
                                   {"f32[2,3] | offset=-1", NULL},
                                   {"f32[2,3,4] | axis1=0 axis2=2", NULL},
                                   {"f32[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[]", "does not have the axis"},
                                   {"f32[2] | axis1=1 axis2=-1", "must be two of the 2 axes"},
                                   {"f32[2] | offset=4000000000", "an offset of 4000000000"},
                                   {0}},
};

HD_BUILDER(diagonal, hd_diagonal_args)
HD_BUILDER(diagonal_grad, hd_diagonal_grad_args)
HD_BUILDER(diag_embed, hd_diagonal_args)
