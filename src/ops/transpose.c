/* transpose.c: axes in another order. Knows nothing of backends. */
#include "ops/op_kit.h"

/* Axis of x that becomes axis i of y. */
static void transpose_order(int order[HD_MAX_DIMS], const hd_dims *axes, int rank) {
    for (int i = 0; i < rank; i++) {
        if (axes->rank)
            order[i] = (int)(axes->dim[i] < 0 ? axes->dim[i] + rank : axes->dim[i]);
        else
            order[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    }
}

static void transpose_ref(const hd_ref *r) {
    const hd_transpose_args *a = r->attr;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    int order[HD_MAX_DIMS];
    int64_t stride[HD_MAX_DIMS];
    hd_walk w = {.rank = r->out[0].dims.rank};
    transpose_order(order, &a->axes, w.rank);
    hd_strides(stride, &r->in[0].dims);
    for (int i = 0; i < w.rank; i++) {
        w.dim[i] = r->out[0].dims.dim[i];
        w.stride[0][i] = stride[order[i]];
    }
    const char *x = r->in[0].data;
    char *y = r->out[0].data;
    for (int64_t i = 0; i < r->out[0].count; i++, hd_walk_next(&w))
        memcpy(y + (size_t)i * size, x + (size_t)w.at[0] * size, size);
}

static hd_status transpose_infer(hd_infer *c) {
    const hd_transpose_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    char text[192], axes[192];
    unsigned bits;
    if (a->axes.rank == 0 && x->rank < 2)
        return hd_infer_fail(c, "x %s has no two axes to change; name axes", hd_dims_text(text, x));
    if (a->axes.rank && a->axes.rank != x->rank)
        return hd_infer_fail(c, "axes %s must name each of the %d axes of x once", hd_dims_text(axes, &a->axes),
                             x->rank);
    if (hd_infer_axes(c, &a->axes, x->rank, &bits)) return HD_E_MODEL;
    int order[HD_MAX_DIMS];
    transpose_order(order, &a->axes, x->rank);
    c->out[0] = c->in[0];
    for (int i = 0; i < x->rank; i++) c->out[0].dims.dim[i] = x->dim[order[i]];
    return HD_OK;
}

static void transpose_grad(hd_grad *c) {
    const hd_transpose_args *a = c->attr;
    hd_dims back = a->axes;
    int order[HD_MAX_DIMS] = {0};
    transpose_order(order, &a->axes, hd_val_dims(c->in[0]).rank);
    for (int i = 0; i < back.rank; i++) back.dim[order[i]] = i;
    c->din[0] = hd_transpose(c->dout[0], .axes = back);
}

const hd_op hd_op_transpose = {
    .name = "transpose",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_transpose_args),
    .options = (const hd_option[]){HD_OPTION(DIMS, hd_transpose_args, axes,
                                             .help = "axis of x for each axis of y; none: the last two change places"),
                                   HD_OPTION_END},
    .infer = transpose_infer,
    .grad = transpose_grad,
    .ref = transpose_ref,
    .cost = hd_cost_copy,
    .formula = "y.dim[i] = x.dim[axes[i]]",
    .source = "as torch.permute",
    .doc = "Axes in another order; without options the last two change places.",
    .onnx = "Transpose",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{1 4 2 5 3 6}"},
                                   {"i64[1,2,2]={1 2 3 4} | axes=[2,0,1]", "{1 3 2 4}"},
                                   {"bool[2,2]={1 1 0 0} | axes=[-1,0]", "{1 0 1 0}"},
                                   {"f32[2,3,4,5] | axes=[0,2,3,1]", NULL},
                                   {"f32[2,3,4]", NULL},
                                   {"f32[3] | axes=[0]", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3]", "no two axes"},
                                   {"f32[2,3] | axes=[0]", "must name each of the 2 axes"},
                                   {"f32[2,3] | axes=[0,0]", "named twice"},
                                   {0}},
};

HD_BUILDER(transpose, hd_transpose_args)
