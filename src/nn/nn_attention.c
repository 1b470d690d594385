/* nn_attention.c: attention with several heads: its parameters, its masks, and, one position a run, its memory of keys
 * and values. Knows no transformer. */
#include "nn/layer.h"
#include <math.h>

typedef hd_nn_multi_head_attention_args mha_args;

/* One layer while it is built. Sequences are [batch, positions, width] here. */
typedef struct attention {
    hd_loc at;
    hd_graph *g;
    const mha_args *a;
    char name[HD_LAYER_NAME];
    hd_dtype dtype;
    int64_t batch, rows, columns, width, heads; /* batch may be HD_BATCH */
    hd_val q, k, v, attn_mask, padding;
} attention;

static hd_val param(attention *t, const char *part, hd_dims dims, hd_init init) {
    char full[HD_LAYER_NAME];
    return hd_param_at(t->at, t->g, hd_layer_param(full, t->name, part), t->dtype, dims, init);
}

/* Batch in front; a sequence alone is a batch of one. */
static hd_val batch_first(const mha_args *a, hd_val x) {
    if (hd_val_dims(x).rank == 2) return hd_unsqueeze(x, .axis = HD_AXIS(0));
    return a->batch_second ? hd_transpose(x, .axes = HD_DIMS(1, 0, 2)) : x;
}

static bool check(attention *t) {
    const mha_args *a = t->a;
    const hd_dims q = hd_val_dims(a->x), k = hd_val_dims(t->k), v = hd_val_dims(t->v);
    char shape[192];
    const char *fix = "", *type = "multi_head_attention";
    if (q.rank != 2 && q.rank != 3) {
        hd_layer_refuse(t->g, t->at, type, t->name, "Put an embedding, or a reshape, before it",
                        "expects [batch, positions, width], its input is %s", hd_dims_text(shape, &q));
    } else if (k.rank != q.rank || v.rank != q.rank) {
        hd_layer_refuse(t->g, t->at, type, t->name, fix, "key and value must have as many axes as the query, key is %s",
                        hd_dims_text(shape, &k));
    } else if (a->num_heads < 1 || q.dim[q.rank - 1] < 1 || q.dim[q.rank - 1] % a->num_heads) {
        hd_layer_refuse(t->g, t->at, type, t->name, "Give num_heads a divisor of the width",
                        "num_heads is %lld, its input is %s", (long long)a->num_heads, hd_dims_text(shape, &q));
    } else {
        return true;
    }
    return false;
}

static bool start(attention *t) {
    const mha_args *a = t->a;
    t->g = a->x.graph;
    if (!hd_layer_ready(a->x) || !hd_layer_name(t->g, t->at, "multi_head_attention", a->name, t->name)) return false;
    t->k = hd_val_is_none(a->key) ? a->x : a->key;
    t->v = hd_val_is_none(a->value) ? t->k : a->value;
    if (!check(t)) return false;
    t->dtype = hd_val_dtype(a->x);
    t->heads = a->num_heads;
    t->q = batch_first(a, a->x);
    const bool same_v = t->v.id == t->k.id;
    t->k = t->k.id == a->x.id ? t->q : batch_first(a, t->k);
    t->v = same_v ? t->k : batch_first(a, t->v);
    const hd_dims q = hd_val_dims(t->q), k = hd_val_dims(t->k);
    t->batch = q.dim[0];
    t->rows = q.dim[1];
    t->columns = k.dim[1];
    t->width = q.dim[2];
    t->attn_mask = a->attn_mask;
    t->padding = a->key_padding_mask;
    if (!hd_val_is_none(t->padding) && hd_val_dims(t->padding).rank == 1)
        t->padding = hd_unsqueeze(t->padding, .axis = HD_AXIS(0));
    return hd_graph_status(t->g) == HD_OK;
}

/* ---- projections ---- */

static hd_val part_of(hd_val x, int64_t axis, int64_t width, int i) {
    return hd_slice(x, .axis = HD_AXIS(axis), .start = i * width, .stop = (i + 1) * width);
}

static double xavier(int64_t in, int64_t out) {
    return sqrt(6.0 / (double)(in + out));
}

