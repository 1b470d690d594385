/* ref_kernel.c: runs any op by its definition: plain order, one task. Definitions know f32 and f64: operands of bf16
 * are widened for them, and results rounded once at the end, so that every op has a definition in bf16 too. */
#include "base/bf16.h"
#include "compile/kernel.h"
#include <string.h>

typedef struct hd_ref_state {
    void (*run)(const hd_ref *r);
    hd_ref ref;
    int given;          /* inputs that the node has */
    hd_tensor *tensors; /* inputs, then outputs; data is set at every run: one task, so nobody else looks */
    size_t *wide;       /* of each: bytes from the start of the scratch to its f32 form; NOT_WIDE: as it is */
} hd_ref_state;

#define NOT_WIDE SIZE_MAX

static void hd_ref_run(void *arg, int64_t task) {
    (void)task;
    const hd_exec *e = arg;
    const hd_ref_state *s = e->state;
    const int n_in = s->ref.n_in, n = n_in + s->ref.n_out;
    for (int i = 0; i < n; i++) {
        if (i >= s->given && i < n_in) continue;
        hd_tensor *t = &s->tensors[i];
        t->data = i < n_in ? e->in[i] : e->out[i - n_in];
        if (s->wide[i] == NOT_WIDE) continue;
        float *wide = (float *)(void *)(e->scratch + s->wide[i]);
        for (int64_t j = 0; i < n_in && j < t->count; j++) wide[j] = hd_bf16_to_f32(((const uint16_t *)t->data)[j]);
        t->data = wide;
    }
    s->run(&s->ref);
    for (int i = n_in; i < n; i++) {
        if (s->wide[i] == NOT_WIDE) continue;
        const float *wide = s->tensors[i].data;
        uint16_t *out = e->out[i - n_in];
        for (int64_t j = 0; j < s->tensors[i].count; j++) out[j] = hd_bf16_from_f32(wide[j]);
    }
}

static hd_status hd_ref_prepare(hd_kctx *k, hd_prepared *out) {
    hd_ref_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    /* Definitions may look at all optional inputs: those that were not given are NULL. */
    int n_in = k->n_in;
    if (!(k->op->flags & HD_OP_VARIADIC) && n_in < k->op->n_in + k->op->n_optional)
        n_in = k->op->n_in + k->op->n_optional;
    s->tensors = hd_arena_alloc_n(k->arena, (size_t)(n_in + k->n_out) + 1, sizeof *s->tensors);
    s->wide = hd_arena_alloc_n(k->arena, (size_t)(n_in + k->n_out) + 1, sizeof *s->wide);
    if (!s->tensors || !s->wide) return HD_E_MEMORY;
    for (int i = 0; i < n_in + k->n_out; i++) {
        const hd_operand *o = i < k->n_in ? &k->in[i] : i < n_in ? NULL : &k->out[i - n_in];
        s->wide[i] = NOT_WIDE;
        if (!o || o->dims.rank < 0) {
            s->tensors[i] = (hd_tensor){.dims = {.rank = -1}};
            continue;
        }
        s->tensors[i] = (hd_tensor){.dtype = o->dtype, .dims = o->dims, .count = o->count};
        if (o->dtype != HD_BF16 || (k->op->flags & HD_OP_OWN_BF16)) continue;
        s->tensors[i].dtype = HD_F32;
        s->wide[i] = out->scratch;
        out->scratch += ((size_t)o->count * sizeof(float) + 63) / 64 * 64;
    }
    s->given = k->n_in;
    s->run = k->op->ref;
    s->ref = (hd_ref){.attr = k->attr, .n_in = n_in, .n_out = k->n_out, .in = s->tensors, .out = s->tensors + n_in};
    out->state = s;
    out->phases = 1;
    out->phase[0] = (hd_phase){hd_ref_run, 1};
    return HD_OK;
}

const hd_kernel hd_kernel_ref = {.name = "ref", .op = "", .flags = HD_K_BF16, .prepare = hd_ref_prepare};
