/* gpt.c: the generative transformers: GPT-2 as it was published, and the small one of nanoGPT. */
#include "zoo/zoo_kit.h"
#include <math.h>
#include <stdio.h>

/* Zero: of the size, or none. */
typedef struct gpt_args {
    int64_t size, n_layer, n_head, n_embd, n_positions;
    double dropout;
    bool bias, conv1d, nano;
} gpt_args;

typedef struct gpt {
    hd_loc at;
    hd_graph *g;
    gpt_args a;
    char block[64];
} gpt;

static hd_val param(const gpt *m, const char *layer, const char *part, hd_dims dims, hd_init init) {
    char name[192];
    (void)snprintf(name, sizeof name, "%s.%s", layer, part);
    return hd_param_at(m->at, m->g, name, HD_F32, dims, init);
}

/* x w (+ b), w [in, out] as Hugging Face's Conv1D has it, or [out, in]. Both ends of a residual way start smaller. */
static hd_val dense(const gpt *m, hd_val x, const char *part, int64_t out, bool closes) {
    char layer[128];
    const int64_t in = hd_val_dims(x).dim[2];
    const hd_init init = HD_NORMAL(0, closes ? 0.02 / sqrt(2.0 * (double)m->a.n_layer) : 0.02);
    (void)snprintf(layer, sizeof layer, "%s.%s", m->block, part);
    const hd_val w = param(m, layer, "weight", m->a.conv1d ? HD_DIMS(in, out) : HD_DIMS(out, in), init);
    const hd_val b = m->a.bias ? param(m, layer, "bias", HD_DIMS(out), HD_ZEROS) : (hd_val){0};
    if (!m->a.conv1d) return hd_linear_at(m->at, &(hd_linear_args){.x = x, .w = w, .b = b});
    const hd_val y = hd_matmul_at(m->at, &(hd_matmul_args){.a = x, .b = w});
    return m->a.bias ? hd_add_at(m->at, &(hd_binary_args){.a = y, .b = b}) : y;
}

static hd_val norm(const gpt *m, hd_val x, const char *name) {
    return hd_nn_layer_norm_at(m->at, &(hd_nn_layer_norm_args){.x = x, .name = name, .no_bias = !m->a.bias});
}

static hd_val dropped(const gpt *m, hd_val x) {
    return hd_zoo_drop(m->at, x, m->a.dropout);
}

static hd_val add_block(gpt *m, hd_val x, int64_t number) {
    char name[128];
    (void)snprintf(m->block, sizeof m->block, "transformer.h.%lld", (long long)number);
    (void)snprintf(name, sizeof name, "%s.ln_1", m->block);
    hd_val h = dense(m, norm(m, x, name), "attn.c_attn", 3 * m->a.n_embd, false);
    (void)snprintf(name, sizeof name, "%s.attn", m->block);
    h = hd_nn_self_attention_at(
        m->at, &(hd_nn_self_attention_args){
                   .qkv = h, .name = name, .num_heads = m->a.n_head, .dropout = m->a.dropout, .is_causal = true});
    if (hd_val_is_none(h)) return h;
    x = hd_add_at(m->at, &(hd_binary_args){.a = x, .b = dropped(m, dense(m, h, "attn.c_proj", m->a.n_embd, true))});
    (void)snprintf(name, sizeof name, "%s.ln_2", m->block);
    h = dense(m, norm(m, x, name), "mlp.c_fc", 4 * m->a.n_embd, false);
    h = hd_gelu_at(m->at, &(hd_gelu_args){.x = h, .approximate = m->a.nano ? HD_GELU_EXACT : HD_GELU_TANH});
    return hd_add_at(m->at, &(hd_binary_args){.a = x, .b = dropped(m, dense(m, h, "mlp.c_proj", m->a.n_embd, true))});
}

/* Rows of a table for the tokens, to which rows for the positions are added. */
static hd_val tokens(gpt *m, hd_val x, hd_val wte) {
    const hd_val rows = hd_embedding_at(m->at, &(hd_embedding_args){.weight = wte, .index = hd_zoo_indices(m->at, x)});
    return dropped(m, hd_nn_positional_embedding_at(
                          m->at, &(hd_nn_positional_embedding_args){
                                     .x = rows, .name = "transformer.wpe", .max_positions = m->a.n_positions}));
}

