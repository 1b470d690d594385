/* transformers.c: encoders of transformers that give one answer to a sample: pictures as patches, texts as tokens. */
#include "zoo/zoo_kit.h"
#include <stdio.h>

/* ---- what both share: a block with attention to all positions ---- */

typedef struct block {
    hd_loc at;
    int64_t heads, hidden;
    double eps, dropout;
    hd_val padding;
} block;

static hd_val norm(const block *b, hd_val x, const char *name) {
    return hd_nn_layer_norm_at(b->at, &(hd_nn_layer_norm_args){.x = x, .name = name, .eps = b->eps});
}

static hd_val dropped(const block *b, hd_val x) {
    return hd_zoo_drop(b->at, x, b->dropout);
}

static hd_val plus(const block *b, hd_val x, hd_val y) {
    return hd_add_at(b->at, &(hd_binary_args){.a = x, .b = y});
}

static hd_val attend(const block *b, hd_val qkv, const char *name) {
    return hd_nn_self_attention_at(
        b->at,
        &(hd_nn_self_attention_args){
            .qkv = qkv, .name = name, .num_heads = b->heads, .dropout = b->dropout, .key_padding_mask = b->padding});
}

static int64_t width_of(hd_val x) {
    const hd_dims d = hd_val_dims(x);
    return d.rank > 0 ? d.dim[d.rank - 1] : 0;
}

/* ---- vit: timm's names ---- */

typedef struct vit_args {
    int64_t patch, embed_dim, depth, num_heads;
    double dropout;
} vit_args;

static hd_val vit_block(const block *b, hd_val x, int64_t number) {
    char name[4][96];
    static const char *const parts[] = {"norm1", "attn", "norm2", "mlp"};
    for (int i = 0; i < 4; i++) (void)snprintf(name[i], sizeof name[i], "blocks.%lld.%s", (long long)number, parts[i]);
    char part[128];
    const int64_t width = width_of(x);
    (void)snprintf(part, sizeof part, "%s.qkv", name[1]);
    hd_val h = attend(b, hd_zoo_dense(b->at, norm(b, x, name[0]), part, 3 * width), name[1]);
    (void)snprintf(part, sizeof part, "%s.proj", name[1]);
    x = plus(b, x, dropped(b, hd_zoo_dense(b->at, h, part, width)));
    (void)snprintf(part, sizeof part, "%s.fc1", name[3]);
    h = hd_gelu(hd_zoo_dense(b->at, norm(b, x, name[2]), part, b->hidden));
    (void)snprintf(part, sizeof part, "%s.fc2", name[3]);
    return plus(b, x, dropped(b, hd_zoo_dense(b->at, h, part, width)));
}

static hd_val build_vit(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const vit_args *a = args;
    const hd_dims d = hd_val_dims(x);
    hd_graph *g = x.graph;
    const block b = {.at = at, .heads = a->num_heads, .hidden = 4 * a->embed_dim, .eps = 1e-6, .dropout = a->dropout};
    if (d.rank != 4 || d.dim[2] < a->patch || d.dim[3] < a->patch)
        return hd_zoo_refuse_input(at, x, "vit-tiny expects pictures of at least one patch",
                                   "Give it larger pictures, or a smaller patch");
    hd_val h = hd_nn_conv2d_at(at, &(hd_nn_conv2d_args){.x = x,
                                                        .name = "patch_embed.proj",
                                                        .out_channels = a->embed_dim,
                                                        .kernel_size = {a->patch, a->patch},
                                                        .stride = {a->patch, a->patch}});
    h = hd_transpose(hd_flatten(h, .start_axis = HD_AXIS(2))); /* [batch, patches, width] */
    const hd_val first = hd_slice(h, .axis = HD_AXIS(1), .start = 0, .stop = 1);
    const hd_val token = hd_param_at(at, g, "cls_token", HD_F32, HD_DIMS(1, 1, a->embed_dim), HD_NORMAL(0, 1e-6));
    const hd_val both[2] = {hd_broadcast_like(token, first), h};
    h = hd_concat(both, 2, .axis = HD_AXIS(1));
    const int64_t positions = hd_val_dims(h).rank == 3 ? hd_val_dims(h).dim[1] : 1;
    h = dropped(
        &b,
        plus(&b, h, hd_param_at(at, g, "pos_embed", HD_F32, HD_DIMS(1, positions, a->embed_dim), HD_NORMAL(0, 0.02))));
    for (int64_t i = 0; i < a->depth && !hd_val_is_none(h); i++) h = vit_block(&b, h, i);
    if (hd_val_is_none(h)) return h;
    h = hd_select(norm(&b, h, "norm"), .axis = HD_AXIS(1));
    return hd_zoo_dense(at, h, "head", outputs);
}

/* ---- bert: Hugging Face's names ---- */

typedef struct bert_args {
    int64_t vocab, positions, hidden_size, layers, heads;
    double dropout;
} bert_args;

/* Three linear layers side by side, as attention reads them. */
static hd_val query_key_value(const block *b, hd_val x, const char *layer) {
    static const char *const parts[] = {"query", "key", "value"};
    hd_val y[3];
    char name[128];
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s.attention.self.%s", layer, parts[i]);
        y[i] = hd_zoo_dense(b->at, x, name, width_of(x));
    }
    return hd_concat(y, 3, .axis = HD_AXIS(2));
}

