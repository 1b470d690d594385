/* mean.c: y = mean of x over axes. Knows nothing of backends. */
#include "ops/op_kit.h"

static void mean_ref(const hd_ref *r) {
    const hd_reduce_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims;
    const unsigned axes = hd_axes_bits(&a->axes, x_dims->rank);
    hd_walk kept, inner;
    const int64_t n = hd_walk_kept(&kept, x_dims, axes), m = hd_walk_inner(&inner, x_dims, axes);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;
        for (int64_t i = 0; i < n; i++, hd_walk_next(&kept)) {
            double sum = 0;
            for (int64_t j = 0; j < m; j++, hd_walk_next(&inner)) sum += (double)x[kept.at[0] + inner.at[0]];
            y[i] = (T)(sum / (double)m);
        })
}

static hd_status mean_infer(hd_infer *c) {
    if (hd_need_float(c, 0)) return HD_E_MODEL;
    return hd_infer_reduce(c);
}

static void mean_grad(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    const hd_val d = hd_keep_axes(c->dout[0], c->in[0], &a->axes, a->keepdim);
    c->din[0] = hd_broadcast_like(d, c->in[0], .average = true);
}

const hd_op hd_op_mean = {
    .name = "mean",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_reduce_args),
    .options = (const hd_option[]){HD_REDUCE_OPTIONS(hd_reduce_args), HD_OPTION_END},
    .flags = HD_OP_REDUCE,
    .infer = mean_infer,
    .grad = mean_grad,
    .ref = mean_ref,
    .cost = hd_cost_input,
    .formula = "y = (1/n) Σ x over the axes",
    .source = "as torch.mean",
    .doc = "Mean over some axes, or over all. The mean of nothing is NaN.",
    .onnx = "ReduceMean",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{3.5}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axes=[0]", "{2.5 3.5 4.5}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axes=[-1] keepdim=true", "{2 5}"},
                                   {"f32[2,3,4,5] | axes=[2,3]", NULL},
                                   {"f32[2,3,4] | axes=[0,2] keepdim=true", NULL},
                                   {"f32[]", NULL},
                                   {"f32[0,3] | axes=[1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[-3]", "axis -3 is out of range"},
                                   {"i64[2]={1 2}", "f32 or f64"},
                                   {0}},
};

HD_BUILDER(mean, hd_reduce_args)
