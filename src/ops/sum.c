/* sum.c: y = Σ x over axes. Knows nothing of backends. */
#include "ops/op_kit.h"

/* Floats in double; integers wrap around. */
#define SUM_LOOP(SUM)                                                                                                  \
    const T *x = r->in[0].data;                                                                                        \
    T *y = r->out[0].data;                                                                                             \
    for (int64_t i = 0; i < n; i++, hd_walk_next(&kept)) {                                                             \
        SUM sum = 0;                                                                                                   \
        for (int64_t j = 0; j < m; j++, hd_walk_next(&inner)) sum += (SUM)x[kept.at[0] + inner.at[0]];                 \
        y[i] = (T)sum;                                                                                                 \
    }

static void sum_ref(const hd_ref *r) {
    const hd_reduce_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims;
    const unsigned axes = hd_axes_bits(&a->axes, x_dims->rank);
    hd_walk kept, inner;
    const int64_t n = hd_walk_kept(&kept, x_dims, axes), m = hd_walk_inner(&inner, x_dims, axes);
    HD_FLOATS(r->out[0].dtype, SUM_LOOP(double))
    HD_INTEGERS(r->out[0].dtype, SUM_LOOP(uint64_t))
}

static hd_status sum_infer(hd_infer *c) {
    if (hd_infer_unary_number(c)) return HD_E_MODEL;
    return hd_infer_reduce(c);
}

static void sum_grad(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    c->din[0] = hd_broadcast_like(hd_keep_axes(c->dout[0], c->in[0], &a->axes, a->keepdim), c->in[0]);
}

const hd_op hd_op_sum = {
    .name = "sum",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_reduce_args),
    .options = (const hd_option[]){HD_REDUCE_OPTIONS(hd_reduce_args), HD_OPTION_END},
    .flags = HD_OP_REDUCE,
    .infer = sum_infer,
    .grad = sum_grad,
    .ref = sum_ref,
    .cost = hd_cost_input,
    .formula = "y = Σ x over the axes",
    .source = "as torch.sum",
    .doc =
        "Sum over some axes, or over all. Floats add up in double precision; integers keep their type and wrap around. "
        "A sum over nothing is 0.",
    .onnx = "ReduceSum",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{21}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axes=[0]", "{5 7 9}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axes=[-1] keepdim=true", "{6 15}"},
                                   {"i32[3]={1 2 -5}", "{-2}"},
                                   {"u8[2]={200 100}", "{44}"},
                                   {"f32[0,2] | axes=[0]", "{0 0}"},
                                   {"f32[2,3,4,5] | axes=[0,2,3]", NULL},
                                   {"f32[2,3,4] | axes=[2,0] keepdim=true", NULL},
                                   {"f32[2,3,4]", NULL},
                                   {"f32[]", NULL},
                                   {"f32[3,1000] | axes=[1]", NULL},
                                   {"f32[1,70001] | axes=[0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"},
                                   {"f32[2,3] | axes=[1,-1]", "named twice"},
                                   {"bool[2]", "must be a number"},
                                   {0}},
};

HD_BUILDER(sum, hd_reduce_args)
