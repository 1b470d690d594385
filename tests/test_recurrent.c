/* test_recurrent.c: recurrent layers against their steps written out (results and gradients, lengths, both directions),
 * the same bits on any number of threads, states that are carried, one step a run, names and refusals. */
#include "support.h"

#include "hadal/hadal.h"
#include <math.h>

enum { STEPS = 5, LANES = 3, FEATURES = 4, HIDDEN = 6, MOST = 40 };
enum { RNN, LSTM, GRU, KINDS };

typedef hd_val (*layer_fn)(hd_loc at, const hd_nn_recurrent_args *args);
typedef hd_val (*cell_fn)(hd_loc at, const hd_cell_args *args);
static const layer_fn layers[] = {hd_nn_rnn_at, hd_nn_lstm_at, hd_nn_gru_at};
static const cell_fn cells[] = {hd_rnn_cell_at, hd_lstm_cell_at, hd_gru_cell_at};

static void is_ok(hd_context *ctx, hd_status status) {
    if (status != HD_OK) fail_msg("%s", hd_last_error(ctx));
}

static double number(int64_t i) {
    return sin((double)i * 0.7 + (double)(i % 13) * (double)(i % 7));
}

/* ---- against the steps written out ---- */

typedef struct variant {
    const char *what;
    int kind;
    int64_t num_layers, proj_size;
    bool bidirectional, batch_first, lengths, states, no_bias;
} variant;

static const variant variants[] = {
    {"rnn", RNN, .num_layers = 1},
    {"rnn, lengths, both ways", RNN, .num_layers = 2, .bidirectional = true, .lengths = true, .states = true},
    {"lstm", LSTM, .num_layers = 1},
    {"lstm, two layers, batch first", LSTM, .num_layers = 2, .batch_first = true, .states = true},
    {"lstm, lengths, both ways", LSTM, .num_layers = 2, .bidirectional = true, .lengths = true, .batch_first = true},
    {"lstm, projection", LSTM, .num_layers = 2, .proj_size = 3, .bidirectional = true, .lengths = true, .states = true},
    {"lstm without bias", LSTM, .num_layers = 1, .no_bias = true, .states = true},
    {"gru", GRU, .num_layers = 1},
    {"gru, lengths, both ways", GRU, .num_layers = 2, .bidirectional = true, .lengths = true, .states = true},
    {"gru, batch first, no bias", GRU, .num_layers = 2, .batch_first = true, .no_bias = true},
};

static const int64_t some_lengths[LANES] = {5, 2, 4};

typedef struct bench {
    hd_context *ctx;
    hd_graph *g;
    const variant *v;
    hd_dtype dtype;
    hd_val x, h0, c0, lengths;
} bench;

static hd_val constant(const bench *b, hd_dims dims, int64_t first) {
    const int64_t n = hd_dims_count(&dims);
    double wide[1024];
    float narrow[1024];
    assert_true(n <= 1024);
    for (int64_t i = 0; i < n; i++) narrow[i] = (float)(wide[i] = (double)(float)number(first + i));
    return hd_const(b->g, b->dtype, dims, b->dtype == HD_F64 ? (void *)wide : (void *)narrow);
}

static hd_val weight(const bench *b, const char *part, int64_t layer, bool reverse) {
    char name[64];
    (void)snprintf(name, sizeof name, "m.%s_l%d%s", part, (int)layer, reverse ? "_reverse" : "");
    return hd_graph_find(b->g, name);
}

/* 1 for sequences that have step t, else 0: [lanes, 1]. */
static hd_val mask(const bench *b, int t) {
    double wide[LANES];
    float narrow[LANES];
    for (int i = 0; i < LANES; i++) narrow[i] = (float)(wide[i] = !b->v->lengths || t < some_lengths[i]);
    return hd_const(b->g, b->dtype, HD_DIMS(LANES, 1), b->dtype == HD_F64 ? (void *)wide : (void *)narrow);
}

static hd_val mix(hd_val m, hd_val a, hd_val b) {
    return hd_add(hd_mul(m, a), hd_sub(b, hd_mul(m, b)));
}

