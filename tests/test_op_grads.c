/* test_op_grads.c: every op's gradient against central differences in f64, on the samples without literal results: a
 * random gradient arrives at each output in turn, then at all; each input is moved element by element and along random
 * directions. An input that the rule leaves out must not matter; a gradient of nothing but zeros proves nothing. */
#include "op_case.h"

#include "hadal/program.h"

static const double step = 1e-6, absolute = 1e-7, relative = 1e-4;
enum { ELEMENTS = 40, DIRECTIONS = 2, SOME = 12 };

/* One sample in two programs: forward alone, and with gradients. */
typedef struct grad_case {
    hd_context *ctx;
    op_case c;
    int outputs[HD_OP_MAX_OUT], n_outputs; /* where a gradient arrives */
    hd_type type[HD_OP_MAX_OUT];
    double *seed[HD_OP_MAX_OUT];
    hd_graph *graphs[2];
    hd_program *forward, *backward;
    bool given[OP_CASE_MOST]; /* the rule gives a gradient of this input */
    double largest;
} grad_case;

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

static hd_graph *build(grad_case *t, hd_val *vals, hd_val *y) {
    hd_graph *g;
    CASE_OK(t, hd_graph_new(&g, t->ctx));
    *y = op_case_build(&t->c, g, HD_HERE, vals);
    CASE_OK(t, hd_graph_status(g));
    return g;
}

static void compile(grad_case *t, hd_program **p, hd_val value) {
    const hd_compile_args args = {.backend = "ref", .train = true, .passes_off = "simplify,fuse,chain,flatten"};
    CASE_OK(t, hd_compile_with(p, hd_forward(value), &args));
}

static const char *seed_name(int k) {
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"};
    return names[k];
}
static const char *grad_name(int i) {
    static const char *const names[OP_CASE_MOST] = {"d0",  "d1",  "d2",  "d3",  "d4",  "d5",  "d6",  "d7",
                                                    "d8",  "d9",  "d10", "d11", "d12", "d13", "d14", "d15",
                                                    "d16", "d17", "d18", "d19", "d20", "d21", "d22", "d23"};
    return names[i];
}

/* Outputs that a gradient can arrive at: floats that are not the record of something persistent. */
static void find_outputs(grad_case *t, hd_val y) {
    const hd_op *op = t->c.op;
    for (int k = 0; k < op->n_out; k++) {
        const hd_val v = hd_output(y, k);
        const hd_type type = {hd_val_dtype(v), hd_val_dims(v)};
        if (op->alias[k] || type.dtype != HD_F64 || hd_dims_count(&type.dims) == 0) continue;
        hd_rng rng = hd_rng_new(11, seed_name(k));
        const int64_t n = hd_dims_count(&type.dims);
        double *seed = malloc((size_t)n * sizeof *seed);
        for (int64_t i = 0; i < n; i++) {
            const double r = hd_rng_normal(&rng);
            seed[i] = r + (r < 0 ? -0.1 : 0.1);
        }
        t->type[t->n_outputs] = type;
        t->seed[t->n_outputs] = seed;
        t->outputs[t->n_outputs++] = k;
    }
}

/* Σ seed·y over the outputs as a value; of one output alone the seed arrives there directly. */
static void add_gradients(grad_case *t, int which, hd_val y, const hd_val *vals) {
    hd_val seeds[HD_OP_MAX_OUT], of[OP_CASE_MOST], grads[OP_CASE_MOST], value = {0};
    int32_t index[OP_CASE_MOST], n = 0;
    hd_graph *g = t->graphs[1];
    for (int k = 0; k < t->n_outputs; k++) {
        if (which >= 0 && k != which) continue;
        const hd_val out = hd_output(y, t->outputs[k]);
        seeds[k] = hd_input(g, seed_name(k), HD_F64, t->type[k].dims);
        if (which >= 0) {
            value = out;
            continue;
        }
        const hd_val part = hd_sum(hd_mul(out, seeds[k]));
        value = hd_val_is_none(value) ? part : hd_add(value, part);
    }
    for (int i = 0; i < t->c.n_in; i++) {
        t->given[i] = false;
        if (t->c.in[i].dims.rank < 0 || !op_float(t->c.in[i].dtype)) continue;
        of[n] = vals[i];
        index[n++] = i;
    }
    CASE_OK(t, hd_gradients(value, which >= 0 ? seeds[which] : (hd_val){0}, of, n, grads));
    hd_val last = value;
    for (int32_t i = 0; i < n; i++) {
        if (hd_val_is_none(grads[i])) continue;
        t->given[index[i]] = true;
        last = hd_neg(grads[i]); /* a node of its own: two inputs may have the same gradient */
        hd_mark_output(last, grad_name(index[i]));
    }
    CASE_OK(t, hd_graph_status(g));
    compile(t, &t->backward, last);
}

