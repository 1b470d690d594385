/* test_math_values.c: what the kernels of the default backend give for single numbers, over all floats: every so many
 * bit patterns, their neighbours around 1, and the special ones, against the same functions in long double. In units in
 * the last place of the result (ULP); subnormal numbers may count as zero, on both sides. A new function is a line in
 * one of the two tables. */
#include "support.h"

#include "hadal/hadal.h"
#include <float.h>
#include <math.h>

static const long double pi = 3.14159265358979323846264338327950288L;

/* ---- references where C has none ---- */

static long double r_rsqrt(long double x) {
    return 1 / sqrtl(x);
}
static long double r_reciprocal(long double x) {
    return 1 / x;
}
static long double r_square(long double x) {
    return x * x;
}
static long double r_neg(long double x) {
    return -x;
}
static long double r_frac(long double x) {
    return isinf(x) ? (long double)NAN : x - truncl(x);
}
static long double r_sign(long double x) {
    return isnan(x) ? x : (long double)((x > 0) - (x < 0));
}
static long double r_sigmoid(long double x) {
    return 1 / (1 + expl(-x));
}
static long double r_relu(long double x) {
    return x > 0 || isnan(x) ? x : 0;
}
static long double r_relu6(long double x) {
    return x > 6 ? 6 : r_relu(x);
}
static long double r_leaky_relu(long double x) {
    return x > 0 ? x : x * 0.01L;
}
static long double r_elu(long double x) {
    return x > 0 ? x : expm1l(x);
}
static long double r_selu(long double x) {
    return 1.0507009873554804934193349852946L * (x > 0 ? x : 1.6732632423543772848170429916717L * expm1l(x));
}
static long double r_gelu(long double x) {
    return x < -1000 ? -0.0L : x / 2 * erfcl(-x * sqrtl(0.5L));
}
static long double r_silu(long double x) {
    return x < -11000 ? -0.0L : x / (1 + expl(-x));
}
static long double r_softplus(long double x) {
    return x > 60 ? x : log1pl(expl(x));
}
static long double r_logsigmoid(long double x) {
    return -r_softplus(-x);
}
static long double r_softsign(long double x) {
    return isinf(x) ? copysignl(1, x) : x / (1 + fabsl(x));
}
static long double r_mish(long double x) {
    return x < -11000 ? -0.0L : x * tanhl(r_softplus(x));
}
static long double r_hardsigmoid(long double x) {
    return r_relu6(x + 3) / 6;
}
static long double r_hardswish(long double x) {
    return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}