/* One direction of one layer, step by step: y of each step into `out`; the last states. */
static void walk(const bench *b, const hd_val *x, int64_t layer, bool reverse, hd_val *out, hd_val *h, hd_val *c) {
    hd_cell_args a = {.w_ih = weight(b, "weight_ih", layer, reverse), .w_hh = weight(b, "weight_hh", layer, reverse)};
    a.w_hr = weight(b, "weight_hr", layer, reverse);
    a.b_ih = weight(b, "bias_ih", layer, reverse);
    a.b_hh = weight(b, "bias_hh", layer, reverse);
    for (int i = 0; i < STEPS; i++) {
        const int t = reverse ? STEPS - 1 - i : i;
        const hd_val m = mask(b, t);
        hd_val next_c = {0};
        a.x = x[t], a.h = *h, a.c = *c, a.c_out = &next_c;
        const hd_val next = cells[b->v->kind](HD_HERE, &a);
        out[t] = hd_mul(m, next);
        *h = mix(m, next, *h);
        if (b->v->kind == LSTM) *c = mix(m, next_c, *c);
    }
}

/* The same as the layer gives: y and the last states joined into one number by weights of their own. */
static hd_val weighted(const bench *b, hd_val y, hd_val h_n, hd_val c_n) {
    hd_val total = hd_sum(hd_mul(y, constant(b, hd_val_dims(y), 100)));
    total = hd_add(total, hd_sum(hd_mul(h_n, constant(b, hd_val_dims(h_n), 500))));
    if (!hd_val_is_none(c_n)) total = hd_add(total, hd_sum(hd_mul(c_n, constant(b, hd_val_dims(c_n), 700))));
    return total;
}

static hd_val unrolled(const bench *b) {
    const variant *v = b->v;
    const int64_t d = v->bidirectional ? 2 : 1, p = v->proj_size ? v->proj_size : HIDDEN;
    hd_val x[STEPS], y[2][STEPS], h_n[MOST], c_n[MOST];
    for (int t = 0; t < STEPS; t++) x[t] = hd_select(b->x, .axis = HD_AXIS((int)v->batch_first), .index = t);
    for (int64_t k = 0; k < v->num_layers; k++) {
        for (int64_t w = 0; w < d; w++) {
            const int64_t n = k * d + w;
            const hd_val zero_h = hd_sub(constant(b, HD_DIMS(LANES, p), 0), constant(b, HD_DIMS(LANES, p), 0));
            const hd_val zero_c =
                hd_sub(constant(b, HD_DIMS(LANES, HIDDEN), 0), constant(b, HD_DIMS(LANES, HIDDEN), 0));
            h_n[n] = v->states ? hd_select(b->h0, .axis = HD_AXIS(0), .index = n) : zero_h;
            c_n[n] = v->states && v->kind == LSTM ? hd_select(b->c0, .axis = HD_AXIS(0), .index = n) : zero_c;
            walk(b, x, k, w == 1, y[w], &h_n[n], &c_n[n]);
        }
        for (int t = 0; t < STEPS; t++) {
            const hd_val both[] = {y[0][t], y[1][t]};
            x[t] = d == 2 ? hd_concat(both, .n = 2, .axis = -1) : y[0][t];
        }
    }
    const hd_val all = hd_stack(x, .n = STEPS, .axis = HD_AXIS((int)v->batch_first));
    const hd_val c = v->kind == LSTM ? hd_stack(c_n, .n = v->num_layers * d) : (hd_val){0};
    return weighted(b, all, hd_stack(h_n, .n = v->num_layers * d), c);
}

static hd_val by_layer(const bench *b) {
    const variant *v = b->v;
    hd_val h_n = {0}, c_n = {0};
    hd_nn_recurrent_args a = {.x = b->x, .name = "m", .hidden_size = HIDDEN, .num_layers = v->num_layers};
    a.proj_size = v->proj_size;
    a.bidirectional = v->bidirectional;
    a.batch_first = v->batch_first;
    a.no_bias = v->no_bias;
    a.h0 = b->h0, a.c0 = b->c0, a.lengths = b->lengths;
    a.h_n = &h_n, a.c_n = &c_n;
    const hd_val y = layers[v->kind](HD_HERE, &a);
    if (hd_graph_status(b->g) != HD_OK) fail_msg("%s: %s", v->what, hd_last_error(b->ctx));
    return weighted(b, y, h_n, c_n);
}

