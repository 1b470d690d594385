/* vec_norm_body.h: batch normalisation, its inference form and its gradient; once for each instruction set.
 *
 * Training runs in two phases: sums per image group and channel, then every task joins the sums of its channels and
 * normalises. Values are summed relative to the first one of the channel, in f32 over a stretch and in double over
 * stretches, so that a large mean does not eat the variance. */
#include "backends/cpu/vec_norm.h"

enum { NORM_CHAINS = 4, NORM_STRETCH = 128 * NORM_CHAINS }; /* vectors summed in f32 before they go to double */

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

/* Four sums that do not wait for each other. */
typedef struct norm_sums {
    vf a[NORM_CHAINS], b[NORM_CHAINS];
    int64_t left; /* vectors until the next flush */
    double total_a[HD_VL], total_b[HD_VL];
} norm_sums;

static void norm_flush(norm_sums *z) {
    float a[HD_VL], b[HD_VL];
    vf_store(a, (z->a[0] + z->a[1]) + (z->a[2] + z->a[3]));
    vf_store(b, (z->b[0] + z->b[1]) + (z->b[2] + z->b[3]));
    for (int i = 0; i < HD_VL; i++) z->total_a[i] += (double)a[i], z->total_b[i] += (double)b[i];
    for (int i = 0; i < NORM_CHAINS; i++) z->a[i] = z->b[i] = vf_splat(0);
    z->left = NORM_STRETCH;
}

/* Adds TERMS(offset, whole, mask, &a, &b) of n vectors, `step` apart. */
#define NORM_ADD(z, n, at, step, whole, mask, TERMS)                                                                   \
    do {                                                                                                               \
        for (int64_t i_ = 0, end_, of_ = (at); i_ < (n); i_ = end_) {                                                  \
            vf a0_ = (z)->a[0], a1_ = (z)->a[1], a2_ = (z)->a[2], a3_ = (z)->a[3];                                     \
            vf b0_ = (z)->b[0], b1_ = (z)->b[1], b2_ = (z)->b[2], b3_ = (z)->b[3];                                     \
            end_ = hd_vec_min(i_ + (z)->left, n);                                                                      \
            (z)->left -= end_ - i_;                                                                                    \
            for (; i_ + 4 <= end_; i_ += 4, of_ += 4 * (step)) {                                                       \
                TERMS(of_, whole, mask, a0_, b0_);                                                                     \
                TERMS(of_ + (step), whole, mask, a1_, b1_);                                                            \
                TERMS(of_ + 2 * (step), whole, mask, a2_, b2_);                                                        \
                TERMS(of_ + 3 * (step), whole, mask, a3_, b3_);                                                        \
            }                                                                                                          \
            for (; i_ < end_; i_++, of_ += (step)) TERMS(of_, whole, mask, a0_, b0_);                                  \
            (z)->a[0] = a0_, (z)->a[1] = a1_, (z)->a[2] = a2_, (z)->a[3] = a3_;                                        \
            (z)->b[0] = b0_, (z)->b[1] = b1_, (z)->b[2] = b2_, (z)->b[3] = b3_;                                        \
            if ((z)->left <= 0) norm_flush(z);                                                                         \
        }                                                                                                              \
    } while (0)
