/* vector_run.c: a case as a program: forward and gradients in one graph, compiled for a backend with exact kernels, run
 * once, and held against PyTorch's numbers. */
#include "vector_run.h"
#include "hadal/program.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A result to be compared: where its numbers will be after the run. */
typedef struct found {
    hd_val val;       /* none: zeros */
    const void *data; /* an input's own numbers; NULL: `name` of the program */
    const char *name;
} found;

typedef struct run {
    vector_case *c;
    const vector_wanted *w;
    vector_result *r;
    hd_val seed[VECTOR_MOST];
    const void *seed_data[VECTOR_MOST];
    found out[VECTOR_MOST], grad[VECTOR_MOST];
    double largest; /* of expected values, gradients, and gradients that arrive */
    int n_marked;
    hd_val marked[3 * VECTOR_MOST];
    const char *mark[3 * VECTOR_MOST];
} run;

/* Marks a value as a result, once; inputs are results as they are. */
static found find_later(run *u, hd_val v) {
    found f = {.val = v};
    for (int i = 0; i < u->c->n_in; i++)
        if (u->c->in[i].val.id == v.id && hd_val_kind(v) == HD_KIND_INPUT) f.data = u->c->in[i].data;
    for (int i = 0; i < u->w->n_out; i++)
        if (!hd_val_is_none(u->seed[i]) && u->seed[i].id == v.id) f.data = u->seed_data[i];
    for (int i = 0; i < u->n_marked; i++)
        if (u->marked[i].id == v.id) f.name = u->mark[i];
    if (f.data || f.name) return f;
    f.name = hd_arena_printf(u->c->arena, "result%d", u->n_marked);
    if (!f.name) return f;
    hd_mark_output(v, f.name);
    u->marked[u->n_marked] = v;
    u->mark[u->n_marked++] = f.name;
    return f;
}

/* ---- gradients ---- */

static bool make_seed(run *u, int i) {
    hd_dims dims;
    hd_dtype dtype;
    char name[32];
    vector_case *c = u->c;
    const hd_val y = c->out[i];
    const double *x = vector_read(c->file, u->w->seed[i], c->arena, &dims, &dtype);
    if (!x || !vector_is_float(y)) {
        vector_failed(u->r, "the gradient arriving at result %d does not go with it", i);
        return false;
    }
    u->seed_data[i] = vector_pack(c->arena, hd_val_dtype(y), x, hd_dims_count(&dims));
    (void)snprintf(name, sizeof name, "seed%d", i);
    u->seed[i] = hd_input(c->g, name, hd_val_dtype(y), dims);
    return u->seed_data[i] != NULL;
}

/* One result: its seed is the gradient that arrives. Several: the gradient of the sum of their products. */
static hd_status differentiate(run *u, const hd_val *of, hd_val *grads) {
    vector_case *c = u->c;
    int seeds = 0, last = 0;
    hd_val total = {0};
    for (int i = 0; i < u->w->n_out; i++) {
        if (!u->w->seed[i]) continue;
        if (!make_seed(u, i)) return HD_OK;
        seeds++, last = i;
    }
    if (!seeds) return HD_OK;
    if (seeds == 1) return hd_gradients(c->out[last], u->seed[last], of, u->w->n_grad, grads);
    for (int i = 0; i < u->w->n_out; i++) {
        if (hd_val_is_none(u->seed[i])) continue;
        const hd_val term = vector_cast(hd_sum(hd_mul(c->out[i], u->seed[i])), c->dtype);
        total = hd_val_is_none(total) ? term : hd_add(total, term);
    }
    return hd_gradients(total, (hd_val){0}, of, u->w->n_grad, grads);
}

