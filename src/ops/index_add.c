/* index_add.c: slices added to, copied over, filled by index along an axis. Knows nothing of backends. */
#include "ops/index_kit.h"

/* y = x, then for each slice and each of its elements: a statement over the places `at` in y and `from` in src. */
#define SLICES_LOOP(put)                                                                                               \
    const hd_tensor *y = &r->out[0];                                                                                   \
    const int64_t *index = r->in[1].data, m = r->in[1].count;                                                          \
    const hd_axis_split z = hd_split_at(&y->dims, hd_axis_resolve(a->axis, y->dims.rank));                             \
    bool outside = false;                                                                                              \
    if (y->count) memmove(y->data, r->in[0].data, (size_t)y->count *hd_dtype_size(y->dtype));                          \
    for (int64_t o = 0; o < z.outer; o++)                                                                              \
        for (int64_t i = 0; i < m; i++) {                                                                              \
            const int64_t k = hd_index_at(index[i], z.n, a->wrap);                                                     \
            outside |= k < 0;                                                                                          \
            for (int64_t j = 0; j < z.inner && k >= 0; j++) {                                                          \
                const int64_t at = (o * z.n + k) * z.inner + j, from = (o * m + i) * z.inner + j;                      \
                put;                                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
    if (outside) hd_spoil(y);

/* Integers wrap around; alpha counts whole for them. */
#define ADD(U, by) ((T *)y->data)[at] = (T)((U)((T *)y->data)[at] + (by) * (U)((const T *)r->in[2].data)[from])
static void index_add_ref(const hd_ref *r) {
    const hd_index_add_args *a = r->attr;
    const uint64_t whole = (uint64_t)(int64_t)a->alpha;
    HD_FLOATS(r->out[0].dtype, SLICES_LOOP(ADD(T, (T)a->alpha)))
    HD_INTEGERS(r->out[0].dtype, SLICES_LOOP(ADD(uint64_t, whole)))
}

static void index_copy_ref(const hd_ref *r) {
    const hd_index_copy_args *a = r->attr;
    const size_t size = hd_dtype_size(r->out[0].dtype);
    SLICES_LOOP(memcpy((char *)y->data + (size_t)at * size, (const char *)r->in[2].data + (size_t)from * size, size))
}

static void index_fill_ref(const hd_ref *r) {
    const hd_index_fill_args *a = r->attr;
    SLICES_LOOP((void)from; hd_set(y, at, a->value))
}

static hd_status index_add_infer(hd_infer *c) {
    const hd_index_add_args *a = c->attr;
    return hd_infer_unary_number(c) ? HD_E_MODEL : hd_infer_put_slices(c, a->axis);
}
static hd_status index_copy_infer(hd_infer *c) {
    const hd_index_copy_args *a = c->attr;
    return hd_infer_put_slices(c, a->axis);
}
static hd_status index_fill_infer(hd_infer *c) {
    const hd_index_fill_args *a = c->attr;
    return hd_infer_put_slices(c, a->axis);
}

static void index_add_rule(hd_grad *c) {
    const hd_index_add_args *a = c->attr;
    if (c->needs[0]) c->din[0] = c->dout[0];
    if (!c->needs[2]) return;
    const hd_val d = hd_index_select(c->dout[0], c->in[1], .axis = a->axis, .wrap = a->wrap);
    c->din[2] = a->alpha == 1 ? d : hd_affine(d, .scale = hd_explicit(a->alpha));
}
static void index_copy_rule(hd_grad *c) {
    const hd_index_copy_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_index_fill(c->dout[0], c->in[1], .axis = a->axis, .wrap = a->wrap);
    if (c->needs[2]) c->din[2] = hd_index_select(c->dout[0], c->in[1], .axis = a->axis, .wrap = a->wrap);
}
static void index_fill_rule(hd_grad *c) {
    const hd_index_fill_args *a = c->attr;
    c->din[0] = hd_index_fill(c->dout[0], c->in[1], .axis = a->axis, .wrap = a->wrap);
}

const hd_op hd_op_index_add = {
    HD_INDEX_HEAD(index_add, 3, 1,
                  HD_OPTION(FLOAT, hd_index_add_args, alpha, .def = 1, .min = -0x1p62, .max = 0x1p62,
                            .help = "what src is multiplied by"),
                  HD_OPTION_END),
    .in_names = HD_NAMES("x", "index", "src"),
    .flags = HD_OP_INPLACE,
    .infer = index_add_infer,
    .grad = index_add_rule,
    .ref = index_add_ref,
    .formula = "y = x; y[index[i]] += alpha src[i] for axis 0, and so on",
    .source = "as torch.index_add",
    .doc = "Adds slices of src, times alpha, to the slices of x at index [m] along an axis, in order. An index outside "
           "makes the result NaN.",
    .samples = (const hd_sample[]){{"f32[2,2]={1 2 3 4}, i64[3]={1 1 0}, f32[3,2]={1 1 2 2 3 3}", "{4 5 6 7}"},
                                   {"i32[2]={1 2}, i64[2]={0 -1}, i32[2]={5 6} | alpha=-2 wrap=true", "{-9 -10}"},
                                   {"i64[2,2]={1 2 3 4}, i64[2]={1 1}, i64[2,2]={5 6 7 8} | alpha=3", "{1 2 39 46}"},
                                   {"u8[3]={250 2 3}, i64[1]={0}, u8[1]={10} | axis=-1", "{4 2 3}"},
                                   {"f32[2]={1 2}, i64[1]={7}, f32[1]={1} | alpha=0", "{nan nan}"},
                                   {"f32[4,3], i64[6]:below(4), f32[6,3]", NULL},
                                   {"f32[2,4,3], i64[5]:below(4), f32[2,5,3] | axis=1 alpha=0.5", NULL},
                                   {"f32[3,250,128], i64[90]:below(250), f32[3,90,128] | axis=1", NULL},
                                   {"f32[2,3], i64[0], f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[2], f32[3,3]", "src is [3,3], it must be [2,3]"},
                                   {"bool[2], i64[2], bool[2]", "must be a number"},
                                   {0}},
};

const hd_op hd_op_index_copy = {
    HD_INDEX_HEAD(index_copy, 3, 1, HD_OPTION_END),
    .in_names = HD_NAMES("x", "index", "src"),
    .flags = HD_OP_INPLACE,
    .infer = index_copy_infer,
    .grad = index_copy_rule,
    .ref = index_copy_ref,
    .formula = "y = x; y[index[i]] = src[i] for axis 0, and so on",
    .source = "as torch.index_copy",
    .doc = "Copies slices of src over the slices of x at index [m] along an axis. Of several for one place the last "
           "stays, and the gradient is right only where places are named once. An index outside makes the result NaN.",
    .samples = (const hd_sample[]){{"f32[3,2]={1 2 3 4 5 6}, i64[2]={2 0}, f32[2,2]={7 7 8 8}", "{8 8 3 4 7 7}"},
                                   {"bool[2]={0 0}, i64[1]={-1}, bool[1]={1} | wrap=true", "{0 1}"},
                                   {"f32[2]={1 2}, i64[1]={2}, f32[1]={1}", "{nan nan}"},
                                   {"f32[4,3], i64[2]={3 1}, f32[2,3]", NULL},
                                   {"f32[2,4,3], i64[3]={3 0 1}, f32[2,3,3] | axis=-2", NULL},
                                   {"f32[2,3], i64[0], f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[2], f64[2,3]", "src must be f32"},
                                   {"f32[2], i64[2], f32[1]", "[2]"},
                                   {0}},
};

const hd_op hd_op_index_fill = {
    HD_INDEX_HEAD(index_fill, 2, 1, HD_OPTION(FLOAT, hd_index_fill_args, value, .help = "put into the slices"),
                  HD_OPTION_END),
    .in_names = HD_NAMES("x", "index"),
    .flags = HD_OP_INPLACE,
    .infer = index_fill_infer,
    .grad = index_fill_rule,
    .ref = index_fill_ref,
    .formula = "y = x; y[index[i]] = value for axis 0, and so on",
    .source = "as torch.index_fill",
    .doc = "Fills the slices of x at index [m] along an axis with a number. An index outside makes the result NaN.",
    .samples = (const hd_sample[]){{"f32[3,2]={1 2 3 4 5 6}, i64[2]={2 0} | value=9", "{9 9 3 4 9 9}"},
                                   {"i64[2,2]={1 2 3 4}, i64[1]={-1} | axis=1 value=-3 wrap=true", "{1 -3 3 -3}"},
                                   {"f32[2]={1 2}, i64[1]={-1}", "{nan nan}"},
                                   {"f32[2,4,3], i64[3]={3 0 3} | axis=1 value=2", NULL},
                                   {"f32[2,3], i64[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[]", "index must have 1 dimension"}, {"f32[2], f32[2]", "i64"}, {0}},
};

HD_BUILDER(index_add, hd_index_add_args)
HD_BUILDER(index_copy, hd_index_copy_args)
HD_BUILDER(index_fill, hd_index_fill_args)