static long double r_hardtanh(long double x) {
    return x < -1 ? -1 : x > 1 ? 1 : x;
}
static long double r_tanhshrink(long double x) {
    const long double z = x * x;
    return fabsl(x) > 0.01L ? x - tanhl(x) : x * z * (1 / 3.0L - z * (2 / 15.0L - z * (17 / 315.0L - z * 62 / 2835)));
}
static long double r_hardshrink(long double x) {
    return fabsl(x) <= 0.5L ? 0 : x;
}
static long double r_softshrink(long double x) {
    return isnan(x) ? x : x > 0.5L ? x - 0.5L : x < -0.5L ? x + 0.5L : 0;
}
/* sin πx for |x| ≤ ½ by the distance to the next whole number. */
static long double r_sinc(long double x) {
    const long double whole = nearbyintl(x), s = sinl(pi * (x - whole));
    return x == 0 ? 1 : isinf(x) ? 0 : (fmodl(whole, 2) != 0 ? -s : s) / (pi * x);
}
/* One step of Newton's from the definition of the inverse. */
static long double r_erfinv(long double x) {
    long double low = 0, high = 8;
    const long double p = fabsl(x);
    if (!(p < 1)) return p == 1 ? copysignl(INFINITY, x) : (long double)NAN;
    for (int i = 0; i < 80; i++) {
        const long double y = (low + high) / 2;
        if (p < 0.5L ? erfl(y) < p : erfcl(y) > 1 - p)
            low = y;
        else
            high = y;
    }
    return copysignl(p < 1e-6L ? p * sqrtl(pi) / 2 : low, x);
}
static long double r_logit(long double x) {
    return fabsl(x - 0.5L) < 0.25L ? 2 * atanhl(2 * x - 1) : logl(x / (1 - x));
}
static long double r_logaddexp(long double a, long double b) {
    if (a == b) return a + logl(2);
    return fmaxl(a, b) + log1pl(expl(-fabsl(a - b))) + (isnan(a) || isnan(b) ? (long double)NAN : 0);
}
static long double r_xlogy(long double a, long double b) {
    return isnan(b) ? b : a == 0 ? 0 : a * logl(b);
}
static long double r_xlog1py(long double a, long double b) {
    return isnan(b) ? b : a == 0 ? 0 : a * log1pl(b);
}
static long double r_add(long double a, long double b) {
    return a + b;
}
static long double r_sub(long double a, long double b) {
    return a - b;
}
static long double r_mul(long double a, long double b) {
    return a * b;
}
static long double r_div(long double a, long double b) {
    return a / b;
}
static long double r_maximum(long double a, long double b) {
    return isnan(a) || a > b ? a : b;
}
static long double r_minimum(long double a, long double b) {
    return isnan(a) || a < b ? a : b;
}
static long double r_remainder(long double a, long double b) {
    const long double r = fmodl(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* ---- the tables ---- */

/* signs: the sign of a result for ±0 is C99's. */
typedef struct unary_function {
    const char *op;
    long double (*f)(long double x);
    double ulp;
    bool signs;
} unary_function;
static const unary_function unary[] = {
    {"neg", r_neg, 0, true},
    {"abs", fabsl, 0, true},
    {"sign", r_sign, 0, false},
    {"sqrt", sqrtl, 1, true},
    {"rsqrt", r_rsqrt, 4, true},
    {"reciprocal", r_reciprocal, 1, true},
    {"square", r_square, 1, true},
    {"exp", expl, 4, false},
    {"exp2", exp2l, 4, false},
    {"expm1", expm1l, 4, true},
    {"log", logl, 4, true},
    {"log2", log2l, 4, true},
    {"log10", log10l, 4, true},
    {"log1p", log1pl, 4, true},
    {"sin", sinl, 4, true},
    {"cos", cosl, 4, false},
    {"tan", tanl, 4, true},
    {"asin", asinl, 4, true},
    {"acos", acosl, 4, true},
    {"atan", atanl, 4, true},
    {"sinh", sinhl, 4, true},
    {"cosh", coshl, 4, false},
    {"tanh", tanhl, 4, true},
    {"asinh", asinhl, 4, true},
    {"acosh", acoshl, 4, true},
    {"atanh", atanhl, 4, true},
    {"erf", erfl, 4, true},
    {"erfc", erfcl, 4, false},
    {"erfinv", r_erfinv, 4, true},
    {"lgamma", lgammal, 4, false},
    {"floor", floorl, 0, true},
    {"ceil", ceill, 0, true},
    {"trunc", truncl, 0, true},
    {"round", nearbyintl, 0, true},
    {"frac", r_frac, 0, false},
    {"sinc", r_sinc, 4, false},
    {"logit", r_logit, 4, false},
    {"sigmoid", r_sigmoid, 4, false},
    {"relu", r_relu, 0, false},
    {"relu6", r_relu6, 0, false},
    {"leaky_relu", r_leaky_relu, 1, false},
    {"elu", r_elu, 4, false},
    {"celu", r_elu, 4, false},
    {"selu", r_selu, 4, false},
    {"gelu", r_gelu, 4, false},
    {"silu", r_silu, 4, false},
    {"softplus", r_softplus, 4, false},
    {"logsigmoid", r_logsigmoid, 4, false},
    {"softsign", r_softsign, 4, false},
    {"mish", r_mish, 4, false},
    {"hardsigmoid", r_hardsigmoid, 4, false},
    {"hardswish", r_hardswish, 4, false},
    {"hardtanh", r_hardtanh, 0, false},
    {"tanhshrink", r_tanhshrink, 4, false},
    {"hardshrink", r_hardshrink, 0, false},
    {"softshrink", r_softshrink, 1, false},
};

typedef struct binary_function {
    const char *op;
    long double (*f)(long double a, long double b);
    double ulp;
} binary_function;
static const binary_function binary[] = {
    {"add", r_add, 1},          {"sub", r_sub, 1},
    {"mul", r_mul, 1},          {"div", r_div, 1},
    {"maximum", r_maximum, 0},  {"minimum", r_minimum, 0},
    {"fmax", fmaxl, 0},         {"fmin", fminl, 0},
    {"fmod", fmodl, 0},         {"remainder", r_remainder, 1},
    {"pow", powl, 4},           {"atan2", atan2l, 4},
    {"hypot", hypotl, 4},       {"logaddexp", r_logaddexp, 4},
    {"xlogy", r_xlogy, 4},      {"xlog1py", r_xlog1py, 4},
    {"copysign", copysignl, 0},
};

/* ---- the numbers ---- */

enum { EVERY = 8209 /* prime */, PATTERNS = (int)(UINT32_MAX / EVERY), NEAR = 2048 };
static const float special[] = {0.0f,         -0.0f,         1.0f,        -1.0f,      0.5f,    -0.5f,    2.0f,
                                -2.0f,        INFINITY,      -INFINITY,   NAN,        FLT_MAX, -FLT_MAX, FLT_MIN,
                                -FLT_MIN,     0x1p-149f,     0.25f,       0.75f,      3.0f,    -3.0f,    6.0f,
                                20.0f,        88.7f,         88.73f,      -87.3f,     -103.9f, -104.1f,  3.14159274f,
                                1.57079637f,  -3.14159274f,  16777216.0f, 8388609.0f, 0.3f,    1e-4f,    -1e-4f,
                                0.999999940f, -0.999999940f, 2.5f,        -2.5f,      10.0f};
enum { SPECIAL = sizeof special / sizeof *special, NUMBERS = PATTERNS + 4 * NEAR + SPECIAL };

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* All over the floats, the neighbours of ±1, and the special ones. */
static void all_floats(float *x) {
    for (uint32_t i = 0; i < PATTERNS; i++) *x++ = float_of(i * EVERY);
    for (uint32_t i = 0; i < 2 * NEAR; i++) {
        *x++ = float_of(0x3f800000u - NEAR + i);
        *x++ = float_of(0xbf800000u - NEAR + i);
    }
    memcpy(x, special, sizeof special);
}

/* Second operands: the same numbers in another order, all but the special ones, which meet each other. */
static void shuffled(float *to, const float *from) {
    for (int64_t i = 0; i < NUMBERS - SPECIAL; i++) to[i] = from[i * 7919 % (NUMBERS - SPECIAL)];
    for (int64_t i = 0; i < SPECIAL; i++) to[NUMBERS - SPECIAL + i] = special[(i * 7 + 3) % SPECIAL];
}

/* Into 2⁻⁸ … 2⁸, where powers and sums of exponentials are neither 0 nor infinite. */
static void moderate(float *x, uint32_t exponents) {
    for (int64_t i = 0; i < NUMBERS - SPECIAL; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        x[i] = float_of((bits & 0x807fffffu) | ((127 - exponents / 2 + (bits >> 23 & 0xff) % exponents) << 23));
    }
}

/* ---- comparison ---- */

static double ulp_of(long double y) {
    int e;
    (void)frexpl(y, &e);
    return ldexp(1, e < -125 ? -149 : e - 24);
}

static bool subnormal(float x) {
    return x != 0 && fabsf(x) < FLT_MIN;
}

/* How far off, in ULP; 0 for what counts as the same. */
static double off_by(float got, long double want) {
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want) ? 0 : INFINITY;
    const long double largest = (long double)FLT_MAX + (long double)ulp_of(FLT_MAX) / 2; /* from here on: infinite */
    if (fabsl(want) >= largest) want = copysignl(INFINITY, want);
    if (isinf(want) && isinf(got)) return (got > 0) == (want > 0) ? 0 : INFINITY;
    if (isinf(want)) want = copysignl(0x1p128L, want);
    if (isinf(got)) return (double)((0x1p128L - fabsl(want)) / (long double)ulp_of(FLT_MAX));
    if (fabsl(want) < (long double)FLT_MIN && fabsf(got) <= FLT_MIN) return 0;
    return (double)(fabsl((long double)got - want) / (long double)ulp_of(want));
}

/* f of a subnormal number may be f of zero. want: f of the number itself, which all instruction sets share. */
static double best_unary(const unary_function *u, float x, float y, long double want) {
    const double off = off_by(y, want);
    if (off <= u->ulp || !subnormal(x)) return off;
    return fmin(off, off_by(y, u->f(copysignl(0, (long double)x))));
}
static double best_binary(const binary_function *u, float a, float b, float y, long double want) {
    double off = off_by(y, want);
    const long double a0 = subnormal(a) ? copysignl(0, (long double)a) : (long double)a,
                      b0 = subnormal(b) ? copysignl(0, (long double)b) : (long double)b;
    if (off > u->ulp && (subnormal(a) || subnormal(b))) off = fmin(off, off_by(y, u->f(a0, b0)));
    return off;
}

/* ---- running ---- */

/* y of an op whose inputs are named a and b; the program is the caller's. */
static hd_program *run(hd_context *ctx, hd_graph **g, const char *name, const float *a, const float *b) {
    const hd_op *op = hd_op_find(NULL, name);
    if (!op) fail_msg("there is no op %s", name);
    assert_int_equal(hd_graph_new(g, ctx), HD_OK);
    hd_val in[2] = {hd_input(*g, "a", HD_F32, HD_DIMS(NUMBERS)), {0}};
    if (b) in[1] = hd_input(*g, "b", HD_F32, HD_DIMS(NUMBERS));
    char *args = calloc(1, op->args_size);
    assert_non_null(args);
    memcpy(args, in, sizeof *in * (b ? 2 : 1));
    const hd_val y = hd_node_add(HD_HERE, op, args);
    free(args);
    hd_mark_output(y, "y");
    hd_program *p;
    if (hd_compile_with(&p, hd_forward(y), &(hd_compile_args){0}) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_program_set(p, "a", a), HD_OK);
    if (b) assert_int_equal(hd_program_set(p, "b", b), HD_OK);
    assert_int_equal(hd_program_run(p), HD_OK);
    return p;
}

static int check_unary(hd_context *ctx, const unary_function *u, const float *x, const long double *want) {
    hd_graph *g;
    hd_program *p = run(ctx, &g, u->op, x, NULL);
    const float *y = hd_program_get(p, "y");
    double worst = 0;
    int64_t at = 0, signs = 0;
    for (int64_t i = 0; i < NUMBERS; i++) {
        const double off = best_unary(u, x[i], y[i], want[i]);
        if (off > worst) worst = off, at = i;
        if (u->signs && x[i] == 0) signs += !signbit(y[i]) != !signbit(want[i]);
    }
    const bool bad = worst > u->ulp || signs;
    if (bad)
        print_message("%s: %.3g ULP at %.9g (%a): %.9g, should be %.9Lg%s\n", u->op, worst, (double)x[at],
                      (double)x[at], (double)y[at], want[at], signs ? "; the sign at ±0 is wrong" : "");
    hd_program_free(p);
    hd_graph_free(g);
    return bad;
}

static int check_binary(hd_context *ctx, const binary_function *u, const float *a, const float *b,
                        const long double *want) {
    hd_graph *g;
    hd_program *p = run(ctx, &g, u->op, a, b);
    const float *y = hd_program_get(p, "y");
    double worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < NUMBERS; i++) {
        const double off = best_binary(u, a[i], b[i], y[i], want[i]);
        if (off > worst) worst = off, at = i;
    }
    if (worst > u->ulp)
        print_message("%s: %.3g ULP at %.9g (%a), %.9g (%a): %.9g, should be %.9Lg\n", u->op, worst, (double)a[at],
                      (double)a[at], (double)b[at], (double)b[at], (double)y[at], want[at]);
    hd_program_free(p);
    hd_graph_free(g);
    return worst > u->ulp;
}