static void add_gradients(run *u) {
    vector_case *c = u->c;
    hd_val of[VECTOR_MOST] = {{0}}, grads[VECTOR_MOST] = {{0}};
    for (int k = 0; k < u->w->n_grad; k++) {
        for (int i = 0; i < c->n_in; i++)
            if (strcmp(c->in[i].name, u->w->of[k]) == 0) of[k] = c->in[i].val;
        if (hd_val_is_none(of[k]) && u->w->grad[k])
            vector_unsupported(c, "the gradient of %s is asked for, which was not read", u->w->of[k]);
    }
    if (!u->w->n_grad || c->why[0]) return;
    if (differentiate(u, of, grads) != HD_OK) vector_failed(u->r, "gradient: %s", hd_last_error(c->file->ctx));
    for (int k = 0; k < u->w->n_grad && u->r->outcome != VECTOR_FAILED; k++)
        u->grad[k] = hd_val_is_none(grads[k]) ? (found){.val = {0}} : find_later(u, grads[k]);
}

/* ---- running ---- */

/* States that nothing reads are not there. */
static bool in_store(hd_program *p, const char *name) {
    const hd_store *store = hd_program_store(p);
    for (int i = 0; i < hd_store_count(store); i++)
        if (strcmp(hd_store_at(store, i).name, name) == 0) return true;
    return false;
}

static hd_status bind(run *u, hd_program *p) {
    vector_case *c = u->c;
    for (int i = 0; i < c->n_in; i++) {
        const char *name = hd_val_name(c->in[i].val);
        const hd_dims dims = hd_val_dims(c->in[i].val);
        const size_t bytes = (size_t)hd_dims_count(&dims) * hd_dtype_size(hd_val_dtype(c->in[i].val));
        const int input = hd_program_input(p, name);
        if (input >= 0)
            hd_program_bind(p, input, c->in[i].data);
        else if (in_store(p, name)) {
            const hd_status status = hd_store_set(hd_program_store(p), name, c->in[i].data, bytes);
            if (status != HD_OK) return status;
        }
    }
    for (int i = 0; i < u->w->n_out; i++) {
        if (hd_val_is_none(u->seed[i])) continue;
        const int input = hd_program_input(p, hd_val_name(u->seed[i]));
        if (input >= 0) hd_program_bind(p, input, u->seed_data[i]);
    }
    return hd_program_run(p);
}

/* In f32 PyTorch's own error is the measure: twice of it for results, four times for gradients. In f64 it is 1e-10;
 * where f32 loses digits to cancellation f64 loses as many of its own. */
static vector_bar bar_of(const run *u, hd_dtype dtype, double error, bool gradient) {
    if (u->c->dtype != HD_F64 || dtype != HD_F64)
        return (vector_bar){gradient ? fmax(4 * error, 1e-5) : fmax(2 * error, 1e-6), u->largest};
    return (vector_bar){fmax(1e-10, 4 * ldexp(error, -29)), u->largest};
}

/* The largest number of some tensors. */
static double largest_among(const run *u, const char *const *names, int n) {
    double largest = 0;
    for (int i = 0; i < n; i++) {
        hd_dims dims;
        hd_dtype dtype;
        const double *x = names[i] ? vector_read(u->c->file, names[i], u->c->arena, &dims, &dtype) : NULL;
        if (x) largest = fmax(largest, vector_largest(x, hd_dims_count(&dims)));
    }
    return largest;
}

static void judge_one(run *u, hd_program *p, const found *f, const char *name, vector_bar bar, const hd_type *type) {
    vector_case *c = u->c;
    const void *got = f->data ? f->data : f->name && p ? hd_program_get(p, f->name) : NULL;
    if (hd_val_is_none(f->val)) got = hd_arena_alloc_n(c->arena, (size_t)hd_dims_count(&type->dims) + 1, 8);
    vector_compare(c->file, c->arena, name, type, got, bar, u->r);
}

static hd_type type_of(hd_val v) {
    return (hd_type){hd_val_dtype(v), hd_val_dims(v)};
}