/* The same for all images of a task in a group. */
#define NORM_SUMS(t, group, z, TERMS)                                                                                  \
    do {                                                                                                               \
        const hd_planes *p_ = &(t)->s->planes;                                                                         \
        const int64_t start_ = hd_planes_start(p_, group), wide_ = p_->held - (group)*HD_VL;                           \
        const vm mask_ = vm_first(p_->lanes ? wide_ : p_->places % HD_VL);                                             \
        for (int64_t n_ = (t)->r.image; n_ < (t)->r.image_end; n_++) {                                                 \
            const int64_t at_ = n_ * p_->image + start_, whole_ = p_->places / HD_VL;                                  \
            if (p_->lanes && wide_ >= HD_VL)                                                                           \
                NORM_ADD(z, p_->places, at_, p_->step, true, mask_, TERMS);                                            \
            else if (p_->lanes)                                                                                        \
                NORM_ADD(z, p_->places, at_, p_->step, false, mask_, TERMS);                                           \
            else {                                                                                                     \
                NORM_ADD(z, whole_, at_, HD_VL, true, mask_, TERMS);                                                   \
                if (whole_ * HD_VL < p_->places) NORM_ADD(z, 1, at_ + whole_ * HD_VL, HD_VL, false, mask_, TERMS);     \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

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

/* Phase 1 of training: Σ (x − x₀) and Σ (x − x₀)². */
HD_INLINE void norm_sum_of(void *exec, int64_t task, const bool half) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const void *x = e->in[0];
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        const int64_t start = hd_planes_start(p, group);
        const vf near = vf_get(x, start, half, false, vm_first(p->lanes ? p->held - group * HD_VL : 1));
        const vf x0 = p->lanes ? near : vf_splat(near[0]);
        norm_sums z = {.left = NORM_STRETCH};
        if (t.r.slice == 0 && p->lanes) vf_store(t.origin + group * HD_VL, x0);
        if (t.r.slice == 0 && !p->lanes) t.origin[group] = x0[0];
        const vi inside = vi_first(p->lanes ? HD_VL : p->places % HD_VL);
#define TERMS(at, whole, m, A, B)                                                                                      \
    do {                                                                                                               \
        const vf far = vf_get(x, at, half, whole, m) - x0, d = (whole) ? far : vf_where(inside, far);                  \
        A += d;                                                                                                        \
        B += d * d;                                                                                                    \
    } while (0)
        NORM_SUMS(&t, group, &z, TERMS);
#undef TERMS
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

/* What a group's values go through. */
typedef struct norm_line {
    vf mean, factor, b, low, high;
} norm_line;
/* Before it is clipped: forward and back the same bits. */
HD_INLINE vf norm_value(const norm_line *l, vf x) {
    return (x - l->mean) * l->factor + l->b;
}

/* y = clip((x − mean) · factor + b + r); padding comes out as zero: there all of them are zero. */
HD_INLINE void norm_apply_one(const norm_task *t, int64_t group, const void *x, const void *r, void *y,
                              const norm_line *l, const bool half) {
#define STEP(at, whole, m)                                                                                             \
    do {                                                                                                               \
        vf v = norm_value(l, vf_get(x, at, half, whole, m));                                                           \
        if (r) v += vf_get(r, at, half, whole, m);                                                                     \
        vf_put(y, at, half, vf_min(l->high, vf_max(l->low, v)), whole, m);                                             \
    } while (0)
    NORM_EACH(t, group, STEP);
#undef STEP
}
HD_INLINE void norm_apply(const hd_exec *e, const norm_task *t, int64_t group, vf mean, vf factor, vf b,
                          const bool half) {
    const norm_line l = {mean, factor, b, vf_splat(t->s->low), vf_splat(t->s->high)};
    if (t->s->residual)
        norm_apply_one(t, group, e->in[0], e->in[t->s->residual], e->out[0], &l, half);
    else
        norm_apply_one(t, group, e->in[0], NULL, e->out[0], &l, half);
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

HD_INLINE void norm_normalise_of(void *exec, int64_t task, const bool half) {
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
            factor[i] = (float)((double)w[first + i] * (double)(float)invstd); /* as the gradient finds it */
        }
        const vf mv = p->lanes ? vf_load(mean) : vf_splat(mean[0]);
        const vf fv = p->lanes ? vf_load(factor) : vf_splat(factor[0]);
        norm_apply(e, &t, group, mv, fv, norm_load(p, e->in[2], group), half);
    }
}

HD_INLINE void norm_infer_of(void *exec, int64_t task, const bool half) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const vf eps = vf_splat((float)t.s->eps);
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        const vi channels = vi_first(p->lanes ? p->c - group * HD_VL : HD_VL);
        const vf factor = norm_load(p, e->in[1], group) / vf_sqrt(norm_load(p, e->in[4], group) + eps);
        norm_apply(e, &t, group, norm_load(p, e->in[3], group), vf_where(channels, factor),
                   norm_load(p, e->in[2], group), half);
    }
}

/* ---- gradient ---- */

/* What a task's gradients are read from; y: what the clip let through, NULL where it is worked out or all counts. */
typedef struct norm_back {
    const void *x, *y, *dy, *dy2;
    void *through; /* where the sum that arrives is kept; NULL: nowhere */
    norm_line line;
    bool again;
} norm_back;

static norm_back norm_back_of(const hd_exec *e, const norm_task *t, int64_t group) {
    const hd_vec_norm *s = t->s;
    const hd_planes *p = &s->planes;
    norm_back b = {.x = e->in[0], .dy = e->in[s->dy], .again = s->again};
    b.line = (norm_line){.low = vf_splat(s->low), .high = vf_splat(s->high)};
    b.line.mean = norm_load(p, e->in[s->mean], group);
    if (s->y) b.y = e->in[s->y];
    if (s->dy2) b.dy2 = e->in[s->dy2];
    if (s->keep) b.through = e->out[3];
    if (!s->again) return b;
    const float *w = e->in[1], *invstd = e->in[s->mean + 1];
    float factor[HD_VL] = {0};
    const int64_t first = group * p->width, count = hd_vec_min(p->width, p->c - first);
    for (int64_t i = 0; i < count; i++) factor[i] = (float)((double)w[first + i] * (double)invstd[first + i]);
    b.line.factor = p->lanes ? vf_load(factor) : vf_splat(factor[0]);
    b.line.b = norm_load(p, e->in[2], group);
    return b;
}

