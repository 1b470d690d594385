/* hadal/ops_recurrent.h: recurrent layers as loops over time: what comes from the input is computed for all steps
 * before (x w_ihᵀ + b, one product), the loop adds what comes from the step before. See hadal/ops.h for how they are
 * called; layers with parameters are in hadal/nn_recurrent.h. */
#ifndef HADAL_OPS_RECURRENT_H
#define HADAL_OPS_RECURRENT_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** hₜ = act(xₜ + w_hh hₜ₋₁): x [t, b, h] (batch_first: [b, t, h]) → y like x, h_n [b, h]. h0 [b, h] or none (zeros).
 * lengths i64 [b]: how many steps each sequence has, 0 … t; behind them y is 0, h_n is the state after the last of
 * them, and reverse begins there. */
typedef struct hd_rnn_args {
    hd_val x, w_hh, h0, lengths;
    int64_t nonlinearity; /**< 0: tanh, 1: relu */
    bool reverse, batch_first;
    int end_;
} hd_rnn_args;
HD_API hd_val hd_rnn_at(hd_loc at, const hd_rnn_args *args);
#define hd_rnn(...) HD_CALL_(rnn, __VA_ARGS__)
/** Gradient of rnn from its result y and what arrives at y and h_n (none: nothing) → dx, dh0. */
typedef struct hd_rnn_grad_args {
    hd_val y, w_hh, dy, dh_n, lengths;
    int64_t nonlinearity;
    bool reverse, batch_first;
    int end_;
} hd_rnn_grad_args;
HD_API hd_val hd_rnn_grad_at(hd_loc at, const hd_rnn_grad_args *args);
#define hd_rnn_grad(...) HD_CALL_(rnn_grad, __VA_ARGS__)

/** Long short-term memory, gates in the order i, f, g, o: x [t, b, 4h], w_hh [4h, p], h0 [b, p], c0 [b, h] (none:
 * zeros), w_hr [p, h] (a projection of the output; none: p = h) → y [t, b, p], h_n [b, p], c_n [b, h], and what the
 * gradient needs: gates after their activations [t, b, 4h], c [t, b, h]. batch_first, reverse, lengths as in rnn. */
typedef struct hd_lstm_args {
    hd_val x, w_hh, h0, c0, w_hr, lengths;
    bool reverse, batch_first;
    int end_;
} hd_lstm_args;
HD_API hd_val hd_lstm_at(hd_loc at, const hd_lstm_args *args);
#define hd_lstm(...) HD_CALL_(lstm, __VA_ARGS__)
/** Gradient of lstm from its results and what arrives at them (none: nothing) → dx, dh0, dc0, and dh [t, b, p], all
 * that arrives at the output of each step (with w_hr; else [0]). */
typedef struct hd_lstm_grad_args {
    hd_val gates, c, w_hh, c0, w_hr, dy, dh_n, dc_n, dgates, dc, lengths;
    bool reverse, batch_first;
    int end_;
} hd_lstm_grad_args;
HD_API hd_val hd_lstm_grad_at(hd_loc at, const hd_lstm_grad_args *args);
#define hd_lstm_grad(...) HD_CALL_(lstm_grad, __VA_ARGS__)

/** Gated recurrent unit, gates in the order r, z, n: x [t, b, 3h], w_hh [3h, h], b_hh [3h] or none, h0 [b, h] → y
 * [t, b, h], h_n [b, h], and what the gradient needs: r, z, n and w_hn h + b_hn, [t, b, 4h]. The rest as in rnn. */
typedef struct hd_gru_args {
    hd_val x, w_hh, b_hh, h0, lengths;
    bool reverse, batch_first;
    int end_;
} hd_gru_args;
HD_API hd_val hd_gru_at(hd_loc at, const hd_gru_args *args);
#define hd_gru(...) HD_CALL_(gru, __VA_ARGS__)
/** Gradient of gru → dx, dz (of w_hh h + b_hh, like dx), dh0. */
typedef struct hd_gru_grad_args {
    hd_val gates, y, w_hh, h0, dy, dh_n, dgates, lengths;
    bool reverse, batch_first;
    int end_;
} hd_gru_grad_args;
HD_API hd_val hd_gru_grad_at(hd_loc at, const hd_gru_grad_args *args);
#define hd_gru_grad(...) HD_CALL_(gru_grad, __VA_ARGS__)

/** A sequence one step later: y = first, x₀, x₁, …; and the step that falls out at the end, last [b, h]. first [b, h]
 * or none (zeros). Along [t, b, h] or, batch_first, [b, t, h]; reverse: one step earlier. Behind the lengths y is 0. */
typedef struct hd_time_shift_args {
    hd_val x, first, lengths;
    bool reverse, batch_first;
    int end_;
} hd_time_shift_args;
HD_API hd_val hd_time_shift_at(hd_loc at, const hd_time_shift_args *args);
#define hd_time_shift(...) HD_CALL_(time_shift, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
