/* gru_grad.c: the backward op of gru. Knows nothing of backends. */
#include "ops/recurrent_kit.h"

enum { GATES, Y, W, H0, DY, DH_N, DGATES, LENGTHS };

static hd_status gru_grad_infer(hd_infer *c) {
    const hd_gru_grad_args *a = c->attr;
    const hd_dtype t = c->in[GATES].dtype;
    int64_t h;
    if (hd_need_sequence(c, GATES) || hd_need_gates(c, GATES, 4, &h)) return HD_E_MODEL;
    const hd_dims *gates = &c->in[GATES].dims, y = hd_last_dim(gates, h);
    c->out[0] = c->out[1] = (hd_type){t, hd_last_dim(gates, 3 * h)};
    c->out[2] = (hd_type){t, hd_state_dims(gates, a->batch_first, h)};
    if (hd_need_matrix(c, W, GATES, 3 * h, h) || hd_need_like(c, Y, GATES, y)) return HD_E_MODEL;
    if (hd_need_like(c, H0, GATES, c->out[2].dims) || hd_need_like(c, DY, GATES, y)) return HD_E_MODEL;
    if (hd_need_like(c, DH_N, GATES, c->out[2].dims) || hd_need_like(c, DGATES, GATES, *gates)) return HD_E_MODEL;
    return hd_need_lengths(c, LENGTHS, GATES, a->batch_first);
}

/* A step back: dh holds what arrives, and leaves for the step before. */
#define GRU_GRAD_STEP                                                                                                  \
    const T *before = HD_STEP_BEFORE(&s, y, h, h0, b, i, count);                                                       \
    const int64_t row = hd_steps_row(&s, b, i, count);                                                                 \
    const T *gate = gates + row * 4 * h;                                                                               \
    T *d = dx + row * 3 * h;                                                                                           \
    T *ds = dz + row * 3 * h;                                                                                          \
    for (int64_t j = 0; j < h; j++) {                                                                                  \
        const double reset = (double)gate[j], keep = (double)gate[h + j], fresh = (double)gate[2 * h + j];             \
        const double sn = (double)gate[3 * h + j];                                                                     \
        double e[4] = {0, 0, 0, 0};                                                                                    \
        for (int k = 0; k < 4 && dgates; k++) e[k] = (double)dgates[row * 4 * h + k * h + j];                          \
        const double at = (double)dh[j] + (dy ? (double)dy[row * h + j] : 0);                                          \
        const double dn = (at * (1 - keep) + e[2]) * (1 - fresh * fresh);                                              \
        d[j] = ds[j] = (T)((dn * sn + e[0]) * reset * (1 - reset));                                                    \
        d[h + j] = ds[h + j] = (T)((at * ((before ? (double)before[j] : 0) - fresh) + e[1]) * keep * (1 - keep));      \
        d[2 * h + j] = (T)dn;                                                                                          \
        ds[2 * h + j] = (T)(dn * reset + e[3]);                                                                        \
        dh[j] = (T)(at * keep);                                                                                        \
    }                                                                                                                  \
    for (int64_t l = 0; l < h; l++) {                                                                                  \
        double sum = (double)dh[l];                                                                                    \
        for (int64_t j = 0; j < 3 * h; j++) sum += (double)ds[j] * (double)w[j * h + l];                               \
        dh[l] = (T)sum;                                                                                                \
    }

static void gru_grad_ref(const hd_ref *r) {
    const hd_gru_grad_args *a = r->attr;
    const hd_steps s = hd_ref_steps(r, GATES, LENGTHS, a->batch_first, a->reverse);
    const int64_t h = r->in[GATES].dims.dim[2] / 4;
    hd_ref_zero(r);
    HD_FLOATS(
        r->out[0].dtype, const T *gates = r->in[GATES].data; const T *y = r->in[Y].data; const T *w = r->in[W].data;
        const T *h0 = hd_ref_data(r, H0); const T *dy = hd_ref_data(r, DY); const T *dh_n = hd_ref_data(r, DH_N);
        const T *dgates = hd_ref_data(r, DGATES); T *dx = r->out[0].data; T *dz = r->out[1].data;
        for (int64_t b = 0; b < s.b; b++) {
            const int64_t count = hd_steps_count(&s, b);
            T *dh = (T *)r->out[2].data + b * h;
            if (dh_n && h) memcpy(dh, dh_n + b * h, (size_t)h * sizeof(T));
            for (int64_t i = count; i-- > 0;) {
                GRU_GRAD_STEP
            }
        })
}

static hd_cost gru_grad_cost(const hd_infer *c) {
    return hd_cost_recurrent(c, GATES, W, -1);
}

const hd_op hd_op_gru_grad = {
    .name = "gru_grad",
    .n_in = 3,
    .n_optional = 5,
    .n_out = 3,
    .in_names = HD_NAMES("gates", "y", "w_hh", "h0", "dy", "dh_n", "dgates", "lengths"),
    .out_names = HD_NAMES("dx", "dz", "dh0"),
    .args_size = sizeof(hd_gru_grad_args),
    .options = (const hd_option[]){HD_STEP_OPTIONS(hd_gru_grad_args), HD_OPTION_END},
    .infer = gru_grad_infer,
    .no_grad_reason = HD_SECOND_REASON,
    .ref = gru_grad_ref,
    .cost = gru_grad_cost,
    .formula = "dhₜ = dyₜ + dhₜ₊₁ zₜ₊₁ + w_hhᵀ dzₜ₊₁; dx, dz = slopes of the gates times what arrives",
    .source = "Werbos 1990; Cho et al. 2014",
    .doc = "Backward of gru, from its gates and results and what arrives at them: dx for the input's share of the "
           "gates, dz "
           "for w_hh h + b_hh, both [t, b, 3h].",
    .samples =
        (const hd_sample[]){
            {"f32[1,1,4]={0.5 0.5 0 2}, f32[1,1,1]={0.5}, f32[3,1]={0 0 1}, f32[1,1]={1}, f32[1,1,1]={1}",
             "{0.25 0.25 0.5} {0.25 0.25 0.25} {0.75}"},
            {"f32[4,3,12]:unit, f32[4,3,3], f32[9,3], f32[3,3], f32[4,3,3], f32[3,3]", NULL},
            {"f32[3,4,12]:unit, f32[3,4,3], f32[9,3], -, f32[3,4,3], f32[3,3], f32[3,4,12], i64[3]={4 1 0} | "
             "batch_first=true reverse=true",
             NULL},
            {"f32[4,33,160]:unit, f32[4,33,40], f32[120,40]:unit, f32[33,40], f32[4,33,40]", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4,3,8], f32[4,3,3], f32[6,2]", "y is [4,3,3], expected [4,3,2]"}, {0}},
};

HD_BUILDER(gru_grad, hd_gru_grad_args)
