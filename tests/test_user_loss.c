/* test_user_loss.c: losses that a caller makes: any scalar value of a graph, out of ops, or an op of the caller's own,
 * through hd_train_step. The first step is held against the gradient worked out by hand; then it learns. */
#include "support.h"

#include "base/rng.h"
#include "hadal/ops.h"
#include "hadal/program.h"
#include <math.h>

enum { BATCH = 32, FEATURES = 3 };

typedef hd_val (*loss_fn)(hd_val y, hd_val target);

/* Ln cosh: (1/n) Σ ln((e^d + e^−d)/2). Its slope is tanh d. */
static hd_val log_cosh(hd_val y, hd_val target) {
    const hd_val d = hd_sub(y, target);
    return hd_mean(hd_log(hd_affine(hd_add(hd_exp(d), hd_exp(hd_neg(d))), .scale = 0.5)));
}
static double log_cosh_slope(double d) {
    return tanh(d) / BATCH;
}

/* Two losses and a penalty in one: 0.7 mse + 0.3 l1. */
static hd_val mixed(hd_val y, hd_val target) {
    return hd_add(hd_affine(hd_mse(y, target), .scale = 0.7), hd_affine(hd_l1(y, target), .scale = 0.3));
}
static double mixed_slope(double d) {
    return (1.4 * d + (d > 0 ? 0.3 : -0.3)) / BATCH;
}

/* ---- an op of the caller's own: the pinball loss ---- */

typedef struct pinball_args {
    hd_val x, target;
    double quantile;
    int end_;
} pinball_args;

static hd_status pinball_infer(hd_infer *c) {
    if (!hd_dims_equal(&c->in[0].dims, &c->in[1].dims)) return hd_infer_fail(c, "x and target differ in shape");
    c->out[0] = (hd_type){.dtype = c->in[0].dtype};
    return HD_OK;
}

static void pinball_ref(const hd_ref *r) {
    const double q = ((const pinball_args *)r->attr)->quantile;
    const float *x = r->in[0].data, *t = r->in[1].data;
    double sum = 0;
    for (int64_t i = 0; i < r->in[0].count; i++) {
        const double d = (double)t[i] - (double)x[i];
        sum += d > 0 ? q * d : (q - 1) * d;
    }
    *(float *)r->out[0].data = (float)(sum / (double)r->in[0].count);
}

/* dx = 1 − q above the target, −q below: ½ − q + ½ sign(x − t). */
static void pinball_grad(hd_grad *c) {
    const double q = ((const pinball_args *)c->attr)->quantile;
    const hd_val slope = hd_affine(hd_sign(hd_sub(c->in[0], c->in[1])), .scale = 0.5, .shift = 0.5 - q);
    if (c->needs[0]) c->din[0] = hd_mul(slope, hd_broadcast_like(c->dout[0], c->in[0], .average = true));
}

static const hd_option pinball_options[] = {{.name = "quantile",
                                             .type = HD_OPT_FLOAT,
                                             .offset = offsetof(pinball_args, quantile),
                                             .count = 1,
                                             .def = 0.5,
                                             .max = 1,
                                             .help = "which quantile is learnt"},
                                            HD_OPTION_END};
static const hd_op pinball = {.name = "pinball",
                              .n_in = 2,
                              .n_out = 1,
                              .args_size = sizeof(pinball_args),
                              .options = pinball_options,
                              .infer = pinball_infer,
                              .grad = pinball_grad,
                              .ref = pinball_ref,
                              .formula = "loss = mean(max(q (t − x), (q − 1) (t − x)))",
                              .source = "Koenker, Bassett 1978",
                              .doc = "The loss whose best constant is a quantile."};

static hd_val ninth_decile(hd_val y, hd_val target) {
    return hd_node_add(HD_HERE, &pinball, &(pinball_args){.x = y, .target = target, .quantile = 0.9});
}
static double ninth_decile_slope(double d) {
    return (d > 0 ? 0.1 : -0.9) / BATCH;
}

