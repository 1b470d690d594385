/* test_ops.c: every op of the table and every sample it brings: what a descriptor must say; literal results; outputs
 * written whatever lay there before; in place; print → parse → same; refusals with their message; failing allocations.
 */
#include "hadal/program.h"
#include "op_case.h"
#include <dirent.h>

/* Fails with the op's name and the sample. */
#define OP_FAIL(c, ...)                                                                                                \
    do {                                                                                                               \
        char why_[1024];                                                                                               \
        (void)snprintf(why_, sizeof why_, __VA_ARGS__);                                                                \
        fail_msg("%s: \"%s\": %s", (c)->op->name, (c)->text, why_);                                                    \
    } while (0)

typedef void (*on_sample)(hd_context *ctx, const hd_op *op, const hd_sample *sample);

static void each_sample(on_sample body) {
    hd_context *ctx = test_context(1);
    for (int i = 0; hd_op_at(i); i++)
        for (const hd_sample *s = hd_op_at(i)->samples; s && s->text; s++) body(ctx, hd_op_at(i), s);
    hd_context_free(ctx);
}

/* ---- descriptors ---- */

static int count_names(const char *const *names) {
    int n = 0;
    while (names && names[n]) n++;
    return n;
}

static void check_options(const hd_op *op) {
    for (const hd_option *o = op->options; o && o->name; o++) {
        if (!o->help || !*o->help) fail_msg("%s: option %s has no help", op->name, o->name);
        if (o->offset < sizeof(hd_val) || o->offset >= op->args_size)
            fail_msg("%s: option %s lies outside its args", op->name, o->name);
        if (o->type == HD_OPT_ENUM && !o->choices) fail_msg("%s: option %s has no choices", op->name, o->name);
        if (hd_option_find(op->options, o->name) != o) fail_msg("%s: option %s is there twice", op->name, o->name);
    }
}

static void check_descriptor(const hd_op *op) {
    const char *n = op->name;
    if (!op->infer || !op->ref) fail_msg("%s: infer or ref is missing", n);
    if (!op->doc || strlen(op->doc) < 20 || op->doc[strlen(op->doc) - 1] != '.') fail_msg("%s: doc is no sentence", n);
    if (!op->formula || !*op->formula) fail_msg("%s: no formula", n);
    if (!op->source || !*op->source) fail_msg("%s: no source", n);
    if (!op->grad && (!op->no_grad_reason || !*op->no_grad_reason)) fail_msg("%s: neither gradient nor reason", n);
    if (op->n_out < 1 || op->n_out > HD_OP_MAX_OUT) fail_msg("%s: %d outputs", n, op->n_out);
    if (!op->samples || !op->samples[0].text) fail_msg("%s: no samples", n);
    const bool variadic = op->flags & HD_OP_VARIADIC;
    const int inputs = op->n_in + op->n_optional;
    if (op->in_names && !variadic && count_names(op->in_names) != inputs)
        fail_msg("%s: %d inputs, %d names for them", n, inputs, count_names(op->in_names));
    if (!op->in_names && inputs > 2) fail_msg("%s: its %d inputs need names", n, inputs);
    if ((op->out_names || op->n_out > 1) && count_names(op->out_names) != op->n_out)
        fail_msg("%s: %d outputs, %d names for them", n, op->n_out, count_names(op->out_names));
    if (!variadic && op->args_size < sizeof(hd_val) * (size_t)inputs) fail_msg("%s: args are too small", n);
    for (int o = 0; o < op->n_out; o++)
        if (op->alias[o] > inputs) fail_msg("%s: output %d is aliased to no input", n, o);
    if (hd_op_find(NULL, n) != op) fail_msg("%s: the name is there twice", n);
    bool literal = false;
    for (const hd_sample *s = op->samples; s->text; s++) literal |= s->expect != NULL;
    if (!literal) fail_msg("%s: no sample with a literal result", n);
    check_options(op);
}

static void test_descriptors(void **state) {
    (void)state;
    int n = 0;
    for (; hd_op_at(n); n++) check_descriptor(hd_op_at(n));
    assert_true(n > 60);
    assert_null(hd_op_at(-1));
    assert_null(hd_op_find(NULL, "no_such_op"));
}

