/* target.c: what to compile: a training step (forward, loss, backward, update in one graph) or a value in inference
 * form. */
#include "compile/lower.h"
#include "hadal/ops.h"
#include <stdio.h>
#include <string.h>

/* Input made by the targets and bound by programs themselves: f64 [4] = learning rate, step, weight decay, 0. */
static hd_val hd_hyper_input(hd_graph *g) {
    hd_val v = hd_graph_find(g, "hyper");
    return hd_val_is_none(v) ? hd_input(g, "hyper", HD_F64, HD_DIMS(4)) : v;
}

static hd_val hd_slot(hd_val p, const char *slot) {
    char name[512];
    snprintf(name, sizeof name, "%s@%s", hd_val_name(p), slot);
    return hd_state(p.graph, name, hd_val_dtype(p), hd_val_dims(p), HD_ZEROS);
}

static void hd_update(hd_val p, hd_val g, hd_val hyper, hd_val scale, const hd_optimizer *o) {
    if (strcmp(o->name, "sgd") == 0) {
        hd_val v = o->momentum != 0 ? hd_slot(p, "momentum") : (hd_val){0};
        hd_sgd_update(p, g, hyper, scale, v, .momentum = o->momentum, .nesterov = o->nesterov);
        return;
    }
    hd_adam_update(p, g, hd_slot(p, "exp_avg"), hd_slot(p, "exp_avg_sq"), hyper, scale, .beta1 = o->beta1,
                   .beta2 = o->beta2, .eps = o->eps, .decoupled = strcmp(o->name, "adamw") == 0);
}

static void hd_add_updates(hd_graph *g, hd_val loss, const hd_optimizer *o, hd_val *params, hd_val *grads, int32_t n) {
    const hd_status status = hd_gradients(loss, (hd_val){0}, params, n, grads);
    if (status != HD_OK) {
        hd_error e = hd_last_error_parts(g->ctx);
        hd_graph_fail(g, status, "%s|%s|%s", e.where, e.what, e.fix);
        return;
    }
    int32_t used = 0;
    for (int32_t i = 0; i < n; i++) { /* parameters that the loss does not depend on stay as they are */
        if (hd_val_is_none(grads[i])) continue;
        params[used] = params[i];
        grads[used++] = grads[i];
    }
    if (!used) {
        hd_graph_fail(g, HD_E_MODEL, "train step|the loss depends on no parameter");
        return;
    }
    hd_val hyper = hd_hyper_input(g), scale = {0};
    if (o->max_norm > 0) scale = hd_clip_scale(grads, used, .max_norm = o->max_norm);
    for (int32_t i = 0; i < used; i++) hd_update(params[i], grads[i], hyper, scale, o);
}

static bool hd_optimizer_settle(hd_graph *g, hd_optimizer *o) {
    if (!o->name) o->name = "sgd";
    const bool sgd = strcmp(o->name, "sgd") == 0, adamw = strcmp(o->name, "adamw") == 0;
    if (!sgd && !adamw && strcmp(o->name, "adam") != 0) {
        hd_graph_fail(g, HD_E_UNSUPPORTED, "train step|there is no optimiser \"%s\"|Use sgd, adam or adamw", o->name);
        return false;
    }
    if (o->lr == 0 && !(1 / o->lr < 0)) o->lr = sgd ? 0.01 : 0.001;
    if (o->weight_decay == 0 && !(1 / o->weight_decay < 0)) o->weight_decay = adamw ? 0.01 : 0;
    return true;
}

hd_target hd_train_step(hd_val loss, hd_optimizer optimizer) {
    hd_target t = {.graph = loss.graph, .value = loss, .train = true, .optimizer = optimizer};
    if (!loss.graph || loss.graph->status != HD_OK) return t;
    hd_graph *source = loss.graph, *g = NULL;
    if (loss.id < 0 || !hd_optimizer_settle(source, &t.optimizer)) return t;
    if (hd_graph_clone(&g, source) != HD_OK || hd_graph_own(source, g) != HD_OK) {
        hd_graph_fail(source, HD_E_MEMORY, "|out of memory");
        hd_graph_free(g);
        return t;
    }
    t.graph = g;
    t.value = loss = (hd_val){g, loss.id};
    if (!g->values[loss.id].output) hd_mark_output(loss, "loss");
    int32_t n = 0;
    hd_val *params = hd_arena_alloc_n(&g->arena, g->value_count + 1, sizeof *params);
    hd_val *grads = hd_arena_alloc_n(&g->arena, g->value_count + 1, sizeof *grads);
    if (!params || !grads) {
        hd_graph_fail(g, HD_E_MEMORY, "|out of memory");
        return t;
    }
    hd_settle_frozen(g);
    for (size_t i = 0; i < g->value_count; i++)
        if (g->values[i].kind == HD_KIND_PARAM) params[n++] = (hd_val){g, (int32_t)i};
    hd_add_updates(g, loss, &t.optimizer, params, grads, n);
    return t;
}

hd_target hd_forward(hd_val value) {
    return (hd_target){.graph = value.graph, .value = value};
}
