/* gradcheck.c: the gradient of a loss by back-propagation against central differences, parameter by parameter, in f64
 * and by the definitions. Knows graphs and programs by their public headers alone. */
#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"
#include "hadal/ops_math.h"
#include "hadal/train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIRECTIONS = 2, STEPS = 3 };

typedef struct checker {
    hd_context *ctx;
    hd_gradcheck_args a;
    hd_arena arena;
    hd_graph *g; /* in f64 */
    hd_program *p;
    hd_gradcheck *out;
    double **value, **gradient; /* [count][elements] */
    hd_rng rng;
} checker;

static void settle(hd_gradcheck_args *a, const hd_gradcheck_args *given) {
    *a = given ? *given : (hd_gradcheck_args){0};
    if (!(a->eps > 0)) a->eps = 1e-6;
    if (!(a->atol > 0)) a->atol = 1e-5;
    if (!(a->rtol > 0)) a->rtol = 1e-3;
    if (a->batch < 1) a->batch = 2;
    if (a->elements < 1) a->elements = 4;
    if (a->classes < 1) a->classes = 2;
    if (!a->seed) a->seed = 1;
}

static const char *gradient_name(char buffer[32], int32_t i) {
    (void)snprintf(buffer, 32, "gradient %d", (int)i);
    return buffer;
}

/* The parameters, as tensors of the result and as values of the graph. */
static hd_status find_parameters(checker *c, hd_val **params) {
    const int32_t n = hd_graph_value_count(c->g);
    *params = hd_arena_alloc_n(&c->arena, (size_t)n + 1, sizeof **params);
    c->out->tensor = hd_alloc(c->ctx, ((size_t)n + 1) * sizeof *c->out->tensor);
    if (!*params || !c->out->tensor) return HD_E_MEMORY;
    for (int32_t i = 0; i < n; i++) {
        const hd_val v = {c->g, i};
        if (hd_val_kind(v) != HD_KIND_PARAM) continue;
        (*params)[c->out->count] = v;
        c->out->tensor[c->out->count++] = (hd_gradcheck_tensor){.dims = hd_val_dims(v), .ok = true};
    }
    if (c->out->count == 0) return hd_fail(c->ctx, HD_E_MODEL, "gradcheck|the network has no parameter|");
    return HD_OK;
}

/* Adds the gradients and marks them: each as a node of its own, since two may be one value. */
static hd_status add_gradients(checker *c, hd_val loss, const hd_val *params) {
    hd_val *grads = hd_arena_alloc_n(&c->arena, (size_t)c->out->count, sizeof *grads);
    if (!grads) return HD_E_MEMORY;
    HD_TRY(hd_gradients(loss, (hd_val){0}, params, c->out->count, grads));
    char name[32];
    bool any = false;
    for (int32_t i = 0; i < c->out->count; i++) {
        if (hd_val_is_none(grads[i])) continue;
        hd_mark_output(hd_neg(grads[i]), gradient_name(name, i));
        any = true;
    }
    if (!any)
        return hd_fail(c->ctx, HD_E_MODEL,
                       "gradcheck|the loss depends on no parameter: no gradient flows back to any|A step has no slope; "
                       "such networks have methods of their own, see train.method");
    hd_mark_output(loss, "checked loss");
    return hd_graph_status(c->g);
}

/* Does the graph take whole numbers of this value, as embeddings do? */
static bool is_index(const checker *c, hd_val v) {
    hd_node_info node;
    for (int32_t i = 0; hd_graph_node(c->g, i, &node); i++) {
        const hd_val in = node.n_in > 0 ? hd_graph_node_in(c->g, i, 0) : (hd_val){0};
        if (hd_val_is_none(in) || in.id != v.id) continue;
        const hd_val out = hd_graph_node_out(c->g, i, 0);
        if (strcmp(node.op->name, "cast") == 0 && hd_val_dtype(out) == HD_I64) return true;
    }
    return false;
}

