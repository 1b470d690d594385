/* test_tuning.c: tables of measured kernels: written and read, hostile ones, followed or passed over, the same bits on
 * any number of threads; and hd_tune by a clock of the test's, so that the test decides which kernel wins. */
#include "compile/tune_table.h"
#include "hadal/hadal.h"
#include "support.h"
#include <math.h>

#define GOES(ctx, call)                                                                                                \
    do {                                                                                                               \
        if ((call) != HD_OK) fail_msg("%s", hd_last_error(ctx));                                                       \
    } while (0)

enum { BATCH = 48, INPUTS = 96, HIDDEN = 160, OUTPUTS = 10 };
static float pictures[BATCH * INPUTS];
static int64_t labels[BATCH];

typedef struct net {
    hd_context *ctx;
    hd_graph *g;
    hd_store *store;
    hd_tuning *table;
    hd_val loss;
} net;

static hd_val products(hd_graph *g) {
    hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, INPUTS));
    hd_val h = hd_relu(hd_nn_linear(x, .name = "a", .out_features = HIDDEN));
    h = hd_relu(hd_nn_linear(h, .name = "b", .out_features = HIDDEN));
    return hd_nn_linear(h, .name = "c", .out_features = OUTPUTS);
}

/* Two convolutions between which every kernel may take another order in memory. */
static hd_val pictures_net(hd_graph *g) {
    hd_val x = hd_reshape(hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, INPUTS)), .dims = HD_DIMS(HD_BATCH, 1, 8, 12));
    hd_val h = x;
    for (int i = 0; i < 3; i++) {
        const char name[] = {'c', (char)('0' + i), 0};
        h = hd_relu(hd_nn_conv2d(h, .name = name, .out_channels = 32, .kernel_size = {3, 3}, .padding = {1, 1}));
    }
    return hd_nn_linear(hd_flatten(h), .name = "fc", .out_features = OUTPUTS);
}

static net make(hd_val (*build)(hd_graph *), int threads) {
    net n = {.ctx = test_context(threads)};
    GOES(n.ctx, hd_graph_new(&n.g, n.ctx));
    GOES(n.ctx, hd_store_new(&n.store, n.ctx, 5));
    GOES(n.ctx, hd_tuning_new(&n.table, n.ctx));
    n.loss = hd_cross_entropy(build(n.g), hd_input(n.g, "label", HD_I64, HD_DIMS(HD_BATCH)));
    hd_mark_output(n.loss, "loss");
    return n;
}

static void end(net *n) {
    hd_store_free(n->store);
    hd_graph_free(n->g);
    hd_tuning_free(n->table);
    hd_context_free(n->ctx);
}

static hd_program *compile(net *n, hd_compile_args args) {
    hd_program *p;
    args.batch = BATCH;
    args.store = n->store;
    if (!args.backend) args.tuning = n->table;
    GOES(n->ctx, hd_compile_with(&p, hd_train_step(n->loss, hd_sgd(.lr = 0.1)), &args));
    hd_program_bind(p, hd_program_input(p, "x"), pictures);
    hd_program_bind(p, hd_program_input(p, "label"), labels);
    return p;
}

/* Does the list of kernels hold this text? */
static bool runs(net *n, const hd_program *p, const char *text) {
    char *json;
    GOES(n->ctx, hd_program_kernels(p, &json));
    const bool found = strstr(json, text) != NULL;
    hd_memory_free(n->ctx, json);
    return found;
}

static const char *const first_key = "linear act=relu : f32[48,96] f32[160,96] f32[160] > f32[48,160]";
static const char *const second_key = "linear act=relu : f32[48,160] f32[160,160] f32[160] > f32[48,160]";

/* ---- files ---- */

static char *printed(const hd_tuning *t) {
    hd_text out = {.ctx = t->ctx};
    GOES(t->ctx, hd_tuning_print(t, &out));
    char *copy = strdup(out.data);
    hd_text_free(&out);
    return copy;
}

