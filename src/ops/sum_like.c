/* sum_like.c: x summed down to the shape of another value. Knows nothing of backends. */
#include "ops/op_kit.h"

/* Axes of x that `like` does not have, or has as 1. */
static unsigned sum_like_axes(const hd_dims *x, const hd_dims *like) {
    unsigned axes = 0;
    for (int i = 0; i < x->rank; i++) {
        const int k = i - (x->rank - like->rank);
        if (k < 0 || (like->dim[k] == 1 && x->dim[i] != 1)) axes |= 1u << i;
    }
    return axes;
}

static void sum_like_ref(const hd_ref *r) {
    const hd_like_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims;
    const unsigned axes = sum_like_axes(x_dims, &r->in[1].dims);
    hd_walk kept, inner;
    const int64_t n = hd_walk_kept(&kept, x_dims, axes), m = hd_walk_inner(&inner, x_dims, axes);
    const double divide = a->average && m ? (double)m : 1;
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t i = 0; i < n; i++, hd_walk_next(&kept)) {
            double sum = 0;
            for (int64_t j = 0; j < m; j++, hd_walk_next(&inner)) sum += (double)x[kept.at[0] + inner.at[0]];
            y[i] = (T)(sum / divide);
        })
}

static hd_status sum_like_infer(hd_infer *c) {
    char a[192], b[192];
    hd_dims y;
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    if (!hd_dims_broadcast(&y, &c->in[0].dims, &c->in[1].dims) || !hd_dims_equal(&y, &c->in[0].dims))
        return hd_infer_fail(c, "x %s can not be summed down to the shape %s", hd_dims_text(a, &c->in[0].dims),
                             hd_dims_text(b, &c->in[1].dims));
    c->out[0] = (hd_type){c->in[0].dtype, c->in[1].dims};
    return HD_OK;
}

static void sum_like_grad(hd_grad *c) {
    const hd_like_args *a = c->attr;
    if (c->needs[0]) c->din[0] = hd_broadcast_like(c->dout[0], c->in[0], .average = a->average);
}

const hd_op hd_op_sum_like = {
    .name = "sum_like",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "like"),
    .args_size = sizeof(hd_like_args),
    .options = (const hd_option[]){HD_OPTION(BOOL, hd_like_args, average, .help = "divide by the number of summands"),
                                   HD_OPTION_END},
    .flags = HD_OP_REDUCE,
    .infer = sum_like_infer,
    .grad = sum_like_grad,
    .ref = sum_like_ref,
    .cost = hd_cost_input,
    .formula = "y = Σ x over the axes where like is 1 or missing",
    .source = "the transpose of NumPy's broadcasting",
    .doc = "Sums x down to the shape of another value, of which only the shape is read: the gradient of broadcasting.",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}, f32[3]", "{5 7 9}"},
                                   {"f32[2,3]={1 2 3 4 5 6}, f32[2,1] | average=true", "{2 5}"},
                                   {"f32[2,3]={1 2 3 4 5 6}, f32[]", "{21}"},
                                   {"f32[2,3,4,5], f32[3,1,1]", NULL},
                                   {"f32[2,3,4], f32[1,3,4] | average=true", NULL},
                                   {"f32[2,3], f32[2,3]", NULL},
                                   {"f32[0,3], f32[3]", "{0 0 0}"},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,1], f32[2,3]", "can not be summed down"}, {"f32[2], f32[3]", "[3]"}, {0}},
};

HD_BUILDER(sum_like, hd_like_args)
