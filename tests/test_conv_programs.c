/* Whole training programs with convolutions: the layouts that kernels choose, blocked, padded or channels last, change
 * no result; the same bits on 1, 2 and 3 threads; other programs read the weights as training left them. */
#include "net_run.h"
#include <math.h>

enum { STEPS = 3, BATCH = 10 };

/* ---- networks ---- */

/* Blocked layouts, Winograd, pooling, dropout. */
static hd_val blocked(hd_val x) {
    hd_val h = hd_relu(hd_nn_conv2d(x, .name = "c1", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1}));
    h = hd_relu(hd_nn_conv2d(h, .name = "c2", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1}));
    h = hd_nn_dropout(hd_max_pool2d(h, .kernel_size = {2, 2}), .p = 0.25);
    return hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 4);
}

/* Channels that fill no vector: channels last, and weights that are padded. */
static hd_val odd(hd_val x) {
    hd_val h = hd_tanh(hd_nn_conv2d(x, .name = "c1", .out_channels = 6, .kernel_size = {5, 5}, .padding = {2, 2}));
    h = hd_avg_pool2d(h, .kernel_size = {2, 2});
    h = hd_sigmoid(hd_nn_conv2d(h, .name = "c2", .out_channels = 20, .kernel_size = {3, 3}, .stride = {2, 2}));
    return hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 4);
}

/* Batch-norm, strides, depthwise and 1×1 convolutions, no biases, a mean over the picture. */
static hd_val separable(hd_val x) {
    hd_val h =
        hd_nn_conv2d(x, .name = "c1", .out_channels = 16, .kernel_size = {3, 3}, .stride = {2, 2}, .no_bias = true);
    h = hd_relu(hd_nn_batch_norm(h, .name = "n1"));
    h = hd_nn_conv2d(h, .name = "c2", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1}, .groups = 16);
    h = hd_nn_conv2d(h, .name = "c3", .out_channels = 48, .kernel_size = {1, 1}, .no_bias = true);
    h = hd_relu(hd_nn_batch_norm(h, .name = "n2"));
    return hd_nn_linear(hd_flatten(hd_global_avg_pool(h)), .name = "fc", .out_features = 4);
}

/* ---- a run ---- */

typedef struct setting {
    hd_val (*net)(hd_val x);
    const char *backend;
    int threads;
    bool exact;
    const char *optimizer;
} setting;

typedef struct outcome {
    float *values; /* of all tensors of the store, then the outputs of an evaluation at another batch */
    size_t count, weights;
} outcome;

static hd_optimizer optimizer_of(const setting *s) {
    return strcmp(s->optimizer, "adam") == 0 ? hd_adam(.lr = 0.01) : hd_sgd(.lr = 0.05, .momentum = 0.9);
}

static void take(outcome *o, hd_store *store, int i) {
    const hd_store_info info = hd_store_at(store, i);
    const size_t n = (size_t)hd_dims_count(&info.dims);
    if (info.dtype != HD_F32) return;
    o->values = realloc(o->values, (o->count + n) * sizeof(float));
    assert_int_equal(hd_store_get(store, info.name, o->values + o->count, n * sizeof(float)), HD_OK);
    o->count += n;
}

static outcome run(setting s) {
    static float x[BATCH * 28 * 28];
    static int64_t label[BATCH];
    net_data(x, BATCH * 28 * 28, label, BATCH, 4);
    net_run r = {.context = {.threads = s.threads},
                 .args = {.batch = BATCH, .backend = s.backend, .exact = s.exact},
                 .optimizer = optimizer_of(&s),
                 .sample = HD_DIMS(1, 28, 28),
                 .net = s.net};
    net_train(&r, x, label, STEPS);
    outcome o = {0};
    for (int i = 0; i < hd_store_count(r.store); i++) take(&o, r.store, i);
    o.weights = o.count;
    o.values = realloc(o.values, (o.count + 12) * sizeof(float));
    memcpy(o.values + o.count, net_eval(&r, 3, x), 12 * sizeof(float));
    o.count += 12;
    net_close(&r);
    return o;
}

