/* test_attention.c: attention against its definition in other ops, forward and backward; its memory; its bits on
 * several threads; its layers, whole and position by position. */
#include "ctx_case.h"

#include "base/rng.h"
#include "hadal/hadal.h"
#include <math.h>

static float *numbers(const char *stream, int64_t n) {
    hd_rng rng = hd_rng_new(5, stream);
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)hd_rng_normal(&rng);
    return x;
}

static hd_graph *new_graph(void) {
    hd_graph *g;
    OK(hd_graph_new(&g, ctx));
    return g;
}

/* ---- the op ---- */

/* softmax(q kᵀ / √d, masked) v, of whole matrices. */
static hd_val unrolled(hd_val q, hd_val k, hd_val v, hd_val mask, bool causal) {
    const hd_dims d = hd_val_dims(q);
    const int64_t n = d.dim[2], columns = hd_val_dims(k).dim[2];
    hd_val s = hd_affine(hd_matmul(q, k, .trans_b = true), .scale = 1 / sqrt((double)d.dim[3]));
    if (!hd_val_is_none(mask)) s = hd_add(s, mask);
    if (causal) {
        uint8_t *late = malloc((size_t)(n * columns));
        for (int64_t i = 0; i < n * columns; i++) late[i] = i % columns > i / columns;
        s = hd_masked_fill(s, hd_const(q.graph, HD_BOOL, HD_DIMS(n, columns), late), .value = -INFINITY);
        free(late);
    }
    return hd_matmul(hd_softmax(s, .axis = -1), v);
}

/* Both ways in one program each: results and the gradients of all inputs. */
static void check_against_definition(hd_dims q, int64_t columns, bool causal, bool masked) {
    static const char *const names[] = {"q", "k", "v", "mask", "seed"};
    hd_dims dims[5] = {q, q, q, {4, {q.dim[0], 1, q.dim[2], columns}}, q};
    dims[1].dim[2] = dims[2].dim[2] = columns;
    const int n = masked ? 4 : 3;
    float *data[5], *got[2][5] = {{0}};
    for (int i = 0; i < 5; i++) data[i] = numbers(names[i], hd_dims_count(&dims[i]));
    for (int way = 0; way < 2; way++) {
        hd_graph *g = new_graph();
        hd_val in[5], grads[4], mask = {0};
        for (int i = 0; i < 5; i++) in[i] = hd_input(g, names[i], HD_F32, dims[i]);
        if (masked) mask = in[3];
        const hd_val y = way ? unrolled(in[0], in[1], in[2], mask, causal)
                             : hd_scaled_dot_product_attention(in[0], in[1], in[2], mask, .is_causal = causal);
        OK(hd_gradients(y, in[4], in, n, grads));
        hd_mark_output(y, "y");
        for (int i = 0; i < n; i++)
            hd_mark_output(hd_affine(grads[i], .scale = 2), i == 0 ? "d0" : i == 1 ? "d1" : i == 2 ? "d2" : "d3");
        hd_program *p;
        OK(hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.train = true}));
        for (int i = 0; i < 5; i++)
            if (hd_program_input(p, names[i]) >= 0) OK(hd_program_set(p, names[i], data[i]));
        OK(hd_program_run(p));
        for (int i = 0; i < n + 1; i++) {
            const hd_dims *d = i == 0 ? &q : &dims[i - 1];
            const size_t bytes = (size_t)hd_dims_count(d) * sizeof(float);
            got[way][i] = malloc(bytes);
            const char *name = i == 0 ? "y" : i == 1 ? "d0" : i == 2 ? "d1" : i == 3 ? "d2" : "d3";
            assert_non_null(hd_program_get(p, name));
            memcpy(got[way][i], hd_program_get(p, name), bytes);
        }
        hd_program_free(p);
        hd_graph_free(g);
    }
    for (int i = 0; i < n + 1; i++) {
        const hd_dims *d = i == 0 ? &q : &dims[i - 1];
        for (int64_t j = 0; j < hd_dims_count(d); j++)
            if (fabsf(got[0][i][j] - got[1][i][j]) > 2e-4f)
                fail_msg("result %d, element %lld is %g, by the definition %g", i, (long long)j, (double)got[0][i][j],
                         (double)got[1][i][j]);
        free(got[0][i]);
        free(got[1][i]);
    }
    for (int i = 0; i < 5; i++) free(data[i]);
}

