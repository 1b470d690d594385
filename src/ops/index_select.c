/* index_select.c: slices picked by index along an axis. Knows nothing of backends. */
#include "ops/index_kit.h"

static void index_select_ref(const hd_ref *r) {
    const hd_index_select_args *a = r->attr;
    const hd_tensor *y = &r->out[0];
    const int64_t *index = r->in[1].data, m = r->in[1].count;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank));
    const size_t row = (size_t)z.inner * hd_dtype_size(y->dtype);
    for (int64_t o = 0; o < z.outer && y->count; o++)
        for (int64_t i = 0; i < m; i++) {
            const int64_t k = hd_index_at(index[i], z.n, a->wrap), to = o * m + i;
            if (k >= 0)
                memcpy((char *)y->data + (size_t)to * row, (const char *)r->in[0].data + (size_t)(o * z.n + k) * row,
                       row);
            for (int64_t j = 0; j < z.inner && k < 0; j++) hd_set(y, to * z.inner + j, (double)NAN);
        }
}

static hd_status index_select_infer(hd_infer *c) {
    const hd_index_select_args *a = c->attr;
    int axis;
    if (hd_infer_slices(c, a->axis, &axis)) return HD_E_MODEL;
    c->out[0].dims.dim[axis] = c->in[1].dims.dim[0];
    return HD_OK;
}

static void index_select_rule(hd_grad *c) {
    const hd_index_select_args *a = c->attr;
    c->din[0] = hd_index_add(hd_fill_like(c->in[0]), c->in[1], c->dout[0], .axis = a->axis, .wrap = a->wrap);
}

const hd_op hd_op_index_select = {
    HD_INDEX_HEAD(index_select, 2, 1, HD_OPTION_END),
    .in_names = HD_NAMES("x", "index"),
    .infer = index_select_infer,
    .grad = index_select_rule,
    .ref = index_select_ref,
    .formula = "y[i] = x[index[i]] for axis 0, and so on",
    .source = "as torch.index_select",
    .doc = "The slices of x at index [m] along an axis. An index outside gives NaN (0 of whole numbers).",
    .onnx = "Gather",
    .samples = (const hd_sample[]){{"f32[3,2]={1 2 3 4 5 6}, i64[2]={2 0}", "{5 6 1 2}"},
                                   {"u8[2,2]={1 2 3 4}, i64[3]={1 1 0} | axis=-1", "{2 2 1 4 4 3}"},
                                   {"f32[2,2]={1 2 3 4}, i64[3]={-1 2 0}", "{nan nan nan nan 1 2}"},
                                   {"i64[2]={1 2}, i64[2]={-1 -2} | wrap=true", "{2 1}"},
                                   {"f32[4,3], i64[6]:below(4)", NULL},
                                   {"f32[2,4,3], i64[5]:below(4) | axis=1", NULL},
                                   {"f32[2,3], i64[0]", NULL},
                                   {"f32[3,0], i64[2]={0 1}", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[2,1]", "index must have 1 dimension"},
                                   {"f32[2,3], i32[2]", "index must be i64"},
                                   {"f32[2,3], i64[2] | axis=-3", "does not have the axis"},
                                   {0}},
};

HD_BUILDER(index_select, hd_index_select_args)
