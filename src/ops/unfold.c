/* unfold.c: sliding windows along an axis, and their backward op. Knows nothing of backends. */
#include "ops/shape_kit.h"

static hd_status unfold_dims(hd_infer *c, int i, int64_t coded_axis, int64_t size, int64_t step, hd_dims *y) {
    const hd_dims *x = &c->in[i].dims;
    char text[192];
    int axis;
    if (hd_infer_axis_of(c, i, coded_axis, &axis)) return HD_E_MODEL;
    if (x->rank == HD_MAX_DIMS) return hd_infer_fail(c, "x %s has no room for one more axis", hd_dims_text(text, x));
    if (size > x->dim[axis])
        return hd_infer_fail(c, "windows of %lld are wider than axis %d of x %s", (long long)size, axis,
                             hd_dims_text(text, x));
    *y = *x;
    y->dim[axis] = (x->dim[axis] - size) / step + 1;
    y->dim[y->rank++] = size;
    return HD_OK;
}

/* A walk over all windows of x. */
static void walk_windows(hd_walk *w, const hd_dims *x, const hd_dims *y, int64_t coded_axis, int64_t step) {
    const int axis = hd_axis_resolve(coded_axis, x->rank);
    memset(w, 0, sizeof *w);
    w->rank = y->rank;
    memcpy(w->dim, y->dim, sizeof w->dim);
    hd_strides(w->stride[0], x);
    w->stride[0][y->rank - 1] = w->stride[0][axis];
    w->stride[0][axis] *= step;
}

static hd_status unfold_infer(hd_infer *c) {
    const hd_unfold_args *a = c->attr;
    c->out[0].dtype = c->in[0].dtype;
    return unfold_dims(c, 0, a->axis, a->size, a->step, &c->out[0].dims);
}

static void unfold_ref(const hd_ref *r) {
    const hd_unfold_args *a = r->attr;
    hd_walk w;
    walk_windows(&w, &r->in[0].dims, &r->out[0].dims, a->axis, a->step);
    hd_take_along(r, &w, 0);
}

static void unfold_rule(hd_grad *c) {
    const hd_unfold_args *a = c->attr;
    c->din[0] = hd_unfold_grad(c->dout[0], c->in[0], .axis = a->axis, .size = a->size, .step = a->step);
}

static hd_status unfold_grad_infer(hd_infer *c) {
    const hd_unfold_grad_args *a = c->attr;
    char got[192], want[192];
    hd_dims dy;
    if (hd_need_float(c, 0) || unfold_dims(c, 1, a->axis, a->size, a->step, &dy)) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    if (hd_dims_equal(&dy, &c->in[0].dims)) return HD_OK;
    return hd_infer_fail(c, "dy is %s, the windows are %s", hd_dims_text(got, &c->in[0].dims), hd_dims_text(want, &dy));
}

static void unfold_grad_ref(const hd_ref *r) {
    const hd_unfold_grad_args *a = r->attr;
    hd_walk w;
    walk_windows(&w, &r->out[0].dims, &r->in[0].dims, a->axis, a->step);
    HD_FLOATS(r->out[0].dtype, const T *dy = r->in[0].data; T *dx = r->out[0].data;
              for (int64_t i = 0; i < r->out[0].count; i++) dx[i] = 0;
              for (int64_t i = 0; i < r->in[0].count; i++, hd_walk_next(&w)) dx[w.at[0]] += dy[i];)
}

static void unfold_grad_rule(hd_grad *c) {
    const hd_unfold_grad_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_unfold(c->dout[0], .axis = a->axis, .size = a->size, .step = a->step);
}

#define UNFOLD_OPTIONS(args)                                                                                           \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(AXIS, args, axis, .def = -1, .help = "axis that the windows slide along"),                           \
            HD_OPTION(INT, args, size, .def = 1, .min = 1, .max = HD_MAX_WINDOW, .help = "elements of a window"),      \
            HD_OPTION(INT, args, step, .def = 1, .min = 1, .max = HD_MAX_WINDOW,                                       \
                      .help = "elements from one window to the next"),                                                 \
            HD_OPTION_END                                                                                              \
    }

const hd_op hd_op_unfold = {
    .name = "unfold",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_unfold_args),
    .options = UNFOLD_OPTIONS(hd_unfold_args),
    .infer = unfold_infer,
    .grad = unfold_rule,
    .ref = unfold_ref,
    .cost = hd_cost_copy,
    .formula = "y[…, i, …, j] = x[…, i·step + j, …]",
    .source = "as torch.Tensor.unfold, but a copy",
    .doc = "Windows that slide along an axis, laid side by side: the axis counts the windows, a new last axis their "
           "elements.",
    .samples = (const hd_sample[]){{"f32[4]={1 2 3 4} | size=2", "{1 2 2 3 3 4}"},
                                   {"i64[2,3]={1 2 3 4 5 6} | axis=0 size=2", "{1 4 2 5 3 6}"},
                                   {"f32[5]={1 2 3 4 5} | size=2 step=3", "{1 2 4 5}"},
                                   {"f32[2,7,3] | axis=1 size=3 step=2", NULL},
                                   {"f32[0,3] | size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | size=4", "windows of 4 are wider than axis 1"},
                                   {"f32[]", "does not have the axis"},
                                   {"f32[3] | size=-1", "size is -1"},
                                   {0}},
};

const hd_op hd_op_unfold_grad = {
    .name = "unfold_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("dy", "like"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_unfold_grad_args),
    .options = UNFOLD_OPTIONS(hd_unfold_grad_args),
    .infer = unfold_grad_infer,
    .grad = unfold_grad_rule,
    .ref = unfold_grad_ref,
    .cost = hd_cost_copy,
    .formula = "dx[…, k, …] = Σ dy[…, i, …, j] where i·step + j = k",
    .source = "the transpose of unfold",
    .doc = "Back-propagation through unfold: windows are added up where they came from. Of `like` only the shape is "
           "read.",
    .samples = (const hd_sample[]){{"f32[3,2]={1 2 3 4 5 6}, f32[4] | size=2", "{1 5 9 6}"},
                                   {"f32[2,3,3,3], f32[2,7,3] | axis=1 size=3 step=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,2], f32[4] | size=2", "dy is [2,2], the windows are [3,2]"}, {0}},
};

HD_BUILDER(unfold, hd_unfold_args)
HD_BUILDER(unfold_grad, hd_unfold_grad_args)
