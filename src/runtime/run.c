/* run.c: running a program: addresses, inputs, and the loop over its steps. Nothing here allocates after the first run.
 */
#include "base/pool.h"
#include "base/text.h"
#include "runtime/program.h"
#include <string.h>

void *hd_program_address(const hd_program *p, int32_t value) {
    const hd_lower *l = &p->lower;
    const int32_t root = l->v[value].root;
    const hd_lvalue *r = &l->v[root];
    char *base = NULL;
    switch (r->region) {
    case HD_IN_ARENA: base = p->store->arena + r->offset; break;
    case HD_IN_KEPT: base = p->kept ? p->kept + r->offset : NULL; break;
    case HD_IN_STORE: base = hd_store_address(p->store, r->entry); break;
    case HD_IN_CONST: base = (char *)(uintptr_t)l->g->values[root].data; break;
    case HD_IN_INPUT:
        for (int32_t i = 0; i < p->input_count; i++)
            if (p->inputs[i].value == root) base = (char *)(uintptr_t)p->inputs[i].data;
        break;
    case HD_IN_NONE: break;
    }
    return base ? base + l->v[value].shift : NULL;
}

static hd_status hd_grow_arena(hd_store *s) {
    if (s->arena && s->arena_bytes >= s->arena_wanted) return HD_OK;
    hd_free(s->ctx, s->arena);
    s->arena_bytes = 0;
    s->arena = hd_alloc(s->ctx, s->arena_wanted ? s->arena_wanted : 64);
    if (!s->arena) return HD_E_MEMORY;
    s->arena_bytes = s->arena_wanted;
    s->version++;
    return HD_OK;
}

/* Says what the plan takes, which is the smallest that there is, where the context's limit leaves no room for it. */
static hd_status hd_no_room(const hd_program *p) {
    hd_context *ctx = p->ctx;
    const hd_memory m = hd_program_memory(p);
    char plan[32], held[32], limit[32];
    if (!ctx->memory_limit) return HD_E_MEMORY; /* what could not be allocated has been said */
    return hd_fail(ctx, HD_E_MEMORY,
                   "program|the plan needs %s%s, %s are held, the limit is %s|"
                   "Raise the limit, or take a smaller batch or model",
                   hd_text_bytes(plan, (double)m.total),
                   m.recomputed ? " even where activations are computed again" : "",
                   hd_text_bytes(held, (double)ctx->bytes), hd_text_bytes(limit, (double)ctx->memory_limit));
}

hd_status hd_program_ready(hd_program *p) {
    hd_status status = hd_store_ready(p->store);
    if (status == HD_OK) status = hd_grow_arena(p->store);
    if (status == HD_OK && p->lower.kept_bytes && !p->kept) {
        p->kept = hd_alloc(p->ctx, p->lower.kept_bytes);
        p->changes = 0;
        if (!p->kept) status = HD_E_MEMORY;
    }
    if (status == HD_E_MEMORY) return hd_no_room(p);
    HD_TRY(status);
    for (int32_t i = 0; i < p->pointer_count; i++) {
        const hd_pointer *ptr = &p->pointers[i];
        if (ptr->value == -2)
            *ptr->at = p->store->arena + ptr->offset;
        else if (ptr->value == -3)
            *ptr->at = p->kept + ptr->offset;
        else
            *ptr->at = ptr->value < 0 ? NULL : hd_program_address(p, ptr->value);
    }
    p->store_version = p->store->version;
    p->ready = true;
    return HD_OK;
}

hd_status hd_program_prepare(hd_program *p) {
    if (p->counts_only || (p->ready && p->store_version == p->store->version)) return HD_OK;
    return hd_program_ready(p);
}

int hd_program_input(const hd_program *p, const char *input) {
    for (int32_t i = 0; i < p->input_count; i++)
        if (strcmp(p->inputs[i].name, input) == 0) return i;
    return -1;
}

void hd_program_bind(hd_program *p, int input, const void *data) {
    if (input < 0 || input >= p->input_count || p->inputs[input].own) return;
    hd_slot *slot = &p->inputs[input];
    slot->data = data;
    for (int32_t i = 0; i < slot->use_count; i++) *(void **)slot->uses[i] = (void *)(uintptr_t)data;
}

hd_status hd_program_set(hd_program *p, const char *input, const void *data) {
    const int i = hd_program_input(p, input);
    if (i < 0)
        return hd_fail(p->ctx, HD_E_USAGE, "program|it has no input \"%s\"|Its first input is \"%s\"", input,
                       p->input_count ? p->inputs[0].name : "");
    if (p->inputs[i].own) return hd_fail(p->ctx, HD_E_USAGE, "program|input \"%s\" is the program's own", input);
    hd_program_bind(p, i, data);
    return HD_OK;
}

const void *hd_program_get(const hd_program *p, const char *output) {
    if (!p->ready || !p->store->arena) return NULL;
    for (int32_t i = 0; i < p->output_count; i++)
        if (strcmp(p->outputs[i].name, output) == 0) return hd_program_address(p, p->outputs[i].value);
    return NULL;
}

static hd_status hd_check_bound(const hd_program *p) {
    for (int32_t i = 0; i < p->input_count; i++)
        if (!p->inputs[i].data)
            return hd_fail(p->ctx, HD_E_USAGE, "program|input \"%s\" is not bound|Call hd_program_set first",
                           p->inputs[i].name);
    return HD_OK;
}

/* A step is every run of a training program, an update every run that changes weights. */
void hd_program_count(hd_program *p) {
    hd_store *s = p->store;
    if (p->train) s->step++;
    if (p->train) s->changes++;
    if (p->train && p->hyper[HD_HYPER_SHARE] != 0) s->updates++;
    p->rng[1] = s->step;
    p->hyper[HD_HYPER_STEP] = (double)s->updates;
}

void hd_program_step(const hd_program *p, const hd_step *s) {
    for (int64_t round = 0; round < s->rounds; round++) {
        s->exec->round = round;
        if (s->tasks == 1)
            s->run(s->exec, 0);
        else
            hd_pool_run(p->ctx->pool, s->run, s->exec, s->tasks);
    }
}

void hd_program_once(hd_program *p) {
    if (p->changes == p->store->changes) return;
    for (int32_t i = 0; i < p->once_count; i++) hd_program_step(p, &p->steps[i]);
    p->changes = p->store->changes;
}

hd_status hd_program_run(hd_program *p) {
    if (p->counts_only)
        return hd_fail(p->ctx, HD_E_UNSUPPORTED, "program|the null backend only counts|Compile it for another backend");
    HD_TRY(hd_check_bound(p));
    if (!p->ready || p->store_version != p->store->version) HD_TRY(hd_program_ready(p));
    p->rng[0] = (int64_t)p->store->seed;
    hd_program_count(p);
    const hd_fp_state fp = hd_fp_enter();
    if (p->once_count) hd_program_once(p);
    for (int32_t i = p->once_count; i < p->step_count; i++) hd_program_step(p, &p->steps[i]);
    hd_fp_leave(fp);
    return HD_OK;
}
