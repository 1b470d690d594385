/* test_second_grads.c: gradients of gradients of elementwise ops, reductions, scans, order and indexing against central
 * differences in f64. The first gradient, weighted with random numbers, is one number; what it changes with is
 * differentiated again.
 */
#include "op_case.h"

#include "hadal/program.h"

static const double step = 1e-6, absolute = 1e-6, relative = 1e-4;
enum { ELEMENTS = 24 };

/* Beside all elementwise ops: those whose rules are made of ops of these families. Their samples without literal
 * results are tried. */
static const char *const names[] = {"prelu",
                                    "glu",
                                    "sum",
                                    "mean",
                                    "max",
                                    "min",
                                    "prod",
                                    "logsumexp",
                                    "var",
                                    "std",
                                    "norm",
                                    "nansum",
                                    "nanmean",
                                    "cumsum",
                                    "cumprod",
                                    "logcumsumexp",
                                    "shift",
                                    "div_no_nan",
                                    "exp_diff",
                                    "linear_recurrence",
                                    "sort",
                                    "topk",
                                    "kthvalue",
                                    "median",
                                    "mode",
                                    "cummax",
                                    "cummin",
                                    "softmax",
                                    "log_softmax",
                                    "gather",
                                    "scatter",
                                    "scatter_add",
                                    "scatter_reduce",
                                    "index_select",
                                    "index_add",
                                    "index_copy",
                                    "index_fill",
                                    "masked_fill",
                                    "embedding",
                                    "embedding_bag"};

typedef struct second_case {
    hd_context *ctx;
    op_case c;
    hd_graph *g;
    hd_program *p;
    hd_val vals[OP_CASE_MOST], grads[OP_CASE_MOST];
    hd_type seed_type;
    double *seed;
} second_case;

#define CASE_FAIL(t, ...)                                                                                              \
    do {                                                                                                               \
        char why_[1024];                                                                                               \
        (void)snprintf(why_, sizeof why_, __VA_ARGS__);                                                                \
        fail_msg("%s: \"%s\": %s", (t)->c.op->name, (t)->c.text, why_);                                                \
    } while (0)
#define CASE_OK(t, call)                                                                                               \
    do {                                                                                                               \
        if ((call) != HD_OK) CASE_FAIL(t, "%s", hd_last_error((t)->ctx));                                              \
    } while (0)

static const char *grad_name(int i) {
    static const char *const words[] = {"g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"};
    assert_true(i < 8);
    return words[i];
}

static double *numbers(const char *stream, int64_t n) {
    hd_rng rng = hd_rng_new(17, stream);
    double *x = malloc(((size_t)n + 1) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) x[i] = 0.5 + hd_rng_uniform(&rng);
    return x;
}

static bool is_float_input(const second_case *t, int i) {
    return t->c.in[i].dims.rank >= 0 && t->c.in[i].dtype == HD_F64;
}

/* Σ of all first gradients, each times its own random constant; none: there are none. */
static hd_val weigh_gradients(second_case *t, hd_val y, hd_val seed) {
    hd_val of[OP_CASE_MOST], first[OP_CASE_MOST], total = {0};
    int32_t n = 0;
    for (int i = 0; i < t->c.n_in; i++)
        if (is_float_input(t, i)) of[n++] = t->vals[i];
    CASE_OK(t, hd_gradients(y, seed, of, n, first));
    for (int32_t i = 0; i < n; i++) {
        if (hd_val_is_none(first[i])) continue;
        const hd_dims dims = hd_val_dims(first[i]);
        double *weights = numbers(op_input_name((int)i), hd_dims_count(&dims));
        const hd_val part = hd_sum(hd_mul(first[i], hd_const(t->g, HD_F64, dims, weights)));
        free(weights);
        total = hd_val_is_none(total) ? part : hd_add(total, part);
    }
    return total;
}

