/* gather.c: elements picked by index along an axis. Knows nothing of backends. */
#include "ops/index_kit.h"

static void gather_ref(const hd_ref *r) {
    const hd_gather_args *a = r->attr;
    const hd_tensor *x = &r->in[0], *y = &r->out[0];
    const int axis = hd_axis_resolve(a->axis, x->dims.rank);
    const int64_t *index = r->in[1].data;
    const size_t size = hd_dtype_size(y->dtype);
    hd_walk w;
    const int64_t along = hd_walk_lines(&w, &y->dims, &x->dims, axis, NULL);
    for (int64_t i = 0; i < y->count; i++, hd_walk_next(&w)) {
        const int64_t k = hd_index_at(index[i], x->dims.dim[axis], a->wrap);
        if (k < 0)
            hd_set(y, i, (double)NAN);
        else
            memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)(w.at[0] + k * along) * size,
                   size);
    }
}

static hd_status gather_infer(hd_infer *c) {
    const hd_gather_args *a = c->attr;
    return hd_infer_lines(c, a->axis);
}

static void gather_rule(hd_grad *c) {
    const hd_gather_args *a = c->attr;
    c->din[0] = hd_scatter_add(hd_fill_like(c->in[0]), c->in[1], c->dout[0], .axis = a->axis, .wrap = a->wrap);
}

const hd_op hd_op_gather = {
    HD_INDEX_HEAD(gather, 2, 1, HD_OPTION_END),
    .in_names = HD_NAMES("x", "index"),
    .infer = gather_infer,
    .grad = gather_rule,
    .ref = gather_ref,
    .formula = "y[i][j] = x[index[i][j]][j] for axis 0, and so on",
    .source = "as torch.gather",
    .doc = "Picks an element of x along an axis for each element of index, which has the rank of x and is nowhere else "
           "larger. An index outside gives NaN (0 of whole numbers).",
    .onnx = "GatherElements",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}, i64[1,3]={1 0 1}", "{4 2 6}"},
                                   {"f32[2,3]={1 2 3 4 5 6}, i64[2,2]={0 0 2 1} | axis=1", "{1 1 6 5}"},
                                   {"i32[3]={7 8 9}, i64[4]={2 -1 5 0}", "{9 0 0 7}"},
                                   {"f32[3]={7 8 9}, i64[3]={-1 -4 3} | wrap=true", "{9 nan nan}"},
                                   {"bool[2]={0 1}, i64[2]={1 0}", "{1 0}"},
                                   {"f32[4,3], i64[5,2]:below(4)", NULL},
                                   {"f32[2,3,4], i64[2,3,6]:below(4) | axis=-1", NULL},
                                   {"f32[2,3], i64[2,2]={-1 0 -3 -1} | axis=1 wrap=true", NULL},
                                   {"f32[16,300,20], i64[16,240,20]:below(300) | axis=1", NULL},
                                   {"f32[0,3], i64[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], i64[3]", "must have the rank of x [2,3]"},
                                   {"f32[2,3], i64[2,4]", "nowhere larger but along the axis"},
                                   {"f32[2,3], f32[2,3]", "index must be i64"},
                                   {"f32[2,3], i64[2,3] | axis=2", "does not have the axis"},
                                   {"f32[], i64[]", "does not have the axis"},
                                   {0}},
};

HD_BUILDER(gather, hd_gather_args)

/* x in one row. */
hd_val hd_take_at(hd_loc at, const hd_take_args *a) {
    const hd_val x = hd_reshape_at(at, &(hd_reshape_args){.x = a->x, .dims = HD_DIMS(0)});
    const hd_val flat = hd_reshape_at(at, &(hd_reshape_args){.x = a->index, .dims = HD_DIMS(0)});
    const hd_val y = hd_index_select_at(at, &(hd_index_select_args){.x = x, .index = flat, .wrap = true});
    return hd_reshape_like_at(at, &(hd_reshape_like_args){.x = y, .like = a->index});
}

/* Both repeated to one shape on every axis but the one. */
hd_val hd_take_along_dim_at(hd_loc at, const hd_take_along_dim_args *a) {
    hd_dims x = hd_val_dims(a->x), index = hd_val_dims(a->index);
    const int axis = hd_axis_resolve(a->axis ? a->axis : HD_AXIS(0), x.rank);
    for (int i = 0; i < x.rank && x.rank == index.rank; i++) {
        if (i == axis) continue;
        if (x.dim[i] == 1) x.dim[i] = index.dim[i];
        if (index.dim[i] == 1) index.dim[i] = x.dim[i];
    }
    return hd_gather_at(at,
                        &(hd_gather_args){.x = hd_expand_at(at, &(hd_expand_args){.x = a->x, .dims = x}),
                                          .index = hd_expand_at(at, &(hd_expand_args){.x = a->index, .dims = index}),
                                          .axis = a->axis,
                                          .wrap = true});
}