/* Everything that may have a gradient: the input, the states, all parameters. */
static int32_t leaves(const bench *b, hd_val *of) {
    static const char *const parts[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"};
    int32_t n = 0;
    of[n++] = b->x;
    if (b->v->states) of[n++] = b->h0;
    if (b->v->states && b->v->kind == LSTM) of[n++] = b->c0;
    for (int64_t k = 0; k < b->v->num_layers; k++)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            for (int reverse = 0; reverse < 2; reverse++)
                if (!hd_val_is_none(weight(b, parts[i], k, reverse))) of[n++] = weight(b, parts[i], k, reverse);
    return n;
}

static double element(const bench *b, const void *data, int64_t i) {
    return b->dtype == HD_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

/* Both sides differ by at most `bar` of the largest number. */
static void same(const bench *b, hd_program *p, const char *name, double bar) {
    char other[32];
    (void)snprintf(other, sizeof other, "other %s", name);
    const hd_type type = hd_program_type(p, name);
    const void *got = hd_program_get(p, name), *want = hd_program_get(p, other);
    assert_non_null(got);
    assert_non_null(want);
    double largest = 0;
    for (int64_t i = 0; i < hd_dims_count(&type.dims); i++) largest = fmax(largest, fabs(element(b, want, i)));
    if (largest == 0) fail_msg("%s: %s is nothing but zeros", b->v->what, name);
    for (int64_t i = 0; i < hd_dims_count(&type.dims); i++)
        if (!(fabs(element(b, got, i) - element(b, want, i)) <= bar * largest))
            fail_msg("%s: element %d of %s is %.9g, step by step %.9g", b->v->what, (int)i, name, element(b, got, i),
                     element(b, want, i));
}

static void bind_inputs(const bench *b, hd_program *p) {
    static double wide[4][1024];
    static float narrow[4][1024];
    const char *const names[] = {"x", "h0", "c0"};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 1024; i++) narrow[k][i] = (float)(wide[k][i] = (double)(float)number(i + 31 * k));
        if (hd_program_input(p, names[k]) >= 0)
            is_ok(b->ctx, hd_program_set(p, names[k], b->dtype == HD_F64 ? (void *)wide[k] : (void *)narrow[k]));
    }
    if (hd_program_input(p, "lengths") >= 0) is_ok(b->ctx, hd_program_set(p, "lengths", some_lengths));
}

static void check_variant(const variant *v, hd_dtype dtype, double bar) {
    bench b = {.ctx = test_context(1), .v = v, .dtype = dtype};
    hd_val of[MOST], grads[2][MOST], total[2];
    hd_program *p;
    char name[32];
    is_ok(b.ctx, hd_graph_new(&b.g, b.ctx));
    const int64_t d = v->bidirectional ? 2 : 1, p_size = v->proj_size ? v->proj_size : HIDDEN;
    b.x = hd_input(b.g, "x", dtype, v->batch_first ? HD_DIMS(LANES, STEPS, FEATURES) : HD_DIMS(STEPS, LANES, FEATURES));
    if (v->states) b.h0 = hd_input(b.g, "h0", dtype, HD_DIMS(v->num_layers * d, LANES, p_size));
    if (v->states && v->kind == LSTM) b.c0 = hd_input(b.g, "c0", dtype, HD_DIMS(v->num_layers * d, LANES, HIDDEN));
    if (v->lengths) b.lengths = hd_input(b.g, "lengths", HD_I64, HD_DIMS(LANES));
    total[0] = by_layer(&b);
    total[1] = unrolled(&b);
    const int32_t n = leaves(&b, of);
    for (int side = 0; side < 2; side++) {
        is_ok(b.ctx, hd_gradients(total[side], (hd_val){0}, of, n, grads[side]));
        for (int32_t i = 0; i < n; i++) {
            (void)snprintf(name, sizeof name, "%sd%d", side ? "other " : "", (int)i);
            hd_mark_output(hd_neg(grads[side][i]), name);
        }
        hd_mark_output(hd_neg(total[side]), side ? "other y" : "y");
    }
    const hd_compile_args args = {.train = true};
    is_ok(b.ctx, hd_compile_with(&p, hd_forward(hd_add(total[0], total[1])), &args));
    bind_inputs(&b, p);
    is_ok(b.ctx, hd_program_run(p));
    same(&b, p, "y", bar);
    for (int32_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "d%d", (int)i);
        same(&b, p, name, bar);
    }
    hd_program_free(p);
    hd_graph_free(b.g);
    hd_context_free(b.ctx);
}

