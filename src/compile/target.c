/* target.c: what to compile: a training step (forward, loss, backward, update in one graph) or a value in inference
 * form. */
#include "compile/lower.h"
#include "hadal/ops.h"
#include "ops/optim_kit.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Input made by the targets and bound by programs themselves: what hyper of an update is. */
static hd_val hd_hyper_input(hd_graph *g) {
    hd_val v = hd_graph_find(g, "hyper");
    return hd_val_is_none(v) ? hd_input(g, "hyper", HD_F64, HD_DIMS(HD_HYPER_COUNT)) : v;
}

static hd_val hd_hyper_member(hd_val hyper, int member, hd_dtype dtype) {
    return hd_cast(hd_select(hyper, .index = member), .dtype = HD_DTYPE(dtype));
}

static hd_val hd_slot(hd_val p, const char *slot) {
    char name[512];
    snprintf(name, sizeof name, "%s@%s", hd_val_name(p), slot);
    return hd_state(p.graph, name, hd_val_dtype(p), hd_val_dims(p), HD_ZEROS);
}

/* What all updates of a step share. */
typedef struct hd_update_kit {
    const hd_optimizer *o;
    hd_val hyper, scale;
    hd_val live; /* bool: whether anything is to change; for directions made of nodes */
} hd_update_kit;

static bool hd_is_zero(double x) { /* an explicit one */
    return x == 0 && signbit(x);
}

static bool hd_is_said(double x) {
    return x != 0 || hd_is_zero(x);
}

/* What the groups say of a parameter; zero where none says anything. */
static hd_param_group hd_group_of(const hd_optimizer *o, hd_val p) {
    hd_param_group all = {0};
    for (int32_t i = 0; i < o->group_count; i++) {
        const hd_param_group *group = &o->groups[i];
        if (group->vectors && hd_val_dims(p).rank > 1) continue;
        if (group->pattern && !hd_name_fits(group->pattern, hd_val_name(p))) continue;
        if (!hd_is_said(all.lr_scale)) all.lr_scale = group->lr_scale;
        if (!hd_is_said(all.weight_decay)) all.weight_decay = group->weight_decay;
    }
    return all;
}

static bool hd_is_trained(const hd_optimizer *o, hd_val p) {
    return !hd_is_zero(hd_group_of(o, p).lr_scale);
}

static void hd_update(hd_val p, hd_val g, const hd_update_kit *kit) {
    const hd_param_group group = hd_group_of(kit->o, p);
    const hd_dims dims = hd_val_dims(p);
    const hd_optim *kind = hd_optim_find(kit->o->name);
    hd_update_args a = {.p = p, .g = g, .hyper = kit->hyper, .scale = kit->scale, .o = *kit->o};
    if (kind->leaves && kind->leaves(&dims)) {
        a.o.name = kind->leaves(&dims);
        kind = hd_optim_find(a.o.name);
    }
    const unsigned keeps = hd_optim_keeps(kind, &a.o);
    hd_val *slot[HD_OPTIM_SLOTS] = {&a.s0, &a.s1, &a.s2};
    for (int k = 0; k < HD_OPTIM_SLOTS; k++)
        if (keeps >> k & 1) *slot[k] = hd_slot(p, kind->slot[k]);
    if (kit->o->ema > 0) a.ema = hd_slot(p, "ema");
    if (kind->direction) a.g = kind->direction(p, &a, kit->live);
    a.lr_scale = group.lr_scale;
    a.decay = hd_is_said(group.weight_decay) ? group.weight_decay : -1;
    hd_optimizer_update_at(HD_HERE, &a);
}

/* Gradients of several runs: g becomes share·(what was added up + weight·g); where share is 0 the sum is kept. Else it
 * is left behind and not multiplied by 0: a gradient that is no number would stay for ever. */
