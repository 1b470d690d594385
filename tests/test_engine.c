/* test_engine.c: promises of whole training steps: same bits for any number of threads, sound plans, no allocation
 * after the first step, programs of several batch sizes on one store, every allocation may fail. */
#include "base/alloc.h"
#include "compile/lower.h"
#include "hadal/hadal.h"
#include "ops/optim_kit.h"
#include "runtime/program.h"
#include "support.h"
#include <math.h>
#include <string.h>

#define HD_ASSERT_OK(ctx, call)                                                                                        \
    do {                                                                                                               \
        if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx));                                                       \
    } while (0)

static hd_val mlp(hd_graph *g) {
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 12, 12));
    hd_val h = hd_relu(hd_nn_linear(hd_flatten(x), .name = "fc1", .out_features = 300));
    h = hd_nn_dropout(hd_tanh(hd_nn_linear(h, .name = "fc2", .out_features = 70)), .p = 0.3);
    return hd_nn_linear(h, .name = "fc3", .out_features = 10);
}

/* Convolutions, batch norm, both poolings, a residual, dropout. */
static hd_val cnn(hd_graph *g) {
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 12, 12));
    hd_val h =
        hd_nn_conv2d(x, .name = "c1", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1}, .no_bias = true);
    h = hd_relu(hd_nn_batch_norm(h, .name = "n1"));
    hd_val r = hd_nn_conv2d(h, .name = "c2", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_relu(hd_add(h, hd_nn_batch_norm(r, .name = "n2")));
    h = hd_max_pool2d(h, .kernel_size = {2, 2});
    h = hd_relu(hd_nn_conv2d(h, .name = "c3", .out_channels = 32, .kernel_size = {3, 3}, .stride = {1, 1}));
    h = hd_nn_dropout(hd_avg_pool2d(h, .kernel_size = {2, 2}), .p = 0.25);
    return hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 10);
}

/* From 64 samples on its first weight's gradient is a product in blocks. */
static hd_val wide(hd_graph *g) {
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 12, 12));
    hd_val h = hd_relu(hd_nn_linear(hd_flatten(x), .name = "fc1", .out_features = 2048));
    return hd_nn_linear(h, .name = "fc2", .out_features = 10);
}

