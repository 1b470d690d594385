/* nn_recurrent.c: recurrent layers: parameters, several layers, both directions, first and last states. The loops
 * themselves are ops. */
#include "nn/layer.h"
#include <math.h>
#include <stdio.h>

enum { MOST_LAYERS = 64 };
typedef enum recurrent_kind { RNN, LSTM, GRU } recurrent_kind;
static const char *const kind_names[] = {"rnn", "lstm", "gru"};
static const int64_t kind_gates[] = {1, 4, 3};

/* A layer while it is built. */
typedef struct recurrent {
    const hd_nn_recurrent_args *a;
    recurrent_kind kind;
    hd_loc at;
    hd_graph *g;
    const char *name;
    int64_t hidden, outputs, layers, directions;
    bool carries; /* its state from run to run */
    hd_val h_n[2 * MOST_LAYERS], c_n[2 * MOST_LAYERS];
} recurrent;

static hd_val refuse(const recurrent *r, const char *fix, const char *what, long long number) {
    return hd_layer_refuse(r->g, r->at, kind_names[r->kind], r->name, fix, what, number);
}

/* NAME.PART_lK, with _reverse for the other direction. */
static hd_val parameter(const recurrent *r, const char *part, int64_t layer, bool reverse, hd_dims dims) {
    char name[HD_LAYER_NAME], suffixed[64];
    const double bound = 1 / sqrt((double)r->hidden);
    (void)snprintf(suffixed, sizeof suffixed, "%s_l%lld%s", part, (long long)layer, reverse ? "_reverse" : "");
    return hd_param_at(r->at, r->g, hd_layer_param(name, r->name, suffixed), hd_val_dtype(r->a->x), dims,
                       HD_UNIFORM(-bound, bound));
}

typedef struct weights {
    hd_val ih, hh, b_ih, b_hh, hr;
} weights;

static weights parameters(const recurrent *r, hd_val x, int64_t layer, bool reverse) {
    const int64_t in = hd_val_dims(x).dim[2], rows = kind_gates[r->kind] * r->hidden;
    weights w = {{0}, {0}, {0}, {0}, {0}};
    w.ih = parameter(r, "weight_ih", layer, reverse, HD_DIMS(rows, in));
    w.hh = parameter(r, "weight_hh", layer, reverse, HD_DIMS(rows, r->outputs));
    if (!r->a->no_bias) {
        w.b_ih = parameter(r, "bias_ih", layer, reverse, HD_DIMS(rows));
        w.b_hh = parameter(r, "bias_hh", layer, reverse, HD_DIMS(rows));
    }
    if (r->a->proj_size > 0) w.hr = parameter(r, "weight_hr", layer, reverse, HD_DIMS(r->outputs, r->hidden));
    return w;
}

/* The first state of a layer: the caller's, or what was carried, or none. */
static hd_val state(const recurrent *r, hd_val all, const char *part, int64_t number, int64_t size) {
    const hd_dims x = hd_val_dims(r->a->x);
    char named[32];
    if (!hd_val_is_none(all))
        return hd_select_at(r->at, &(hd_select_args){.x = all, .axis = HD_AXIS(0), .index = number});
    if (!r->carries) return (hd_val){0};
    (void)snprintf(named, sizeof named, "%s_l%lld", part, (long long)number);
    return hd_nn_buffer(r->at, r->g, r->name, named, hd_val_dtype(r->a->x), HD_DIMS(x.dim[!r->a->batch_first], size));
}

static void carry(const recurrent *r, hd_val buffer, hd_val last) {
    if (r->carries) (void)hd_assign_at(r->at, &(hd_assign_args){buffer, last, 0});
}

/* One layer in one direction. Where both biases only add up they are one: one gradient serves both. */
static hd_val one_way(recurrent *r, hd_val x, int64_t layer, bool reverse) {
    const hd_nn_recurrent_args *a = r->a;
    const int64_t number = layer * r->directions + reverse;
    const weights w = parameters(r, x, layer, reverse);
    const hd_val h0 = state(r, a->h0, "h", number, r->outputs);
    const hd_val c0 = r->kind == LSTM ? state(r, a->c0, "c", number, r->hidden) : (hd_val){0};
    hd_val bias = w.b_ih;
    if (r->kind != GRU && !a->no_bias) bias = hd_add_at(r->at, &(hd_binary_args){w.b_ih, w.b_hh, 0});
    const hd_val z = hd_linear_at(r->at, &(hd_linear_args){.x = x, .w = w.ih, .b = bias});
    const bool first = a->batch_first;
    hd_val y;
    if (r->kind == LSTM)
        y = hd_lstm_at(r->at, &(hd_lstm_args){z, w.hh, h0, c0, w.hr, a->lengths, reverse, first, 0});
    else if (r->kind == GRU)
        y = hd_gru_at(r->at, &(hd_gru_args){z, w.hh, w.b_hh, h0, a->lengths, reverse, first, 0});
    else
        y = hd_rnn_at(r->at, &(hd_rnn_args){z, w.hh, h0, a->lengths, a->nonlinearity, reverse, first, 0});
    r->h_n[number] = hd_output(y, 1);
    carry(r, h0, r->h_n[number]);
    if (r->kind != LSTM) return y;
    r->c_n[number] = hd_output(y, 2);
    carry(r, c0, r->c_n[number]);
    return y;
}

