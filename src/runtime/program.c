/* program.c: from a lowered graph to flat steps; what a program holds and how it is asked. */
#include "runtime/program.h"
#include <string.h>

/* ---- making the steps ---- */

static int32_t hd_phase_count(const hd_lower *l) {
    int32_t n = 0;
    for (size_t i = 0; i < l->g->node_count; i++) n += hd_lnode_of(l, (int32_t)i)->prepared.phases;
    return n;
}

static hd_status hd_make_exec(hd_program *p, int32_t node, hd_exec **out) {
    hd_lower *l = &p->lower;
    const hd_node *n = &l->g->nodes[node];
    const hd_lnode *ln = n->lower;
    /* Kernels may look at optional inputs that were not given: they are NULL. */
    int32_t n_in = n->n_in;
    if (!(n->op->flags & HD_OP_VARIADIC) && n_in < n->op->n_in + n->op->n_optional)
        n_in = n->op->n_in + n->op->n_optional;
    hd_exec *e = hd_arena_alloc(&l->arena, sizeof *e);
    void **ptr = hd_arena_alloc_n(&l->arena, (size_t)(n_in + n->n_out) + 1, sizeof *ptr);
    if (!e || !ptr) return HD_E_MEMORY;
    *e = (hd_exec){.state = ln->prepared.state,
                   .in = ptr,
                   .out = ptr + n_in,
                   .scratch_per_thread = ln->prepared.scratch_per_thread};
    for (int32_t k = 0; k < n->n_in; k++)
        p->pointers[p->pointer_count++] = (hd_pointer){&ptr[k], n->in[k] < 0 ? -1 : n->in[k], 0};
    for (int32_t k = 0; k < n->n_out; k++)
        p->pointers[p->pointer_count++] = (hd_pointer){&ptr[n_in + k], n->out + k, 0};
    p->pointers[p->pointer_count++] = (hd_pointer){(void **)(void *)&e->scratch, -2, ln->scratch_offset};
    p->pointers[p->pointer_count++] = (hd_pointer){(void **)(void *)&e->thread_scratch, -2, ln->thread_scratch_offset};
    if (ln->prepared.kept)
        p->pointers[p->pointer_count++] = (hd_pointer){(void **)(void *)&e->kept, ln->once ? -3 : -2, ln->kept_offset};
    *out = e;
    return HD_OK;
}

static void hd_add_steps(hd_program *p, int32_t node, hd_exec *exec, int from, int to) {
    const hd_prepared *prepared = &hd_lnode_of(&p->lower, node)->prepared;
    for (int k = from; k < to; k++) {
        const int64_t rounds = prepared->rounds[k] > 0 ? prepared->rounds[k] : 1;
        p->steps[p->step_count++] = (hd_step){prepared->phase[k].run, exec, prepared->phase[k].tasks, rounds, node};
    }
}

/* First what is run when weights have changed: nodes of their own, which stand first in the schedule, then first phases
 * of others. */
static hd_status hd_make_steps(hd_program *p) {
    hd_lower *l = &p->lower;
    size_t pointers = 0;
    for (size_t i = 0; i < l->g->node_count; i++) pointers += (size_t)(l->g->nodes[i].n_in + l->g->nodes[i].n_out) + 3;
    p->steps = hd_arena_alloc_n(&l->arena, (size_t)hd_phase_count(l) + 1, sizeof *p->steps);
    p->pointers = hd_arena_alloc_n(&l->arena, pointers + 1, sizeof *p->pointers);
    hd_exec **exec = hd_arena_alloc_n(&l->arena, l->g->node_count + 1, sizeof *exec);
    if (!p->steps || !p->pointers || !exec) return HD_E_MEMORY;
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_lnode *ln = l->g->nodes[i].lower;
        if (!ln->prepared.phases) continue;
        HD_TRY(hd_make_exec(p, (int32_t)i, &exec[i]));
        if (ln->kept) hd_add_steps(p, (int32_t)i, exec[i], 0, ln->prepared.phases);
    }
    for (size_t i = 0; i < l->g->node_count; i++)
        if (hd_lnode_of(l, (int32_t)i)->once)
            hd_add_steps(p, (int32_t)i, exec[i], 0, hd_lnode_of(l, (int32_t)i)->prepared.once);
    p->once_count = p->step_count;
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_lnode *ln = l->g->nodes[i].lower;
        if (!ln->kept) hd_add_steps(p, (int32_t)i, exec[i], ln->once ? ln->prepared.once : 0, ln->prepared.phases);
    }
    return HD_OK;
}