/* ---- learning ---- */

typedef struct sample {
    float x[BATCH * FEATURES], t[BATCH];
} sample;

static void draw(sample *s) {
    hd_rng rng = hd_rng_new(3, "user loss");
    for (int i = 0; i < BATCH; i++) {
        double sum = 0.25;
        for (int k = 0; k < FEATURES; k++) {
            s->x[i * FEATURES + k] = (float)hd_rng_normal(&rng);
            sum += (double)s->x[i * FEATURES + k] * (k - 1.5);
        }
        s->t[i] = (float)(sum + 0.1 * hd_rng_normal(&rng));
    }
}

/* One plain step from w = 0: w = −lr Σ slope(−t) x. */
static void check_step(hd_program *p, const sample *s, double (*slope)(double), double lr) {
    float w[FEATURES];
    assert_int_equal(hd_store_get(hd_program_store(p), "w", w, sizeof w), HD_OK);
    for (int k = 0; k < FEATURES; k++) {
        double want = 0;
        for (int i = 0; i < BATCH; i++) want -= lr * slope(-(double)s->t[i]) * (double)s->x[i * FEATURES + k];
        if (!(fabs((double)w[k] - want) < 1e-6)) fail_msg("w[%d] is %g, not %g", k, (double)w[k], want);
    }
}

static double learn(loss_fn loss, double (*slope)(double), const sample *s, int steps, double *first) {
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_context_add_op(ctx, &pinball), HD_OK);
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, FEATURES));
    const hd_val t = hd_input(g, "t", HD_F32, HD_DIMS(HD_BATCH, 1));
    const hd_val w = hd_param(g, "w", HD_F32, HD_DIMS(1, FEATURES), HD_ZEROS);
    const hd_val b = hd_param(g, "b", HD_F32, HD_DIMS(1), HD_ZEROS);
    const hd_val value = loss(hd_linear(x, w, b), t);
    if (hd_graph_status(g) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_optimizer sgd = {.name = "sgd", .lr = 0.1};
    if (hd_compile_with(&p, hd_train_step(value, sgd), &(hd_compile_args){.batch = BATCH}) != HD_OK)
        fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_program_set(p, "x", s->x), HD_OK);
    assert_int_equal(hd_program_set(p, "t", s->t), HD_OK);
    double last = 0;
    for (int i = 0; i < steps; i++) {
        assert_int_equal(hd_program_run(p), HD_OK);
        last = (double)*(const float *)hd_program_get(p, "loss");
        if (i == 0) *first = last;
        if (i == 0) check_step(p, s, slope, 0.1);
    }
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
    return last;
}

static void check(loss_fn loss, double (*slope)(double), double share) {
    sample s;
    double first = 0;
    draw(&s);
    const double last = learn(loss, slope, &s, 300, &first);
    if (!(last < share * first)) fail_msg("the loss goes from %g to %g", first, last);
}

static void test_out_of_ops(void **state) {
    (void)state;
    check(log_cosh, log_cosh_slope, 0.02);
}
static void test_sum_of_losses(void **state) {
    (void)state;
    check(mixed, mixed_slope, 0.05);
}
static void test_own_op(void **state) {
    (void)state;
    check(ninth_decile, ninth_decile_slope, 0.2);
}

/* What is no loss is refused with a reason. */
static void test_no_scalar(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p = NULL;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val w = hd_param(g, "w", HD_F32, HD_DIMS(2), HD_ZEROS);
    const hd_optimizer sgd = {.name = "sgd", .lr = 0.1};
    assert_int_not_equal(hd_compile_with(&p, hd_train_step(hd_mul(w, w), sgd), &(hd_compile_args){.batch = 1}), HD_OK);
    assert_non_null(strstr(hd_last_error(ctx), "scalar"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_out_of_ops), cmocka_unit_test(test_sum_of_losses),
                                       cmocka_unit_test(test_own_op), cmocka_unit_test(test_no_scalar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
