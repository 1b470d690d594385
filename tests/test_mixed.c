/* test_mixed.c: precision bf16 in whole programs: close to f32 and to its own definition, the same bits on any number
 * of threads, everything that persists in f32, emulated where the machine has no such products, refused where unknown.
 */
#include "net_run.h"
#include "run_support.h"
#include <math.h>

enum { STEPS = 3, BATCH = 64, PIXELS = 14 * 14, CLASSES = 10 };

/* ---- networks ---- */

static hd_val mlp(hd_val x) {
    hd_val h = hd_relu(hd_nn_linear(hd_flatten(x), .name = "fc1", .out_features = 96));
    h = hd_tanh(hd_nn_linear(h, .name = "fc2", .out_features = 80));
    return hd_nn_linear(h, .name = "fc3", .out_features = CLASSES);
}

static hd_val cnn(hd_val x) {
    hd_val h = hd_relu(hd_nn_conv2d(x, .name = "c1", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1}));
    h = hd_relu(hd_nn_conv2d(h, .name = "c2", .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1}));
    h = hd_nn_dropout(hd_max_pool2d(h, .kernel_size = {2, 2}), .p = 0.25);
    h = hd_relu(hd_nn_linear(hd_flatten(h), .name = "fc1", .out_features = 64));
    return hd_nn_linear(h, .name = "fc2", .out_features = CLASSES);
}

/* Batch-norm, a residual sum, strides, channels that fill no vector, a mean over the picture. */
static hd_val mixture(hd_val x) {
    hd_val h = hd_nn_conv2d(x, .name = "c1", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1});
    h = hd_relu(hd_nn_batch_norm(h, .name = "n1"));
    h = hd_add(h, hd_relu(hd_nn_conv2d(h, .name = "c2", .out_channels = 16, .kernel_size = {3, 3}, .padding = {1, 1})));
    h = hd_nn_conv2d(h, .name = "c3", .out_channels = 20, .kernel_size = {3, 3}, .stride = {2, 2}, .no_bias = true);
    h = hd_avg_pool2d(hd_relu(hd_nn_batch_norm(h, .name = "n2")), .kernel_size = {2, 2});
    return hd_nn_linear(hd_flatten(hd_global_avg_pool(h)), .name = "fc", .out_features = CLASSES);
}

/* ---- a run ---- */

typedef struct setting {
    hd_val (*net)(hd_val x);
    const char *precision, *backend, *isa, *off;
    int threads;
} setting;

typedef struct outcome {
    float *values; /* of the store, then the outputs of an evaluation, then the loss */
    size_t count;
    hd_program_facts facts;
    int casts;
} outcome;

static int count_text(const char *text, const char *word) {
    int n = 0;
    for (; (text = strstr(text, word)); text++) n++;
    return n;
}

static void keep(outcome *o, const void *from, size_t n) {
    o->values = realloc(o->values, (o->count + n) * sizeof *o->values);
    assert_non_null(o->values);
    memcpy(o->values + o->count, from, n * sizeof *o->values);
    o->count += n;
}

static void keep_store(outcome *o, hd_store *store) {
    float *values = malloc((size_t)1 << 22);
    assert_non_null(values);
    for (int i = 0; i < hd_store_count(store); i++) {
        const hd_store_info info = hd_store_at(store, i);
        const size_t n = (size_t)hd_dims_count(&info.dims);
        assert_int_equal(info.dtype, HD_F32); /* parameters, state of the optimiser, statistics */
        assert_true(n <= (size_t)1 << 20);
        assert_int_equal(hd_store_get(store, info.name, values, n * sizeof *values), HD_OK);
        if (!strstr(info.name, "@flat")) keep(o, values, n);
    }
    free(values);
}

static outcome run(setting s) {
    static float x[BATCH * PIXELS];
    static int64_t label[BATCH];
    net_data(x, BATCH * PIXELS, label, BATCH, CLASSES);
    outcome o = {0};
    char *text;
    net_run r = {.context = {.threads = s.threads, .isa = s.isa},
                 .args = {.batch = BATCH, .backend = s.backend, .precision = s.precision, .passes_off = s.off},
                 .optimizer = hd_sgd(.lr = 0.05, .momentum = 0.9),
                 .sample = HD_DIMS(1, 14, 14),
                 .net = s.net};
    net_train(&r, x, label, STEPS);
    o.facts = hd_program_get_facts(r.train);
    OK(r.ctx, hd_program_explain(r.train, &text));
    o.casts = count_text(text, "  cast ");
    hd_memory_free(r.ctx, text);
    keep_store(&o, r.store);
    assert_int_equal(hd_program_type(r.train, "loss").dtype, HD_F32);
    keep(&o, hd_program_get(r.train, "loss"), 1);
    keep(&o, net_eval(&r, BATCH, x), (size_t)BATCH * CLASSES);
    net_close(&r);
    return o;
}

