/* scaled_dot_product_attention_grad.c: back-propagation through attention, which finds the weights again from the
 * logarithms of the sums; and what needs the whole matrix of weights, in other ops. Knows nothing of backends. */
#include "base/alloc.h"
#include "ops/attention_kit.h"
#include "ops/op_kit.h"

typedef hd_scaled_dot_product_attention_grad_args grad_args;

/* ---- in other ops ---- */

static int64_t heads_of(hd_val x) {
    const hd_dims dims = hd_val_dims(x);
    return dims.rank > 2 ? dims.dim[dims.rank - 3] : 1;
}

hd_val hd_attention_spread(hd_val k, hd_val q) {
    const int64_t have = heads_of(k), want = heads_of(q);
    return have == want || have < 1 ? k : hd_repeat_interleave(k, .repeats = want / have, .axis = -3);
}

hd_val hd_attention_gather(hd_val d, hd_val k) {
    const int64_t have = heads_of(d), want = heads_of(k);
    if (have == want || want < 1) return d;
    hd_dims dims = hd_val_dims(d);
    const int heads = dims.rank - 3;
    for (int i = dims.rank++; i > heads + 1; i--) dims.dim[i] = dims.dim[i - 1];
    dims.dim[heads] = want;
    dims.dim[heads + 1] = have / want;
    return hd_sum(hd_reshape(d, .dims = dims), .axes = HD_DIMS(heads + 1));
}

/* True where row i may not see column j. */
static hd_val future(hd_graph *g, int64_t rows, int64_t columns) {
    hd_context *ctx = hd_graph_context(g);
    uint8_t *hidden = hd_alloc(ctx, (size_t)(rows * columns) + 1);
    if (!hidden) {
        hd_graph_fail(g, HD_E_MEMORY, "|out of memory");
        return (hd_val){0};
    }
    for (int64_t i = 0; i < rows * columns; i++) hidden[i] = i % columns > i / columns;
    const hd_val v = hd_const(g, HD_BOOL, HD_DIMS(rows, columns), hidden);
    hd_free(ctx, hidden);
    return v;
}

hd_val hd_attention_scores(const grad_args *a, hd_val k, double never) {
    const hd_dims dq = hd_val_dims(a->q), dk = hd_val_dims(k);
    if (dq.rank < 2 || dk.rank < 2) return (hd_val){0};
    const hd_attention z = hd_attention_of(&dq, &dk, &dk, NULL, a->scale, a->is_causal);
    hd_val s = hd_affine(hd_matmul(a->q, k, .trans_b = true), .scale = z.scale);
    if (!hd_val_is_none(a->mask) && hd_val_dtype(a->mask) == HD_BOOL)
        s = hd_masked_fill(s, hd_logical_not(a->mask), .value = never);
    else if (!hd_val_is_none(a->mask))
        s = hd_add(s, a->mask);
    return z.causal ? hd_masked_fill(s, future(a->q.graph, z.rows, z.columns), .value = never) : s;
}

hd_attention_unrolled hd_attention_unroll(const grad_args *a) {
    hd_attention_unrolled u = {.k = hd_attention_spread(a->k, a->q), .v = hd_attention_spread(a->v, a->q)};
    const hd_dims last = HD_DIMS(-1);
    /* a row that sees nothing has the sum 0: any finite number keeps its weights 0 */
    const hd_val lse = hd_unsqueeze(hd_clamp(a->lse, .min = -1e30), .axis = -1);
    u.weights = hd_exp(hd_sub(hd_attention_scores(a, u.k, -INFINITY), lse));
    hd_val away = hd_sum(hd_mul(a->dy, a->y), .axes = last, .keepdim = true);
    if (!hd_val_is_none(a->dlse)) away = hd_sub(away, hd_unsqueeze(a->dlse, .axis = -1));
    u.centred = hd_sub(hd_matmul(a->dy, u.v, .trans_b = true), away);
    u.slope = hd_mul(u.weights, u.centred);
    return u;
}

/* ---- the op ---- */

