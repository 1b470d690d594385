/* lstm_grad.c: the backward op of lstm. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

enum { GATES, C, W, C0, W_HR, DY, DH_N, DC_N, DGATES, DC, LENGTHS };

static hd_status lstm_grad_infer(hd_infer *c) {
    const hd_lstm_grad_args *a = c->attr;
    const hd_dtype t = c->in[GATES].dtype;
    int64_t h;
    if (hd_need_sequence(c, GATES) || hd_need_gates(c, GATES, 4, &h)) return HD_E_MODEL;
    const hd_dims *gates = &c->in[GATES].dims, state = hd_state_dims(gates, a->batch_first, h);
    const bool projected = !hd_absent(c, W_HR);
    if (hd_need_matrix(c, W, GATES, 4 * h, projected ? -1 : h)) return HD_E_MODEL;
    const int64_t p = c->in[W].dims.dim[1];
    if (projected && hd_need_matrix(c, W_HR, GATES, p, h)) return HD_E_MODEL;
    c->out[0] = c->in[GATES];
    c->out[1] = (hd_type){t, hd_state_dims(gates, a->batch_first, p)};
    c->out[2] = (hd_type){t, state};
    c->out[3] = (hd_type){t, projected ? hd_last_dim(gates, p) : HD_DIMS(0)};
    const struct {
        int input;
        hd_dims dims;
    } want[] = {{C, hd_last_dim(gates, h)}, {C0, state},   {DY, hd_last_dim(gates, p)},
                {DH_N, c->out[1].dims},     {DC_N, state}, {DGATES, *gates},
                {DC, hd_last_dim(gates, h)}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (hd_need_like(c, want[i].input, GATES, want[i].dims)) return HD_E_MODEL;
    return hd_need_lengths(c, LENGTHS, GATES, a->batch_first);
}

/* A step back: dh (and, with a projection, its row of out 3) and dc hold what arrives; dc, then dh, leave for the step
 * before. */
#define LSTM_GRAD_STEP                                                                                                 \
    const T *c_before = HD_STEP_BEFORE(&s, c, h, c0, b, i, count);                                                     \
    const int64_t row = hd_steps_row(&s, b, i, count);                                                                 \
    const T *gate = gates + row * 4 * h;                                                                               \
    T *d = dx + row * 4 * h;                                                                                           \
    for (int64_t l = 0; l < p; l++) {                                                                                  \
        if (dy) dh[l] = (T)(dh[l] + dy[row * p + l]);                                                                  \
        if (wr) dhs[row * p + l] = dh[l];                                                                              \
    }                                                                                                                  \
    for (int64_t j = 0; j < h; j++) {                                                                                  \
        const double in = (double)gate[j], f = (double)gate[h + j], g = (double)gate[2 * h + j];                       \
        const double o = (double)gate[3 * h + j], th = tanh((double)c[row * h + j]);                                   \
        double dm = wr ? 0 : (double)dh[j];                                                                            \
        for (int64_t l = 0; l < p && wr; l++) dm += (double)dh[l] * (double)wr[l * h + j];                             \
        double e[4] = {0, 0, 0, 0};                                                                                    \
        for (int k = 0; k < 4 && dgates; k++) e[k] = (double)dgates[row * 4 * h + k * h + j];                          \
        const double dcell = (double)dc[j] + (dcs ? (double)dcs[row * h + j] : 0) + dm * o * (1 - th * th);            \
        d[j] = (T)((dcell * g + e[0]) * in * (1 - in));                                                                \
        d[h + j] = (T)(((c_before ? dcell * (double)c_before[j] : 0) + e[1]) * f * (1 - f));                           \
        d[2 * h + j] = (T)((dcell * in + e[2]) * (1 - g * g));                                                         \
        d[3 * h + j] = (T)((dm * th + e[3]) * o * (1 - o));                                                            \
        dc[j] = (T)(dcell * f);                                                                                        \
    }                                                                                                                  \
    for (int64_t l = 0; l < p; l++) {                                                                                  \
        double sum = 0;                                                                                                \
        for (int64_t j = 0; j < 4 * h; j++) sum += (double)d[j] * (double)w[j * p + l];                                \
        dh[l] = (T)sum;                                                                                                \
    }