static void layers_are_their_steps_written_out(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        check_variant(&variants[i], HD_F64, 1e-12);
        check_variant(&variants[i], HD_F32, 1e-5);
    }
}

/* ---- bits ---- */

enum { WIDE = 50, MANY = 37, BITS = 3 };
enum { FEW = 3, LARGE = 304, MOST_NUMBERS = FEW * LARGE > MANY *WIDE ? FEW *LARGE : MANY *WIDE };

static hd_val loss_of(hd_val y) {
    return hd_mean(hd_mul(y, y));
}

typedef struct net {
    int kind;
    int64_t lanes, width;
    const int64_t *lengths; /* NULL: all are as long */
    const char *backend, *precision;
} net;

/* A net of two layers, trained for some steps; weights of the first into `weights`. */
static void train_net(int threads, net m, float *weights, int64_t n) {
    static float x[4 * MOST_NUMBERS];
    hd_context *ctx = test_context(threads);
    hd_graph *g;
    hd_program *p;
    is_ok(ctx, hd_graph_new(&g, ctx));
    for (int i = 0; i < 4 * MOST_NUMBERS; i++) x[i] = (float)number(i);
    const hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(4, m.lanes, m.width));
    hd_nn_recurrent_args a = {.x = in, .name = "m", .hidden_size = m.width, .num_layers = 2};
    if (m.lengths) a.lengths = hd_const(g, HD_I64, HD_DIMS(m.lanes), m.lengths);
    const hd_val loss = loss_of(layers[m.kind](HD_HERE, &a));
    const hd_compile_args how = {.backend = m.backend, .precision = m.precision};
    is_ok(ctx, hd_compile_with(&p, hd_train_step(loss, hd_sgd(.lr = 0.5)), &how));
    is_ok(ctx, hd_program_set(p, "x", x));
    for (int i = 0; i < BITS; i++) is_ok(ctx, hd_program_run(p));
    is_ok(ctx, hd_store_get(hd_program_store(p), "m.weight_hh_l0", weights, (size_t)n * sizeof *weights));
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void threads_do_not_change_the_bits(void **state) {
    (void)state;
    static const int64_t gates[] = {1, 4, 3};
    static float one[4 * WIDE * WIDE], more[4 * WIDE * WIDE];
    for (int i = 0; i < 2 * KINDS; i++) {
        const int kind = i / 2;
        const int64_t n = gates[kind] * WIDE * WIDE;
        const net m = {.kind = kind, .lanes = MANY, .width = WIDE, .precision = i % 2 ? "bf16" : "f32"};
        train_net(1, m, one, n);
        for (int threads = 2; threads < 4; threads++) {
            train_net(threads, m, more, n);
            assert_memory_equal(one, more, (size_t)n * sizeof *one);
        }
    }
}

/* Few sequences and a large weight: slices of the units, in rounds. */
static void slices_are_the_definition(void **state) {
    (void)state;
    static const int64_t gates[] = {1, 4, 3}, lengths[FEW] = {4, 2, 3};
    static float one[4 * LARGE * LARGE], more[4 * LARGE * LARGE];
    for (int i = 0; i < 8; i++) {
        net m = {.kind = i & 1 ? LSTM : GRU, .lanes = FEW, .width = LARGE, .lengths = i & 2 ? lengths : NULL};
        m.precision = i & 4 ? "bf16" : "f32";
        const float bar = i & 4 ? 2e-3f : 1e-5f;
        const int64_t n = gates[m.kind] * LARGE * LARGE;
        train_net(1, m, one, n);
        for (int threads = 2; threads < 4; threads++) {
            train_net(threads, m, more, n);
            assert_memory_equal(one, more, (size_t)n * sizeof *one);
        }
        m.backend = "ref";
        train_net(1, m, more, n);
        for (int64_t k = 0; k < n; k++)
            if (!(fabsf(one[k] - more[k]) <= bar))
                fail_msg("%d: weight %d is %g, expected %g", i, (int)k, (double)one[k], (double)more[k]);
    }
}

/* ---- carried states ---- */

typedef struct carried {
    hd_context *ctx;
    hd_graph *g;
    hd_store *store;
    hd_val y;
} carried;