static double distance(const outcome *a, const outcome *b) {
    double worst = 0;
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(isfinite(a->values[i]) && isfinite(b->values[i]));
        worst = fmax(worst, fabs((double)a->values[i] - (double)b->values[i]));
    }
    return worst;
}

static bool native(void) {
    hd_context *ctx = test_context(1);
    const bool is = hd_precision_native(ctx, "bf16");
    assert_true(hd_precision_native(ctx, "f32"));
    assert_false(hd_precision_native(ctx, "f16"));
    hd_context_free(ctx);
    return is;
}

/* ---- what is compared ---- */

static void check_net(hd_val (*net)(hd_val x), int products) {
    outcome f32 = run((setting){.net = net, .threads = 1});
    outcome bf16 = run((setting){.net = net, .precision = "bf16", .threads = 1});
    outcome ref = run((setting){.net = net, .precision = "bf16", .backend = "ref", .threads = 1});
    outcome plain = run((setting){.net = net, .precision = "bf16", .off = "simplify,fuse,chain,flatten", .threads = 1});
    outcome emulated = run((setting){.net = net, .precision = "bf16", .isa = "generic", .threads = 2});
    assert_int_equal(f32.facts.bf16_native + f32.facts.bf16_emulated, 0);
    assert_int_equal(bf16.facts.bf16_native + bf16.facts.bf16_emulated, products);
    assert_int_equal(bf16.facts.bf16_native > 0, native());
    assert_int_equal(ref.facts.bf16_native, products);
    assert_int_equal(emulated.facts.bf16_native, 0);
    assert_int_equal(emulated.facts.bf16_emulated, products);
    /* three steps at a rate of 0.05: rounding by 2^-9 on the way leaves a per cent of what is learnt */
    const double a = distance(&f32, &bf16), b = distance(&ref, &bf16), c = distance(&plain, &bf16),
                 d = distance(&emulated, &bf16);
    if (!(a > 0 && a < 0.03)) fail_msg("bf16 is %g away from f32", a);
    if (!(b < 0.02)) fail_msg("kernels are %g away from the definition", b);
    if (!(c < 0.02)) fail_msg("without passes it is %g away", c);
    if (!(d < 0.02)) fail_msg("emulated it is %g away", d);
    for (int threads = 2; threads <= 3; threads++) {
        outcome more = run((setting){.net = net, .precision = "bf16", .threads = threads});
        assert_memory_equal(bf16.values, more.values, bf16.count * sizeof *bf16.values);
        free(more.values);
    }
    free(f32.values), free(bf16.values), free(ref.values), free(plain.values), free(emulated.values);
}

static void test_mlp(void **state) {
    (void)state;
    check_net(mlp, 3 + 2 + 3); /* forward, gradients of inputs (not of the first), of weights */
}
static void test_cnn(void **state) {
    (void)state;
    check_net(cnn, 4 + 3 + 4);
}
static void test_mixture(void **state) {
    (void)state;
    check_net(mixture, 4 + 3 + 4);
}

/* A weight is rounded once a step, the input once, the loss's gradient once; between layers nothing is. */
static void test_casts(void **state) {
    (void)state;
    outcome ref = run((setting){.net = mlp, .precision = "bf16", .backend = "ref", .threads = 1});
    assert_int_equal(ref.casts, 3 + 1 + 1);
    free(ref.values);
}

/* The gradient of a weight is f32: bf16 would show in what one step of plain descent changes. */
static void test_gradients_are_f32(void **state) {
    (void)state;
    enum { N = 64 };
    static float x[N * N], t[N * N], before[N * N], after[N * N];
    for (int i = 0; i < N * N; i++) x[i] = (float)sin(i * 0.37), t[i] = (float)cos(i * 0.11);
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val in = hd_input(g, "x", HD_F32, HD_DIMS(N, N)), w = hd_param(g, "w", HD_F32, HD_DIMS(N, N), HD_ZEROS);
    const hd_val loss = hd_mse(hd_matmul(in, w), hd_input(g, "t", HD_F32, HD_DIMS(N, N)));
    const hd_compile_args args = {.precision = "bf16"};
    OK(ctx, hd_compile_with(&p, hd_train_step(loss, hd_sgd(.lr = 1)), &args));
    OK(ctx, hd_program_set(p, "x", x));
    OK(ctx, hd_program_set(p, "t", t));
    OK(ctx, hd_store_get(hd_program_store(p), "w", before, sizeof before));
    OK(ctx, hd_program_run(p));
    OK(ctx, hd_store_get(hd_program_store(p), "w", after, sizeof after));
    int fine = 0;
    for (int i = 0; i < N * N; i++) {
        uint32_t bits;
        memcpy(&bits, &after[i], sizeof bits);
        fine += (bits & 0xffff) != 0; /* more than bf16 holds */
    }
    assert_true(fine > N * N * 9 / 10);
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* A graph that was built in bf16 is trained in bf16, with or without the pass. */
static void test_bf16_graph(void **state) {
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        static const uint16_t x[4] = {0x3f80, 0xbf80, 0x4000, 0x3f00}; /* 1 -1 2 0.5 */
        hd_context *ctx = test_context(1);
        hd_graph *g;
        hd_program *p;
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_val in = hd_input(g, "x", HD_BF16, HD_DIMS(2, 2));
        const hd_val w = hd_param(g, "w", HD_BF16, HD_DIMS(2, 2), HD_ONES);
        const hd_val y = hd_linear(in, w), loss = hd_mean(hd_mul(y, y));
        const hd_compile_args args = {.precision = pass ? "bf16" : NULL};
        OK(ctx, hd_compile_with(&p, hd_train_step(loss, hd_sgd(.lr = 0.5)), &args));
        OK(ctx, hd_program_set(p, "x", x));
        OK(ctx, hd_program_run(p));
        uint16_t after[4];
        OK(ctx, hd_store_get(hd_program_store(p), "w", after, sizeof after));
        /* y = 0 0 2.5 2.5; dw = 2/4 · yᵀ x = 2.5 0.625; w − dw/2 = -0.25 0.6875 */
        assert_int_equal(after[0], 0xbe80);
        assert_int_equal(after[1], 0x3f30);
        assert_int_equal(hd_program_type(p, "loss").dtype, HD_BF16);
        hd_program_free(p);
        hd_graph_free(g);
        hd_context_free(ctx);
    }
}

