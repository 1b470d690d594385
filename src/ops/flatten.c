/* flatten.c: joins neighbouring axes into one. Knows nothing of backends. */
#include "ops/op_kit.h"

static void flatten_ref(const hd_ref *r) {
    const size_t bytes = (size_t)r->out[0].count * hd_dtype_size(r->out[0].dtype);
    if (bytes && r->out[0].data != r->in[0].data) memcpy(r->out[0].data, r->in[0].data, bytes);
}

static hd_status flatten_infer(hd_infer *c) {
    const hd_flatten_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    const int start = hd_axis_resolve(a->start_axis, x->rank), end = hd_axis_resolve(a->end_axis, x->rank);
    char text[192];
    if (start < 0 || end < 0 || start > end)
        return hd_infer_fail(c, "start_axis and end_axis must name axes of x %s, in order", hd_dims_text(text, x));
    hd_dims y = {.rank = x->rank - (end - start)}, joined = {.rank = end - start + 1};
    memcpy(joined.dim, x->dim + start, (size_t)joined.rank * sizeof(int64_t));
    memcpy(y.dim, x->dim, (size_t)start * sizeof(int64_t));
    memcpy(y.dim + start + 1, x->dim + end + 1, (size_t)(x->rank - end - 1) * sizeof(int64_t));
    bool batch;
    y.dim[start] = hd_count_without_batch(&joined, &batch);
    if (y.dim[start] < 0) return hd_infer_fail(c, "the joined axes of x %s are too large", hd_dims_text(text, x));
    if (batch && y.dim[start] > 0) y.dim[start] = HD_BATCH; /* a multiple of it, until it is bound */
    c->out[0] = (hd_type){c->in[0].dtype, y};
    return HD_OK;
}

static void flatten_grad(hd_grad *c) {
    c->din[0] = hd_reshape_like(c->dout[0], c->in[0]);
}

const hd_op hd_op_flatten = {
    .name = "flatten",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_flatten_args),
    .options = (const hd_option[]){HD_OPTION(AXIS, hd_flatten_args, start_axis, .def = 2, .help = "first axis to join"),
                                   HD_OPTION(AXIS, hd_flatten_args, end_axis, .def = -1, .help = "last axis to join"),
                                   HD_OPTION_END},
    .flags = HD_OP_VIEW,
    .infer = flatten_infer,
    .grad = flatten_grad,
    .ref = flatten_ref,
    .cost = hd_cost_none,
    .formula = "y[n, i] = x[n, …], counted row by row",
    .source = "as torch.nn.Flatten",
    .doc =
        "Joins axes start_axis … end_axis into one; without options all but the first, so that pictures become rows.",
    .onnx = "Flatten",
    .samples = (const hd_sample[]){{"f32[1,2,2]={1 2 3 4}", "{1 2 3 4}"},
                                   {"u8[2,1,2]={1 2 3 4} | start_axis=0", "{1 2 3 4}"},
                                   {"f32[2,3,4,5]", NULL},
                                   {"f32[2,3,4,5] | start_axis=0 end_axis=-2", NULL},
                                   {"f32[2,3] | start_axis=1 end_axis=1", NULL},
                                   {"f32[0,3,4]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[4]", "must name axes of x [4]"},
                                   {"f32[2,3,4] | start_axis=2 end_axis=1", "in order"},
                                   {0}},
};

HD_BUILDER(flatten, hd_flatten_args)
