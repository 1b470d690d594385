/* test_vectors.c: ops and their gradients against PyTorch's, on the sample inputs of its operator database; optimiser
 * steps and clipping against its traces. By definition in f64 and by the default kernels in f32. What is not supported
 * is counted and never passed. */
#include "vector_calls.h"

/* ---- running a case ---- */

typedef struct bars {
    hd_dtype dtype;
    const char *backend;
} bars;

/* PyTorch's own error in f32, of the largest value. */
static double torch_error(const vector_case *c, const char *key, size_t i) {
    const hd_json *list = hd_json_get(c->json, key), *pair = list ? list->child : NULL;
    for (; pair && i > 0; i--) pair = pair->next;
    return pair && pair->child && pair->child->next ? pair->child->next->number : 0;
}

static void compare(const vector_case *c, const char *file, const char *tensor, const void *got, double bar) {
    hd_dims dims;
    double *want = vector_read(c->file, tensor, &dims, NULL), largest = 0;
    const int64_t n = hd_dims_count(&dims);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i])) largest = fmax(largest, fabs(want[i]));
    for (int64_t i = 0; i < n; i++) {
        const double y = c->dtype == HD_F64 ? ((const double *)got)[i] : (double)((const float *)got)[i];
        const bool same = y == want[i] || (isnan(y) && isnan(want[i]));
        if (!same && !(fabs(y - want[i]) <= bar * fmax(largest, 1e-30)))
            fail_msg("%s, %s: element %lld is %.12g, PyTorch says %.12g (largest %.3g, allowed %.3g of it)", file,
                     tensor, (long long)i, y, want[i], largest, bar);
    }
    free(want);
}

static const char *const grad_names[VECTOR_MOST] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};

/* What a case asks of gradients: of which values, and their names in the file. */
typedef struct asked {
    const char *seed; /* NULL: nothing */
    int32_t n;
    hd_val of[VECTOR_MOST], grads[VECTOR_MOST];
    const char *wanted[VECTOR_MOST];
} asked;

static void add_gradients(vector_case *c, const char *file, hd_val y, asked *a) {
    const hd_json *list = hd_json_get(c->json, "requires_grad"), *gin = hd_json_get(c->json, "grad_in");
    for (const hd_json *v = list ? list->child : NULL, *g = gin ? gin->child : NULL; v && g; v = v->next, g = g->next)
        for (int i = 0; i < c->n; i++)
            if (strcmp(c->name[i], v->string) == 0) a->of[a->n] = c->val[i], a->wanted[a->n++] = g->string;
    const hd_json *gout = hd_json_get(hd_json_get(c->json, "grad_out"), "0");
    if (!gout || !a->n) return;
    a->seed = gout->string;
    const hd_val seed = hd_input(c->g, "seed", c->dtype, hd_val_dims(y));
    if (hd_gradients(y, seed, a->of, a->n, a->grads) != HD_OK) fail_msg("%s: %s", file, hd_last_error(c->file->ctx));
    for (int32_t i = 0; i < a->n; i++) /* nodes of their own: two inputs may have the same gradient */
        if (!hd_val_is_none(a->grads[i])) hd_mark_output(hd_neg(hd_neg(a->grads[i])), grad_names[i]);
}

/* Binds inputs and fills states; returns the seed's numbers for the caller to free. */
static void *feed(vector_case *c, hd_program *p, const asked *a) {
    for (int i = 0; i < c->n; i++) {
        const char *name = hd_val_name(c->val[i]);
        const hd_dims dims = hd_val_dims(c->val[i]);
        const size_t bytes = (size_t)hd_dims_count(&dims) * hd_dtype_size(hd_val_dtype(c->val[i]));
        if (hd_program_input(p, name) >= 0)
            hd_program_bind(p, hd_program_input(p, name), c->data[i]);
        else if (hd_store_set(hd_program_store(p), name, c->data[i], bytes) != HD_OK)
            fail_msg("%s", hd_last_error(c->file->ctx));
    }
    if (!a->seed) return NULL;
    hd_dims dims;
    double *seed = vector_read(c->file, a->seed, &dims, NULL);
    void *data = vector_data(c->dtype, seed, hd_dims_count(&dims));
    free(seed);
    if (hd_program_input(p, "seed") >= 0) hd_program_bind(p, hd_program_input(p, "seed"), data);
    return data;
}

