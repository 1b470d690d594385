/* gru.c: gated recurrent units over time. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

static hd_status gru_infer(hd_infer *c) {
    const hd_gru_args *a = c->attr;
    const hd_dtype t = c->in[0].dtype;
    int64_t h;
    if (hd_need_sequence(c, 0) || hd_need_gates(c, 0, 3, &h)) return HD_E_MODEL;
    const hd_dims *x = &c->in[0].dims;
    if (hd_need_matrix(c, 1, 0, 3 * h, h) || hd_need_like(c, 2, 0, HD_DIMS(3 * h))) return HD_E_MODEL;
    c->out[0] = (hd_type){t, hd_last_dim(x, h)};
    c->out[1] = (hd_type){t, hd_state_dims(x, a->batch_first, h)};
    c->out[2] = (hd_type){t, hd_last_dim(x, 4 * h)};
    if (hd_need_like(c, 3, 0, c->out[1].dims)) return HD_E_MODEL;
    return hd_need_lengths(c, 4, 0, a->batch_first);
}

/* One step: gates r, z, n, and what n's gate gets from before. */
#define GRU_STEP                                                                                                       \
    const T *before = HD_STEP_BEFORE(&s, y, h, h0, b, i, count);                                                       \
    const int64_t row = hd_steps_row(&s, b, i, count);                                                                 \
    const T *in = x + row * 3 * h;                                                                                     \
    T *gate = gates + row * 4 * h;                                                                                     \
    for (int64_t j = 0; j < h; j++) {                                                                                  \
        double z[3] = {0, 0, 0};                                                                                       \
        for (int k = 0; k < 3; k++) {                                                                                  \
            z[k] = bias ? (double)bias[k * h + j] : 0;                                                                 \
            for (int64_t l = 0; l < h && before; l++) z[k] += (double)w[(k * h + j) * h + l] * (double)before[l];      \
        }                                                                                                              \
        const double reset = 1 / (1 + exp(-(double)in[j] - z[0])), keep = 1 / (1 + exp(-(double)in[h + j] - z[1]));    \
        const double fresh = tanh((double)in[2 * h + j] + reset * z[2]);                                               \
        gate[j] = (T)reset, gate[h + j] = (T)keep, gate[2 * h + j] = (T)fresh, gate[3 * h + j] = (T)z[2];              \
        y[row * h + j] = (T)((1 - keep) * fresh + (before ? keep * (double)before[j] : 0));                            \
    }

static void gru_ref(const hd_ref *r) {
    const hd_gru_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, 0, 4, a->batch_first, a->reverse);
    const int64_t h = r->in[0].dims.dim[2] / 3;
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *w = r->in[1].data; const T *bias = hd_ref_data(r, 2);
        const T *h0 = hd_ref_data(r, 3); T *y = r->out[0].data; T *gates = r->out[2].data;
        for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            for (int64_t i = 0; i < count; i++) {
                GRU_STEP
            }
            const T *last = HD_STEP_BEFORE(&s, y, h, h0, b, count, count);
            if (last && h) memcpy((T *)r->out[1].data + b * h, last, (size_t)h * sizeof(T));
        })
}

static void gru_rule(hd_grad *c) {
    const hd_gru_args *a = c->attr;
    const hd_val h0 = hd_grad_in(c, 3), lengths = hd_grad_in(c, 4);
    const hd_val dx = hd_gru_grad(c->out[2], c->out[0], c->in[1], h0, c->dout[0], c->dout[1], c->dout[2], lengths,
                                  .reverse = a->reverse, .batch_first = a->batch_first);
    const hd_val dz = hd_output(dx, 1);
    hd_grad_set(c, 0, dx);
    if (c->n_in > 2 && c->needs[2]) c->din[2] = hd_sum(dz, .axes = HD_DIMS(0, 1));
    hd_grad_set(c, 3, hd_output(dx, 2));
    if (!c->needs[1]) return;
    c->din[1] = hd_recurrent_dw(
        dz, hd_time_shift(c->out[0], h0, lengths, .reverse = a->reverse, .batch_first = a->batch_first));
}

static hd_cost gru_cost(const hd_infer *c) {
    return hd_cost_recurrent(c, 0, 1, -1);
}

const hd_op hd_op_gru = {
    .name = "gru",
    .n_in = 2,
    .n_optional = 3,
    .n_out = 3,
    .in_names = HD_NAMES("x", "w_hh", "b_hh", "h0", "lengths"),
    .out_names = HD_NAMES("y", "h_n", "gates"),
    .args_size = sizeof(hd_gru_args),
    .options = (const hd_option[]){HD_STEP_OPTIONS(hd_gru_args), HD_OPTION_END},
    .infer = gru_infer,
    .grad = gru_rule,
    .ref = gru_ref,
    .cost = gru_cost,
    .formula = "s = w_hh yₜ₋₁ + b_hh; r = σ(xᵣ + sᵣ), z = σ(x_z + s_z), n = tanh(xₙ + r sₙ); yₜ = (1 − z) n + z yₜ₋₁",
    .source = "Cho et al.: Learning phrase representations using RNN encoder–decoder, EMNLP 2014; as torch.nn.GRU",
    .doc =
        "Gated recurrent units as a loop over time. x [t, b, 3h] (with batch_first [b, t, 3h]) is what comes from the "
        "input, weights and bias already in it; w_hh [3h, h], b_hh [3h] (none: zeros); h0 [b, h] the first state "
        "(none: "
        "zeros). With lengths (i64 [b]) a sequence ends earlier: y is 0 behind it, h_n is its last state, and reverse "
        "begins there. gates [t, b, 4h] (r, z, n, sₙ) are kept for the gradient.",
    .onnx = "GRU",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,3]={0 0 1}, f32[3,1]={0 0 1}, f32[3]={0 0 1}, f32[1,1]={1}",
             "{0.9820137900} {0.9820137900} {0.5 0.5 0.9640275801 2}"},
            {"f32[4,3,9], f32[9,3]", NULL},
            {"f32[4,3,9], f32[9,3], f32[9], f32[3,3], i64[3]={4 1 2}", NULL},
            {"f32[3,4,9], f32[9,3], f32[9], f32[3,3], i64[3]={0 4 2} | reverse=true batch_first=true", NULL},
            {"f32[4,33,120], f32[120,40]:unit, f32[120], f32[33,40]", NULL},
            {"f32[0,2,6], f32[6,2]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,10], f32[10,2]", "expected 3 gates of equal size"},
                                   {"f32[4,3,6], f32[6,3]", "w_hh is [6,3], expected [6,2]"},
                                   {"f32[4,3,6], f32[6,2], f32[5]", "b_hh is [5], expected [6]"},
                                   {0}},
};

HD_BUILDER(gru, hd_gru_args)
