/* prod.c: product of x over axes. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* Floats in double; integers wrap around. */
static void prod_ref(const hd_ref *r) {
    const hd_reduce_args *a = r->attr;
    hd_groups g;
    hd_groups_init(&g, &r->in[0].dims, &a->axes);
    HD_FLOATS(r->out[0].dtype, HD_REDUCE_LOOP(T, double p = 1, p *= (double)v, p))
    HD_INTEGERS(r->out[0].dtype, HD_REDUCE_LOOP(T, uint64_t p = 1, p *= (uint64_t)v, p))
}

/* Product of all others along an axis, right with any number of zeros: of those before times of those after. */
static hd_val others(hd_val x, int64_t axis) {
    const hd_val before = hd_cumprod(hd_shift(x, .axis = axis, .by = 1, .value = 1), .axis = axis);
    const hd_val after = hd_cumprod(hd_shift(x, .axis = axis, .by = -1, .value = 1), .axis = axis, .reverse = true);
    return hd_mul(before, after);
}

/* Axis after axis: what is left of x, and dy spread back over the axes in the opposite order. */
static void prod_rule(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    const int rank = hd_val_dims(c->in[0]).rank;
    const unsigned bits = hd_axes_bits(&a->axes, rank);
    hd_val left[HD_MAX_DIMS], d = hd_keep_axes(c->dout[0], c->in[0], &a->axes, a->keepdim), x = c->in[0];
    for (int i = 0; i < rank; i++) {
        left[i] = x;
        if (bits >> i & 1) x = hd_prod(x, .axes = HD_DIMS(i), .keepdim = true);
    }
    for (int i = rank - 1; i >= 0; i--)
        if (bits >> i & 1) d = hd_mul(d, others(left[i], HD_AXIS(i)));
    c->din[0] = d;
}

const hd_op hd_op_prod = {
    HD_REDUCE_HEAD(prod, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE,
    .infer = hd_infer_reduce_number,
    .grad = prod_rule,
    .ref = prod_ref,
    .formula = "y = Π x over the axes",
    .source = "as torch.prod",
    .doc = "Product over some axes, or over all. Floats multiply in double precision; integers keep their type and "
           "wrap around. A product over nothing is 1. The gradient is right where elements are 0.",
    .onnx = "ReduceProd",
    .samples = (const hd_sample[]){{"f32[2,3]={1 2 3 4 5 6}", "{720}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | axes=[0]", "{4 10 18}"},
                                   {"i32[2,2]={1 2 -3 4} | axes=[-1] keepdim=true", "{2 -12}"},
                                   {"u8[2]={200 2}", "{144}"},
                                   {"f32[0,2] | axes=[0]", "{1 1}"},
                                   {"f32[2,3,4] | axes=[2,0] keepdim=true", NULL},
                                   {"f32[2,3]", NULL},
                                   {"f32[2,3]={0 2 3 0 0 4} | axes=[1]", NULL},
                                   {"f32[]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axes=[2]", "axis 2 is out of range"}, {"bool[2]", "number"}, {0}},
};

HD_BUILDER(prod, hd_reduce_args)
