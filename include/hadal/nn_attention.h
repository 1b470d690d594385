/* hadal/nn_attention.h: attention layers, transformers and positions, with PyTorch's parameters and names. Sequences
 * are [batch, positions, width] (batch_second: [positions, batch, width], PyTorch's batch_first=False), or [positions,
 * width] for one alone. Masks are PyTorch's: bool (true: may NOT be seen), or numbers that are added to the scores. */
#ifndef HADAL_NN_ATTENTION_H
#define HADAL_NN_ATTENTION_H
#include "hadal/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Attention with num_heads heads. NAME.in_proj_weight [3·E, E], xavier uniform (where key or value are of another
 * width NAME.q_proj_weight [E, E], .k_proj_weight [E, kdim], .v_proj_weight [E, vdim]), NAME.in_proj_bias [3·E] zeros,
 * NAME.bias_k and .bias_v [1, 1, E] normal with add_bias_kv, NAME.out_proj.weight [E, E] uniform in ±1/√E,
 * NAME.out_proj.bias zeros. In decode mode (hd_graph_set_decode) attention of a sequence to itself takes one position
 * and keeps keys and values of those before in buffers. */
typedef struct hd_nn_multi_head_attention_args {
    hd_val x;                /**< query [batch, L, E] */
    hd_val key, value;       /**< [batch, S, kdim], [batch, S, vdim]; none: x, and value: key */
    hd_val attn_mask;        /**< [L, S] or [batch·num_heads, L, S] */
    hd_val key_padding_mask; /**< [batch, S] */
    const char *name;
    int64_t num_heads;
    double dropout; /**< of the weights, in training */
    bool no_bias, add_bias_kv, add_zero_attn;
    bool batch_second;
    bool is_causal;  /**< position i sees 0 … i */
    bool rotary;     /**< queries and keys are turned by their positions (hd_nn_rotary) */
    hd_val *weights; /**< need_weights: [batch, L, S], the mean over heads; or, each_head, [batch, heads, L, S]; in
                          decode mode S are all positions of the cache */
    bool each_head;  /**< average_attn_weights=False */
    int end_;
} hd_nn_multi_head_attention_args;
HD_API hd_val hd_nn_multi_head_attention_at(hd_loc at, const hd_nn_multi_head_attention_args *args);
#define hd_nn_multi_head_attention(...)                                                                                \
    hd_nn_multi_head_attention_at(HD_HERE, &(hd_nn_multi_head_attention_args){__VA_ARGS__, .end_ = 0})

/** What stands between the projections: qkv [batch, positions, 3·E], queries, keys and values side by side, as one
 * linear layer gives them → [batch, positions, E]. Without parameters; NAME is of the buffers of decode mode. */
typedef struct hd_nn_self_attention_args {
    hd_val qkv;
    const char *name;
    int64_t num_heads;
    double dropout;
    bool is_causal, rotary;
    hd_val key_padding_mask; /**< [batch, positions] */
    int end_;
} hd_nn_self_attention_args;
HD_API hd_val hd_nn_self_attention_at(hd_loc at, const hd_nn_self_attention_args *args);
#define hd_nn_self_attention(...) hd_nn_self_attention_at(HD_HERE, &(hd_nn_self_attention_args){__VA_ARGS__, .end_ = 0})

/** x + attention, x + linear2(activation(linear1(x))), with layer_norms behind, or, norm_first, before. NAME.self_attn,
 * .linear1, .linear2, .norm1, .norm2; the decoder's layer attends to `memory` too: .multihead_attn, .norm3. */
enum { HD_TRANSFORMER_RELU, HD_TRANSFORMER_GELU, HD_TRANSFORMER_GELU_TANH };
typedef struct hd_nn_transformer_layer_args {
    hd_val x;                      /**< src of an encoder's layer, tgt of a decoder's */
    hd_val memory;                 /**< decoder */
    hd_val mask, key_padding_mask; /**< src_mask or tgt_mask, and its padding */
    hd_val memory_mask, memory_key_padding_mask;
    const char *name;
    int64_t nhead, dim_feedforward; /**< default 2048 */
    double dropout;                 /**< default 0.1; HD_ZERO for 0 */
    double layer_norm_eps;          /**< default 1e-5 */
    int64_t activation;             /**< HD_TRANSFORMER_…: relu */
    bool norm_first, batch_second, no_bias, is_causal;
    int end_;
} hd_nn_transformer_layer_args;
HD_API hd_val hd_nn_transformer_encoder_layer_at(hd_loc at, const hd_nn_transformer_layer_args *args);
HD_API hd_val hd_nn_transformer_decoder_layer_at(hd_loc at, const hd_nn_transformer_layer_args *args);
#define hd_nn_transformer_encoder_layer(...)                                                                           \
    hd_nn_transformer_encoder_layer_at(HD_HERE, &(hd_nn_transformer_layer_args){__VA_ARGS__, .end_ = 0})
#define hd_nn_transformer_decoder_layer(...)                                                                           \
    hd_nn_transformer_decoder_layer_at(HD_HERE, &(hd_nn_transformer_layer_args){__VA_ARGS__, .end_ = 0})

/** Encoder and decoder (Vaswani et al. 2017): NAME.encoder.layers.0 …, NAME.encoder.norm, NAME.decoder.layers.0 …,
 * NAME.decoder.norm; without a name none of the names has the first part. */
typedef struct hd_nn_transformer_args {
    hd_val src, tgt;
    hd_val src_mask, tgt_mask, memory_mask;
    hd_val src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask;
    const char *name;
    int64_t nhead;                                  /**< default 8 */
    int64_t num_encoder_layers, num_decoder_layers; /**< default 6 */
    int64_t dim_feedforward;
    double dropout, layer_norm_eps;
    int64_t activation;
    bool norm_first, batch_second, no_bias;
    bool src_is_causal, tgt_is_causal;
    int end_;
} hd_nn_transformer_args;
HD_API hd_val hd_nn_transformer_at(hd_loc at, const hd_nn_transformer_args *args);
#define hd_nn_transformer(...) hd_nn_transformer_at(HD_HERE, &(hd_nn_transformer_args){__VA_ARGS__, .end_ = 0})

/** x [batch, positions, width] plus a row for each position: trained ones (NAME.weight [max_positions, width], normal
 * with deviation 0.02), or, sinusoidal, sin(p / 10000^(2i/width)) and cos in turn. A longer sequence is refused. */
typedef struct hd_nn_positional_embedding_args {
    hd_val x;
    const char *name;
    int64_t max_positions; /**< default: those of x; sinusoidal rows are made for as many as there are */
    bool sinusoidal;
    int end_;
} hd_nn_positional_embedding_args;
HD_API hd_val hd_nn_positional_embedding_at(hd_loc at, const hd_nn_positional_embedding_args *args);
#define hd_nn_positional_embedding(...)                                                                                \
    hd_nn_positional_embedding_at(HD_HERE, &(hd_nn_positional_embedding_args){__VA_ARGS__, .end_ = 0})
/** Turns the pairs (i, i + width/2) of x [..., positions, width] by position · base^(−2i/width): Su et al. 2021. */
typedef struct hd_nn_rotary_args {
    hd_val x;
    double base; /**< default 10000 */
    int end_;
} hd_nn_rotary_args;
HD_API hd_val hd_nn_rotary_at(hd_loc at, const hd_nn_rotary_args *args);
#define hd_nn_rotary(...) hd_nn_rotary_at(HD_HERE, &(hd_nn_rotary_args){__VA_ARGS__, .end_ = 0})

#ifdef __cplusplus
}
#endif
#endif
