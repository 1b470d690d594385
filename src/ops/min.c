/* min.c: smallest of x over axes. Knows nothing of backends. */
#include "ops/reduce_kit.h"

HD_EXTREME_REF(min_ref, <)

static hd_status min_infer(hd_infer *c) {
    const hd_reduce_args *a = c->attr;
    if (hd_infer_reduce_number(c)) return HD_E_MODEL;
    return hd_need_some(c, hd_axes_bits(&a->axes, c->in[0].dims.rank), "smallest");
}

/* min x = −max(−x): what reaches y flows to the same elements. */
static void min_rule(hd_grad *c) {
    const hd_reduce_args *a = c->attr;
    c->din[0] = hd_max_grad(hd_neg(c->in[0]), c->dout[0], .axes = a->axes, .keepdim = a->keepdim);
}

const hd_op hd_op_min = {
    HD_REDUCE_HEAD(min, hd_reduce_args, HD_OPTION_END),
    .flags = HD_OP_REDUCE | HD_OP_KINK,
    .infer = min_infer,
    .grad = min_rule,
    .ref = min_ref,
    .formula = "y = min x over the axes",
    .source = "as torch.amin",
    .doc = "The smallest element over some axes, or over all. NaN if there is one. The gradient is shared evenly among "
           "equal smallest elements.",
    .onnx = "ReduceMin",
    .samples = (const hd_sample[]){{"f32[2,3]={1 7 3 4 5 6}", "{1}"},
                                   {"f32[2,3]={1 7 3 4 5 -6} | axes=[0]", "{1 5 -6}"},
                                   {"f32[2,2]={-1 nan -3 -4} | axes=[-1] keepdim=true", "{nan -4}"},
                                   {"u8[3]={9 2 5}", "{2}"},
                                   {"f32[]={3}", "{3}"},
                                   {"f32[2,3,4]:distinct | axes=[2]", NULL},
                                   {"f32[2,3,4]:distinct | axes=[-1,0] keepdim=true", NULL},
                                   {"f32[3,2,2,3]:distinct | axes=[-1,2]", NULL},
                                   {"f32[0,3] | axes=[1]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,0] | axes=[1]", "no smallest of nothing"}, {"bool[2]", "number"}, {0}},
};

HD_BUILDER(min, hd_reduce_args)