static hd_val side_by_side(hd_loc at, hd_val a, hd_val b) {
    const hd_val both[] = {a, b};
    return hd_concat_at(at, &(hd_concat_args){.x = both, .n = 2, .axis = -1});
}

static hd_val all_layers(recurrent *r) {
    const hd_nn_recurrent_args *a = r->a;
    hd_val x = a->x;
    for (int64_t k = 0; k < r->layers; k++) {
        if (k > 0 && a->dropout > 0) x = hd_nn_dropout_at(r->at, &(hd_nn_dropout_args){.x = x, .p = a->dropout});
        const hd_val y = one_way(r, x, k, false);
        x = a->bidirectional ? side_by_side(r->at, y, one_way(r, x, k, true)) : y;
        if (!hd_layer_ready(x)) return (hd_val){0};
    }
    const int64_t n = r->layers * r->directions;
    if (a->h_n) *a->h_n = hd_stack_at(r->at, &(hd_stack_args){.x = r->h_n, .n = n});
    if (a->c_n && r->kind == LSTM) *a->c_n = hd_stack_at(r->at, &(hd_stack_args){.x = r->c_n, .n = n});
    return x;
}

/* False after a refusal. */
static bool is_possible(const recurrent *r) {
    const hd_nn_recurrent_args *a = r->a;
    const hd_dims dims = hd_val_dims(a->x);
    char shape[192];
    if (dims.rank != 3 || dims.dim[2] < 1) {
        hd_layer_refuse(r->g, r->at, kind_names[r->kind], r->name,
                        "Put embedding before it where the input is tokens, reshape where it is rows",
                        "expects sequences [%s, features], its input is %s",
                        a->batch_first ? "batch, steps" : "steps, batch", hd_dims_text(shape, &dims));
        return false;
    }
    if (r->hidden < 1 || r->hidden > HD_LAYER_MAX / 4)
        refuse(r, "Give hidden_size, 1 or more", "hidden_size is %lld", (long long)r->hidden);
    else if (r->layers < 1 || r->layers > MOST_LAYERS)
        refuse(r, "Give num_layers, 1 … 64", "num_layers is %lld", (long long)r->layers);
    else if (a->proj_size && (a->proj_size < 0 || a->proj_size >= r->hidden || r->kind != LSTM))
        refuse(r, "Only lstm has one, and it is smaller than hidden_size", "proj_size is %lld",
               (long long)a->proj_size);
    else if (r->carries && (a->bidirectional || !hd_val_is_none(a->h0) || !hd_val_is_none(a->c0)))
        refuse(r, "Leave out bidirectional, h0 and c0, or stateful",
               "a state is carried on in one direction, %lld layers", (long long)r->layers);
    else if (hd_graph_decode(r->g) > 0 && dims.dim[a->batch_first] != 1)
        refuse(r, "Feed [batch, 1, features]", "in decode mode a run takes one step, these are %lld",
               (long long)dims.dim[a->batch_first]);
    else
        return true;
    return false;
}

static hd_val build_recurrent(hd_loc at, const hd_nn_recurrent_args *a, recurrent_kind kind) {
    char name[HD_LAYER_NAME];
    recurrent r = {.a = a, .kind = kind, .at = at, .g = a->x.graph, .name = name, .hidden = a->hidden_size};
    if (!hd_layer_ready(a->x) || !hd_layer_name(r.g, at, kind_names[kind], a->name, name)) return (hd_val){0};
    r.outputs = a->proj_size > 0 ? a->proj_size : a->hidden_size;
    r.layers = a->num_layers ? a->num_layers : 1;
    r.directions = a->bidirectional ? 2 : 1;
    r.carries = a->stateful || hd_graph_decode(r.g) > 0;
    return is_possible(&r) ? all_layers(&r) : (hd_val){0};
}

