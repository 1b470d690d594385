/* recurrent_body.h: the gates of recurrent layers, units of one row at one step; once for each instruction set. */
#include "backends/cpu/lanes.h"
#include "backends/cpu/recurrent.h"

/* Runs the statements for the vectors of n units; `at` is the offset, LOAD and STORE mind the lanes. */
#define RECURRENT_ROW(name, ...)                                                                                       \
    static void name(const hd_recurrent_row *r) {                                                                      \
        const vf one = vf_splat(1);                                                                                    \
        (void)one;                                                                                                     \
        for (int64_t at = 0; at < r->n; at += HD_VL) {                                                                 \
            const bool whole = at + HD_VL <= r->n;                                                                     \
            const vm m = vm_first(r->n - at);                                                                          \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define LOAD(p)     vf_load_if((p) + at, whole, m)
#define STORE(p, v) vf_store_if((p) + at, v, whole, m)
/* The same numbers to two places, either in bf16; where both are it is rounded once. */
#define PUT_BOTH(p, p_half, q, q_half, i, v)                                                                           \
    do {                                                                                                               \
        if ((p_half) && (q_half)) {                                                                                    \
            vf_put(p, i, true, v, whole, m);                                                                           \
            vf_put(q, i, true, v, whole, m);                                                                           \
        } else {                                                                                                       \
            vf_put(p, i, p_half, v, whole, m);                                                                         \
            vf_put(q, i, q_half, v, whole, m);                                                                         \
        }                                                                                                              \
    } while (0)
/* What a forward step leaves: the result and the state, which products may read in bf16. */
#define LEAVE(v)                                                                                                       \
    do {                                                                                                               \
        STORE(r->state, v);                                                                                            \
        if (r->multiplied)                                                                                             \
            PUT_BOTH(r->y, r->y_half, r->multiplied, true, at, v);                                                     \
        else                                                                                                           \
            vf_put(r->y, at, r->y_half, v, whole, m);                                                                  \
    } while (0)
#define GATE(k)  (LOAD(r->x + (k)*r->h) + LOAD(r->z + (k)*r->ldz))
#define SAVED(k) LOAD(r->kept_gates + (k)*r->h)
#define ARRIVED  (LOAD(r->dh) + LOAD(r->dy))

#define RNN_ROW(name, expr) RECURRENT_ROW(name, const vf z = GATE(0); const vf y = expr; LEAVE(y);)
RNN_ROW(row_rnn_tanh, v_tanh(z))
RNN_ROW(row_rnn_relu, vf_max(vf_splat(0), z))

RECURRENT_ROW(row_lstm, const vf i = v_sigmoid(GATE(0)), f = v_sigmoid(GATE(1)); const vf g = v_tanh(GATE(2));
              const vf o = v_sigmoid(GATE(3)); const vf c = f * LOAD(r->cell) + i * g; STORE(r->gates, i);
              STORE(r->gates + r->h, f); STORE(r->gates + 2 * r->h, g); STORE(r->gates + 3 * r->h, o); STORE(r->c, c);
              STORE(r->cell, c); const vf y = o * v_tanh(c); LEAVE(y);)

RECURRENT_ROW(row_gru, const vf reset = v_sigmoid(GATE(0) + LOAD(r->bias)),
              keep = v_sigmoid(GATE(1) + LOAD(r->bias + r->h));
              const vf s = LOAD(r->z + 2 * r->ldz) + LOAD(r->bias + 2 * r->h);
              const vf n = v_tanh(LOAD(r->x + 2 * r->h) + reset * s); STORE(r->gates, reset);
              STORE(r->gates + r->h, keep); STORE(r->gates + 2 * r->h, n); STORE(r->gates + 3 * r->h, s);
              const vf y = n + keep * (LOAD(r->before) - n); LEAVE(y);)

#define DGATE(k, v)                                                                                                    \
    do {                                                                                                               \
        const vf v_ = (v);                                                                                             \
        PUT_BOTH(r->dx, r->dx_half, r->dz, r->dz_half, (k)*r->h + at, v_);                                             \
    } while (0)
#define RNN_BACK(name, expr)                                                                                           \
    RECURRENT_ROW(name, const vf y = LOAD(r->kept_y), d = ARRIVED; const vf dz = expr; DGATE(0, dz);                   \
                  STORE(r->dh, vf_splat(0));)
RNN_BACK(back_rnn_tanh, d *(one - y * y))
RNN_BACK(back_rnn_relu, vf_keep(vk_more(y, vf_splat(0)), d))

RECURRENT_ROW(back_lstm, const vf i = SAVED(0), f = SAVED(1), g = SAVED(2), o = SAVED(3);
              const vf th = v_tanh(LOAD(r->kept_c)); const vf d = ARRIVED;
              const vf dc = LOAD(r->dc) + d * o * (one - th * th); DGATE(0, dc *g *i *(one - i));
              DGATE(1, dc *LOAD(r->c_before) * f * (one - f)); DGATE(2, dc *i *(one - g * g));
              DGATE(3, d *th *o *(one - o)); STORE(r->dc, dc *f); STORE(r->dh, vf_splat(0));)

RECURRENT_ROW(back_gru, const vf reset = SAVED(0), keep = SAVED(1), n = SAVED(2), s = SAVED(3); const vf d = ARRIVED;
              const vf dn = d * (one - keep) * (one - n * n); const vf ds = dn * reset;
              DGATE(0, dn *s *reset *(one - reset)); DGATE(1, d *(LOAD(r->before) - n) * keep * (one - keep));
              vf_put(r->dx, 2 * r->h + at, r->dx_half, dn, whole, m);
              vf_put(r->dz, 2 * r->h + at, r->dz_half, ds, whole, m); STORE(r->dh, d *keep);)
#undef LOAD
#undef STORE
#undef LEAVE
#undef PUT_BOTH
#undef GATE
#undef SAVED
#undef ARRIVED
#undef DGATE
