/* test_optimizers.c: optimisers in training steps: groups of parameters, the average of weights, gradients added up,
 * outliers left out, Muon's direction. Single steps are tested with the operations (test_ops, hadal-vectors). */
#include "support.h"

#include "hadal/hadal.h"
#include <math.h>

#define GOES(n, call)                                                                                                  \
    if ((call) != HD_OK) fail_msg("%s", hd_last_error((n)->ctx))

enum { BATCH = 8, ALL = 4096 };

typedef struct net {
    hd_context *ctx;
    hd_graph *g;
    hd_val loss;
    hd_program *p;
    float x[4 * BATCH * 12];
    int64_t label[4 * BATCH];
} net;

/* Two layers with a norm between; the second input, a factor of the loss, lets gradients grow. */
static void make(net *n, int threads, hd_optimizer o, hd_compile_args args) {
    n->ctx = test_context(threads);
    GOES(n, hd_graph_new(&n->g, n->ctx));
    const hd_val x = hd_input(n->g, "x", HD_F32, HD_DIMS(HD_BATCH, 12));
    const hd_val label = hd_input(n->g, "label", HD_I64, HD_DIMS(HD_BATCH));
    const hd_val factor = hd_input(n->g, "factor", HD_F32, HD_DIMS(1));
    hd_val y = hd_tanh(hd_nn_linear(x, .name = "fc1", .out_features = 24));
    y = hd_nn_linear(y, .name = "fc2", .out_features = 5);
    n->loss = hd_mul(hd_cross_entropy(y, label), hd_sum(factor));
    GOES(n, hd_compile_with(&n->p, hd_train_step(n->loss, o), &args));
    for (int i = 0; i < 4 * BATCH * 12; i++) n->x[i] = (float)sin(i * 0.7 + (i % 97) * (i % 31));
    for (int i = 0; i < 4 * BATCH; i++) n->label[i] = (i * 7) % 5;
}

static void end(net *n) {
    hd_program_free(n->p);
    hd_graph_free(n->g);
    hd_context_free(n->ctx);
}

/* A step on the batch that begins with sample `first`. */
static void step(net *n, int first, float factor) {
    GOES(n, hd_program_set(n->p, "x", n->x + first * 12));
    GOES(n, hd_program_set(n->p, "label", n->label + first));
    GOES(n, hd_program_set(n->p, "factor", &factor));
    GOES(n, hd_program_run(n->p));
}

static int get(net *n, const char *name, float *out) {
    hd_store *s = hd_program_store(n->p);
    for (int i = 0; i < hd_store_count(s); i++) {
        const hd_store_info e = hd_store_at(s, i);
        if (strcmp(e.name, name) != 0) continue;
        GOES(n, hd_store_get(s, name, out, (size_t)hd_dims_count(&e.dims) * sizeof *out));
        return (int)hd_dims_count(&e.dims);
    }
    return 0;
}

/* All tensors of f32, one behind the other. */
static int everything(net *n, float *out) {
    hd_store *s = hd_program_store(n->p);
    int count = 0;
    for (int i = 0; i < hd_store_count(s); i++) {
        const hd_store_info e = hd_store_at(s, i);
        if (e.dtype != HD_F32 || strstr(e.name, "@flat")) continue;
        count += get(n, e.name, out + count);
        assert_true(count <= ALL);
    }
    return count;
}