/* q, k and v become rows of E numbers each. */
static void project(attention *t) {
    const int64_t e = t->width, kdim = hd_val_dims(t->k).dim[2], vdim = hd_val_dims(t->v).dim[2];
    hd_val *const x[3] = {&t->q, &t->k, &t->v};
    hd_val w[3], all = {0}, bias = {0};
    if (kdim == e && vdim == e) {
        const double bound = xavier(e, 3 * e);
        all = param(t, "in_proj_weight", HD_DIMS(3 * e, e), HD_UNIFORM(-bound, bound));
    } else {
        static const char *const names[] = {"q_proj_weight", "k_proj_weight", "v_proj_weight"};
        const int64_t in[3] = {e, kdim, vdim};
        for (int i = 0; i < 3; i++)
            w[i] = param(t, names[i], HD_DIMS(e, in[i]), HD_UNIFORM(-xavier(in[i], e), xavier(in[i], e)));
    }
    if (!t->a->no_bias) bias = param(t, "in_proj_bias", HD_DIMS(3 * e), HD_ZEROS);
    if (!hd_val_is_none(all) && t->k.id == t->q.id && t->v.id == t->q.id) {
        const hd_val y = hd_linear_at(t->at, &(hd_linear_args){.x = t->q, .w = all, .b = bias});
        for (int i = 0; i < 3; i++) *x[i] = part_of(y, 2, e, i);
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (!hd_val_is_none(all)) w[i] = part_of(all, 0, e, i);
        const hd_val b = hd_val_is_none(bias) ? bias : part_of(bias, 0, e, i);
        *x[i] = hd_linear_at(t->at, &(hd_linear_args){.x = *x[i], .w = w[i], .b = b});
    }
}

/* [batch, positions, E] → [batch, heads, positions, E / heads]. */
static hd_val split_heads(const attention *t, hd_val x) {
    const int64_t n = hd_val_dims(x).rank == 3 ? hd_val_dims(x).dim[1] : 1;
    const hd_val y = hd_reshape(x, .dims = HD_DIMS(t->batch, n, t->heads, t->width / t->heads));
    return hd_transpose(y, .axes = HD_DIMS(0, 2, 1, 3));
}

/* A row [1, 1, E] behind the positions of every sample; none: zeros. */
static hd_val one_more(hd_val x, hd_val row) {
    const hd_val first = hd_slice(x, .axis = HD_AXIS(1), .start = 0, .stop = 1);
    const hd_val last = hd_val_is_none(row) ? hd_fill_like(first, .value = HD_ZERO) : hd_broadcast_like(row, first);
    const hd_val both[2] = {x, last};
    return hd_concat(both, 2, .axis = HD_AXIS(1));
}

static void extend(attention *t) {
    const double deviation = 1 / sqrt((double)t->width);
    for (int i = 0; i < 2; i++) {
        if (!(i ? t->a->add_zero_attn : t->a->add_bias_kv)) continue;
        hd_val k = {0}, v = {0};
        if (i == 0) {
            k = param(t, "bias_k", HD_DIMS(1, 1, t->width), HD_NORMAL(0, deviation));
            v = param(t, "bias_v", HD_DIMS(1, 1, t->width), HD_NORMAL(0, deviation));
        }
        t->k = one_more(t->k, k);
        t->v = one_more(t->v, v);
        t->columns++;
        hd_val *const masks[2] = {&t->attn_mask, &t->padding};
        for (int m = 0; m < 2; m++) {
            if (hd_val_is_none(*masks[m])) continue;
            hd_dims after = {.rank = hd_val_dims(*masks[m]).rank}, before = after;
            after.dim[after.rank - 1] = 1;
            *masks[m] = hd_pad(*masks[m], .before = before, .after = after);
        }
    }
}

/* ---- masks ---- */

/* PyTorch's bool says what is hidden: as numbers to be added. */
static hd_val as_numbers(hd_val mask, hd_dtype dtype) {
    if (hd_val_is_none(mask) || hd_val_dtype(mask) != HD_BOOL) return mask;
    const hd_val zero = hd_fill_like(hd_cast(mask, .dtype = HD_DTYPE(dtype)), .value = HD_ZERO);
    return hd_masked_fill(zero, mask, .value = -INFINITY);
}

static hd_val shaped(const attention *t, hd_val mask, hd_dims dims) {
    return hd_reshape_at(t->at, &(hd_reshape_args){.x = mask, .dims = dims});
}

/* Both masks as one over [batch, heads, L, S]: numbers to be added, or bool that says what is seen. Where the caller's
 * do not fit, the caller's place is told. */
static hd_val joined_masks(attention *t) {
    hd_val a = t->attn_mask, p = t->padding;
    if (hd_val_dims(a).rank == 3) a = shaped(t, a, HD_DIMS(t->batch, t->heads, t->rows, t->columns));
    if (!hd_val_is_none(p)) p = shaped(t, p, HD_DIMS(t->batch, 1, 1, t->columns));
    const bool numbers =
        (!hd_val_is_none(a) && hd_val_dtype(a) != HD_BOOL) || (!hd_val_is_none(p) && hd_val_dtype(p) != HD_BOOL);
    if (numbers) {
        a = as_numbers(a, t->dtype);
        p = as_numbers(p, t->dtype);
    }
    if (hd_val_is_none(a) || hd_val_is_none(p))
        a = hd_val_is_none(a) ? p : a;
    else
        a = (numbers ? hd_add_at : hd_logical_or_at)(t->at, &(hd_binary_args){.a = a, .b = p});
    return hd_val_is_none(a) || numbers ? a : hd_logical_not(a);
}

