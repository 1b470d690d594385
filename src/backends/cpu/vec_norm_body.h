/* vec_norm_body.h: batch normalisation, its inference form and its gradient; once for each instruction set.
 *
 * Training runs in two phases: sums per image group and channel, then every task joins the sums of its channels and
 * normalises. Values are summed relative to the first one of the channel, in f32 over a stretch and in double over
 * stretches, so that a large mean does not eat the variance. */
#include "backends/cpu/vec_norm.h"

enum { NORM_STRETCH = 128 }; /* vectors summed in f32 before they go to double */

/* What a task works on. */
typedef struct norm_task {
    const hd_vec_norm *s;
    hd_planes_task r;
    double *sum, *square; /* [image tasks][room] each */
    float *origin;        /* [room] */
} norm_task;

static norm_task norm_task_of(const hd_exec *e, int64_t task) {
    const hd_vec_norm *s = e->state;
    norm_task t = {.s = s, .r = hd_planes_task_of(&s->planes, &s->split, task), .sum = (double *)e->scratch};
    t.square = t.sum + s->split.image_tasks * s->room;
    t.origin = (float *)(t.square + s->split.image_tasks * s->room);
    return t;
}

/* The numbers of a group: of HD_VL channels, or of one channel in all lanes. */
HD_INLINE vf norm_load(const hd_planes *p, const float *v, int64_t group) {
    if (!p->lanes) return vf_splat(v[group]);
    return vf_load_m(v + group * HD_VL, vm_first(p->c - group * HD_VL));
}

/* ---- sums: a(i) and b(i) over the images and places of a group ---- */

typedef struct norm_sums {
    vf a, b;
    int64_t left; /* vectors until the next flush */
    double total_a[HD_VL], total_b[HD_VL];
} norm_sums;

HD_INLINE void norm_flush(norm_sums *z) {
    float a[HD_VL], b[HD_VL];
    vf_store(a, z->a);
    vf_store(b, z->b);
    for (int i = 0; i < HD_VL; i++) z->total_a[i] += (double)a[i], z->total_b[i] += (double)b[i];
    z->a = z->b = vf_splat(0);
    z->left = NORM_STRETCH;
}

/* Runs STEP(offset, whole, mask) for every vector of the task's images in a group: in lanes one a place, else HD_VL
 * places a vector. */