/* dy where the clip let it through; the flags are constants where it counts. */
HD_INLINE vf norm_dy(const norm_back *b, int64_t at, const bool half, bool whole, vm m, bool by_y, bool two) {
    vf d = vf_get(b->dy, at, half, whole, m);
    if (two) d += vf_get(b->dy2, at, half, whole, m);
    if (!by_y && !b->again) return d;
    const vf v = by_y ? vf_get(b->y, at, half, whole, m) : norm_value(&b->line, vf_get(b->x, at, half, whole, m));
    return vf_keep(vk_more(v, b->line.low), vf_keep(vk_more(b->line.high, v), d));
}

/* Phase 1: Σ d and Σ d (x − mean), and d itself where it is kept. */
HD_INLINE void norm_grad_sum_one(const norm_task *t, int64_t group, const norm_back *b, norm_sums *z, bool by_y,
                                 bool two, bool keep, const bool half) {
#define TERMS(at, whole, m, A, B)                                                                                      \
    do {                                                                                                               \
        const vf d = norm_dy(b, at, half, whole, m, by_y, two);                                                        \
        if (keep) vf_put(b->through, at, half, d, whole, m);                                                           \
        A += d;                                                                                                        \
        B += d * (vf_get(b->x, at, half, whole, m) - b->line.mean);                                                    \
    } while (0)
    NORM_SUMS(t, group, z, TERMS);
#undef TERMS
}

HD_INLINE void norm_grad_sum_of(void *exec, int64_t task, const bool half) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    for (int64_t group = t.r.group; group < t.r.group_end; group++) {
        norm_back b = norm_back_of(e, &t, group);
        norm_sums z = {.left = NORM_STRETCH};
        if (b.through && b.dy2)
            norm_grad_sum_one(&t, group, &b, &z, true, true, true, half);
        else if (b.through)
            norm_grad_sum_one(&t, group, &b, &z, true, false, true, half);
        else if (b.y)
            norm_grad_sum_one(&t, group, &b, &z, true, false, false, half);
        else if (b.again)
            b.again = true, norm_grad_sum_one(&t, group, &b, &z, false, false, false, half);
        else
            b.again = false, norm_grad_sum_one(&t, group, &b, &z, false, false, false, half);
        norm_write(&t, group, &z);
    }
}

/* Phase 2: dw = invstd · Σ d (x − mean), db = Σ d, dx = w·invstd (d − db/m − (x − mean) invstd dw/m). */
HD_INLINE void norm_grad_one(const norm_task *t, int64_t group, const norm_back *b, void *dx, vf slope, vf factor,
                             vf shift, bool by_y, bool two, const bool half) {
#define STEP(at, whole, mask)                                                                                          \
    vf_put(dx, at, half,                                                                                               \
           norm_dy(b, at, half, whole, mask, by_y, two) * slope +                                                      \
               (vf_get(b->x, at, half, whole, mask) - b->line.mean) * factor + shift,                                  \
           whole, mask)
    NORM_EACH(t, group, STEP);
#undef STEP
}

HD_INLINE void norm_grad_of(void *exec, int64_t task, const bool half) {
    const hd_exec *e = exec;
    const norm_task t = norm_task_of(e, task);
    const hd_planes *p = &t.s->planes;
    const double m = (double)p->n * (double)p->places;
    const float *w = e->in[1], *invstd = e->in[t.s->mean + 1];
    void *dx = e->out[0];
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
        norm_back b = norm_back_of(e, &t, group);
        if (b.through && !half) b.dy = b.through, b.y = NULL; /* clipped and added up in phase 1, not rounded */
        if (b.y && b.dy2)
            norm_grad_one(&t, group, &b, dx, kv, fv, sv, true, true, half);
        else if (b.y)
            norm_grad_one(&t, group, &b, dx, kv, fv, sv, true, false, half);
        else if (b.again)
            b.again = true, norm_grad_one(&t, group, &b, dx, kv, fv, sv, false, false, half);
        else
            b.again = false, norm_grad_one(&t, group, &b, dx, kv, fv, sv, false, false, half);
    }
}
#undef NORM_EACH
#undef NORM_SUMS
#undef NORM_ADD

/* Every phase for numbers of f32 and of bf16; sums, statistics and parameters are f32 in both. */
#define NORM_FORMS(name)                                                                                               \
    static void name(void *exec, int64_t task) {                                                                       \
        name##_of(exec, task, false);                                                                                  \
    }                                                                                                                  \
    static void name##_half(void *exec, int64_t task) {                                                                \
        name##_of(exec, task, true);                                                                                   \
    }
NORM_FORMS(norm_sum)
NORM_FORMS(norm_normalise)
NORM_FORMS(norm_infer)
NORM_FORMS(norm_grad_sum)
NORM_FORMS(norm_grad)
#undef NORM_FORMS
