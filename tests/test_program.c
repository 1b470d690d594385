/* test_program.c: whole programs: the numbers of the lectures, gradients, plans, stores. */
#include "base/alloc.h"
#include "compile/lower.h"
#include "hadal/hadal.h"
#include "runtime/program.h"
#include "support.h"
#include <math.h>
#include <string.h>

/* Fails with the library's own text. */
#define HD_ASSERT_OK(ctx, call)                                                                                        \
    do {                                                                                                               \
        if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx));                                                       \
    } while (0)

/* W1 b1 W2 b2 W3 b3 of the three-layer net of the lectures. */
static hd_val lecture_net(hd_graph *g, hd_val x) {
    static const float w1[] = {1, -2, -1, 1}, b1[] = {1, 0}, w2[] = {2, -1, -2, -1}, b2[] = {0, 0},
                       w3[] = {3, -1, -1, 4}, b3[] = {-2, 2};
    hd_val h = x;
    const float *const w[] = {w1, w2, w3}, *const b[] = {b1, b2, b3};
    for (int i = 0; i < 3; i++) {
        h = hd_linear(h, hd_const(g, HD_F32, HD_DIMS(2, 2), w[i]), hd_const(g, HD_F32, HD_DIMS(2), b[i]));
        h = hd_sigmoid(h);
        static const char *const names[] = {"h1", "h2", "y"};
        hd_mark_output(h, names[i]);
    }
    return h;
}

static void check_lecture(const char *backend, const char *off) {
    hd_context *ctx;
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_val y = lecture_net(g, hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 2)));
    HD_ASSERT_OK(ctx, hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.backend = backend, .passes_off = off}));
    const float x[] = {1, -1};
    HD_ASSERT_OK(ctx, hd_program_set(p, "x", x));
    HD_ASSERT_OK(ctx, hd_program_run(p));
    const float want[3][2] = {{0.98201379f, 0.11920292f}, {0.8635183f, 0.1107374f}, {0.6177048f, 0.8291240f}};
    static const char *const names[] = {"h1", "h2", "y"};
    for (int i = 0; i < 3; i++) {
        const float *out = hd_program_get(p, names[i]);
        assert_non_null(out);
        assert_true(fabsf(out[0] - want[i][0]) < 1e-6f && fabsf(out[1] - want[i][1]) < 1e-6f);
    }
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void test_lecture(void **state) {
    (void)state;
    check_lecture("ref", NULL);
    check_lecture("default", NULL);
    check_lecture("ref", "fuse,chain,simplify");
}

/* A small net with everything that backward passes through: fan-out, broadcasting, a reshape. */
static hd_val small_net(hd_graph *g, hd_val *params, int *n, hd_dtype t) {
    hd_val x = hd_input(g, "x", t, HD_DIMS(HD_BATCH, 2, 3)), target = hd_input(g, "target", t, HD_DIMS(HD_BATCH, 4));
    hd_val w1 = hd_param(g, "fc1.weight", t, HD_DIMS(5, 6), HD_UNIFORM(-1, 1));
    hd_val b1 = hd_param(g, "fc1.bias", t, HD_DIMS(5), HD_UNIFORM(-1, 1));
    hd_val w2 = hd_param(g, "fc2.weight", t, HD_DIMS(4, 5), HD_NORMAL(0, 1));
    hd_val b2 = hd_param(g, "fc2.bias", t, HD_DIMS(4), HD_ZEROS);
    hd_val h = hd_tanh(hd_linear(hd_flatten(x), w1, b1));
    hd_val y = hd_sigmoid(hd_linear(hd_mul(h, hd_add(h, b1)), w2, b2));
    hd_val d = hd_sub(y, target);
    const hd_val list[] = {w1, b1, w2, b2, x};
    *n = 5;
    memcpy(params, list, sizeof list);
    hd_mark_output(y, "y");
    return hd_mean(hd_mul(d, d));
}

static void fill(double *x, int64_t n, uint32_t seed) {
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (double)(seed >> 8) / (1 << 23) - 1;
    }
}

