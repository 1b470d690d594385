/* vector_traces.c: optimisers over 20 steps as training programs. A parameter p gets the gradient g through the loss
 * Σ p·g. */
#include "vector_trace.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const param_names[VECTOR_PARAMS] = {"p0", "p1"}, *const grad_names[VECTOR_PARAMS] = {"g0", "g1"};

void *vector_trace_tensor(vector_trace *t, const char *name, hd_dims *dims) {
    hd_dtype dtype;
    const double *x = vector_read(t->file, name, t->arena, dims, &dtype);
    if (!x) vector_failed(t->r, "there is no tensor %s", name);
    return x ? vector_pack(t->arena, t->dtype, x, hd_dims_count(dims)) : NULL;
}

void vector_trace_make(vector_trace *t, const hd_optimizer *o, const char *backend, const void *const *start) {
    hd_context *ctx = t->file->ctx;
    if (hd_graph_new(&t->g, ctx) != HD_OK) return;
    hd_val loss = {0};
    for (int k = 0; k < VECTOR_PARAMS; k++) {
        const hd_val p = hd_param(t->g, param_names[k], t->dtype, t->dims[k], HD_ZEROS);
        const hd_val term = hd_sum(hd_mul(p, hd_input(t->g, grad_names[k], t->dtype, t->dims[k])));
        loss = k ? hd_add(loss, term) : term;
    }
    const hd_compile_args args = {.backend = backend, .exact = true};
    if (hd_compile_with(&t->program, hd_train_step(loss, *o), &args) != HD_OK) {
        vector_failed(t->r, "compile: %s", hd_last_error(ctx));
        return;
    }
    for (int k = 0; k < VECTOR_PARAMS && start; k++) {
        const size_t bytes = (size_t)hd_dims_count(&t->dims[k]) * hd_dtype_size(t->dtype);
        if (hd_store_set(hd_program_store(t->program), param_names[k], start[k], bytes) != HD_OK)
            vector_failed(t->r, "%s", hd_last_error(ctx));
    }
}

void vector_trace_step(vector_trace *t, void *const *grads, char (*expected)[96], double bar) {
    hd_context *ctx = t->file->ctx;
    for (int k = 0; k < VECTOR_PARAMS; k++)
        hd_program_bind(t->program, hd_program_input(t->program, grad_names[k]), grads[k]);
    if (hd_program_run(t->program) != HD_OK) vector_failed(t->r, "run: %s", hd_last_error(ctx));
    for (int k = 0; k < VECTOR_PARAMS && t->r->outcome != VECTOR_FAILED; k++) {
        const hd_type type = {t->dtype, t->dims[k]};
        const size_t n = (size_t)hd_dims_count(&type.dims);
        void *got = hd_arena_alloc_n(t->arena, n + 1, sizeof(double));
        if (!got ||
            hd_store_get(hd_program_store(t->program), param_names[k], got, n * hd_dtype_size(t->dtype)) != HD_OK)
            vector_failed(t->r, "%s", hd_last_error(ctx));
        else
            vector_compare(t->file, t->arena, expected[k], &type, got, (vector_bar){.share = bar}, t->r);
    }
}

void vector_trace_free(vector_trace *t) {
    hd_program_free(t->program);
    hd_graph_free(t->g);
}

/* ---- optimisers ---- */

static bool config_number(const hd_json *v, double *out) {
    if (v->type == HD_JSON_BOOL) *out = v->boolean;
    return v->type == HD_JSON_BOOL || vector_is_number(v, out);
}

/* Pairs of PyTorch's are two settings here. */
static bool take_pair(hd_optimizer *o, const hd_json *v) {
    static const char *const pairs[][3] = {
        {"betas", "beta1", "beta2"}, {"etas", "eta_minus", "eta_plus"}, {"step_sizes", "step_min", "step_max"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i][0], v->key) == 0)
            return v->child && v->child->next && hd_optimizer_set(o, pairs[i][1], v->child->number) &&
                   hd_optimizer_set(o, pairs[i][2], v->child->next->number);
    return false;
}

/* One setting of PyTorch's; false: we have none like it. foreach=False and the like change nothing. */
static bool take_setting(hd_optimizer *o, const hd_json *v) {
    double x = 0;
    if (v->type == HD_JSON_ARRAY) return take_pair(o, v);
    if (!config_number(v, &x)) return v->type == HD_JSON_NULL;
    return hd_optimizer_set(o, v->key, x) || x == 0;
}

/* torch.optim.AdamW is our adamw. */
static const char *own_name(const char *name) {
    char small[32] = "";
    for (size_t i = 0; name[i] && i + 1 < sizeof small; i++) small[i] = (char)tolower((unsigned char)name[i]);
    for (const char *const *own = hd_optimizer_names(); *own; own++)
        if (strcmp(*own, small) == 0) return *own;
    return NULL;
}

static bool take_settings(hd_optimizer *o, const char *name, const hd_json *config, vector_result *r) {
    r->outcome = VECTOR_UNSUPPORTED;
    (void)snprintf(r->text, sizeof r->text, "no such optimiser");
    o->name = own_name(name);
    if (!o->name) return false;
    for (const hd_json *v = config ? config->child : NULL; v; v = v->next)
        if (!take_setting(o, v)) {
            (void)snprintf(r->text, sizeof r->text, "no option %s", v->key);
            return false;
        }
    *r = (vector_result){.outcome = VECTOR_PASSED};
    return true;
}

void vector_run_optim(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                      hd_arena *arena, vector_result *r) {
    const hd_json *prefix = hd_json_get(json, "prefix"), *steps = hd_json_get(json, "steps");
    hd_optimizer optimizer = {0};
    *r = (vector_result){.outcome = VECTOR_PASSED};
    if (!take_settings(&optimizer, name, hd_json_get(json, "config"), r)) return;
    if (!prefix || !prefix->string || !vector_is_int(steps)) {
        vector_failed(r, "there is no prefix, or no number of steps");
        return;
    }
    const bool f64 = strstr(prefix->string, "F64") != NULL; /* a trace has its own dtype */
    vector_trace t = {.file = f, .arena = arena, .r = r, .dtype = f64 ? HD_F64 : HD_F32};
    char names[VECTOR_PARAMS][96];
    void *start[VECTOR_PARAMS], *grads[VECTOR_PARAMS];
    for (int k = 0; k < VECTOR_PARAMS; k++) {
        (void)snprintf(names[k], sizeof names[k], "%.60s.p%d.start", prefix->string, k);
        start[k] = vector_trace_tensor(&t, names[k], &t.dims[k]);
    }
    if (r->outcome != VECTOR_FAILED) vector_trace_make(&t, &optimizer, o->backend, (const void *const *)start);
    for (int i = 0; i < (int)steps->integer && r->outcome != VECTOR_FAILED; i++) {
        for (int k = 0; k < VECTOR_PARAMS; k++) {
            hd_dims dims;
            (void)snprintf(names[k], sizeof names[k], "%.60s.p%d.grad%d", prefix->string, k, i);
            grads[k] = vector_trace_tensor(&t, names[k], &dims);
            (void)snprintf(names[k], sizeof names[k], "%.60s.p%d.step%d", prefix->string, k, i);
        }
        if (r->outcome != VECTOR_FAILED) vector_trace_step(&t, grads, names, f64 ? 1e-12 : 1e-6);
    }
    vector_trace_free(&t);
}