static void lstm_grad_ref(const hd_ref *r) {
    const hd_lstm_grad_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, GATES, LENGTHS, a->batch_first, a->reverse);
    const int64_t h = r->in[GATES].dims.dim[2] / 4, p = r->in[W].dims.dim[1];
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *gates = r->in[GATES].data; const T *c = r->in[C].data; const T *w = r->in[W].data;
        const T *c0 = hd_ref_data(r, C0); const T *wr = hd_ref_data(r, W_HR); const T *dy = hd_ref_data(r, DY);
        const T *dh_n = hd_ref_data(r, DH_N); const T *dc_n = hd_ref_data(r, DC_N);
        const T *dgates = hd_ref_data(r, DGATES); const T *dcs = hd_ref_data(r, DC); T *dx = r->out[0].data;
        T *dhs = r->out[3].data; for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            T *dh = (T *)r->out[1].data + b * p;
            T *dc = (T *)r->out[2].data + b * h;
            if (dh_n && p) memcpy(dh, dh_n + b * p, (size_t)p * sizeof(T));
            if (dc_n && h) memcpy(dc, dc_n + b * h, (size_t)h * sizeof(T));
            for (int64_t i = count; i-- > 0;) {
                LSTM_GRAD_STEP
            }
        })
}

static hd_cost lstm_grad_cost(const hd_infer *c) {
    return hd_cost_recurrent(c, GATES, W, W_HR);
}

const hd_op hd_op_lstm_grad = {
    .name = "lstm_grad",
    .n_in = 3,
    .n_optional = 8,
    .n_out = 4,
    .in_names = HD_NAMES("gates", "c", "w_hh", "c0", "w_hr", "dy", "dh_n", "dc_n", "dgates", "dc", "lengths"),
    .out_names = HD_NAMES("dx", "dh0", "dc0", "dh"),
    .args_size = sizeof(hd_lstm_grad_args),
    .options = (const hd_option[]){HD_STEP_OPTIONS(hd_lstm_grad_args), HD_OPTION_END},
    .infer = lstm_grad_infer,
    .no_grad_reason = HD_SECOND_REASON,
    .ref = lstm_grad_ref,
    .cost = lstm_grad_cost,
    .formula =
        "dhₜ = dyₜ + w_hhᵀ dxₜ₊₁; dcₜ = dcₜ₊₁ fₜ₊₁ + dhₜ o (1 − tanh² cₜ); dx = slopes of the gates times what arrives",
    .source = "Werbos 1990; Gers, Schmidhuber, Cummins: Learning to forget, 2000",
    .doc =
        "Backward of lstm, from its gates and cells and what arrives at its results. dh [t, b, p], all that arrives at "
        "the output of each step, is for the gradient of the projection, and has no elements without one.",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,4]={0.5 0.5 0.5 0.5}, f32[1,1,1]={0}, f32[4,1]={1 1 1 1}, -, -, f32[1,1,1]={1}",
             "{0.0625 0 0.1875 0} {0.25} {0.25} {}"},
            {"f32[4,3,12]:unit, f32[4,3,3], f32[12,3], f32[3,3], -, f32[4,3,3], f32[3,3], f32[3,3]", NULL},
            {"f32[3,4,12]:unit, f32[3,4,3], f32[12,2], -, f32[2,3], f32[3,4,2], f32[3,2], -, f32[3,4,12], f32[3,4,3], "
             "i64[3]={4 1 0} | batch_first=true reverse=true",
             NULL},
            {"f32[4,33,160]:unit, f32[4,33,40], f32[160,40]:unit, f32[33,40], -, f32[4,33,40]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,8], f32[4,3,3], f32[8,2]", "c is [4,3,3], expected [4,3,2]"}, {0}},
};

HD_BUILDER(lstm_grad, hd_lstm_grad_args)