static hd_status attention_grad_infer(hd_infer *c) {
    const grad_args *a = c->attr;
    char text[192];
    if (hd_infer_attention(c, 6, a->enable_gqa)) return HD_E_MODEL;
    hd_dims y = c->in[0].dims, lse = y;
    y.dim[y.rank - 1] = c->in[2].dims.dim[y.rank - 1];
    lse.rank--;
    for (int i = 3; i < 8; i++) {
        const hd_dims *want = i == 4 || i == 7 ? &lse : &y;
        if (i == 6 || hd_absent(c, i)) continue;
        if (hd_need_dtype(c, i, c->in[0].dtype)) return HD_E_MODEL;
        if (!hd_dims_equal(&c->in[i].dims, want))
            return hd_infer_fail(c, "%s must be %s", c->op->in_names[i], hd_dims_text(text, want));
    }
    for (int i = 0; i < 3; i++) c->out[i] = c->in[i];
    return HD_OK;
}

#define ATTENTION_GRAD_REF(T)                                                                                          \
    static void pair_##T(const hd_attention *z, const hd_ref *r, int64_t b, int64_t i, int64_t j, double away) {       \
        const int64_t qi = hd_attention_at(z, &z->q, b) + i * z->q.row,                                                \
                      yi = hd_attention_at(z, &z->y, b) + i * z->y.row;                                                \
        const int64_t kj = hd_attention_at(z, &z->k, b / z->group) + j * z->k.row,                                     \
                      vj = hd_attention_at(z, &z->v, b / z->group) + j * z->v.row;                                     \
        const T *q = (const T *)r->in[0].data + qi, *k = (const T *)r->in[1].data + kj;                                \
        const T *v = (const T *)r->in[2].data + vj, *dy = (const T *)r->in[5].data + yi;                               \
        T *dq = (T *)r->out[0].data + qi, *dk = (T *)r->out[1].data + kj, *dv = (T *)r->out[2].data + vj;              \
        const void *mask = r->in[6].data;                                                                              \
        double s = 0, d = 0;                                                                                           \
        if (mask) {                                                                                                    \
            const int64_t m = hd_attention_mask_at(z, b) + i * z->mask_row + j * z->mask_column;                       \
            if (r->in[6].dtype != HD_BOOL)                                                                             \
                s = (double)((const T *)mask)[m];                                                                      \
            else if (!((const uint8_t *)mask)[m])                                                                      \
                return;                                                                                                \
        }                                                                                                              \
        for (int64_t e = 0; e < z->width; e++) s += z->scale * (double)q[e] * (double)k[e];                            \
        const double p = exp(s - (double)((const T *)r->in[4].data)[b * z->rows + i]);                                 \
        for (int64_t e = 0; e < z->depth; e++) {                                                                       \
            d += (double)dy[e] * (double)v[e];                                                                         \
            dv[e] = (T)((double)dv[e] + p * (double)dy[e]);                                                            \
        }                                                                                                              \
        const double slope = p * (d - away) * z->scale;                                                                \
        for (int64_t e = 0; e < z->width; e++) {                                                                       \
            dq[e] = (T)((double)dq[e] + slope * (double)k[e]);                                                         \
            dk[e] = (T)((double)dk[e] + slope * (double)q[e]);                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    static void rows_##T(const hd_attention *z, const hd_ref *r, int64_t b) {                                          \
        for (int64_t i = 0; i < z->rows; i++) {                                                                        \
            const int64_t row = b * z->rows + i;                                                                       \
            const int64_t at = hd_attention_at(z, &z->y, b) + i * z->y.row;                                            \
            const T *y = (const T *)r->in[3].data + at, *dy = (const T *)r->in[5].data + at;                           \
            double away = r->in[7].data ? -(double)((const T *)r->in[7].data)[row] : 0;                                \
            for (int64_t e = 0; e < z->depth; e++) away += (double)dy[e] * (double)y[e];                               \
            if ((double)((const T *)r->in[4].data)[row] == -INFINITY) continue;                                        \
            for (int64_t j = 0; j < hd_attention_seen(z, i); j++) pair_##T(z, r, b, i, j, away);                       \
        }                                                                                                              \
    }
ATTENTION_GRAD_REF(float)
ATTENTION_GRAD_REF(double)

