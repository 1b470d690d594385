/* char_rnn.c: recurrent networks over sequences: they foretell the next character (char-rnn, char-lstm, char-gru), the
 * next chord (jsb-rnn), or label every position, read both ways (tagger). Names of tensors as in PyTorch's example of
 * words: encoder, rnn, decoder. */
#include "zoo/zoo_kit.h"

enum { RNN, LSTM, GRU };

typedef struct recurrent_args {
    int64_t hidden_size, num_layers, embedding, vocabulary, cell;
    double dropout;
    bool stateful;
} recurrent_args;

/* Tokens as rows of numbers: trained ones, or 1 at the token's place where embedding is 0. */
static hd_val rows_of_tokens(hd_loc at, hd_val x, int64_t tokens, int64_t embedding) {
    if (embedding > 0)
        return hd_nn_embedding_at(
            at,
            &(hd_nn_embedding_args){.x = x, .name = "encoder", .num_embeddings = tokens, .embedding_dim = embedding});
    const hd_val places = hd_one_hot_at(at, &(hd_one_hot_args){.index = hd_zoo_indices(at, x), .num_classes = tokens});
    return hd_cast_at(at, &(hd_cast_args){.x = places, .dtype = HD_DTYPE(HD_F32)});
}

/* Layers of the kind over x [b, t, features], then one row of outputs for each position. Both ways where the sequences'
 * lengths are given: the other way begins at their ends. */
static hd_val over_time(hd_loc at, hd_val x, hd_val lengths, int64_t outputs, const recurrent_args *a, int64_t kind) {
    const hd_nn_recurrent_args layers = {.x = x,
                                         .name = "rnn",
                                         .hidden_size = a->hidden_size,
                                         .num_layers = a->num_layers,
                                         .dropout = a->dropout,
                                         .lengths = lengths,
                                         .bidirectional = !hd_val_is_none(lengths),
                                         .stateful = a->stateful,
                                         .batch_first = true};
    const hd_val h = kind == RNN    ? hd_nn_rnn_at(at, &layers)
                     : kind == LSTM ? hd_nn_lstm_at(at, &layers)
                                    : hd_nn_gru_at(at, &layers);
    return hd_zoo_dense(at, hd_zoo_drop(at, h, a->dropout), "decoder", outputs);
}

/* Nothing is dropped before the first layer, as in Karpathy's char-rnn (2015): a character has no spare features. */
static hd_val characters(hd_loc at, hd_val x, int64_t outputs, const recurrent_args *a, int64_t kind) {
    return over_time(at, rows_of_tokens(at, x, outputs, a->embedding), (hd_val){0}, outputs, a, kind);
}

static hd_val build_char_rnn(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    return characters(at, x, outputs, args, RNN);
}
static hd_val build_char_lstm(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    return characters(at, x, outputs, args, LSTM);
}
static hd_val build_char_gru(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    return characters(at, x, outputs, args, GRU);
}
static hd_val build_chords(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const recurrent_args *a = args;
    return over_time(at, x, (hd_val){0}, outputs, a, a->cell);
}
/* Token 0 is padding: behind a sentence, of no length and no meaning. */
static hd_val build_tagger(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const recurrent_args *a = args;
    const hd_val lengths = hd_count_nonzero_at(at, &(hd_reduce_args){.x = x, .axes = HD_DIMS(1)});
    const hd_val rows = rows_of_tokens(at, x, a->vocabulary, a->embedding);
    return over_time(at, hd_zoo_drop(at, rows, a->dropout), lengths, outputs, a, LSTM);
}

#define OPTION(field_, type_, ...) HD_ZOO_OPT(recurrent_args, field_, type_, __VA_ARGS__)
#define HIDDEN(units, layers_, drop)                                                                                   \
    OPTION(hidden_size, INT, .def = (units), .min = 1, .max = 1 << 20, .help = "units of a layer"),                    \
        OPTION(num_layers, INT, .def = (layers_), .min = 1, .max = 64, .help = "layers one upon the other"),           \
        OPTION(dropout, FLOAT, .def = (drop), .min = 0, .max = 1,                                                      \
               .help = "share dropped between the layers and behind them, while training")