static void judge_state(run *u, hd_program *p, const char *state, const char *after) {
    vector_case *c = u->c;
    for (int i = 0; i < c->n_in; i++) {
        if (strcmp(c->in[i].name, state) != 0) continue;
        const hd_type type = type_of(c->in[i].val);
        const size_t n = (size_t)hd_dims_count(&type.dims);
        void *got = hd_arena_alloc_n(c->arena, n + 1, 8);
        const char *name = hd_val_name(c->in[i].val);
        if (!p || !in_store(p, name))
            got = c->in[i].data; /* no program knows it: it is as it was */
        else if (hd_store_get(hd_program_store(p), name, got, n * hd_dtype_size(type.dtype)) != HD_OK)
            vector_failed(u->r, "%s", hd_last_error(c->file->ctx));
        vector_compare(c->file, c->arena, after, &type, got, bar_of(u, type.dtype, 0, false), u->r);
        return;
    }
}

/* A gradient that arrives at an f32 result comes back through f32, whatever the input is. */
static bool passes_f32(const run *u) {
    for (int i = 0; i < u->w->n_out; i++)
        if (u->w->seed[i] && hd_val_dtype(u->out[i].val) != HD_F64) return true;
    return false;
}

static void judge(run *u, hd_program *p) {
    u->largest = fmax(largest_among(u, u->w->out, u->w->n_out), largest_among(u, u->w->seed, u->w->n_out));
    u->largest = fmax(u->largest, largest_among(u, u->w->grad, u->w->n_grad));
    for (int i = 0; i < u->w->n_out; i++) {
        const hd_type type = type_of(u->out[i].val);
        judge_one(u, p, &u->out[i], u->w->out[i], bar_of(u, type.dtype, u->w->out_error[i], false), &type);
    }
    for (int k = 0; k < u->w->n_grad; k++) {
        if (!u->w->grad[k]) continue;
        hd_type type = {0};
        for (int i = 0; i < u->c->n_in; i++)
            if (strcmp(u->c->in[i].name, u->w->of[k]) == 0) type = type_of(u->c->in[i].val);
        if (!hd_val_is_none(u->grad[k].val)) type = type_of(u->grad[k].val);
        const hd_dtype through = passes_f32(u) ? HD_F32 : type.dtype;
        judge_one(u, p, &u->grad[k], u->w->grad[k], bar_of(u, through, u->w->grad_error[k], true), &type);
    }
    for (int k = 0; k < u->w->n_after; k++) judge_state(u, p, u->w->state[k], u->w->after[k]);
}

static void compile_and_run(run *u, const char *backend) {
    hd_context *ctx = u->c->file->ctx;
    hd_program *p = NULL;
    if (u->n_marked) {
        const hd_compile_args args = {.backend = backend, .train = true, .exact = true};
        if (hd_compile_with(&p, hd_forward(u->marked[0]), &args) != HD_OK) {
            vector_failed(u->r, "compile: %s", hd_last_error(ctx));
            return;
        }
        if (bind(u, p) != HD_OK) vector_failed(u->r, "run: %s", hd_last_error(ctx));
    }
    if (u->r->outcome != VECTOR_FAILED) judge(u, p);
    hd_program_free(p);
}

/* Arguments that change nothing of the numbers, and those that nobody read. */
static void refuse_unread(vector_case *c) {
    static const char *const harmless[] = {"device", "requires_grad", "layout", "memory_format", "pin_memory"};
    int i = 0;
    for (const hd_json *a = c->args ? c->args->child : NULL; a; a = a->next, i++)
        if (i >= 64 || !(c->read_args >> i & 1)) vector_unsupported(c, "argument %d is not known", i);
    i = 0;
    for (const hd_json *a = c->kwargs ? c->kwargs->child : NULL; a; a = a->next, i++) {
        bool known = a->type == HD_JSON_NULL || (i < 64 && c->read_kwargs >> i & 1);
        for (size_t k = 0; k < sizeof harmless / sizeof *harmless; k++) known |= strcmp(a->key, harmless[k]) == 0;
        if (!known) vector_unsupported(c, "the argument %s is not known", a->key);
    }
}