/* The op that a line of a source file describes: "const hd_op hd_op_NAME = {", or "HD_…_OP(NAME, …" of a kit. */
static char *described(char *line) {
    static const char prefix[] = "const hd_op hd_op_";
    char *kit = strstr(line, "_OP(");
    char *op = strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix) : NULL;
    if (!op && kit && strncmp(line, "HD_", 3) == 0) op = kit + 4;
    return op;
}

/* Every descriptor in src/ops is in ops.def; every file there holds one (files op_… are shared by several). */
static void check_file(const char *name) {
    char path[512], line[1024];
    (void)snprintf(path, sizeof path, "src/ops/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int found = 0;
    while (fgets(line, sizeof line, f)) {
        char *op = described(line);
        if (!op) continue;
        if (*op == '\n' && fgets(line, sizeof line, f))
            op = line + strspn(line, " "); /* the name is on the next line */
        op[strcspn(op, " ;,)")] = 0;
        if (!hd_op_find(NULL, op)) fail_msg("%s defines %s, ops.def does not list it", path, op);
        found++;
    }
    (void)fclose(f);
    if (!found && strncmp(name, "op_", 3) != 0) fail_msg("%s defines no op", path);
}

static void test_files(void **state) {
    (void)state;
    DIR *folder = opendir("src/ops");
    if (!folder) {
        print_message("skipped: src/ops is not in the working directory\n");
        skip();
    }
    int n = 0;
    for (struct dirent *e; (e = readdir(folder)); n++) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot && strcmp(dot, ".c") == 0) check_file(e->d_name);
    }
    (void)closedir(folder);
    assert_true(n > 40);
}

/* ---- definitions ---- */

/* A sample laid out for ref. */
typedef struct op_run {
    op_case c;
    int n_in;
    hd_tensor in[OP_CASE_MOST], out[HD_OP_MAX_OUT];
} op_run;

static hd_cost run_open(op_run *r, hd_context *ctx, const hd_op *op, const hd_sample *s, hd_dtype floats) {
    char message[512] = "";
    hd_type out[HD_OP_MAX_OUT] = {0};
    *r = (op_run){0};
    if (!op_case_read(&r->c, ctx, op, s->text, floats)) OP_FAIL(&r->c, "%s", r->c.message);
    if (hd_options_settle(op->options, r->c.attr, message, sizeof message) != HD_OK) OP_FAIL(&r->c, "%s", message);
    hd_infer infer = {.op = op,
                      .attr = r->c.attr,
                      .n_in = r->c.n_in,
                      .in = r->c.in,
                      .n_out = op->n_out,
                      .out = out,
                      .message = message,
                      .message_size = sizeof message};
    if (op->infer(&infer) != HD_OK) OP_FAIL(&r->c, "%s", message);
    r->n_in = r->c.n_in;
    for (int i = r->n_in; i < op->n_in + op->n_optional; i++) r->c.in[i].dims.rank = -1;
    if (r->n_in < op->n_in + op->n_optional) r->n_in = op->n_in + op->n_optional;
    for (int i = 0; i < r->n_in; i++) {
        const hd_type *t = &r->c.in[i];
        r->in[i] = (hd_tensor){t->dtype, t->dims, t->dims.rank < 0 ? 0 : hd_dims_count(&t->dims), r->c.data[i]};
    }
    for (int o = 0; o < op->n_out; o++)
        r->out[o] = (hd_tensor){out[o].dtype, out[o].dims, hd_dims_count(&out[o].dims), NULL};
    const hd_cost cost = op->cost ? op->cost(&infer) : (hd_cost){0};
    if (!(cost.flops >= 0) || !(cost.bytes >= 0)) OP_FAIL(&r->c, "cost %g FLOP, %g bytes", cost.flops, cost.bytes);
    return cost;
}

static size_t tensor_bytes(const hd_tensor *t) {
    return (size_t)t->count * hd_dtype_size(t->dtype);
}

/* Runs ref with outputs full of `poison`; inputs that the op changes are copied. The results are the caller's. */
static void run_ref(const op_run *r, int poison, bool in_place, void *result[HD_OP_MAX_OUT]) {
    hd_tensor in[OP_CASE_MOST], out[HD_OP_MAX_OUT];
    memcpy(in, r->in, sizeof in);
    memcpy(out, r->out, sizeof out);
    for (int o = 0; o < r->c.op->n_out; o++) {
        const size_t bytes = tensor_bytes(&out[o]);
        out[o].data = malloc(bytes ? bytes : 1);
        assert_non_null(out[o].data);
        memset(out[o].data, poison, bytes);
        const int from = in_place && o == 0 ? 0 : r->c.op->alias[o] - 1;
        if (from >= 0 && in[from].data) {
            assert_true(bytes == tensor_bytes(&in[from]));
            memcpy(out[o].data, in[from].data, bytes);
            in[from].data = out[o].data;
        }
        result[o] = out[o].data;
    }
    r->c.op->ref(&(hd_ref){r->c.attr, r->n_in, r->c.op->n_out, in, out});
}

