/* concat.c: joins values along an axis. Knows nothing of backends. */
#include "ops/op_kit.h"

static void concat_ref(const hd_ref *r) {
    const hd_concat_args *a = r->attr;
    const int axis = hd_axis_resolve(a->axis, r->out[0].dims.rank);
    const size_t size = hd_dtype_size(r->out[0].dtype);
    const hd_axis_split y = hd_split_at(&r->out[0].dims, axis);
    char *to = r->out[0].data;
    if (r->out[0].count == 0) return;
    for (int64_t o = 0; o < y.outer; o++)
        for (int k = 0; k < r->n_in; k++) {
            const size_t row = (size_t)(r->in[k].dims.dim[axis] * y.inner) * size;
            if (row) memcpy(to, (const char *)r->in[k].data + (size_t)o * row, row);
            to += row;
        }
}

static hd_status concat_infer(hd_infer *c) {
    const hd_concat_args *a = c->attr;
    const hd_type *first = &c->in[0];
    const int axis = hd_axis_resolve(a->axis, first->dims.rank);
    char text[192], other[192];
    c->out[0] = *first;
    if (axis < 0) return hd_infer_fail(c, "x %s does not have the axis", hd_dims_text(text, &first->dims));
    int64_t total = 0;
    for (int k = 0; k < c->n_in; k++) {
        hd_dims same = c->in[k].dims;
        const int64_t size = axis < same.rank ? same.dim[axis] : 0;
        if (same.rank == first->dims.rank) same.dim[axis] = first->dims.dim[axis];
        if (!hd_dims_equal(&same, &first->dims))
            return hd_infer_fail(c, "value %d is %s, the first is %s: they may differ on axis %d alone", k + 1,
                                 hd_dims_text(text, &c->in[k].dims), hd_dims_text(other, &first->dims), axis);
        if (c->in[k].dtype != first->dtype)
            return hd_infer_fail(c, "value %d is %s, the first is %s; cast one of them", k + 1,
                                 hd_dtype_name(c->in[k].dtype), hd_dtype_name(first->dtype));
        if (size < 0) return hd_infer_fail(c, "values can not be joined along the batch");
        if (size > INT64_MAX / 2 - total) return hd_infer_fail(c, "the joined values are too large");
        total += size;
    }
    c->out[0].dims.dim[axis] = total;
    return HD_OK;
}

/* Each input gets its part back; an empty one gets nothing. */
static void concat_grad(hd_grad *c) {
    const hd_concat_args *a = c->attr;
    const int axis = hd_axis_resolve(a->axis, hd_val_dims(c->out[0]).rank);
    int64_t start = 0;
    for (int k = 0; k < c->n_in; k++) {
        const int64_t size = hd_val_dims(c->in[k]).dim[axis];
        if (c->needs[k] && size)
            c->din[k] = hd_slice(c->dout[0], .axis = a->axis, .start = start, .stop = start + size);
        start += size;
    }
}

const hd_op hd_op_concat = {
    .name = "concat",
    .n_in = 1,
    .n_out = 1,
    .in_names = HD_NAMES("x"),
    .args_size = sizeof(hd_concat_args),
    .options = (const hd_option[]){HD_OPTION(AXIS, hd_concat_args, axis, .def = 2, .help = "axis to join along"),
                                   HD_OPTION_END},
    .flags = HD_OP_VARIADIC,
    .infer = concat_infer,
    .grad = concat_grad,
    .ref = concat_ref,
    .cost = hd_cost_copy,
    .formula = "y = x₁, x₂, … one after the other along the axis",
    .source = "as torch.cat",
    .doc = "Joins values along an axis (channels, if not said); all other dimensions are equal.",
    .onnx = "Concat",
    .samples = (const hd_sample[]){{"f32[1,2]={1 2}, f32[1,1]={3}", "{1 2 3}"},
                                   {"i64[1,2]={1 2}, i64[2,2]={3 4 5 6} | axis=0", "{1 2 3 4 5 6}"},
                                   {"bool[2,1]={1 0}, bool[2,1]={0 1}, bool[2,1]={1 1} | axis=-1", "{1 0 1 0 1 1}"},
                                   {"f32[2,3,4,5], f32[2,1,4,5], f32[2,2,4,5]", NULL},
                                   {"f32[2,3,4], f32[2,3,1] | axis=2", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[2,0], f32[2,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3,3]", "value 2 is [3,3]"},
                                   {"f32[2,3], f64[2,3]", "value 2 is f64"},
                                   {"f32[2]", "does not have the axis"},
                                   {0}},
};

HD_BUILDER(concat, hd_concat_args)
