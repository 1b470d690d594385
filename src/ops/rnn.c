/* rnn.c: Elman's recurrent layer over time, and its backward op. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

enum { TANH, RELU };

static hd_status rnn_infer(hd_infer *c) {
    const hd_rnn_args *a = c->attr;
    if (hd_need_sequence(c, 0)) return HD_E_MODEL;
    const int64_t h = c->in[0].dims.dim[2];
    if (hd_need_matrix(c, 1, 0, h, h) || hd_need_lengths(c, 3, 0, a->batch_first)) return HD_E_MODEL;
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){c->in[0].dtype, hd_state_dims(&c->in[0].dims, a->batch_first, h)};
    return hd_need_like(c, 2, 0, c->out[1].dims);
}

static void rnn_ref(const hd_ref *r) {
    const hd_rnn_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, 0, 3, a->batch_first, a->reverse);
    const int64_t h = r->in[0].dims.dim[2];
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *x = r->in[0].data; const T *w = r->in[1].data; const T *h0 = hd_ref_data(r, 2);
        T *y = r->out[0].data; T *h_n = r->out[1].data; for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            for (int64_t i = 0; i < count; i++) {
                const T *before = HD_STEP_BEFORE(&s, y, h, h0, b, i, count);
                const int64_t at = hd_steps_row(&s, b, i, count) * h;
                for (int64_t j = 0; j < h; j++) {
                    double sum = (double)x[at + j];
                    for (int64_t l = 0; l < h && before; l++) sum += (double)w[j * h + l] * (double)before[l];
                    y[at + j] = (T)(a->nonlinearity == RELU ? (sum > 0 ? sum : 0) : tanh(sum));
                }
            }
            const T *last = HD_STEP_BEFORE(&s, y, h, h0, b, count, count);
            if (last && h) memcpy(h_n + b * h, last, (size_t)h * sizeof(T));
        })
}

static void rnn_rule(hd_grad *c) {
    const hd_rnn_args *a = c->attr;
    const hd_val lengths = hd_grad_in(c, 3);
    const hd_val dx = hd_rnn_grad(c->out[0], c->in[1], c->dout[0], c->dout[1], lengths, .nonlinearity = a->nonlinearity,
                                  .reverse = a->reverse, .batch_first = a->batch_first);
    hd_grad_set(c, 0, dx);
    hd_grad_set(c, 2, hd_output(dx, 1));
    if (!c->needs[1]) return;
    const hd_val before =
        hd_time_shift(c->out[0], hd_grad_in(c, 2), lengths, .reverse = a->reverse, .batch_first = a->batch_first);
    c->din[1] = hd_recurrent_dw(dx, before);
}

static hd_cost rnn_cost(const hd_infer *c) {
    return hd_cost_recurrent(c, 0, 1, -1);
}

const hd_op hd_op_rnn = {
    .name = "rnn",
    .n_in = 2,
    .n_optional = 2,
    .n_out = 2,
    .in_names = HD_NAMES("x", "w_hh", "h0", "lengths"),
    .out_names = HD_NAMES("y", "h_n"),
    .args_size = sizeof(hd_rnn_args),
    .options = HD_RNN_OPTIONS(hd_rnn_args),
    .flags = HD_OP_KINK,
    .infer = rnn_infer,
    .grad = rnn_rule,
    .ref = rnn_ref,
    .cost = rnn_cost,
    .formula = "yₜ = act(xₜ + w_hh yₜ₋₁), y₋₁ = h0",
    .source = "Elman: Finding structure in time, Cognitive Science 14, 1990; as torch.nn.RNN",
    .doc =
        "A recurrent layer as a loop over time. x [t, b, h] (with batch_first [b, t, h]) is what comes from the input, "
        "weights and biases already in it; h0 [b, h] the first state (none: zeros). With lengths (i64 [b]) a sequence "
        "ends earlier: y is 0 behind it, h_n [b, h] is its last state, and reverse begins there.",
    .onnx = "RNN",
    .samples =
        (const hd_sample[]){
            {"f32[3,1,1]={1 -1 2}, f32[1,1]={0.5} | nonlinearity=relu", "{1 0 2} {2}"},
            {"f32[2,2,1]={1 2 3 4}, f32[1,1]={1}, f32[2,1]={1 1} | nonlinearity=relu batch_first=true",
             "{2 4 4 8} {4 8}"},
            {"f32[2,2,1]={1 2 3 4}, f32[1,1]={1}, -, i64[2]={2 1} | nonlinearity=relu batch_first=true reverse=true",
             "{3 2 3 0} {3 3}"},
            {"f32[4,3,5], f32[5,5]", NULL},
            {"f32[4,3,5], f32[5,5], f32[3,5], i64[3]={4 2 1}", NULL},
            {"f32[3,4,5], f32[5,5], f32[3,5], i64[3]={4 2 0} | reverse=true batch_first=true", NULL},
            {"f32[4,2,3], f32[3,3], f32[2,3] | nonlinearity=relu", NULL},
            {"f32[5,33,40], f32[40,40]:unit, f32[33,40]", NULL},
            {"f32[0,2,3], f32[3,3], f32[2,3]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,5], f32[5,4]", "w_hh is [5,4], expected [5,5]"},
                                   {"f32[4,3,5], f32[5,5], f32[4,5]", "h0 is [4,5], expected [3,5]"},
                                   {"f32[4,3,5], f32[5,5], f32[4,5], i64[3] | batch_first=true",
                                    "lengths is [3], expected [4]"},
                                   {"f32[4,3,5], f64[5,5]", "w_hh must be f32"},
                                   {0}},
};

static hd_status rnn_grad_infer(hd_infer *c) {
    const hd_rnn_grad_args *a = c->attr;
    if (hd_need_sequence(c, 0)) return HD_E_MODEL;
    const hd_dims *y = &c->in[0].dims;
    const int64_t h = y->dim[2];
    c->out[0] = c->in[0];
    c->out[1] = (hd_type){c->in[0].dtype, hd_state_dims(y, a->batch_first, h)};
    if (hd_need_matrix(c, 1, 0, h, h) || hd_need_like(c, 2, 0, *y)) return HD_E_MODEL;
    if (hd_need_like(c, 3, 0, c->out[1].dims)) return HD_E_MODEL;
    return hd_need_lengths(c, 4, 0, a->batch_first);
}

/* dh0 holds what arrives at the state while the steps are walked back. */
static void rnn_grad_ref(const hd_ref *r) {
    const hd_rnn_grad_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, 0, 4, a->batch_first, a->reverse);
    const int64_t h = r->in[0].dims.dim[2];
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *y = r->in[0].data; const T *w = r->in[1].data; const T *dy = hd_ref_data(r, 2);
        const T *dh_n = hd_ref_data(r, 3); T *dx = r->out[0].data; for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            T *dh = (T *)r->out[1].data + b * h;
            if (dh_n && h) memcpy(dh, dh_n + b * h, (size_t)h * sizeof(T));
            for (int64_t i = count; i-- > 0;) {
                const int64_t at = hd_steps_row(&s, b, i, count) * h;
                for (int64_t j = 0; j < h; j++) {
                    const double v = (double)y[at + j], d = (double)dh[j] + (dy ? (double)dy[at + j] : 0);
                    dx[at + j] = (T)(a->nonlinearity == RELU ? (v > 0 ? d : 0) : d * (1 - v * v));
                }
                for (int64_t l = 0; l < h; l++) {
                    double sum = 0;
                    for (int64_t j = 0; j < h; j++) sum += (double)dx[at + j] * (double)w[j * h + l];
                    dh[l] = (T)sum;
                }
            }
        })
}