static void run(grad_case *t, hd_program *p) {
    for (int i = 0; i < t->c.n_in; i++) {
        if (t->c.in[i].dims.rank < 0) continue;
        if (op_changes(t->c.op, i)) /* may not be part of the program: then it does not matter */
            (void)!hd_store_set(hd_program_store(p), op_input_name(i), t->c.data[i], op_bytes(&t->c.in[i]));
        else if (hd_program_input(p, op_input_name(i)) >= 0)
            CASE_OK(t, hd_program_set(p, op_input_name(i), t->c.data[i]));
    }
    for (int k = 0; k < t->n_outputs; k++)
        if (hd_program_input(p, seed_name(k)) >= 0) CASE_OK(t, hd_program_set(p, seed_name(k), t->seed[k]));
    CASE_OK(t, hd_program_run(p));
}

/* Σ seed·y by the forward program. */
static long double objective(grad_case *t, int which) {
    long double sum = 0;
    run(t, t->forward);
    for (int k = 0; k < t->n_outputs; k++) {
        if (which >= 0 && k != which) continue;
        const double *y = hd_program_get(t->forward, op_input_name(k)); /* marked by the number of the output */
        assert_non_null(y);
        for (int64_t i = 0; i < hd_dims_count(&t->type[k].dims); i++)
            sum += (long double)t->seed[k][i] * (long double)y[i];
    }
    return sum;
}

/* Slope of the objective when input i moves along `direction` (element `at` alone when it is NULL). */
static double slope(grad_case *t, int which, int i, const double *direction, int64_t at) {
    double *x = t->c.data[i];
    const int64_t n = hd_dims_count(&t->c.in[i].dims);
    double *kept = malloc((size_t)n * sizeof *kept);
    memcpy(kept, x, (size_t)n * sizeof *kept);
    long double side[2];
    for (int s = 0; s < 2; s++) {
        for (int64_t j = 0; j < n; j++) {
            const double by = direction ? direction[j] : j == at;
            x[j] = kept[j] + (s ? -step : step) * by;
        }
        side[s] = objective(t, which);
    }
    memcpy(x, kept, (size_t)n * sizeof *kept);
    free(kept);
    return (double)((side[0] - side[1]) / (2 * (long double)step));
}

static void compare(grad_case *t, int which, int i, const char *where, double got, double want) {
    if (fabs(got - want) <= absolute + relative * fmax(fabs(got), fabs(want))) return;
    CASE_FAIL(t, "gradient of %s (from output %d) %s is %.9g, differences say %.9g%s", hd_op_in_name(t->c.op, i),
              which < 0 ? -1 : t->outputs[which], where, got, want, t->given[i] ? "" : "; the rule leaves it out");
}

static void check_input(grad_case *t, int which, int i) {
    const int64_t n = hd_dims_count(&t->c.in[i].dims);
    double *grad = calloc((size_t)n + 1, sizeof *grad), *direction = malloc(((size_t)n + 1) * sizeof *direction);
    if (t->given[i]) {
        const double *negative = hd_program_get(t->backward, grad_name(i));
        assert_non_null(negative);
        for (int64_t j = 0; j < n; j++) grad[j] = -negative[j];
    }
    hd_rng rng = hd_rng_new(13, op_input_name(i));
    char where[64];
    for (int64_t j = 0; j < n; j++) t->largest = fmax(t->largest, fabs(grad[j]));
    for (int64_t j = 0; j < (n <= ELEMENTS ? n : SOME); j++) {
        const int64_t at = n <= ELEMENTS ? j : (int64_t)hd_rng_below(&rng, (uint64_t)n);
        (void)snprintf(where, sizeof where, "at element %lld", (long long)at);
        compare(t, which, i, where, grad[at], slope(t, which, i, NULL, at));
    }
    for (int d = 0; n && d < DIRECTIONS; d++) {
        double along = 0;
        for (int64_t j = 0; j < n; j++) {
            direction[j] = hd_rng_normal(&rng);
            along += direction[j] * grad[j];
        }
        compare(t, which, i, "along a direction", along, slope(t, which, i, direction, 0));
    }
    free(direction);
    free(grad);
}

