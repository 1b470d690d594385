/* vector_recurrent.c: the recurrent modules of PyTorch as the layers of hadal/nn_recurrent.h, whose parameters get the
 * values of the case. */
#include "calls.h"
#include "hadal/nn.h"
#include <string.h>

/* Gives the parameters of layer "m" their values: every tensor among the keywords. */
static void give_parameters(vector_case *c) {
    for (const hd_json *v = c->kwargs ? c->kwargs->child : NULL; v; v = v->next) {
        if (!vector_is_tensor(v)) continue;
        (void)vector_arg(c, -1, v->key);
        vector_set_parameter(c, v->key, hd_json_get(v, "tensor")->string);
    }
}

/* A new axis in front of the last: a sequence, or a step, that is no batch. */
static hd_val with_batch(hd_val v) {
    return hd_val_is_none(v) ? v : hd_unsqueeze(v, .axis = -2);
}
static hd_val without_batch(hd_val v) {
    return hd_squeeze(v, .axes = HD_DIMS(-2));
}

/* The first states: a tensor, or, of lstm, a list of two. */
static void read_states(vector_case *c, bool pair, hd_val *h, hd_val *cell) {
    hd_val both[VECTOR_MOST] = {{0}};
    if (!pair)
        *h = vector_tensor_if(c, 1, "hx");
    else if (vector_has(c, 1, "hx") && vector_tensors(c, 1, "hx", both) == 2)
        *h = both[0], *cell = both[1];
}

typedef hd_val (*layer_fn)(hd_loc at, const hd_nn_recurrent_args *args);

static void run_layer(vector_case *c, layer_fn layer, bool pair) {
    hd_val h_n = {0}, c_n = {0};
    hd_nn_recurrent_args a = {.x = vector_tensor(c, 0, "input"), .name = "m", .h_n = &h_n};
    const bool alone = hd_val_dims(a.x).rank == 2;
    a.hidden_size = vector_int(c, -1, "hidden_size", 0);
    a.num_layers = vector_int(c, -1, "num_layers", 1);
    a.proj_size = vector_int(c, -1, "proj_size", 0);
    a.no_bias = !vector_bool(c, -1, "bias", true);
    a.bidirectional = vector_bool(c, -1, "bidirectional", false);
    a.batch_first = vector_bool(c, -1, "batch_first", false) && !alone;
    a.nonlinearity = strcmp(vector_string(c, -1, "nonlinearity", "tanh"), "relu") == 0;
    if (vector_bool(c, -1, "training", false))
        vector_only(c, -1, "dropout", 0);
    else
        vector_ignore(c, -1, "dropout");
    if (pair) a.c_n = &c_n;
    read_states(c, pair, &a.h0, &a.c0);
    if (alone) a.x = with_batch(a.x), a.h0 = with_batch(a.h0), a.c0 = with_batch(a.c0);
    const hd_val y = layer(HD_HERE, &a);
    give_parameters(c);
    vector_give(c, alone ? without_batch(y) : y);
    vector_give(c, alone ? without_batch(h_n) : h_n);
    if (pair) vector_give(c, alone ? without_batch(c_n) : c_n);
}

typedef hd_val (*cell_fn)(hd_loc at, const hd_nn_cell_args *args);

static void run_cell(vector_case *c, cell_fn cell, bool pair) {
    hd_val c_out = {0};
    hd_nn_cell_args a = {.x = vector_tensor(c, 0, "input"), .name = "m", .c_out = &c_out};
    const bool alone = hd_val_dims(a.x).rank == 1;
    a.hidden_size = vector_int(c, -1, "hidden_size", 0);
    a.no_bias = !vector_bool(c, -1, "bias", true);
    a.nonlinearity = strcmp(vector_string(c, -1, "nonlinearity", "tanh"), "relu") == 0;
    read_states(c, pair, &a.h, &a.c);
    if (alone) a.x = with_batch(a.x), a.h = with_batch(a.h), a.c = with_batch(a.c);
    const hd_val h = cell(HD_HERE, &a);
    give_parameters(c);
    vector_give(c, alone ? without_batch(h) : h);
    if (pair) vector_give(c, alone ? without_batch(c_out) : c_out);
}

#define LAYER_CALL(name, pair)                                                                                         \
    static void call_##name(vector_case *c) {                                                                          \
        run_layer(c, hd_nn_##name##_at, pair);                                                                         \
    }                                                                                                                  \
    static void call_##name##_cell(vector_case *c) {                                                                   \
        run_cell(c, hd_nn_##name##_cell_at, pair);                                                                     \
    }
LAYER_CALL(rnn, false)
LAYER_CALL(lstm, true)
LAYER_CALL(gru, false)

const vector_entry vector_calls_recurrent[] = {{"nn.RNN", call_rnn},
                                               {"nn.LSTM", call_lstm},
                                               {"nn.GRU", call_gru},
                                               {"nn.RNNCell", call_rnn_cell},
                                               {"nn.LSTMCell", call_lstm_cell},
                                               {"nn.GRUCell", call_gru_cell},
                                               {0}};