/* ---- what is compared ---- */

static double distance(const outcome *a, const outcome *b) {
    double worst = 0;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(isfinite(a->values[i]) && isfinite(b->values[i]));
        worst = fmax(worst, fabs((double)a->values[i] - (double)b->values[i]));
    }
    return worst;
}

static void check_net(hd_val (*net)(hd_val x)) {
    outcome ref = run((setting){net, "ref", 1, false, "sgd"});
    outcome exact = run((setting){net, "default", 2, true, "sgd"});
    outcome fast = run((setting){net, "default", 1, false, "sgd"});
    const double d = distance(&ref, &exact), f = distance(&ref, &fast);
    if (!(d < 1e-4) || !(f < 1e-3)) fail_msg("differs from the definition by %g (exact kernels), %g (fast ones)", d, f);
    for (int threads = 2; threads <= 3; threads++) {
        outcome more = run((setting){net, "default", threads, false, "sgd"});
        assert_memory_equal(fast.values, more.values, fast.count * sizeof(float));
        free(more.values);
    }
    outcome adam = run((setting){net, "default", 1, false, "adam"}),
            again = run((setting){net, "default", 3, false, "adam"});
    assert_true(distance(&adam, &again) == 0); /* finite, and the padding of weights stays out of it */
    free(ref.values), free(exact.values), free(fast.values), free(adam.values), free(again.values);
}

/* ---- changes of layout ---- */

/* 24 of 32 channels a block, a mean over the picture, and rows of features behind blocks. */
static hd_val padded(hd_val x) {
    hd_val h = hd_nn_conv2d(x, .name = "c1", .out_channels = 32, .kernel_size = {3, 3}, .stride = {2, 2});
    h = hd_relu(
        hd_nn_batch_norm(hd_nn_conv2d(h, .name = "c2", .out_channels = 24, .kernel_size = {1, 1}), .name = "n"));
    h = hd_nn_conv2d(h, .name = "c3", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1});
    return hd_nn_linear(hd_flatten(hd_global_avg_pool(h)), .name = "fc", .out_features = 4);
}

/* Of a training step, activations alone; its first steps run too. */
static int reorders_of(hd_val (*net)(hd_val x)) {
    static float x[BATCH * 28 * 28];
    static int64_t label[BATCH];
    net_data(x, BATCH * 28 * 28, label, BATCH, 4);
    net_run r = {.context = {.threads = 1},
                 .args = {.batch = BATCH},
                 .optimizer = hd_sgd(.lr = 0.05),
                 .sample = HD_DIMS(1, 28, 28),
                 .net = net};
    net_train(&r, x, label, 1);
    const int n = hd_program_get_facts(r.train).reorders;
    net_close(&r);
    return n;
}

static void check_changes(void) {
    check_net(padded);
    if (TEST_LACKS_LIBRARY) return; /* own kernels are plain all along */
    assert_int_equal(reorders_of(blocked), 0);
    assert_int_equal(reorders_of(padded), 0);
}

static void blocked_layouts(void **state) {
    (void)state;
    check_net(blocked);
    check_changes();
}
static void odd_channels(void **state) {
    (void)state;
    check_net(odd);
}
static void separable_convolutions(void **state) {
    (void)state;
    check_net(separable);
}

/* ---- masks move before overlapping pools ---- */

static float *gradient_of_pooled_relu(const char *off) {
    static float x[2 * 3 * 81];
    for (int i = 0; i < 2 * 3 * 81; i++) x[i] = (float)(i * 37 % 23 - 13); /* many equal, many below zero */
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(2, 3, 9, 9)), dx;
    hd_val y = hd_max_pool2d(hd_relu(in), .kernel_size = {3, 3}, .stride = {2, 2}, .padding = {1, 1});
    OK(ctx, hd_gradients(hd_sum(hd_mul(y, y)), (hd_val){0}, &in, 1, &dx));
    hd_mark_output(dx, "dx");
    OK(ctx, hd_compile_with(&p, hd_forward(dx), &(hd_compile_args){.passes_off = off}));
    OK(ctx, hd_program_set(p, "x", x));
    OK(ctx, hd_program_run(p));
    char *text;
    OK(ctx, hd_program_explain(p, &text));
    const char *mask = strstr(text, "relu_grad");
    assert_non_null(mask);
    const char *shape = strchr(mask, '[');
    assert_memory_equal(shape, strstr(off, "fuse") ? "[2,3,9,9]" : "[2,3,5,5]", 9);
    hd_memory_free(ctx, text);
    float *result = malloc(sizeof x);
    memcpy(result, hd_program_get(p, "dx"), sizeof x);
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
    return result;
}

