/* ref_kernel.c: runs any op by its definition: plain order, one task. */
#include "compile/kernel.h"
#include <string.h>

typedef struct hd_ref_state {
    void (*run)(const hd_ref *r);
    hd_ref ref;
    int given;          /* inputs that the node has */
    hd_tensor *tensors; /* inputs, then outputs; data is set at every run: one task, so nobody else looks */
} hd_ref_state;

static void hd_ref_run(void *arg, int64_t task) {
    (void)task;
    const hd_exec *e = arg;
    const hd_ref_state *s = e->state;
    for (int i = 0; i < s->given; i++) s->tensors[i].data = e->in[i];
    for (int i = 0; i < s->ref.n_out; i++) s->tensors[s->ref.n_in + i].data = e->out[i];
    s->run(&s->ref);
}

static hd_status hd_ref_prepare(hd_kctx *k, hd_prepared *out) {
    hd_ref_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    /* Definitions may look at all optional inputs: those that were not given are NULL. */
    int n_in = k->n_in;
    if (!(k->op->flags & HD_OP_VARIADIC) && n_in < k->op->n_in + k->op->n_optional)
        n_in = k->op->n_in + k->op->n_optional;
    s->tensors = hd_arena_alloc_n(k->arena, (size_t)(n_in + k->n_out) + 1, sizeof *s->tensors);
    if (!s->tensors) return HD_E_MEMORY;
    for (int i = 0; i < n_in + k->n_out; i++) {
        const hd_operand *o = i < k->n_in ? &k->in[i] : i < n_in ? NULL : &k->out[i - n_in];
        if (!o || o->dims.rank < 0)
            s->tensors[i] = (hd_tensor){.dims = {.rank = -1}};
        else
            s->tensors[i] = (hd_tensor){.dtype = o->dtype, .dims = o->dims, .count = o->count};
    }
    s->given = k->n_in;
    s->run = k->op->ref;
    s->ref = (hd_ref){.attr = k->attr, .n_in = n_in, .n_out = k->n_out, .in = s->tensors, .out = s->tensors + n_in};
    out->state = s;
    out->phases = 1;
    out->phase[0] = (hd_phase){hd_ref_run, 1};
    return HD_OK;
}

const hd_kernel hd_kernel_ref = {.name = "ref", .op = "", .prepare = hd_ref_prepare};
