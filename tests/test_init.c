/* test_init.c: how parameters start: every way of torch.nn.init, by what its numbers must be. */
#include "support.h"

#include "base/rng.h"
#include "compile/store.h"
#include "graph/graph.h"
#include "hadal/hadal.h"
#include <math.h>

#define WITH_ZERO_ROW(kind_)                                                                                           \
    { .kind = HD_INIT_##kind_, .a = 0.5, .b = 1, .zero_row = 2 }

/* The first values of one parameter. */
static double *values_of(hd_dims dims, hd_init init, uint64_t seed) {
    hd_context *ctx = test_context(1);
    hd_graph *g;
    hd_store *store;
    hd_program *p;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    assert_int_equal(hd_store_new(&store, ctx, seed), HD_OK);
    const hd_val w = hd_param(g, "w", HD_F64, dims, init);
    const hd_target target = hd_forward(hd_sum(w));
    if (hd_compile_with(&p, target, &(hd_compile_args){.store = store}) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const size_t n = (size_t)hd_dims_count(&dims);
    double *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    assert_int_equal(hd_program_prepare(p), HD_OK);
    assert_int_equal(hd_store_get(store, "w", x, n * sizeof *x), HD_OK);
    hd_program_free(p);
    hd_store_free(store);
    hd_graph_free(g);
    hd_context_free(ctx);
    return x;
}

static hd_init made(const hd_init_args *args, hd_dims dims) {
    char message[200];
    hd_init init;
    if (hd_init_make(&init, args, &dims, message, sizeof message) != HD_OK) fail_msg("%s: %s", args->name, message);
    return init;
}

typedef struct moments {
    double mean, std, low, high;
} moments;

static moments measure(const hd_init_args *args, hd_dims dims) {
    double *x = values_of(dims, made(args, dims), 3);
    const int64_t n = hd_dims_count(&dims);
    moments m = {.low = x[0], .high = x[0]};
    double square = 0;
    for (int64_t i = 0; i < n; i++) {
        m.mean += x[i] / (double)n;
        square += x[i] * x[i] / (double)n;
        m.low = fmin(m.low, x[i]);
        m.high = fmax(m.high, x[i]);
    }
    m.std = sqrt(square - m.mean * m.mean);
    free(x);
    return m;
}

/* Mean and deviation within five standard errors, and the range. */
static void is(hd_init_args args, hd_dims dims, double mean, double std, double low, double high) {
    const moments m = measure(&args, dims);
    const double n = (double)hd_dims_count(&dims);
    if (fabs(m.mean - mean) > 5 * std / sqrt(n)) fail_msg("%s: mean %g, not %g", args.name, m.mean, mean);
    if (fabs(m.std - std) > 4 * std / sqrt(n)) fail_msg("%s: deviation %g, not %g", args.name, m.std, std);
    if (!(m.low >= low && m.high <= high)) fail_msg("%s: %g … %g", args.name, m.low, m.high);
    if (isfinite(low) && m.low > low + (high - low) / 100) fail_msg("%s: from %g on, not %g", args.name, m.low, low);
}

#define WHOLE -INFINITY, INFINITY
static void test_distributions(void **state) {
    const hd_dims matrix = HD_DIMS(200, 300), kernel = HD_DIMS(40, 30, 5, 3);
    (void)state;
    is((hd_init_args){.name = "uniform"}, matrix, 0.5, sqrt(1.0 / 12), 0, 1);
    is((hd_init_args){.name = "uniform", .a = -3, .b = 5}, matrix, 1, 8 * sqrt(1.0 / 12), -3, 5);
    is((hd_init_args){.name = "normal"}, matrix, 0, 1, WHOLE);
    is((hd_init_args){.name = "normal", .mean = 2, .std = 0.1}, matrix, 2, 0.1, WHOLE);
    is((hd_init_args){.name = "trunc_normal"}, matrix, 0, 0.8796256, -2, 2);
    is((hd_init_args){.name = "trunc_normal", .std = 0.5, .a = HD_ZERO, .b = 3}, matrix, 0.3989423, 0.3014, 0, 3);
    const double xavier = sqrt(2.0 / 500), fan_in = 450, fan_out = 600;
    is((hd_init_args){.name = "xavier_normal"}, matrix, 0, xavier, WHOLE);
    is((hd_init_args){.name = "xavier_uniform", .gain = 2}, matrix, 0, 2 * xavier, -2 * sqrt(3) * xavier,
       2 * sqrt(3) * xavier);
    is((hd_init_args){.name = "xavier_normal"}, kernel, 0, sqrt(2 / (fan_in + fan_out)), WHOLE);
    is((hd_init_args){.name = "kaiming_normal"}, kernel, 0, sqrt(2 / fan_in), WHOLE);
    is((hd_init_args){.name = "kaiming_normal", .mode = "fan_out", .nonlinearity = "relu"}, kernel, 0,
       sqrt(2 / fan_out), WHOLE);
    is((hd_init_args){.name = "kaiming_uniform", .a = sqrt(5)}, matrix, 0, sqrt(1.0 / 900), -sqrt(3.0 / 900),
       sqrt(3.0 / 900));
    is((hd_init_args){.name = "kaiming_uniform", .nonlinearity = "tanh"}, matrix, 0, 5 / sqrt(2700), -5 / sqrt(900),
       5 / sqrt(900));
}

static void test_constants(void **state) {
    (void)state;
    static const struct {
        hd_init_args args;
        double value;
    } cases[] = {{{.name = "zeros"}, 0}, {{.name = "ones"}, 1}, {{.name = "constant", .val = -0.25}, -0.25}};
    for (size_t k = 0; k < 3; k++) {
        double *x = values_of(HD_DIMS(3, 4), made(&cases[k].args, HD_DIMS(3, 4)), 1);
        for (int i = 0; i < 12; i++) assert_true(x[i] == cases[k].value);
        free(x);
    }
    double *x = values_of(HD_DIMS(3, 4), HD_EYE, 1);
    for (int i = 0; i < 12; i++) assert_true(x[i] == (i / 4 == i % 4));
    free(x);
    /* two groups of two outputs over three inputs, kernel 3 × 2: the middle is (1, 1) */
    x = values_of(HD_DIMS(4, 3, 3, 2), HD_DIRAC(2), 1);
    for (int o = 0; o < 4; o++)
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 6; k++) assert_true(x[(o * 3 + i) * 6 + k] == (i == o % 2 && k == 3));
    free(x);
}

static void orthogonal(hd_dims dims, double gain) {
    const int64_t rows = dims.dim[0], columns = hd_dims_count(&dims) / rows;
    double *x = values_of(dims, HD_ORTHOGONAL(gain), 7);
    const bool wide = columns > rows;
    const int64_t n = wide ? rows : columns, length = wide ? columns : rows;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b <= a; b++) {
            double dot = 0;
            for (int64_t i = 0; i < length; i++)
                dot += wide ? x[a * columns + i] * x[b * columns + i] : x[i * columns + a] * x[i * columns + b];
            if (fabs(dot - (a == b ? gain * gain : 0)) > 1e-12) fail_msg("%d %d: %g", (int)a, (int)b, dot);
        }
    free(x);
}

