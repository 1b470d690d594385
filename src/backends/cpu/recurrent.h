/* recurrent.h: state of the kernels of recurrent layers, and what their row functions get. The loop over time is plain
 * C (recurrent.c, recurrent_back.c): per step one product of the states with panels of the weight, packed once a run,
 * then the gates, row by row, in vectors (recurrent_body.h). Sequences are shared among tasks, each of which walks all
 * steps. */
#ifndef HD_BACKENDS_CPU_RECURRENT_H
#define HD_BACKENDS_CPU_RECURRENT_H
#include "backends/cpu/gemm.h"
#include "backends/cpu/vec.h"
#include "ops/recurrent_kit.h"

/* Units of one row at one step, pointers at the first of them; gates of a unit lie `h` apart, those of z `ldz`. Forward
 * reads x, z, bias, before and the cell, and writes gates, c, y, state and the cell. Backward reads what is kept and
 * dy, takes what arrives out of dh and dc and leaves there what goes on to the step before beside the product; it
 * writes dx and dz. */
typedef struct hd_recurrent_row {
    int64_t n, h, ldz;
    const float *x, *z, *bias, *before;
    float *gates, *c, *state, *cell;
    void *y;
    uint16_t *multiplied;          /* the state in bf16, or NULL */
    bool y_half, dx_half, dz_half; /* bf16 */
    const float *kept_gates, *kept_c, *kept_y, *c_before, *dy;
    void *dx, *dz;
    float *dh, *dc;
} hd_recurrent_row;

enum { HD_RECURRENT_TANH, HD_RECURRENT_RELU, HD_RECURRENT_LSTM, HD_RECURRENT_GRU, HD_RECURRENT_KINDS };

/* Numbers of a node's operands; −1: absent. */
typedef struct hd_recurrent_operands {
    int x, w, bias, h0, c0, lengths; /* forward */
    int gates, c, y, dy, dh_n, dc_n; /* backward */
    int out_y, h_n, c_n, out_gates, out_c;
    int dx, dz, dh0, dc0;
} hd_recurrent_operands;

typedef struct hd_recurrent {
    int kind;
    hd_recurrent_operands o;
    hd_steps steps;          /* without lengths */
    int64_t h, gates, saved; /* units; gates that the weight makes; numbers a unit kept for the gradient */
    int64_t width, blocks;   /* columns of a panel; panels of a gate, forward of a span */
    int64_t spans, span;     /* forward: gates that begin a panel of their own, or 1; columns of each */
    int64_t rows, tasks;     /* sequences of a task (the last may have fewer) */
    int64_t slices;          /* tasks that share the units of all sequences, one round a step; 0: none, see rows */
    bool packed;
    bool far;  /* sequences fill more than the second cache: what gates need is asked for while products run */
    bool half; /* products of bf16: the weight is, and what is multiplied with it is rounded */
    bool y_half, dx_half, dz_half;
    int64_t k, ld;         /* steps of a product, pairs where half; numbers from row to row of what is multiplied */
    size_t pack, per_task; /* floats of scratch: packed weights, then so many for each task */
    const hd_gemm_isa *gemm;
    hd_vec_cast narrow, widen; /* f32 to bf16 and back */
    hd_turn_fn turn;
    hd_recurrent_fn row;
} hd_recurrent;

/* By kind, where products are of bf16; NULL where hd_gemm_pairs_of is. */
const hd_recurrent_fn *hd_recurrent_rows_of(bool back);

/* Units from … to of a slice, whole panels. */
typedef struct hd_recurrent_units {
    int64_t from, to;
} hd_recurrent_units;
static inline hd_recurrent_units hd_recurrent_slice(const hd_recurrent *s, int64_t slice) {
    const int64_t to = (slice + 1) * s->blocks / s->slices * s->width;
    return (hd_recurrent_units){slice * s->blocks / s->slices * s->width, to < s->h ? to : s->h};
}
/* Phases after packing: `walk` for each task's sequences; or, where slices share the units, `start` once, `slice` for
 * each slice and round, `end` once. */
typedef void (*hd_recurrent_run)(void *exec, int64_t task);
void hd_recurrent_phases(const hd_recurrent *s, hd_prepared *out, int64_t rounds, hd_recurrent_run walk,
                         hd_recurrent_run start, hd_recurrent_run slice, hd_recurrent_run end);
/* Sets sizes and tasks; kind, steps and h are given. `depth`: numbers that a product adds up. */
void hd_recurrent_plan(hd_recurrent *s, const hd_kctx *k, int64_t depth);
/* Of a row of numbers that may be bf16, from number i on. */
static inline void *hd_recurrent_past(void *row, bool half, int64_t i) {
    return (char *)row + i * (half ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float));
}
/* The row may be absent. */
static inline void *hd_recurrent_at(void *row, bool half, int64_t i) {
    return row ? hd_recurrent_past(row, half, i) : NULL;
}
static inline void *hd_recurrent_in(const hd_exec *e, int i) {
    return i >= 0 ? e->in[i] : NULL;
}
/* Asks for n numbers from number i on, to read or write them soon. */
static inline void hd_recurrent_ask(void *row, bool half, int64_t i, int64_t n) {
    for (int64_t j = 0; j < n && row; j += half ? 32 : 16) __builtin_prefetch(hd_recurrent_at(row, half, i + j), 0, 2);
}
hd_steps hd_recurrent_steps(const hd_recurrent *s, const hd_exec *e);
/* C [m, n] (+)= A [m, k] times a panel; A are m rows of what is multiplied. */
void hd_recurrent_product(const hd_recurrent *s, hd_gemm_block g, const void *a, bool add);
/* Fills rows behind the lengths of a sequence with zeros; n numbers a row. */
void hd_recurrent_clear(const hd_steps *s, int64_t lane, int64_t count, void *rows, bool half, int64_t n);
int hd_recurrent_present(const hd_kctx *k, int i); /* i, or −1 */
/* w: the weight, which may be bf16; `never`: inputs by bits that may not be there; `narrow`: results that may be bf16
 * where the weight is. */
const char *hd_recurrent_refuses(const hd_kctx *k, int w, int lengths, unsigned never, unsigned narrow);
int64_t hd_recurrent_most(const hd_steps *s, int64_t lane, int64_t rows); /* steps of the longest of some sequences */

#define RECURRENT_KERNEL(op_, supports_, prepare_)                                                                     \
    const hd_kernel hd_kernel_vec_##op_ = {                                                                            \
        .name = "cpu." #op_, .op = #op_, .flags = HD_K_BF16, .supports = supports_, .prepare = prepare_};
#endif
