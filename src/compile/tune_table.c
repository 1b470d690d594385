/* tune_table.c: owns the table of measured choices: what a shape is called, finding, adding, forgetting. Knows no file
 * and no clock. */
#include "compile/tune_table.h"
#include "base/cpu.h"
#include "base/status.h"
#include "graph/graph.h"
#include "hadal/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one can choose for: where the time of most networks goes, and where more than one kernel fits. */
static const char *const concerned[] = {"linear", "linear_grad_input", "linear_grad_weight", "matmul",
                                        "conv2d", "conv2d_grad_input", "conv2d_grad_weight", "conv2d_grad_params"};

bool hd_tuning_concerns(const char *op) {
    for (size_t i = 0; i < sizeof concerned / sizeof *concerned; i++)
        if (strcmp(concerned[i], op) == 0) return true;
    return false;
}

static void key_operand(hd_text *out, const hd_operand *o) {
    char dims[192];
    if (o->dims.rank < 0)
        hd_text_puts(out, " -");
    else
        hd_text_printf(out, " %s%s", hd_dtype_name(o->dtype), hd_dims_text(dims, &o->dims));
}

hd_status hd_tuning_key(const hd_kctx *k, char key[HD_TUNED_TEXT]) {
    *key = '\0';
    if (!hd_tuning_concerns(k->op->name)) return HD_OK;
    hd_text out = {.ctx = k->ctx};
    hd_text_printf(&out, "%s ", k->op->name);
    const size_t before = out.length;
    hd_options_print(k->op->options, k->attr, &out);
    hd_text_puts(&out, out.length > before ? " :" : ":");
    for (int i = 0; i < k->n_in; i++) key_operand(&out, &k->in[i]);
    hd_text_puts(&out, " >");
    for (int i = 0; i < k->n_out; i++) key_operand(&out, &k->out[i]);
    if (k->exact) hd_text_puts(&out, " exact");
    const bool failed = out.failed;
    if (!failed && out.length < HD_TUNED_TEXT) memcpy(key, out.data, out.length + 1);
    hd_text_free(&out);
    return failed ? HD_E_MEMORY : HD_OK;
}

/* ---- machines ---- */

static bool same_machine(const hd_machine *a, const hd_machine *b) {
    return strcmp(a->cpu, b->cpu) == 0 && strcmp(a->isa, b->isa) == 0 && strcmp(a->library, b->library) == 0 &&
           strcmp(a->hadal, b->hadal) == 0;
}

hd_status hd_tuning_machine(hd_tuning *t, const hd_machine *machine, int32_t *out) {
    for (size_t i = 0; i < t->machine_count; i++)
        if (same_machine(&t->machines[i], machine)) {
            *out = (int32_t)i;
            return HD_OK;
        }
    HD_TRY(hd_grow(t->ctx, (void **)&t->machines, &t->machine_capacity, t->machine_count + 1, sizeof *t->machines));
    const hd_machine copy = {.cpu = hd_arena_strdup(&t->arena, machine->cpu),
                             .isa = hd_arena_strdup(&t->arena, machine->isa),
                             .library = hd_arena_strdup(&t->arena, machine->library),
                             .hadal = hd_arena_strdup(&t->arena, machine->hadal)};
    if (!copy.cpu || !copy.isa || !copy.library || !copy.hadal) return HD_E_MEMORY;
    *out = (int32_t)t->machine_count;
    t->machines[t->machine_count++] = copy;
    return HD_OK;
}

static void machine_text(char *out, size_t size, const hd_machine *m) {
    (void)snprintf(out, size, "%s, %s, %s, hadal %s", m->cpu, m->isa, m->library, m->hadal);
}

hd_status hd_tuning_new(hd_tuning **out, hd_context *ctx) {
    char cpu[HD_CPU_NAME], version[32], library[48];
    hd_tuning *t = hd_alloc(ctx, sizeof *t);
    *out = NULL;
    if (!t) return HD_E_MEMORY;
    t->ctx = t->arena.ctx = ctx;
    hd_cpu_name(cpu);
    const char *dnnl = hd_library_version("oneDNN", version);
    (void)snprintf(library, sizeof library, "%s%s", dnnl ? "oneDNN " : "no oneDNN", dnnl ? dnnl : "");
    int32_t here;
    const hd_status status = hd_tuning_machine(
        t, &(hd_machine){.cpu = cpu, .isa = hd_context_isa(ctx), .library = library, .hadal = hd_version()}, &here);
    if (status != HD_OK) {
        hd_tuning_free(t);
        return status;
    }
    machine_text(t->here, sizeof t->here, &t->machines[0]);
    *out = t;
    return HD_OK;
}