static hd_val bert_layer(const block *b, hd_val x, int64_t number) {
    char layer[64], name[128];
    const int64_t width = width_of(x);
    (void)snprintf(layer, sizeof layer, "bert.encoder.layer.%lld", (long long)number);
    (void)snprintf(name, sizeof name, "%s.attention.self", layer);
    hd_val h = attend(b, query_key_value(b, x, layer), name);
    (void)snprintf(name, sizeof name, "%s.attention.output.dense", layer);
    h = plus(b, x, dropped(b, hd_zoo_dense(b->at, h, name, width)));
    (void)snprintf(name, sizeof name, "%s.attention.output.LayerNorm", layer);
    x = norm(b, h, name);
    (void)snprintf(name, sizeof name, "%s.intermediate.dense", layer);
    h = hd_gelu(hd_zoo_dense(b->at, x, name, b->hidden));
    (void)snprintf(name, sizeof name, "%s.output.dense", layer);
    h = plus(b, x, dropped(b, hd_zoo_dense(b->at, h, name, width)));
    (void)snprintf(name, sizeof name, "%s.output.LayerNorm", layer);
    return norm(b, h, name);
}

static hd_val bert_table(hd_loc at, hd_graph *g, const char *part, int64_t rows, int64_t width) {
    char name[128];
    (void)snprintf(name, sizeof name, "bert.embeddings.%s_embeddings.weight", part);
    return hd_param_at(at, g, name, HD_F32, HD_DIMS(rows, width), HD_NORMAL(0, 0.02));
}

static hd_val build_bert(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const bert_args *a = args;
    const hd_dims d = hd_val_dims(x);
    hd_graph *g = x.graph;
    const int64_t width = a->hidden_size;
    block b = {.at = at, .heads = a->heads, .hidden = 4 * width, .eps = 1e-12, .dropout = a->dropout};
    if (d.rank != 2 || d.dim[1] > a->positions)
        return hd_zoo_refuse_input(at, x, "bert-tiny expects [batch, tokens], at most as many as it has positions",
                                   "Shorten the sequences, or raise model.positions");
    const hd_val index = hd_zoo_indices(at, x);
    const hd_val words = hd_embedding(bert_table(at, g, "word", a->vocab, width), index);
    const hd_val places =
        hd_slice(bert_table(at, g, "position", a->positions, width), .axis = HD_AXIS(0), .stop = d.dim[1]);
    const hd_val kind = hd_slice(bert_table(at, g, "token_type", 2, width), .axis = HD_AXIS(0), .stop = 1);
    const int64_t pad = 0;
    b.padding = hd_eq(index, hd_const(g, HD_I64, (hd_dims){0}, &pad)); /* [PAD] is token 0 */
    hd_val h = dropped(&b, norm(&b, plus(&b, plus(&b, words, places), kind), "bert.embeddings.LayerNorm"));
    for (int64_t i = 0; i < a->layers && !hd_val_is_none(h); i++) h = bert_layer(&b, h, i);
    if (hd_val_is_none(h)) return h;
    h = hd_tanh(hd_zoo_dense(at, hd_select(h, .axis = HD_AXIS(1)), "bert.pooler.dense", width)); /* of [CLS] */
    return hd_zoo_dense(at, dropped(&b, h), "classifier", outputs);
}

/* ---- descriptors ---- */

#define WHOLE(args_, field_, def_, help_)                                                                              \
    HD_ZOO_OPT(args_, field_, INT, .def = def_, .min = 1, .max = 1e8, .help = help_)

static const hd_option vit_options[] = {
    WHOLE(vit_args, patch, 16, "side of a patch, in pixels"),
    WHOLE(vit_args, embed_dim, 192, "width"),
    HD_ZOO_BLOCKS(vit_args, depth, 12, 1, "blocks"),
    WHOLE(vit_args, num_heads, 3, "heads"),
    HD_ZOO_DROPOUT(vit_args, 0),
    HD_OPTION_END,
};
static const hd_option bert_options[] = {
    WHOLE(bert_args, vocab, 30522, "tokens"),
    WHOLE(bert_args, positions, 512, "longest sequence"),
    WHOLE(bert_args, hidden_size, 128, "width"),
    HD_ZOO_BLOCKS(bert_args, layers, 2, 1, "layers"),
    WHOLE(bert_args, heads, 2, "heads"),
    HD_ZOO_DROPOUT(bert_args, 0.1),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_vit_tiny = {
    .name = "vit-tiny",
    .description = "vision transformer: a picture as 196 patches of 16×16, 12 blocks, 192 wide",
    .authors = "Dosovitskiy, Beyer, Kolesnikov et al.; Touvron, Cord, Douze, Massa, Sablayrolles, Jégou",
    .paper = "An image is worth 16×16 words, ICLR 2021, https://arxiv.org/abs/2010.11929; the tiny form: DeiT, ICML "
             "2021, https://arxiv.org/abs/2012.12877; names as timm's vit_tiny_patch16_224",
    .year = 2021,
    .sample = {3, {3, 224, 224}},
    .outputs = 1000,
    .loss = "cross_entropy",
    .args_size = sizeof(vit_args),
    .options = vit_options,
    .build = build_vit,
};

const hd_zoo_entry hd_zoo_bert_tiny = {
    .name = "bert-tiny",
    .description = "BERT's smallest form, 2 layers, 128 wide, with a classifier: a label for a text of tokens",
    .authors = "Turc, Chang, Lee, Toutanova",
    .paper = "Well-read students learn better, 2019, https://arxiv.org/abs/1908.08962 (Devlin, Chang, Lee, Toutanova: "
             "BERT, NAACL 2019, https://arxiv.org/abs/1810.04805); names as Hugging Face's",
    .year = 2019,
    .sample = {1, {128}},
    .outputs = 2,
    .loss = "cross_entropy",
    .args_size = sizeof(bert_args),
    .options = bert_options,
    .build = build_bert,
};