/* Analytic gradients of a whole net against central differences, in f64. */
static void test_gradients(void **state) {
    (void)state;
    hd_context *ctx;
    hd_graph *g;
    hd_program *p;
    hd_store *store;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_val params[5], grads[5];
    int n;
    hd_val loss = small_net(g, params, &n, HD_F64);
    hd_mark_output(loss, "loss");
    HD_ASSERT_OK(ctx, hd_gradients(loss, (hd_val){0}, params, n, grads));
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        assert_false(hd_val_is_none(grads[i]));
        hd_mark_output(grads[i], name);
    }
    HD_ASSERT_OK(ctx, hd_store_new(&store, ctx, 7));
    HD_ASSERT_OK(ctx, hd_compile_with(&p, hd_forward(loss), &(hd_compile_args){.batch = 3, .store = store}));
    double x[18], t[12];
    fill(x, 18, 1);
    fill(t, 12, 2);
    HD_ASSERT_OK(ctx, hd_program_set(p, "x", x));
    HD_ASSERT_OK(ctx, hd_program_set(p, "target", t));
    HD_ASSERT_OK(ctx, hd_program_run(p));
    static const char *const names[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
    static const int sizes[] = {30, 5, 20, 4, 18};
    for (int i = 0; i < n; i++) {
        char name[16];
        double value[30], grad[30];
        bool some = false;
        snprintf(name, sizeof name, "d%d", i);
        memcpy(grad, hd_program_get(p, name), (size_t)sizes[i] * 8);
        if (i < 4)
            HD_ASSERT_OK(ctx, hd_store_get(store, names[i], value, (size_t)sizes[i] * 8));
        else
            memcpy(value, x, sizeof x);
        for (int k = 0; k < sizes[i]; k++) {
            const double eps = 1e-6, v = value[k];
            double side[2];
            for (int s = 0; s < 2; s++) {
                value[k] = v + (s ? eps : -eps);
                if (i < 4)
                    HD_ASSERT_OK(ctx, hd_store_set(store, names[i], value, (size_t)sizes[i] * 8));
                else
                    x[k] = value[k];
                HD_ASSERT_OK(ctx, hd_program_run(p));
                side[s] = *(const double *)hd_program_get(p, "loss");
            }
            value[k] = v;
            if (i < 4)
                HD_ASSERT_OK(ctx, hd_store_set(store, names[i], value, (size_t)sizes[i] * 8));
            else
                x[k] = v;
            const double numeric = (side[1] - side[0]) / (2 * eps);
            if (fabs(numeric - grad[k]) > 1e-8 + 1e-5 * fabs(grad[k]))
                fail_msg("gradient %d, element %d: %.12g, differences give %.12g", i, k, grad[k], numeric);
            some |= grad[k] != 0;
        }
        assert_true(some);
    }
    hd_program_free(p);
    hd_store_free(store);
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* print → parse → print gives the same text, for the graph with its gradients. */
static void test_print_parse(void **state) {
    (void)state;
    hd_context *ctx;
    hd_graph *g, *again;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_val params[5], grads[5];
    int n;
    hd_val loss = small_net(g, params, &n, HD_F32);
    HD_ASSERT_OK(ctx, hd_gradients(loss, (hd_val){0}, params, n, grads));
    char *a, *b;
    HD_ASSERT_OK(ctx, hd_graph_print(g, &a));
    HD_ASSERT_OK(ctx, hd_graph_parse(&again, ctx, "a.txt", a));
    HD_ASSERT_OK(ctx, hd_graph_print(again, &b));
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "linear(%"));
    hd_free(ctx, a);
    hd_free(ctx, b);
    hd_graph_free(again);
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* The first failure sticks, with the caller's place, layer and shapes; later calls do nothing. */
static void test_sticky(void **state) {
    (void)state;
    hd_context *ctx;
    hd_graph *g;
    hd_program *p = NULL;
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3));
    hd_val w = hd_param(g, "fc.weight", HD_F32, HD_DIMS(2, 4), HD_ZEROS);
    hd_val y = hd_relu(hd_linear(x, w));
    y = hd_add(y, hd_param(g, "fc.weight", HD_F32, HD_DIMS(1), HD_ZEROS));
    assert_int_equal(hd_compile(&p, hd_forward(y), HD_DEVICE_AUTO), HD_E_MODEL);
    assert_null(p);
    const char *text = hd_last_error(ctx);
    assert_non_null(strstr(text, "test_program.c:"));
    assert_non_null(strstr(text, "linear \"fc\": weight [2,4] expects 4 input features, input x is [B,3]"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* A marked result comes along only when it needs no further input: each of the results of a node. */
static void test_marked_results(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p;
    HD_ASSERT_OK(ctx, hd_graph_new(&g, ctx));
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(3)), other = hd_input(g, "other", HD_F32, HD_DIMS(3));
    const hd_val y = hd_relu(x), own = hd_sort(x), foreign = hd_sort(other);
    hd_mark_output(hd_output(own, 1), "own places");
    hd_mark_output(foreign, "foreign");
    hd_mark_output(hd_output(foreign, 1), "foreign places");
    HD_ASSERT_OK(ctx, hd_compile(&p, hd_forward(y), HD_DEVICE_AUTO));
    assert_int_equal(hd_program_input(p, "other"), -1);
    const float in[3] = {3, 1, 2};
    HD_ASSERT_OK(ctx, hd_program_set(p, "x", in));
    HD_ASSERT_OK(ctx, hd_program_run(p));
    const int64_t *places = hd_program_get(p, "own places");
    assert_non_null(places);
    assert_true(places[0] == 1 && places[1] == 2 && places[2] == 0);
    assert_null(hd_program_get(p, "foreign"));
    assert_null(hd_program_get(p, "foreign places"));
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lecture), cmocka_unit_test(test_gradients),
                                       cmocka_unit_test(test_marked_results), cmocka_unit_test(test_print_parse),
                                       cmocka_unit_test(test_sticky)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