static void test_equals_its_definition(void **state) {
    (void)state;
    check_against_definition(HD_DIMS(2, 3, 70, 16), 150, false, false);
    check_against_definition(HD_DIMS(1, 2, 150, 24), 150, true, false);
    check_against_definition(HD_DIMS(2, 2, 33, 8), 40, false, true);
    check_against_definition(HD_DIMS(1, 2, 65, 32), 65, true, true);
}

/* A row that may see nothing gets 0, and so does every gradient through it. */
static void test_rows_that_see_nothing(void **state) {
    (void)state;
    hd_graph *g = new_graph();
    float *x = numbers("x", 2 * 3 * 4);
    const uint8_t seen[2] = {0, 1};
    const hd_val q = hd_input(g, "x", HD_F32, HD_DIMS(1, 2, 4)), kv = hd_input(g, "kv", HD_F32, HD_DIMS(1, 3, 4));
    const hd_val y = hd_scaled_dot_product_attention(q, kv, kv, hd_const(g, HD_BOOL, HD_DIMS(2, 1), seen));
    hd_val of[2] = {q, kv}, grads[2];
    OK(hd_gradients(hd_sum(y), (hd_val){0}, of, 2, grads));
    hd_mark_output(y, "y");
    hd_mark_output(grads[0], "dq");
    hd_mark_output(grads[1], "dkv");
    for (int ref = 0; ref < 2; ref++) {
        hd_program *p;
        OK(hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.train = true, .backend = ref ? "ref" : "default"}));
        OK(hd_program_set(p, "x", x));
        OK(hd_program_set(p, "kv", x + 8));
        OK(hd_program_run(p));
        const float *yv = hd_program_get(p, "y"), *dq = hd_program_get(p, "dq"), *dkv = hd_program_get(p, "dkv");
        for (int i = 0; i < 4; i++) {
            assert_float_equal(yv[i], 0, 0);
            assert_float_equal(dq[i], 0, 0);
            assert_true(isfinite(yv[4 + i]) && yv[4 + i] != 0);
        }
        for (int i = 0; i < 12; i++) assert_true(isfinite(dkv[i]));
        hd_program_free(p);
    }
    hd_graph_free(g);
    free(x);
}

static size_t plan_bytes(int64_t positions) {
    hd_graph *g = new_graph();
    const hd_dims dims = HD_DIMS(1, 2, positions, 16);
    const hd_val x = hd_input(g, "x", HD_F32, dims), w = hd_param(g, "w", HD_F32, HD_DIMS(16), HD_ONES);
    const hd_val q = hd_mul(x, w);
    const hd_val y = hd_scaled_dot_product_attention(q, q, q, .is_causal = true);
    hd_program *p;
    OK(hd_compile(&p, hd_train_step(hd_mean(y), hd_sgd(.lr = 0.1)), HD_DEVICE_AUTO));
    const size_t bytes = hd_program_memory(p).total;
    hd_program_free(p);
    hd_graph_free(g);
    return bytes;
}

static void test_memory_grows_with_the_length(void **state) {
    (void)state;
    const double small = (double)plan_bytes(1024), large = (double)plan_bytes(4096);
    if (large > 4.5 * small) fail_msg("four times as long takes %g times the memory", large / small);
    assert_true(large < 4096.0 * 4096.0 * 4 / 2); /* a matrix of scores would be larger */
}

