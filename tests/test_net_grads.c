/* test_net_grads.c: gradients of whole nets that are built before the batch is known, and gradients of gradients,
 * against central differences in f64. */
#include "support.h"

#include "base/rng.h"
#include "hadal/nn.h"
#include "hadal/program.h"
#include <math.h>

enum { BATCH = 3, PARAMS = 16, DIRECTIONS = 4 };

/* A net is a function from (graph) to a scalar; its parameters are p0, p1, … */
typedef struct net {
    hd_context *ctx;
    hd_graph *g;
    int n;
    hd_val p[PARAMS];
    hd_dims dims[PARAMS];
} net;
typedef hd_val (*build_fn)(net *t);

static hd_val input(net *t, const char *name, hd_dims dims) {
    return hd_input(t->g, name, HD_F64, dims);
}

static hd_val param(net *t, hd_dims dims) {
    static const char *const names[PARAMS] = {"p0", "p1", "p2",  "p3",  "p4",  "p5",  "p6",  "p7",
                                              "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"};
    assert_true(t->n < PARAMS);
    t->dims[t->n] = dims;
    t->p[t->n] = hd_param(t->g, names[t->n], HD_F64, dims, HD_NORMAL(0, 0.5));
    return t->p[t->n++];
}

/* ---- nets ---- */

static hd_val rows_net(net *t) { /* x [B,5,4]: a layer on every row, softmax, mean */
    const hd_val x = input(t, "x", HD_DIMS(HD_BATCH, 5, 4));
    hd_val h = hd_tanh(hd_linear(x, param(t, HD_DIMS(6, 4)), param(t, HD_DIMS(6))));
    h = hd_add(h, hd_mul(hd_mean(h, .axes = HD_DIMS(1), .keepdim = true), param(t, HD_DIMS(6))));
    h = hd_softmax(hd_matmul(h, param(t, HD_DIMS(3, 6)), .trans_b = true));
    h = hd_reshape(h, .dims = HD_DIMS(HD_BATCH, 15));
    return hd_mean(hd_mul(h, param(t, HD_DIMS(15))));
}

static hd_val picture_net(net *t) { /* convolution, normalisation, pooling, classes */
    const hd_val x = input(t, "x", HD_DIMS(HD_BATCH, 2, 6, 6)), c = hd_input(t->g, "c", HD_I64, HD_DIMS(HD_BATCH));
    hd_val h = hd_conv2d(x, param(t, HD_DIMS(4, 2, 3, 3)), param(t, HD_DIMS(4)), .padding = {1, 1});
    const hd_val mean = hd_state(t->g, "mean", HD_F64, HD_DIMS(4), HD_ZEROS);
    const hd_val var = hd_state(t->g, "var", HD_F64, HD_DIMS(4), HD_ONES);
    h = hd_batch_norm(h, param(t, HD_DIMS(4)), param(t, HD_DIMS(4)), mean, var);
    h = hd_avg_pool2d(hd_sigmoid(h), .kernel_size = {2, 2});
    h = hd_concat((hd_val[]){hd_flatten(h), hd_flatten(hd_global_avg_pool(h))}, 2);
    h = hd_linear(h, param(t, HD_DIMS(5, 40)), param(t, HD_DIMS(5)));
    return hd_cross_entropy(h, c);
}

static hd_val losses_net(net *t) { /* every loss of one layer */
    const hd_val x = input(t, "x", HD_DIMS(HD_BATCH, 4)), y = input(t, "y", HD_DIMS(HD_BATCH, 2));
    const hd_val h = hd_linear(x, param(t, HD_DIMS(2, 4)), param(t, HD_DIMS(2)));
    const hd_val a = hd_mse(h, y), b = hd_bce_with_logits(h, hd_sigmoid(y)), c = hd_half_squared_error(h, y);
    const hd_val d = hd_mean(hd_log_softmax(hd_exp(h)), .axes = HD_DIMS(0));
    return hd_add(hd_add(a, b), hd_add(c, hd_sum(hd_mul(d, param(t, HD_DIMS(2))))));
}

static hd_val cut_net(net *t) { /* what only moves */
    const hd_val x = input(t, "x", HD_DIMS(HD_BATCH, 3, 4)), w = param(t, HD_DIMS(3, 4));
    hd_val h = hd_mul(x, w);
    h = hd_concat((hd_val[]){hd_slice(h, .start = 1), hd_slice(h, .stop = 2), h}, 3);
    h = hd_pad(hd_transpose(h, .axes = HD_DIMS(0, 2, 1)), .before = HD_DIMS(0, 1, 0), .value = 2);
    h = hd_div(hd_sqrt(hd_affine(hd_mul(h, h), .shift = 1)), hd_exp(hd_abs(hd_affine(h, .scale = 0.1, .shift = 5))));
    return hd_sum(hd_sub(h, hd_reshape_like(hd_flatten(hd_neg(h)), h)));
}