static hd_status hd_make_slots(hd_program *p) {
    hd_lower *l = &p->lower;
    const hd_graph *g = l->g;
    p->inputs = hd_arena_alloc_n(&l->arena, g->value_count + 1, sizeof *p->inputs);
    p->outputs = hd_arena_alloc_n(&l->arena, g->value_count + 2, sizeof *p->outputs);
    if (!p->inputs || !p->outputs) return HD_E_MEMORY;
    for (size_t i = 0; i < g->value_count; i++) {
        const hd_value *v = &g->values[i];
        if (v->output)
            p->outputs[p->output_count++] = (hd_result_of){v->output, (int32_t)i};
        else if (l->target == (int32_t)i)
            p->outputs[p->output_count++] = (hd_result_of){"", (int32_t)i};
        if (v->kind != HD_KIND_INPUT || (!hd_use_count(g, (int32_t)i) && l->target != (int32_t)i)) continue;
        hd_slot *slot = &p->inputs[p->input_count++];
        *slot = (hd_slot){.name = v->name, .value = (int32_t)i};
        slot->own = strcmp(v->name, "rng") == 0 || strcmp(v->name, "hyper") == 0;
        if (slot->own) slot->data = *v->name == 'r' ? (const void *)p->rng : (const void *)p->hyper;
        slot->uses = hd_arena_alloc_n(&l->arena, (size_t)p->pointer_count + 1, sizeof *slot->uses);
        if (!slot->uses) return HD_E_MEMORY;
        for (int32_t k = 0; k < p->pointer_count; k++)
            if (p->pointers[k].value >= 0 && l->v[p->pointers[k].value].root == (int32_t)i)
                slot->uses[slot->use_count++] = p->pointers[k].at;
    }
    return HD_OK;
}

/* What a plan may take: the caller's limit, or what the context's leaves; 0: no limit. Beside a training step the
 * trainer holds copies of weights and state. */
static size_t hd_room(const hd_program *p, const hd_memory *m, size_t *extra) {
    const hd_context *ctx = p->ctx;
    *extra = 0;
    if (p->lower.args->memory_limit) return p->lower.args->memory_limit;
    if (!ctx->memory_limit) return 0;
    *extra = 2 * m->params + m->optimizer;
    return ctx->memory_limit > ctx->bytes ? ctx->memory_limit - ctx->bytes : 1;
}

static hd_status hd_lower_again(hd_program *p, hd_target target, int segments) {
    hd_lower *l = &p->lower;
    const hd_lower fresh = {.ctx = l->ctx,
                            .arena = {.ctx = l->ctx},
                            .args = l->args,
                            .store = l->store,
                            .batch = l->batch,
                            .train = l->train,
                            .target = target.value.id,
                            .segments = segments,
                            .lean = !l->train};
    hd_lower_free(l);
    *l = fresh;
    HD_TRY(hd_graph_clone(&l->g, target.graph));
    return hd_lower_run(l);
}

/* Where prediction does not fit, weights stand as they are, without copies. Where a training step does not fit, its
 * forward pass is cut into more and more segments, until it does; where it never does, the smallest plan stays. */
