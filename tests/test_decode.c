/* test_decode.c: what is carried from run to run without being part of the model: buffers, and the one position that a
 * run of decode mode is for. */
#include "support.h"

#include "hadal/hadal.h"
#include "train/model.h"

static hd_context *ctx;
static hd_graph *graph;
static hd_store *store;

static int set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    if (hd_store_new(&store, ctx, 1) != HD_OK) return 1;
    return hd_graph_new(&graph, ctx) == HD_OK ? 0 : 1;
}

static int tear_down(void **state) {
    (void)state;
    hd_graph_free(graph);
    hd_store_free(store);
    hd_context_free(ctx);
    return 0;
}

static void is_ok(hd_status status) {
    if (status != HD_OK) fail_msg("%s", hd_last_error(ctx));
}

/* sum += w x; y = sum: with a parameter, so that there is something to save. */
static hd_val running_sum(void) {
    const hd_val x = hd_input(graph, "x", HD_F32, HD_DIMS(HD_BATCH, 2));
    const hd_val w = hd_param(graph, "w", HD_F32, HD_DIMS(2), HD_ONES);
    const hd_val sum = hd_nn_buffer(HD_HERE, graph, "layer", "sum", HD_F32, HD_DIMS(HD_BATCH, 2));
    return hd_assign(sum, hd_add(sum, hd_mul(x, w)));
}

static hd_program *program_of(hd_val y, int64_t batch, const float *x) {
    hd_program *p;
    is_ok(hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.batch = batch, .store = store}));
    is_ok(hd_program_set(p, "x", x));
    return p;
}

static float first_of_run(hd_program *p) {
    is_ok(hd_program_run(p));
    return *(const float *)hd_program_get(p, "sum");
}

static void test_buffers_are_carried(void **state) {
    (void)state;
    const float x[6] = {1, 2, 3, 4, 5, 6};
    const hd_val y = running_sum();
    hd_mark_output(y, "sum");
    hd_program *two = program_of(y, 2, x), *three = program_of(y, 3, x);
    assert_float_equal(first_of_run(two), 1, 0);
    assert_float_equal(first_of_run(two), 2, 0);
    assert_float_equal(first_of_run(three), 1, 0); /* another batch, another buffer */
    assert_float_equal(first_of_run(two), 3, 0);
    hd_store_clear(store);
    assert_float_equal(first_of_run(two), 1, 0);
    assert_float_equal(first_of_run(three), 1, 0);
    hd_program_free(two);
    hd_program_free(three);
}

/* An effect upon a buffer runs where nobody reads its result, in inference too. */
static void test_effects_on_buffers_stay(void **state) {
    (void)state;
    const float x[2] = {1, 2};
    const hd_val in = hd_input(graph, "x", HD_F32, HD_DIMS(1, 2));
    const hd_val last = hd_buffer(graph, "last", HD_F32, HD_DIMS(1, 2));
    const hd_val y = hd_add(in, last);
    hd_mark_output(y, "sum");
    (void)hd_assign(last, y);
    hd_program *p = program_of(y, 1, x);
    assert_float_equal(first_of_run(p), 1, 0);
    assert_float_equal(first_of_run(p), 2, 0);
    assert_float_equal(first_of_run(p), 3, 0);
    hd_program_free(p);
}

static void test_buffers_are_not_saved(void **state) {
    (void)state;
    const float x[2] = {1, 2};
    hd_program *p = program_of(running_sum(), 1, x);
    is_ok(hd_program_run(p));
    assert_int_equal(hd_store_count(store), 2);
    assert_string_equal(hd_store_at(store, 0).name, "layer.sum[1]");
    assert_true(hd_store_at(store, 0).buffer);
    assert_false(hd_store_at(store, 1).buffer);
    hd_model m = {.ctx = ctx, .store = store};
    hd_weights w;
    is_ok(hd_weights_new(&w, &m, false));
    assert_int_equal(w.count, 1);
    assert_string_equal(w.tensor[0].name, "w");
    hd_weights_free(&w);
    is_ok(hd_weights_new(&w, &m, true)); /* a run that goes on needs them */
    assert_int_equal(w.count, 2);
    hd_weights_free(&w);
    hd_program_free(p);
}

static void test_buffers_are_printed(void **state) {
    (void)state;
    char *text, *again;
    hd_graph *other;
    (void)running_sum();
    is_ok(hd_graph_print(graph, &text));
    assert_non_null(strstr(text, "\"layer.sum\" = buffer f32[B,2]\n"));
    is_ok(hd_graph_parse(&other, ctx, "text", text));
    is_ok(hd_graph_print(other, &again));
    assert_string_equal(text, again);
    hd_graph_free(other);
    hd_memory_free(ctx, again);
    hd_memory_free(ctx, text);
}

static void test_decode_mode(void **state) {
    (void)state;
    hd_graph *copy;
    assert_int_equal(hd_graph_decode(graph), 0);
    hd_graph_set_decode(graph, 64);
    assert_int_equal(hd_graph_decode(graph), 64);
    const hd_val position = hd_position_input(graph);
    assert_int_equal(hd_val_dtype(position), HD_I64);
    assert_int_equal(hd_position_input(graph).id, position.id);
    is_ok(hd_graph_clone(&copy, graph));
    assert_int_equal(hd_graph_decode(copy), 64);
    hd_graph_free(copy);
    char *text;
    is_ok(hd_graph_print(graph, &text));
    is_ok(hd_graph_parse(&copy, ctx, "text", text));
    assert_int_equal(hd_graph_decode(copy), 64);
    hd_graph_free(copy);
    hd_memory_free(ctx, text);
    assert_int_equal(hd_graph_parse(&copy, ctx, "text", "hadal graph 1\ndecode x\n"), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "text:2:9: expected a number of positions"));
    hd_graph_set_decode(graph, 32);
    assert_int_equal(hd_graph_status(graph), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(ctx), "before building"));
}

static void test_decode_mode_needs_positions(void **state) {
    (void)state;
    hd_graph_set_decode(graph, 0);
    assert_int_equal(hd_graph_status(graph), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(ctx), "at least 1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_buffers_are_carried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_effects_on_buffers_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_are_not_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_are_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decode_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decode_mode_needs_positions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