static void hd_add_up(hd_val *params, hd_val *grads, int32_t n, hd_val hyper) {
    const hd_val weight = hd_hyper_member(hyper, HD_HYPER_WEIGHT, HD_F64);
    const hd_val share = hd_hyper_member(hyper, HD_HYPER_SHARE, HD_F64);
    const hd_val spent = hd_ne(share, hd_fill_like(share));
    for (int32_t i = 0; i < n; i++) {
        const int64_t dtype = HD_DTYPE(hd_val_dtype(grads[i]));
        const hd_val sum_before = hd_slot(params[i], "grad");
        const hd_val sum = hd_add(sum_before, hd_mul(grads[i], hd_cast(weight, .dtype = dtype)));
        grads[i] = hd_mul(sum, hd_cast(share, .dtype = dtype));
        (void)hd_assign(sum_before, hd_masked_fill(sum, spent));
    }
}

/* The factor of all gradients: clipping by norm, and the guard's word. None: 1. */
static hd_val hd_common_scale(hd_graph *g, const hd_optimizer *o, const hd_val *grads, int32_t n, hd_val hyper) {
    if (!(o->max_norm > 0) && !(o->skip_outliers > 0)) return (hd_val){0};
    const hd_val scale = hd_clip_scale(grads, n, .max_norm = o->max_norm > 0 ? o->max_norm : 1e300);
    if (!(o->skip_outliers > 0)) return scale;
    const hd_val state = hd_state(g, "norm@guard", HD_F64, HD_DIMS(4), HD_ZEROS);
    return hd_output(hd_outlier_guard(state, hd_output(scale, 1), scale, hyper, .limit = o->skip_outliers), 1);
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
        if (hd_val_is_none(grads[i]) || !hd_is_trained(o, params[i])) continue;
        params[used] = params[i];
        grads[used++] = grads[i];
    }
    if (!used) {
        hd_graph_fail(g, HD_E_MODEL, "train step|the loss depends on no parameter that is trained");
        return;
    }
    hd_update_kit kit = {.o = o, .hyper = hd_hyper_input(g)};
    if (o->accumulate) hd_add_up(params, grads, used, kit.hyper);
    kit.scale = hd_common_scale(g, o, grads, used, kit.hyper);
    if (hd_optim_find(o->name)->direction) {
        const hd_val share = hd_hyper_member(kit.hyper, HD_HYPER_SHARE, HD_F64);
        kit.live = hd_gt(share, hd_fill_like(share));
        if (!hd_val_is_none(kit.scale)) {
            const hd_val scale = hd_cast(kit.scale, .dtype = HD_DTYPE(HD_F64));
            kit.live = hd_logical_and(kit.live, hd_ge(scale, hd_fill_like(scale)));
        }
    }
    for (int32_t i = 0; i < used; i++) hd_update(params[i], grads[i], &kit);
}

static bool hd_optimizer_ready(hd_graph *g, hd_optimizer *o) {
    char message[256] = "", list[256] = "";
    const hd_status status = hd_optimizer_settle(o, message, sizeof message);
    if (status == HD_OK) return true;
    size_t used = 0;
    for (const char *const *name = hd_optimizer_names(); *name && used + 16 < sizeof list; name++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", *name);
    if (status == HD_E_UNSUPPORTED)
        hd_graph_fail(g, status, "train step|%s|Use one of %s", message, list);
    else
        hd_graph_fail(g, status, "train step|%s: %s", o->name, message);
    return false;
}

hd_target hd_train_step(hd_val loss, hd_optimizer optimizer) {
    hd_target t = {.graph = loss.graph, .value = loss, .train = true, .optimizer = optimizer};
    if (!loss.graph || loss.graph->status != HD_OK) return t;
    hd_graph *source = loss.graph, *g = NULL;
    if (loss.id < 0 || !hd_optimizer_ready(source, &t.optimizer)) return t;
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
    t.optimizer.groups = NULL; /* the caller's: they may not live as long */
    t.optimizer.group_count = 0;
    return t;
}

hd_target hd_forward(hd_val value) {
    return (hd_target){.graph = value.graph, .value = value};
}
