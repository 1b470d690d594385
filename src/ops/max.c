/* max.c: largest of x over axes, and its backward op. Knows nothing of backends. */
#include "ops/reduce_kit.h"

HD_EXTREME_REF(max_ref, >)

static hd_status max_infer(hd_infer *c) {
    const hd_reduce_args *a = c->attr;
    if (hd_infer_reduce_number(c)) return HD_E_MODEL;
    return hd_need_some(c, hd_axes_bits(&a->axes, c->in[0].dims.rank), "largest");
}

static void max_rule(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    c->din[0] = hd_max_grad(c->in[0], c->dout[0], .axes = a->axes, .keepdim = a->keepdim);
}

static void max_grad_ref(const hd_ref *r) {
    const hd_max_grad_args *a = r->attr;
    const hd_dims *x_dims = &r->in[0].dims;
    const unsigned axes = hd_axes_bits(&a->axes, x_dims->rank);
    hd_walk kept, inner;
    const int64_t n = hd_walk_kept(&kept, x_dims, axes), m = hd_walk_inner(&inner, x_dims, axes);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *dy = r->in[1].data; T *dx = r->out[0].data;
        for (int64_t i = 0; i < n; i++, hd_walk_next(&kept)) {
            T best = x[kept.at[0]];
            double ties = 0;
            for (int64_t j = 0; j < m; j++, hd_walk_next(&inner)) {
                const T v = x[kept.at[0] + inner.at[0]];
                if (v > best) best = v, ties = 0;
                ties += v == best;
            }
            for (int64_t j = 0; j < m; j++, hd_walk_next(&inner)) {
                const int64_t at = kept.at[0] + inner.at[0];
                dx[at] = x[at] == best ? (T)((double)dy[i] / ties) : 0;
            }
        })
}

static hd_status max_grad_infer(hd_infer *c) {
    const hd_max_grad_args *a = c->attr;
    const hd_reduce_args like = {.axes = a->axes, .keepdim = a->keepdim};
    char want[192], got[192];
    hd_infer forward = *c;
    forward.attr = (void *)(uintptr_t)&like;
    if (hd_need_float(c, 0) || max_infer(&forward)) return HD_E_MODEL;
    if (!hd_dims_equal(&c->out[0].dims, &c->in[1].dims))
        return hd_infer_fail(c, "dy is %s, the largest of x are %s", hd_dims_text(got, &c->in[1].dims),
                             hd_dims_text(want, &c->out[0].dims));
    c->out[0] = c->in[0];
    return hd_need_dtype(c, 1, c->in[0].dtype);
}

/* Linear in dy: what reaches dy is gathered with the same weights. Constant in x almost everywhere. */
static void max_grad_rule(hd_grad *c) {
    const hd_max_grad_args *a = c->attr;
    if (!c->needs[1]) return;
    const hd_val one = hd_fill_like(c->in[1], .value = 1);
    const hd_val share = hd_max_grad(c->in[0], one, .axes = a->axes, .keepdim = a->keepdim);
    c->din[1] = hd_sum(hd_mul(c->dout[0], share), .axes = a->axes, .keepdim = a->keepdim);
}

const hd_op hd_op_max = {
    HD_REDUCE_HEAD(max, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE | HD_OP_KINK,
    .infer = max_infer,
    .grad = max_rule,
    .ref = max_ref,
    .formula = "y = max x over the axes",
    .source = "as torch.amax",
    .doc = "The largest element over some axes, or over all. NaN if there is one. The gradient is shared evenly among "
           "equal "
           "largest elements.",
    .onnx = "ReduceMax",
    .samples = (const hd_sample[]){{"f32[2,3]={1 7 3 4 5 6}", "{7}"},
                                   {"f32[2,3]={1 7 3 4 5 6} | axes=[0]", "{4 7 6}"},
                                   {"f32[2,2]={-1 -7 -3 -4} | axes=[-1] keepdim=true", "{-1 -3}"},
                                   {"i64[3]={1 2 -5}", "{2}"},
                                   {"f32[2,3,4] | axes=[2]", NULL},
                                   {"f32[2,3,4]:distinct", NULL},
                                   {"f32[2,3,4]:distinct | axes=[0,2] keepdim=true", NULL},
                                   {"f32[]", NULL},
                                   {"f32[0,3] | axes=[1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,0] | axes=[1]", "no largest of nothing"},
                                   {"f32[2,3] | axes=[5]", "axis 5 is out of range"},
                                   {0}},
};

const hd_op hd_op_max_grad = {
    .name = "max_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_max_grad_args),
    .options = (const hd_option[]){HD_REDUCE_OPTIONS(hd_max_grad_args), HD_OPTION_END},
    .flags = HD_OP_KINK,
    .infer = max_grad_infer,
    .grad = max_grad_rule,
    .ref = max_grad_ref,
    .cost = hd_cost_input,
    .formula = "dx = dy / (number of largest x) where x is the largest, else 0",
    .source = "subgradient of max; as torch.amax",
    .doc = "Back-propagation through max.",
    .samples = (const hd_sample[]){{"f32[2,3]={1 7 3 4 6 6}, f32[2]={10 20} | axes=[1]", "{0 10 0 0 10 10}"},
                                   {"f32[2,2]={1 2 3 2}, f32[1,2]={5 4} | axes=[0] keepdim=true", "{0 2 5 2}"},
                                   {"f32[3]={1 9 3}, f32[]={2}", "{0 2 0}"},
                                   {"f32[2,3,4]:distinct, f32[3] | axes=[0,2]", NULL},
                                   {"f32[2,3]:distinct, f32[1,1] | keepdim=true", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3] | axes=[1]", "dy is [3], the largest of x are [2]"},
                                   {"f32[2,3], f64[2] | axes=[1]", "dy must be f32"},
                                   {0}},
};

HD_BUILDER(max, hd_reduce_args)
HD_BUILDER(max_grad, hd_max_grad_args)