static void test_print_parse(void **state) {
    (void)state;
    net n = make(products, 1);
    int32_t other;
    GOES(n.ctx, hd_tuning_put(n.table, second_key, "cpu.linear", 2, 12.345));
    GOES(n.ctx, hd_tuning_put(n.table, first_key, "cpu.linear.small", 0, 0));
    GOES(n.ctx, hd_tuning_machine(n.table, &(hd_machine){"Z80 (1-2-3)", "generic", "no oneDNN", "0.0.1"}, &other));
    GOES(n.ctx, hd_tuning_append(n.table, &(hd_tuned){.machine = other, .key = first_key, .kernel = "old", .us = 7}));
    hd_tuning_sort(n.table);
    char *text = printed(n.table);
    hd_tuning *again, *copy;
    GOES(n.ctx, hd_tuning_new(&again, n.ctx));
    GOES(n.ctx, hd_tuning_parse(again, "again", text, strlen(text)));
    char *second = printed(again);
    assert_string_equal(text, second);
    const hd_tuning_facts f = hd_tuning_get_facts(again);
    assert_int_equal(f.entries, 2);
    assert_int_equal(f.others, 1);
    assert_string_equal(f.other, "Z80 (1-2-3), generic, no oneDNN, hadal 0.0.1");
    assert_string_equal(hd_tuning_find(again, second_key)->kernel, "cpu.linear");
    assert_int_equal(hd_tuning_find(again, second_key)->variant, 2);
    assert_null(hd_tuning_find(again, "linear : f32[1,2]"));
    /* Reading it again changes nothing, a newer choice replaces an older one, a copy holds the same. */
    GOES(n.ctx, hd_tuning_put(again, second_key, "cpu.linear", 1, 1));
    GOES(n.ctx, hd_tuning_parse(again, "again", text, strlen(text)));
    GOES(n.ctx, hd_tuning_copy(&copy, again));
    char *third = printed(copy);
    assert_string_equal(text, third);
    free(text), free(second), free(third);
    hd_tuning_free(copy);
    hd_tuning_free(again);
    end(&n);
}

static void test_save_load(void **state) {
    (void)state;
    net n = make(products, 1);
    char path[4200];
    const char *folder = test_folder();
    (void)snprintf(path, sizeof path, "%s/new/folder/tune.json", folder);
    assert_int_equal(hd_tuning_load(n.table, path), HD_E_FILE);
    GOES(n.ctx, hd_tuning_put(n.table, first_key, "cpu.linear", 2, 1));
    GOES(n.ctx, hd_tuning_save(n.table, path));
    hd_tuning *again;
    GOES(n.ctx, hd_tuning_new(&again, n.ctx));
    GOES(n.ctx, hd_tuning_load(again, path));
    assert_int_equal(hd_tuning_get_facts(again).entries, 1);
    hd_tuning_free(again);
    test_folder_remove(folder);
    end(&n);
}

#define TABLE(machines) "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": [" machines "]}"
#define MACHINE(choices)                                                                                               \
    "{\"cpu\": \"c\", \"isa\": \"i\", \"library\": \"l\", \"hadal\": \"h\", \"choices\": {" choices "}}"
#define CHOICE(k, v, us) "\"key\": {\"kernel\": " k ", \"variant\": " v ", \"us\": " us "}"
#define CHOSEN(k, v, us) TABLE(MACHINE(CHOICE(k, v, us)))

static void test_hostile(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "null",
                                      "{\"format\": \"hadal-tuning\", \"version\": 1}",
                                      TABLE("") "x",
                                      "{\"format\": \"hadal-tuning\", \"version\": 2, \"machines\": []}",
                                      "{\"format\": \"other\", \"version\": 1, \"machines\": []}",
                                      "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": {}}",
                                      "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": [], \"more\": 1}",
                                      TABLE("1"),
                                      TABLE("{}"),
                                      TABLE("{\"cpu\": \"c\"}"),
                                      TABLE(MACHINE("\"key\": 1")),
                                      TABLE(MACHINE("\"key\": {}")),
                                      TABLE(MACHINE("\"\": {\"kernel\": \"k\", \"variant\": 0, \"us\": 1}")),
                                      TABLE(MACHINE("\"\\u001b[2J\": {\"kernel\": \"k\", \"variant\": 0, \"us\": 1}")),
                                      TABLE(MACHINE(CHOICE("\"k\"", "0", "1") ", " CHOICE("\"k\"", "1", "1"))),
                                      TABLE(MACHINE("") ", " MACHINE("")),
                                      CHOSEN("1", "0", "1"),
                                      CHOSEN("\"\"", "0", "1"),
                                      CHOSEN("\"k\\n\"", "0", "1"),
                                      CHOSEN("\"k\"", "-1", "1"),
                                      CHOSEN("\"k\"", "256", "1"),
                                      CHOSEN("\"k\"", "1.5", "1"),
                                      CHOSEN("\"k\"", "\"0\"", "1"),
                                      CHOSEN("\"k\"", "0", "-1"),
                                      CHOSEN("\"k\"", "0", "null"),
                                      CHOSEN("\"k\"", "99999999999999999999", "1")};
    net n = make(products, 1);
    GOES(n.ctx, hd_tuning_put(n.table, first_key, "cpu.linear", 2, 1));
    char *before = printed(n.table);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (hd_tuning_parse(n.table, "table.json", bad[i], strlen(bad[i])) != HD_E_MODEL)
            fail_msg("number %zu was taken: %s", i, bad[i]);
        assert_non_null(strstr(hd_last_error(n.ctx), "table.json"));
        char *after = printed(n.table);
        assert_string_equal(before, after);
        free(after);
    }
    GOES(n.ctx, hd_tuning_parse(n.table, "fine", CHOSEN("\"k\"", "255", "0"), strlen(CHOSEN("\"k\"", "255", "0"))));
    free(before);
    end(&n);
}