/* Σ (∂loss/∂p)² over all parameters: its gradient needs the second derivatives. */
static hd_val squared_gradient(net *t, hd_val loss) {
    hd_val grads[PARAMS], sum = {0};
    if (hd_gradients(loss, (hd_val){0}, t->p, t->n, grads) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    for (int i = 0; i < t->n; i++) {
        if (hd_val_is_none(grads[i])) continue;
        const hd_val part = hd_sum(hd_mul(grads[i], grads[i]));
        sum = hd_val_is_none(sum) ? part : hd_add(sum, part);
    }
    return sum;
}
static hd_val rows_twice(net *t) {
    return squared_gradient(t, rows_net(t));
}
static hd_val picture_twice(net *t) {
    return squared_gradient(t, picture_net(t));
}
static hd_val losses_twice(net *t) {
    return squared_gradient(t, losses_net(t));
}
static hd_val cut_twice(net *t) {
    return squared_gradient(t, cut_net(t));
}

/* ---- differences ---- */

static double run(net *t, hd_program *p, double *const values[PARAMS], const char *result) {
    for (int i = 0; i < t->n; i++) {
        const size_t bytes = (size_t)hd_dims_count(&t->dims[i]) * sizeof(double);
        char name[16];
        (void)snprintf(name, sizeof name, "p%d", i);
        if (hd_store_set(hd_program_store(p), name, values[i], bytes) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    }
    if (hd_program_run(p) != HD_OK) fail_msg("%s", hd_last_error(t->ctx));
    return *(const double *)hd_program_get(p, result);
}

static void feed(net *t, hd_program *p, double *x, int64_t *classes) {
    static const char *const names[] = {"x", "y"};
    for (int i = 0; i < 2; i++)
        if (hd_program_input(p, names[i]) >= 0) hd_program_bind(p, hd_program_input(p, names[i]), x + 7 * i);
    if (hd_program_input(p, "c") >= 0) hd_program_bind(p, hd_program_input(p, "c"), classes);
    (void)t;
}

/* Moves all parameters along random directions and compares with what the gradients say. */
static void check_directions(net *t, hd_program *p, double *values[PARAMS]) {
    const double step = 1e-6;
    hd_rng rng = hd_rng_new(5, "directions");
    for (int d = 0; d < DIRECTIONS; d++) {
        double *moved[PARAMS], along = 0, side[2], *direction[PARAMS];
        (void)run(t, p, values, "result");
        for (int i = 0; i < t->n; i++) {
            const int64_t n = hd_dims_count(&t->dims[i]);
            char name[16];
            (void)snprintf(name, sizeof name, "d%d", i);
            const double *grad = hd_program_get(p, name);
            moved[i] = malloc((size_t)n * sizeof(double));
            direction[i] = malloc((size_t)n * sizeof(double));
            for (int64_t j = 0; j < n; j++) {
                direction[i][j] = hd_rng_normal(&rng);
                along -= grad ? grad[j] * direction[i][j] : 0; /* marked as its negative */
            }
        }
        for (int s = 0; s < 2; s++) {
            for (int i = 0; i < t->n; i++)
                for (int64_t j = 0; j < hd_dims_count(&t->dims[i]); j++)
                    moved[i][j] = values[i][j] + (s ? -step : step) * direction[i][j];
            side[s] = run(t, p, moved, "result");
        }
        const double slope = (side[0] - side[1]) / (2 * step);
        if (!(fabs(slope - along) <= 1e-7 + 1e-5 * fabs(slope)))
            fail_msg("along direction %d the gradients say %.10g, differences %.10g", d, along, slope);
        assert_true(fabs(slope) > 1e-4);
        for (int i = 0; i < t->n; i++) free(moved[i]), free(direction[i]);
    }
}

static void check_net(build_fn build, const char *backend) {
    net t = {.ctx = test_context(1)};
    hd_program *p;
    hd_val grads[PARAMS];
    assert_int_equal(hd_graph_new(&t.g, t.ctx), HD_OK);
    const hd_val y = build(&t);
    hd_mark_output(y, "result");
    if (hd_gradients(y, (hd_val){0}, t.p, t.n, grads) != HD_OK) fail_msg("%s", hd_last_error(t.ctx));
    static const char *const names[PARAMS] = {"d0", "d1", "d2",  "d3",  "d4",  "d5",  "d6",  "d7",
                                              "d8", "d9", "d10", "d11", "d12", "d13", "d14", "d15"};
    for (int i = 0; i < t.n; i++)
        if (!hd_val_is_none(grads[i])) hd_mark_output(hd_neg(grads[i]), names[i]);
    const hd_compile_args args = {.batch = BATCH, .backend = backend, .train = true};
    if (hd_compile_with(&p, hd_forward(y), &args) != HD_OK) fail_msg("%s", hd_last_error(t.ctx));
    double x[BATCH * 80], *values[PARAMS];
    int64_t classes[BATCH] = {4, 0, 2};
    hd_rng rng = hd_rng_new(3, "net");
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = hd_rng_normal(&rng);
    for (int i = 0; i < t.n; i++) {
        const int64_t n = hd_dims_count(&t.dims[i]);
        values[i] = malloc((size_t)n * sizeof(double));
        for (int64_t j = 0; j < n; j++) values[i][j] = 0.5 * hd_rng_normal(&rng);
    }
    feed(&t, p, x, classes);
    check_directions(&t, p, values);
    for (int i = 0; i < t.n; i++) free(values[i]);
    hd_program_free(p);
    hd_graph_free(t.g);
    hd_context_free(t.ctx);
}

#define NET_TEST(name)                                                                                                 \
    static void test_##name(void **state) {                                                                            \
        (void)state;                                                                                                   \
        check_net(name, "ref");                                                                                        \
        check_net(name, "default"); /* with fusion */                                                                  \
    }
NET_TEST(rows_net)
NET_TEST(picture_net)
NET_TEST(losses_net)
NET_TEST(cut_net)
NET_TEST(rows_twice)
NET_TEST(picture_twice)
NET_TEST(losses_twice)
NET_TEST(cut_twice)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_net),     cmocka_unit_test(test_picture_net), cmocka_unit_test(test_losses_net),
        cmocka_unit_test(test_cut_net),      cmocka_unit_test(test_rows_twice),  cmocka_unit_test(test_picture_twice),
        cmocka_unit_test(test_losses_twice), cmocka_unit_test(test_cut_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