static void check_literal(const op_run *r, const char *expect, void *const result[]) {
    const char *s = expect;
    for (int o = 0; o < r->c.op->n_out; o++) {
        const hd_tensor *t = &r->out[o];
        double *want = calloc((size_t)t->count + 1, sizeof *want);
        s = op_read_values(&r->c, op_blanks(s), HD_F64, want, t->count);
        for (int64_t i = 0; i < t->count; i++) {
            const double got = op_number(t->dtype, result[o], i), off = fabs(got - want[i]);
            const bool same = got == want[i] || (isnan(got) && isnan(want[i]));
            if (!same && !(isfinite(want[i]) && off <= 1e-6 * fmax(1, fabs(want[i]))))
                OP_FAIL(&r->c, "output %d, element %lld is %.9g, expected %.9g", o, (long long)i, got, want[i]);
        }
        free(want);
    }
    if (*op_blanks(s)) OP_FAIL(&r->c, "more is expected than %d outputs: %s", r->c.op->n_out, s);
}

static void check_sample(hd_context *ctx, const hd_op *op, const hd_sample *s) {
    for (int f64 = 0; f64 < 2; f64++) {
        op_run r;
        void *first[HD_OP_MAX_OUT], *again[HD_OP_MAX_OUT];
        (void)run_open(&r, ctx, op, s, f64 ? HD_F64 : HD_F32);
        run_ref(&r, 0xff, false, first); /* NaN, or -1 */
        if (s->expect) check_literal(&r, s->expect, first);
        for (int pass = 0; pass < 2; pass++) {
            const bool in_place = pass == 1;
            if (in_place && (!(op->flags & HD_OP_INPLACE) || tensor_bytes(&r.in[0]) != tensor_bytes(&r.out[0]))) break;
            run_ref(&r, 0x55, in_place, again);
            for (int o = 0; o < op->n_out; o++) {
                if (memcmp(first[o], again[o], tensor_bytes(&r.out[o])) != 0)
                    OP_FAIL(&r.c, "output %d %s", o,
                            in_place ? "differs in place" : "depends on what lay there before, or is not written");
                free(again[o]);
            }
        }
        for (int o = 0; o < op->n_out; o++) free(first[o]);
        op_case_free(&r.c);
    }
}

static void test_definitions(void **state) {
    (void)state;
    each_sample(check_sample);
}

/* ---- graphs ---- */

static void check_print(hd_context *ctx, const hd_op *op, const hd_sample *s) {
    op_case c;
    hd_graph *g, *read;
    hd_val vals[OP_CASE_MOST];
    char *text, *again;
    assert_true(op_case_read(&c, ctx, op, s->text, HD_F32));
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val y = op_case_build(&c, g, HD_HERE, vals);
    hd_mark_output(y, "result");
    if (hd_graph_print(g, &text) != HD_OK) OP_FAIL(&c, "%s", hd_last_error(ctx));
    if (hd_graph_parse(&read, ctx, "printed", text) != HD_OK) OP_FAIL(&c, "%s\n%s", hd_last_error(ctx), text);
    assert_int_equal(hd_graph_print(read, &again), HD_OK);
    if (strcmp(text, again) != 0) OP_FAIL(&c, "printed as\n%s\nread and printed as\n%s", text, again);
    bool plain = true; /* settled options are the same bytes, but for texts */
    for (const hd_option *o = op->options; o && o->name; o++) plain &= o->type != HD_OPT_STRING;
    if (plain && memcmp(g->nodes[0].attr, read->nodes[0].attr, op->args_size) != 0)
        OP_FAIL(&c, "an option is lost in print:\n%s", text);
    hd_memory_free(ctx, text);
    hd_memory_free(ctx, again);
    hd_graph_free(read);
    hd_graph_free(g);
    op_case_free(&c);
}

static void test_print_parse(void **state) {
    (void)state;
    each_sample(check_print);
}