void hd_attention_grad_define(const hd_attention *z, const hd_ref *r) {
    for (int i = 0; i < 3; i++) {
        const size_t bytes = (size_t)r->out[i].count * hd_dtype_size(r->out[i].dtype);
        if (bytes) memset(r->out[i].data, 0, bytes);
    }
    for (int64_t b = 0; b < z->n; b++)
        if (r->in[0].dtype == HD_F64)
            rows_double(z, r, b);
        else
            rows_float(z, r, b);
}

static void attention_grad_ref(const hd_ref *r) {
    const grad_args *a = r->attr;
    const hd_dims *mask = r->in[6].data ? &r->in[6].dims : NULL;
    const hd_attention z =
        hd_attention_of(&r->in[0].dims, &r->in[1].dims, &r->in[2].dims, mask, a->scale, a->is_causal);
    hd_attention_grad_define(&z, r);
}

/* None where one is none: nothing arrives there. */
static hd_val product(hd_val a, hd_val b, bool trans_a, bool trans_b) {
    if (hd_val_is_none(a) || hd_val_is_none(b)) return (hd_val){0};
    return hd_matmul(a, b, .trans_a = trans_a, .trans_b = trans_b);
}
static hd_val times(hd_val a, hd_val b) {
    return hd_val_is_none(a) || hd_val_is_none(b) ? (hd_val){0} : hd_mul(a, b);
}
static hd_val scaled(hd_val a, double by) {
    return hd_val_is_none(a) ? a : hd_affine(a, .scale = by);
}
static hd_val row_sum(hd_val a, bool keepdim) {
    return hd_val_is_none(a) ? a : hd_sum(a, .axes = HD_DIMS(-1), .keepdim = keepdim);
}
static hd_val spread(hd_val d, hd_val q) {
    return hd_val_is_none(d) ? d : hd_attention_spread(d, q);
}
static hd_val gather(hd_val d, hd_val k) {
    return hd_val_is_none(d) ? d : hd_attention_gather(d, k);
}

/* With scores s, weights p = e^(s − lse), c = dy vᵀ − away, slope g = p c, and a, b, e arriving at dq = scale g k, dk =
 * scale gᵀ q, dv = pᵀ dy:
 *     h = scale (a kᵀ + q bᵀ) arrives at g, h c + dy eᵀ at p, w = p (h c + dy eᵀ) at s, t = h p at c, −Σ t at away. */
static void attention_second_grad(hd_grad *c) {
    const grad_args *o = c->attr;
    grad_args in = {.scale = o->scale, .is_causal = o->is_causal, .enable_gqa = o->enable_gqa};
    hd_val *const place[8] = {&in.q, &in.k, &in.v, &in.y, &in.lse, &in.dy, &in.mask, &in.dlse};
    for (int i = 0; i < c->n_in; i++) *place[i] = c->in[i];
    const hd_dims dq = hd_val_dims(in.q), dk = hd_val_dims(in.k);
    const double scale = hd_attention_of(&dq, &dk, &dk, NULL, o->scale, false).scale;
    const hd_attention_unrolled u = hd_attention_unroll(&in);
    const hd_val a = c->dout[0], b = spread(c->dout[1], in.q), e = spread(c->dout[2], in.q);
    const hd_val h = scaled(hd_plus(product(a, u.k, false, true), product(in.q, b, false, true)), scale);
    const hd_val w = times(u.weights, hd_plus(times(h, u.centred), product(in.dy, e, false, true)));
    const hd_val t = times(h, u.weights);
    hd_val d[8] = {
        scaled(hd_plus(product(w, u.k, false, false), product(u.slope, b, false, false)), scale),
        gather(scaled(hd_plus(product(w, in.q, true, false), product(u.slope, a, true, false)), scale), in.k),
        gather(product(t, in.dy, true, false), in.v),
        scaled(times(row_sum(t, true), in.dy), -1),
        scaled(row_sum(w, false), -1),
        hd_plus(product(t, u.v, false, false), product(u.weights, e, false, false)),
        w,
        row_sum(t, false),
    };
    d[5] = hd_plus(d[5], scaled(times(row_sum(t, true), in.y), -1));
    if (!hd_val_is_none(in.mask) && !hd_val_is_none(w)) d[6] = hd_unbroadcast(w, in.mask);
    for (int i = 0; i < c->n_in; i++)
        if (c->needs[i]) c->din[i] = d[i];
}

