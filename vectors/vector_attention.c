/* vector_attention.c: PyTorch's modules of attention as layers of ours: their parameters get the module's weights. */
#include "hadal/nn.h"
#include "vector_run.h"
#include <string.h>

/* Constructor argument `name`, or positional number i; NULL: not given. */
static const hd_json *constructor(const vector_case *c, int i, const char *name) {
    const hd_json *list = hd_json_get(c->module, "constructor"), *at = list ? list->child : NULL;
    const hd_json *named = at && at->next ? hd_json_get(at->next, name) : NULL;
    if (named) return named->type == HD_JSON_NULL ? NULL : named;
    for (at = at ? at->child : NULL; at && i > 0; i--) at = at->next;
    return at && i == 0 && at->type != HD_JSON_NULL ? at : NULL;
}

static int64_t whole(const vector_case *c, int i, const char *name, int64_t def) {
    const hd_json *v = constructor(c, i, name);
    return v && v->type == HD_JSON_INT ? v->integer : def;
}
static double number(const vector_case *c, int i, const char *name, double def) {
    const hd_json *v = constructor(c, i, name);
    double x = def;
    return v && vector_is_number(v, &x) ? x : def;
}
static bool truth(const vector_case *c, int i, const char *name, bool def) {
    const hd_json *v = constructor(c, i, name);
    return v ? v->type == HD_JSON_BOOL && v->boolean : def;
}

/* What is dropped is drawn by other numbers than PyTorch's. */
static double no_dropout(vector_case *c, int i, double def) {
    const hd_json *training = hd_json_get(c->module, "training");
    const double p = number(c, i, "dropout", def);
    if (!training || training->type != HD_JSON_BOOL || !training->boolean || p == 0) return HD_ZERO;
    vector_unsupported(c, "dropout in training");
    return HD_ZERO;
}

static int64_t activation(vector_case *c, int i) {
    const hd_json *v = constructor(c, i, "activation");
    if (!v || (v->type == HD_JSON_STRING && strcmp(v->string, "relu") == 0)) return HD_TRANSFORMER_RELU;
    if (v->type != HD_JSON_STRING || strcmp(v->string, "gelu") != 0) vector_unsupported(c, "the activation");
    return HD_TRANSFORMER_GELU;
}

/* The result of the layer "m", whose parameters get the module's weights. */
static void give(vector_case *c, hd_val y) {
    const hd_json *state = hd_json_get(c->module, "state");
    for (const hd_json *v = state ? state->child : NULL; v; v = v->next) vector_set_parameter(c, v->key, v->string);
    vector_give(c, y);
}

static void call_attention(vector_case *c) {
    const hd_val q = vector_tensor(c, 0, "query"), k = vector_tensor(c, 1, "key"), v = vector_tensor(c, 2, "value");
    hd_val weights = {0};
    const bool want = vector_bool(c, 4, "need_weights", true);
    const hd_nn_multi_head_attention_args a = {
        .x = q,
        .key = k,
        .value = v,
        .name = "m",
        .num_heads = whole(c, 1, "num_heads", 1),
        .dropout = no_dropout(c, 2, 0),
        .no_bias = !truth(c, 3, "bias", true),
        .add_bias_kv = truth(c, 4, "add_bias_kv", false),
        .add_zero_attn = truth(c, 5, "add_zero_attn", false),
        .batch_second = !truth(c, 8, "batch_first", false),
        .key_padding_mask = vector_tensor_if(c, 3, "key_padding_mask"),
        .attn_mask = vector_tensor_if(c, 5, "attn_mask"),
        .each_head = !vector_bool(c, 6, "average_attn_weights", true),
        .weights = want ? &weights : NULL,
    };
    vector_ignore(c, 7, "is_causal"); /* a hint that the mask is the causal one */
    const hd_val y = hd_nn_multi_head_attention_at(HD_HERE, &a);
    give(c, y);
    if (want) vector_give(c, weights);
}

static hd_nn_transformer_layer_args layer_of(vector_case *c) {
    return (hd_nn_transformer_layer_args){
        .name = "m",
        .nhead = whole(c, 1, "nhead", 1),
        .dim_feedforward = whole(c, 2, "dim_feedforward", 2048),
        .dropout = no_dropout(c, 3, 0.1),
        .activation = activation(c, 4),
        .layer_norm_eps = number(c, 5, "layer_norm_eps", 1e-5),
        .batch_second = !truth(c, 6, "batch_first", false),
        .norm_first = truth(c, 7, "norm_first", false),
    };
}

static void call_encoder_layer(vector_case *c) {
    hd_nn_transformer_layer_args a = layer_of(c);
    a.x = vector_tensor(c, 0, "src");
    a.mask = vector_tensor_if(c, 1, "src_mask");
    a.key_padding_mask = vector_tensor_if(c, 2, "src_key_padding_mask");
    give(c, hd_nn_transformer_encoder_layer_at(HD_HERE, &a));
}

static void call_decoder_layer(vector_case *c) {
    hd_nn_transformer_layer_args a = layer_of(c);
    a.x = vector_tensor(c, 0, "tgt");
    a.memory = vector_tensor(c, 1, "memory");
    a.mask = vector_tensor_if(c, 2, "tgt_mask");
    a.memory_mask = vector_tensor_if(c, 3, "memory_mask");
    a.key_padding_mask = vector_tensor_if(c, 4, "tgt_key_padding_mask");
    a.memory_key_padding_mask = vector_tensor_if(c, 5, "memory_key_padding_mask");
    give(c, hd_nn_transformer_decoder_layer_at(HD_HERE, &a));
}

static void call_transformer(vector_case *c) {
    const hd_val y =
        hd_nn_transformer(.src = vector_tensor(c, 0, "src"), .tgt = vector_tensor(c, 1, "tgt"),
                          .src_mask = vector_tensor_if(c, 2, "src_mask"),
                          .tgt_mask = vector_tensor_if(c, 3, "tgt_mask"),
                          .memory_mask = vector_tensor_if(c, 4, "memory_mask"),
                          .src_key_padding_mask = vector_tensor_if(c, 5, "src_key_padding_mask"),
                          .tgt_key_padding_mask = vector_tensor_if(c, 6, "tgt_key_padding_mask"),
                          .memory_key_padding_mask = vector_tensor_if(c, 7, "memory_key_padding_mask"), .name = "m",
                          .nhead = whole(c, 1, "nhead", 8), .num_encoder_layers = whole(c, 2, "num_encoder_layers", 6),
                          .num_decoder_layers = whole(c, 3, "num_decoder_layers", 6),
                          .dim_feedforward = whole(c, 4, "dim_feedforward", 2048), .dropout = no_dropout(c, 5, 0.1),
                          .activation = activation(c, 6), .layer_norm_eps = number(c, 9, "layer_norm_eps", 1e-5),
                          .batch_second = !truth(c, 10, "batch_first", false),
                          .norm_first = truth(c, 11, "norm_first", false));
    give(c, y);
}

vector_call vector_attention_call(const char *module) {
    static const vector_entry calls[] = {{"MultiheadAttention", call_attention},
                                         {"TransformerEncoderLayer", call_encoder_layer},
                                         {"TransformerDecoderLayer", call_decoder_layer},
                                         {"Transformer", call_transformer}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].file, module) == 0) return calls[i].call;
    return NULL;
}