/* More machines and more choices than any table has. */
static void test_too_much(void **state) {
    (void)state;
    net n = make(products, 1);
    hd_text t = {.ctx = n.ctx};
    hd_text_puts(&t, "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": [");
    for (int i = 0; i < 65; i++)
        hd_text_printf(&t,
                       "%s{\"cpu\": \"c%d\", \"isa\": \"i\", \"library\": \"l\", \"hadal\": \"h\", \"choices\": {}}",
                       i ? "," : "", i);
    hd_text_puts(&t, "]}");
    assert_int_equal(hd_tuning_parse(n.table, "t", t.data, t.length), HD_E_MODEL);
    hd_text_free(&t);
    t = (hd_text){.ctx = n.ctx};
    hd_text_puts(&t, "{\"format\": \"hadal-tuning\", \"version\": 1, \"machines\": [{\"cpu\": \"c\", \"isa\": \"i\", "
                     "\"library\": \"l\", \"hadal\": \"h\", \"choices\": {");
    for (int i = 0; i <= HD_TUNED_MOST; i++)
        hd_text_printf(&t, "%s\"k%d\": {\"kernel\": \"k\", \"variant\": 0, \"us\": 1}", i ? "," : "", i);
    hd_text_puts(&t, "}}]}");
    assert_int_not_equal(hd_tuning_parse(n.table, "t", t.data, t.length), HD_OK);
    assert_int_equal(hd_tuning_get_facts(n.table).others, 0);
    hd_text_free(&t);
    end(&n);
}

/* ---- following ---- */

static void test_followed(void **state) {
    (void)state;
    net n = make(products, 2);
    hd_program *p = compile(&n, (hd_compile_args){0});
    assert_false(runs(&n, p, "\"tuned\": true"));
    assert_int_equal(hd_program_get_facts(p).tuned, 0);
    hd_program_free(p);
    GOES(n.ctx, hd_tuning_put(n.table, first_key, "cpu.linear", 0, 1));
    GOES(n.ctx, hd_tuning_put(n.table, second_key, "cpu.linear.small", 2, 1));
    p = compile(&n, (hd_compile_args){0});
    GOES(n.ctx, hd_program_run(p));
    assert_true(runs(&n, p, "\"kernel\": \"cpu.linear\", \"variant\": 0, \"tuned\": true"));
    assert_true(runs(&n, p, "\"kernel\": \"cpu.linear.small\", \"variant\": 2, \"tuned\": true"));
    assert_int_equal(hd_program_get_facts(p).tuned, 2);
    const hd_tuning_facts f = hd_tuning_get_facts(n.table);
    assert_int_equal(f.used, 2);
    assert_int_equal(f.skipped, 0);
    hd_program_free(p);
    p = compile(&n, (hd_compile_args){.backend = "ref"});
    assert_int_equal(hd_program_get_facts(p).tuned, 0);
    hd_program_free(p);
    end(&n);
}

/* What does not exist, has no such way, or refuses is passed over: the rule decides. */
static void test_passed_over(void **state) {
    (void)state;
    static const struct {
        const char *kernel;
        int variant;
    } wrong[] = {{"no.such.kernel", 0}, {"cpu.linear", 3}, {"cpu.linear", 255},
                 {"cpu.conv2d", 0},     {"ref", 0},        {"cpu.linear", 1} /* it is one task already */};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        net n = make(products, 1);
        GOES(n.ctx, hd_tuning_put(n.table, first_key, wrong[i].kernel, wrong[i].variant, 1));
        hd_program *p = compile(&n, (hd_compile_args){0});
        GOES(n.ctx, hd_program_run(p));
        assert_int_equal(hd_program_get_facts(p).tuned, 0);
        assert_int_equal(hd_tuning_get_facts(n.table).skipped, 1);
        assert_int_equal(hd_tuning_get_facts(n.table).used, 0);
        hd_tuning_keep_used(n.table);
        assert_int_equal(hd_tuning_get_facts(n.table).entries, 0);
        hd_program_free(p);
        end(&n);
    }
}

/* Exact programs have choices of their own, and no choice makes a fast kernel of an exact one. */
static void test_exact(void **state) {
    (void)state;
    net n = make(pictures_net, 1);
    const char *key = "conv2d padding=[1,1] act=relu : f32[48,32,8,12] f32[32,32,3,3] f32[32] > f32[48,32,8,12]";
    char exact[300];
    (void)snprintf(exact, sizeof exact, "%s exact", key);
    GOES(n.ctx, hd_tuning_put(n.table, key, "cpu.conv2d", 0, 1));
    GOES(n.ctx, hd_tuning_put(n.table, exact, "onednn.conv2d.winograd", 0, 1));
    hd_program *p = compile(&n, (hd_compile_args){.exact = true});
    GOES(n.ctx, hd_program_run(p));
    assert_int_equal(hd_program_get_facts(p).tuned, 0);
    assert_int_equal(hd_tuning_get_facts(n.table).skipped, 1);
    assert_false(runs(&n, p, "winograd\", \"variant"));
    hd_program_free(p);
    p = compile(&n, (hd_compile_args){0});
    assert_int_equal(hd_program_get_facts(p).tuned, 2);
    hd_program_free(p);
    end(&n);
}

/* ---- measuring, by a clock of the test's ---- */

typedef struct fake {
    const char *fast; /* kernels of this name and variant take a millisecond, all others three or, where even, 1.5 */
    int variant;
    double now, cost, other;
    int told, stop_at;
} fake;

static double fake_clock(void *user) {
    fake *f = user;
    f->now += f->cost;
    return f->now;
}

static void fake_progress(void *user, const hd_tune_step *s) {
    fake *f = user;
    assert_true(s->shape >= 1 && s->shape <= s->shapes && *s->key);
    f->told++;
    f->cost = strcmp(s->kernel, f->fast) == 0 && s->variant == f->variant ? 1e-3 : f->other;
}

static bool fake_stop(void *user) {
    const fake *f = user;
    return f->stop_at > 0 && f->told >= f->stop_at;
}

static hd_status tune(net *n, fake *f, hd_compile_args args, double bandwidth, hd_tune_result *r) {
    const hd_tune_args how = {
        .clock = fake_clock, .progress = fake_progress, .stop = fake_stop, .user = f, .bandwidth = bandwidth};
    args.batch = BATCH;
    args.tuning = n->table;
    args.store = n->store;
    return hd_tune(hd_train_step(n->loss, hd_sgd(.lr = 0.1)), &args, &how, r);
}

static void test_fake_clock(void **state) {
    (void)state;
    static const fake wins[] = {{.fast = "cpu.linear.small", .variant = 2, .other = 1.5e-3},
                                {.fast = "cpu.linear.small", .variant = 2, .other = 3e-3},
                                {.fast = "cpu.linear.small", .variant = 0, .other = 1.01e-3}};
    for (size_t i = 0; i < sizeof wins / sizeof *wins; i++) {
        net n = make(products, 2);
        fake f = wins[i];
        hd_tune_result r;
        GOES(n.ctx, tune(&n, &f, (hd_compile_args){0}, 1e12, &r));
        const hd_tuned *e = hd_tuning_find(n.table, second_key);
        assert_non_null(e);
        assert_string_equal(e->kernel, f.fast);
        assert_int_equal(e->variant, f.variant);
        assert_true(fabs(e->us - 1000) < 1);
        assert_int_equal(r.shapes, hd_tuning_get_facts(n.table).entries);
        assert_int_equal(r.shapes, 8);
        assert_true(r.candidates > r.shapes && f.told >= r.candidates - r.shapes);
        assert_true(r.after <= r.before && r.before > 0);
        if (f.variant) assert_true(r.changed > 0);
        hd_program *p = compile(&n, (hd_compile_args){0});
        char text[128];
        (void)snprintf(text, sizeof text, "\"kernel\": \"%s\", \"variant\": %d, \"tuned\": true", f.fast, f.variant);
        assert_true(runs(&n, p, text));
        assert_int_equal(hd_tuning_get_facts(n.table).skipped, 0);
        GOES(n.ctx, hd_program_run(p));
        hd_program_free(p);
        end(&n);
    }
}

/* A kernel of another order in memory: taken where changes of layout cost nothing, left where they cost much. */
static void test_changes_count(void **state) {
    (void)state;
    char version[32];
    if (!hd_library_version("oneDNN", version)) {
        print_message("skipped: built without oneDNN, all kernels want the plain order\n");
        skip();
    }
    static const char *const key =
        "conv2d padding=[1,1] act=relu : f32[48,32,8,12] f32[32,32,3,3] f32[32] > f32[48,32,8,12]";
    for (int dear = 0; dear < 2; dear++) {
        net n = make(pictures_net, 1);
        fake f = {.fast = "cpu.conv2d", .other = 1.8e-3};
        hd_tune_result r;
        GOES(n.ctx, tune(&n, &f, (hd_compile_args){0}, dear ? 1e3 : 1e15, &r));
        const bool own = strcmp(hd_tuning_find(n.table, key)->kernel, "cpu.conv2d") == 0;
        if (!dear) assert_true(own);
        hd_program *p = compile(&n, (hd_compile_args){0});
        const hd_program_facts tuned = hd_program_get_facts(p);
        hd_program_free(p);
        hd_store_free(n.store);
        GOES(n.ctx, hd_store_new(&n.store, n.ctx, 5));
        hd_tuning_keep_used(n.table);
        hd_tuning *full = n.table;
        n.table = NULL;
        p = compile(&n, (hd_compile_args){0});
        const hd_program_facts rule = hd_program_get_facts(p);
        hd_program_free(p);
        n.table = full;
        if (dear) assert_true(tuned.reorder_bytes <= rule.reorder_bytes);
        end(&n);
    }
}

static void test_stopped(void **state) {
    (void)state;
    net n = make(products, 1);
    fake f = {.fast = "", .other = 1e-3, .stop_at = 5};
    GOES(n.ctx, hd_tuning_put(n.table, first_key, "cpu.linear", 2, 1));
    assert_int_equal(tune(&n, &f, (hd_compile_args){0}, 1e10, NULL), HD_E_INTERRUPTED);
    assert_int_equal(hd_tuning_get_facts(n.table).entries, 1);
    assert_int_equal(tune(&n, &f, (hd_compile_args){.backend = "ref"}, 1e10, NULL), HD_E_USAGE);
    hd_tuning *table = n.table;
    n.table = NULL;
    assert_int_equal(tune(&n, &f, (hd_compile_args){0}, 1e10, NULL), HD_E_USAGE);
    n.table = table;
    end(&n);
}

/* The real clock, too: whatever it says, what is chosen runs and learns. */
static void test_real_clock(void **state) {
    (void)state;
    net n = make(pictures_net, 2);
    hd_tune_result r;
    const hd_compile_args args = {.batch = BATCH, .tuning = n.table};
    GOES(n.ctx, hd_tune(hd_train_step(n.loss, hd_sgd(.lr = 0.1)), &args, NULL, &r));
    assert_true(r.shapes > 0 && r.seconds > 0 && r.bandwidth > 1e6);
    hd_program *p = compile(&n, (hd_compile_args){0});
    GOES(n.ctx, hd_program_run(p));
    const float first = *(const float *)hd_program_get(p, "loss");
    for (int i = 0; i < 20; i++) GOES(n.ctx, hd_program_run(p));
    assert_true(*(const float *)hd_program_get(p, "loss") < first);
    assert_int_equal(hd_tuning_get_facts(n.table).skipped, 0);
    hd_program_free(p);
    end(&n);
}

/* ---- bits ---- */

/* The text of a table that prefers what the rule does not. */
static char *table_of(hd_val (*build)(hd_graph *), const char *fast, int variant) {
    net n = make(build, 2);
    fake f = {.fast = fast, .variant = variant, .other = 1.2e-3};
    GOES(n.ctx, tune(&n, &f, (hd_compile_args){0}, 1e15, NULL));
    char *text = printed(n.table);
    end(&n);
    return text;
}

/* Weights after some steps by a table. */
static float *trained(hd_val (*build)(hd_graph *), const char *table, int threads, size_t *bytes) {
    net n = make(build, threads);
    GOES(n.ctx, hd_tuning_parse(n.table, "table", table, strlen(table)));
    hd_program *p = compile(&n, (hd_compile_args){0});
    for (int i = 0; i < 4; i++) GOES(n.ctx, hd_program_run(p));
    float *all = NULL;
    *bytes = 0;
    for (int i = 0; i < hd_store_count(n.store); i++) {
        const hd_store_info info = hd_store_at(n.store, i);
        const size_t size = (size_t)hd_dims_count(&info.dims) * sizeof *all;
        all = realloc(all, *bytes + size);
        GOES(n.ctx, hd_store_get(n.store, info.name, (char *)all + *bytes, size));
        *bytes += size;
    }
    hd_program_free(p);
    end(&n);
    return all;
}

static void test_same_bits(void **state) {
    (void)state;
    static const struct {
        hd_val (*build)(hd_graph *);
        const char *fast;
        int variant;
    } cases[] = {{products, "cpu.linear_grad_weight.small", 2},
                 {products, "onednn.linear_grad_weight", 2},
                 {pictures_net, "onednn.conv2d_grad_params.direct", 2},
                 {pictures_net, "onednn.conv2d_grad_params.direct", 3},
                 {pictures_net, "onednn.conv2d.direct", 5},
                 {pictures_net, "cpu.conv2d_grad_input", 0}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t bytes, more;
        char *table = table_of(cases[c].build, cases[c].fast, cases[c].variant);
        float *one = trained(cases[c].build, table, 1, &bytes);
        for (int threads = 2; threads <= 3; threads++) {
            float *many = trained(cases[c].build, table, threads, &more);
            assert_int_equal(bytes, more);
            assert_memory_equal(one, many, bytes);
            free(many);
        }
        free(one);
        free(table);
    }
}

/* ---- memory ---- */

static hd_status whole_life(hd_context *ctx, void *arg) {
    (void)arg;
    hd_graph *g = NULL;
    hd_tuning *table = NULL, *copy = NULL;
    hd_text text = {.ctx = ctx};
    fake f = {.fast = "cpu.linear.small", .variant = 2, .other = 1.2e-3};
    const hd_tune_args how = {.clock = fake_clock, .progress = fake_progress, .user = &f, .bandwidth = 1e10};
    hd_status status = hd_graph_new(&g, ctx);
    if (status == HD_OK) status = hd_tuning_new(&table, ctx);
    if (status == HD_OK) {
        hd_val x = hd_input(g, "x", HD_F32, HD_DIMS(HD_BATCH, 70));
        hd_val y = hd_sum(hd_nn_linear(x, .name = "a", .out_features = 70));
        hd_compile_args args = {.batch = 70, .tuning = table};
        const hd_target forward = hd_forward(y);
        status = hd_graph_status(g);
        if (status == HD_OK) status = hd_tune(forward, &args, &how, NULL);
    }
    if (status == HD_OK) status = hd_tuning_print(table, &text);
    if (status == HD_OK) status = hd_tuning_parse(table, "t", text.data, text.length);
    if (status == HD_OK) status = hd_tuning_copy(&copy, table);
    hd_text_free(&text);
    hd_tuning_free(copy);
    hd_tuning_free(table);
    hd_graph_free(g);
    return status;
}

static void test_every_allocation(void **state) {
    (void)state;
    assert_true(fail_every_allocation(whole_life, NULL) > 40);
}

int main(void) {
    uint32_t s = 9;
    for (int i = 0; i < BATCH * INPUTS; i++)
        pictures[i] = (float)((s = s * 1664525u + 1013904223u) >> 8) / (1 << 23) - 1;
    for (int i = 0; i < BATCH; i++) labels[i] = (int64_t)((s = s * 1664525u + 1013904223u) >> 8) % OUTPUTS;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_parse),     cmocka_unit_test(test_save_load),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_too_much),        cmocka_unit_test(test_followed),   cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_exact),           cmocka_unit_test(test_fake_clock), cmocka_unit_test(test_changes_count),
        cmocka_unit_test(test_stopped),         cmocka_unit_test(test_real_clock), cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