static hd_status hd_fit(hd_program *p, hd_target target) {
    static const int tries[] = {2, 3, 4, 6, 8, 12, 16, 24, 32};
    const hd_compile_args *args = p->lower.args;
    hd_memory m = hd_program_memory(p);
    size_t extra, best = m.total;
    int chosen = 0;
    const size_t room = hd_room(p, &m, &extra);
    if (room && !p->lower.train && m.kept && m.total > room) return hd_lower_again(p, target, 0);
    if (!room || !target.train || args->recompute != 0 || m.total + extra <= room) return HD_OK;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        HD_TRY(hd_lower_again(p, target, tries[i]));
        m = hd_program_memory(p);
        if (m.total + extra <= room) return HD_OK;
        if (m.total >= best) continue;
        best = m.total;
        chosen = tries[i];
    }
    return p->lower.segments == chosen ? HD_OK : hd_lower_again(p, target, chosen);
}

static hd_status hd_program_build(hd_program *p, hd_target target) {
    hd_lower *l = &p->lower;
    HD_TRY(hd_graph_clone(&l->g, target.graph));
    const char *backend = l->args->backend ? l->args->backend : "default";
    p->counts_only = strcmp(backend, "null") == 0;
    if (!p->counts_only && strcmp(backend, "default") != 0 && strcmp(backend, "ref") != 0)
        return hd_fail(p->ctx, HD_E_USAGE, "compile|there is no backend \"%s\"|Use default, ref or null", backend);
    if (l->args->device != HD_DEVICE_AUTO && l->args->device != HD_DEVICE_CPU)
        return hd_fail(p->ctx, HD_E_UNSUPPORTED, "compile|there is no device %d", l->args->device);
    const char *precision = l->args->precision ? l->args->precision : "f32";
    if (strcmp(precision, "f32") != 0 && strcmp(precision, "bf16") != 0)
        return hd_fail(p->ctx, HD_E_UNSUPPORTED, "compile|there is no precision \"%.40s\"|Use f32 or bf16", precision);
    l->segments = l->args->recompute;
    HD_TRY(hd_lower_run(l));
    HD_TRY(hd_fit(p, target));
    HD_TRY(hd_make_steps(p));
    HD_TRY(hd_make_slots(p));
    const size_t total = hd_program_memory(p).total;
    if (l->args->memory_limit && total > l->args->memory_limit)
        return hd_fail(p->ctx, HD_E_MEMORY, "compile|the plan needs %zu bytes%s, the limit is %zu|Use a smaller batch",
                       total, l->recomputed ? " even where activations are computed again" : "", l->args->memory_limit);
    if (l->arena_bytes > p->store->arena_wanted) p->store->arena_wanted = l->arena_bytes;
    return HD_OK;
}

hd_status hd_compile_with(hd_program **out, hd_target target, const hd_compile_args *args) {
    static const hd_compile_args none = {0};
    if (!target.graph) return HD_E_USAGE;
    HD_TRY(hd_graph_status(target.graph));
    if (!args) args = &none;
    hd_context *ctx = target.graph->ctx;
    if (target.value.id < 0) return hd_fail(ctx, HD_E_USAGE, "compile|expected a value to compute");
    if (args->batch < 0)
        return hd_fail(ctx, HD_E_USAGE, "compile|the batch is %lld, it must be at least 1", (long long)args->batch);
    hd_program *p = hd_alloc(ctx, sizeof *p);
    if (!p) return HD_E_MEMORY;
    p->ctx = ctx;
    p->train = target.train;
    p->hyper[HD_HYPER_LR] = target.optimizer.lr;
    p->hyper[HD_HYPER_DECAY] = target.optimizer.weight_decay;
    p->hyper[HD_HYPER_WEIGHT] = p->hyper[HD_HYPER_SHARE] = 1;
    p->store = args->store;
    p->lower = (hd_lower){.ctx = ctx,
                          .arena = {.ctx = ctx},
                          .args = args,
                          .batch = args->batch ? args->batch : 1,
                          .train = target.train || args->train,
                          .target = target.value.id};
    hd_status status = HD_OK;
    if (!p->store) {
        status = hd_store_new(&p->store, ctx, 1);
        p->owns_store = status == HD_OK;
    }
    p->lower.store = p->store;
    if (status == HD_OK) status = hd_program_build(p, target);
    p->lower.args = NULL; /* the caller's: not to be looked at any more */
    if (status != HD_OK) {
        hd_program_free(p);
        return status;
    }
    *out = p;
    return HD_OK;
}

