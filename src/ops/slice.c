/* slice.c: a part of a value along an axis, and its backward op. Knows nothing of backends. */
#include "ops/op_kit.h"

typedef struct slice_range {
    int axis; /* -1: out of range */
    int64_t start, count, step;
} slice_range;

/* Python's rule: negative positions count from the end, what lies outside is cut off. */
static slice_range slice_settle(const hd_dims *x, int64_t coded_axis, int64_t start, int64_t stop, int64_t step) {
    slice_range s = {.axis = hd_axis_resolve(coded_axis, x->rank), .step = step};
    if (s.axis < 0) return s;
    const int64_t n = x->dim[s.axis];
    if (stop == 0) stop = n;
    if (start < 0) start = start + n > 0 ? start + n : 0;
    if (stop < 0) stop = stop + n > 0 ? stop + n : 0;
    if (stop > n) stop = n;
    s.start = start;
    s.count = stop > start ? (stop - start - 1) / step + 1 : 0;
    return s;
}

static slice_range slice_of(const hd_slice_args *a, const hd_dims *x) {
    return slice_settle(x, a->axis, a->start, a->stop, a->step);
}

static slice_range slice_grad_of(const hd_slice_grad_args *a, const hd_dims *like) {
    return slice_settle(like, a->axis, a->start, a->stop, a->step);
}

static hd_status slice_dims(hd_infer *c, slice_range s, const hd_dims *x, hd_dims *y) {
    char text[192];
    if (s.axis < 0) return hd_infer_fail(c, "x %s does not have the axis", hd_dims_text(text, x));
    if (x->dim[s.axis] < 0) return hd_infer_fail(c, "the batch of x %s can not be cut", hd_dims_text(text, x));
    *y = *x;
    y->dim[s.axis] = s.count;
    return HD_OK;
}

static hd_status slice_infer(hd_infer *c) {
    c->out[0] = c->in[0];
    return slice_dims(c, slice_of(c->attr, &c->in[0].dims), &c->in[0].dims, &c->out[0].dims);
}

static void slice_ref(const hd_ref *r) {
    const slice_range s = slice_of(r->attr, &r->in[0].dims);
    const hd_axis_split x = hd_split_at(&r->in[0].dims, s.axis);
    const size_t row = (size_t)x.inner * hd_dtype_size(r->out[0].dtype);
    char *y = r->out[0].data;
    if (r->out[0].count == 0) return;
    for (int64_t o = 0; o < x.outer; o++)
        for (int64_t i = 0; i < s.count; i++, y += row)
            memcpy(y, (const char *)r->in[0].data + (size_t)(o * x.n + s.start + i * s.step) * row, row);
}

static void slice_rule(hd_grad *c) {
    const hd_slice_args *a = c->attr;
    c->din[0] =
        hd_slice_grad(c->dout[0], c->in[0], .axis = a->axis, .start = a->start, .stop = a->stop, .step = a->step);
}

static hd_status slice_grad_infer(hd_infer *c) {
    char want[192], got[192];
    hd_dims dy;
    if (slice_dims(c, slice_grad_of(c->attr, &c->in[1].dims), &c->in[1].dims, &dy)) return HD_E_MODEL;
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    if (hd_dims_equal(&dy, &c->in[0].dims)) return HD_OK;
    return hd_infer_fail(c, "dy is %s, the slice is %s", hd_dims_text(got, &c->in[0].dims), hd_dims_text(want, &dy));
}

static void slice_grad_ref(const hd_ref *r) {
    const slice_range s = slice_grad_of(r->attr, &r->out[0].dims);
    const hd_axis_split x = hd_split_at(&r->out[0].dims, s.axis);
    const size_t row = (size_t)x.inner * hd_dtype_size(r->out[0].dtype);
    const char *dy = r->in[0].data;
    if (r->out[0].count == 0) return;
    memset(r->out[0].data, 0, (size_t)r->out[0].count * hd_dtype_size(r->out[0].dtype));
    for (int64_t o = 0; o < x.outer; o++)
        for (int64_t i = 0; i < s.count; i++, dy += row)
            memcpy((char *)r->out[0].data + (size_t)(o * x.n + s.start + i * s.step) * row, dy, row);
}

static void slice_grad_rule(hd_grad *c) {
    const hd_slice_grad_args *a = c->attr;
    if (c->needs[0])
        c->din[0] = hd_slice(c->dout[0], .axis = a->axis, .start = a->start, .stop = a->stop, .step = a->step);
}

#define SLICE_OPTIONS(args)                                                                                            \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(AXIS, args, axis, .def = 2, .help = "axis to cut"),                                                  \
            HD_OPTION(INT, args, start, .help = "first position, negative from the end"),                              \
            HD_OPTION(INT, args, stop, .help = "position after the last, negative from the end; 0: the end"),          \
            HD_OPTION(INT, args, step, .def = 1, .min = 1, .max = 0x1p62, .help = "take every step-th"), HD_OPTION_END \
    }

const hd_op hd_op_slice = {
    .name = "slice",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_slice_args),
    .options = SLICE_OPTIONS(hd_slice_args),
    .infer = slice_infer,
    .grad = slice_rule,
    .ref = slice_ref,
    .cost = hd_cost_copy,
    .formula = "y = x[start : stop : step] along the axis",
    .source = "as indexing in Python",
    .doc = "A part of a value along an axis (channels, if not said): positions start, start + step, … below stop. "
           "Negative "
           "positions count from the end; what lies outside is cut off.",
    .onnx = "Slice",
    .samples = (const hd_sample[]){{"f32[1,5]={1 2 3 4 5} | start=1 stop=4", "{2 3 4}"},
                                   {"f32[1,5]={1 2 3 4 5} | start=-2", "{4 5}"},
                                   {"i64[5]={1 2 3 4 5} | axis=0 step=2", "{1 3 5}"},
                                   {"u8[2,2]={1 2 3 4} | axis=0 stop=-1", "{1 2}"},
                                   {"f32[2,5,3] | start=1 stop=100 step=3", NULL},
                                   {"f32[2,3,4] | axis=-1 start=1", NULL},
                                   {"f32[2,3] | start=3", NULL},
                                   {"f32[0,3] | start=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[3]", "does not have the axis"}, {"f32[2,3] | step=-1", "step is -1"}, {0}},
};

const hd_op hd_op_slice_grad = {
    .name = "slice_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("dy", "like"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_slice_grad_args),
    .options = SLICE_OPTIONS(hd_slice_grad_args),
    .infer = slice_grad_infer,
    .grad = slice_grad_rule,
    .ref = slice_grad_ref,
    .cost = hd_cost_copy,
    .formula = "dx = 0; dx[start : stop : step] = dy",
    .source = "the transpose of slice",
    .doc = "Back-propagation through slice: dy put back into zeros of the shape of `like`.",
    .samples = (const hd_sample[]){{"f32[1,2]={7 8}, f32[1,4] | start=1 stop=3", "{0 7 8 0}"},
                                   {"f32[2]={7 8}, f32[3] | axis=0 step=2", "{7 0 8}"},
                                   {"f32[2,2,3], f32[2,5,3] | start=1 stop=100 step=3", NULL},
                                   {"f32[2,0], f32[2,3] | start=3", "{0 0 0 0 0 0}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[1,2], f32[1,4] | start=1", "dy is [1,2], the slice is [1,3]"}, {0}},
};

HD_BUILDER(slice, hd_slice_args)
HD_BUILDER(slice_grad, hd_slice_grad_args)
