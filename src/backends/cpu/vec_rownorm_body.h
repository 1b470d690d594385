/* vec_rownorm_body.h: normalisation of rows and its gradient; once for each instruction set. Sums are f32 over a
 * stretch and double over stretches. */
#include "backends/cpu/vec_rownorm.h"

enum { ROW_STRETCH = 128 * HD_VL };

/* Σ (x − shift), or of its squares. */
HD_INLINE double row_total(const float *x, int64_t n, float shift, bool square) {
    double total = 0;
    int64_t i = 0;
    while (i + HD_VL <= n) {
        const int64_t end = i + hd_vec_min(n - i, ROW_STRETCH) / HD_VL * HD_VL;
        vf sum[4] = {{0}};
        for (; i + 4 * HD_VL <= end; i += 4 * HD_VL) HD_UNROLL for (int k = 0; k < 4; k++) {
                const vf d = vf_load(x + i + k * HD_VL) - shift;
                sum[k] += square ? d * d : d;
            }
        for (; i < end; i += HD_VL) {
            const vf d = vf_load(x + i) - shift;
            sum[0] += square ? d * d : d;
        }
        total += (double)vf_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
    if (i < n) {
        const vf d = vf_where(vi_first(n - i), vf_load_m(x + i, vm_first(n - i)) - shift);
        total += (double)vf_sum(square ? d * d : d);
    }
    return total;
}

/* Weights of n elements: one for each, or one for all; NULL: `none`. */
HD_INLINE vf row_weight(const float *w, int64_t j, bool each, bool whole, vm m, float none) {
    if (!w) return vf_splat(none);
    return each ? vf_load_if(w + j, whole, m) : vf_splat(*w);
}

HD_INLINE void row_apply(const float *x, float *y, int64_t n, float mean, float s, const float *w, const float *b,
                         bool each) {
#define STEP(j, whole, m)                                                                                              \
    do {                                                                                                               \
        const vf d = (vf_load_if(x + (j), whole, m) - mean) * s;                                                       \
        vf_store_if(y + (j), d * row_weight(w, j, each, whole, m, 1) + row_weight(b, j, each, whole, m, 0), whole, m); \
    } while (0)
    VF_EACH(n, STEP);
#undef STEP
}

static const float *row_input(const hd_exec *e, int i, int64_t first) {
    const float *p = e->in[i];
    return p ? p + first : NULL;
}

/* A row of an input as f32: itself, or widened into the buffer. And the same for a result, which is rounded at last. */
HD_INLINE float *row_read(const hd_exec *e, const hd_vec_rownorm *s, int input, int64_t i, float *buffer) {
    if (!s->half) return (float *)e->in[input] + i * s->rows.m;
    cast_bf16_f32(buffer, (const uint16_t *)e->in[input] + i * s->rows.m, s->rows.m);
    return buffer;
}
HD_INLINE float *row_result(const hd_exec *e, const hd_vec_rownorm *s, int64_t i, float *buffer) {
    return s->half ? buffer : (float *)e->out[0] + i * s->rows.m;
}
HD_INLINE void row_round(const hd_exec *e, const hd_vec_rownorm *s, int64_t i, const float *row) {
    if (s->half) cast_f32_bf16((uint16_t *)e->out[0] + i * s->rows.m, row, s->rows.m);
}

static void rownorm(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rownorm *s = e->state;
    const hd_norm_rows *z = &s->rows;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, z->rows), each = z->m / z->run;
    float *buffer = s->half ? hd_thread_scratch(e) : NULL;
    for (int64_t i = task * s->split.chunk; i < to; i++) {
        const float *x = row_read(e, s, 0, i, buffer);
        float *y = row_result(e, s, i, buffer);
        const int64_t first = i % z->groups * each;
        const float *w = row_input(e, 1, first), *b = s->centred ? row_input(e, 2, first) : NULL;
        const float mean = s->centred ? (float)(row_total(x, z->m, 0, false) / (double)z->m) : 0;
        const float invstd = (float)(1 / sqrt(row_total(x, z->m, mean, true) / (double)z->m + s->eps));
        if (s->centred) ((float *)e->out[1])[i] = mean;
        ((float *)e->out[s->centred ? 2 : 1])[i] = invstd;
        if (z->run == 1) row_apply(x, y, z->m, mean, invstd, w, b, true);
        for (int64_t k = 0; k < each && z->run > 1; k++)
            row_apply(x + k * z->run, y + k * z->run, z->run, mean, invstd, w ? w + k : NULL, b ? b + k : NULL, false);
        row_round(e, s, i, y);
    }
}

/* ---- gradient ---- */

/* A row: x and dy, what was saved, the weights; sums of dw and db that grow. */
typedef struct row_grad {
    const float *x, *dy, *w;
    float *dx, *dw, *db;
    float mean, s;
    double sum, dot; /* Σ g, Σ g x̂ */
} row_grad;

