/* test_program.c: whole programs: the numbers of the lectures, gradients, plans, stores. */
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
    HD_ASSERT_OK(ctx, hd_program_set(p, "x", (float[]){1, -1}));
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lecture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
