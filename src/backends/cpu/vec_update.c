/* vec_update.c: kernels of the optimiser steps: parameters and state in one pass, in place. The split into tasks is by
 * a fixed number of elements, so that one flat buffer is shared by all threads. */
#include "backends/cpu/vec_update.h"

static const char *update_supports(const hd_kctx *k, int hyper, const int *same, int n_same) {
    if (k->in[hyper].dtype != HD_F64 || k->in[hyper].count < 3) return "hyper is not f64 [4]";
    for (int i = 0; i < n_same; i++) {
        if (!hd_vec_present(k, same[i])) continue;
        if (k->in[same[i]].dtype != HD_F32) return "only for f32";
        if (!hd_dims_equal(&k->in[same[i]].dims, &k->in[0].dims)) return "operands of different shapes";
    }
    return NULL;
}

static const char *sgd_supports(const hd_kctx *k) {
    const hd_sgd_update_args *a = k->attr;
    if (a->momentum != 0 && !hd_vec_present(k, 4)) return "momentum without a state";
    if (hd_vec_present(k, 3) && k->in[3].dtype != HD_F32) return "only for f32";
    return update_supports(k, 2, (const int[]){0, 1, 4}, 3);
}

static const char *adam_supports(const hd_kctx *k) {
    if (hd_vec_present(k, 5) && k->in[5].dtype != HD_F32) return "only for f32";
    return update_supports(k, 4, (const int[]){0, 1, 2, 3}, 4);
}

static void update_finish(hd_kctx *k, hd_vec_update *s, hd_vec_run run, hd_prepared *out) {
    s->split = hd_vec_split_of(hd_vec_count(&k->in[0]), HD_VEC_GRAIN_HEAVY);
    out->state = s;
    out->phase[0] = (hd_phase){run, s->split.tasks};
    out->phases = 1;
}

static hd_status sgd_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_sgd_update_args *a = k->attr;
    hd_vec_update *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->momentum = hd_vec_present(k, 4) ? a->momentum : 0;
    s->nesterov = a->nesterov;
    s->scale = hd_vec_present(k, 3);
    update_finish(k, s, hd_vec_for(k->isa)->sgd_update, out);
    return HD_OK;
}

static hd_status adam_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_adam_update_args *a = k->attr;
    hd_vec_update *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->beta1 = a->beta1;
    s->beta2 = a->beta2;
    s->eps = a->eps;
    s->decoupled = a->decoupled;
    s->scale = hd_vec_present(k, 5);
    update_finish(k, s, hd_vec_for(k->isa)->adam_update, out);
    return HD_OK;
}

const hd_kernel hd_kernel_vec_sgd_update = {
    .name = "cpu.sgd_update",
    .op = "sgd_update",
    .flags = HD_K_ANY_LAYOUT,
    .supports = sgd_supports,
    .prepare = sgd_prepare,
};
const hd_kernel hd_kernel_vec_adam_update = {
    .name = "cpu.adam_update",
    .op = "adam_update",
    .flags = HD_K_ANY_LAYOUT,
    .supports = adam_supports,
    .prepare = adam_prepare,
};