/* With a weight an element. */
HD_INLINE void row_grad_sums(row_grad *r, int64_t n) {
    vf sum = vf_splat(0), dot = vf_splat(0);
    int64_t left = ROW_STRETCH;
#define STEP(j, whole, m)                                                                                              \
    do {                                                                                                               \
        const vf dy = vf_load_if(r->dy + (j), whole, m),                                                               \
                 dyxh = dy * (vf_load_if(r->x + (j), whole, m) - r->mean) * r->s;                                      \
        const vf w = row_weight(r->w, j, true, whole, m, 1);                                                           \
        sum += dy * w;                                                                                                 \
        dot += dyxh * w;                                                                                               \
        vf_store_if(r->dw + (j), vf_load_if(r->dw + (j), whole, m) + dyxh, whole, m);                                  \
        vf_store_if(r->db + (j), vf_load_if(r->db + (j), whole, m) + dy, whole, m);                                    \
        if ((left -= HD_VL) == 0) {                                                                                    \
            r->sum += (double)vf_sum(sum), r->dot += (double)vf_sum(dot);                                              \
            sum = dot = vf_splat(0), left = ROW_STRETCH;                                                               \
        }                                                                                                              \
    } while (0)
    VF_EACH(n, STEP);
#undef STEP
    r->sum += (double)vf_sum(sum), r->dot += (double)vf_sum(dot);
}

/* Of n elements with one weight. */
HD_INLINE void run_grad_sums(row_grad *r, const float *x, const float *dy, int64_t n, int64_t k) {
    double sum = 0, dot = 0;
    for (int64_t from = 0; from < n; from += ROW_STRETCH) {
        const int64_t part = hd_vec_min(n - from, ROW_STRETCH);
        vf a = vf_splat(0), b = vf_splat(0);
#define STEP(j, whole, m)                                                                                              \
    do {                                                                                                               \
        const vf d = vf_load_if(dy + from + (j), whole, m);                                                            \
        a += d;                                                                                                        \
        b += d * (vf_load_if(x + from + (j), whole, m) - r->mean);                                                     \
    } while (0)
        VF_EACH(part, STEP);
#undef STEP
        sum += (double)vf_sum(a), dot += (double)vf_sum(b);
    }
    dot *= (double)r->s;
    r->dw[k] += (float)dot;
    r->db[k] += (float)sum;
    r->sum += r->w ? (double)r->w[k] * sum : sum;
    r->dot += r->w ? (double)r->w[k] * dot : dot;
}

/* dx = s (g − sum − x̂ dot), these two over m already. */
HD_INLINE void row_grad_apply(const row_grad *r, int64_t from, int64_t n, const float *w, bool each) {
    const float sum = (float)r->sum, dot = (float)r->dot;
    const float *x = r->x + from, *dy = r->dy + from;
    float *dx = r->dx + from;
#define STEP(j, whole, m)                                                                                              \
    do {                                                                                                               \
        const vf g = vf_load_if(dy + (j), whole, m) * row_weight(w, j, each, whole, m, 1);                             \
        const vf xh = (vf_load_if(x + (j), whole, m) - r->mean) * r->s;                                                \
        vf_store_if(dx + (j), (g - sum - xh * dot) * r->s, whole, m);                                                  \
    } while (0)
    VF_EACH(n, STEP);
#undef STEP
}

static void rownorm_grad(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rownorm *s = e->state;
    const hd_norm_rows *z = &s->rows;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, z->rows), each = z->m / z->run;
    const int k = s->centred ? 3 : 2; /* of dy */
    float *sums = (float *)e->scratch + task * 2 * s->weights;
    float *buffer = s->half ? hd_thread_scratch(e) : NULL, *second = s->half ? buffer + z->m : NULL;
    memset(sums, 0, (size_t)(2 * s->weights) * sizeof *sums);
    for (int64_t i = task * s->split.chunk; i < to; i++) {
        const int64_t first = i % z->groups * each;
        row_grad r = {.x = row_read(e, s, 0, i, buffer),
                      .dy = row_read(e, s, k, i, second),
                      .w = row_input(e, k + 1, first),
                      .dx = row_result(e, s, i, second),
                      .dw = sums + first,
                      .db = sums + s->weights + first,
                      .mean = s->centred ? ((const float *)e->in[1])[i] : 0,
                      .s = ((const float *)e->in[k - 1])[i]};
        if (z->run == 1)
            row_grad_sums(&r, z->m);
        else
            for (int64_t j = 0; j < each; j++) run_grad_sums(&r, r.x + j * z->run, r.dy + j * z->run, z->run, j);
        r.sum = s->centred ? r.sum / (double)z->m : 0;
        r.dot /= (double)z->m;
        if (z->run == 1)
            row_grad_apply(&r, 0, z->m, r.w, true);
        else
            for (int64_t j = 0; j < each; j++) row_grad_apply(&r, j * z->run, z->run, r.w ? r.w + j : NULL, false);
        row_round(e, s, i, r.dx);
    }
}

/* dw and db: the sums of all tasks. */
static void rownorm_join(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_rownorm *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->join.chunk, s->weights);
    const float *sums = (const float *)e->scratch;
    for (int64_t i = task * s->join.chunk; i < to; i++) {
        double dw = 0, db = 0;
        for (int64_t t = 0; t < s->split.tasks; t++) {
            dw += (double)sums[2 * t * s->weights + i];
            db += (double)sums[(2 * t + 1) * s->weights + i];
        }
        ((float *)e->out[1])[i] = (float)dw;
        if (s->centred) ((float *)e->out[2])[i] = (float)db;
    }
}
