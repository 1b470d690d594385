/* time_shift.c: sequences one step later: what stood before each step. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

static hd_status time_shift_infer(hd_infer *c) {
    const hd_time_shift_args *a = c->attr;
    const hd_dims *x = &c->in[0].dims;
    if (hd_need_sequence(c, 0) || hd_need_lengths(c, 2, 0, a->batch_first)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){c->in[0].dtype, hd_state_dims(x, a->batch_first, x->dim[2])};
    return hd_need_like(c, 1, 0, c->out[1].dims);
}

static void time_shift_ref(const hd_ref *r) {
    const hd_time_shift_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, 0, 2, a->batch_first, a->reverse);
    const int64_t n = r->in[0].dims.dim[2];
    const size_t bytes = (size_t)n * hd_dtype_size(r->in[0].dtype);
    const char *x = r->in[0].data, *first = hd_ref_data(r, 1);
    hd_ref_zero(r);
    if (bytes == 0) return;
    for (int64_t b = 0; b < s.b; b++) {
        const int64_t count = hd_steps_count(&s, b);
        const char *before = first ? first + (size_t)b * bytes : NULL;
        for (int64_t i = 0; i <= count; i++) {
            char *to = i < count ? (char *)r->out[0].data + (size_t)hd_steps_row(&s, b, i, count) * bytes
                                 : (char *)r->out[1].data + (size_t)b * bytes;
            if (before) memcpy(to, before, bytes);
            if (i < count) before = x + (size_t)hd_steps_row(&s, b, i, count) * bytes;
        }
    }
}

/* The same the other way: what arrives at last comes in first. */
static void time_shift_rule(hd_grad *c) {
    hd_time_shift_args args = *(const hd_time_shift_args *)c->attr;
    args.x = hd_val_is_none(c->dout[0]) ? hd_fill_like(c->in[0]) : c->dout[0];
    args.first = c->dout[1];
    args.lengths = hd_grad_in(c, 2);
    args.reverse = !args.reverse;
    const hd_val back = hd_time_shift_at(HD_HERE, &args);
    hd_grad_set(c, 0, back);
    hd_grad_set(c, 1, hd_output(back, 1));
}

const hd_op hd_op_time_shift = {
    .name = "time_shift",
    .n_in = 1,
    .n_optional = 2,
    .n_out = 2,
    .in_names = HD_NAMES("x", "first", "lengths"),
    .out_names = HD_NAMES("y", "last"),
    .args_size = sizeof(hd_time_shift_args),
    .options = (const hd_option[]){HD_STEP_OPTIONS(hd_time_shift_args), HD_OPTION_END},
    .infer = time_shift_infer,
    .grad = time_shift_rule,
    .ref = time_shift_ref,
    .cost = hd_cost_copy,
    .formula = "y₀ = first, yₜ = xₜ₋₁; last = the last xₜ",
    .source = "the z⁻¹ of signal processing; Elman: Finding structure in time, 1990",
    .doc =
        "Sequences one step later (with reverse one step earlier): what a recurrent layer had before each step. x is "
        "[t, b, n], or [b, t, n] with batch_first; first, which comes in (none: zeros), and last, which falls out, are "
        "[b, n]. With lengths (i64 [b]) a sequence ends earlier, and y is 0 behind it.",
    .samples =
        (const hd_sample[]){
            {"f32[3,1,1]={1 2 3}, f32[1,1]={9}", "{9 1 2} {3}"},
            {"f32[3,1,1]={1 2 3} | reverse=true", "{2 3 0} {1}"},
            {"f32[2,3,1]={1 2 3 4 5 6}, f32[2,1]={8 9}, i64[2]={2 0} | batch_first=true", "{8 1 0 0 0 0} {2 9}"},
            {"f32[2,3,1]={1 2 3 4 5 6}, f32[2,1]={8 9}, i64[2]={2 3} | batch_first=true reverse=true",
             "{2 8 0 5 6 9} {1 4}"},
            {"f32[4,3,5], f32[3,5]", NULL},
            {"f32[4,3,5], -, i64[3]={4 1 2} | reverse=true", NULL},
            {"f32[3,4,17], f32[3,17], i64[3]={4 1 9} | batch_first=true", NULL},
            {"f32[3,0,2], f32[3,2] | batch_first=true", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,5], f32[4,5]", "first is [4,5], expected [3,5]"},
                                   {"f32[4,3,5], -, i64[4]", "lengths is [4], expected [3]"},
                                   {"f32[4,3]", "x"},
                                   {0}},
};

HD_BUILDER(time_shift, hd_time_shift_args)
