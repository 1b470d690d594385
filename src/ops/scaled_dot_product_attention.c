/* scaled_dot_product_attention.c: weighted means of v by the likeness of q and k. Knows nothing of backends. */
#include "ops/attention_kit.h"
#include "ops/shape_kit.h"

hd_status hd_infer_attention(hd_infer *c, int mask, bool gqa) {
    const hd_dims *q = &c->in[0].dims, *k = &c->in[1].dims, *v = &c->in[2].dims;
    char a[192], b[192];
    if (hd_need_float(c, 0) || hd_need_dtype(c, 1, c->in[0].dtype) || hd_need_dtype(c, 2, c->in[0].dtype))
        return HD_E_MODEL;
    if (q->rank < 2) return hd_infer_fail(c, "q %s must be [..., positions, width]", hd_dims_text(a, q));
    const int lead = q->rank - 2, heads = gqa ? lead - 1 : lead;
    bool alike = k->rank == q->rank && v->rank == q->rank;
    for (int i = 0; i < heads && alike; i++) alike = k->dim[i] == q->dim[i] && v->dim[i] == q->dim[i];
    if (alike && gqa)
        alike = lead > 0 && k->dim[heads] == v->dim[heads] && k->dim[heads] > 0 && q->dim[heads] % k->dim[heads] == 0;
    if (!alike || k->dim[lead] != v->dim[lead])
        return hd_infer_fail(c, "k %s and v %s must have q's leading dimensions%s and one number of positions",
                             hd_dims_text(a, k), hd_dims_text(b, v), gqa ? " (a divisor of its heads)" : "");
    if (k->dim[lead + 1] != q->dim[lead + 1])
        return hd_infer_fail(c, "rows of q have %lld numbers, those of k %lld", (long long)q->dim[lead + 1],
                             (long long)k->dim[lead + 1]);
    if (hd_absent(c, mask)) return HD_OK;
    if (c->in[mask].dtype != HD_BOOL && hd_need_dtype(c, mask, c->in[0].dtype)) return HD_E_MODEL;
    hd_dims scores = *q, both;
    scores.dim[lead + 1] = k->dim[lead];
    if (!hd_dims_broadcast(&both, &c->in[mask].dims, &scores) || !hd_dims_equal(&both, &scores))
        return hd_infer_fail(c, "mask %s does not broadcast to the scores %s", hd_dims_text(a, &c->in[mask].dims),
                             hd_dims_text(b, &scores));
    return HD_OK;
}

static hd_status attention_infer(hd_infer *c) {
    const hd_scaled_dot_product_attention_args *a = c->attr;
    if (hd_infer_attention(c, 3, a->enable_gqa)) return HD_E_MODEL;
    c->out[0] = c->out[1] = c->in[0];
    c->out[0].dims.dim[c->in[0].dims.rank - 1] = c->in[2].dims.dim[c->in[2].dims.rank - 1];
    c->out[1].dims.rank--;
    return HD_OK;
}

/* Two walks along the keys: the largest score and the sum, then the mean. */
#define ATTENTION_REF(T)                                                                                               \
    static double score_##T(const hd_attention *z, const hd_tensor *mask, int64_t at, const T *q, const T *k,          \
                            int64_t i, int64_t j) {                                                                    \
        double s = 0;                                                                                                  \
        const int64_t m = at + i * z->mask_row + j * z->mask_column;                                                   \
        if (z->masked && mask->dtype == HD_BOOL && !((const uint8_t *)mask->data)[m]) return -INFINITY;                \
        for (int64_t e = 0; e < z->width; e++) s += (double)q[i * z->q.row + e] * (double)k[j * z->k.row + e];         \
        return s * z->scale + (z->masked && mask->dtype != HD_BOOL ? (double)((const T *)mask->data)[m] : 0);          \
    }                                                                                                                  \
    static void rows_##T(const hd_attention *z, const hd_ref *r, int64_t b) {                                          \
        const T *q = (const T *)r->in[0].data + hd_attention_at(z, &z->q, b);                                          \
        const T *k = (const T *)r->in[1].data + hd_attention_at(z, &z->k, b / z->group);                               \
        const T *v = (const T *)r->in[2].data + hd_attention_at(z, &z->v, b / z->group);                               \
        T *y = (T *)r->out[0].data + hd_attention_at(z, &z->y, b), *lse = (T *)r->out[1].data + b * z->rows;           \
        const int64_t at = z->masked ? hd_attention_mask_at(z, b) : 0;                                                 \
        for (int64_t i = 0; i < z->rows; i++) {                                                                        \
            const int64_t seen = hd_attention_seen(z, i);                                                              \
            double max = -INFINITY, sum = 0;                                                                           \
            for (int64_t j = 0; j < seen; j++) { /* nan stays */                                                       \
                const double score = score_##T(z, &r->in[3], at, q, k, i, j);                                          \
                max = score <= max || max != max ? max : score;                                                        \
            }                                                                                                          \
            for (int64_t e = 0; e < z->depth; e++) y[i * z->y.row + e] = 0;                                            \
            for (int64_t j = 0; j < seen && max != -INFINITY; j++) {                                                   \
                const double p = exp(score_##T(z, &r->in[3], at, q, k, i, j) - max);                                   \
                sum += p;                                                                                              \
                for (int64_t e = 0; e < z->depth; e++)                                                                 \
                    y[i * z->y.row + e] = (T)((double)y[i * z->y.row + e] + p * (double)v[j * z->v.row + e]);          \
            }                                                                                                          \
            for (int64_t e = 0; e < z->depth && sum != 0; e++)                                                         \
                y[i * z->y.row + e] = (T)((double)y[i * z->y.row + e] / sum);                                          \
            lse[i] = (T)(max + log(sum));                                                                              \
        }                                                                                                              \
    }
