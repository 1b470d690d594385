/* nn_transformer.c: the transformer and its layers, of attention, layer norms and two linear layers. Knows attention by
 * its builder alone. */
#include "nn/layer.h"
#include <stdio.h>

typedef hd_nn_transformer_layer_args layer_args;

typedef struct block {
    hd_loc at;
    hd_graph *g;
    const layer_args *a;
    const char *type;
    char name[HD_LAYER_NAME];
} block;

static double rate(const layer_args *a) {
    const bool said = a->dropout != 0 || 1 / a->dropout < 0;
    return !said ? 0.1 : a->dropout > 0 ? a->dropout : 0;
}

static hd_val dropout(const block *b, hd_val x) {
    const double p = rate(b->a);
    return p > 0 ? hd_nn_dropout_at(b->at, &(hd_nn_dropout_args){.x = x, .p = p}) : x;
}

static hd_val norm(const block *b, hd_val x, const char *part) {
    char full[HD_LAYER_NAME];
    return hd_nn_layer_norm_at(b->at, &(hd_nn_layer_norm_args){.x = x,
                                                               .name = hd_layer_param(full, b->name, part),
                                                               .eps = b->a->layer_norm_eps,
                                                               .no_bias = b->a->no_bias});
}

static hd_val linear(const block *b, hd_val x, const char *part, int64_t out) {
    char full[HD_LAYER_NAME];
    return hd_nn_linear_at(
        b->at, &(hd_nn_linear_args){
                   .x = x, .name = hd_layer_param(full, b->name, part), .out_features = out, .no_bias = b->a->no_bias});
}

typedef hd_nn_multi_head_attention_args mha_args;

static hd_val attention(const block *b, const char *part, mha_args args) {
    char full[HD_LAYER_NAME];
    args.name = hd_layer_param(full, b->name, part);
    args.num_heads = b->a->nhead;
    args.dropout = rate(b->a);
    args.no_bias = b->a->no_bias;
    args.batch_second = b->a->batch_second;
    return dropout(b, hd_nn_multi_head_attention_at(b->at, &args));
}

static hd_val self_attention(const block *b, hd_val x) {
    const layer_args *a = b->a;
    return attention(
        b, "self_attn",
        (mha_args){.x = x, .attn_mask = a->mask, .key_padding_mask = a->key_padding_mask, .is_causal = a->is_causal});
}

static hd_val cross_attention(const block *b, hd_val x) {
    const layer_args *a = b->a;
    return attention(
        b, "multihead_attn",
        (mha_args){
            .x = x, .key = a->memory, .attn_mask = a->memory_mask, .key_padding_mask = a->memory_key_padding_mask});
}

static hd_val feed_forward(const block *b, hd_val x) {
    const hd_dims dims = hd_val_dims(x);
    hd_val h = linear(b, x, "linear1", b->a->dim_feedforward ? b->a->dim_feedforward : 2048);
    if (b->a->activation == HD_TRANSFORMER_RELU)
        h = hd_relu(h);
    else
        h = hd_gelu(h, .approximate = b->a->activation == HD_TRANSFORMER_GELU ? HD_GELU_EXACT : HD_GELU_TANH);
    return dropout(b, linear(b, dropout(b, h), "linear2", dims.rank > 0 ? dims.dim[dims.rank - 1] : 0));
}

/* x + f(x), with its norm behind or before. */
static hd_val around(const block *b, hd_val x, const char *part, hd_val (*f)(const block *b, hd_val x)) {
    if (b->a->norm_first) return hd_add_at(b->at, &(hd_binary_args){.a = x, .b = f(b, norm(b, x, part))});
    return norm(b, hd_add_at(b->at, &(hd_binary_args){.a = x, .b = f(b, x)}), part);
}

static bool start(block *b) {
    b->g = b->a->x.graph;
    return hd_layer_ready(b->a->x) && hd_layer_name(b->g, b->at, b->type, b->a->name, b->name);
}

hd_val hd_nn_transformer_encoder_layer_at(hd_loc at, const layer_args *a) {
    block b = {.at = at, .a = a, .type = "transformer_encoder_layer"};
    if (!start(&b)) return (hd_val){0};
    return around(&b, around(&b, a->x, "norm1", self_attention), "norm2", feed_forward);
}

hd_val hd_nn_transformer_decoder_layer_at(hd_loc at, const layer_args *a) {
    block b = {.at = at, .a = a, .type = "transformer_decoder_layer"};
    if (!start(&b)) return (hd_val){0};
    if (hd_val_is_none(a->memory))
        return hd_layer_refuse(b.g, at, b.type, b.name, "Give the encoder's output as .memory", "has no memory");
    const hd_val x = around(&b, a->x, "norm1", self_attention);
    return around(&b, around(&b, x, "norm2", cross_attention), "norm3", feed_forward);
}

/* ---- the whole ---- */