/* Without gradients only weight decay moves weights. */
static void test_groups(void **state) {
    (void)state;
    const hd_param_group groups[] = {{.pattern = "fc2.*", .lr_scale = 0.5},
                                     {.vectors = true, .weight_decay = HD_ZERO},
                                     {.pattern = "fc2.weight", .lr_scale = 9, .weight_decay = 0.25}};
    const hd_optimizer o = hd_sgd(.lr = 0.5, .weight_decay = 1, .groups = groups, .group_count = 3);
    static const char *const names[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
    const double left[] = {0.5, 1, 1 - 0.5 * 0.5 * 0.25, 1};
    net n;
    make(&n, 1, o, (hd_compile_args){.batch = BATCH});
    float before[4][400], after[400];
    GOES(&n, hd_program_prepare(n.p));
    for (int k = 0; k < 4; k++) get(&n, names[k], before[k]);
    step(&n, 0, 0);
    for (int k = 0; k < 4; k++)
        for (int i = get(&n, names[k], after) - 1; i >= 0; i--)
            if (fabs((double)after[i] - left[k] * (double)before[k][i]) > 1e-7)
                fail_msg("%s: %g", names[k], (double)after[i]);
    end(&n);
}

static void test_frozen_group(void **state) {
    (void)state;
    const hd_param_group group = {.pattern = "fc1.*", .lr_scale = HD_ZERO};
    net n;
    make(&n, 1, hd_adamw(.groups = &group, .group_count = 1), (hd_compile_args){.batch = BATCH});
    float before[400], after[400];
    GOES(&n, hd_program_prepare(n.p));
    const int count = get(&n, "fc1.weight", before);
    step(&n, 0, 1);
    assert_int_equal(get(&n, "fc1.weight", after), count);
    assert_memory_equal(before, after, (size_t)count * sizeof *before);
    assert_int_equal(get(&n, "fc1.weight@exp_avg", after), 0);
    assert_true(get(&n, "fc2.weight@exp_avg", after) > 0);
    end(&n);
}

static const hd_param_group some[] = {{.pattern = "fc2.*", .lr_scale = 0.5},
                                      {.vectors = true, .weight_decay = HD_ZERO}};

static int trained(const char *name, int threads, hd_compile_args args, float *out) {
    net n;
    args.batch = BATCH;
    make(&n, threads,
         (hd_optimizer){.name = name,
                        .max_norm = 1,
                        .ema = 0.9,
                        .skip_outliers = 3,
                        .accumulate = true,
                        .groups = some,
                        .group_count = 2},
         args);
    for (int i = 0; i < 6; i++) {
        hd_program_accumulate(n.p, 1, i % 2 ? 0.5 : 0);
        step(&n, i % 4 * BATCH, 1);
    }
    const int count = everything(&n, out);
    end(&n);
    return count;
}

/* One, two and three threads give the same bits; definitions, and updates that are not flat, about the same numbers. */
static void test_agree(void **state) {
    static const hd_compile_args ways[] = {{.backend = "ref"}, {.passes_off = "flatten"}, {.passes_off = "fuse,chain"}};
    static float first[ALL], again[ALL];
    (void)state;
    for (const char *const *name = hd_optimizer_names(); *name; name++) {
        const int count = trained(*name, 1, (hd_compile_args){0}, first);
        for (int threads = 2; threads <= 3; threads++) {
            assert_int_equal(trained(*name, threads, (hd_compile_args){0}, again), count);
            assert_memory_equal(first, again, (size_t)count * sizeof *first);
        }
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            assert_int_equal(trained(*name, 1, ways[k], again), count);
            for (int i = 0; i < count; i++)
                if (!(fabs((double)first[i] - (double)again[i]) <= 2e-5 * (1 + fabs((double)first[i]))))
                    fail_msg("%s, way %zu, element %d: %g, %g", *name, k, i, (double)first[i], (double)again[i]);
        }
    }
}

/* Two batches added up are one of twice the size, also where they are of different sizes and clipped. */
static void test_accumulate(void **state) {
    static float small[ALL], large[ALL];
    (void)state;
    const hd_optimizer o = hd_adamw(.lr = 0.01, .max_norm = 0.05);
    hd_optimizer adds = o;
    adds.accumulate = true;
    net a, b;
    make(&a, 1, adds, (hd_compile_args){.batch = BATCH});
    make(&b, 1, o, (hd_compile_args){.batch = 2 * BATCH});
    for (int i = 0; i < 6; i++) {
        hd_program_accumulate(a.p, BATCH, 0);
        step(&a, i % 2 * 2 * BATCH, 1);
        hd_program_accumulate(a.p, BATCH, 1.0 / (2 * BATCH));
        step(&a, (i % 2 * 2 + 1) * BATCH, 1);
        step(&b, i % 2 * 2 * BATCH, 1);
        assert_int_equal(hd_store_updates(hd_program_store(a.p)), i + 1);
        assert_int_equal(hd_store_step(hd_program_store(a.p)), 2 * i + 2);
    }
    const int count = get(&a, "fc1.weight", small);
    assert_int_equal(get(&b, "fc1.weight", large), count);
    for (int i = 0; i < count; i++)
        if (fabs((double)small[i] - (double)large[i]) > 1e-5)
            fail_msg("%d: %g, %g", i, (double)small[i], (double)large[i]);
    assert_true(count > 0);
    get(&a, "fc1.weight@grad", small); /* nothing is left over */
    for (int i = 0; i < count; i++) assert_true(small[i] == 0);
    end(&a);
    end(&b);
}

static void test_average(void **state) {
    (void)state;
    net n;
    make(&n, 1, hd_sgd(.lr = 0.1, .ema = 0.75), (hd_compile_args){.batch = BATCH});
    float now[400], mean[400];
    double want[400] = {0};
    for (int i = 0; i < 5; i++) {
        step(&n, i % 4 * BATCH, 1);
        const int count = get(&n, "fc2.weight", now);
        assert_int_equal(get(&n, "fc2.weight@ema", mean), count);
        for (int k = 0; k < count; k++) {
            want[k] = i == 0 ? (double)now[k] : 0.75 * want[k] + 0.25 * (double)now[k];
            if (fabs(want[k] - (double)mean[k]) > 1e-6) fail_msg("step %d: %g, not %g", i, (double)mean[k], want[k]);
        }
    }
    end(&n);
}