hd_val hd_nn_rnn_at(hd_loc at, const hd_nn_recurrent_args *a) {
    return build_recurrent(at, a, RNN);
}
hd_val hd_nn_lstm_at(hd_loc at, const hd_nn_recurrent_args *a) {
    return build_recurrent(at, a, LSTM);
}
hd_val hd_nn_gru_at(hd_loc at, const hd_nn_recurrent_args *a) {
    return build_recurrent(at, a, GRU);
}

/* ---- in recipes ---- */

typedef struct recipe_args {
    int64_t hidden_size, num_layers, proj_size, nonlinearity, output;
    double dropout;
    bool bias, bidirectional, batch_first, stateful;
} recipe_args;

static const char *const output_words[] = {"sequence", "last", NULL};
static const char *const nonlinearity_words[] = {"tanh", "relu", NULL};

/* The last state of the last layer, of both directions side by side. */
static hd_val last_state(hd_loc at, hd_val h_n, bool bidirectional) {
    const hd_val h = hd_select_at(at, &(hd_select_args){.x = h_n, .axis = HD_AXIS(0), .index = -1});
    if (!bidirectional) return h;
    return side_by_side(at, hd_select_at(at, &(hd_select_args){.x = h_n, .axis = HD_AXIS(0), .index = -2}), h);
}

static hd_val build_of(hd_loc at, hd_val x, const char *name, const recipe_args *a, recurrent_kind kind) {
    hd_val h_n = {0};
    const hd_nn_recurrent_args args = {.x = x,
                                       .name = name,
                                       .hidden_size = a->hidden_size,
                                       .num_layers = a->num_layers,
                                       .proj_size = a->proj_size,
                                       .nonlinearity = a->nonlinearity,
                                       .dropout = a->dropout,
                                       .no_bias = !a->bias,
                                       .bidirectional = a->bidirectional,
                                       .batch_first = a->batch_first,
                                       .stateful = a->stateful,
                                       .h_n = a->output ? &h_n : NULL};
    const hd_val y = build_recurrent(at, &args, kind);
    return a->output && hd_layer_ready(y) ? last_state(at, h_n, a->bidirectional) : y;
}

#define OPTION(field_, type_, ...) HD_LAYER_OPT(recipe_args, field_, HD_OPT_##type_, 1, __VA_ARGS__)
#define SHARED_OPTIONS                                                                                                 \
    OPTION(num_layers, INT, .def = 1, .min = 1, .max = MOST_LAYERS, .help = "layers one upon the other"),              \
        OPTION(dropout, FLOAT, .def = 0, .min = 0, .max = 1, .help = "share dropped between the layers"),              \
        OPTION(bias, BOOL, .def = 1, .help = "add trained numbers to the gates"),                                      \
        OPTION(bidirectional, BOOL, .help = "also from the end to the front; twice as many outputs"),                  \
        OPTION(stateful, BOOL, .help = "go on where the batch before ended; wants data in streams"),                   \
        OPTION(batch_first, BOOL, .def = 1, .help = "x is [batch, steps, features], as data come"),                    \
        OPTION(output, ENUM, .choices = output_words, .help = "sequence: of every step; last: the last state alone")
#define HIDDEN OPTION(hidden_size, INT, .min = 1, .max = HD_LAYER_MAX, .help = "units of a layer")

static const hd_option rnn_options[] = {
    HIDDEN, OPTION(nonlinearity, ENUM, .choices = nonlinearity_words, .help = "tanh or relu"), SHARED_OPTIONS,
    HD_OPTION_END};
static const hd_option lstm_options[] = {
    HIDDEN, OPTION(proj_size, INT, .min = 0, .max = HD_LAYER_MAX, .help = "outputs of a layer, fewer than its units"),
    SHARED_OPTIONS, HD_OPTION_END};
static const hd_option gru_options[] = {HIDDEN, SHARED_OPTIONS, HD_OPTION_END};

#define LAYER(name_, kind_, help_)                                                                                     \
    static hd_val name_##_build(hd_loc at, hd_val x, const char *name, void *args) {                                   \
        return build_of(at, x, name, args, kind_);                                                                     \
    }                                                                                                                  \
    const hd_layer hd_layer_##name_ = {.name = #name_,                                                                 \
                                       .help = help_,                                                                  \
                                       .args_size = sizeof(recipe_args),                                               \
                                       .options = name_##_options,                                                     \
                                       .build = name_##_build};

LAYER(rnn, RNN, "hₜ = tanh(w_ih xₜ + b_ih + w_hh hₜ₋₁ + b_hh): a recurrent layer over [batch, steps, features]")
LAYER(lstm, LSTM, "long short-term memory over [batch, steps, features]: cₜ = f cₜ₋₁ + i g, hₜ = o tanh cₜ")
LAYER(gru, GRU, "gated recurrent units over [batch, steps, features]: hₜ = (1 − z) n + z hₜ₋₁")