static void masks_move_before_pools(void **state) {
    (void)state;
    float *moved = gradient_of_pooled_relu("chain"), *plain = gradient_of_pooled_relu("fuse,chain");
    assert_memory_equal(moved, plain, 2 * 3 * 81 * sizeof(float));
    free(moved), free(plain);
}

/* ---- small networks ---- */

static hd_val two_layers(hd_val x) {
    return hd_line_build(hd_flatten(x), "784-64-relu-10");
}
static hd_val lenet5(hd_val x) {
    return hd_zoo_build(x, "lenet5", 10, NULL);
}
static hd_val lecun_1989(hd_val x) {
    return hd_zoo_build(x, "lecun-1989", 10, NULL);
}

/* What a library makes before its first product or convolution costs more than these networks' whole start; they are
 * trained without one, without a change of layout, and in few steps. */
static void check_small(hd_val (*net)(hd_val x), int64_t side, int64_t batch, int most_steps) {
    static float x[64 * 28 * 28];
    static int64_t label[64];
    net_data(x, 64 * 28 * 28, label, 64, 10);
    net_run r = {.context = {.threads = 2},
                 .args = {.batch = batch},
                 .optimizer = hd_sgd(.lr = 0.01, .momentum = 0.9),
                 .sample = HD_DIMS(1, side, side),
                 .net = net};
    net_train(&r, x, label, 1);
    const hd_program_facts f = hd_program_get_facts(r.train);
    char *text;
    OK(r.ctx, hd_program_explain(r.train, &text));
    if (strstr(text, "onednn") || strstr(text, " ref ") || f.reorders || f.weight_reorders || f.steps > most_steps)
        fail_msg("%d steps (%d wanted), %d changes of layout:\n%s", f.steps, most_steps, f.reorders, text);
    hd_memory_free(r.ctx, text);
    net_close(&r);
}

static void small_networks_need_no_library(void **state) {
    (void)state;
    check_small(two_layers, 28, 1, 11);
    check_small(two_layers, 28, 64, 11); /* one update of its own takes two more */
    check_small(lenet5, 28, 64, 28);
    check_small(lecun_1989, 16, 1, 49);
}

/* ---- the n-th allocation fails ---- */

static hd_status train_once(hd_context *ctx, void *arg) {
    static float x[7 * 3 * 64];
    static const int64_t label[7];
    hd_graph *g = NULL;
    hd_program *p = NULL;
    (void)arg;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    hd_val h = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3, 8, 8));
    h = hd_nn_conv2d(h, .name = "c1", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_nn_conv2d(h, .name = "c2", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = 20);
    h = hd_cross_entropy(h, hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    status = hd_compile_with(&p, hd_train_step(h, hd_sgd(.lr = 0.1)), &(hd_compile_args){.batch = 7});
    if (status == HD_OK) status = hd_program_set(p, "x", x);
    if (status == HD_OK) status = hd_program_set(p, "label", label);
    if (status == HD_OK) status = hd_program_run(p);
    hd_program_free(p);
    hd_graph_free(g);
    return status;
}

static void failed_allocations_give_everything_back(void **state) {
    (void)state;
    assert_true(fail_every_allocation(train_once, NULL) > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(failed_allocations_give_everything_back),
                                       cmocka_unit_test(masks_move_before_pools),
                                       cmocka_unit_test(small_networks_need_no_library),
                                       cmocka_unit_test(blocked_layouts),
                                       cmocka_unit_test(odd_channels),
                                       cmocka_unit_test(separable_convolutions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