static hd_cost attention_grad_cost(const hd_infer *c) {
    const grad_args *a = c->attr;
    const hd_attention z =
        hd_attention_of(&c->in[0].dims, &c->in[1].dims, &c->in[2].dims, NULL, a->scale, a->is_causal);
    const double seen = (double)z.rows * (double)z.columns * (z.causal ? 0.5 : 1);
    return hd_cost_of(c, (double)z.n * seen * (6 * (double)z.width + 4 * (double)z.depth + 6));
}

const hd_op hd_op_scaled_dot_product_attention_grad = {
    .name = "scaled_dot_product_attention_grad",
    .n_in = 6,
    .n_optional = 2,
    .n_out = 3,
    .in_names = HD_NAMES("q", "k", "v", "y", "lse", "dy", "mask", "dlse"),
    .out_names = HD_NAMES("dq", "dk", "dv"),
    .args_size = sizeof(grad_args),
    .options = (const hd_option[]){HD_ATTENTION_OPTIONS(grad_args), HD_OPTION_END},
    .infer = attention_grad_infer,
    .grad = attention_second_grad,
    .ref = attention_grad_ref,
    .cost = attention_grad_cost,
    .formula = "p = e^(s − lse), ds = p (dy vᵀ − Σ dy y + dlse), dq = scale ds k, dk = scale dsᵀ q, dv = pᵀ dy",
    .source = "derivative of scaled_dot_product_attention; Dao et al.: FlashAttention, 2022, algorithm 4",
    .doc = "Back-propagation through attention. The weights are made again, tile by tile, from the scores and the "
           "logarithms of their sums.",
    .samples =
        (const hd_sample[]){
            {"f32[1,1]={2}, f32[1,1]={3}, f32[1,1]={5}, f32[1,1]={5}, f32[1]={6}, f32[1,1]={7}", "{0} {0} {7}"},
            {"f32[1,1]={1}, f32[2,1]={0 0}, f32[2,1]={1 5}, f32[1,1]={3}, f32[1]={0.6931471806}, f32[1,1]={1}",
             "{0} {-1 1} {0.5 0.5}"},
            {"f32[2,3,4,5], f32[2,3,6,5], f32[2,3,6,3], f32[2,3,4,3], f32[2,3,4]:pos, f32[2,3,4,3]", NULL},
            {"f32[2,5,4], f32[2,5,4], f32[2,5,4], f32[2,5,4], f32[2,5]:pos, f32[2,5,4] | is_causal=true scale=0.3",
             NULL},
            {"f32[2,5,4], f32[2,6,4], f32[2,6,3], f32[2,5,3], f32[2,5]:pos, f32[2,5,3], f32[5,6]", NULL},
            {"f32[2,5,4], f32[2,6,4], f32[2,6,3], f32[2,5,3], f32[2,5]:pos, f32[2,5,3], bool[6]:bool, f32[2,5]", NULL},
            {"f32[1,4,6,3], f32[1,2,6,3], f32[1,2,6,3], f32[1,4,6,3], f32[1,4,6]:pos, f32[1,4,6,3] | enable_gqa=true "
             "is_causal=true",
             NULL},
            {"f32[2,70,40]:unit, f32[2,150,40]:unit, f32[2,150,24], f32[2,70,24], f32[2,70]:pos, f32[2,70,24] | "
             "is_causal=true",
             NULL},
            {"f32[1,150,16]:unit, f32[1,70,16]:unit, f32[1,70,16], f32[1,150,16], f32[1,150]:pos, f32[1,150,16], "
             "bool[150,70]:bool",
             NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[3,4], f32[5,4], f32[5,2], f32[3,4], f32[3], f32[3,2]", "y must be [3,2]"},
                                   {"f32[3,4], f32[5,4], f32[5,2], f32[3,2], f32[5], f32[3,2]", "lse must be [3]"},
                                   {"f32[3,4], f32[5,4], f32[5,2], f32[3,2], f32[3], f64[3,2]", "dy must be f32"},
                                   {"f32[3,4], f32[5,3], f32[5,2], f32[3,2], f32[3], f32[3,2]",
                                    "rows of q have 4 numbers, those of k 3"},
                                   {0}},
};

HD_BUILDER(scaled_dot_product_attention_grad, grad_args)
