/* hadal/nn_recurrent.h: recurrent layers with their parameters, under PyTorch's names, in PyTorch's order of gates. See
 * hadal/nn.h. */
#ifndef HADAL_NN_RECURRENT_H
#define HADAL_NN_RECURRENT_H
#include "hadal/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Recurrent layers on x [t, b, features], or [b, t, features] with batch_first → y [t, b, d·h] (p instead of h with a
 * projection; d is 2 when bidirectional, else 1). For each layer k: NAME.weight_ih_lk [g·h, in], NAME.weight_hh_lk
 * [g·h, p], NAME.bias_ih_lk and NAME.bias_hh_lk [g·h], NAME.weight_hr_lk [p, h]; of the other direction with _reverse
 * behind; all start uniform in ±1/√h. Gates: lstm i, f, g, o; gru r, z, n. In decode mode (hd_graph_set_decode) x is
 * one step, and the state is carried in the same buffers as with stateful. */
typedef struct hd_nn_recurrent_args {
    hd_val x;
    const char *name;
    int64_t hidden_size;
    int64_t num_layers;   /**< default 1 */
    int64_t proj_size;    /**< of lstm: size of its output; 0: hidden_size */
    int64_t nonlinearity; /**< of rnn: 0 tanh, 1 relu */
    double dropout;       /**< between layers; default none */
    hd_val h0, c0;        /**< first state [num_layers·d, b, p], c0 (lstm) [num_layers·d, b, h]; none: zeros */
    hd_val lengths;       /**< i64 [b]: steps that each sequence has; none: all of them */
    hd_val *h_n, *c_n;    /**< where the last state goes, shaped as h0 and c0; NULL: not wanted */
    bool no_bias, bidirectional, batch_first;
    bool stateful; /**< begins in training where the batch before ended: its last state is kept in the buffers NAME.h_lk
                        and NAME.c_lk, which hd_store_clear makes zeros; no gradient flows back into the batch before */
    int end_;
} hd_nn_recurrent_args;
HD_API hd_val hd_nn_rnn_at(hd_loc at, const hd_nn_recurrent_args *args);
HD_API hd_val hd_nn_lstm_at(hd_loc at, const hd_nn_recurrent_args *args);
HD_API hd_val hd_nn_gru_at(hd_loc at, const hd_nn_recurrent_args *args);
#define HD_NN_RECURRENT_(name, ...) hd_nn_##name##_at(HD_HERE, &(hd_nn_recurrent_args){__VA_ARGS__, .end_ = 0})
#define hd_nn_rnn(...)              HD_NN_RECURRENT_(rnn, __VA_ARGS__)
#define hd_nn_lstm(...)             HD_NN_RECURRENT_(lstm, __VA_ARGS__)
#define hd_nn_gru(...)              HD_NN_RECURRENT_(gru, __VA_ARGS__)

/** One step on x [b, features] from the state h [b, h] (and c; none: zeros) → the state after it; of lstm also *c_out.
 * NAME.weight_ih [g·h, in], NAME.weight_hh [g·h, h], NAME.bias_ih, NAME.bias_hh [g·h]. Made of linear, sigmoid, tanh
 * and products, so that second derivatives exist. */
typedef struct hd_nn_cell_args {
    hd_val x;
    const char *name;
    int64_t hidden_size;
    hd_val h, c;
    hd_val *c_out;        /**< lstm: where the new c goes; may be NULL */
    int64_t nonlinearity; /**< of rnn: 0 tanh, 1 relu */
    bool no_bias;
    int end_;
} hd_nn_cell_args;
HD_API hd_val hd_nn_rnn_cell_at(hd_loc at, const hd_nn_cell_args *args);
HD_API hd_val hd_nn_lstm_cell_at(hd_loc at, const hd_nn_cell_args *args);
HD_API hd_val hd_nn_gru_cell_at(hd_loc at, const hd_nn_cell_args *args);
#define HD_NN_CELL_(name, ...) hd_nn_##name##_at(HD_HERE, &(hd_nn_cell_args){__VA_ARGS__, .end_ = 0})
#define hd_nn_rnn_cell(...)    HD_NN_CELL_(rnn_cell, __VA_ARGS__)
#define hd_nn_lstm_cell(...)   HD_NN_CELL_(lstm_cell, __VA_ARGS__)
#define hd_nn_gru_cell(...)    HD_NN_CELL_(gru_cell, __VA_ARGS__)

/** The arithmetic of one step upon weights that there are already: linear, sigmoid, tanh, products. */
typedef struct hd_cell_args {
    hd_val x, h, c;                      /**< x [b, in]; h [b, p], c [b, h] */
    hd_val w_ih, w_hh, b_ih, b_hh, w_hr; /**< biases and w_hr (of lstm) may be none */
    hd_val *c_out;
    int64_t nonlinearity;
    int end_;
} hd_cell_args;
HD_API hd_val hd_rnn_cell_at(hd_loc at, const hd_cell_args *args);
HD_API hd_val hd_lstm_cell_at(hd_loc at, const hd_cell_args *args);
HD_API hd_val hd_gru_cell_at(hd_loc at, const hd_cell_args *args);
#define HD_CELL_(name, ...) hd_##name##_at(HD_HERE, &(hd_cell_args){__VA_ARGS__, .end_ = 0})
#define hd_rnn_cell(...)    HD_CELL_(rnn_cell, __VA_ARGS__)
#define hd_lstm_cell(...)   HD_CELL_(lstm_cell, __VA_ARGS__)
#define hd_gru_cell(...)    HD_CELL_(gru_cell, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