#define NORM_EACH(t, group, STEP)                                                                                      \
    do {                                                                                                               \
        const hd_planes *p_ = &(t)->s->planes;                                                                         \
        const int64_t start_ = hd_planes_start(p_, group);                                                             \
        const int64_t wide_ = p_->lanes ? p_->held - (group)*HD_VL : p_->places % HD_VL;                               \
        const vm mask_ = vm_first(wide_);                                                                              \
        for (int64_t n_ = (t)->r.image; n_ < (t)->r.image_end; n_++) {                                                 \
            int64_t at_ = n_ * p_->image + start_;                                                                     \
            if (p_->lanes && wide_ >= HD_VL) {                                                                         \
                for (int64_t i_ = 0; i_ < p_->places; i_++, at_ += p_->step) STEP(at_, true, mask_);                   \
            } else if (p_->lanes) {                                                                                    \
                for (int64_t i_ = 0; i_ < p_->places; i_++, at_ += p_->step) STEP(at_, false, mask_);                  \
            } else {                                                                                                   \
                int64_t i_ = 0;                                                                                        \
                for (; i_ + HD_VL <= p_->places; i_ += HD_VL) STEP(at_ + i_, true, mask_);                             \
                if (i_ < p_->places) STEP(at_ + i_, false, mask_);                                                     \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* Writes the sums of a group: each lane is a channel, or all lanes are one. */
static void norm_write(const norm_task *t, int64_t group, norm_sums *z) {
    const hd_planes *p = &t->s->planes;
    double *a = t->sum + t->r.slice * t->s->room, *b = t->square + t->r.slice * t->s->room;
    norm_flush(z);
    if (p->lanes) {
        memcpy(a + group * HD_VL, z->total_a, sizeof z->total_a);
        memcpy(b + group * HD_VL, z->total_b, sizeof z->total_b);
        return;
    }
    a[group] = b[group] = 0;
    for (int i = 0; i < HD_VL; i++) a[group] += z->total_a[i], b[group] += z->total_b[i];
}

#define NORM_ADD(z, A, B)                                                                                              \
    do {                                                                                                               \
        (z).a += (A);                                                                                                  \
        (z).b += (B);                                                                                                  \
        if (--(z).left == 0) norm_flush(&(z));                                                                         \
    } while (0)

/* Phase 1 of training: Σ (x − x₀) and Σ (x − x₀)². */
static void norm_sum(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const float *x = e->in[0];
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        const int64_t start = hd_planes_start(p, group);
        const vf x0 = p->lanes ? vf_load_m(x + start, vm_first(p->held - group * HD_VL)) : vf_splat(x[start]);
        norm_sums z = {.left = NORM_STRETCH};
        if (t.r.slice == 0 && p->lanes) vf_store(t.origin + group * HD_VL, x0);
        if (t.r.slice == 0 && !p->lanes) t.origin[group] = x0[0];
        const vi inside = vi_first(p->lanes ? HD_VL : p->places % HD_VL);
#define STEP(at, whole, m)                                                                                             \
    do {                                                                                                               \
        const vf far = vf_load_if(x + (at), whole, m) - x0, d = (whole) ? far : vf_where(inside, far);                 \
        NORM_ADD(z, d, d *d);                                                                                          \
    } while (0)
        NORM_EACH(&t, group, STEP);
#undef STEP
        norm_write(&t, group, &z);
    }
}

/* Joins the sums of a channel over the image groups. */
static void norm_join(const norm_task *t, int64_t channel, double *a, double *b) {
    *a = *b = 0;
    for (int64_t i = 0; i < t->s->split.image_tasks; i++) {
        *a += t->sum[i * t->s->room + channel];
        *b += t->square[i * t->s->room + channel];
    }
}

/* y = act((x − mean) · factor + b); padding comes out as zero: there all three are zero. */
static void norm_apply(const norm_task *t, int64_t group, const float *x, float *y, vf mean, vf factor, vf b) {
    const vf floor = vf_splat(t->s->relu ? 0 : -INFINITY);
#define STEP(at, whole, m)                                                                                             \
    vf_store_if(y + (at), vf_max(floor, (vf_load_if(x + (at), whole, m) - mean) * factor + b), whole, m)
    NORM_EACH(t, group, STEP);
#undef STEP
}

/* Statistics of a channel from its sums; written once, by the tasks of the first image group. */
static void norm_statistics(const hd_exec *e, const norm_task *t, int64_t channel, double *mean, double *invstd) {
    const hd_vec_norm *s = t->s;
    const double m = (double)s->planes.n * (double)s->planes.places;
    double a, b;
    norm_join(t, channel, &a, &b);
    a /= m;
    *mean = (double)t->origin[channel] + a;
    const double square = b / m - a * a, var = square > 0 || square != square ? square : 0;
    *invstd = 1 / sqrt(var + s->eps);
    if (t->r.slice != 0) return;
    const float *old_mean = e->in[3], *old_var = e->in[4];
    ((float *)e->out[1])[channel] = (float)*mean;
    ((float *)e->out[2])[channel] = (float)*invstd;
    ((float *)e->out[3])[channel] = (float)((1 - s->momentum) * (double)old_mean[channel] + s->momentum * *mean);
    ((float *)e->out[4])[channel] =
        (float)((1 - s->momentum) * (double)old_var[channel] + s->momentum * var * (m > 1 ? m / (m - 1) : 1));
}

static void norm_normalise(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const float *w = e->in[1];
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        float mean[HD_VL] = {0}, factor[HD_VL] = {0};
        const int64_t first = group * p->width, count = hd_vec_min(p->width, p->c - first);
        for (int64_t i = 0; i < count; i++) {
            double m, invstd;
            norm_statistics(e, &t, first + i, &m, &invstd);
            mean[i] = (float)m;
            factor[i] = (float)((double)w[first + i] * invstd);
        }
        const vf mv = p->lanes ? vf_load(mean) : vf_splat(mean[0]);
        const vf fv = p->lanes ? vf_load(factor) : vf_splat(factor[0]);
        norm_apply(&t, group, e->in[0], e->out[0], mv, fv, norm_load(p, e->in[2], group));
    }
}

static void norm_infer(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const vf eps = vf_splat((float)t.s->eps);
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        const vi channels = vi_first(p->lanes ? p->c - group * HD_VL : HD_VL);
        const vf factor = norm_load(p, e->in[1], group) / vf_sqrt(norm_load(p, e->in[4], group) + eps);
        norm_apply(&t, group, e->in[0], e->out[0], norm_load(p, e->in[3], group), vf_where(channels, factor),
                   norm_load(p, e->in[2], group));
    }
}