static void test_orthogonal(void **state) {
    (void)state;
    orthogonal(HD_DIMS(20, 20), 1);
    orthogonal(HD_DIMS(8, 5, 3, 3), 1.5);
    orthogonal(HD_DIMS(60, 7), 2);
}

/* A row that starts as 0 (of padding) does so however the others start. */
static void test_zero_row(void **state) {
    (void)state;
    static const hd_init all[] = {WITH_ZERO_ROW(CONSTANT), WITH_ZERO_ROW(NORMAL), WITH_ZERO_ROW(ORTHOGONAL),
                                  WITH_ZERO_ROW(SPARSE), WITH_ZERO_ROW(EYE)};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        double *x = values_of(HD_DIMS(3, 4), all[k], 1), others = 0;
        for (int i = 0; i < 12; i++) {
            if (i / 4 == 1) assert_true(x[i] == 0);
            others += x[i] * x[i];
        }
        assert_true(others > 0);
        free(x);
    }
}

static void test_sparse(void **state) {
    (void)state;
    double *x = values_of(HD_DIMS(50, 200), HD_SPARSE(0.33, 0.1), 5), square = 0;
    bool alike = true;
    for (int j = 0; j < 200; j++) {
        int zeros = 0;
        for (int i = 0; i < 50; i++) {
            zeros += x[i * 200 + j] == 0;
            square += x[i * 200 + j] * x[i * 200 + j] / (33 * 200);
            alike &= (x[i * 200 + j] == 0) == (x[i * 200] == 0);
        }
        assert_int_equal(zeros, 17);
    }
    assert_false(alike); /* each column has places of its own */
    assert_true(fabs(sqrt(square) - 0.1) < 0.005);
    free(x);
}

