/* nn_cells.c: one step of a recurrent layer, out of linear, sigmoid, tanh and products: what the loops over time are
 * held against, and what may be differentiated twice. Knows nothing of time. */
#include "nn/layer.h"
#include <math.h>

/* ---- the arithmetic ---- */

static hd_val product(hd_loc at, hd_val x, hd_val w, hd_val b) {
    return hd_linear_at(at, &(hd_linear_args){.x = x, .w = w, .b = b});
}

/* Gate k of n in z [b, n·h]. */
static hd_val gate(hd_loc at, hd_val z, int64_t k, int64_t n) {
    const int64_t h = hd_val_dims(z).dim[1] / n;
    return hd_slice_at(at, &(hd_slice_args){.x = z, .axis = -1, .start = k * h, .stop = (k + 1) * h});
}

#define SIGMOID(v)  hd_sigmoid_at(at, &(hd_unary_args){.x = (v)})
#define TANH(v)     hd_tanh_at(at, &(hd_unary_args){.x = (v)})
#define PLUS(a, b)  hd_add_at(at, &(hd_binary_args){(a), (b), 0})
#define MINUS(a, b) hd_sub_at(at, &(hd_binary_args){(a), (b), 0})
#define TIMES(a, b) hd_mul_at(at, &(hd_binary_args){(a), (b), 0})

/* w_ih x + b_ih + w_hh h + b_hh */
static hd_val both(hd_loc at, const hd_cell_args *a) {
    return PLUS(product(at, a->x, a->w_ih, a->b_ih), product(at, a->h, a->w_hh, a->b_hh));
}

hd_val hd_rnn_cell_at(hd_loc at, const hd_cell_args *a) {
    const hd_val z = both(at, a);
    return a->nonlinearity ? hd_relu_at(at, &(hd_unary_args){.x = z}) : TANH(z);
}

hd_val hd_lstm_cell_at(hd_loc at, const hd_cell_args *a) {
    const hd_val z = both(at, a);
    const hd_val in = SIGMOID(gate(at, z, 0, 4)), forget = SIGMOID(gate(at, z, 1, 4)), g = TANH(gate(at, z, 2, 4));
    const hd_val c = PLUS(TIMES(forget, a->c), TIMES(in, g));
    if (a->c_out) *a->c_out = c;
    const hd_val h = TIMES(SIGMOID(gate(at, z, 3, 4)), TANH(c));
    return hd_val_is_none(a->w_hr) ? h : product(at, h, a->w_hr, (hd_val){0});
}

/* (1 − z) n + z h = n + z (h − n) */
hd_val hd_gru_cell_at(hd_loc at, const hd_cell_args *a) {
    const hd_val x = product(at, a->x, a->w_ih, a->b_ih), s = product(at, a->h, a->w_hh, a->b_hh);
    const hd_val reset = SIGMOID(PLUS(gate(at, x, 0, 3), gate(at, s, 0, 3)));
    const hd_val keep = SIGMOID(PLUS(gate(at, x, 1, 3), gate(at, s, 1, 3)));
    const hd_val fresh = TANH(PLUS(gate(at, x, 2, 3), TIMES(reset, gate(at, s, 2, 3))));
    return PLUS(fresh, TIMES(keep, MINUS(a->h, fresh)));
}

/* ---- with parameters ---- */

typedef hd_val (*cell_fn)(hd_loc at, const hd_cell_args *args);

/* Zeros [b, h], of the shape of a gate. */
static hd_val zeros_of(hd_loc at, const hd_cell_args *c, int64_t gates) {
    const hd_val like = gate(at, product(at, c->x, c->w_ih, (hd_val){0}), 0, gates);
    return hd_fill_like_at(at, &(hd_fill_like_args){.x = like});
}

static hd_val with_parameters(hd_loc at, const hd_nn_cell_args *a, const char *type, int64_t gates, cell_fn step) {
    hd_graph *g = a->x.graph;
    char name[HD_LAYER_NAME], part[HD_LAYER_NAME];
    if (!hd_layer_ready(a->x) || !hd_layer_name(g, at, type, a->name, name)) return (hd_val){0};
    const hd_dims dims = hd_val_dims(a->x);
    const int64_t h = a->hidden_size, in = dims.rank == 2 ? dims.dim[1] : 0;
    if (in < 1)
        return hd_layer_refuse(g, at, type, name, "One step of a batch of sequences is [batch, features]",
                               "expects rows of numbers");
    if (h < 1 || h > HD_LAYER_MAX / gates)
        return hd_layer_refuse(g, at, type, name, "Give hidden_size, 1 or more", "hidden_size is %lld", (long long)h);
    const double bound = 1 / sqrt((double)h);
    const hd_init init = HD_UNIFORM(-bound, bound);
    const hd_dtype t = hd_val_dtype(a->x);
    hd_cell_args c = {.x = a->x, .h = a->h, .c = a->c, .c_out = a->c_out, .nonlinearity = a->nonlinearity};
    c.w_ih = hd_param_at(at, g, hd_layer_param(part, name, "weight_ih"), t, HD_DIMS(gates * h, in), init);
    c.w_hh = hd_param_at(at, g, hd_layer_param(part, name, "weight_hh"), t, HD_DIMS(gates * h, h), init);
    if (!a->no_bias) {
        c.b_ih = hd_param_at(at, g, hd_layer_param(part, name, "bias_ih"), t, HD_DIMS(gates * h), init);
        c.b_hh = hd_param_at(at, g, hd_layer_param(part, name, "bias_hh"), t, HD_DIMS(gates * h), init);
    }
    if (hd_val_is_none(c.h)) c.h = zeros_of(at, &c, gates);
    if (hd_val_is_none(c.c) && gates == 4) c.c = zeros_of(at, &c, gates);
    return step(at, &c);
}

hd_val hd_nn_rnn_cell_at(hd_loc at, const hd_nn_cell_args *a) {
    return with_parameters(at, a, "rnn_cell", 1, hd_rnn_cell_at);
}
hd_val hd_nn_lstm_cell_at(hd_loc at, const hd_nn_cell_args *a) {
    return with_parameters(at, a, "lstm_cell", 4, hd_lstm_cell_at);
}
hd_val hd_nn_gru_cell_at(hd_loc at, const hd_nn_cell_args *a) {
    return with_parameters(at, a, "gru_cell", 3, hd_gru_cell_at);
}