/* ---- one position a run ---- */

/* Keys and values so far, this position's among them; what is seen is the mask, one for all layers. */
static bool remember(attention *t) {
    const int64_t positions = hd_graph_decode(t->g), d = t->width / t->heads;
    const mha_args *a = t->a;
    if (t->rows != 1 || !a->is_causal || a->add_bias_kv || a->add_zero_attn || !hd_val_is_none(t->attn_mask) ||
        !hd_val_is_none(t->padding)) {
        hd_layer_refuse(t->g, t->at, "multi_head_attention", t->name, "Generate with causal attention, without masks",
                        "takes one position a run in decode mode, of causal attention without masks; it got %lld",
                        (long long)t->rows);
        return false;
    }
    const hd_val position = hd_position_input(t->g);
    const hd_dims dims = HD_DIMS(t->batch, t->heads, positions, d);
    t->k = hd_cache_update(hd_nn_buffer(t->at, t->g, t->name, "keys", t->dtype, dims), t->k, position);
    t->v = hd_cache_update(hd_nn_buffer(t->at, t->g, t->name, "values", t->dtype, dims), t->v, position);
    t->attn_mask = hd_graph_find(t->g, "decode.seen");
    if (hd_val_is_none(t->attn_mask))
        t->attn_mask = hd_name(hd_le(hd_layer_range(t->g, positions), position), "decode.seen");
    return hd_graph_status(t->g) == HD_OK;
}

/* ---- putting it together ---- */

static hd_val dropped(const attention *t, hd_val weights) {
    return t->a->dropout > 0 ? hd_nn_dropout_at(t->at, &(hd_nn_dropout_args){.x = weights, .p = t->a->dropout})
                             : weights;
}

static hd_val hidden(const attention *t, hd_val scores, hd_val late) {
    return hd_masked_fill_at(t->at, &(hd_masked_fill_args){.x = scores, .mask = late, .value = -INFINITY});
}

/* By the definition, because the weights themselves are wanted. */
static hd_val with_weights(const attention *t, hd_val mask, bool causal) {
    const double scale = 1 / sqrt((double)t->width / (double)t->heads);
    hd_val scores = hd_matmul(hd_affine(t->q, .scale = scale), t->k, .trans_b = true);
    if (causal) {
        const hd_val late = hd_layer_range(t->g, t->columns), row = hd_layer_range(t->g, t->rows);
        scores = hidden(t, scores, hd_lt(hd_unsqueeze(row, .axis = -1), late));
    }
    if (!hd_val_is_none(mask) && hd_val_dtype(mask) == HD_BOOL)
        scores = hidden(t, scores, hd_logical_not(mask));
    else if (!hd_val_is_none(mask))
        scores = hd_add_at(t->at, &(hd_binary_args){.a = scores, .b = mask});
    const hd_val weights = dropped(t, hd_softmax(scores, .axis = -1));
    const bool alone = hd_val_dims(t->a->x).rank == 2;
    hd_val told = t->a->each_head ? weights : hd_mean(weights, .axes = HD_DIMS(1));
    if (alone) told = hd_squeeze(told, .axes = HD_DIMS(0));
    *t->a->weights = told;
    return hd_matmul(weights, t->v);
}

static hd_val attend(const attention *t, hd_val mask, bool decode) {
    const bool causal = t->a->is_causal && !decode; /* in decode mode the mask says what is seen */
    if (t->a->weights) return with_weights(t, mask, causal);
    hd_scaled_dot_product_attention_args args = {.q = t->q, .k = t->k, .v = t->v, .mask = mask, .is_causal = causal};
    if (t->a->dropout > 0) {
        args.dropout_p = t->a->dropout;
        args.stream = hd_graph_node_count(t->g);
        args.rng = hd_rng_input(t->g);
    }
    return hd_scaled_dot_product_attention_at(t->at, &args);
}

/* [batch, heads, positions, E / heads] → as the query came. */
static hd_val join_heads(const attention *t, hd_val y) {
    return hd_reshape(hd_transpose(y, .axes = HD_DIMS(0, 2, 1, 3)), .dims = HD_DIMS(t->batch, t->rows, t->width));
}

