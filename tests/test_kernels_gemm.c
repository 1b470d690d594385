/* test_kernels_gemm.c: the products of src/backends/cpu against the definitions of their ops, over many shapes and
 * every instruction set of the machine. */
#include "kernel_kit.h"

#include "backends/cpu/gemm.h"

typedef struct math_case {
    const char *name;
    double (*exact)(double x);
    void (*fast)(float *y, const float *x, int64_t n);
    double ulp;
} math_case;

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

/* In units of the last place of the exact result. */
static double ulps(float got, double want) {
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (isinf((float)want)) return got == (float)want ? 0 : INFINITY;
    if (fabs(want) < 1.2e-38) return fabs((double)got) < 1.2e-38 ? 0 : INFINITY; /* denormals may be zero */
    return fabs((double)got - want) / ldexp(1, ilogb(want) - 23);
}

static void check_math(hd_context *ctx, void *arg) {
    (void)arg;
    enum { N = 1027 };
    float x[N], y[N];
    const hd_gemm_isa *g = hd_gemm_of(ctx->isa);
    const math_case cases[] = {{"exp", exp, g->exp, 2},
                               {"log", log, g->log, 2},
                               {"tanh", tanh, g->tanh, 4},
                               {"sigmoid", logistic, g->sigmoid, 4}};
    for (uint32_t high = 0; high < 65536; high += 16) /* every sign, exponent and leading bits */
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            for (uint32_t i = 0; i < N; i++) {
                uint32_t bits = high * 65536 + i * 1021;
                memcpy(&x[i], &bits, sizeof bits);
                if (fabsf(x[i]) < 1.2e-38f) x[i] = copysignf(0, x[i]);
            }
            cases[k].fast(y, x, N);
            for (int i = 0; i < N; i++)
                if (!(ulps(y[i], cases[k].exact((double)x[i])) <= cases[k].ulp))
                    fail_msg("%s, isa %s: %s(%.9g) is %.9g, should be %.9g", __func__, hd_context_isa(ctx),
                             cases[k].name, (double)x[i], (double)y[i], cases[k].exact((double)x[i]));
        }
}

static void test_math(void **state) {
    (void)state;
    kit_each_isa(1, check_math, NULL);
}

/* ---- products ---- */

extern const hd_kernel hd_kernel_cpu_linear, hd_kernel_cpu_linear_grad_input, hd_kernel_cpu_linear_grad_weight,
    hd_kernel_cpu_matmul, hd_kernel_cpu_linear_small, hd_kernel_cpu_linear_blocks;

typedef void (*product_check)(hd_context *ctx, int64_t m, int64_t n, int64_t k, hd_rng *rng);

/* Before a sigmoid a sum of k products is about √k large, after it 1: rounding counts by the larger one. */
static double tolerance(int64_t k) {
    return 1e-5 + 2e-6 * sqrt((double)k);
}

static void check_linear(hd_context *ctx, int64_t m, int64_t n, int64_t k, hd_rng *rng) {
    const hd_linear_args args = {.act = (int64_t)hd_rng_below(rng, 4)};
    kit_case c = {.kernel = &hd_kernel_cpu_linear,
                  .args = &args,
                  .seed = hd_rng_u32(rng),
                  .input_bytes = m & 1,
                  .tolerance = tolerance(k)};
    kit_input(&c, HD_F32, HD_DIMS(m, k));
    kit_input(&c, HD_F32, HD_DIMS(n, k));
    if (hd_rng_below(rng, 3))
        kit_input(&c, HD_F32, HD_DIMS(n));
    else
        kit_absent(&c);
    kit_check(ctx, &c);
}

static void check_grad_input(hd_context *ctx, int64_t m, int64_t n, int64_t k, hd_rng *rng) {
    const hd_linear_grad_input_args args = {.act = (int64_t)hd_rng_below(rng, 4)};
    kit_case c = {.kernel = &hd_kernel_cpu_linear_grad_input, .args = &args, .seed = hd_rng_u32(rng)};
    kit_input(&c, HD_F32, HD_DIMS(m, k));
    kit_input(&c, HD_F32, HD_DIMS(k, n));
    if (args.act)
        kit_input_as(&c, HD_F32, HD_DIMS(m, n), KIT_UNIT, 0, NULL);
    else
        kit_absent(&c);
    kit_check(ctx, &c);
}

