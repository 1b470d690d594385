/* vector_clip.c: clipping of gradients. By the second norm with a training program: a step of SGD with rate 1 from zero
 * is the clipped gradient, negated. By other norms with ops. */
#include "vector_trace.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- by the training program ---- */

static void negate(const vector_trace *t, void *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (t->dtype == HD_F64)
            ((double *)x)[i] *= -1;
        else
            ((float *)x)[i] *= -1;
    }
}

static void clip_by_program(vector_trace *t, int index, double max_norm, const vector_options *o) {
    char names[VECTOR_PARAMS][96];
    void *grads[VECTOR_PARAMS];
    for (int k = 0; k < VECTOR_PARAMS; k++) {
        (void)snprintf(names[k], sizeof names[k], "c%d.g%d", index, k);
        grads[k] = vector_trace_tensor(t, names[k], &t->dims[k]);
        if (grads[k]) negate(t, grads[k], hd_dims_count(&t->dims[k]));
        (void)snprintf(names[k], sizeof names[k], "c%d.out%d", index, k);
    }
    const hd_optimizer sgd = hd_sgd(.lr = 1, .max_norm = max_norm);
    if (t->r->outcome != VECTOR_FAILED) vector_trace_make(t, &sgd, o->backend, NULL);
    if (t->r->outcome != VECTOR_FAILED) vector_trace_step(t, grads, names, t->dtype == HD_F64 ? 1e-10 : 1e-6);
    vector_trace_free(t);
}

/* ---- by ops ---- */

/* The part of a norm that one tensor brings: Σ |x|^p, or the largest. */
static hd_val part_of_norm(hd_val x, double p) {
    if (isinf(p)) return hd_max(hd_abs(x));
    return p == 1 ? hd_sum(hd_abs(x)) : hd_sum(hd_pow(hd_abs(x), .exponent = p));
}

static void call_clip(vector_case *c) {
    hd_val x[VECTOR_MOST], norm = {0};
    const int n = vector_tensors(c, 0, "parameters", x);
    const double most = vector_number(c, 1, "max_norm", 1), p = vector_number(c, 2, "norm_type", 2);
    if (!(p >= 1)) vector_unsupported(c, "a norm of order %g", p);
    if (c->why[0]) return;
    for (int i = 0; i < n; i++) {
        const hd_val part = part_of_norm(x[i], p);
        norm = hd_val_is_none(norm) ? part : isinf(p) ? hd_maximum(norm, part) : hd_add(norm, part);
    }
    if (!isinf(p) && p != 1) norm = hd_pow(norm, .exponent = 1 / p);
    const hd_val scale = hd_div(vector_scalar(c, c->dtype, most), hd_affine(norm, .shift = 1e-6));
    const hd_val factor = hd_minimum(scale, vector_scalar(c, c->dtype, 1));
    for (int i = 0; i < n; i++) vector_give(c, hd_mul(x[i], factor));
}

/* [{"tensor": "c0.g0"}, {"tensor": "c0.g1"}], max_norm, norm_type. */
static hd_json *clip_arguments(hd_arena *arena, int index, double most, double p) {
    hd_json *args = hd_json_new(arena, HD_JSON_ARRAY), *list = hd_json_new(arena, HD_JSON_ARRAY);
    if (!args || !list) return NULL;
    for (int k = 0; k < VECTOR_PARAMS; k++) {
        hd_json *tensor = hd_json_new(arena, HD_JSON_OBJECT);
        const char *name = hd_arena_printf(arena, "c%d.g%d", index, k);
        if (!tensor || !name || !hd_json_set(arena, tensor, "tensor", hd_json_new_string(arena, name))) return NULL;
        hd_json_add(list, tensor);
    }
    hd_json_add(args, list);
    hd_json *number = hd_json_new_number(arena, most), *order = hd_json_new_number(arena, p);
    if (!number || !order) return NULL;
    order->number = p; /* infinity too */
    hd_json_add(args, number);
    hd_json_add(args, order);
    return args;
}

static void clip_by_ops(vector_case *c, int index, double most, double p, const vector_options *o, vector_result *r) {
    vector_wanted *w = hd_arena_alloc(c->arena, sizeof *w);
    c->args = clip_arguments(c->arena, index, most, p);
    if (!w || !c->args) {
        vector_failed(r, "out of memory");
        return;
    }
    for (int k = 0; k < VECTOR_PARAMS; k++) w->out[w->n_out++] = hd_arena_printf(c->arena, "c%d.out%d", index, k);
    vector_run(c, call_clip, w, o->backend, r);
}

void vector_run_clip(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                     hd_arena *arena, vector_result *r) {
    const hd_json *type = hd_json_get(json, "norm_type"), *most = hd_json_get(json, "max_norm");
    double p = 0;
    int index = 0;
    (void)name;
    *r = (vector_result){.outcome = VECTOR_UNSUPPORTED, .text = "clipping of another form"};
    if (!most || !type || (!vector_is_number(type, &p) && (!type->string || sscanf(type->string, "%lf", &p) != 1)))
        return;
    *r = (vector_result){.outcome = VECTOR_PASSED};
    for (const hd_json *v = hd_json_get(f->root, "cases")->child; v && v != json; v = v->next) index++;
    vector_trace t = {.file = f, .arena = arena, .r = r, .dtype = o->dtype};
    vector_case *c = hd_arena_alloc(arena, sizeof *c);
    if (p == 2) {
        clip_by_program(&t, index, most->number, o);
    } else if (c) {
        *c = (vector_case){.file = f, .arena = arena, .dtype = o->dtype};
        clip_by_ops(c, index, most->number, p, o, r);
    }
}