static hd_val out_proj(attention *t, hd_val y) {
    char full[HD_LAYER_NAME];
    const double bound = 1 / sqrt((double)t->width);
    const hd_val w = param(t, "out_proj.weight", HD_DIMS(t->width, t->width), HD_UNIFORM(-bound, bound));
    hd_val b = {0};
    if (!t->a->no_bias) b = param(t, "out_proj.bias", HD_DIMS(t->width), HD_ZEROS);
    y = hd_linear_at(t->at, &(hd_linear_args){.x = y, .w = w, .b = b});
    if (hd_val_dims(t->a->x).rank == 2)
        y = hd_squeeze(y, .axes = HD_DIMS(0));
    else if (t->a->batch_second)
        y = hd_transpose(y, .axes = HD_DIMS(1, 0, 2));
    return hd_name(y, hd_layer_param(full, t->name, "out"));
}

/* From projected rows of q, k and v to rows of the result. */
static hd_val between(attention *t) {
    const mha_args *a = t->a;
    const bool decode = hd_graph_decode(t->g) > 0 && hd_val_is_none(a->key);
    hd_val *const x[3] = {&t->q, &t->k, &t->v};
    for (int i = 0; i < 3; i++) *x[i] = split_heads(t, *x[i]);
    for (int i = 0; i < 2 && a->rotary; i++) *x[i] = hd_nn_rotary_at(t->at, &(hd_nn_rotary_args){.x = *x[i]});
    if (decode && !remember(t)) return (hd_val){0};
    return join_heads(t, attend(t, decode ? t->attn_mask : joined_masks(t), decode));
}

hd_val hd_nn_multi_head_attention_at(hd_loc at, const mha_args *a) {
    attention t = {.at = at, .a = a};
    if (!start(&t)) return (hd_val){0};
    project(&t);
    extend(&t);
    const hd_val y = between(&t);
    return hd_val_is_none(y) ? y : out_proj(&t, y);
}

hd_val hd_nn_self_attention_at(hd_loc at, const hd_nn_self_attention_args *s) {
    const mha_args a = {.x = s->qkv,
                        .name = s->name,
                        .num_heads = s->num_heads,
                        .dropout = s->dropout,
                        .is_causal = s->is_causal,
                        .rotary = s->rotary};
    attention t = {.at = at, .a = &a, .g = s->qkv.graph, .heads = s->num_heads, .padding = s->key_padding_mask};
    char shape[192];
    if (!hd_layer_ready(s->qkv) || !hd_layer_name(t.g, at, "self_attention", s->name, t.name)) return (hd_val){0};
    const hd_dims d = hd_val_dims(s->qkv);
    if (d.rank != 3 || t.heads < 1 || d.dim[2] % (3 * t.heads))
        return hd_layer_refuse(t.g, at, "self_attention", t.name, "Give num_heads a divisor of the width",
                               "expects [batch, positions, 3 · width] and %lld heads, its input is %s",
                               (long long)t.heads, hd_dims_text(shape, &d));
    t.dtype = hd_val_dtype(s->qkv);
    t.batch = d.dim[0];
    t.rows = t.columns = d.dim[1];
    t.width = d.dim[2] / 3;
    hd_val *const x[3] = {&t.q, &t.k, &t.v};
    for (int i = 0; i < 3; i++) *x[i] = part_of(s->qkv, 2, t.width, i);
    return between(&t);
}

/* ---- as a layer of recipes ---- */

typedef struct recipe_args {
    int64_t num_heads;
    double dropout;
    bool bias, is_causal, rotary;
} recipe_args;

static hd_val build(hd_loc at, hd_val x, const char *name, void *args) {
    const recipe_args *a = args;
    return hd_nn_multi_head_attention_at(at, &(mha_args){.x = x,
                                                         .name = name,
                                                         .num_heads = a->num_heads,
                                                         .dropout = a->dropout,
                                                         .no_bias = !a->bias,
                                                         .is_causal = a->is_causal,
                                                         .rotary = a->rotary});
}

static const hd_option options[] = {
    HD_LAYER_OPT(recipe_args, num_heads, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "heads; a divisor of the width"),
    HD_LAYER_OPT(recipe_args, dropout, HD_OPT_FLOAT, 1, .min = 0, .max = 1, .help = "share of the weights dropped"),
    HD_LAYER_OPT(recipe_args, bias, HD_OPT_BOOL, 1, .def = 1, .help = "of the projections"),
    HD_LAYER_OPT(recipe_args, is_causal, HD_OPT_BOOL, 1, .help = "a position sees itself and those before"),
    HD_LAYER_OPT(recipe_args, rotary, HD_OPT_BOOL, 1, .help = "turn queries and keys by their positions"),
    HD_OPTION_END,
};

const hd_layer hd_layer_multi_head_attention = {
    .name = "multi_head_attention",
    .help = "each position gets a mean of all, weighted by likeness: softmax(q kᵀ / √d) v in several heads",
    .args_size = sizeof(recipe_args),
    .options = options,
    .build = build,
};