static hd_val stack_of(hd_loc at, const hd_nn_transformer_args *a, bool decoder, hd_val x, hd_val memory) {
    char name[HD_LAYER_NAME];
    const char *prefix = a->name ? a->name : "", *dot = *prefix ? "." : "", *side = decoder ? "decoder" : "encoder";
    const int64_t said = decoder ? a->num_decoder_layers : a->num_encoder_layers, n = said ? said : 6;
    layer_args args = {.memory = memory,
                       .mask = decoder ? a->tgt_mask : a->src_mask,
                       .key_padding_mask = decoder ? a->tgt_key_padding_mask : a->src_key_padding_mask,
                       .memory_mask = a->memory_mask,
                       .memory_key_padding_mask = a->memory_key_padding_mask,
                       .name = name,
                       .nhead = a->nhead ? a->nhead : 8,
                       .dim_feedforward = a->dim_feedforward,
                       .dropout = a->dropout,
                       .layer_norm_eps = a->layer_norm_eps,
                       .activation = a->activation,
                       .norm_first = a->norm_first,
                       .batch_second = a->batch_second,
                       .no_bias = a->no_bias,
                       .is_causal = decoder ? a->tgt_is_causal : a->src_is_causal};
    for (int64_t i = 0; i < n; i++) {
        args.x = x;
        (void)snprintf(name, sizeof name, "%s%s%s.layers.%lld", prefix, dot, side, (long long)i);
        x = decoder ? hd_nn_transformer_decoder_layer_at(at, &args) : hd_nn_transformer_encoder_layer_at(at, &args);
    }
    (void)snprintf(name, sizeof name, "%s%s%s.norm", prefix, dot, side);
    return hd_nn_layer_norm_at(
        at, &(hd_nn_layer_norm_args){.x = x, .name = name, .eps = a->layer_norm_eps, .no_bias = a->no_bias});
}

hd_val hd_nn_transformer_at(hd_loc at, const hd_nn_transformer_args *a) {
    if (!hd_layer_ready(a->src) || !hd_layer_ready(a->tgt)) return (hd_val){0};
    const hd_dims s = hd_val_dims(a->src), t = hd_val_dims(a->tgt);
    char x[192], y[192];
    if (s.rank != t.rank || s.rank < 2 || s.dim[s.rank - 1] != t.dim[t.rank - 1])
        return hd_layer_refuse(a->src.graph, at, "transformer", a->name, "Give both the width of the model",
                               "expects src and tgt of one width, they are %s and %s", hd_dims_text(x, &s),
                               hd_dims_text(y, &t));
    return stack_of(at, a, true, a->tgt, stack_of(at, a, false, a->src, (hd_val){0}));
}

/* ---- as a layer of recipes ---- */

typedef struct recipe_args {
    int64_t nhead, dim_feedforward;
    double dropout, layer_norm_eps;
    int64_t activation;
    bool norm_first, bias, is_causal;
} recipe_args;

static hd_val build(hd_loc at, hd_val x, const char *name, void *args) {
    const recipe_args *a = args;
    return hd_nn_transformer_encoder_layer_at(at, &(layer_args){.x = x,
                                                                .name = name,
                                                                .nhead = a->nhead,
                                                                .dim_feedforward = a->dim_feedforward,
                                                                .dropout = a->dropout == 0 ? HD_ZERO : a->dropout,
                                                                .layer_norm_eps = a->layer_norm_eps,
                                                                .activation = a->activation,
                                                                .norm_first = a->norm_first,
                                                                .no_bias = !a->bias,
                                                                .is_causal = a->is_causal});
}

static const char *const activations[] = {"relu", "gelu", "gelu_tanh", NULL};
static const hd_option options[] = {
    HD_LAYER_OPT(recipe_args, nhead, HD_OPT_INT, 1, .min = 1, .max = HD_LAYER_MAX,
                 .help = "heads; a divisor of the width"),
    HD_LAYER_OPT(recipe_args, dim_feedforward, HD_OPT_INT, 1, .def = 2048, .min = 1, .max = HD_LAYER_MAX,
                 .help = "width between the two linear layers"),
    HD_LAYER_OPT(recipe_args, dropout, HD_OPT_FLOAT, 1, .def = 0.1, .min = 0, .max = 1, .help = "share dropped"),
    HD_LAYER_OPT(recipe_args, layer_norm_eps, HD_OPT_FLOAT, 1, .def = 1e-5, .min = 1e-12, .max = 1,
                 .help = "added to the variance in the norms"),
    HD_LAYER_OPT(recipe_args, activation, HD_OPT_ENUM, 1, .choices = activations, .help = "relu, gelu or gelu_tanh"),
    HD_LAYER_OPT(recipe_args, norm_first, HD_OPT_BOOL, 1, .help = "norms before attention and linear layers"),
    HD_LAYER_OPT(recipe_args, bias, HD_OPT_BOOL, 1, .def = 1, .help = "of linear layers and norms"),
    HD_LAYER_OPT(recipe_args, is_causal, HD_OPT_BOOL, 1, .help = "a position sees itself and those before"),
    HD_OPTION_END,
};

const hd_layer hd_layer_transformer_encoder_layer = {
    .name = "transformer_encoder_layer",
    .help = "attention, then two linear layers, each with a way around it and a layer norm",
    .args_size = sizeof(recipe_args),
    .options = options,
    .build = build,
};