static void build_and_run(run *u, vector_call call, const char *backend) {
    vector_case *c = u->c;
    hd_context *ctx = c->file->ctx;
    if (!c->why[0]) call(c);
    refuse_unread(c);
    if (c->why[0]) return;
    if (hd_graph_status(c->g) != HD_OK) vector_failed(u->r, "%s", hd_last_error(ctx));
    if (c->n_out != u->w->n_out) vector_failed(u->r, "gives %d results of %d", c->n_out, u->w->n_out);
    for (int i = 0; i < c->n_out; i++)
        if (hd_val_is_none(c->out[i])) vector_failed(u->r, "result %d is none", i);
    if (u->r->outcome == VECTOR_FAILED) return;
    for (int i = 0; i < c->n_out; i++) u->out[i] = find_later(u, c->out[i]);
    add_gradients(u);
    if (u->r->outcome == VECTOR_FAILED || c->why[0]) return;
    if (hd_graph_status(c->g) != HD_OK)
        vector_failed(u->r, "gradient: %s", hd_last_error(ctx));
    else
        compile_and_run(u, backend);
}

void vector_run(vector_case *c, vector_call call, const vector_wanted *wanted, const char *backend, vector_result *r) {
    *r = (vector_result){.outcome = VECTOR_PASSED};
    if (hd_graph_new(&c->g, c->file->ctx) != HD_OK) {
        vector_failed(r, "%s", hd_last_error(c->file->ctx));
        return;
    }
    run *u = hd_arena_alloc(c->arena, sizeof *u);
    if (u) {
        *u = (run){.c = c, .w = wanted, .r = r};
        build_and_run(u, call, backend);
    } else {
        vector_failed(r, "out of memory");
    }
    if (c->why[0]) {
        r->outcome = VECTOR_UNSUPPORTED;
        (void)snprintf(r->text, sizeof r->text, "%s", c->why);
    }
    hd_graph_free(c->g);
}

/* ---- a case of opinfo ---- */

/* PyTorch's own error in f32, of the largest value; 0 where it is not known. */
static double torch_error(const hd_json *json, const char *key, int i) {
    const hd_json *list = hd_json_get(json, key), *pair = list ? list->child : NULL;
    for (; pair && i > 0; i--) pair = pair->next;
    double x = 0;
    return pair && pair->child && vector_is_number(pair->child->next, &x) && isfinite(x) ? x : 0;
}

static const char *text_of(const hd_json *v) {
    return v && v->type == HD_JSON_STRING ? v->string : NULL;
}

void vector_run_opinfo(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                       hd_arena *arena, vector_result *r) {
    const vector_call call = vector_call_find(name);
    vector_wanted *w = hd_arena_alloc(arena, sizeof *w);
    vector_case *c = hd_arena_alloc(arena, sizeof *c);
    *r = (vector_result){.outcome = VECTOR_UNSUPPORTED, .text = "no such call"};
    if (!call || !w || !c) return;
    *c = (vector_case){.file = f, .arena = arena, .dtype = o->dtype};
    c->args = hd_json_get(json, "args");
    c->kwargs = hd_json_get(json, "kwargs");
    const hd_json *out = hd_json_get(json, "out"), *seeds = hd_json_get(json, "grad_out"),
                  *of = hd_json_get(json, "requires_grad"), *grad = hd_json_get(json, "grad_in");
    for (const hd_json *v = out ? out->child : NULL; v && w->n_out < VECTOR_MOST; v = v->next) {
        char index[32];
        const int i = w->n_out++;
        (void)snprintf(index, sizeof index, "%d", i);
        w->out[i] = text_of(v);
        if (!w->out[i]) vector_unsupported(c, "result %d is not a tensor", i);
        w->seed[i] = text_of(hd_json_get(seeds, index));
        w->out_error[i] = torch_error(json, "torch_f32_error", i);
    }
    const hd_json *v = of ? of->child : NULL, *g = grad ? grad->child : NULL;
    for (; v && g && w->n_grad < VECTOR_MOST; v = v->next, g = g->next) {
        const int k = w->n_grad++;
        w->of[k] = text_of(v);
        w->grad[k] = text_of(g);
        w->grad_error[k] = torch_error(json, "torch_f32_grad_error", k);
    }
    vector_run(c, call, w, o->backend, r);
}