static carried carried_open(int kind, bool decode, bool stateful, int64_t steps) {
    carried c = {.ctx = test_context(1)};
    is_ok(c.ctx, hd_graph_new(&c.g, c.ctx));
    is_ok(c.ctx, hd_store_new(&c.store, c.ctx, 1));
    if (decode) hd_graph_set_decode(c.g, STEPS);
    const hd_val x = hd_input(c.g, "x", HD_F32, HD_DIMS(HD_BATCH, steps, FEATURES));
    const hd_nn_recurrent_args a = {
        .x = x, .name = "m", .hidden_size = HIDDEN, .num_layers = 2, .batch_first = true, .stateful = stateful};
    c.y = layers[kind](HD_HERE, &a);
    hd_mark_output(c.y, "y");
    if (hd_graph_status(c.g) != HD_OK) fail_msg("%s", hd_last_error(c.ctx));
    return c;
}

static hd_program *carried_program(carried *c, bool train, int64_t batch) {
    hd_program *p;
    const hd_compile_args args = {.store = c->store, .batch = batch};
    const hd_target target = train ? hd_train_step(loss_of(c->y), hd_sgd(.lr = 1e-30)) : hd_forward(c->y);
    is_ok(c->ctx, hd_compile_with(&p, target, &args));
    return p;
}

static void carried_close(carried *c) {
    hd_store_free(c->store);
    hd_graph_free(c->g);
    hd_context_free(c->ctx);
}

/* Steps from … of x [2, STEPS+1, FEATURES] */
static const float *window(const float *x, int from, int steps, float *to) {
    for (int b = 0; b < 2; b++)
        memcpy(to + b * steps * FEATURES, x + (b * (STEPS + 1) + from) * FEATURES,
               (size_t)(steps * FEATURES) * sizeof *to);
    return to;
}

static void expect_steps(const carried *c, hd_program *p, const float *whole, int from, int steps) {
    const float *y = hd_program_get(p, "y");
    assert_non_null(y);
    (void)c;
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < steps * HIDDEN; i++)
            assert_float_equal(y[b * steps * HIDDEN + i], whole[(b * (STEPS + 1) + from) * HIDDEN + i], 1e-6);
}

/* What the whole sequences give: [2, STEPS+1, HIDDEN]. */
static void whole_sequences(int kind, const float *x, float *y) {
    carried c = carried_open(kind, false, false, STEPS + 1);
    hd_program *p = carried_program(&c, false, 2);
    is_ok(c.ctx, hd_program_set(p, "x", x));
    is_ok(c.ctx, hd_program_run(p));
    memcpy(y, hd_program_get(p, "y"), (size_t)(2 * (STEPS + 1) * HIDDEN) * sizeof *y);
    hd_program_free(p);
    carried_close(&c);
}

static void halves_go_on_in_training_alone(void **state) {
    (void)state;
    float x[2 * (STEPS + 1) * FEATURES], y[2 * (STEPS + 1) * HIDDEN], part[2 * STEPS * FEATURES];
    for (int i = 0; i < 2 * (STEPS + 1) * FEATURES; i++) x[i] = (float)number(i);
    for (int kind = 0; kind < KINDS; kind++) {
        whole_sequences(kind, x, y);
        carried c = carried_open(kind, false, true, 3);
        hd_program *train = carried_program(&c, true, 2), *eval = carried_program(&c, false, 2);
        for (int round = 0; round < 2; round++) {
            for (int half = 0; half < 2; half++) {
                is_ok(c.ctx, hd_program_set(train, "x", window(x, 3 * half, 3, part)));
                is_ok(c.ctx, hd_program_run(train));
                expect_steps(&c, train, y, 3 * half, 3);
                is_ok(c.ctx, hd_program_set(eval, "x", window(x, 0, 3, part)));
                is_ok(c.ctx, hd_program_run(eval)); /* begins at zero, and disturbs nothing */
                expect_steps(&c, eval, y, 0, 3);
            }
            hd_store_clear(c.store);
        }
        hd_program_free(train);
        hd_program_free(eval);
        carried_close(&c);
    }
}