static void check_grad_weight(hd_context *ctx, int64_t m, int64_t n, int64_t k, hd_rng *rng) {
    kit_case c = {.kernel = &hd_kernel_cpu_linear_grad_weight, .seed = hd_rng_u32(rng), .input_bytes = m & 1};
    kit_input(&c, HD_F32, HD_DIMS(k, n));
    kit_input(&c, HD_F32, HD_DIMS(k, m));
    kit_check(ctx, &c);
}

static void check_matmul(hd_context *ctx, int64_t m, int64_t n, int64_t k, hd_rng *rng) {
    const hd_matmul_args args = {.trans_a = hd_rng_below(rng, 2), .trans_b = hd_rng_below(rng, 2)};
    const int64_t batch = (int64_t)hd_rng_below(rng, 4);
    kit_case c = {.kernel = &hd_kernel_cpu_matmul, .args = &args, .seed = hd_rng_u32(rng)};
    const int64_t a0 = args.trans_a ? k : m, a1 = args.trans_a ? m : k, b0 = args.trans_b ? n : k,
                  b1 = args.trans_b ? k : n;
    kit_input(&c, HD_F32, batch ? HD_DIMS(batch, a0, a1) : HD_DIMS(a0, a1));
    kit_input(&c, HD_F32, batch && hd_rng_below(rng, 2) ? HD_DIMS(batch, b0, b1) : HD_DIMS(b0, b1));
    kit_check(ctx, &c);
}

static const product_check product_checks[] = {check_linear, check_grad_input, check_grad_weight, check_matmul};

/* Every size up to the edges of vectors and tiles, then larger ones that are cut into tasks and blocks of k. */
static void check_products(hd_context *ctx, void *arg) {
    (void)arg;
    static const int64_t edge[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33, 40};
    enum { EDGES = sizeof edge / sizeof *edge };
    hd_rng rng = hd_rng_new(1, hd_context_isa(ctx));
    for (int i = 0; i < EDGES; i++)
        for (int j = 0; j < EDGES; j++)
            for (int v = 0; v < 3; v++) {
                const int64_t k = edge[hd_rng_below(&rng, EDGES)];
                product_checks[hd_rng_below(&rng, 4)](ctx, edge[i], edge[j], k, &rng);
            }
    static const int64_t large[][3] = {{64, 64, 784},   {64, 10, 64},    {64, 784, 64},   {1, 300, 1000},
                                       {300, 1, 1000},  {3, 700, 600},   {129, 257, 301}, {200, 100, 515},
                                       {100, 9, 1025},  {17, 1030, 90},  {0, 5, 3},       {5, 0, 3},
                                       {5, 3, 0},       {1, 1, 5000},    {1024, 130, 33}, {300, 257, 301},
                                       {1030, 70, 400}, {260, 1100, 70}, {401, 161, 777}}; /* the last four in blocks */
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        for (int op = 0; op < 4; op++) product_checks[op](ctx, large[i][0], large[i][1], large[i][2], &rng);
}

static void test_products(void **state) {
    (void)state;
    kit_each_isa(2, check_products, NULL);
}

static void test_large_and_f64_are_refused(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    kit_case c = {.kernel = &hd_kernel_cpu_linear_small, .may_refuse = true};
    kit_input(&c, HD_F32, HD_DIMS(512, 512));
    kit_input(&c, HD_F32, HD_DIMS(512, 512));
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "not small"));
    c = (kit_case){.kernel = &hd_kernel_cpu_linear_small, .may_refuse = true};
    kit_input(&c, HD_F64, HD_DIMS(2, 2));
    kit_input(&c, HD_F64, HD_DIMS(2, 2));
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "f32"));
    c = (kit_case){.kernel = &hd_kernel_cpu_linear_blocks, .may_refuse = true};
    kit_input(&c, HD_F32, HD_DIMS(128, 1024));
    kit_input(&c, HD_F32, HD_DIMS(1024, 1024));
    assert_false(kit_check(ctx, &c));
    assert_non_null(strstr(c.refusal, "few rows"));
    c = (kit_case){.kernel = &hd_kernel_cpu_linear_blocks};
    kit_input(&c, HD_F32, HD_DIMS(300, 301));
    kit_input(&c, HD_F32, HD_DIMS(257, 301));
    assert_true(kit_check(ctx, &c));
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_math), cmocka_unit_test(test_products),
                                       cmocka_unit_test(test_large_and_f64_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