/* Instruction sets that this machine has, the best first; an op that has no kernel of its own is tried on one. */
enum { ISAS = 3 };
static int isas_of(const char *op) {
    return hd_op_kernel(op, 0) ? ISAS : 1;
}
static void open_contexts(hd_context *ctx[ISAS]) {
    static const char *const isa[ISAS] = {"avx512", "avx2", "generic"};
    for (int i = 0; i < ISAS; i++) { /* a better one than the machine has is as good as its best */
        const hd_context_args args = {.threads = 2, .isa = isa[i]};
        assert_int_equal(hd_context_new(&ctx[i], &args), HD_OK);
    }
}

static void test_unary(void **state) {
    (void)state;
    int bad = 0;
    hd_context *ctx[ISAS];
    open_contexts(ctx);
    float *x = calloc(NUMBERS, sizeof *x);
    long double *want = calloc(NUMBERS, sizeof *want);
    assert_non_null(x);
    assert_non_null(want);
    all_floats(x);
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        for (int64_t j = 0; j < NUMBERS; j++) want[j] = unary[i].f((long double)x[j]);
        for (int k = 0; k < isas_of(unary[i].op); k++) bad += check_unary(ctx[k], &unary[i], x, want);
    }
    free(x);
    free(want);
    for (int k = 0; k < ISAS; k++) hd_context_free(ctx[k]);
    assert_int_equal(bad, 0);
}

static void test_binary(void **state) {
    (void)state;
    int bad = 0;
    hd_context *ctx[ISAS];
    open_contexts(ctx);
    float *a = calloc(NUMBERS, sizeof *a), *b = calloc(NUMBERS, sizeof *b);
    long double *want = calloc(NUMBERS, sizeof *want);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(want);
    for (int pass = 0; pass < 2; pass++) {
        all_floats(a);
        shuffled(b, a);
        if (pass) moderate(a, 16), moderate(b, 7);
        for (size_t i = 0; i < sizeof binary / sizeof *binary; i++) {
            for (int64_t j = 0; j < NUMBERS; j++) want[j] = binary[i].f((long double)a[j], (long double)b[j]);
            for (int k = 0; k < isas_of(binary[i].op); k++) bad += check_binary(ctx[k], &binary[i], a, b, want);
        }
    }
    free(a);
    free(b);
    free(want);
    for (int k = 0; k < ISAS; k++) hd_context_free(ctx[k]);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unary), cmocka_unit_test(test_binary)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