static void check_outputs(grad_case *t, int which) {
    hd_val vals[OP_CASE_MOST], y;
    t->graphs[1] = build(t, vals, &y);
    add_gradients(t, which, y, vals);
    run(t, t->backward);
    for (int i = 0; i < t->c.n_in; i++)
        if (t->c.in[i].dims.rank >= 0 && op_float(t->c.in[i].dtype)) check_input(t, which, i);
    hd_program_free(t->backward);
    hd_graph_free(t->graphs[1]);
}

/* True when there was something to check. */
static bool check_sample(hd_context *ctx, const hd_op *op, const hd_sample *s) {
    grad_case t = {.ctx = ctx};
    hd_val vals[OP_CASE_MOST], y;
    assert_true(op_case_read(&t.c, ctx, op, s->text, HD_F64));
    t.graphs[0] = build(&t, vals, &y);
    find_outputs(&t, y);
    if (t.n_outputs) {
        for (int k = 0; k < t.n_outputs; k++) hd_mark_output(hd_output(y, t.outputs[k]), op_input_name(k));
        compile(&t, &t.forward, hd_output(y, t.outputs[0]));
        for (int k = 0; k < t.n_outputs; k++) check_outputs(&t, k);
        if (t.n_outputs > 1) check_outputs(&t, -1);
        if (t.largest == 0 && !op->no_grad_reason) CASE_FAIL(&t, "every gradient is 0: nothing was checked");
        if (t.largest != 0 && op->no_grad_reason) CASE_FAIL(&t, "has a gradient, and a reason why it has none");
        hd_program_free(t.forward);
    }
    hd_graph_free(t.graphs[0]);
    for (int k = 0; k < t.n_outputs; k++) free(t.seed[k]);
    op_case_free(&t.c);
    return t.n_outputs > 0;
}

/* Without a rule differentiation says why. */
static void check_reason(hd_context *ctx, const hd_op *op) {
    grad_case t = {.ctx = ctx};
    hd_val vals[OP_CASE_MOST], y, grads[OP_CASE_MOST];
    assert_true(op_case_read(&t.c, ctx, op, op->samples[0].text, HD_F64));
    t.graphs[0] = build(&t, vals, &y);
    if (hd_val_dtype(y) == HD_F64) {
        const hd_val seed = hd_input(t.graphs[0], "seed", HD_F64, hd_val_dims(y));
        assert_int_not_equal(hd_gradients(y, seed, vals, 1, grads), HD_OK);
        if (!strstr(hd_last_error(ctx), op->no_grad_reason))
            CASE_FAIL(&t, "\"%s\" does not say why: %s", hd_last_error(ctx), op->no_grad_reason);
    }
    hd_graph_free(t.graphs[0]);
    op_case_free(&t.c);
}

/* An input without elements; options may begin with 0. */
static bool is_empty(const char *text) {
    const char *zero = strstr(text, "[0"), *bar = strchr(text, '|');
    return zero && (!bar || zero < bar);
}

static void test_gradients(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    int checked = 0;
    for (int i = 0; hd_op_at(i); i++) {
        const hd_op *op = hd_op_at(i);
        if (!op->grad) {
            check_reason(ctx, op);
            continue;
        }
        int n = 0;
        for (const hd_sample *s = op->samples; s->text; s++)
            if (!s->expect && !is_empty(s->text)) n += check_sample(ctx, op, s);
        if (!n) fail_msg("%s: its gradient is never checked", op->name);
        checked += n;
    }
    print_message("%d samples\n", checked);
    assert_true(checked > 100);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