/* Every input gets random numbers: floats normal, whole numbers below `classes`. */
static hd_status feed(checker *c) {
    const int32_t n = hd_graph_value_count(c->g);
    for (int32_t i = 0; i < n; i++) {
        const hd_val v = {c->g, i};
        const char *name = hd_val_name(v);
        if (hd_val_kind(v) != HD_KIND_INPUT || hd_program_input(c->p, name) < 0) continue;
        if (strcmp(name, "rng") == 0 || strcmp(name, "hyper") == 0) continue; /* bound by the program itself */
        const hd_type t = hd_program_type(c->p, name);
        const int64_t count = hd_dims_count(&t.dims);
        const bool index = is_index(c, v);
        char *data = hd_arena_alloc_n(&c->arena, (size_t)count + 1, sizeof(double));
        if (!data) return HD_E_MEMORY;
        for (int64_t k = 0; k < count; k++) {
            double x = hd_rng_normal(&c->rng);
            const int64_t whole = (int64_t)hd_rng_below(&c->rng, (uint64_t)c->a.classes);
            if (index) x = (double)whole;
            if (t.dtype == HD_F64)
                memcpy(data + 8 * k, &x, 8);
            else if (t.dtype == HD_I64)
                memcpy(data + 8 * k, &whole, 8);
            else if (t.dtype == HD_I32)
                memcpy(data + 4 * k, &(int32_t){(int32_t)whole}, 4);
            else
                data[k] = (char)(whole & 1);
        }
        HD_TRY(hd_program_set(c->p, name, data));
    }
    return HD_OK;
}

static hd_status loss_of(checker *c, double *loss) {
    HD_TRY(hd_program_run(c->p));
    *loss = *(const double *)hd_program_get(c->p, "checked loss");
    return HD_OK;
}

/* Names, values and gradients at the point where everything is compared. */
static hd_status take_point(checker *c, const hd_val *params) {
    HD_TRY(loss_of(c, &c->out->loss));
    c->value = hd_arena_alloc_n(&c->arena, (size_t)c->out->count, sizeof *c->value);
    c->gradient = hd_arena_alloc_n(&c->arena, (size_t)c->out->count, sizeof *c->gradient);
    if (!c->value || !c->gradient) return HD_E_MEMORY;
    for (int32_t i = 0; i < c->out->count; i++) {
        hd_gradcheck_tensor *t = &c->out->tensor[i];
        const size_t n = (size_t)hd_dims_count(&t->dims);
        char name[32];
        t->name = hd_strdup(c->ctx, hd_val_name(params[i]));
        c->value[i] = hd_arena_alloc_n(&c->arena, n + 1, sizeof **c->value);
        c->gradient[i] = hd_arena_alloc_n(&c->arena, n + 1, sizeof **c->gradient);
        if (!t->name || !c->value[i] || !c->gradient[i]) return HD_E_MEMORY;
        HD_TRY(hd_store_get(hd_program_store(c->p), t->name, c->value[i], n * sizeof(double)));
        const double *minus = hd_program_get(c->p, gradient_name(name, i));
        for (size_t k = 0; k < n; k++) c->gradient[i][k] = minus ? -minus[k] : 0;
    }
    return HD_OK;
}

/* The loss with parameter i moved by `by` along a direction. */
static hd_status moved_loss(checker *c, int32_t i, const double *direction, double by, double *scratch, double *loss) {
    const hd_gradcheck_tensor *t = &c->out->tensor[i];
    const int64_t n = hd_dims_count(&t->dims);
    for (int64_t k = 0; k < n; k++) scratch[k] = c->value[i][k] + by * direction[k];
    HD_TRY(hd_store_set(hd_program_store(c->p), t->name, scratch, (size_t)n * sizeof(double)));
    return loss_of(c, loss);
}

/* Compares the slope along one direction. A kink between the two sides spoils a difference: a smaller step leaves it
 * outside, while a wrong gradient is wrong for every step. What stays apart with sides of different slope is a kink at
 * the point itself: nothing can be said. */
static hd_status compare(checker *c, int32_t i, const double *direction, double *scratch) {
    hd_gradcheck_tensor *t = &c->out->tensor[i];
    const int64_t n = hd_dims_count(&t->dims);
    double backward = 0, difference = 0, gap = 0, bend = 0, eps = c->a.eps;
    bool ok = false;
    for (int64_t k = 0; k < n; k++) backward += c->gradient[i][k] * direction[k];
    for (int attempt = 0; attempt < STEPS && !ok; attempt++, eps /= 8) {
        double up, down;
        HD_TRY(moved_loss(c, i, direction, eps, scratch, &up));
        HD_TRY(moved_loss(c, i, direction, -eps, scratch, &down));
        difference = (up - down) / (2 * eps);
        bend = fabs(up + down - 2 * c->out->loss) / eps;
        gap = fabs(backward - difference);
        ok = gap <= c->a.atol + c->a.rtol * fabs(difference);
    }
    if (!ok && bend > gap / 2) {
        t->kinks++;
        return HD_OK;
    }
    const double error = gap / (fmax(fabs(backward), fabs(difference)) + c->a.atol / c->a.rtol);
    if (t->compared++ == 0 || !(error <= t->relative_error)) {
        t->relative_error = error;
        t->backward = backward;
        t->difference = difference;
    }
    t->ok = t->ok && ok;
    return HD_OK;
}

