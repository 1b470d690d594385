/* vec_update_body.h: optimiser steps in one pass over parameters and state, in place; once for each instruction set.
 * The order of operations is PyTorch's, with its 1/(1 − β₂ᵗ)^½ multiplied instead of divided. */
#include "backends/cpu/vec_update.h"

typedef struct sgd_factors {
    vf lr, decay, scale, momentum; /* lr is negative */
    bool first, nesterov;          /* at the first step v = g: whatever v holds does not count */
} sgd_factors;

HD_INLINE void sgd_lanes(const sgd_factors *f, float *p, const float *g, float *v, bool whole, vm m) {
    const vf w = vf_load_if(p, whole, m);
    vf d = vf_load_if(g, whole, m) * f->scale + f->decay * w;
    if (v) {
        const vf speed = f->first ? d : f->momentum * vf_load_if(v, whole, m) + d;
        vf_store_if(v, speed, whole, m);
        d = f->nesterov ? d + f->momentum * speed : speed;
    }
    vf_store_if(p, w + f->lr * d, whole, m);
}

static void update_sgd(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_update *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const double *hyper = e->in[2];
    const float *g = e->in[1], *scale = s->scale ? e->in[3] : NULL;
    float *p = e->out[0], *v = s->momentum != 0 ? e->out[1] : NULL;
    const sgd_factors f = {.lr = vf_splat((float)-hyper[0]),
                           .decay = vf_splat((float)hyper[2]),
                           .scale = vf_splat(scale ? *scale : 1),
                           .momentum = vf_splat((float)s->momentum),
                           .first = hyper[1] <= 1,
                           .nesterov = s->nesterov};
    const vm m = vm_first((to - from) % HD_VL);
    int64_t i = from;
    if (v) {
        for (; i + HD_VL <= to; i += HD_VL) sgd_lanes(&f, p + i, g + i, v + i, true, m);
        if (i < to) sgd_lanes(&f, p + i, g + i, v + i, false, m);
    } else {
        for (; i + HD_VL <= to; i += HD_VL) sgd_lanes(&f, p + i, g + i, NULL, true, m);
        if (i < to) sgd_lanes(&f, p + i, g + i, NULL, false, m);
    }
}

typedef struct adam_factors {
    vf step, root, eps, keep, decay, scale, b1, b2, c2; /* step is negative; b1 is 1 − β₁, b2 is β₂, c2 is 1 − β₂ */
} adam_factors;

HD_INLINE void adam_lanes(const adam_factors *f, float *p, const float *g, float *m, float *v, bool whole, vm mask) {
    const vf w = vf_load_if(p, whole, mask) * f->keep;
    const vf d = vf_load_if(g, whole, mask) * f->scale + f->decay * w;
    const vf m0 = vf_load_if(m, whole, mask), m1 = m0 + f->b1 * (d - m0);
    const vf v1 = vf_load_if(v, whole, mask) * f->b2 + f->c2 * d * d;
    vf_store_if(m, m1, whole, mask);
    vf_store_if(v, v1, whole, mask);
    vf_store_if(p, w + f->step * m1 / (vf_sqrt(v1) * f->root + f->eps), whole, mask);
}

static void update_adam(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_update *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const double *hyper = e->in[4], lr = hyper[0], t = hyper[1], wd = hyper[2];
    const float *g = e->in[1], *scale = s->scale ? e->in[5] : NULL;
    float *p = e->out[0], *m = e->out[1], *v = e->out[2];
    const adam_factors f = {.step = vf_splat((float)-(lr / (1 - pow(s->beta1, t)))),
                            .root = vf_splat((float)(1 / sqrt(1 - pow(s->beta2, t)))),
                            .eps = vf_splat((float)s->eps),
                            .keep = vf_splat(s->decoupled ? (float)(1 - lr * wd) : 1),
                            .decay = vf_splat(s->decoupled ? 0 : (float)wd),
                            .scale = vf_splat(scale ? *scale : 1),
                            .b1 = vf_splat((float)(1 - s->beta1)),
                            .b2 = vf_splat((float)s->beta2),
                            .c2 = vf_splat((float)(1 - s->beta2))};
    const vm mask = vm_first((to - from) % HD_VL);
    int64_t i = from;
    for (; i + HD_VL <= to; i += HD_VL) adam_lanes(&f, p + i, g + i, m + i, v + i, true, mask);
    if (i < to) adam_lanes(&f, p + i, g + i, m + i, v + i, false, mask);
}