static void test_same_bits_on_all_threads(void **state) {
    (void)state;
    const hd_dims dims = HD_DIMS(2, 3, 200, 16);
    const int64_t n = hd_dims_count(&dims);
    float *x = numbers("bits", n), *first = malloc((size_t)n * sizeof *first);
    for (int threads = 1; threads <= 3; threads++) {
        hd_context *own = test_context(threads);
        hd_graph *g;
        assert_int_equal(hd_graph_new(&g, own), HD_OK);
        const hd_val q = hd_input(g, "q", HD_F32, dims);
        const hd_val y = hd_scaled_dot_product_attention(q, q, q, .is_causal = true);
        hd_val of[1] = {q}, grads[1];
        assert_int_equal(hd_gradients(hd_sum(hd_mul(y, q)), (hd_val){0}, of, 1, grads), HD_OK);
        hd_mark_output(grads[0], "d");
        hd_program *p;
        assert_int_equal(hd_compile_with(&p, hd_forward(grads[0]), &(hd_compile_args){.train = true}), HD_OK);
        assert_int_equal(hd_program_set(p, "q", x), HD_OK);
        assert_int_equal(hd_program_run(p), HD_OK);
        if (threads == 1) memcpy(first, hd_program_get(p, "d"), (size_t)n * sizeof *first);
        assert_memory_equal(first, hd_program_get(p, "d"), (size_t)n * sizeof *first);
        hd_program_free(p);
        hd_graph_free(g);
        hd_context_free(own);
    }
    free(first);
    free(x);
}

/* ---- layers ---- */

static void has_param(const hd_graph *g, const char *name, hd_dims dims) {
    char a[192], b[192];
    const hd_val v = hd_graph_find(g, name);
    if (hd_val_is_none(v)) fail_msg("no parameter %s", name);
    const hd_dims got = hd_val_dims(v);
    if (!hd_dims_equal(&got, &dims)) fail_msg("%s is %s, not %s", name, hd_dims_text(a, &got), hd_dims_text(b, &dims));
}

static void test_names_of_parameters(void **state) {
    (void)state;
    hd_graph *g = new_graph();
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 5, 8)),
                 k = hd_input(g, "k", HD_F32, HD_DIMS(HD_BATCH, 7, 6));
    hd_val weights;
    const hd_val y =
        hd_nn_multi_head_attention(x, .name = "a", .num_heads = 2, .add_bias_kv = true, .weights = &weights);
    const hd_val z = hd_nn_multi_head_attention(x, .key = k, .name = "b", .num_heads = 2);
    OK(hd_graph_status(g));
    const hd_dims dy = hd_val_dims(y), dw = hd_val_dims(weights), dz = hd_val_dims(z);
    assert_true(hd_dims_equal(&dy, &HD_DIMS(HD_BATCH, 5, 8)));
    assert_true(hd_dims_equal(&dz, &HD_DIMS(HD_BATCH, 5, 8)));
    assert_true(hd_dims_equal(&dw, &HD_DIMS(HD_BATCH, 5, 6)));
    has_param(g, "a.in_proj_weight", HD_DIMS(24, 8));
    has_param(g, "a.in_proj_bias", HD_DIMS(24));
    has_param(g, "a.bias_k", HD_DIMS(1, 1, 8));
    has_param(g, "a.out_proj.weight", HD_DIMS(8, 8));
    has_param(g, "a.out_proj.bias", HD_DIMS(8));
    has_param(g, "b.q_proj_weight", HD_DIMS(8, 8));
    has_param(g, "b.k_proj_weight", HD_DIMS(8, 6));
    has_param(g, "b.v_proj_weight", HD_DIMS(8, 6));
    hd_graph_free(g);
}

static void is_refused(hd_graph *g, const char *message) {
    assert_int_equal(hd_graph_status(g), HD_E_MODEL);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("message \"%s\" lacks \"%s\"", hd_last_error(ctx), message);
    hd_graph_free(g);
}

