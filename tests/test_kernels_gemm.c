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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_math)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