static void check_bad(hd_context *ctx, const hd_op *op, const hd_bad_sample *bad) {
    op_case c;
    hd_graph *g;
    hd_val vals[OP_CASE_MOST];
    if (!bad->message || !*bad->message) fail_msg("%s: bad sample \"%s\" says no message", op->name, bad->text);
    const bool read = op_case_read(&c, ctx, op, bad->text, HD_F32);
    if (!read && !strstr(c.message, bad->message)) OP_FAIL(&c, "expected \"%s\", got \"%s\"", bad->message, c.message);
    if (read) {
        char place[256];
        assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
        const hd_loc at = {"model.c", 12, 0};
        const hd_val y = op_case_build(&c, g, at, vals);
        if (hd_graph_status(g) == HD_OK) OP_FAIL(&c, "expected a refusal with \"%s\", it is accepted", bad->message);
        const char *got = hd_last_error(ctx);
        (void)snprintf(place, sizeof place, "model.c:12: %s", op->name);
        if (!strstr(got, bad->message)) OP_FAIL(&c, "expected \"%s\", got \"%s\"", bad->message, got);
        if (strncmp(got, place, strlen(place)) != 0) OP_FAIL(&c, "\"%s\" does not begin with \"%s\"", got, place);
        (void)hd_relu(y); /* later calls do nothing */
        assert_int_equal(hd_graph_status(g), HD_E_MODEL);
        hd_graph_free(g);
    }
    op_case_free(&c);
}

static void test_refusals(void **state) {
    (void)state;
    int checked = 0;
    hd_context *ctx = test_context(1);
    for (int i = 0; hd_op_at(i); i++) {
        const hd_op *op = hd_op_at(i);
        int n = 0;
        for (const hd_bad_sample *b = op->bad; b && b->text; b++, n++) check_bad(ctx, op, b);
        if (!op->bad && !(op->flags & HD_OP_INTERNAL)) fail_msg("%s: no bad sample", op->name); /* empty: takes all */
        checked += n;
    }
    assert_true(checked > 60);
    hd_context_free(ctx);
}

/* A name of a layer in the message: the parameter's, without its last part. */
static void test_place_of_a_refusal(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 1, 28, 28));
    const hd_val w = hd_param(g, "c1.weight", HD_F32, HD_DIMS(8, 3, 3, 3), HD_ZEROS);
    const hd_conv2d_args args = {.x = x, .w = w};
    (void)hd_conv2d_at((hd_loc){"model.c", 12, 0}, &args);
    assert_int_equal(hd_graph_status(g), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "model.c:12: conv2d \"c1\": weight [8,3,3,3] expects 3 input channels, "
                                            "input x [B,1,28,28] has 1");
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* ---- the batch, before it is bound ---- */

static void expect_dims(hd_val v, const char *want) {
    char text[192];
    const hd_dims dims = hd_val_dims(v);
    if (hd_graph_status(v.graph) != HD_OK) fail_msg("%s", hd_last_error(hd_graph_context(v.graph)));
    assert_string_equal(hd_dims_text(text, &dims), want);
}

static void test_open_batch(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_graph *g;
    assert_int_equal(hd_graph_new(&g, ctx), HD_OK);
    const hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 3, 8, 8));
    const hd_val w = hd_param(g, "w", HD_F32, HD_DIMS(5, 3, 3, 3), HD_ZEROS);
    const hd_val y = hd_conv2d(x, w, .padding = {1, 1});
    expect_dims(y, "[B,5,8,8]");
    expect_dims(hd_max_pool2d(y, .kernel_size = {2, 2}), "[B,5,4,4]");
    expect_dims(hd_global_avg_pool(y), "[B,5,1,1]");
    expect_dims(hd_flatten(y), "[B,320]");
    expect_dims(hd_reshape(y, .dims = HD_DIMS(HD_BATCH, 320)), "[B,320]");
    expect_dims(hd_reshape(y, .dims = HD_DIMS(HD_BATCH, 0, 64)), "[B,5,64]");
    expect_dims(hd_reshape(y, .dims = HD_DIMS(0, 64)),
                "[B,64]"); /* five times the batch, told apart once it is bound */
    expect_dims(hd_reshape_like(hd_flatten(y), y), "[B,5,8,8]");
    expect_dims(hd_sum(y, .axes = HD_DIMS(0, 2, 3)), "[5]");
    expect_dims(hd_add(x, hd_sum(x, .axes = HD_DIMS(0), .keepdim = true)), "[B,3,8,8]");
    expect_dims(hd_transpose(x, .axes = HD_DIMS(0, 2, 3, 1)), "[B,8,8,3]");
    expect_dims(hd_slice(x, .stop = 2), "[B,2,8,8]");
    expect_dims(hd_pad(x, .before = HD_DIMS(0, 0, 1, 1)), "[B,3,9,9]");
    expect_dims(hd_concat((hd_val[]){x, y}, 2), "[B,8,8,8]");
    (void)hd_reshape(y, .dims = HD_DIMS(HD_BATCH, 7, 64));
    assert_int_equal(hd_graph_status(g), HD_E_MODEL);
    assert_non_null(strstr(hd_last_error(ctx), "x [B,5,8,8] can not become [B,7,64]"));
    hd_graph_free(g);
    hd_context_free(ctx);
}

