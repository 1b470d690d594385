/* vec_update.c: kernels of the optimiser steps: parameters and state in one pass, in place. The split into tasks is by
 * a fixed number of elements, so that one flat buffer is shared by all threads. */
#include "backends/cpu/vec_update.h"

/* Elements of a matrix and an outer product that stay in one core's cache from step to step, together with what the
 * optimiser keeps: cut in two they would travel from core to core. */
enum { UPDATE_OUTER_ALONE = 1 << 17 };

static const char *update_supports(const hd_kctx *k) {
    if (k->in[HD_UP_HYPER].dtype != HD_F64 || k->in[HD_UP_HYPER].count < HD_HYPER_COUNT) return "hyper is not f64 [5]";
    for (int i = 0; i < k->n_in; i++) {
        if (i == HD_UP_HYPER || !hd_vec_present(k, i)) continue;
        if (k->in[i].dtype != HD_F32) return "only for f32";
        if (i == HD_UP_ROW || (i == HD_UP_G && hd_vec_present(k, HD_UP_ROW))) continue;
        if (i != HD_UP_SCALE && !hd_dims_equal(&k->in[i].dims, &k->in[0].dims)) return "operands of different shapes";
    }
    return NULL;
}

/* The numbers of this run, once for all tasks. The state is the program's own, and this phase has one task. */
static void update_begin(void *exec, int64_t task) {
    const hd_exec *e = exec;
    hd_vec_update *s = (hd_vec_update *)(uintptr_t)e->state;
    (void)task;
    hd_optim_begin(s->kind, &s->args, e->in[HD_UP_HYPER], s->scale ? (double)*(const float *)e->in[HD_UP_SCALE] : 1,
                   &s->step);
}

static hd_status update_prepare(hd_kctx *k, hd_prepared *out, hd_vec_run run) {
    hd_vec_update *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->kind = hd_optim_of(k->op);
    s->args = *(const hd_update_args *)k->attr;
    s->scale = hd_vec_present(k, HD_UP_SCALE);
    s->split = hd_vec_split_of(hd_vec_count(&k->in[0]), HD_VEC_GRAIN_HEAVY);
    if (hd_vec_present(k, HD_UP_ROW)) {
        if (!hd_layout_is_plain(&k->in[0].layout))
            return hd_fail(k->ctx, HD_E_UNSUPPORTED, "%s|an outer product needs weights in plain order", k->op->name);
        s->row = k->in[0].dims.dim[1];
        s->split = hd_vec_split_rows(k->in[0].dims.dim[0], s->row,
                                     k->in[0].count > UPDATE_OUTER_ALONE ? HD_VEC_GRAIN_HEAVY : UPDATE_OUTER_ALONE);
    }
    out->state = s;
    out->phase[0] = (hd_phase){update_begin, 1};
    out->phase[1] = (hd_phase){run, s->split.tasks};
    out->phases = 2;
    return HD_OK;
}

#define HD_OPTIMIZER(name_)                                                                                            \
    static hd_status prepare_##name_(hd_kctx *k, hd_prepared *out) {                                                   \
        return update_prepare(k, out, hd_vec_for(k->isa)->update_##name_);                                             \
    }                                                                                                                  \
    const hd_kernel hd_kernel_vec_##name_##_update = {.name = "cpu." #name_ "_update",                                 \
                                                      .op = #name_ "_update",                                          \
                                                      .flags = HD_K_ANY_LAYOUT,                                        \
                                                      .supports = update_supports,                                     \
                                                      .prepare = prepare_##name_};
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