/* Features come in the order of the convolution's channels, and so do columns of weights. */
static hd_val channels(hd_graph *g) {
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 12, 12));
    hd_val h = hd_nn_conv2d(x, .name = "c1", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_nn_conv2d(hd_relu(h), .name = "c2", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_relu(hd_nn_linear(hd_flatten(hd_relu(h)), .name = "fc1", .out_features = 64));
    return hd_nn_linear(h, .name = "fc2", .out_features = 10);
}

typedef struct net {
    hd_context *ctx;
    hd_graph *g;
    hd_store *store;
    hd_val y, loss;
} net;

static net make(hd_val (*build)(hd_graph *), int threads) {
    net n;
    assert_int_equal(hd_context_new(&n.ctx, &(hd_context_args){.threads = threads}), HD_OK);
    assert_int_equal(hd_graph_new(&n.g, n.ctx), HD_OK);
    assert_int_equal(hd_store_new(&n.store, n.ctx, 5), HD_OK);
    n.y = build(n.g);
    hd_mark_output(n.y, "y");
    n.loss = hd_cross_entropy(n.y, hd_input(n.g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    hd_mark_output(n.loss, "loss");
    return n;
}

static void end(net *n) {
    hd_store_free(n->store);
    hd_graph_free(n->g);
    hd_context_free(n->ctx);
}

enum { BATCH = 33, SIZE = 144, MOST = 64 };
static float pictures[MOST * SIZE];
static int64_t labels[MOST];

static void fill(void) {
    uint32_t s = 9;
    for (int i = 0; i < MOST * SIZE; i++) pictures[i] = (float)((s = s * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1;
    for (int i = 0; i < MOST; i++) labels[i] = (int64_t)((s = s * 1664525u + 1013904223u) >> 8) % 10;
}

static hd_program *compile(net *n, hd_target target, hd_compile_args args) {
    hd_program *p;
    args.store = n->store;
    HD_ASSERT_OK(n->ctx, hd_compile_with(&p, target, &args));
    hd_program_bind(p, hd_program_input(p, "x"), pictures);
    hd_program_bind(p, hd_program_input(p, "label"), labels);
    return p;
}

/* All tensors of the store, one behind the other. */
static float *snapshot(net *n, size_t *count) {
    *count = 0;
    float *all = NULL;
    for (int i = 0; i < hd_store_count(n->store); i++) {
        const hd_store_info info = hd_store_at(n->store, i);
        const size_t k = (size_t)hd_dims_count(&info.dims);
        all = realloc(all, (*count + k) * sizeof *all);
        HD_ASSERT_OK(n->ctx, hd_store_get(n->store, info.name, all + *count, k * sizeof *all));
        *count += k;
    }
    return all;
}

static float *train(hd_val (*build)(hd_graph *), int threads, hd_optimizer o, hd_compile_args args, int steps,
                    size_t *count) {
    net n = make(build, threads);
    if (!args.batch) args.batch = BATCH;
    hd_program *p = compile(&n, hd_train_step(n.loss, o), args);
    for (int i = 0; i < steps; i++) HD_ASSERT_OK(n.ctx, hd_program_run(p));
    float *all = snapshot(&n, count);
    hd_program_free(p);
    end(&n);
    return all;
}

static void same_bits(hd_val (*build)(hd_graph *)) {
    size_t count = 0, other = 0;
    float *first = train(build, 1, hd_adamw(.max_norm = 1), (hd_compile_args){0}, 4, &count);
    for (int threads = 1; threads <= 3; threads++) {
        float *again = train(build, threads, hd_adamw(.max_norm = 1), (hd_compile_args){0}, 4, &other);
        assert_int_equal(count, other);
        assert_memory_equal(first, again, count * sizeof *first);
        free(again);
    }
    for (size_t i = 0; i < count; i++) assert_true(isfinite(first[i]));
    free(first);
}

static void test_same_bits_mlp(void **state) {
    (void)state;
    same_bits(mlp);
}
static void test_same_bits_cnn(void **state) {
    (void)state;
    same_bits(cnn);
}

/* The default backend and the definitions learn the same, with and without fusion. */
static void agree(hd_val (*build)(hd_graph *), hd_optimizer o, int64_t batch, double tolerance) {
    size_t count = 0, other = 0;
    static const char *const off[] = {NULL, "fuse,chain", "flatten", "simplify,fuse,chain,flatten"};
    float *ref = train(build, 1, o, (hd_compile_args){.backend = "ref", .batch = batch}, 2, &count);
    for (int k = 0; k < 8; k++) {
        const hd_compile_args args = {.backend = k < 4 ? "ref" : "default", .passes_off = off[k % 4], .batch = batch};
        float *own = train(build, 2, o, args, 2, &other);
        assert_int_equal(count, other);
        for (size_t i = 0; i < count; i++)
            if (!(fabs((double)ref[i] - (double)own[i]) <= tolerance * (1 + fabs((double)ref[i]))))
                fail_msg("variant %d, element %zu: %g, by definition %g", k, i, (double)own[i], (double)ref[i]);
        free(own);
    }
    free(ref);
}

static bool learns_the_same(hd_optimizer a, hd_optimizer b) {
    size_t count, other;
    float *x = train(mlp, 1, a, (hd_compile_args){.backend = "ref"}, 2, &count);
    float *y = train(mlp, 1, b, (hd_compile_args){.backend = "ref"}, 2, &other);
    assert_int_equal(count, other);
    const bool same = memcmp(x, y, count * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

/* Zero means the default, HD_ZERO an explicit zero. */
static void test_defaults_of_optimisers(void **state) {
    (void)state;
    assert_true(learns_the_same(hd_adamw(0), hd_adamw(.lr = 0.001, .weight_decay = 0.01)));
    assert_false(learns_the_same(hd_adamw(0), hd_adamw(.weight_decay = HD_ZERO)));
    assert_true(learns_the_same(hd_adam(0), hd_adam(.weight_decay = HD_ZERO)));
    assert_true(learns_the_same(hd_sgd(0), hd_sgd(.lr = 0.01)));
    assert_false(learns_the_same(hd_sgd(0), hd_sgd(.lr = HD_ZERO)));
}

static void test_backends_agree(void **state) {
    (void)state;
    agree(mlp, hd_sgd(.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true), BATCH, 1e-5);
    agree(cnn, hd_sgd(.lr = 0.05), BATCH, 2e-5);
    agree(mlp, hd_sgd(.lr = 0.05, .max_norm = 0.1), BATCH, 1e-5);
}

/* ---- a batch of one sample ---- */

/* Updates that make their gradient themselves. */
static int outer_updates(hd_optimizer o, hd_compile_args args) {
    net n = make(mlp, 1);
    hd_program *p = compile(&n, hd_train_step(n.loss, o), args);
    int found = 0;
    for (size_t i = 0; i < p->lower.g->node_count; i++) {
        const hd_node *u = &p->lower.g->nodes[i];
        found += hd_optim_of(u->op) && u->n_in > HD_UP_ROW && u->in[HD_UP_ROW] >= 0;
    }
    hd_program_free(p);
    end(&n);
    return found;
}

static void test_one_sample(void **state) {
    (void)state;
    const hd_compile_args one = {.batch = 1};
    assert_int_equal(outer_updates(hd_sgd(.momentum = 0.9), one), 2); /* the last layer's weight is small */
    assert_int_equal(outer_updates(hd_adam(.ema = 0.9), one), 2);
    assert_int_equal(outer_updates(hd_sgd(.max_norm = 1), one), 0);              /* the norm reads the gradients */
    assert_int_equal(outer_updates(hd_sgd(), (hd_compile_args){.batch = 2}), 1); /* products pay from 32,768 weights */
    assert_int_equal(outer_updates(hd_sgd(), (hd_compile_args){.batch = 257}), 0);
    assert_int_equal(outer_updates(hd_sgd(), (hd_compile_args){.batch = 1, .precision = "bf16"}), 0);
    agree(mlp, hd_sgd(.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .ema = 0.9), 1, 1e-5);
    agree(mlp, hd_adamw(.lr = 1e-4), 1, 1e-4);
}

/* ---- a gradient that is used where it is made ---- */

/* Weights after two steps of `batch`, and as many of one sample between them, on one store. */
static float *with_ones(const char *off, size_t *count) {
    net n = make(channels, 2);
    const hd_optimizer o = hd_sgd(.lr = 0.05, .momentum = 0.9);
    hd_program *p = compile(&n, hd_train_step(n.loss, o), (hd_compile_args){.batch = 16, .passes_off = off});
    hd_program *q = compile(&n, hd_train_step(n.loss, o), (hd_compile_args){.batch = 1, .passes_off = off});
    for (int i = 0; i < 4; i++) HD_ASSERT_OK(n.ctx, hd_program_run(i % 2 ? q : p));
    float *all = snapshot(&n, count);
    hd_program_free(p);
    hd_program_free(q);
    end(&n);
    return all;
}

static void near(float *own, float *other, size_t count, double tolerance) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)own[i] - (double)other[i]) <= tolerance * (1 + fabs((double)other[i]))))
            fail_msg("element %zu: %g, with the gradient in memory %g", i, (double)own[i], (double)other[i]);
    free(own);
    free(other);
}

static void as_in_memory(hd_val (*build)(hd_graph *), hd_optimizer o, int64_t batch) {
    size_t count = 0, other = 0;
    float *first = train(build, 1, o, (hd_compile_args){.batch = batch}, 3, &count);
    for (int threads = 2; threads <= 3; threads++) {
        float *again = train(build, threads, o, (hd_compile_args){.batch = batch}, 3, &other);
        assert_memory_equal(first, again, count * sizeof *first);
        free(again);
    }
    float *plain = train(build, 2, o, (hd_compile_args){.batch = batch, .passes_off = "fuse"}, 3, &other);
    assert_int_equal(count, other);
    near(first, plain, count, 5e-6);
}

static void test_factors(void **state) {
    (void)state;
    size_t count, other;
    as_in_memory(wide, hd_sgd(.lr = 0.05, .momentum = 0.9, .weight_decay = 0.01), 64);
    as_in_memory(wide, hd_adam(.lr = 0.01, .eps = 0.1, .ema = 0.9), 7);
    as_in_memory(channels, hd_sgd(.lr = 0.05), 16);
    float *own = with_ones(NULL, &count), *plain = with_ones("fuse", &other);
    assert_int_equal(count, other);
    near(own, plain, count, 5e-6);
}

/* No two living values overlap; what a run reads it has written: an arena full of NaN changes nothing. */
static float poisoned(hd_val (*build)(hd_graph *), const char *backend, bool poison) {
    net n = make(build, 2);
    hd_program *p =
        compile(&n, hd_train_step(n.loss, hd_adam()), (hd_compile_args){.batch = BATCH, .backend = backend});
    char message[200] = "";
    if (!hd_plan_is_sound(&p->lower, message, sizeof message)) fail_msg("%s", message);
    const hd_memory m = hd_program_memory(p);
    assert_true(m.arena > 0 && m.total >= m.arena + m.params && m.arena <= m.grads + m.activations + 2 * m.scratch);
    for (int i = 0; i < 3; i++) {
        if (poison && n.store->arena) memset(n.store->arena, 0xff, n.store->arena_bytes);
        HD_ASSERT_OK(n.ctx, hd_program_run(p));
    }
    const float loss = *(const float *)hd_program_get(p, "loss");
    assert_true(isfinite(loss));
    hd_program_free(p);
    end(&n);
    return loss;
}

static void test_plan(void **state) {
    (void)state;
    hd_val (*const builds[])(hd_graph *) = {mlp, cnn};
    for (int k = 0; k < 4; k++) {
        const char *backend = k % 2 ? "ref" : "default";
        const float clean = poisoned(builds[k / 2], backend, false), dirty = poisoned(builds[k / 2], backend, true);
        assert_memory_equal(&clean, &dirty, sizeof clean);
    }
}

static void test_no_allocation(void **state) {
    (void)state;
    net n = make(cnn, 2);
    hd_program *p = compile(&n, hd_train_step(n.loss, hd_adamw()), (hd_compile_args){.batch = BATCH});
    hd_program *e = compile(&n, hd_forward(n.loss), (hd_compile_args){.batch = BATCH});
    HD_ASSERT_OK(n.ctx, hd_program_run(p));
    HD_ASSERT_OK(n.ctx, hd_program_run(e));
    HD_ASSERT_OK(n.ctx, hd_program_run(p)); /* the arena may have grown for the second program */
    const uint64_t calls = hd_context_memory(n.ctx).calls;
    for (int i = 0; i < 20; i++) {
        HD_ASSERT_OK(n.ctx, hd_program_run(p));
        HD_ASSERT_OK(n.ctx, hd_program_run(e));
    }
    assert_int_equal(hd_context_memory(n.ctx).calls, calls);
    hd_program_free(p);
    hd_program_free(e);
    end(&n);
}

/* Programs of several batch sizes share one store: a short batch is learnt from too, and evaluation sees it. In
 * whatever order they are compiled, the numbers are the same. */
static float with_short_batch(bool evaluation_first) {
    net n = make(cnn, 2);
    hd_program *e = NULL, *full, *part;
    if (evaluation_first) {
        e = compile(&n, hd_forward(n.loss), (hd_compile_args){.batch = 1});
        HD_ASSERT_OK(n.ctx, hd_program_run(e));
    }
    full = compile(&n, hd_train_step(n.loss, hd_sgd(.lr = 0.05, .momentum = 0.9)), (hd_compile_args){.batch = BATCH});
    part = compile(&n, hd_train_step(n.loss, hd_sgd(.lr = 0.05, .momentum = 0.9)), (hd_compile_args){.batch = 7});
    if (!e) e = compile(&n, hd_forward(n.loss), (hd_compile_args){.batch = 1});
    for (int i = 0; i < 3; i++) {
        HD_ASSERT_OK(n.ctx, hd_program_run(full));
        HD_ASSERT_OK(n.ctx, hd_program_run(part));
    }
    assert_int_equal(hd_store_step(n.store), 6);
    HD_ASSERT_OK(n.ctx, hd_program_run(e));
    const float loss = *(const float *)hd_program_get(e, "loss");
    hd_program_free(full);
    hd_program_free(part);
    hd_program_free(e);
    end(&n);
    return loss;
}

static void test_shared_store(void **state) {
    (void)state;
    const float a = with_short_batch(false), b = with_short_batch(true);
    assert_true(isfinite(a) && fabsf(a - b) <= 1e-4f * fabsf(a));
}

/* hd_store_set and hd_store_get speak plain order, whatever layout the kernels chose. */
static void test_store_layout(void **state) {
    (void)state;
    net n = make(cnn, 2);
    hd_program *p = compile(&n, hd_train_step(n.loss, hd_sgd()), (hd_compile_args){.batch = BATCH});
    float w[32 * 16 * 9], back[32 * 16 * 9];
    for (int i = 0; i < 32 * 16 * 9; i++) w[i] = (float)i;
    HD_ASSERT_OK(n.ctx, hd_store_set(n.store, "c3.weight", w, sizeof w));
    HD_ASSERT_OK(n.ctx, hd_store_get(n.store, "c3.weight", back, sizeof back));
    assert_memory_equal(w, back, sizeof w);
    assert_int_equal(hd_store_set(n.store, "c3.weight", w, 8), HD_E_MODEL);
    assert_int_equal(hd_store_get(n.store, "none", w, 8), HD_E_MODEL);
    hd_program_free(p);
    end(&n);
}

static void test_counts_only(void **state) {
    (void)state;
    net n = make(cnn, 1);
    hd_program *p =
        compile(&n, hd_train_step(n.loss, hd_sgd()), (hd_compile_args){.batch = 1 << 20, .backend = "null"});
    assert_true(hd_program_memory(p).total > (size_t)1 << 32);
    assert_true(hd_program_get_facts(p).flops > 1e9);
    assert_int_equal(hd_program_run(p), HD_E_UNSUPPORTED);
    hd_program_free(p);
    p = NULL;
    const hd_compile_args args = {.batch = BATCH, .memory_limit = 1000, .store = n.store};
    assert_int_equal(hd_compile_with(&p, hd_train_step(n.loss, hd_sgd()), &args), HD_E_MEMORY);
    assert_null(p);
    end(&n);
}

static void count_dump(void *user, const char *pass, const char *text) {
    assert_true(strlen(pass) > 0 && strncmp(text, "hadal graph 1\n", 14) == 0);
    ++*(int *)user;
}

static void test_passes(void **state) {
    (void)state;
    net n = make(mlp, 1);
    int dumps = 0, passes = 0;
    while (hd_pass_names()[passes]) passes++;
    hd_program *p = compile(&n, hd_train_step(n.loss, hd_sgd()),
                            (hd_compile_args){.batch = 2, .dump = count_dump, .dump_user = &dumps});
    assert_int_equal(dumps, passes + 1);
    const int fused = hd_program_get_facts(p).steps;
    hd_program_free(p);
    p = compile(&n, hd_train_step(n.loss, hd_sgd()), (hd_compile_args){.batch = 2, .passes_off = "fuse,chain,flatten"});
    assert_true(hd_program_get_facts(p).steps > fused + 6);
    hd_program_free(p);
    p = NULL;
    const hd_compile_args wrong = {.passes_off = "fuze", .store = n.store};
    assert_int_equal(hd_compile_with(&p, hd_forward(n.y), &wrong), HD_E_USAGE);
    assert_non_null(strstr(hd_last_error(n.ctx), "fuze"));
    end(&n);
}

/* Compiling and stepping with the n-th allocation failing: an error, no crash, nothing lost. */
static hd_status whole_life(hd_context *ctx, void *arg) {
    hd_graph *g = NULL;
    hd_store *store = NULL;
    hd_program *p = NULL;
    hd_status status = hd_graph_new(&g, ctx);
    if (status == HD_OK) status = hd_store_new(&store, ctx, 1);
    if (status == HD_OK) {
        hd_val y = ((hd_val(*)(hd_graph *))(uintptr_t)arg)(g);
        hd_val loss = hd_cross_entropy(y, hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH)));
        status = hd_compile_with(&p, hd_train_step(loss, hd_adam(.max_norm = 1)),
                                 &(hd_compile_args){.batch = 3, .store = store});
    }
    if (status == HD_OK) {
        hd_program_bind(p, hd_program_input(p, "x"), pictures);
        hd_program_bind(p, hd_program_input(p, "label"), labels);
        status = hd_program_run(p);
    }
    hd_program_free(p);
    hd_store_free(store);
    hd_graph_free(g);
    return status;
}

static void test_allocations_fail(void **state) {
    (void)state;
    assert_true(fail_every_allocation(whole_life, (void *)(uintptr_t)mlp) > 20);
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_mlp),
        cmocka_unit_test(test_same_bits_cnn),
        cmocka_unit_test(test_defaults_of_optimisers),
        cmocka_unit_test(test_backends_agree),
        cmocka_unit_test(test_one_sample),
        cmocka_unit_test(test_factors),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_no_allocation),
        cmocka_unit_test(test_shared_store),
        cmocka_unit_test(test_store_layout),
        cmocka_unit_test(test_counts_only),
        cmocka_unit_test(test_passes),
        cmocka_unit_test(test_allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
