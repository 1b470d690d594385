/* reorder_any.c: between any two layouts, by way of plain order: slow, for what no faster kernel takes. */
#include "compile/kernel.h"

typedef struct hd_reorder_state {
    hd_layout from, to;
    hd_dims dims;
    size_t size;
} hd_reorder_state;

static void hd_reorder_run(void *exec, int64_t task) {
    (void)task;
    const hd_exec *e = exec;
    const hd_reorder_state *s = e->state;
    hd_layout_unpack(&s->from, &s->dims, s->size, e->in[0], e->scratch);
    hd_layout_pack(&s->to, &s->dims, s->size, e->scratch, e->out[0]);
}

static hd_status hd_reorder_prepare(hd_kctx *k, hd_prepared *out) {
    hd_reorder_state *s = hd_arena_alloc(k->arena, sizeof *s);
    if (!s) return HD_E_MEMORY;
    *s = (hd_reorder_state){k->in[0].layout, k->out[0].layout, k->in[0].dims, hd_dtype_size(k->in[0].dtype)};
    out->state = s;
    out->scratch = (size_t)k->in[0].count * s->size;
    out->phases = 1;
    out->phase[0] = (hd_phase){hd_reorder_run, 1};
    return HD_OK;
}

/* Its layouts are settled before it is chosen: it asks for nothing. */
const hd_kernel hd_kernel_reorder_any = {
    .name = "any.reorder", .op = "reorder", .flags = HD_K_BF16, .prepare = hd_reorder_prepare};