static void test_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_program *p = NULL;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val y = hd_relu(hd_input(g, "x", HD_F32, HD_DIMS(3)));
    assert_int_equal(hd_compile_with(&p, hd_forward(y), &(hd_compile_args){.precision = "f16"}), HD_E_UNSUPPORTED);
    assert_non_null(strstr(hd_last_error(ctx), "there is no precision \"f16\". Use f32 or bf16"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* ---- the n-th allocation fails ---- */

static hd_status train_once(hd_context *ctx, void *arg) {
    static float x[BATCH * PIXELS];
    static const int64_t label[BATCH];
    hd_graph *g = NULL;
    hd_program *p = NULL;
    (void)arg;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    hd_val y = mlp(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 14, 14)));
    y = hd_cross_entropy(y, hd_input(g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    const hd_compile_args args = {.batch = BATCH, .precision = "bf16"};
    status = hd_compile_with(&p, hd_train_step(y, hd_sgd(.lr = 0.1)), &args);
    if (status == HD_OK) status = hd_program_set(p, "x", x);
    if (status == HD_OK) status = hd_program_set(p, "label", label);
    if (status == HD_OK) status = hd_program_run(p);
    hd_program_free(p);
    hd_graph_free(g);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    assert_true(fail_every_allocation(train_once, NULL) > 50);
}

/* ---- runs ---- */

/* Accuracy on the test part. */
static double train(const char *model, const char *precision, int threads, char sha[65]) {
    char text[512];
    hd_context *ctx = test_context(threads);
    (void)snprintf(text, sizeof text,
                   "{\"data\": {\"source\": \"digits\", \"n\": 1500}, \"model\": %s, \"train\": {\"epochs\": 4, "
                   "\"batch_size\": 64, \"optimizer\": {\"lr\": 0.003}, \"precision\": \"%s\"}, \"eval\": "
                   "{\"baselines\": false}}",
                   model, precision);
    hd_recipe *recipe = run_recipe(ctx, text);
    hd_trainer *t;
    hd_result r;
    OK(ctx, hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .out = "", .progress_every = -1}));
    OK(ctx, hd_trainer_run(t, &r));
    (void)snprintf(text, sizeof text, "\"precision\": \"%s\"", precision);
    if (!strstr(r.result_json, text)) fail_msg("the result says nothing of %s: %s", precision, r.result_json);
    (void)snprintf(sha, 65, "%s", r.weights_sha256);
    assert_true(isfinite(r.train.loss) && isfinite(r.test.loss));
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_context_free(ctx);
    return hd_scores_find(&r.test, "accuracy")->value;
}

static void learns_as_well(const char *model, double least) {
    char a[65], b[65], c[65];
    const double f32 = train(model, "f32", 2, a), bf16 = train(model, "bf16", 2, b);
    (void)train(model, "bf16", 1, c);
    assert_string_equal(b, c);
    assert_string_not_equal(a, b);
    if (!(f32 > least && bf16 > f32 - 0.02)) fail_msg("%s: accuracy %g in f32, %g in bf16", model, f32, bf16);
}

static void test_learns(void **state) {
    (void)state;
    learns_as_well("\"256-128-relu-10\"", 0.85);
    learns_as_well("{\"name\": \"cnn-small\", \"channels\": 16}", 0.85);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mlp),
        cmocka_unit_test(test_cnn),
        cmocka_unit_test(test_mixture),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_gradients_are_f32),
        cmocka_unit_test(test_bf16_graph),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