/* The seed and the name decide, nothing else. */
static void test_seeds(void **state) {
    (void)state;
    const hd_init inits[] = {HD_NORMAL(0, 1), HD_TRUNC_NORMAL(0, 1, -2, 2), HD_ORTHOGONAL(1), HD_SPARSE(0.5, 1)};
    for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
        double *a = values_of(HD_DIMS(9, 9), inits[k], 1), *b = values_of(HD_DIMS(9, 9), inits[k], 1);
        double *c = values_of(HD_DIMS(9, 9), inits[k], 2);
        assert_memory_equal(a, b, 81 * sizeof *a);
        assert_true(memcmp(a, c, 81 * sizeof *a) != 0);
        free(a);
        free(b);
        free(c);
    }
}

static void test_gains(void **state) {
    (void)state;
    assert_true(hd_init_gain("linear", 0) == 1 && hd_init_gain("conv2d", 0) == 1 && hd_init_gain("sigmoid", 0) == 1);
    assert_true(hd_init_gain("tanh", 0) == 5.0 / 3 && hd_init_gain("relu", 0) == sqrt(2));
    assert_true(hd_init_gain("selu", 0) == 0.75 && hd_init_gain("leaky_relu", 0.2) == sqrt(2 / 1.04));
    assert_true(fabs(hd_init_gain("leaky_relu", 0) - sqrt(2 / 1.0001)) < 1e-15);
    assert_true(isnan(hd_init_gain("softmax", 0)));
}

static void unfit(hd_init_args args, hd_dims dims, const char *what) {
    char message[200] = "";
    hd_init init;
    assert_int_equal(hd_init_make(&init, &args, &dims, message, sizeof message), HD_E_MODEL);
    if (!strstr(message, what)) fail_msg("\"%s\" lacks \"%s\"", message, what);
}

