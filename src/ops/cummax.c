/* cummax.c: the largest and the smallest so far along an axis. Knows nothing of backends. */
#include "ops/order_kit.h"

/* The last of equal ones, as torch; NaN, once there, stays. */
static void best_so_far(const hd_ref *r, bool largest) {
    const hd_cummax_args *a = r->attr;
    const hd_rows z = hd_rows_of(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank), false);
    for (int64_t row = 0; row < z.count; row++) {
        int64_t best = 0;
        uint64_t best_key = 0;
        for (int64_t i = 0; i < z.n; i++) {
            const uint64_t key = hd_best_key(&r->in[0], hd_row_at(&z, row, i), largest);
            if (i == 0 || key >= best_key) best = i, best_key = key;
            hd_pick(r, &z, row, best, hd_row_at(&z, row, i));
        }
    }
}

HD_TWO_WAYS(cummax_ref, cummin_ref, best_so_far)

static hd_status cummax_infer(hd_infer *c) {
    const hd_cummax_args *a = c->attr;
    int axis;
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){HD_I64, c->in[0].dims};
    return hd_infer_axis(c, a->axis, &axis);
}

static void cummax_rule(hd_grad *c) {
    const hd_cummax_args *a = c->attr;
    if (!hd_val_is_none(c->dout[0]))
        c->din[0] = hd_scatter_add(hd_fill_like(c->in[0]), c->out[1], c->dout[0], .axis = a->axis);
}

#define CUM_HEAD(name_)                                                                                                \
    HD_PICK_HEAD(name_, hd_cummax_args, HD_PICK_AXIS(hd_cummax_args, -1, "axis to run along")), .infer = cummax_infer, \
                                                                                                .grad = cummax_rule

const hd_op hd_op_cummax = {
    CUM_HEAD(cummax),
    .ref = cummax_ref,
    .formula = "valuesᵢ = max xⱼ over j ≤ i along the axis = x[indicesᵢ]",
    .source = "as torch.cummax",
    .doc = "The largest element so far along an axis (the last, if not said), and where it stands (i64): the last of "
           "equal ones. NaN stays once it has come.",
    .samples = (const hd_sample[]){{"f32[5]={3 1 3 5 4}", "{3 3 3 5 5} {0 0 2 3 3}"},
                                   {"f32[2,2]={3 nan 2 7} | axis=0", "{3 nan 3 nan} {0 0 0 0}"},
                                   {"f32[5]={1 nan 3 nan 2}", "{1 nan nan nan nan} {0 1 1 3 3}"},
                                   {"f32[2,7]:distinct", NULL},
                                   {"f32[2,5,3]:distinct | axis=1", NULL},
                                   {"f32[3,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=2", "does not have the axis"}, {0}},
};

const hd_op hd_op_cummin = {
    CUM_HEAD(cummin),
    .ref = cummin_ref,
    .formula = "valuesᵢ = min xⱼ over j ≤ i along the axis = x[indicesᵢ]",
    .source = "as torch.cummin",
    .doc = "The smallest element so far along an axis (the last, if not said), and where it stands (i64): the last of "
           "equal ones. NaN stays once it has come.",
    .samples = (const hd_sample[]){{"f32[5]={3 4 3 1 2}", "{3 3 3 1 1} {0 0 2 3 3}"},
                                   {"i32[2,2]={3 -4 -5 7} | axis=-2", "{3 -4 -5 -4} {0 0 1 0}"},
                                   {"f32[2,7]:distinct", NULL},
                                   {"f32[2,5,3]:distinct | axis=1", NULL},
                                   {"f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[]", "does not have the axis"}, {0}},
};

HD_BUILDER(cummax, hd_cummax_args)
HD_BUILDER(cummin, hd_cummax_args)