static void test_refusals(void **state) {
    (void)state;
    hd_graph *g = new_graph();
    hd_nn_multi_head_attention(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 5, 8)), .name = "a", .num_heads = 3);
    is_refused(g, "multi_head_attention \"a\": num_heads is 3, its input is [B,5,8]");
    g = new_graph();
    hd_nn_positional_embedding(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 65, 8)), .name = "p", .max_positions = 64);
    is_refused(g, "positional_embedding \"p\": expects at most 64 positions, its input has 65");
    g = new_graph();
    hd_graph_set_decode(g, 16);
    hd_nn_multi_head_attention(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 8)), .name = "a", .num_heads = 2);
    is_refused(g, "causal");
    g = new_graph();
    hd_nn_transformer_decoder_layer(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 5, 8)), .name = "d", .nhead = 2);
    is_refused(g, "has no memory");
}

/* Of masks that do not fit the caller's line is told, not the library's. */
static void test_masks_that_do_not_fit(void **state) {
    (void)state;
    const struct {
        hd_dims attn, padding;
        bool told;
    } cases[] = {{{3, {3, 5, 5}}, {0}, false},
                 {{2, {5, 7}}, {0}, false},
                 {{2, {5, 7}}, {0}, true},
                 {{0}, {2, {HD_BATCH, 7}}, false},
                 {{2, {4, 5}}, {2, {HD_BATCH, 5}}, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hd_graph *g = new_graph();
        hd_val weights, masks[2] = {{0}, {0}};
        if (cases[i].attn.rank) masks[0] = hd_input(g, "m", HD_BOOL, cases[i].attn);
        if (cases[i].padding.rank) masks[1] = hd_input(g, "p", HD_BOOL, cases[i].padding);
        hd_nn_multi_head_attention(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 5, 8)), .num_heads = 2,
                                   .attn_mask = masks[0], .key_padding_mask = masks[1],
                                   .weights = cases[i].told ? &weights : NULL);
        is_refused(g, "test_attention.c:");
    }
}

/* With dropout attention is made of other ops: it is refused as the op is. */
static void test_dropout_refusals(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        hd_graph *g = new_graph();
        const hd_val q = hd_input(g, "q", HD_F32, HD_DIMS(1, 4, 5, 8)),
                     k = hd_input(g, "k", HD_F32, HD_DIMS(1, 2, 5, 8));
        hd_scaled_dot_product_attention(q, i ? q : k, i ? q : k, i == 1 ? k : (hd_val){0}, .dropout_p = 0.5);
        is_refused(g, i == 0   ? "must have q's leading dimensions"
                      : i == 1 ? "does not broadcast to the scores"
                               : "rng is missing");
    }
    hd_graph *g = new_graph();
    hd_scaled_dot_product_attention(hd_input(g, "q", HD_F32, HD_DIMS(5, 8)), .dropout_p = 0.5);
    is_refused(g, "test_attention.c:");
}

/* Layers without a name of their own get one that nothing begins with yet, whatever parts they are of. */
static void test_names_that_are_free(void **state) {
    (void)state;
    hd_graph *g = new_graph();
    hd_val h = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 5, 8));
    for (int i = 0; i < 2; i++) {
        h = hd_nn_multi_head_attention(h, .num_heads = 2);
        h = hd_nn_transformer_encoder_layer(h, .nhead = 2, .dim_feedforward = 8);
        h = hd_nn_instance_norm(h, .track_running_stats = true);
    }
    h = hd_nn_layers(h, "[{\"multi_head_attention\": {\"num_heads\": 2}}]");
    OK(hd_graph_status(g));
    has_param(g, "multi_head_attention3.in_proj_weight", HD_DIMS(24, 8));
    has_param(g, "transformer_encoder_layer2.linear1.weight", HD_DIMS(8, 8));
    has_param(g, "instance_norm2.running_mean", HD_DIMS(5));
    hd_graph_free(g);
}