static void test_refused(void **state) {
    (void)state;
    unfit((hd_init_args){.name = "eye"}, HD_DIMS(3), "eye starts matrices");
    unfit((hd_init_args){.name = "sparse"}, HD_DIMS(3, 3, 3), "sparse starts matrices");
    unfit((hd_init_args){.name = "sparse", .sparsity = 2}, HD_DIMS(3, 3), "not between 0 and 1");
    unfit((hd_init_args){.name = "dirac"}, HD_DIMS(3, 3), "dirac starts kernels");
    unfit((hd_init_args){.name = "dirac", .groups = 2}, HD_DIMS(3, 3, 3), "do not share 3 channels");
    unfit((hd_init_args){.name = "orthogonal"}, HD_DIMS(3), "two dimensions or more");
    unfit((hd_init_args){.name = "kaiming_normal"}, HD_DIMS(3), "two dimensions or more");
    unfit((hd_init_args){.name = "kaiming_normal", .nonlinearity = "what"}, HD_DIMS(3, 3), "what is not known");
    unfit((hd_init_args){.name = "kaiming_normal", .mode = "fan"}, HD_DIMS(3, 3), "fan is not known");
    unfit((hd_init_args){.name = "trunc_normal", .a = 3}, HD_DIMS(3), "there is nothing");
    unfit((hd_init_args){.name = "glorot"}, HD_DIMS(3, 3), "\"glorot\" is not a way");
    hd_context *ctx = test_context(1);
    hd_graph *g;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    (void)hd_param(g, "w", HD_F32, HD_DIMS(3), HD_EYE);
    assert_int_equal(hd_graph_status(g), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "eye starts matrices"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* Printed and read back. */
static void test_text(void **state) {
    static const char text[] = "param \"a\": f32[4,4] trunc_normal(0,1,-2,2)\n"
                               "param \"b\": f32[4,4] orthogonal(1.5)\nparam \"c\": f32[4,4] sparse(0.5,0.01)\n"
                               "param \"d\": f32[4,4] eye\nparam \"e\": f32[4,4,3] dirac(2)\n"
                               "param \"f\": f32[4,4] zeros zero_row(2)\n";
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g, *again;
    char *printed, *twice;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    (void)hd_param(g, "a", HD_F32, HD_DIMS(4, 4), HD_TRUNC_NORMAL(0, 1, -2, 2));
    (void)hd_param(g, "b", HD_F32, HD_DIMS(4, 4), HD_ORTHOGONAL(1.5));
    (void)hd_param(g, "c", HD_F32, HD_DIMS(4, 4), HD_SPARSE(0.5, 0.01));
    (void)hd_param(g, "d", HD_F32, HD_DIMS(4, 4), HD_EYE);
    (void)hd_param(g, "e", HD_F32, HD_DIMS(4, 4, 3), HD_DIRAC(2));
    hd_init padded = HD_ZEROS;
    padded.zero_row = 3;
    (void)hd_param(g, "f", HD_F32, HD_DIMS(4, 4), padded);
    assert_int_equal(hd_graph_print(g, &printed), HD_OK);
    for (const char *line = text; *line;) {
        char way[64];
        const size_t n = strcspn(line, "\n");
        const char *bracket = memchr(line, ']', n);
        (void)snprintf(way, sizeof way, "%.*s", (int)(n - (size_t)(bracket + 2 - line)), bracket + 2);
        if (!strstr(printed, way)) fail_msg("\"%s\" lacks \"%s\"", printed, way);
        line += n + 1;
    }
    if (hd_graph_parse(&again, ctx, "g", printed) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_graph_print(again, &twice), HD_OK);
    assert_string_equal(printed, twice);
    hd_memory_free(ctx, printed);
    hd_memory_free(ctx, twice);
    hd_graph_free(again);
    hd_graph_free(g);
    hd_context_free(ctx);
}

static void start(const char *init, const char *message) {
    char text[400];
    hd_context *ctx = test_context(1);
    hd_recipe *r = NULL;
    hd_model *m = NULL;
    (void)snprintf(text, sizeof text, "{\"model\": \"6-5-relu-4\", \"train\": {\"init\": %s}}", init);
    hd_status status = hd_recipe_parse(&r, ctx, "r", text);
    if (status == HD_OK) status = hd_model_new(&m, r, NULL);
    if (message) {
        assert_int_equal(status, HD_E_MODEL);
        if (!strstr(hd_last_error(ctx), message))
            fail_msg("%s: \"%s\" lacks \"%s\"", init, hd_last_error(ctx), message);
    } else if (status != HD_OK) {
        fail_msg("%s: %s", init, hd_last_error(ctx));
    } else {
        char *printed;
        assert_int_equal(hd_graph_print(hd_model_graph(m), &printed), HD_OK);
        assert_non_null(strstr(printed, "orthogonal(2)"));
        hd_memory_free(ctx, printed);
    }
    hd_model_free(m);
    hd_recipe_free(r);
    hd_context_free(ctx);
}

static void test_recipes(void **state) {
    (void)state;
    start("[{\"params\": \"*.weight\", \"name\": \"orthogonal\", \"gain\": 2}]", NULL);
    start("\"kaimin_normal\"", "Did you mean kaiming_normal?");
    start("[{\"params\": \"*.weight\", \"name\": \"orthogonl\"}]", "Did you mean orthogonal?");
    start("[{\"params\": \"*.weight\", \"name\": \"normal\", \"stdd\": 1}]",
          "an init has no \"stdd\". Did you mean std?");
    start("[{\"name\": \"normal\"}]", "an init has params and name");
    start("[{\"params\": \"zebra\", \"name\": \"normal\"}]", "no parameter is called \"zebra\"");
    start("[{\"params\": \"*.bias\", \"name\": \"orthogonal\"}]", "two dimensions or more");
}

/* More numbers than one task draws: those of the stream in their order, whoever draws them. */
static void test_tasks(void **state) {
    (void)state;
    enum { N = 140001 };
    static float x[N];
    const hd_init inits[] = {{.kind = HD_INIT_NORMAL, .a = 0.5, .b = 2}, {.kind = HD_INIT_UNIFORM, .a = -1, .b = 3}};
    const hd_type type = {.dtype = HD_F32, .dims = HD_DIMS(N)};
    for (int threads = 1; threads <= 3; threads += 2)
        for (int k = 0; k < 2; k++) {
            hd_context *ctx = test_context(threads);
            hd_rng rng = hd_rng_new(9, "w");
            assert_int_equal(hd_start_values(ctx, &type, &inits[k], "w", 9, (char *)x), HD_OK);
            for (int i = 0; i < N; i++) {
                const double v = k == 0 ? 0.5 + 2 * hd_rng_normal(&rng) : -1 + 4 * hd_rng_uniform(&rng);
                assert_true(x[i] == (float)v);
            }
            hd_context_free(ctx);
        }
}

/* In another order: the same numbers, also where a task takes slices, the last of them not whole, and padding is 0. */
static void test_laid(void **state) {
    (void)state;
    const hd_layout orders[] = {{.nblk = 2, .idx = {1, 0}, .blk = {16, 16}},
                                {.nblk = 1, .idx = {0}, .blk = {16}, .permuted = 1, .perm = {0, 2, 3, 1}},
                                {.permuted = 1, .perm = {2, 3, 1, 0}},
                                {.permuted = 1, .perm = {0, 2, 3, 1}},
                                HD_LAYOUT_PLAIN};
    const hd_dims shapes[] = {HD_DIMS(1000, 70, 1, 1), HD_DIMS(48, 160, 3, 3), HD_DIMS(24, 20, 3, 3)};
    const hd_init inits[] = {{.kind = HD_INIT_NORMAL, .b = 2},
                             {.kind = HD_INIT_UNIFORM, .a = -1, .b = 3},
                             {.kind = HD_INIT_NORMAL, .a = 1, .b = 1, .zero_row = 3},
                             {.kind = HD_INIT_ORTHOGONAL, .a = 1},
                             {.kind = HD_INIT_ZEROS}};
    static const hd_dtype dtypes[] = {HD_F32, HD_BF16, HD_F64};
    for (int i = 0; i < 5 * 3 * 5 * 3; i++) {
        const hd_layout *order = &orders[i % 5];
        const hd_init *init = &inits[i / 5 % 5];
        const hd_type type = {.dtype = dtypes[i / 25 % 3], .dims = shapes[i / 75]};
        if (init->kind == HD_INIT_ORTHOGONAL && i / 75 < 2) continue; /* slow, and one of them is enough */
        hd_context *ctx = test_context(1 + i % 3);
        const size_t size = hd_dtype_size(type.dtype), held = (size_t)hd_layout_count(order, &type.dims) * size;
        char *plain = calloc((size_t)hd_dims_count(&type.dims), size);
        char *want = calloc(held, 1), *got = calloc(held, 1);
        assert_int_equal(hd_start_values(ctx, &type, init, "w", 9, plain), HD_OK);
        hd_layout_pack(order, &type.dims, size, plain, want);
        assert_int_equal(hd_start_laid(ctx, &type, order, init, "w", 9, got), HD_OK);
        assert_memory_equal(got, want, held);
        free(plain);
        free(want);
        free(got);
        hd_context_free(ctx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_laid),      cmocka_unit_test(test_tasks),      cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_constants), cmocka_unit_test(test_orthogonal), cmocka_unit_test(test_zero_row),
        cmocka_unit_test(test_sparse),    cmocka_unit_test(test_seeds),      cmocka_unit_test(test_gains),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_text),       cmocka_unit_test(test_recipes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
