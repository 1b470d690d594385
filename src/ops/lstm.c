/* lstm.c: long short-term memory over time. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

static hd_status lstm_infer(hd_infer *c) {
    const hd_lstm_args *a = c->attr;
    const hd_dtype t = c->in[0].dtype;
    int64_t h;
    if (hd_need_sequence(c, 0) || hd_need_gates(c, 0, 4, &h)) return HD_E_MODEL;
    const hd_dims *x = &c->in[0].dims;
    if (hd_need_matrix(c, 1, 0, 4 * h, hd_absent(c, 4) ? h : -1)) return HD_E_MODEL;
    const int64_t p = c->in[1].dims.dim[1];
    if (!hd_absent(c, 4) && hd_need_matrix(c, 4, 0, p, h)) return HD_E_MODEL;
    c->out[0] = (hd_type){t, hd_last_dim(x, p)};
    c->out[1] = (hd_type){t, hd_state_dims(x, a->batch_first, p)};
    c->out[2] = (hd_type){t, hd_state_dims(x, a->batch_first, h)};
    c->out[3] = c->in[0];
    c->out[4] = (hd_type){t, hd_last_dim(x, h)};
    if (hd_need_like(c, 2, 0, c->out[1].dims) || hd_need_like(c, 3, 0, c->out[2].dims)) return HD_E_MODEL;
    return hd_need_lengths(c, 5, 0, a->batch_first);
}

/* One step: gates in the order i, f, g, o. */
#define LSTM_STEP                                                                                                      \
    const T *before = HD_STEP_BEFORE(&s, y, p, h0, b, i, count);                                                       \
    const T *c_before = HD_STEP_BEFORE(&s, c, h, c0, b, i, count);                                                     \
    const int64_t row = hd_steps_row(&s, b, i, count);                                                                 \
    T *gate = gates + row * 4 * h;                                                                                     \
    for (int64_t j = 0; j < 4 * h; j++) {                                                                              \
        double sum = (double)x[row * 4 * h + j];                                                                       \
        for (int64_t l = 0; l < p && before; l++) sum += (double)w[j * p + l] * (double)before[l];                     \
        gate[j] = (T)(j / h == 2 ? tanh(sum) : 1 / (1 + exp(-sum)));                                                   \
    }                                                                                                                  \
    for (int64_t j = 0; j < h; j++) {                                                                                  \
        const double kept = c_before ? (double)gate[h + j] * (double)c_before[j] : 0;                                  \
        c[row * h + j] = (T)(kept + (double)gate[j] * (double)gate[2 * h + j]);                                        \
    }                                                                                                                  \
    for (int64_t l = 0; l < p; l++) {                                                                                  \
        double sum = 0;                                                                                                \
        for (int64_t j = wr ? 0 : l; j < (wr ? h : l + 1); j++)                                                        \
            sum += (wr ? (double)wr[l * h + j] : 1) * (double)gate[3 * h + j] * tanh((double)c[row * h + j]);          \
        y[row * p + l] = (T)sum;                                                                                       \
    }

static void lstm_ref(const hd_ref *r) {
    const hd_lstm_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, 0, 5, a->batch_first, a->reverse);
    const int64_t h = r->in[0].dims.dim[2] / 4, p = r->in[1].dims.dim[1];
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *w = r->in[1].data; const T *h0 = hd_ref_data(r, 2);
        const T *c0 = hd_ref_data(r, 3); const T *wr = hd_ref_data(r, 4); T *y = r->out[0].data;
        T *gates = r->out[3].data; T *c = r->out[4].data; for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            for (int64_t i = 0; i < count; i++) {
                LSTM_STEP
            }
            const T *h_n = HD_STEP_BEFORE(&s, y, p, h0, b, count, count);
            const T *c_n = HD_STEP_BEFORE(&s, c, h, c0, b, count, count);
            if (h_n && p) memcpy((T *)r->out[1].data + b * p, h_n, (size_t)p * sizeof(T));
            if (c_n && h) memcpy((T *)r->out[2].data + b * h, c_n, (size_t)h * sizeof(T));
        })
}

/* What the projection got at each step: o tanh(c). */
static hd_val unprojected(const hd_grad *c) {
    const int64_t h = hd_val_dims(c->out[4]).dim[2];
    const hd_val o = hd_slice(c->out[3], .axis = -1, .start = 3 * h);
    return hd_mul(o, hd_tanh(c->out[4]));
}