void hd_tuning_free(hd_tuning *t) {
    if (!t) return;
    hd_free(t->ctx, t->machines);
    hd_free(t->ctx, t->entries);
    hd_arena_free(&t->arena);
    hd_free(t->ctx, t);
}

/* ---- choices ---- */

static int by_machine_and_key(const void *a, const void *b) {
    const hd_tuned *x = a, *y = b;
    if (x->machine != y->machine) return x->machine < y->machine ? -1 : 1;
    return strcmp(x->key, y->key);
}

hd_tuned *hd_tuning_find(const hd_tuning *t, const char *key) {
    const hd_tuned wanted = {.machine = 0, .key = key};
    return t->count ? bsearch(&wanted, t->entries, t->count, sizeof wanted, by_machine_and_key) : NULL;
}

void hd_tuning_sort(hd_tuning *t) {
    if (t->count) qsort(t->entries, t->count, sizeof *t->entries, by_machine_and_key);
}

hd_status hd_tuning_append(hd_tuning *t, const hd_tuned *entry) {
    if (t->count >= HD_TUNED_MOST)
        return hd_fail(t->ctx, HD_E_USAGE, "tuning|the table is full (%d choices)|Begin a new one", HD_TUNED_MOST);
    HD_TRY(hd_grow(t->ctx, (void **)&t->entries, &t->capacity, t->count + 1, sizeof *t->entries));
    hd_tuned copy = *entry;
    copy.key = hd_arena_strdup(&t->arena, entry->key);
    copy.kernel = hd_arena_strdup(&t->arena, entry->kernel);
    if (!copy.key || !copy.kernel) return HD_E_MEMORY;
    t->entries[t->count++] = copy;
    return HD_OK;
}

hd_status hd_tuning_put(hd_tuning *t, const char *key, const char *kernel, int variant, double us) {
    hd_tuned *old = hd_tuning_find(t, key);
    if (!old) {
        HD_TRY(hd_tuning_append(t, &(hd_tuned){.key = key, .kernel = kernel, .variant = variant, .us = us}));
        hd_tuning_sort(t);
        return HD_OK;
    }
    const char *name = hd_arena_strdup(&t->arena, kernel);
    if (!name) return HD_E_MEMORY;
    *old = (hd_tuned){.key = old->key, .kernel = name, .variant = variant, .us = us};
    return HD_OK;
}

hd_status hd_tuning_copy(hd_tuning **out, const hd_tuning *t) {
    hd_tuning *copy;
    HD_TRY(hd_tuning_new(&copy, t->ctx));
    hd_status status = HD_OK;
    for (size_t i = 0; i < t->count && status == HD_OK; i++) {
        hd_tuned e = t->entries[i];
        e.used = e.skipped = false;
        status = hd_tuning_machine(copy, &t->machines[e.machine], &e.machine);
        if (status == HD_OK) status = hd_tuning_append(copy, &e);
    }
    hd_tuning_sort(copy);
    if (status == HD_OK)
        *out = copy;
    else
        hd_tuning_free(copy);
    return status;
}

void hd_tuning_keep_used(hd_tuning *t) {
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->entries[i].machine == 0 && t->entries[i].used) t->entries[kept++] = t->entries[i];
    t->count = kept;
    t->machine_count = 1;
}

hd_tuning_facts hd_tuning_get_facts(const hd_tuning *t) {
    hd_tuning_facts f = {.machine = t->here};
    for (size_t i = 0; i < t->count; i++) {
        const hd_tuned *e = &t->entries[i];
        if (e->machine == 0) {
            f.entries++;
            f.used += e->used;
            f.skipped += e->skipped && !e->used;
        } else {
            f.others++;
        }
    }
    if (f.others > 0) f.other = t->other;
    return f;
}
