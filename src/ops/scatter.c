/* scatter.c: elements put, or added, by index along an axis. Knows nothing of backends. */
#include "ops/index_kit.h"

/* y = x, then for each element of index: a statement over the places `at` in y and `from` in src. */
#define SCATTER_LOOP(put)                                                                                              \
    const hd_tensor *x = &r->in[0], *y = &r->out[0];                                                                   \
    const int axis = hd_axis_resolve(a->axis, x->dims.rank);                                                           \
    const int64_t *index = r->in[1].data;                                                                              \
    const size_t size = hd_dtype_size(y->dtype);                                                                       \
    bool outside = false;                                                                                              \
    hd_walk w;                                                                                                         \
    const int64_t along = hd_walk_lines(&w, &r->in[1].dims, &x->dims, axis, r->in[2].data ? &r->in[2].dims : NULL);    \
    if (y->count) memmove(y->data, x->data, (size_t)y->count *size);                                                   \
    for (int64_t i = 0; i < r->in[1].count; i++, hd_walk_next(&w)) {                                                   \
        const int64_t k = hd_index_at(index[i], x->dims.dim[axis], a->wrap), at = w.at[0] + k * along, from = w.at[1]; \
        outside |= k < 0;                                                                                              \
        if (k >= 0) {                                                                                                  \
            put;                                                                                                       \
        }                                                                                                              \
    }                                                                                                                  \
    if (outside) hd_spoil(y);

static void scatter_ref(const hd_ref *r) {
    const hd_scatter_args *a = r->attr;
    const char *src = r->in[2].data;
    SCATTER_LOOP(if (src) memcpy((char *)y->data + (size_t)at * size, src + (size_t)from * size, size);
                 else hd_set(y, at, a->value))
}

#define ADD(U) ((T *)y->data)[at] = (T)((U)((T *)y->data)[at] + (U)((const T *)r->in[2].data)[from])
static void scatter_add_ref(const hd_ref *r) {
    const hd_scatter_add_args *a = r->attr;
    HD_FLOATS(r->out[0].dtype, SCATTER_LOOP(ADD(T)))
    HD_INTEGERS(r->out[0].dtype, SCATTER_LOOP(ADD(uint64_t)))
}

static hd_status scatter_infer(hd_infer *c) {
    const hd_scatter_args *a = c->attr;
    return hd_infer_put_lines(c, a->axis);
}

static hd_status scatter_add_infer(hd_infer *c) {
    const hd_scatter_add_args *a = c->attr;
    return hd_infer_unary_number(c) ? HD_E_MODEL : hd_infer_put_lines(c, a->axis);
}

/* dy at the places that were read: like src, which may be larger than index. */
static hd_val read_back(hd_grad *c, int64_t axis, bool wrap) {
    return hd_pad_to(hd_gather(c->dout[0], c->in[1], .axis = axis, .wrap = wrap), c->in[2]);
}

static void scatter_rule(hd_grad *c) {
    const hd_scatter_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_scatter(c->dout[0], c->in[1], .axis = a->axis, .wrap = a->wrap);
    if (c->n_in > 2 && c->needs[2]) c->din[2] = read_back(c, a->axis, a->wrap);
}

static void scatter_add_rule(hd_grad *c) {
    const hd_scatter_add_args *a = c->attr;
    if (c->needs[0]) c->din[0] = c->dout[0];
    if (c->needs[2]) c->din[2] = read_back(c, a->axis, a->wrap);
}

const hd_op hd_op_scatter = {
    HD_INDEX_HEAD(scatter, 2, 1, HD_OPTION(FLOAT, hd_scatter_args, value, .help = "put where there is no src"),
                  HD_OPTION_END),
    .n_optional = 1,
    .in_names = HD_NAMES("x", "index", "src"),
    .flags = HD_OP_INPLACE,
    .infer = scatter_infer,
    .grad = scatter_rule,
    .ref = scatter_ref,
    .formula = "y = x; y[index[i][j]][j] = src[i][j] for axis 0, and so on",
    .source = "as torch.scatter",
    .doc = "Puts the elements of src (or the number `value`) into x at the places that index names along an axis. Of "
           "several for one place the last in order stays, and the gradient is right only where places are named once. "
           "An index outside makes the result NaN.",
    .onnx = "ScatterElements",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}, i64[1,2]={1 0}, f32[1,2]={7 8}", "{1 8 3 7 5 6}"},
                                   {"i32[3]={1 2 3}, i64[2]={0 2} | value=-9", "{-9 2 -9}"},
                                   {"f32[2,2]={1 2 3 4}, i64[2,1]={1 0}, f32[2,2]={7 0 8 0} | axis=1", "{1 7 8 4}"},
                                   {"f32[2]={1 2}, i64[1]={-1}, f32[1]={5} | wrap=true", "{1 5}"},
                                   {"f32[2]={1 2}, i64[1]={2}, f32[1]={5}", "{nan nan}"},
                                   {"u8[2]={1 2}, i64[1]={2}, u8[1]={5}", "{1 2}"},
                                   {"f32[4,2], i64[3,2]={0 3 2 1 1 2}, f32[3,2]", NULL},
                                   {"f32[2,4], i64[2,2]={0 3 2 1}, f32[3,3] | axis=-1", NULL},
                                   {"f32[4,2], i64[2,2]={0 3 2 1} | value=2", NULL},
                                   {"f32[0,2], i64[0,2], f32[0,2]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[2,3], f32[2,2]", "index [2,3] must have the rank of src [2,2]"},
                                   {"f32[2,3], i64[2,3], f64[2,3]", "src must be f32"},
                                   {"f32[2,3], i64[2,3], f32[2,3] | axis=2", "does not have the axis"},
                                   {0}},
};

const hd_op hd_op_scatter_add = {
    HD_INDEX_HEAD(scatter_add, 3, 1, HD_OPTION_END),
    .in_names = HD_NAMES("x", "index", "src"),
    .flags = HD_OP_INPLACE,
    .infer = scatter_add_infer,
    .grad = scatter_add_rule,
    .ref = scatter_add_ref,
    .formula = "y = x; y[index[i][j]][j] += src[i][j] for axis 0, and so on",
    .source = "as torch.scatter_add",
    .doc = "Adds the elements of src to x at the places that index names along an axis, in order. An index outside "
           "makes the result NaN.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}, i64[4]={0 2 0 0}, f32[4]={1 1 2 3}", "{7 2 4}"},
                                   {"i32[2,2]={1 2 3 4}, i64[1,2]={1 0}, i32[1,2]={5 6}", "{1 8 8 4}"},
                                   {"i64[3]={1 2 3}, i64[2]={2 2}, i64[2]={5 6}", "{1 2 14}"},
                                   {"u8[3]={1 2 250}, i64[2]={2 -3}, u8[2]={10 6} | wrap=true", "{7 2 4}"},
                                   {"f32[2]={1 2}, i64[2]={0 -1}, f32[2]={1 1}", "{nan nan}"},
                                   {"f32[4,2], i64[5,2]:below(4), f32[5,2]", NULL},
                                   {"f32[2,4], i64[2,3]:below(4), f32[3,3] | axis=-1", NULL},
                                   {"f32[0,2], i64[0,2], f32[0,2]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"bool[2], i64[2], bool[2]", "must be a number"},
                                   {"f32[2,3], i64[2,3], f32[3]", "must have the rank of src [3]"},
                                   {0}},
};

HD_BUILDER(scatter, hd_scatter_args)
HD_BUILDER(scatter_add, hd_scatter_add_args)
