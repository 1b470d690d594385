/* vec_update_body.h: optimiser steps in one pass over parameters and state, in place; once for each instruction set.
 * What becomes of a weight is the optimiser's rule, here with vectors for numbers. */
#include "backends/cpu/vec_update.h"

#define R                   vf
#define RULE                update_rule
#define r_splat(x)          vf_splat(x)
#define r_sqrt(x)           vf_sqrt(x)
#define r_abs(x)            vf_abs(x)
#define r_max(a, b)         vf_max(a, b)
#define r_min(a, b)         vf_min(a, b)
#define r_positive(x, a, b) vf_blend(vk_more(x, vf_splat(0)), a, b)
#include "ops/optim_rules.h"
#undef R
#undef RULE
#undef r_splat
#undef r_sqrt
#undef r_abs
#undef r_max
#undef r_min
#undef r_positive

typedef vf (*update_rule_fn)(const update_rule *f, vf p, vf d, vf *s);

/* What a task reads and writes; a slot that is not kept is NULL. */
typedef struct update_run {
    update_rule rule;
    vf scale, decay, keep, ema, rest;
    float *p, *s[HD_OPTIM_SLOTS], *mean;
    const float *g;
} update_run;

HD_INLINE void update_lanes(const update_run *u, update_rule_fn rule, int64_t i, vf g, bool whole, vm m) {
    const vf w = vf_load_if(u->p + i, whole, m);
    vf s[HD_OPTIM_SLOTS];
    for (int k = 0; k < HD_OPTIM_SLOTS; k++) s[k] = u->s[k] ? vf_load_if(u->s[k] + i, whole, m) : vf_splat(0);
    const vf now = rule(&u->rule, w * u->keep, g * u->scale + u->decay * w, s);
    vf_store_if(u->p + i, now, whole, m);
    for (int k = 0; k < HD_OPTIM_SLOTS; k++)
        if (u->s[k]) vf_store_if(u->s[k] + i, s[k], whole, m);
    if (!u->mean) return;
    const vf mean = u->rule.first ? now : vf_load_if(u->mean + i, whole, m) * u->ema + now * u->rest;
    vf_store_if(u->mean + i, mean, whole, m);
}

static void update_fill(update_run *u, const hd_exec *e) {
    const hd_optim_step *f = &((const hd_vec_update *)e->state)->step;
    for (int i = 0; i < HD_OPTIM_CONSTANTS; i++) u->rule.c[i] = vf_splat((float)f->c[i]);
    for (int i = 0; i < HD_OPTIM_FLAGS; i++) u->rule.flag[i] = f->flag[i];
    u->rule.first = f->first;
    u->scale = vf_splat((float)f->scale);
    u->decay = vf_splat((float)f->decay);
    u->keep = vf_splat((float)f->keep);
    u->ema = vf_splat((float)f->ema);
    u->rest = vf_splat((float)(1 - f->ema));
    u->p = e->out[0];
    u->g = e->in[HD_UP_G];
}

/* Rows from … to-1, the gradient of each being a number times `row`. */
HD_INLINE void update_outer(const update_run *u, update_rule_fn rule, int64_t n, const float *row, int64_t from,
                            int64_t to) {
    const vm m = vm_first(n % HD_VL);
    for (int64_t i = from; i < to; i++) {
        const vf g = vf_splat(u->g[i]);
        int64_t j = 0;
        for (; j + HD_VL <= n; j += HD_VL) update_lanes(u, rule, i * n + j, g * vf_load(row + j), true, m);
        if (j < n) update_lanes(u, rule, i * n + j, g * vf_load_m(row + j, m), false, m);
    }
}

/* Rows of weights `apart`. */
HD_INLINE void update_block(const update_run *u, update_rule_fn rule, const hd_update_block *b, int64_t apart) {
    const vm m = vm_first(b->columns % HD_VL);
    for (int64_t i = 0; i < b->rows; i++) {
        const float *g = b->g + i * b->ld;
        const int64_t at = b->first + i * apart;
        int64_t j = 0;
        for (; j + HD_VL <= b->columns; j += HD_VL) update_lanes(u, rule, at + j, vf_load(g + j), true, m);
        if (j < b->columns) update_lanes(u, rule, at + j, vf_load_m(g + j, m), false, m);
    }
}

HD_INLINE void update_task(const hd_exec *e, int64_t task, update_rule_fn rule) {
    const hd_vec_update *s = e->state;
    int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    update_run u;
    if (s->step.idle) return;
    update_fill(&u, e);
    for (int k = 0; k < HD_OPTIM_SLOTS; k++) u.s[k] = s->kept >> k & 1 ? e->out[1 + k] : NULL;
    u.mean = s->args.o.ema > 0 ? e->out[HD_UP_OUTPUTS - 1] : NULL;
    if (s->row && !s->product) {
        update_outer(&u, rule, s->row, e->in[HD_UP_ROW], from, to);
        return;
    }
    hd_update_block b = {.g = u.g + from, .first = from, .rows = 1, .columns = to - from};
    if (s->product && !hd_update_next(e, task, &b)) return;
    do update_block(&u, rule, &b, s->row);
    while (s->product && hd_update_next(e, task, &b));
}

#define HD_OPTIMIZER(name)                                                                                             \
    static void update_##name(void *exec, int64_t task) {                                                              \
        update_task(exec, task, name##_rule);                                                                          \
    }
#include "ops/optimizers.def"
#undef HD_OPTIMIZER
