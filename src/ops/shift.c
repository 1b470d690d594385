/* shift.c: elements moved along an axis. Knows nothing of backends. */
#include "ops/reduce_kit.h"

static void shift_ref(const hd_ref *r) {
    const hd_shift_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank));
    const size_t row = (size_t)z.inner * hd_dtype_size(r->out[0].dtype);
    for (int64_t o = 0; o < z.outer && r->out[0].count; o++)
        for (int64_t i = 0; i < z.n; i++) {
            const bool inside = a->by < 0 ? i < z.n + a->by : i >= a->by;
            const int64_t to = o * z.n + i;
            if (inside)
                memcpy((char *)r->out[0].data + (size_t)to * row,
                       (const char *)r->in[0].data + (size_t)(to - a->by) * row, row);
            for (int64_t k = 0; k < z.inner && !inside; k++) hd_set(&r->out[0], to * z.inner + k, a->value);
        }
}

static hd_status shift_infer(hd_infer *c) {
    const hd_shift_args *a = c->attr;
    int axis;
    c->out[0] = c->in[0];
    return hd_infer_axis(c, a->axis, &axis);
}

static void shift_rule(hd_grad *c) {
    const hd_shift_args *a = c->attr;
    c->din[0] = hd_shift(c->dout[0], .axis = a->axis, .by = -a->by);
}

const hd_op hd_op_shift = {
    .name = "shift",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_shift_args),
    .options = (const hd_option[]){HD_OPTION(AXIS, hd_shift_args, axis, .def = -1, .help = "axis to move along"),
                                   HD_OPTION(INT, hd_shift_args, by, .def = 1, .min = -0x1p62, .max = 0x1p62,
                                             .help = "places to move, negative towards the front"),
                                   HD_OPTION(FLOAT, hd_shift_args, value, .help = "of the places that come free"),
                                   HD_OPTION_END},
    .infer = shift_infer,
    .grad = shift_rule,
    .ref = shift_ref,
    .cost = hd_cost_copy,
    .formula = "yᵢ = xᵢ₋by along the axis, value where there is none",
    .source = "roll without what goes round",
    .doc = "Elements moved by some places along an axis (the last, if not said); what leaves is lost, what comes free "
           "becomes `value`.",
    .samples = (const hd_sample[]){{"f32[3]={1 2 3}", "{0 1 2}"},
                                   {"f32[2,3]={1 2 3 4 5 6} | by=-2 value=7", "{3 7 7 6 7 7}"},
                                   {"i64[2,2]={1 2 3 4} | axis=0 value=-1", "{-1 -1 1 2}"},
                                   {"f32[2]={1 2} | by=5 value=inf", "{inf inf}"},
                                   {"f32[2,3,4] | axis=1", NULL},
                                   {"f32[2,3,4] | by=-1 value=2", NULL},
                                   {"f32[2,0]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3] | axis=2", "does not have the axis"}, {"f32[]", "have the axis"}, {0}},
};

HD_BUILDER(shift, hd_shift_args)