static void test_outliers(void **state) {
    static float before[ALL], after[ALL];
    (void)state;
    net n;
    double guard[4];
    make(&n, 1, hd_adam(.lr = 1e-4, .skip_outliers = 6), (hd_compile_args){.batch = BATCH});
    for (int i = 0; i < 30; i++) step(&n, i % 4 * BATCH, 1);
    const int count = everything(&n, before);
    step(&n, 0, 100); /* much longer than any before */
    assert_int_equal(everything(&n, after), count);
    assert_memory_equal(before, after, (size_t)count * sizeof *before);
    step(&n, 0, (float)INFINITY);
    assert_int_equal(everything(&n, after), count);
    assert_memory_equal(before, after, (size_t)count * sizeof *before);
    GOES(&n, hd_store_get(hd_program_store(n.p), "norm@guard", guard, sizeof guard));
    assert_true(guard[3] == 2);
    step(&n, 0, 1);
    everything(&n, after);
    assert_true(memcmp(before, after, (size_t)count * sizeof *before) != 0);
    end(&n);
}

/* A gradient that is no number is left out with nothing of it staying behind: not in sums over several runs, not in
 * what an optimiser's own nodes keep. */
static void test_no_number(void **state) {
    static float before[ALL], after[ALL];
    (void)state;
    for (const char *const *name = hd_optimizer_names(); *name; name++) {
        net n;
        make(&n, 1, (hd_optimizer){.name = *name, .skip_outliers = 6, .accumulate = true},
             (hd_compile_args){.batch = BATCH});
        for (int i = 0; i < 2; i++) { /* the sum of the second step is no number */
            hd_program_accumulate(n.p, 1, 0);
            step(&n, 0, i ? (float)INFINITY : 1);
            hd_program_accumulate(n.p, 1, 0.5);
            step(&n, BATCH, 1);
            if (!i) everything(&n, before);
        }
        const int count = everything(&n, after);
        assert_memory_equal(before, after, (size_t)count * sizeof *after);
        step(&n, 0, 1);
        everything(&n, after);
        assert_true(memcmp(before, after, (size_t)count * sizeof *after) != 0);
        for (int i = 0; i < count; i++)
            if (!isfinite(after[i])) fail_msg("%s, element %d: %g", *name, i, (double)after[i]);
        end(&n);
    }
}

/* A step of Muon has singular values near lr·0.2·√max(r, c): the rows of fc2 (5 × 24) come out about orthogonal. */
static void test_muon(void **state) {
    (void)state;
    net n;
    make(&n, 1, (hd_optimizer){.name = "muon", .lr = 1, .weight_decay = HD_ZERO}, (hd_compile_args){.batch = BATCH});
    float before[400], after[400];
    GOES(&n, hd_program_prepare(n.p));
    assert_int_equal(get(&n, "fc2.weight", before), 120);
    step(&n, 0, 1);
    get(&n, "fc2.weight", after);
    const double size = 0.2 * sqrt(24);
    for (int a = 0; a < 5; a++)
        for (int b = 0; b <= a; b++) {
            double dot = 0;
            for (int i = 0; i < 24; i++)
                dot +=
                    (double)(after[24 * a + i] - before[24 * a + i]) * (double)(after[24 * b + i] - before[24 * b + i]);
            dot /= size * size;
            /* the gradient of a softmax has rank 4: one direction is missing */
            if (a == b ? dot < 0.3 || dot > 1.6 : fabs(dot) > 0.6) fail_msg("rows %d %d: %g", a, b, dot);
        }
    assert_true(get(&n, "fc1.bias@exp_avg", after) > 0); /* what is no matrix: AdamW */
    assert_int_equal(get(&n, "fc1.weight@exp_avg", after), 0);
    end(&n);
}

static void test_settings(void **state) {
    (void)state;
    char message[200];
    hd_optimizer o = {.name = "rmsprop"};
    hd_optimizer_info info;
    assert_true(hd_optimizer_set(&o, "alpha", 0.5));
    assert_true(hd_optimizer_set(&o, "centered", 1));
    assert_false(hd_optimizer_set(&o, "rho", 0.5));
    assert_false(hd_optimizer_set(&o, "lr_scale", 0.5));
    assert_int_equal(hd_optimizer_settle(&o, message, sizeof message), HD_OK);
    assert_true(o.alpha == 0.5 && o.centered && o.lr == 0.01 && o.eps == 1e-8 && o.weight_decay == 0);
    assert_true(hd_optimizer_set(&o, "alpha", 2));
    assert_int_equal(hd_optimizer_settle(&o, message, sizeof message), HD_E_MODEL);
    assert_non_null(strstr(message, "alpha is 2"));
    o = (hd_optimizer){.name = "zebra"};
    assert_int_equal(hd_optimizer_settle(&o, message, sizeof message), HD_E_UNSUPPORTED);
    assert_false(hd_optimizer_set(&o, "lr", 1));
    int n = 0;
    for (; hd_optimizer_at(n, &info); n++) {
        assert_string_equal(info.name, hd_optimizer_names()[n]);
        assert_true(info.lr > 0 && info.options && info.formula && info.source && info.doc);
        assert_true(hd_optimizer_find(info.name, &info));
    }
    assert_null(hd_optimizer_names()[n]);
    assert_true(n >= 13);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),     cmocka_unit_test(test_frozen_group), cmocka_unit_test(test_agree),
        cmocka_unit_test(test_accumulate), cmocka_unit_test(test_average),      cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_muon),       cmocka_unit_test(test_settings),     cmocka_unit_test(test_no_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
