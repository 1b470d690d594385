/* Inference works normalisations into weights and sums into convolutions, and keeps what it made of weights until they
 * change: the predictions stay those of the training form, on any number of threads, after training and loading. */
#include "net_run.h"
#include <math.h>

enum { STEPS = 4, BATCH = 6, SIDE = 16, WIDE = 32, CLASSES = 5 };

static hd_val norm_conv(hd_val x, const char *name, int64_t channels, int64_t size, int64_t stride) {
    char norm[32];
    (void)snprintf(norm, sizeof norm, "%s_n", name);
    const hd_val y = hd_nn_conv2d(x, .name = name, .out_channels = channels, .kernel_size = {size, size},
                                  .stride = {stride, stride}, .padding = {size / 2, size / 2}, .no_bias = size == 3);
    return hd_nn_batch_norm(y, .name = norm);
}

/* A residual block with and one without a convolution beside it, and a normalised linear layer. */
static hd_val residual(hd_val x) {
    const hd_val a = hd_relu(norm_conv(x, "c1", 32, 3, 1));
    hd_val b = norm_conv(hd_relu(norm_conv(a, "c2", 32, 3, 1)), "c3", 32, 3, 1);
    b = hd_relu(hd_add(b, a));
    hd_val c = norm_conv(hd_relu(norm_conv(b, "c4", 20, 3, 2)), "c5", 48, 1, 1);
    c = hd_relu(hd_add(c, norm_conv(b, "c6", 48, 1, 2)));
    const hd_val f = hd_nn_linear(hd_flatten(hd_global_avg_pool(c)), .name = "f1", .out_features = 12);
    return hd_nn_linear(hd_relu(hd_nn_batch_norm(f, .name = "f1_n")), .name = "f2", .out_features = CLASSES);
}

/* What is added is what is convolved: other tasks of the picture still read it. */
static hd_val itself(hd_val x) {
    const hd_val a = hd_relu(norm_conv(x, "c1", 32, 3, 1));
    const hd_val b = hd_relu(hd_add(norm_conv(a, "c2", 32, 3, 1), a));
    return hd_nn_linear(hd_flatten(hd_global_avg_pool(b)), .name = "f1", .out_features = CLASSES);
}

/* More weights than activations. */
static hd_val heavy(hd_val x) {
    const hd_val a = hd_global_avg_pool(norm_conv(x, "c1", 512, 1, 4));
    const hd_val b = hd_nn_linear(hd_flatten(a), .name = "f1", .out_features = 512);
    return hd_nn_linear(hd_relu(hd_nn_batch_norm(b, .name = "f1_n")), .name = "f2", .out_features = CLASSES);
}

static float x[BATCH * 3 * SIDE * SIDE];
static int64_t label[BATCH];

static net_run trained_on(int64_t batch, int64_t side, int threads, const char *backend, hd_val (*net)(hd_val x)) {
    net_data(x, BATCH * 3 * SIDE * SIDE, label, BATCH, CLASSES);
    net_run r = {.context = {.threads = threads},
                 .args = {.batch = batch, .backend = backend},
                 .optimizer = hd_sgd(.lr = 0.05, .momentum = 0.9),
                 .sample = HD_DIMS(3, side, side),
                 .net = net};
    net_train(&r, x, label, STEPS);
    hd_mark_output(r.y, "y");
    return r;
}

static net_run trained(int threads, const char *backend, hd_val (*net)(hd_val x)) {
    return trained_on(BATCH, SIDE, threads, backend, net);
}

typedef struct prediction {
    hd_program *program;
    hd_program_facts facts;
    hd_memory memory;
    float y[BATCH * CLASSES];
} prediction;

static void predict(net_run *r, prediction *out) {
    OK(r->ctx, hd_program_run(out->program));
    memcpy(out->y, hd_program_get(out->program, "y"), (size_t)r->args.batch * CLASSES * sizeof *out->y);
}

static prediction compiled(net_run *r, hd_compile_args args) {
    prediction p = {0};
    args.batch = r->args.batch;
    args.backend = r->args.backend;
    args.store = r->store;
    OK(r->ctx, hd_compile_with(&p.program, hd_forward(r->y), &args));
    OK(r->ctx, hd_program_set(p.program, "x", x));
    p.facts = hd_program_get_facts(p.program);
    p.memory = hd_program_memory(p.program);
    predict(r, &p);
    return p;
}

/* Of the largest. */
static double distance(const prediction *a, const prediction *b) {
    double most = 0, worst = 0;
    for (int i = 0; i < BATCH * CLASSES; i++) {
        assert_true(isfinite(a->y[i]));
        most = fmax(most, fabs((double)b->y[i]));
        worst = fmax(worst, fabs((double)a->y[i] - (double)b->y[i]));
    }
    return worst / most;
}

