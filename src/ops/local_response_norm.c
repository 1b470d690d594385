/* local_response_norm.c: normalisation by the neighbouring channels at the same place, and its backward op. Knows
 * nothing of backends. */
#include "ops/norm_kit.h"

static hd_status neighbours_infer(hd_infer *c, int64_t size) {
    if (hd_need_by_channel(c, 0)) return HD_E_MODEL;
    if (size < 1) return hd_infer_fail(c, "size must be given: the number of neighbouring channels");
    c->out[0] = c->in[0];
    return HD_OK;
}

static hd_status lrn_infer(hd_infer *c) {
    return neighbours_infer(c, ((const hd_local_response_norm_args *)c->attr)->size);
}

/* The channels c − before … c + after that there are. */
typedef struct span {
    int64_t from, to;
} span;
static span channels_around(int64_t c, int64_t before, int64_t after, int64_t n) {
    return (span){c > before ? c - before : 0, after < n - 1 - c ? c + after : n - 1};
}

/* k + alpha/size · Σ x² over the channels c − size/2 … c + (size − 1)/2; beyond the rim are zeros. */
#define LRN_BASE(name_, x_, at_)                                                                                       \
    double name_ = 0;                                                                                                  \
    const span name_##_of = channels_around(at_, a->size / 2, (a->size - 1) / 2, z.n);                                 \
    for (int64_t q = name_##_of.from; q <= name_##_of.to; q++)                                                         \
        name_ += (double)(x_)[q * z.inner] * (double)(x_)[q * z.inner];                                                \
    name_ = a->k + a->alpha / (double)a->size * name_;

static void lrn_ref(const hd_ref *r) {
    const hd_local_response_norm_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    HD_FLOATS(
        r->out[0].dtype, for (int64_t o = 0; o < z.outer; o++) for (int64_t i = 0; i < z.inner; i++) {
            const T *x = (const T *)r->in[0].data + o * z.n * z.inner + i;
            T *y = (T *)r->out[0].data + o * z.n * z.inner + i;
            for (int64_t c = 0; c < z.n; c++) {
                LRN_BASE(base, x, c)
                y[c * z.inner] = (T)((double)x[c * z.inner] * pow(base, -a->beta));
            }
        })
}

/* dx = dy·s^−β − 2αβ/size · x · Σ dy x s^(−β−1) over the channels whose window holds this one. */
static void lrn_grad_ref(const hd_ref *r) {
    const hd_local_response_norm_grad_args *a = r->attr;
    const hd_axis_split z = hd_split_at(&r->in[0].dims, 1);
    const double factor = 2 * a->alpha * a->beta / (double)a->size;
    HD_FLOATS(
        r->out[0].dtype, for (int64_t o = 0; o < z.outer; o++) for (int64_t i = 0; i < z.inner; i++) {
            const int64_t first = o * z.n * z.inner + i;
            const T *x = (const T *)r->in[0].data + first, *dy = (const T *)r->in[1].data + first;
            T *dx = (T *)r->out[0].data + first;
            for (int64_t c = 0; c < z.n; c++) {
                double sum = 0;
                const span near = channels_around(c, (a->size - 1) / 2, a->size / 2, z.n);
                for (int64_t j = near.from; j <= near.to; j++) {
                    LRN_BASE(base, x, j)
                    sum += (double)dy[j * z.inner] * (double)x[j * z.inner] * pow(base, -a->beta - 1);
                }
                LRN_BASE(base, x, c)
                dx[c * z.inner] =
                    (T)((double)dy[c * z.inner] * pow(base, -a->beta) - factor * (double)x[c * z.inner] * sum);
            }
        })
}

static void lrn_rule(hd_grad *c) {
    const hd_local_response_norm_args *a = c->attr;
    c->din[0] = hd_local_response_norm_grad(c->in[0], c->dout[0], .size = a->size, .alpha = hd_explicit(a->alpha),
                                            .beta = hd_explicit(a->beta), .k = hd_explicit(a->k));
}

/* ---- second derivative ---- */

/* Σ over the channels c − before … c + after. */
static hd_val window_sum(hd_val x, int64_t before, int64_t after) {
    hd_pad_args pad = {.x = x, .before = {.rank = hd_val_dims(x).rank}, .after = {.rank = hd_val_dims(x).rank}};
    pad.before.dim[1] = before;
    pad.after.dim[1] = after;
    const hd_val parts = hd_unfold(hd_pad_at(HD_HERE, &pad), .axis = HD_AXIS(1), .size = before + after + 1);
    return hd_sum(parts, .axes = HD_DIMS(-1));
}

/* With S = k + α/n W(x²), f = 2αβ/n, z = W(u x): Σ u dx = Σ u dy S^−β − f z dy x S^(−β−1); W' looks the other way. */
static void lrn_grad_rule(hd_grad *c) {
    const hd_local_response_norm_grad_args *a = c->attr;
    const hd_val x = c->in[0], dy = c->in[1], u = c->dout[0];
    const int64_t before = a->size / 2, after = (a->size - 1) / 2;
    const double each = a->alpha / (double)a->size, factor = 2 * each * a->beta;
    const hd_val s =
        hd_affine(window_sum(hd_mul(x, x), before, after), .scale = hd_explicit(each), .shift = hd_explicit(a->k));
    const hd_val p = hd_pow(s, .exponent = hd_explicit(-a->beta)), q = hd_div(p, s);
    const hd_val z = hd_affine(window_sum(hd_mul(u, x), before, after), .scale = hd_explicit(factor));
    if (c->needs[1]) c->din[1] = hd_sub(hd_mul(u, p), hd_mul(z, hd_mul(x, q)));
    if (!c->needs[0]) return;
    const hd_val t = hd_mul(dy, q);
    const hd_val back = hd_affine(window_sum(hd_mul(t, x), after, before), .scale = hd_explicit(factor));
    const hd_val ds = hd_sub(hd_affine(hd_mul(hd_mul(z, x), hd_div(t, s)), .scale = a->beta + 1),
                             hd_affine(hd_mul(u, t), .scale = hd_explicit(a->beta)));
    const hd_val through = hd_affine(hd_mul(x, window_sum(ds, after, before)), .scale = hd_explicit(2 * each));
    c->din[0] = hd_sub(through, hd_add(hd_mul(z, t), hd_mul(u, back)));
}

static hd_status lrn_grad_infer(hd_infer *c) {
    if (neighbours_infer(c, ((const hd_local_response_norm_grad_args *)c->attr)->size)) return HD_E_MODEL;
    return hd_need_same(c, 0, 1);
}

static hd_cost lrn_cost(const hd_infer *c) {
    return hd_cost_of(c, 16 * hd_cost_elements(&c->in[0]));
}

#define LRN_OPTIONS(args_)                                                                                             \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(INT, args_, size, .min = 0, .max = HD_MAX_WINDOW, .help = "neighbouring channels that count"),       \
            HD_OPTION(FLOAT, args_, alpha, .def = 1e-4, .min = -1e30, .max = 1e30,                                     \
                      .help = "factor of the mean square"),                                                            \
            HD_OPTION(FLOAT, args_, beta, .def = 0.75, .min = -1e3, .max = 1e3, .help = "exponent"),                   \
            HD_OPTION(FLOAT, args_, k, .def = 1, .min = -1e30, .max = 1e30, .help = "added to the mean square"),       \
            HD_OPTION_END                                                                                              \
    }