/* Learned and sinusoidal positions, rotations, attention and a whole block, all of which look back only. */
static hd_val looks_back(hd_val x) {
    hd_val h = hd_nn_positional_embedding(x, .name = "p"), weights = {0};
    h = hd_nn_positional_embedding(h, .name = "s", .sinusoidal = true);
    h = hd_nn_multi_head_attention(h, .name = "a", .num_heads = 2, .is_causal = true, .rotary = true);
    h = hd_nn_multi_head_attention(h, .name = "w", .num_heads = 2, .is_causal = true, .weights = &weights);
    assert_int_equal(hd_val_dims(weights).rank, 3);
    return hd_nn_transformer_encoder_layer(h, .name = "t", .nhead = 2, .dim_feedforward = 16, .dropout = HD_ZERO,
                                           .is_causal = true, .norm_first = true);
}

static void test_position_by_position(void **state) {
    (void)state;
    enum { N = 19, WIDTH = 8, BATCH = 2 };
    float *x = numbers("sequence", BATCH * N * WIDTH);
    hd_store *store;
    hd_program *whole, *one;
    OK(hd_store_new(&store, ctx, 3));
    hd_graph *g = new_graph(), *d = new_graph();
    hd_val y = looks_back(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, N, WIDTH)));
    hd_mark_output(y, "y");
    OK(hd_compile_with(&whole, hd_forward(y), &(hd_compile_args){.batch = BATCH, .store = store}));
    hd_graph_set_decode(d, N);
    y = looks_back(hd_input(d, "x", HD_F32, HD_DIMS(HD_BATCH, 1, WIDTH)));
    hd_mark_output(y, "y");
    OK(hd_compile_with(&one, hd_forward(y), &(hd_compile_args){.batch = BATCH, .store = store}));
    OK(hd_program_set(whole, "x", x));
    OK(hd_program_run(whole));
    float kept[BATCH * N * WIDTH], now[BATCH * WIDTH];
    memcpy(kept, hd_program_get(whole, "y"), sizeof kept);
    for (int round = 0; round < 2; round++) { /* the second time after a clearing */
        for (int64_t p = 0; p < N; p++) {
            for (int b = 0; b < BATCH; b++) memcpy(now + b * WIDTH, x + (b * N + p) * WIDTH, WIDTH * sizeof *now);
            OK(hd_program_set(one, "x", now));
            OK(hd_program_set(one, "position", &p));
            OK(hd_program_run(one));
            const float *got = hd_program_get(one, "y");
            for (int i = 0; i < BATCH * WIDTH; i++)
                assert_float_equal(got[i], kept[(i / WIDTH * N + p) * WIDTH + i % WIDTH], 1e-4);
        }
        hd_store_clear(store);
    }
    hd_program_free(whole);
    hd_program_free(one);
    hd_graph_free(g);
    hd_graph_free(d);
    hd_store_free(store);
    free(x);
}

/* The weights told are those that y is made with. */
static void test_weights_are_told(void **state) {
    (void)state;
    hd_graph *g = new_graph();
    float *x = numbers("told", 6 * 8);
    hd_val weights;
    const hd_val y = hd_nn_multi_head_attention(hd_input(g, "x", HD_F32, HD_DIMS(6, 8)), .name = "a", .num_heads = 4,
                                                .is_causal = true, .weights = &weights, .each_head = true);
    hd_mark_output(y, "y");
    hd_mark_output(weights, "w");
    hd_program *p;
    OK(hd_compile(&p, hd_forward(y), HD_DEVICE_AUTO));
    OK(hd_program_set(p, "x", x));
    OK(hd_program_run(p));
    const hd_dims dims = hd_val_dims(weights);
    assert_true(hd_dims_equal(&dims, &HD_DIMS(4, 6, 6)));
    const float *w = hd_program_get(p, "w");
    for (int row = 0; row < 24; row++) {
        float sum = 0;
        for (int j = 0; j < 6; j++) {
            sum += w[row * 6 + j];
            if (j > row % 6) assert_float_equal(w[row * 6 + j], 0, 0);
        }
        assert_float_equal(sum, 1, 1e-5);
    }
    hd_program_free(p);
    hd_graph_free(g);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_equals_its_definition, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_that_see_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_grows_with_the_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_bits_on_all_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_of_parameters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_masks_that_do_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropout_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_are_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_position_by_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weights_are_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