ATTENTION_REF(float)
ATTENTION_REF(double)

void hd_attention_define(const hd_attention *z, const hd_ref *r) {
    for (int64_t b = 0; b < z->n; b++)
        if (r->in[0].dtype == HD_F64)
            rows_double(z, r, b);
        else
            rows_float(z, r, b);
}

static void attention_ref(const hd_ref *r) {
    const hd_scaled_dot_product_attention_args *a = r->attr;
    const hd_dims *mask = r->in[3].data ? &r->in[3].dims : NULL;
    const hd_attention z =
        hd_attention_of(&r->in[0].dims, &r->in[1].dims, &r->in[2].dims, mask, a->scale, a->is_causal);
    hd_attention_define(&z, r);
}

/* The gradient of a mask needs the whole matrix of scores: made only where somebody wants it. */
static void attention_grad(hd_grad *c) {
    const hd_scaled_dot_product_attention_args *a = c->attr;
    hd_scaled_dot_product_attention_grad_args args = {.q = c->in[0],
                                                      .k = c->in[1],
                                                      .v = c->in[2],
                                                      .y = c->out[0],
                                                      .lse = c->out[1],
                                                      .dy = c->dout[0],
                                                      .dlse = c->dout[1],
                                                      .scale = a->scale,
                                                      .is_causal = a->is_causal,
                                                      .enable_gqa = a->enable_gqa};
    if (c->n_in > 3) args.mask = c->in[3];
    if (hd_val_is_none(args.dy)) args.dy = hd_fill_like(args.y, .value = HD_ZERO);
    if (c->needs[0] || c->needs[1] || c->needs[2]) {
        const hd_val d = hd_scaled_dot_product_attention_grad_at(HD_HERE, &args);
        for (int i = 0; i < 3; i++)
            if (c->needs[i]) c->din[i] = hd_output(d, i);
    }
    if (c->n_in > 3 && c->needs[3]) c->din[3] = hd_unbroadcast(hd_attention_unroll(&args).slope, args.mask);
}

static hd_cost attention_cost(const hd_infer *c) {
    const hd_scaled_dot_product_attention_args *a = c->attr;
    const hd_attention z =
        hd_attention_of(&c->in[0].dims, &c->in[1].dims, &c->in[2].dims, NULL, a->scale, a->is_causal);
    const double seen = (double)z.rows * (double)z.columns * (z.causal ? 0.5 : 1);
    return hd_cost_of(c, (double)z.n * seen * (2 * (double)(z.width + z.depth) + 4));
}