/* ---- gradient ---- */

/* dy where the activation let it through */
HD_INLINE vf norm_dy(const float *dy, const float *y, int64_t at, bool whole, vm m) {
    const vf d = vf_load_if(dy + at, whole, m);
    return y ? vf_keep(vk_more(vf_load_if(y + at, whole, m), vf_splat(0)), d) : d;
}

/* Phase 1: Σ dy and Σ dy (x − mean). */
static void norm_grad_sum(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const float *x = e->in[0], *dy = e->in[4], *y = t.s->relu ? e->in[5] : NULL;
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        const vf mean = norm_load(&t.s->planes, e->in[2], group);
        norm_sums z = {.left = NORM_STRETCH};
#define STEP(at, whole, m)                                                                                             \
    do {                                                                                                               \
        const vf d = norm_dy(dy, y, at, whole, m);                                                                     \
        NORM_ADD(z, d, d *(vf_load_if(x + (at), whole, m) - mean));                                                    \
    } while (0)
        NORM_EACH(&t, group, STEP);
#undef STEP
        norm_write(&t, group, &z);
    }
}

/* Phase 2: dw = invstd · Σ dy (x − mean), db = Σ dy, dx = w·invstd (dy − db/m − (x − mean) invstd dw/m). */
static void norm_grad(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const double m = (double)p->n * (double)p->places;
    const float *x = e->in[0], *w = e->in[1], *invstd = e->in[3], *dy = e->in[4], *y = t.s->relu ? e->in[5] : NULL;
    float *dx = e->out[0];
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        float slope[HD_VL] = {0}, shift[HD_VL] = {0}, factor[HD_VL] = {0};
        const int64_t first = group * p->width, count = hd_vec_min(p->width, p->c - first);
        for (int64_t i = 0; i < count; i++) {
            const double s = (double)invstd[first + i], k = (double)w[first + i] * s;
            double db, dxc;
            norm_join(&t, first + i, &db, &dxc);
            slope[i] = (float)k;
            shift[i] = (float)(-k * db / m);
            factor[i] = (float)(-k * s * s * dxc / m);
            if (t.r.slice != 0) continue;
            ((float *)e->out[1])[first + i] = (float)(dxc * s);
            ((float *)e->out[2])[first + i] = (float)db;
        }
        const vf kv = p->lanes ? vf_load(slope) : vf_splat(slope[0]);
        const vf sv = p->lanes ? vf_load(shift) : vf_splat(shift[0]);
        const vf fv = p->lanes ? vf_load(factor) : vf_splat(factor[0]);
        const vf mean = norm_load(p, e->in[2], group);
#define STEP(at, whole, mask)                                                                                          \
    vf_store_if(dx + (at),                                                                                             \
                norm_dy(dy, y, at, whole, mask) * kv + (vf_load_if(x + (at), whole, mask) - mean) * fv + sv, whole,    \
                mask)
        NORM_EACH(&t, group, STEP);
#undef STEP
    }
}
#undef NORM_EACH
#undef NORM_ADD