const hd_op hd_op_rnn_grad = {
    .name = "rnn_grad",
    .n_in = 2,
    .n_optional = 3,
    .n_out = 2,
    .in_names = HD_NAMES("y", "w_hh", "dy", "dh_n", "lengths"),
    .out_names = HD_NAMES("dx", "dh0"),
    .args_size = sizeof(hd_rnn_grad_args),
    .options = HD_RNN_OPTIONS(hd_rnn_grad_args),
    .infer = rnn_grad_infer,
    .no_grad_reason = HD_SECOND_REASON,
    .ref = rnn_grad_ref,
    .cost = rnn_cost,
    .formula = "dxₜ = act'(yₜ) (dyₜ + w_hhᵀ dxₜ₊₁), dh0 = w_hhᵀ dx₀",
    .source = "Werbos: Backpropagation through time, Proc. IEEE 78, 1990",
    .doc = "Backward of rnn, from its result y and what arrives at y and at h_n.",
    .samples =
        (const hd_sample[]){{"f32[2,1,1]={0 3}, f32[1,1]={2}, f32[2,1,1]={1 1} | nonlinearity=relu", "{0 1} {0}"},
                            {"f32[2,1,1]={1 3}, f32[1,1]={2}, -, f32[1,1]={1} | nonlinearity=relu", "{2 1} {4}"},
                            {"f32[4,3,5]:unit, f32[5,5], f32[4,3,5], f32[3,5]", NULL},
                            {"f32[3,4,5]:unit, f32[5,5], f32[3,4,5], f32[3,5], i64[3]={4 0 2} | reverse=true "
                             "batch_first=true",
                             NULL},
                            {"f32[5,33,40]:unit, f32[40,40]:unit, f32[5,33,40]", NULL},
                            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,5], f32[5,5], f32[4,3,6]", "dy is [4,3,6], expected [4,3,5]"}, {0}},
};

HD_BUILDER(rnn, hd_rnn_args)
HD_BUILDER(rnn_grad, hd_rnn_grad_args)