static void lstm_rule(hd_grad *c) {
    const hd_lstm_args *a = c->attr;
    const hd_val h0 = hd_grad_in(c, 2), c0 = hd_grad_in(c, 3), w_hr = hd_grad_in(c, 4), lengths = hd_grad_in(c, 5);
    const hd_val dx =
        hd_lstm_grad(c->out[3], c->out[4], c->in[1], c0, w_hr, c->dout[0], c->dout[1], c->dout[2], c->dout[3],
                     c->dout[4], lengths, .reverse = a->reverse, .batch_first = a->batch_first);
    hd_grad_set(c, 0, dx);
    hd_grad_set(c, 2, hd_output(dx, 1));
    hd_grad_set(c, 3, hd_output(dx, 2));
    if (c->needs[1]) {
        const hd_val before =
            hd_time_shift(c->out[0], h0, lengths, .reverse = a->reverse, .batch_first = a->batch_first);
        c->din[1] = hd_recurrent_dw(dx, before);
    }
    if (c->n_in > 4 && c->needs[4]) c->din[4] = hd_recurrent_dw(hd_output(dx, 3), unprojected(c));
}

static hd_cost lstm_cost(const hd_infer *c) {
    return hd_cost_recurrent(c, 0, 1, 4);
}

const hd_op hd_op_lstm = {
    .name = "lstm",
    .n_in = 2,
    .n_optional = 4,
    .n_out = 5,
    .in_names = HD_NAMES("x", "w_hh", "h0", "c0", "w_hr", "lengths"),
    .out_names = HD_NAMES("y", "h_n", "c_n", "gates", "c"),
    .args_size = sizeof(hd_lstm_args),
    .options = (const hd_option[]){HD_STEP_OPTIONS(hd_lstm_args), HD_OPTION_END},
    .infer = lstm_infer,
    .grad = lstm_rule,
    .ref = lstm_ref,
    .cost = lstm_cost,
    .formula = "(i f g o) = (σ σ tanh σ)(xₜ + w_hh yₜ₋₁), cₜ = f cₜ₋₁ + i g, yₜ = o tanh cₜ (times w_hr)",
    .source = "Hochreiter, Schmidhuber: Long short-term memory, 1997; Gers et al. 2000 (forget gate); Sak et al. 2014 "
              "(projection); as torch.nn.LSTM",
    .doc =
        "Long short-term memory as a loop over time. x [t, b, 4h] (with batch_first [b, t, 4h]) is what comes from the "
        "input, weights and both biases already in it; w_hh [4h, p]; h0 [b, p] and c0 [b, h] the first state (none: "
        "zeros); w_hr [p, h] projects the output (none: p = h). With lengths (i64 [b]) a sequence ends earlier: y is 0 "
        "behind it, h_n and c_n are its last state, and reverse begins there. gates [t, b, 4h] and c [t, b, h] are "
        "kept "
        "for the gradient.",
    .onnx = "LSTM",
    .samples =
        (const hd_sample[]){
            {"f32[2,1,4]={0 0 1 0 0 0 1 0}, f32[4,1]={0 0 0 0}, f32[1,1]={5}, f32[1,1]={1}",
             "{0.3534092046 0.3378600505} {0.3378600505} {0.8211956170} "
             "{0.5 0.5 0.7615941560 0.5 0.5 0.5 0.7615941560 0.5} {0.8807970780 0.8211956170}"},
            {"f32[4,3,20], f32[20,5]", NULL},
            {"f32[4,3,12], f32[12,3], f32[3,3], f32[3,3], -, i64[3]={4 1 2}", NULL},
            {"f32[3,4,12], f32[12,3], f32[3,3], f32[3,3], -, i64[3]={0 4 2} | reverse=true batch_first=true", NULL},
            {"f32[3,2,16], f32[16,3], f32[2,3], f32[2,4], f32[3,4]", NULL},
            {"f32[3,2,12], f32[12,2], -, -, f32[2,3], i64[2]={3 1} | reverse=true", NULL},
            {"f32[4,33,160], f32[160,40]:unit, f32[33,40], f32[33,40]", NULL},
            {"f32[0,2,8], f32[8,2], f32[2,2]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,10], f32[10,2]", "expected 4 gates of equal size"},
                                   {"f32[4,3,8], f32[8,3]", "w_hh is [8,3], expected [8,2]"},
                                   {"f32[4,3,8], f32[8,1], -, -, f32[2,1]", "w_hr is [2,1], expected [1,2]"},
                                   {"f32[4,3,8], f32[8,2], f32[3,2], f32[3,3]", "c0 is [3,3], expected [3,2]"},
                                   {0}},
};

HD_BUILDER(lstm, hd_lstm_args)