/* Random directions, each element of them ±1: they see every element at once. Then single elements. */
static hd_status check_tensor(checker *c, int32_t i) {
    hd_gradcheck_tensor *t = &c->out->tensor[i];
    const int64_t n = hd_dims_count(&t->dims);
    double *direction = hd_alloc(c->ctx, ((size_t)n + 1) * sizeof *direction);
    double *scratch = hd_alloc(c->ctx, ((size_t)n + 1) * sizeof *scratch);
    hd_status status = direction && scratch ? HD_OK : HD_E_MEMORY;
    const int64_t singles = n < c->a.elements ? n : c->a.elements;
    for (int64_t d = 0; d < DIRECTIONS + singles && status == HD_OK && n > 0; d++) {
        for (int64_t k = 0; k < n; k++) direction[k] = d < DIRECTIONS ? (hd_rng_u32(&c->rng) & 1 ? 1.0 : -1.0) : 0;
        const int64_t place = n <= singles ? d - DIRECTIONS : (int64_t)hd_rng_below(&c->rng, (uint64_t)n);
        if (d >= DIRECTIONS) direction[place] = 1;
        status = compare(c, i, direction, scratch);
    }
    if (status == HD_OK && n > 0)
        status = hd_store_set(hd_program_store(c->p), t->name, c->value[i], (size_t)n * sizeof(double));
    hd_free(c->ctx, direction);
    hd_free(c->ctx, scratch);
    return status;
}

static hd_status run_checks(checker *c, hd_val loss) {
    hd_val *params;
    HD_TRY(find_parameters(c, &params));
    HD_TRY(add_gradients(c, loss, params));
    hd_store *store = NULL;
    HD_TRY(hd_store_new(&store, c->ctx, c->a.seed));
    const hd_compile_args args = {.batch = c->a.batch, .backend = "ref", .train = true, .store = store};
    hd_status status = hd_compile_with(&c->p, hd_forward(loss), &args);
    if (status == HD_OK) status = feed(c);
    if (status == HD_OK) status = take_point(c, params);
    for (int32_t i = 0; i < c->out->count && status == HD_OK; i++) status = check_tensor(c, i);
    hd_program_free(c->p);
    hd_store_free(store);
    return status;
}

hd_status hd_gradcheck_run(hd_gradcheck *out, hd_val loss, const hd_gradcheck_args *args) {
    *out = (hd_gradcheck){0};
    if (!loss.graph) return HD_E_USAGE;
    HD_TRY(hd_graph_status(loss.graph));
    out->ctx = hd_graph_context(loss.graph);
    checker c = {.ctx = out->ctx, .arena = {.ctx = out->ctx}, .out = out};
    settle(&c.a, args);
    c.rng = hd_rng_new(c.a.seed, "gradcheck");
    hd_status status = hd_val_dtype(loss) == HD_F64 ? hd_graph_clone(&c.g, loss.graph)
                                                    : hd_graph_convert(&c.g, loss.graph, HD_F32, HD_F64);
    if (status == HD_OK) status = run_checks(&c, (hd_val){c.g, loss.id});
    hd_graph_free(c.g);
    hd_arena_free(&c.arena);
    if (status != HD_OK) {
        hd_gradcheck_free(out);
        return status;
    }
    out->ok = true;
    for (int32_t i = 0; i < out->count; i++) {
        if (out->tensor[i].kinks > 0 && out->tensor[i].compared == 0) out->tensor[i].ok = false; /* nothing was seen */
        out->ok = out->ok && out->tensor[i].ok;
        out->max_relative_error = fmax(out->max_relative_error, out->tensor[i].relative_error);
    }
    return HD_OK;
}

void hd_gradcheck_free(hd_gradcheck *check) {
    for (int32_t i = 0; i < check->count; i++) hd_free(check->ctx, (void *)(uintptr_t)check->tensor[i].name);
    if (check->ctx) hd_free(check->ctx, check->tensor);
    *check = (hd_gradcheck){0};
}
