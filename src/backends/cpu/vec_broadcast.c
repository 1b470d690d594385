/* vec_broadcast.c: add, sub, mul, div where one operand is repeated along axes: a row over a batch, a number for each
 * channel. Short rows are laid out several times behind each other first, so that the primitive sees long vectors. */
#include "backends/cpu/vec_elem.h"
#include "backends/cpu/vec_reduce.h"

enum { PATTERN = 4096, LONG_ROW = 256, LONG_RUN = 64 };

typedef struct broadcast_state {
    int64_t size[4];    /* outer, fold, keep, run: the small operand is [outer, keep] */
    hd_vec_split split; /* of outer · fold */
    int small;
    int64_t copies;            /* of a row in the pattern; 0: none */
    hd_vec_fn vectors, single; /* single: the small operand is one number */
} broadcast_state;

static void broadcast_call(const broadcast_state *s, hd_vec_fn fn, float *y, const float *big, const float *small,
                           int64_t n) {
    fn(y, s->small ? big : small, s->small ? small : big, n, NULL);
}

/* One row of keep · run elements. */
static void broadcast_row(const broadcast_state *s, float *y, const float *big, const float *small) {
    const int64_t keep = s->size[HD_VEC_KEEP], run = s->size[HD_VEC_RUN];
    if (run == 1) {
        broadcast_call(s, s->vectors, y, big, small, keep);
        return;
    }
    for (int64_t k = 0; k < keep; k++) broadcast_call(s, s->single, y + k * run, big + k * run, small + k, run);
}

/* `count` rows under one row of the small operand, by way of the pattern. */
static void broadcast_pattern(const broadcast_state *s, float *pattern, float *y, const float *big, const float *small,
                              int64_t count) {
    const int64_t keep = s->size[HD_VEC_KEEP], run = s->size[HD_VEC_RUN], row = keep * run;
    const int64_t copies = hd_vec_min(s->copies, count);
    for (int64_t k = 0; k < keep; k++)
        for (int64_t r = 0; r < run; r++) pattern[k * run + r] = small[k];
    for (int64_t c = 1; c < copies; c++) memcpy(pattern + c * row, pattern, (size_t)row * sizeof *pattern);
    for (int64_t i = 0; i < count; i += copies)
        broadcast_call(s, s->vectors, y + i * row, big + i * row, pattern, hd_vec_min(copies, count - i) * row);
}

static void broadcast_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const broadcast_state *s = e->state;
    const int64_t fold = s->size[HD_VEC_FOLD], keep = s->size[HD_VEC_KEEP], row = keep * s->size[HD_VEC_RUN];
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    const float *big = e->in[1 - s->small], *small = e->in[s->small];
    float *y = e->out[0];
    for (int64_t i = from; i < to;) {
        const int64_t outer = i / fold, end = hd_vec_min((outer + 1) * fold, to);
        if (s->copies > 0) {
            broadcast_pattern(s, hd_thread_scratch(e), y + i * row, big + i * row, small + outer * keep, end - i);
            i = end;
            continue;
        }
        for (; i < end; i++) broadcast_row(s, y + i * row, big + i * row, small + outer * keep);
    }
}

/* The operand that is repeated, or -1. */
static int broadcast_small(const hd_kctx *k, int64_t size[4]) {
    for (int small = 1; small >= 0; small--) {
        const hd_operand *o = &k->in[small];
        if (k->in[1 - small].count != k->out[0].count) continue;
        if (hd_vec_join_axes(&k->out[0].dims, hd_vec_broadcast_mask(&o->dims, &k->out[0].dims), size)) return small;
    }
    return -1;
}

static const char *broadcast_supports(const hd_kctx *k) {
    int64_t size[4];
    const char *reason = hd_vec_need_f32(k);
    if (reason) return reason;
    if (k->out[0].count == 0) return "nothing to do";
    if (!hd_vec_present(k, 1)) return "only for two operands";
    return broadcast_small(k, size) < 0 ? "both operands are repeated, or along too many axes" : NULL;
}

static hd_status broadcast_prepare(hd_kctx *k, hd_prepared *out) {
    broadcast_state *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    const int op = hd_vec_op_find(k->op->name, strlen(k->op->name));
    const hd_vec *v = hd_vec_for(k->isa);
    int64_t *size = s->size;
    s->small = broadcast_small(k, size);
    s->vectors = v->elem[op][HD_VEC_VV];
    s->single = v->elem[op][s->small ? HD_VEC_VS : HD_VEC_SV];
    if (size[HD_VEC_FOLD] == 1 && size[HD_VEC_RUN] > 1) { /* nothing is repeated in rows: a number for each run */
        size[HD_VEC_OUTER] *= size[HD_VEC_KEEP];
        size[HD_VEC_KEEP] = 1;
    }
    const int64_t row = size[HD_VEC_KEEP] * size[HD_VEC_RUN];
    const bool direct = size[HD_VEC_RUN] == 1 ? row >= LONG_ROW : size[HD_VEC_RUN] >= LONG_RUN;
    if (!direct && size[HD_VEC_FOLD] > 1 && row <= PATTERN) {
        s->copies = PATTERN / row;
        out->scratch_per_thread = PATTERN * sizeof(float);
    }
    s->split = hd_vec_split_rows(size[HD_VEC_OUTER] * size[HD_VEC_FOLD], row, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, broadcast_run, s->split.tasks);
}

#define BROADCAST_KERNEL(op_name)                                                                                      \
    const hd_kernel hd_kernel_vec_##op_name##_broadcast = {                                                            \
        .name = "cpu." #op_name ".broadcast",                                                                          \
        .op = #op_name,                                                                                                \
        .flags = HD_K_INPLACE_ANY,                                                                                     \
        .supports = broadcast_supports,                                                                                \
        .prepare = broadcast_prepare,                                                                                  \
    };
BROADCAST_KERNEL(add)
BROADCAST_KERNEL(sub)
BROADCAST_KERNEL(mul)
BROADCAST_KERNEL(div)
BROADCAST_KERNEL(maximum)
BROADCAST_KERNEL(minimum)
BROADCAST_KERNEL(larger)
BROADCAST_KERNEL(pow)
BROADCAST_KERNEL(fmax)
BROADCAST_KERNEL(fmin)
BROADCAST_KERNEL(fmod)
BROADCAST_KERNEL(remainder)
BROADCAST_KERNEL(floor_divide)
BROADCAST_KERNEL(atan2)
BROADCAST_KERNEL(hypot)
BROADCAST_KERNEL(logaddexp)
BROADCAST_KERNEL(xlogy)
BROADCAST_KERNEL(copysign)
