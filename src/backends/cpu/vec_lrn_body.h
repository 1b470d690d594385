/* vec_lrn_body.h: local response normalisation and its gradient, vectors of neighbouring places; once for each
 * instruction set. */
#include "backends/cpu/vec_lrn.h"

/* The places of a unit: where they begin in x, how many they are. */
typedef struct lrn_unit {
    int64_t first, width;
} lrn_unit;
HD_INLINE lrn_unit lrn_unit_of(const hd_vec_lrn *s, int64_t unit) {
    const int64_t from = unit % s->blocks * HD_VEC_LRN_PLACES;
    return (lrn_unit){unit / s->blocks * s->c * s->places + from, hd_vec_min(HD_VEC_LRN_PLACES, s->places - from)};
}

/* k + alpha/size · Σ x² around channel c; x at a place of channel 0. */
HD_INLINE vf lrn_base(const hd_vec_lrn *s, const float *x, int64_t c, bool whole, vm m) {
    vf sum = vf_splat(0);
    const int64_t from = c < s->before ? 0 : c - s->before, to = hd_vec_min(c + s->after, s->c - 1);
    for (int64_t q = from; q <= to; q++) {
        const vf v = vf_load_if(x + q * s->places, whole, m);
        sum += v * v;
    }
    return sum * s->alpha + s->k;
}

/* base^−beta */
HD_INLINE vf lrn_power(const hd_vec_lrn *s, vf base) {
    switch (s->quarters) {
    case 2: return 1 / vf_sqrt(base);
    case 3: {
        const vf root = vf_sqrt(base);
        return 1 / (root * vf_sqrt(root));
    }
    case 4: return 1 / base;
    default: return v_exp(v_log(base) * -s->beta);
    }
}

static void lrn_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_lrn *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    for (int64_t unit = task * s->split.chunk; unit < to; unit++) {
        const lrn_unit u = lrn_unit_of(s, unit);
        const float *x = (const float *)e->in[0] + u.first;
        float *y = (float *)e->out[0] + u.first;
        for (int64_t c = 0; c < s->c; c++) {
            const int64_t row = c * s->places;
#define STEP(i, whole, m)                                                                                              \
    vf_store_if(y + row + (i), vf_load_if(x + row + (i), whole, m) * lrn_power(s, lrn_base(s, x + (i), c, whole, m)),  \
                whole, m)
            VF_EACH(u.width, STEP);
#undef STEP
        }
    }
}

/* First dy·s^−β and what goes to the neighbours, dy x s^(−β−1); then the neighbours' shares. */
static void lrn_grad_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_vec_lrn *s = e->state;
    const int64_t to = hd_vec_min((task + 1) * s->split.chunk, s->split.n);
    float *share = (float *)e->scratch + task * s->c * HD_VEC_LRN_PLACES;
    for (int64_t unit = task * s->split.chunk; unit < to; unit++) {
        const lrn_unit u = lrn_unit_of(s, unit);
        const float *x = (const float *)e->in[0] + u.first, *dy = (const float *)e->in[1] + u.first;
        float *dx = (float *)e->out[0] + u.first;
        for (int64_t c = 0; c < s->c; c++) {
            const int64_t row = c * s->places;
#define STEP(i, whole, m)                                                                                              \
    do {                                                                                                               \
        const vf base = lrn_base(s, x + (i), c, whole, m);                                                             \
        const vf d = vf_load_if(dy + row + (i), whole, m) * lrn_power(s, base);                                        \
        vf_store_if(dx + row + (i), d, whole, m);                                                                      \
        vf_store_if(share + c * HD_VEC_LRN_PLACES + (i), d * vf_load_if(x + row + (i), whole, m) / base, whole, m);    \
    } while (0)
            VF_EACH(u.width, STEP);
#undef STEP
        }
        for (int64_t c = 0; c < s->c; c++) {
            const int64_t row = c * s->places;
            const int64_t from = c < s->after ? 0 : c - s->after, last = hd_vec_min(c + s->before, s->c - 1);
#define STEP(i, whole, m)                                                                                              \
    do {                                                                                                               \
        vf sum = vf_splat(0);                                                                                          \
        for (int64_t q = from; q <= last; q++) sum += vf_load_if(share + q * HD_VEC_LRN_PLACES + (i), whole, m);       \
        const vf back = vf_load_if(x + row + (i), whole, m) * sum * s->factor;                                         \
        vf_store_if(dx + row + (i), vf_load_if(dx + row + (i), whole, m) - back, whole, m);                            \
    } while (0)
            VF_EACH(u.width, STEP);
#undef STEP
        }
    }
}
