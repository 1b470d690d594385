/* test_gradcheck.c: the check of whole networks: right ones pass, a wrong rule is found, kinks are left out. */
#include "support.h"

#include "hadal/nn.h"
#include "hadal/train.h"
#include "ops/op_kit.h"

static hd_gradcheck check(hd_val loss, int64_t classes) {
    hd_gradcheck g;
    const hd_gradcheck_args args = {.classes = classes};
    if (hd_gradcheck_run(&g, loss, &args) != HD_OK) fail_msg("%s", hd_last_error(hd_graph_context(loss.graph)));
    return g;
}

static hd_graph *new_graph(hd_context *ctx) {
    hd_graph *g;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    return g;
}

static void a_network_with_everything_passes(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g = new_graph(ctx);
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2, 8, 8));
    hd_val h = hd_nn_conv2d(x, .name = "c", .out_channels = 3, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_max_pool2d(hd_relu(hd_nn_batch_norm(h, .name = "n")), .kernel_size = {2, 2});
    h = hd_nn_linear(hd_nn_dropout(hd_flatten(h), .p = 0.3), .name = "fc", .out_features = 4);
    hd_gradcheck r = check(hd_cross_entropy(h, hd_input(g, "t", HD_I64, HD_DIMS(HD_BATCH))), 4);
    assert_true(r.ok);
    assert_int_equal(r.count, 6);
    for (int32_t i = 0; i < r.count; i++) {
        assert_true(r.tensor[i].compared > 0);
        assert_true(r.tensor[i].relative_error < 1e-5);
        /* A bias before batch norm changes nothing; all others must have been seen to matter. */
        if (strcmp(r.tensor[i].name, "c.bias") != 0) assert_true(r.tensor[i].difference != 0);
    }
    hd_gradcheck_free(&r);
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* y = x², with a rule that says x instead of 2x. */
HD_UNARY_REF(half_wrong_ref, x *x)
static void half_wrong_grad(hd_grad *c) {
    c->din[0] = hd_mul(c->dout[0], c->in[0]);
}
static const hd_op half_wrong = {.name = "half_wrong",
                                 .n_in = 1,
                                 .n_out = 1,
                                 .args_size = sizeof(hd_unary_args),
                                 .infer = hd_infer_unary_float,
                                 .grad = half_wrong_grad,
                                 .ref = half_wrong_ref};

static void a_wrong_rule_is_found_and_named(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g = new_graph(ctx);
    assert_int_equal(hd_context_add_op(ctx, &half_wrong), HD_OK);
    const hd_val a = hd_param(g, "a", HD_F64, HD_DIMS(3), HD_NORMAL(1, 0.1));
    const hd_val b = hd_param(g, "b", HD_F64, HD_DIMS(2), HD_NORMAL(1, 0.1));
    const hd_val wrong = hd_node_add(HD_HERE, &half_wrong, &(hd_unary_args){.x = a});
    hd_gradcheck r = check(hd_add(hd_sum(wrong), hd_sum(hd_mul(b, b))), 0);
    assert_false(r.ok);
    assert_string_equal(r.tensor[0].name, "a");
    assert_false(r.tensor[0].ok);
    assert_true(r.tensor[1].ok);
    assert_true(r.max_relative_error > 0.3);
    hd_gradcheck_free(&r);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void at_a_kink_nothing_is_compared(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g = new_graph(ctx);
    const hd_val zero = hd_param(g, "zero", HD_F32, HD_DIMS(1), HD_ZEROS);
    const hd_val one = hd_param(g, "one", HD_F32, HD_DIMS(1), HD_ONES);
    hd_gradcheck r = check(hd_add(hd_sum(hd_relu(zero)), hd_sum(hd_relu(one))), 0);
    assert_true(r.tensor[0].kinks > 0);
    assert_int_equal(r.tensor[0].compared, 0);
    assert_false(r.tensor[0].ok); /* nothing was seen: that is no proof */
    assert_int_equal(r.tensor[1].kinks, 0);
    assert_true(r.tensor[1].ok);
    hd_gradcheck_free(&r);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void a_graph_without_parameters_is_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g = new_graph(ctx);
    hd_gradcheck r;
    const hd_val loss = hd_sum(hd_input(g, "x", HD_F32, HD_DIMS(3)));
    assert_int_equal(hd_gradcheck_run(&r, loss, NULL), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "no parameter"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void a_converted_graph_keeps_its_constants(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g = new_graph(ctx), *wide;
    const float numbers[] = {0.5f, -3};
    const hd_val c = hd_const(g, HD_F32, HD_DIMS(2), numbers);
    const hd_val y = hd_cast(hd_add(c, hd_input(g, "x", HD_F32, HD_DIMS(2))), .dtype = HD_DTYPE(HD_F32));
    assert_int_equal(hd_graph_convert(&wide, g, HD_F32, HD_F64), HD_OK);
    assert_int_equal(hd_val_dtype((hd_val){wide, y.id}), HD_F64);
    char *text;
    assert_int_equal(hd_graph_print(wide, &text), HD_OK);
    assert_non_null(strstr(text, "{0.5 -3}"));
    assert_null(strstr(text, "f32"));
    hd_memory_free(ctx, text);
    assert_int_equal(hd_graph_convert(&wide, g, HD_I64, HD_F64), HD_E_USAGE);
    hd_graph_free(g); /* the copy is its own */
    hd_graph_free(wide);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_with_everything_passes),
        cmocka_unit_test(a_wrong_rule_is_found_and_named),
        cmocka_unit_test(at_a_kink_nothing_is_compared),
        cmocka_unit_test(a_graph_without_parameters_is_refused),
        cmocka_unit_test(a_converted_graph_keeps_its_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