const hd_op hd_op_scaled_dot_product_attention = {
    .name = "scaled_dot_product_attention",
    .n_in = 3,
    .n_optional = 1,
    .n_out = 2,
    .in_names = HD_NAMES("q", "k", "v", "mask"),
    .out_names = HD_NAMES("y", "lse"),
    .args_size = sizeof(hd_scaled_dot_product_attention_args),
    .options = (const hd_option[]){HD_ATTENTION_OPTIONS(hd_scaled_dot_product_attention_args), HD_OPTION_END},
    .infer = attention_infer,
    .grad = attention_grad,
    .ref = attention_ref,
    .cost = attention_cost,
    .formula = "y = softmax(scale · q kᵀ + mask) v",
    .source = "Vaswani et al.: Attention is all you need, 2017; in tiles: Dao et al.: FlashAttention, 2022; as "
              "torch.nn.functional.scaled_dot_product_attention",
    .doc =
        "Each position of q [..., L, E] gets the mean of the rows of v [..., S, V], weighted by how alike it and the "
        "rows of k [..., S, E] are. A mask (bool: true takes part; numbers: added) and is_causal (row i sees columns "
        "0 … i) say what may be seen; a row that sees nothing gets 0. Output 1 is the logarithm of each row's sum, "
        "from which the backward pass finds the weights again, so that memory grows with L, not with L·S.",
    .samples =
        (const hd_sample[]){
            {"f32[1,1]={2}, f32[2,1]={0 0}, f32[2,1]={1 5}", "{3} {0.6931471806}"},
            {"f32[2,1]={1 1}, f32[2,1]={0 1}, f32[2,1]={1 5} | is_causal=true", "{1 3.9242343145} {0 1.3132616875}"},
            {"f32[1,1]={1}, f32[2,1]={0 1}, f32[2,1]={1 5}, bool[1,2]={1 0}", "{1} {0}"},
            {"f32[1,1]={1}, f32[2,1]={0 1}, f32[2,1]={1 5}, f32[2]={1 0} | scale=1", "{3} {1.6931471806}"},
            {"f32[2,1]={1 nan}, f32[2,1]={0 1}, f32[2,1]={1 5}", "{3.9242343145 nan} {1.3132616875 nan}"},
            {"f32[1,4], f32[1,4], f32[1,0]", NULL},
            {"f32[2,3,5,4], f32[2,3,5,4], f32[2,3,5,4]", NULL},
            {"f32[2,3,5,4], f32[2,3,7,4], f32[2,3,7,6], f32[5,7]", NULL},
            {"f32[2,3,5,4], f32[2,3,7,4], f32[2,3,7,6], f32[2,1,1,7] | scale=0.3", NULL},
            {"f32[3,9,4], f32[3,9,4], f32[3,9,4], bool[9]={1 0 1 1 0 1 1 1 0} | is_causal=true", NULL},
            {"f32[1,4,6,3], f32[1,2,6,3], f32[1,2,6,3] | enable_gqa=true is_causal=true", NULL},
            {"f32[2,4,6,3], f32[2,1,5,3], f32[2,1,5,3], f32[2,4,6,1] | enable_gqa=true", NULL},
            {"f32[2,70,40], f32[2,150,40], f32[2,150,24] | is_causal=true", NULL},
            {"f32[2,150,16], f32[2,70,16], f32[2,70,16], bool[150,70]:bool", NULL},
            {"f32[1,300,8], f32[1,300,8], f32[1,300,8] | is_causal=true", NULL},
            {"f32[2,2,1,20], f32[2,2,37,20], f32[2,2,37,20], bool[37]:bool", NULL},
            {0}},
    .bad = (const hd_bad_sample[]){{"f32[4], f32[4], f32[4]", "must be [..., positions, width]"},
                                   {"f32[2,3,4], f32[2,3,5], f32[2,3,5]", "rows of q have 4 numbers, those of k 5"},
                                   {"f32[2,3,4], f32[1,3,4], f32[1,3,4]", "leading dimensions"},
                                   {"f32[3,3,4], f32[2,3,4], f32[2,3,4] | enable_gqa=true", "divisor of its heads"},
                                   {"f32[3,4], f32[3,4], f32[5,4]", "one number of positions"},
                                   {"f32[3,4], f32[5,4], f32[5,4], f32[5,3]", "does not broadcast"},
                                   {"f32[3,4], f32[5,4], f64[5,4]", "v must be f32"},
                                   {0}},
};

/* The operands go together, as those of the op must, and rng is there: true, or a refusal at the caller's line. */
static bool dropout_ready(hd_loc at, const hd_scaled_dot_product_attention_args *a) {
    const hd_val in[4] = {a->q, a->k, a->v, a->mask};
    char message[512] = "input rng is missing";
    hd_type type[4];
    for (int i = 0; i < 4; i++) {
        type[i] = (hd_type){.dims = {.rank = -1}};
        if (hd_val_is_none(in[i])) continue;
        type[i] = (hd_type){hd_val_dtype(in[i]), hd_val_dims(in[i])};
    }
    hd_infer c = {.op = &hd_op_scaled_dot_product_attention,
                  .n_in = 4,
                  .in = type,
                  .message = message,
                  .message_size = sizeof message};
    if (hd_infer_attention(&c, 3, a->enable_gqa) == HD_OK && !hd_val_is_none(a->rng)) return true;
    (void)hd_build_refuse(a->q, at, c.op->name, "%s", message);
    return false;
}

/* With dropout of the weights: the definition, in other ops. Where a row sees nothing, large finite numbers keep the
 * softmax from being nan; its weights are made 0. */
static hd_val with_dropout(const hd_scaled_dot_product_attention_args *a) {
    const hd_scaled_dot_product_attention_grad_args args = {
        .q = a->q, .k = a->k, .v = a->v, .mask = a->mask, .scale = a->scale, .is_causal = a->is_causal};
    const hd_val k = hd_attention_spread(a->k, a->q), v = hd_attention_spread(a->v, a->q);
    hd_val p = hd_softmax(hd_attention_scores(&args, k, -1e30), .axis = -1);
    if (!hd_val_is_none(a->mask) && hd_val_dtype(a->mask) == HD_BOOL)
        p = hd_masked_fill(p, hd_logical_not(a->mask), .value = HD_ZERO);
    return hd_matmul(hd_dropout(p, a->rng, .p = a->dropout_p, .stream = a->stream), v);
}

hd_val hd_scaled_dot_product_attention_at(hd_loc at, const hd_scaled_dot_product_attention_args *args) {
    const bool whole = hd_build_ready(args->q) && hd_build_ready(args->k) && hd_build_ready(args->v);
    if (args->dropout_p == 0 || !whole) return hd_node_add(at, &hd_op_scaled_dot_product_attention, args);
    return dropout_ready(at, args) ? with_dropout(args) : (hd_val){args->q.graph, -1};
}