/* The published sizes: Radford et al. 2019, table 2; 0: as said. */
static void settle(gpt_args *a) {
    static const int64_t sizes[][3] = {{12, 12, 768}, {24, 16, 1024}, {36, 20, 1280}, {48, 25, 1600}};
    if (a->n_layer == 0) a->n_layer = sizes[a->size][0];
    if (a->n_head == 0) a->n_head = sizes[a->size][1];
    if (a->n_embd == 0) a->n_embd = sizes[a->size][2];
}

static hd_val build_gpt(gpt *m, hd_val x, int64_t outputs) {
    m->g = x.graph;
    settle(&m->a);
    if (hd_val_dims(x).rank != 2)
        return hd_zoo_refuse_input(m->at, x, "gpt expects sequences of tokens [batch, positions]",
                                   "Give it text, as data: {source: FILE.txt}");
    const hd_val wte = param(m, "transformer.wte", "weight", HD_DIMS(outputs, m->a.n_embd), HD_NORMAL(0, 0.02));
    hd_val h = tokens(m, x, wte);
    for (int64_t i = 0; i < m->a.n_layer && !hd_val_is_none(h); i++) h = add_block(m, h, i);
    if (hd_val_is_none(h)) return h;
    h = norm(m, h, "transformer.ln_f");
    return hd_linear_at(m->at, &(hd_linear_args){.x = h, .w = wte}); /* lm_head is the table of the tokens */
}

static hd_val build_gpt2(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    gpt m = {.at = at, .a = *(const gpt_args *)args};
    m.a.bias = m.a.conv1d = true;
    return build_gpt(&m, x, outputs);
}

static hd_val build_nano(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    gpt m = {.at = at, .a = *(const gpt_args *)args};
    m.a.nano = true;
    return build_gpt(&m, x, outputs);
}

#define GPT_INT(field_, def_, help_) HD_ZOO_OPT(gpt_args, field_, INT, .def = def_, .min = 0, .max = 1e6, .help = help_)
#define GPT_DROPOUT(def_)                                                                                              \
    HD_ZOO_OPT(gpt_args, dropout, FLOAT, .def = def_, .min = 0, .max = 1,                                              \
               .help = "share dropped of weights, ways and embeddings")

static const char *const sizes[] = {"124M", "355M", "774M", "1558M", NULL};
static const hd_option gpt2_options[] = {
    HD_ZOO_OPT(gpt_args, size, ENUM, .choices = sizes, .help = "published size: 124M, 355M, 774M or 1558M parameters"),
    HD_ZOO_BLOCKS(gpt_args, n_layer, 0, 0, "blocks; 0: of the size"),
    GPT_INT(n_head, 0, "heads; 0: of the size"),
    GPT_INT(n_embd, 0, "width; 0: of the size"),
    GPT_INT(n_positions, 1024, "longest sequence"),
    GPT_DROPOUT(0.1),
    HD_OPTION_END,
};
static const hd_option nano_options[] = {
    HD_ZOO_BLOCKS(gpt_args, n_layer, 4, 0, "blocks"),
    GPT_INT(n_head, 4, "heads"),
    GPT_INT(n_embd, 128, "width"),
    GPT_INT(n_positions, 64, "longest sequence"),
    GPT_DROPOUT(0),
    HD_ZOO_OPT(gpt_args, bias, BOOL, .help = "in linear layers and norms"),
    HD_OPTION_END,
};

const hd_zoo_entry hd_zoo_gpt_nano = {
    .name = "gpt-nano",
    .description = "a small generative transformer for text: 4 blocks, 128 wide, 64 characters in view",
    .authors = "Karpathy",
    .paper =
        "nanoGPT's configuration for a CPU, https://github.com/karpathy/nanoGPT (Radford et al.: Language models are "
        "unsupervised multitask learners, 2019)",
    .year = 2022,
    .data = "shakespeare.txt",
    .sample = {1, {64}},
    .outputs = 65,
    .loss = "cross_entropy",
    .args_size = sizeof(gpt_args),
    .options = nano_options,
    .build = build_nano,
};

const hd_zoo_entry hd_zoo_gpt2 = {
    .name = "gpt2",
    .description = "GPT-2: a generative transformer in four sizes, with Hugging Face's names",
    .authors = "Radford, Wu, Child, Luan, Amodei, Sutskever",
    .paper = "Language models are unsupervised multitask learners, OpenAI, 2019, "
             "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
    .year = 2019,
    .data = "shakespeare.txt",
    .sample = {1, {1024}},
    .outputs = 50257,
    .loss = "cross_entropy",
    .args_size = sizeof(gpt_args),
    .options = gpt2_options,
    .build = build_gpt2,
};
