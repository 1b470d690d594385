/* linear_recurrence.c: h_i = a_i h_(i−1) + b_i along an axis. Knows nothing of backends. */
#include "ops/reduce_kit.h"

/* The first place has nothing before it: its a is not read, whatever it is. */
static void recurrence_ref(const hd_ref *r) {
    const hd_linear_recurrence_args *o = r->attr;
    const hd_rows z = hd_rows_of(&r->in[0].dims, hd_axis_resolve(o->axis, r->in[0].dims.rank), o->reverse);
    HD_FLOATS(
        r->out[0].dtype, const T *a = r->in[0].data; const T *b = r->in[1].data; T *h = r->out[0].data;
        for (int64_t row = 0; row < z.count; row++) {
            double last = 0;
            for (int64_t i = 0; i < z.n; i++) {
                const int64_t at = hd_row_at(&z, row, i);
                last = (i ? (double)a[at] * last : 0) + (double)b[at];
                h[at] = (T)last;
            }
        })
}

static hd_status recurrence_infer(hd_infer *c) {
    const hd_linear_recurrence_args *a = c->attr;
    int axis;
    c->out[0] = c->in[0];
    if (hd_need_float(c, 0) || hd_need_same(c, 0, 1)) return HD_E_MODEL;
    return hd_infer_axis(c, a->axis, &axis);
}

/* What reaches hᵢ comes back by the same rule from the other end: rᵢ = dhᵢ + aᵢ₊₁ rᵢ₊₁; db = r, daᵢ = rᵢ hᵢ₋₁. */
static void recurrence_rule(hd_grad *c) {
    const hd_linear_recurrence_args *a = c->attr;
    const int64_t on = a->reverse ? -1 : 1;
    const hd_val next = hd_shift(c->in[0], .axis = a->axis, .by = -on);
    const hd_val r = hd_linear_recurrence(next, c->dout[0], .axis = a->axis, .reverse = !a->reverse);
    if (c->needs[0]) c->din[0] = hd_mul(r, hd_shift(c->out[0], .axis = a->axis, .by = on));
    if (c->needs[1]) c->din[1] = r;
}

const hd_op hd_op_linear_recurrence = {
    .name = "linear_recurrence",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .out_names = HD_NAMES("h"),
    .args_size = sizeof(hd_linear_recurrence_args),
    .options = (const hd_option[]){HD_SCAN_OPTIONS(hd_linear_recurrence_args), HD_OPTION_END},
    .infer = recurrence_infer,
    .grad = recurrence_rule,
    .ref = recurrence_ref,
    .formula = "hᵢ = aᵢ hᵢ₋₁ + bᵢ along the axis (hᵢ₊₁ with reverse), h₀ = b₀",
    .source = "Blelloch: Prefix sums and their applications, 1990, section 1.4",
    .doc =
        "First-order linear recurrence along an axis (the last, if not said): running sums and products, exponential "
        "averages and linear recurrent layers are cases of it.",
    .samples = (const hd_sample[]){{"f32[3]={9 2 3}, f32[3]={1 1 1}", "{1 3 10}"},
                                   {"f32[2,2]={2 3 4 5}, f32[2,2]={1 1 1 1} | axis=0 reverse=true", "{3 4 1 1}"},
                                   {"f32[2,3,4], f32[2,3,4] | axis=1", NULL},
                                   {"f32[2,3], f32[2,3] | axis=-1 reverse=true", NULL},
                                   {"f32[0,3], f32[0,3]", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[3]", "same shape"},
                                   {"f32[2], f32[2] | axis=1", "does not have the axis"},
                                   {"i64[2], i64[2]", "f32 or f64"},
                                   {0}},
};

HD_BUILDER(linear_recurrence, hd_linear_recurrence_args)