static void folded_is_the_same(void **state) {
    (void)state;
    static const char *const backends[] = {"default", "ref"};
    for (int i = 0; i < 2; i++) {
        net_run r = trained(2, backends[i], residual);
        prediction folded = compiled(&r, (hd_compile_args){0});
        prediction plain = compiled(&r, (hd_compile_args){.passes_off = "fold"});
        assert_true(folded.facts.once >= 7 && folded.memory.kept > 0);
        assert_true(folded.facts.steps <= plain.facts.steps - (i ? 7 : 8)); /* norms, and sums where a kernel adds */
        if (distance(&folded, &plain) > 5e-6) fail_msg("folded differs by %g", distance(&folded, &plain));
        hd_program_free(folded.program);
        hd_program_free(plain.program);
        net_close(&r);
    }
}

/* One picture in several tasks, one after the other. */
static void a_sum_with_what_is_convolved(void **state) {
    (void)state;
    net_run r = trained_on(1, WIDE, 1, NULL, itself);
    prediction folded = compiled(&r, (hd_compile_args){0});
    prediction plain = compiled(&r, (hd_compile_args){.passes_off = "fold"});
    assert_true(folded.facts.steps < plain.facts.steps);
    if (distance(&folded, &plain) > 5e-6) fail_msg("folded differs by %g", distance(&folded, &plain));
    hd_program_free(folded.program);
    hd_program_free(plain.program);
    net_close(&r);
}

static void bits_do_not_depend_on_threads(void **state) {
    (void)state;
    float first[BATCH * CLASSES];
    for (int threads = 1; threads <= 3; threads++) {
        net_run r = trained(threads, NULL, residual);
        prediction p = compiled(&r, (hd_compile_args){0});
        if (threads == 1) memcpy(first, p.y, sizeof first);
        assert_memory_equal(first, p.y, sizeof first);
        hd_program_free(p.program);
        net_close(&r);
    }
}

/* The kept weights are made again when the store's have changed, by training or by hand, and only then. */
static void weights_that_change(void **state) {
    (void)state;
    net_run r = trained(2, NULL, residual);
    prediction kept = compiled(&r, (hd_compile_args){0});
    const prediction before = kept;
    predict(&r, &kept);
    assert_memory_equal(before.y, kept.y, sizeof kept.y);
    OK(r.ctx, hd_program_run(r.train));
    predict(&r, &kept);
    assert_true(distance(&before, &kept) > 1e-4);
    prediction fresh = compiled(&r, (hd_compile_args){0});
    assert_memory_equal(fresh.y, kept.y, sizeof kept.y);
    float shift[32];
    OK(r.ctx, hd_store_get(r.store, "c1_n.bias", shift, sizeof shift));
    for (int i = 0; i < 32; i++) shift[i] += 1;
    OK(r.ctx, hd_store_set(r.store, "c1_n.bias", shift, sizeof shift));
    predict(&r, &kept);
    prediction plain = compiled(&r, (hd_compile_args){.passes_off = "fold"});
    assert_true(distance(&fresh, &kept) > 1e-4);
    assert_true(distance(&kept, &plain) <= 5e-6);
    hd_program_free(kept.program);
    hd_program_free(fresh.program);
    hd_program_free(plain.program);
    net_close(&r);
}

static void exact_is_not_folded(void **state) {
    (void)state;
    net_run r = trained(2, NULL, residual);
    prediction exact = compiled(&r, (hd_compile_args){.exact = true});
    prediction plain = compiled(&r, (hd_compile_args){.exact = true, .passes_off = "fold"});
    assert_int_equal(exact.facts.steps, plain.facts.steps);
    assert_memory_equal(exact.y, plain.y, sizeof plain.y);
    hd_program_free(exact.program);
    hd_program_free(plain.program);
    net_close(&r);
}

/* Where the limit leaves no room for copies of the weights there are none. */
static void little_memory(void **state) {
    (void)state;
    net_run r = trained(2, NULL, heavy);
    prediction rich = compiled(&r, (hd_compile_args){0});
    prediction lean = compiled(&r, (hd_compile_args){.memory_limit = rich.memory.total - 1});
    assert_int_equal(lean.memory.kept, 0);
    assert_true(distance(&lean, &rich) <= 5e-6);
    hd_program_free(rich.program);
    hd_program_free(lean.program);
    net_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded_is_the_same),
        cmocka_unit_test(a_sum_with_what_is_convolved),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(weights_that_change),
        cmocka_unit_test(exact_is_not_folded),
        cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