static void one_step_a_run_is_the_whole_sequence(void **state) {
    (void)state;
    float x[2 * (STEPS + 1) * FEATURES], y[2 * (STEPS + 1) * HIDDEN], part[2 * FEATURES];
    for (int i = 0; i < 2 * (STEPS + 1) * FEATURES; i++) x[i] = (float)number(i);
    for (int kind = 0; kind < KINDS; kind++) {
        whole_sequences(kind, x, y);
        carried c = carried_open(kind, true, false, 1);
        hd_program *p = carried_program(&c, false, 2);
        for (int round = 0; round < 2; round++) {
            for (int t = 0; t <= STEPS; t++) {
                is_ok(c.ctx, hd_program_set(p, "x", window(x, t, 1, part)));
                is_ok(c.ctx, hd_program_run(p));
                expect_steps(&c, p, y, t, 1);
            }
            hd_store_clear(c.store);
        }
        hd_program_free(p);
        carried_close(&c);
    }
}

/* ---- recipes ---- */

static void has(hd_graph *g, const char *name, hd_dims dims) {
    char a[192], b[192];
    const hd_val v = hd_graph_find(g, name);
    if (hd_val_is_none(v)) fail_msg("no parameter %s", name);
    const hd_dims got = hd_val_dims(v);
    if (!hd_dims_equal(&got, &dims)) fail_msg("%s is %s, not %s", name, hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

static void recipes_build_layers(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    is_ok(ctx, hd_graph_new(&g, ctx));
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, STEPS, FEATURES));
    const hd_val y = hd_nn_layers(x, "[{\"lstm\": {\"hidden_size\": 8, \"num_layers\": 2, \"bidirectional\": true, "
                                     "\"proj_size\": 5, \"dropout\": 0.5}}, {\"gru\": {\"hidden_size\": 7}}, "
                                     "{\"rnn\": {\"hidden_size\": 3, \"output\": \"last\", \"bias\": false}}]");
    if (hd_graph_status(g) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_dims dims = hd_val_dims(y);
    assert_int_equal(dims.rank, 2);
    assert_int_equal(dims.dim[1], 3);
    has(g, "lstm1.weight_ih_l0", HD_DIMS(32, FEATURES));
    has(g, "lstm1.weight_hh_l1_reverse", HD_DIMS(32, 5));
    has(g, "lstm1.weight_ih_l1", HD_DIMS(32, 10));
    has(g, "lstm1.weight_hr_l0", HD_DIMS(5, 8));
    has(g, "lstm1.bias_hh_l1", HD_DIMS(32));
    has(g, "gru1.weight_ih_l0", HD_DIMS(21, 10));
    has(g, "rnn1.weight_hh_l0", HD_DIMS(3, 3));
    assert_true(hd_val_is_none(hd_graph_find(g, "rnn1.bias_ih_l0")));
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void refused(const char *json, hd_dims dims, int64_t decode, const char *message) {
    hd_context *ctx = test_context(1);
    hd_graph *g;
    is_ok(ctx, hd_graph_new(&g, ctx));
    if (decode) hd_graph_set_decode(g, decode);
    (void)hd_nn_layers(hd_input(g, "x", HD_F32, dims), json);
    assert_int_equal(hd_graph_status(g), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void wrong_layers_are_refused(void **state) {
    (void)state;
    const hd_dims sequences = HD_DIMS(HD_BATCH, STEPS, FEATURES);
    refused("[{\"lstm\": {\"hidden_size\": 8}}]", HD_DIMS(HD_BATCH, FEATURES), 0,
            "lstm \"lstm1\": expects sequences [batch, steps, features], its input is [B,4]");
    refused("[\"gru\"]", sequences, 0, "hidden_size is 0");
    refused("[{\"lstm\": {\"hidden_size\": 8, \"proj_size\": 8}}]", sequences, 0, "proj_size is 8");
    refused("[{\"gru\": {\"hidden_size\": 8, \"proj_size\": 4}}]", sequences, 0, "no option \"proj_size\"");
    refused("[{\"gru\": {\"hidden_size\": 8, \"stateful\": true, \"bidirectional\": true}}]", sequences, 0,
            "carried on in one direction");
    refused("[{\"rnn\": {\"hidden_size\": 8}}]", sequences, 9, "in decode mode a run takes one step, these are 5");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers_are_their_steps_written_out),
                                       cmocka_unit_test(threads_do_not_change_the_bits),
                                       cmocka_unit_test(slices_are_the_definition),
                                       cmocka_unit_test(halves_go_on_in_training_alone),
                                       cmocka_unit_test(one_step_a_run_is_the_whole_sequence),
                                       cmocka_unit_test(recipes_build_layers),
                                       cmocka_unit_test(wrong_layers_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