static void run_case(vector_case *c, const char *file, hd_val y, const bars *b) {
    hd_context *ctx = c->file->ctx;
    hd_program *p;
    asked a = {0};
    hd_mark_output(y, "y");
    add_gradients(c, file, y, &a);
    const hd_compile_args args = {.backend = b->backend, .train = true, .exact = true};
    if (hd_compile_with(&p, hd_forward(y), &args) != HD_OK) fail_msg("%s: %s", file, hd_last_error(ctx));
    void *seed = feed(c, p, &a);
    if (hd_program_run(p) != HD_OK) fail_msg("%s: %s", file, hd_last_error(ctx));
    const bool f64 = c->dtype == HD_F64;
    const double bar = f64 ? 1e-10 : fmax(2 * torch_error(c, "torch_f32_error", 0), 1e-6);
    compare(c, file, hd_json_get(c->json, "out")->child->string, hd_program_get(p, "y"), bar);
    for (int32_t i = 0; i < a.n && a.seed; i++) {
        const double grad_bar = f64 ? 1e-10 : fmax(4 * torch_error(c, "torch_f32_grad_error", (size_t)i), 1e-5);
        const hd_dims dims = hd_val_dims(a.of[i]);
        void *zero = calloc((size_t)hd_dims_count(&dims) + 1, sizeof(double));
        const void *got = hd_val_is_none(a.grads[i]) ? zero : hd_program_get(p, grad_names[i]);
        compare(c, file, a.wanted[i], got, grad_bar);
        free(zero);
    }
    free(seed);
    hd_program_free(p);
}

static bool check_case(const vector_file *f, const hd_json *json, const char *name, hd_val (*call)(vector_case *),
                       const bars *b) {
    vector_case c = {.file = f,
                     .json = json,
                     .args = hd_json_get(json, "args"),
                     .kwargs = hd_json_get(json, "kwargs"),
                     .dtype = b->dtype};
    assert_int_equal(hd_graph_new(&c.g, f->ctx), HD_OK);
    const hd_val y = call(&c);
    const bool supported = !hd_val_is_none(y) || (y.graph && y.id < 0);
    if (hd_graph_status(c.g) != HD_OK) fail_msg("%s: %s", name, hd_last_error(f->ctx));
    if (supported) run_case(&c, name, y, b);
    hd_graph_free(c.g);
    for (int i = 0; i < c.n; i++) free(c.data[i]);
    return supported;
}

static void check_all(const bars *b) {
    hd_context *ctx = test_context(1);
    int cases = 0, supported = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        vector_file f;
        char path[256];
        (void)snprintf(path, sizeof path, "opinfo/%s", calls[i].file);
        if (!vector_open(&f, ctx, path)) skip();
        for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next, cases++)
            supported += check_case(&f, c, calls[i].file, calls[i].call, b);
        vector_close(&f);
    }
    print_message("%d of %d cases are supported and agree\n", supported, cases);
    assert_true(supported >= 120);
    hd_context_free(ctx);
}

static void test_definitions(void **state) {
    (void)state;
    check_all(&(bars){HD_F64, "ref"});
}
static void test_default(void **state) {
    (void)state;
    check_all(&(bars){HD_F32, "default"});
}

/* ---- optimisers ---- */

/* One parameter through 20 steps. */
typedef struct trace {
    const vector_file *file;
    const char *prefix;
    int which;
    hd_dtype dtype;
    int64_t n;
    void *p, *g, *m, *v;
} trace;

static void trace_load(trace *t, const char *what, int step, void **into) {
    char name[128];
    hd_dims dims;
    if (step < 0)
        (void)snprintf(name, sizeof name, "%s.p%d.%s", t->prefix, t->which, what);
    else
        (void)snprintf(name, sizeof name, "%s.p%d.%s%d", t->prefix, t->which, what, step);
    double *x = vector_read(t->file, name, &dims, NULL);
    t->n = hd_dims_count(&dims);
    free(*into);
    *into = vector_data(t->dtype, x, t->n);
    free(x);
}

static hd_tensor trace_tensor(const trace *t, void *data) {
    return (hd_tensor){t->dtype, HD_DIMS(t->n), t->n, data};
}

static double config_number(const hd_json *config, const char *key, double def) {
    const hd_json *v = hd_json_get(config, key);
    return v ? v->number : def;
}