/* False: the first gradient is not there, or whole. */
static bool build(second_case *t) {
    CASE_OK(t, hd_graph_new(&t->g, t->ctx));
    const hd_val y = op_case_build(&t->c, t->g, HD_HERE, t->vals);
    t->seed_type = (hd_type){hd_val_dtype(y), hd_val_dims(y)};
    const int64_t n = hd_dims_count(&t->seed_type.dims);
    if (t->seed_type.dtype != HD_F64 || n == 0) return false;
    t->seed = numbers("seed", n);
    const hd_val seed = hd_input(t->g, "seed", HD_F64, t->seed_type.dims);
    const hd_val total = weigh_gradients(t, y, seed);
    if (hd_val_is_none(total)) return false;
    hd_val of[OP_CASE_MOST], again[OP_CASE_MOST];
    int32_t n_of = 0;
    for (int i = 0; i < t->c.n_in; i++)
        if (is_float_input(t, i)) of[n_of++] = t->vals[i];
    of[n_of++] = seed;
    CASE_OK(t, hd_gradients(total, (hd_val){0}, of, n_of, again));
    hd_mark_output(total, "total");
    for (int32_t i = 0; i < n_of; i++) {
        const bool last = i == n_of - 1;
        int k = 0, seen = 0;
        for (; !last && k < t->c.n_in; k++)
            if (is_float_input(t, k) && seen++ == i) break;
        t->grads[last ? OP_CASE_MOST - 1 : k] = hd_val_is_none(again[i]) ? again[i] : hd_neg(again[i]);
        if (!hd_val_is_none(again[i]))
            hd_mark_output(t->grads[last ? OP_CASE_MOST - 1 : k], last ? "of_seed" : grad_name(k));
    }
    const hd_compile_args args = {.backend = "ref", .train = true, .passes_off = "fuse,chain,flatten"};
    CASE_OK(t, hd_compile_with(&t->p, hd_forward(total), &args));
    return true;
}

static double total_of(second_case *t) {
    for (int i = 0; i < t->c.n_in; i++)
        if (t->c.in[i].dims.rank >= 0 && hd_program_input(t->p, op_input_name(i)) >= 0)
            CASE_OK(t, hd_program_set(t->p, op_input_name(i), t->c.data[i]));
    if (hd_program_input(t->p, "seed") >= 0) CASE_OK(t, hd_program_set(t->p, "seed", t->seed));
    CASE_OK(t, hd_program_run(t->p));
    return *(const double *)hd_program_get(t->p, "total");
}

/* `x` with n numbers, moved one by one. */
static void check_input(second_case *t, const char *name, hd_val grad, double *x, int64_t n) {
    for (int64_t i = 0; i < n && i < ELEMENTS; i++) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = total_of(t);
        x[i] = kept - step;
        const double below = total_of(t);
        x[i] = kept;
        (void)total_of(t);
        const double *negative = hd_val_is_none(grad) ? NULL : hd_program_get(t->p, name);
        const double got = negative ? -negative[i] : 0, want = (above - below) / (2 * step);
        if (!(fabs(got - want) <= absolute + relative * fmax(fabs(got), fabs(want))))
            CASE_FAIL(t, "second gradient by %s at element %lld is %.9g, differences say %.9g", name, (long long)i, got,
                      want);
    }
}

static int check_sample(hd_context *ctx, const hd_op *op, const hd_sample *s) {
    second_case t = {.ctx = ctx};
    assert_true(op_case_read(&t.c, ctx, op, s->text, HD_F64));
    const bool there = build(&t);
    for (int i = 0; there && i < t.c.n_in; i++)
        if (is_float_input(&t, i))
            check_input(&t, grad_name(i), t.grads[i], t.c.data[i], hd_dims_count(&t.c.in[i].dims));
    if (there) check_input(&t, "of_seed", t.grads[OP_CASE_MOST - 1], t.seed, hd_dims_count(&t.seed_type.dims));
    hd_program_free(t.p);
    hd_graph_free(t.g);
    free(t.seed);
    op_case_free(&t.c);
    return there;
}

/* Where one place gets two zeros, a product's second gradient is not worked out; its text says so. */
static bool is_left_out(const hd_op *op, const hd_sample *s) {
    return strcmp(op->name, "scatter_reduce") == 0 && strstr(s->text, "={0 3 0 0 2}");
}

static bool is_named(const hd_op *op) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], op->name) == 0) return true;
    return false;
}

static void test_second_gradients(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    int checked = 0;
    for (int i = 0; hd_op_at(i); i++) {
        const hd_op *op = hd_op_at(i);
        const bool bends = (op->flags & HD_OP_ELEMENTWISE) && op->grad && !op->no_grad_reason;
        int n = 0;
        if (!bends && !is_named(op)) continue;
        for (const hd_sample *s = op->samples; s->text; s++)
            if (!s->expect && !strstr(s->text, "[0") && !is_left_out(op, s)) n += check_sample(ctx, op, s);
        if (!n) fail_msg("%s: nothing to check", op->name);
        checked += n;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!hd_op_find(NULL, names[i])) fail_msg("no op %s", names[i]);
    print_message("%d samples\n", checked);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_second_gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
