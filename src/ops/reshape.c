/* reshape.c: the same elements with other dimensions, given or those of another value. Knows nothing of backends. */
#include "ops/op_kit.h"

static void reshape_ref(const hd_ref *r) {
    const size_t bytes = (size_t)r->out[0].count * hd_dtype_size(r->out[0].dtype);
    if (bytes && r->out[0].data != r->in[0].data) memcpy(r->out[0].data, r->in[0].data, bytes);
}

static hd_status misfit(hd_infer *c, const hd_dims *want) {
    char a[192], b[192];
    return hd_infer_fail(c, "x %s can not become %s: the number of elements differs", hd_dims_text(a, &c->in[0].dims),
                         hd_dims_text(b, want));
}

/* The dimension to be worked out, or -1; y is settled elsewhere. -2: the request is wrong. */
static int open_dimension(const hd_dims *x, const hd_dims *want, hd_dims *y) {
    int zero = -1, batch = -1;
    for (int i = 0; i < want->rank; i++) {
        if (want->dim[i] < HD_BATCH) return -2;
        int *which = want->dim[i] == 0 ? &zero : &batch;
        if (want->dim[i] > 0) continue;
        if (*which >= 0) return -2;
        *which = i;
    }
    if (zero < 0) return batch;
    if (batch >= 0 && x->rank == 0) return -2;
    if (batch >= 0) y->dim[batch] = x->dim[0];
    return zero;
}

/* With no elements, every 0 is just a 0. */
static bool without_elements(const hd_dims *x, const hd_dims *want) {
    bool empty = false;
    for (int i = 0; i < want->rank; i++) {
        if (want->dim[i] < 0) return false;
        empty = empty || want->dim[i] == 0;
    }
    return empty && hd_dims_count(x) == 0;
}

static hd_status reshape_infer(hd_infer *c) {
    const hd_reshape_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    hd_dims y = a->dims;
    c->out[0] = (hd_type){c->in[0].dtype, y};
    if (without_elements(x, &a->dims)) return HD_OK;
    const int open = open_dimension(x, &a->dims, &y);
    if (open == -2) return hd_infer_fail(c, "dims may hold sizes, one 0 (worked out) and one B (the batch)");
    if (open >= 0) y.dim[open] = 1;
    bool x_batch, y_batch;
    const int64_t nx = hd_count_without_batch(x, &x_batch), ny = hd_count_without_batch(&y, &y_batch);
    if (nx < 0 || ny < 0) return misfit(c, &a->dims);
    if (open < 0) {
        if (nx != ny || x_batch) return misfit(c, &a->dims);
    } else if (x_batch && !y_batch) { /* the open dimension carries the batch: a multiple of it until it is bound */
        if (ny == 0 || (nx % ny != 0 && (nx == 0 || ny % nx != 0))) return misfit(c, &a->dims);
        y.dim[open] = HD_BATCH;
    } else {
        if (ny == 0 || nx % ny != 0) return misfit(c, &a->dims);
        y.dim[open] = nx / ny;
    }
    c->out[0].dims = y;
    return HD_OK;
}

static hd_status reshape_like_infer(hd_infer *c) {
    bool x_batch, y_batch;
    const int64_t nx = hd_count_without_batch(&c->in[0].dims, &x_batch);
    const int64_t ny = hd_count_without_batch(&c->in[1].dims, &y_batch);
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    /* Two values with a batch are compared when it is bound: one may stand for a multiple of it. */
    if (x_batch != y_batch || (!x_batch && nx != ny)) return misfit(c, &c->in[1].dims);
    return HD_OK;
}

static void reshape_grad(hd_grad *c) {
    if (c->needs[0]) c->din[0] = hd_reshape_like(c->dout[0], c->in[0]);
}

const hd_op hd_op_reshape = {
    .name = "reshape",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_reshape_args),
    .options =
        (const hd_option[]){HD_OPTION(DIMS, hd_reshape_args, dims, .help = "new sizes; one may be 0: worked out"),
                            HD_OPTION_END},
    .flags = HD_OP_VIEW,
    .infer = reshape_infer,
    .grad = reshape_grad,
    .ref = reshape_ref,
    .cost = hd_cost_none,
    .formula = "y[i] = x[i], counted row by row",
    .source = "as torch.reshape",
    .doc = "The same elements with other dimensions. One dimension may be 0 and is worked out; B stands for the batch.",
    .onnx = "Reshape",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6} | dims=[3,2]", "{1 2 3 4 5 6}"},
                                   {"i64[4]={1 2 3 4} | dims=[2,0]", "{1 2 3 4}"},
                                   {"bool[2]={1 0} | dims=[2,1,1]", "{1 0}"},
                                   {"f32[2,3,4] | dims=[0,4]", NULL},
                                   {"f32[2,12] | dims=[B,3,4]", NULL},
                                   {"f32[2,12] | dims=[B,0,2]", NULL},
                                   {"f32[1,1]", NULL},
                                   {"f32[] | dims=[1,1]", NULL},
                                   {"f32[0,3] | dims=[3,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | dims=[4,2]", "can not become [4,2]"},
                                   {"f32[2,3] | dims=[4,0]", "can not become [4,0]"},
                                   {"f32[2,3] | dims=[0,0]", "one 0"},
                                   {"f32[2,3] | dims=[-5,0]", "one 0"},
                                   {"f32[2,3]", "can not become []"},
                                   {0}},
};

const hd_op hd_op_reshape_like = {
    .name = "reshape_like",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "like"),
    .args_size = sizeof(hd_reshape_like_args),
    .flags = HD_OP_VIEW,
    .infer = reshape_like_infer,
    .grad = reshape_grad,
    .ref = reshape_ref,
    .cost = hd_cost_none,
    .formula = "y[i] = x[i], counted row by row",
    .source = "the gradient of reshape",
    .doc = "The same elements with the dimensions of another value, of which only the shape is read.",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}, i64[3,2]={0 0 0 0 0 0}", "{1 2 3 4 5 6}"},
                                   {"f32[2,12], f32[2,3,4]", NULL},
                                   {"f32[1], f32[]", NULL},
                                   {"f32[0,3], f32[5,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[7]", "can not become [7]"}, {0}},
};

HD_BUILDER(reshape, hd_reshape_args)
HD_BUILDER(reshape_like, hd_reshape_like_args)