static void trace_step(trace *t, const char *optimizer, const hd_json *config, int step) {
    const bool sgd = strcmp(optimizer, "SGD") == 0, adamw = strcmp(optimizer, "AdamW") == 0;
    double hyper[4] = {config_number(config, "lr", 0), step + 1,
                       config_number(config, "weight_decay", adamw ? 0.01 : 0), 0};
    const hd_tensor h = {HD_F64, HD_DIMS(4), 4, hyper}, none = {.dims = {.rank = -1}};
    const hd_tensor p = trace_tensor(t, t->p), g = trace_tensor(t, t->g), m = trace_tensor(t, t->m),
                    v = trace_tensor(t, t->v);
    if (sgd) {
        const hd_sgd_update_args a = {.momentum = config_number(config, "momentum", 0),
                                      .nesterov = config_number(config, "nesterov", 0) != 0};
        const hd_tensor in[] = {p, g, h, none, a.momentum != 0 ? v : none}, out[] = {p, v};
        hd_op_find(NULL, "sgd_update")->ref(&(hd_ref){&a, 5, 2, in, out});
        return;
    }
    hd_adam_update_args a = {
        .beta1 = 0.9, .beta2 = 0.999, .eps = config_number(config, "eps", 1e-8), .decoupled = adamw};
    const hd_json *betas = hd_json_get(config, "betas");
    if (betas) a.beta1 = betas->child->number, a.beta2 = betas->child->next->number;
    const hd_tensor in[] = {p, g, m, v, h, none}, out[] = {p, m, v};
    hd_op_find(NULL, "adam_update")->ref(&(hd_ref){&a, 6, 3, in, out});
}

static void check_trace(const vector_file *f, const char *optimizer, const hd_json *json) {
    const hd_json *config = hd_json_get(json, "config");
    const char *prefix = hd_json_get(json, "prefix")->string;
    const bool f64 = strstr(prefix, "F64") != NULL;
    for (int which = 0; which < 2; which++) {
        trace t = {.file = f, .prefix = prefix, .which = which, .dtype = f64 ? HD_F64 : HD_F32};
        trace_load(&t, "start", -1, &t.p);
        t.m = calloc((size_t)t.n, sizeof(double));
        t.v = calloc((size_t)t.n, sizeof(double));
        for (int step = 0; step < 20; step++) {
            char name[128];
            trace_load(&t, "grad", step, &t.g);
            trace_step(&t, optimizer, config, step);
            (void)snprintf(name, sizeof name, "%s.p%d.step%d", prefix, which, step);
            compare(&(vector_case){.file = f, .dtype = t.dtype}, optimizer, name, t.p, f64 ? 1e-12 : 1e-6);
        }
        free(t.p), free(t.g), free(t.m), free(t.v);
    }
}

static void test_optimizers(void **state) {
    (void)state;
    static const char *const names[] = {"SGD", "Adam", "AdamW"};
    hd_context *ctx = test_context(1);
    int checked = 0;
    for (int i = 0; i < 3; i++) {
        vector_file f;
        char path[64];
        (void)snprintf(path, sizeof path, "optim/%s", names[i]);
        if (!vector_open(&f, ctx, path)) skip();
        for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next) {
            const hd_json *config = hd_json_get(c, "config");
            if (hd_json_get(config, "dampening") || hd_json_get(config, "maximize") || hd_json_get(config, "amsgrad"))
                continue;
            check_trace(&f, names[i], c);
            checked++;
        }
        vector_close(&f);
    }
    print_message("%d traces\n", checked);
    assert_true(checked >= 7);
    hd_context_free(ctx);
}

static void test_clip(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    vector_file f;
    if (!vector_open(&f, ctx, "clip")) skip();
    int i = 0, checked = 0;
    for (const hd_json *c = hd_json_get(f.root, "cases")->child; c; c = c->next, i++) {
        if (strcmp(hd_json_get(c, "norm_type")->string, "2.0") != 0) continue;
        hd_tensor in[2], out;
        double scale = NAN;
        char name[32];
        for (int k = 0; k < 2; k++) {
            (void)snprintf(name, sizeof name, "c%d.g%d", i, k);
            in[k].dtype = HD_F64;
            in[k].data = vector_read(&f, name, &in[k].dims, NULL);
            in[k].count = hd_dims_count(&in[k].dims);
        }
        out = (hd_tensor){HD_F64, {0}, 1, &scale};
        const hd_clip_scale_args a = {.max_norm = hd_json_get(c, "max_norm")->number};
        hd_op_find(NULL, "clip_scale")->ref(&(hd_ref){&a, 2, 1, in, &out});
        for (int k = 0; k < 2; k++) {
            double *g = in[k].data;
            for (int64_t j = 0; j < in[k].count; j++) g[j] *= scale;
            (void)snprintf(name, sizeof name, "c%d.out%d", i, k);
            compare(&(vector_case){.file = &f, .dtype = HD_F64}, "clip", name, g, 1e-10);
            free(g);
        }
        checked++;
    }
    assert_true(checked >= 3);
    vector_close(&f);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definitions), cmocka_unit_test(test_default),
                                       cmocka_unit_test(test_optimizers), cmocka_unit_test(test_clip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