const hd_op hd_op_local_response_norm = {
    .name = "local_response_norm",
    .n_in = 1,
    .n_out = 1,
    .args_size = sizeof(hd_local_response_norm_args),
    .options = LRN_OPTIONS(hd_local_response_norm_args),
    .infer = lrn_infer,
    .grad = lrn_rule,
    .ref = lrn_ref,
    .cost = lrn_cost,
    .formula = "y = x / (k + alpha/size · Σ x²)^beta, the sum over `size` channels around x's own",
    .source = "Krizhevsky, Sutskever, Hinton: ImageNet classification, NIPS 2012, section 3.3 (alpha there is "
              "alpha/size here); as torch.nn.functional.local_response_norm",
    .doc = "Divides each element by a power of the mean square of its neighbours in the channels beside, at the same "
           "place: channels that answer strongly hold their neighbours down.",
    .onnx = "LRN",
    .samples = (const hd_sample[]){{"f32[1,3,1]={1 2 3} | size=3 alpha=3 beta=1", "{0.1666666667 0.1333333333 "
                                                                                  "0.2142857143}"},
                                   {"f32[1,2,1]={1 2} | size=2 alpha=2 beta=0.5 k=4", "{0.4472135955 0.6666666667}"},
                                   {"f32[2,7,5,5] | size=5", NULL},
                                   {"f32[2,6,19] | size=5 alpha=0.5 k=2", NULL},
                                   {"f32[3,4] | size=3 alpha=0.7 beta=0.6", NULL},
                                   {"f32[2,5,3,3] | size=4 alpha=1 beta=0.5", NULL},
                                   {"f32[2,3,4] | size=9 alpha=1 beta=1", NULL},
                                   {"f32[0,3,4] | size=2", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3,4]", "size must be given"}, {"f32[3] | size=2", "must be [n, c, …]"}, {0}},
};

const hd_op hd_op_local_response_norm_grad = {
    .name = "local_response_norm_grad",
    .n_in = 2,
    .n_out = 1,
    .in_names = HD_NAMES("x", "dy"),
    .out_names = HD_NAMES("dx"),
    .args_size = sizeof(hd_local_response_norm_grad_args),
    .options = LRN_OPTIONS(hd_local_response_norm_grad_args),
    .infer = lrn_grad_infer,
    .grad = lrn_grad_rule,
    .ref = lrn_grad_ref,
    .cost = lrn_cost,
    .formula = "s = k + alpha/size · Σ x², dx = dy s^−beta − 2·alpha·beta/size · x · Σ dy x s^(−beta−1)",
    .source = "derivative of local_response_norm",
    .doc = "Back-propagation through local_response_norm: an element reaches the results of its neighbours too.",
    .samples = (const hd_sample[]){{"f32[1,1,1]={1}, f32[1,1,1]={2} | size=1 alpha=1 beta=1", "{0}"},
                                   {"f32[2,7,5,5], f32[2,7,5,5] | size=5", NULL},
                                   {"f32[2,6,19], f32[2,6,19] | size=4 alpha=0.5 k=2", NULL},
                                   {"f32[3,4], f32[3,4] | size=3 alpha=0.7 beta=0.6", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2,4] | size=2", "dy [2,4] must have the same shape"}, {0}},
};

HD_BUILDER(local_response_norm, hd_local_response_norm_args)
HD_BUILDER(local_response_norm_grad, hd_local_response_norm_grad_args)