hd_status hd_compile(hd_program **out, hd_target target, int device) {
    return hd_compile_with(out, target, &(hd_compile_args){.device = device});
}

void hd_program_free(hd_program *p) {
    if (!p) return;
    hd_context *ctx = p->ctx;
    if (p->owns_store) hd_store_free(p->store);
    hd_free(ctx, p->step_seconds);
    hd_free(ctx, p->kept);
    hd_lower_free(&p->lower);
    hd_free(ctx, p);
}

/* ---- asking ---- */

hd_memory hd_program_memory(const hd_program *p) {
    const hd_lower *l = &p->lower;
    hd_memory m = {.grads = l->grad_bytes,
                   .activations = l->activation_bytes,
                   .scratch = l->scratch_bytes,
                   .arena = l->arena_bytes,
                   .kept = l->kept_bytes,
                   .recomputed = l->recomputed};
    for (size_t i = 0; i < l->g->value_count; i++) {
        const hd_value *v = &l->g->values[i];
        const int32_t e = l->v[i].entry;
        if (e < 0 || strstr(v->name, "@flat")) continue;
        const hd_entry *entry = &p->store->entries[e];
        const size_t bytes =
            (size_t)hd_layout_count(&entry->layout, &entry->type.dims) * hd_dtype_size(entry->type.dtype);
        *(entry->optimizer ? &m.optimizer : entry->trained ? &m.params : &m.states) += (bytes + 63) / 64 * 64;
    }
    m.total = m.params + m.states + m.optimizer + m.arena + m.kept;
    return m;
}

static int32_t hd_value_named(const hd_program *p, const char *name) {
    for (int32_t i = 0; i < p->input_count; i++)
        if (strcmp(p->inputs[i].name, name) == 0) return p->inputs[i].value;
    for (int32_t i = 0; i < p->output_count; i++)
        if (strcmp(p->outputs[i].name, name) == 0) return p->outputs[i].value;
    return -1;
}

hd_type hd_program_type(const hd_program *p, const char *name) {
    const int32_t v = hd_value_named(p, name);
    return v < 0 ? (hd_type){.dims = {.rank = -1}} : p->lower.g->values[v].type;
}

hd_store *hd_program_store(hd_program *p) {
    return p->store;
}

void hd_program_lr(hd_program *p, double lr) {
    p->hyper[HD_HYPER_LR] = lr;
}

void hd_program_accumulate(hd_program *p, double weight, double share) {
    p->hyper[HD_HYPER_WEIGHT] = weight;
    p->hyper[HD_HYPER_SHARE] = share;
}

hd_program_facts hd_program_get_facts(const hd_program *p) {
    const hd_lower *l = &p->lower;
    hd_program_facts f = {.steps = p->step_count - p->once_count,
                          .once = p->once_count,
                          .reorders = l->reorders,
                          .weight_reorders = l->weight_reorders,
                          .recomputed = l->recomputed,
                          .bf16_native = l->bf16_native,
                          .bf16_emulated = l->bf16_emulated};
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_node *n = &l->g->nodes[i];
        if (n->op->flags & (HD_OP_VIEW | HD_OP_PLACED) || hd_lnode_of(l, (int32_t)i)->kept) continue;
        const hd_cost c = hd_node_cost(l, (int32_t)i);
        f.flops += c.flops;
        f.bytes += c.bytes;
        f.tuned += hd_lnode_of(l, (int32_t)i)->tuned;
        if (!hd_is_op(n, "reorder")) continue;
        hd_operand from, to;
        hd_operand_of(l, n->in[0], &from);
        hd_operand_of(l, n->out, &to);
        f.reorder_bytes += (double)(from.bytes + to.bytes);
    }
    return f;
}
