/* argmax.c: where the largest and the smallest element along an axis are. Knows nothing of backends. */
#include "ops/order_kit.h"

/* The first of the best; the first NaN, if there is one. */
static void arg_extreme(const hd_ref *r, bool largest) {
    const hd_arg_args *a = r->attr;
    const int axis = hd_axis_resolve(a->axis, r->in[0].dims.rank);
    hd_rows z = {1, r->in[0].count, 1, false};
    if (axis >= 0) z = hd_rows_of(&r->in[0].dims, axis, false);
    for (int64_t row = 0; row < z.count; row++) {
        int64_t best = 0;
        uint64_t best_key = 0;
        for (int64_t i = 0; i < z.n; i++) {
            const uint64_t key = hd_best_key(&r->in[0], hd_row_at(&z, row, i), largest);
            if (i == 0 || key > best_key) best = i, best_key = key;
        }
        ((int64_t *)r->out[0].data)[row] = best;
    }
}

HD_TWO_WAYS(argmax_ref, argmin_ref, arg_extreme)

static hd_status arg_infer(hd_infer *c) {
    const hd_arg_args *a = c->attr;
    int axis = -1;
    if (a->axis && hd_infer_axis(c, a->axis, &axis)) return HD_E_MODEL;
    const hd_dims axes = {.rank = axis >= 0, .dim = {axis}};
    if (hd_infer_reduced(c, &axes, a->keepdim)) return HD_E_MODEL;
    c->out[0].dtype = HD_I64;
    return hd_need_some(c, hd_axes_bits(&axes, c->in[0].dims.rank), "place");
}

#define ARG_HEAD(name_)                                                                                                \
    .name = #name_, .n_in = 1, .n_out = 1, .args_size = sizeof(hd_arg_args),                                           \
    .options =                                                                                                         \
        (const hd_option[]){HD_OPTION(AXIS, hd_arg_args, axis, .help = "axis to search; none: all elements"),          \
                            HD_OPTION(BOOL, hd_arg_args, keepdim, .help = "keep the axis as 1"), HD_OPTION_END},       \
    .flags = HD_OP_REDUCE, .infer = arg_infer, .cost = hd_cost_input,                                                  \
    .no_grad_reason = "a place is a whole number: it does not change with small changes of x"

const hd_op hd_op_argmax = {
    ARG_HEAD(argmax),
    .ref = argmax_ref,
    .formula = "y = the first i with xᵢ = max x",
    .source = "as torch.argmax",
    .doc = "Where the largest element along an axis is, as i64: the first of equal ones, or the first NaN. Without an "
           "axis: the place in x read row by row.",
    .onnx = "ArgMax",
    .samples = (const hd_sample[]){{"f32[2,3]={1 7 3 4 5 6}", "{1}"},
                                   {"f32[2,3]={1 7 7 4 5 6} | axis=1", "{1 2}"},
                                   {"i64[2,3]={1 7 3 4 5 6} | axis=-2 keepdim=true", "{1 0 1}"},
                                   {"f32[4]={1 nan 9 nan} | axis=0", "{1}"},
                                   {"f32[2]={-0 0}", "{0}"},
                                   {"bool[2]={0 1}", "{1}"},
                                   {"f32[]={5}", "{0}"},
                                   {"f32[2,3] | keepdim=true", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,0] | axis=1", "no place of nothing"},
                                   {"f32[2,3] | axis=2", "does not have the axis"},
                                   {0}},
};

const hd_op hd_op_argmin = {
    ARG_HEAD(argmin),
    .ref = argmin_ref,
    .formula = "y = the first i with xᵢ = min x",
    .source = "as torch.argmin",
    .doc = "Where the smallest element along an axis is, as i64: the first of equal ones, or the first NaN. Without an "
           "axis: the place in x read row by row.",
    .onnx = "ArgMin",
    .samples = (const hd_sample[]){{"f32[2,3]={4 7 3 4 1 6}", "{4}"},
                                   {"f32[2,3]={3 7 3 4 5 -6} | axis=1", "{0 2}"},
                                   {"u8[2,2]={0 255 1 254} | axis=0 keepdim=true", "{0 1}"},
                                   {"f32[4]={1 nan -inf nan} | axis=-1", "{1}"},
                                   {"f32[0,3] | axis=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[0]", "no place of nothing"}, {"f32[] | axis=0", "have the axis"}, {0}},
};

HD_BUILDER(argmax, hd_arg_args)
HD_BUILDER(argmin, hd_arg_args)