#define STATEFUL OPTION(stateful, BOOL, .help = "go on where the batch before ended (train.streams: true)")
#define EMBEDDING(least, usual, text)                                                                                  \
    OPTION(embedding, INT, .def = (usual), .min = (least), .max = 1 << 20, .help = text)

static const hd_option character_options[] = {HIDDEN(512, 2, 0.5),
                                              EMBEDDING(0, 128, "numbers that stand for a token; 0: a 1 at its place"),
                                              STATEFUL, HD_OPTION_END};
static const char *const cell_words[] = {"rnn", "lstm", "gru", NULL};
static const hd_option chord_options[] = {
    HIDDEN(256, 1, 0.5), OPTION(cell, ENUM, .def = GRU, .choices = cell_words, .help = "kind of layer: rnn, lstm, gru"),
    STATEFUL, HD_OPTION_END};
static const hd_option tagger_options[] = {
    HIDDEN(128, 1, 0.5), EMBEDDING(1, 100, "numbers that stand for a token"),
    OPTION(vocabulary, INT, .def = 10000, .min = 1, .max = 1 << 30, .help = "how many different tokens there are"),
    HD_OPTION_END};

#define CHARACTERS(name_, text, ...)                                                                                   \
    const hd_zoo_entry hd_zoo_##name_ = {.name = text,                                                                 \
                                         .sample = {1, {128}},                                                         \
                                         .outputs = 65,                                                                \
                                         .loss = "cross_entropy",                                                      \
                                         .args_size = sizeof(recurrent_args),                                          \
                                         .options = character_options,                                                 \
                                         .build = build_##name_,                                                       \
                                         __VA_ARGS__};
CHARACTERS(char_rnn, "char-rnn", .description = "writes on, character by character: a recurrent network with tanh",
           .authors = "Mikolov, Karafiát, Burget, Černocký, Khudanpur",
           .paper = "Interspeech 2010, p. 1045, doi:10.21437/Interspeech.2010-343", .year = 2010)
CHARACTERS(char_lstm, "char-lstm", .description = "writes on, character by character: long short-term memory",
           .authors = "Graves", .paper = "Generating sequences with recurrent neural networks, arXiv:1308.0850",
           .year = 2013)
CHARACTERS(char_gru, "char-gru", .description = "writes on, character by character: gated recurrent units",
           .authors = "Chung, Gulcehre, Cho, Bengio",
           .paper = "Empirical evaluation of gated recurrent neural networks on sequence modeling, arXiv:1412.3555",
           .year = 2014)

const hd_zoo_entry hd_zoo_jsb_rnn = {
    .name = "jsb-rnn",
    .description = "the next chord of a chorale: which of 88 keys sound, from those before",
    .authors = "Boulanger-Lewandowski, Bengio, Vincent",
    .paper = "Modeling temporal dependencies in high-dimensional sequences, ICML 2012, arXiv:1206.6392",
    .year = 2012,
    .sample = {2, {64, 88}},
    .outputs = 88,
    .loss = "bce_with_logits",
    .args_size = sizeof(recurrent_args),
    .options = chord_options,
    .build = build_chords,
};

const hd_zoo_entry hd_zoo_tagger = {
    .name = "tagger",
    .description = "a label for every word of a sentence, from what stands before and behind it: two LSTMs",
    .authors = "Huang, Xu, Yu",
    .paper = "Bidirectional LSTM-CRF models for sequence tagging (the BI-LSTM of it), arXiv:1508.01991",
    .year = 2015,
    .sample = {1, {32}},
    .outputs = 17,
    .loss = "cross_entropy",
    .args_size = sizeof(recurrent_args),
    .options = tagger_options,
    .build = build_tagger,
};