/* ---- costs ---- */

/* A multiply-add is 2. */
static void test_costs(void **state) {
    static const struct {
        const char *op, *sample;
        double flops, bytes;
    } cases[] = {
        {"linear", "f32[3,4], f32[5,4], f32[5]", 2 * 3 * 4 * 5, -1},
        {"matmul", "f32[2,3,4], f32[2,4,5]", 2 * 2 * 3 * 4 * 5, 4 * (24 + 40 + 30)},
        {"conv2d", "f32[2,4,5,6], f32[6,2,3,3] | padding=1 groups=2", 2 * 2 * 6 * 30 * 2 * 9, 4 * (240 + 108 + 360)},
        {"conv2d_grad_input", "f32[2,4,5,6], f32[4,3,3,3], f32[2,3,5,6] | padding=1", 2 * 2 * 4 * 30 * 27, -1},
        {"conv2d_grad_weight", "f32[2,3,5,6], f32[2,4,5,6], f32[4,3,3,3] | padding=1", 2 * 2 * 4 * 30 * 27, -1},
        {"sum", "f64[3,4] | axes=[0]", 12, 8 * (12 + 4)},
        {"reshape", "f32[3,4] | dims=[12]", 0, 0},
        {"transpose", "f32[3,4]", 0, 4 * 24},
        {"max_pool2d", "f32[1,2,4,4] | kernel_size=2", 2 * 4 * 4, -1},
    };
    (void)state;
    hd_context *ctx = test_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        op_run r;
        const hd_op *op = hd_op_find(NULL, cases[i].op);
        const hd_cost cost = run_open(&r, ctx, op, &(hd_sample){cases[i].sample, NULL}, HD_F32);
        if (cost.flops != cases[i].flops || (cases[i].bytes >= 0 && cost.bytes != cases[i].bytes))
            OP_FAIL(&r.c, "costs %g FLOP and %g bytes", cost.flops, cost.bytes);
        op_case_free(&r.c);
    }
    hd_context_free(ctx);
}

/* ---- failing allocations ---- */

static hd_status build_all(hd_context *ctx, void *arg) {
    const op_case *c = arg;
    hd_val vals[OP_CASE_MOST];
    hd_graph *g;
    hd_status status = hd_graph_new(&g, ctx);
    if (status != HD_OK) return status;
    hd_val y = op_case_build(c, g, HD_HERE, vals);
    status = hd_graph_status(g);
    if (status == HD_OK && c->op->grad && op_float(hd_val_dtype(y))) {
        hd_val of[OP_CASE_MOST], grads[OP_CASE_MOST];
        int n = 0;
        for (int i = 0; i < c->n_in; i++)
            if (!hd_val_is_none(vals[i]) && op_float(c->in[i].dtype)) of[n++] = vals[i];
        status = hd_gradients(y, hd_input(g, "seed", hd_val_dtype(y), hd_val_dims(y)), of, n, grads);
    }
    hd_graph_free(g);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    for (int i = 0; hd_op_at(i); i++) {
        op_case c;
        const hd_op *op = hd_op_at(i);
        const hd_sample *s = op->samples;
        while (s[1].text) s++; /* the last: usually one with options */
        assert_true(op_case_read(&c, ctx, op, s->text, HD_F32));
        (void)fail_every_allocation(build_all, &c);
        op_case_free(&c);
    }
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_files),    cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_print_parse), cmocka_unit_test(test_refusals), cmocka_unit_test(test_place_of_a_refusal),
        cmocka_unit_test(test_open_batch),  cmocka_unit_test(test_costs),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
