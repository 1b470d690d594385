/* recurrent_kit.h: what the loops over time share: where the steps of a sequence lie, checks of operands, the gradient
 * of the recurrent weight. Knows nothing of backends. */
#ifndef HD_OPS_RECURRENT_KIT_H
#define HD_OPS_RECURRENT_KIT_H
#include "ops/op_kit.h"

/* Steps of sequences in x [t, b, n], or [b, t, n] where batch comes first. */
typedef struct hd_steps {
    int64_t t, b;
    int64_t step, lane;     /* rows from one step to the next, from one sequence to the next */
    const int64_t *lengths; /* NULL: all are t long */
    bool reverse;
} hd_steps;
hd_steps hd_steps_of(const hd_dims *x, bool batch_first, bool reverse, const int64_t *lengths);
/* Steps that a sequence has. */
static inline int64_t hd_steps_count(const hd_steps *s, int64_t lane) {
    const int64_t n = s->lengths ? s->lengths[lane] : s->t;
    return n < 0 ? 0 : n < s->t ? n : s->t;
}
/* Row of step i of a sequence of n steps, in the order in which they are walked. */
static inline int64_t hd_steps_row(const hd_steps *s, int64_t lane, int64_t i, int64_t n) {
    return (s->reverse ? n - 1 - i : i) * s->step + lane * s->lane;
}
/* The same for a definition: steps of input x, lengths as input number `lengths`. */
hd_steps hd_ref_steps(const hd_ref *r, int x, int lengths, bool batch_first, bool reverse);
static inline const void *hd_ref_data(const hd_ref *r, int i) {
    return i < r->n_in ? r->in[i].data : NULL;
}
/* What comes before step i of a sequence of `count` steps: the row of the step before in `rows` (n numbers a row), or
 * the first state, or NULL for zeros. */
#define HD_STEP_BEFORE(s, rows, n, first, lane, i, count)                                                              \
    ((i) > 0 ? (rows) + hd_steps_row(s, lane, (i)-1, count) * (n) : (first) ? (first) + (lane) * (n) : NULL)
void hd_ref_zero(const hd_ref *r); /* all outputs */

/* ---- checks: each returns HD_E_MODEL with a message ---- */

hd_status hd_need_sequence(hd_infer *c, int i);                                        /* float, rank 3 */
hd_status hd_need_matrix(hd_infer *c, int i, int like, int64_t rows, int64_t columns); /* -1: any; dtype of in[like] */
hd_status hd_need_like(hd_infer *c, int i, int like, hd_dims dims);                    /* absent, or exactly these */
hd_status hd_need_lengths(hd_infer *c, int i, int x, bool batch_first);                /* absent, or i64 [b] */
/* Dimensions of a state [b, n], and x with another last dimension. */
hd_dims hd_state_dims(const hd_dims *x, bool batch_first, int64_t n);
hd_dims hd_last_dim(const hd_dims *x, int64_t n);
/* Units of in[x] whose last dimension holds `gates` numbers each; a message when it does not. */
hd_status hd_need_gates(hd_infer *c, int x, int64_t gates, int64_t *units);

/* 2 · rows · (numbers of the matrices at inputs a and b, -1: none) for the products, and some for each of in[x]. A
 * gradient has as many products; those of its weights are nodes of their own. */
hd_cost hd_cost_recurrent(const hd_infer *c, int x, int a, int b);

/* ---- gradients ---- */

/* An input, or none. */
static inline hd_val hd_grad_in(const hd_grad *c, int i) {
    return i < c->n_in ? c->in[i] : (hd_val){0};
}
static inline void hd_grad_set(hd_grad *c, int i, hd_val d) {
    if (i < c->n_in && c->needs[i]) c->din[i] = d;
}

/* Of a weight that multiplies what came before: Σ over steps of dz ⊗ before: one product over all steps. */
hd_val hd_recurrent_dw(hd_val dz, hd_val before);

#define HD_SECOND_REASON                                                                                               \
    "a second derivative through time is not worked out in one piece: build the layer out of its cells"
#define HD_STEP_OPTIONS(args_)                                                                                         \
    HD_OPTION(BOOL, args_, reverse, .help = "from the last step to the first"),                                        \
        HD_OPTION(BOOL, args_, batch_first, .help = "sequences are [b, t, …] instead of [t, b, …]")
#define HD_RNN_OPTIONS(args_)                                                                                          \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(ENUM, args_, nonlinearity, .choices = hd_rnn_words, .help = "tanh or relu"), HD_STEP_OPTIONS(args_), \
            HD_OPTION_END                                                                                              \
    }
extern const char *const hd_rnn_words[];
#endif
