/* recurrent_back.c: kernels of the gradients of rnn, lstm and gru: the steps walked back, each with one product of the
 * gates' gradients with the weight. Knows no instruction set. */
#include "backends/cpu/recurrent.h"

/* Panel u: units u·width …, for each gate of each unit, or pair of these, the weights that it has for them. */
static void pack_panel(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_recurrent *s = e->state;
    const int64_t h = s->h, u = task * s->width, rows = s->gates * h, n = hd_vec_min(s->width, h - u);
    float *panel = (float *)e->scratch + task * s->k * s->width;
    const void *w = hd_recurrent_at(e->in[s->o.w], s->half, u);
    const uint16_t *half = w;
    const float *plain = w;
    for (int64_t j = 0; j < s->k; j++)
        if (s->half)
            s->gemm->pair_rows(panel + j * s->width, half + 2 * j * h, 2 * j + 1 < rows ? half + (2 * j + 1) * h : NULL,
                               n);
        else
            memcpy(panel + j * s->width, plain + j * h, (size_t)n * sizeof(float));
}

/* What a task has: what arrives at the states and cells, and the gradients of the gates of a step, or of two. */
typedef struct backward {
    const hd_recurrent *s;
    const hd_exec *e;
    hd_steps steps;
    int64_t lane, rows;
    void *dz[2];  /* of steps even and odd, bf16 where products are of it; rows s->ld apart */
    float *zeros; /* one for each unit */
} backward;

/* dh and dc lie in the results dh0 and dc0 all along. */
static float *arrives(const backward *b, int out, int64_t r) {
    return out >= 0 ? (float *)b->e->out[out] + (b->lane + r) * b->s->h : NULL;
}

static float *from_unit(float *row, int64_t u) {
    return row ? row + u : NULL;
}

static void start(const backward *b, int out, int in) {
    if (out < 0) return;
    const float *from = hd_recurrent_in(b->e, in);
    const size_t bytes = (size_t)(b->rows * b->s->h) * sizeof(float);
    if (from)
        memcpy(arrives(b, out, 0), from + b->lane * b->s->h, bytes);
    else
        memset(arrives(b, out, 0), 0, bytes);
}

/* State or cell before step i of a sequence: a row of those kept, or the first one. */
static const float *before_of(const backward *b, int kept, int first, int64_t lane, int64_t i, int64_t count) {
    const float *rows = hd_recurrent_in(b->e, kept), *zero = hd_recurrent_in(b->e, first);
    if (!rows) return b->zeros;
    const float *before = HD_STEP_BEFORE(&b->steps, rows, b->s->h, zero, lane, i, count);
    return before ? before : b->zeros;
}

/* Some units of row r at step i: the gradients of their gates; zeros, so that nothing arrives before them, where it has
 * no such step.
 */
static void gates_row(const backward *b, int64_t r, int64_t i, hd_recurrent_units units) {
    const hd_recurrent *s = b->s;
    const hd_exec *e = b->e;
    const int64_t h = s->h, lane = b->lane + r, count = hd_steps_count(&b->steps, lane), all = s->gates * h;
    const int64_t u = units.from, n = units.to - u;
    void *dz = hd_recurrent_at(b->dz[i & 1], s->half, r * s->ld + u);
    const size_t size = s->half ? sizeof(uint16_t) : sizeof(float);
    if (i >= count) {
        for (int64_t k = 0; k < s->gates; k++) memset(hd_recurrent_at(dz, s->half, k * h), 0, (size_t)n * size);
        return;
    }
    const int64_t row = hd_steps_row(&b->steps, lane, i, count);
    const float *gates = hd_recurrent_in(e, s->o.gates), *c = hd_recurrent_in(e, s->o.c);
    const float *y = hd_recurrent_in(e, s->o.y), *dy = hd_recurrent_in(e, s->o.dy);
    const hd_recurrent_row one = {.n = n,
                                  .h = h,
                                  .kept_gates = gates ? gates + row * s->saved * h + u : NULL,
                                  .kept_c = c ? c + row * h + u : NULL,
                                  .kept_y = y ? y + row * h + u : NULL,
                                  .before = before_of(b, s->o.y, s->o.h0, lane, i, count) + u,
                                  .c_before = before_of(b, s->o.c, s->o.c0, lane, i, count) + u,
                                  .dy = dy ? dy + row * h + u : b->zeros,
                                  .dx = hd_recurrent_at(e->out[s->o.dx], s->dx_half, row * all + u),
                                  .dz = dz,
                                  .dx_half = s->dx_half,
                                  .dz_half = s->half,
                                  .dh = from_unit(arrives(b, s->o.dh0, r), u),
                                  .dc = from_unit(arrives(b, s->o.dc0, r), u)};
    s->row(&one);
    for (int64_t k = 0; k < s->gates && s->o.dz >= 0; k++) {
        void *to = hd_recurrent_at(e->out[s->o.dz], s->dz_half, row * all + k * h + u);
        const void *from = hd_recurrent_at(dz, s->half, k * h);
        if (s->half && !s->dz_half)
            s->widen(to, from, n);
        else
            memcpy(to, from, (size_t)n * size);
    }
}

/* Units u … of all gates of step i are needed soon. */
static void ask(const backward *b, int64_t i, int64_t u, int64_t n) {
    const hd_recurrent *s = b->s;
    const hd_exec *e = b->e;
    const int64_t h = s->h;
    for (int64_t r = 0; r < b->rows; r++) {
        const int64_t lane = b->lane + r, count = hd_steps_count(&b->steps, lane);
        if (i < 0 || i >= count) continue;
        const int64_t row = hd_steps_row(&b->steps, lane, i, count);
        for (int64_t k = 0; k < s->saved; k++)
            hd_recurrent_ask(hd_recurrent_in(e, s->o.gates), false, (row * s->saved + k) * h + u, n);
        for (int64_t k = 0; k < s->gates; k++)
            hd_recurrent_ask(e->out[s->o.dx], s->dx_half, (row * s->gates + k) * h + u, n);
        hd_recurrent_ask(hd_recurrent_in(e, s->o.dy), false, row * h + u, n);
        hd_recurrent_ask(hd_recurrent_in(e, s->o.y), false, row * h + u, n);
        if (i > 0)
            hd_recurrent_ask(hd_recurrent_in(e, s->o.c), false, hd_steps_row(&b->steps, lane, i - 1, count) * h + u, n);
    }
}

/* What the gates of step i send to the states before it. */
static void products(const backward *b, int64_t i, hd_recurrent_units units) {
    const hd_recurrent *s = b->s;
    const int64_t h = s->h;
    for (int64_t u = units.from; u < units.to; u += s->width) {
        hd_gemm_block g = {.m = b->rows, .n = hd_vec_min(s->width, h - u), .ldc = h};
        g.b = s->packed ? (const float *)b->e->scratch + u * s->k : (const float *)b->e->in[s->o.w] + u;
        g.ldb = s->packed ? s->width : h;
        g.c = arrives(b, s->o.dh0, 0) + u;
        hd_recurrent_product(s, g, b->dz[i & 1], true);
        if (s->far) ask(b, i - 1, u, g.n);
    }
}

static backward backward_of(const hd_exec *e, int64_t task) {
    const hd_recurrent *s = e->state;
    backward b = {.s = s, .e = e, .steps = hd_recurrent_steps(s, e), .lane = task * s->rows};
    b.rows = hd_vec_min(s->rows, s->steps.b - b.lane);
    b.dz[0] = (float *)e->scratch + s->pack + (size_t)task * s->per_task;
    b.dz[1] = s->slices > 0 ? hd_recurrent_past(b.dz[0], s->half, s->rows * s->ld) : b.dz[0];
    b.zeros = hd_recurrent_past(b.dz[1], s->half, s->rows * s->ld);
    return b;
}

static void backward_begin(const backward *b) {
    const hd_recurrent *s = b->s;
    if (s->half) memset(b->dz[0], 0, (size_t)((char *)b->zeros - (char *)b->dz[0])); /* the pads stay zero */
    memset(b->zeros, 0, (size_t)s->h * sizeof(float));
    start(b, s->o.dh0, s->o.dh_n);
    start(b, s->o.dc0, s->o.dc_n);
}

static void backward_end(const backward *b) {
    const hd_recurrent *s = b->s;
    const int64_t all = s->gates * s->h;
    for (int64_t lane = b->lane; lane < b->lane + b->rows; lane++) {
        const int64_t count = hd_steps_count(&b->steps, lane);
        hd_recurrent_clear(&b->steps, lane, count, b->e->out[s->o.dx], s->dx_half, all);
        if (s->o.dz >= 0) hd_recurrent_clear(&b->steps, lane, count, b->e->out[s->o.dz], s->dz_half, all);
    }
}

static void backward_run(void *exec, int64_t task) {
    const backward b = backward_of(exec, task);
    const hd_recurrent_units units = {0, b.s->h};
    backward_begin(&b);
    for (int64_t i = hd_recurrent_most(&b.steps, b.lane, b.rows); i-- > 0;) {
        for (int64_t r = 0; r < b.rows; r++) gates_row(&b, r, i, units);
        products(&b, i, units);
    }
    backward_end(&b);
}

static void run_begin(void *exec, int64_t task) {
    const backward b = backward_of(exec, task);
    backward_begin(&b);
}
/* A round: what step i sends, of which all gates are known, then the gates of the step before. */
static void run_slice(void *exec, int64_t slice) {
    const backward b = backward_of(exec, 0);
    const hd_recurrent_units units = hd_recurrent_slice(b.s, slice);
    const int64_t most = hd_recurrent_most(&b.steps, b.lane, b.rows), i = most - b.e->round;
    if (i >= 0 && i < most) products(&b, i, units);
    for (int64_t r = 0; r < b.rows && i > 0; r++) gates_row(&b, r, i - 1, units);
}
static void run_end(void *exec, int64_t task) {
    const backward b = backward_of(exec, task);
    backward_end(&b);
}

static hd_status backward_prepare(hd_kctx *k, hd_prepared *out, hd_recurrent settled, bool batch_first, bool reverse) {
    hd_recurrent *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    *s = settled;
    s->h = k->in[s->o.w].dims.dim[1];
    s->steps = hd_steps_of(&k->in[0].dims, batch_first, reverse, NULL);
    hd_recurrent_plan(s, k, k->in[s->o.w].dims.dim[0]);
    s->row = s->half ? hd_recurrent_rows_of(true)[s->kind] : hd_vec_for(k->isa)->recurrent_back[s->kind];
    if (!s->half) s->ld += 16; /* as of half: else rows compete where the number of gates is a power of two */
    s->dx_half = k->out[s->o.dx].dtype == HD_BF16;
    s->dz_half = s->o.dz >= 0 && k->out[s->o.dz].dtype == HD_BF16;
    s->pack = s->packed ? (size_t)(s->blocks * s->width * s->k) : 0;
    const int64_t kept = s->slices > 0 ? 2 : 1; /* steps whose gates' gradients are there */
    s->per_task = (size_t)((kept * s->rows * s->ld / (s->half ? 2 : 1) + s->h + 15) / 16 * 16);
    out->state = s;
    out->scratch = (s->pack + (size_t)s->tasks * s->per_task) * sizeof(float);
    if (s->packed) out->phase[out->phases++] = (hd_phase){pack_panel, s->blocks};
    hd_recurrent_phases(s, out, s->steps.t + 1, backward_run, run_begin, run_slice, run_end);
    return HD_OK;
}

/* ---- the ops: which operand is what ---- */

static hd_status rnn_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_rnn_grad_args *a = k->attr;
    const int lengths = hd_recurrent_present(k, 4), dy = hd_recurrent_present(k, 2), dh_n = hd_recurrent_present(k, 3);
    hd_recurrent s = {.o = {.gates = -1, .w = 1, .c = -1, .c0 = -1, .h0 = -1, .dy = dy, .dh_n = dh_n, .dc_n = -1}};
    s.kind = a->nonlinearity ? HD_RECURRENT_RELU : HD_RECURRENT_TANH;
    s.o.lengths = lengths;
    s.o.dh0 = 1;
    s.o.dz = s.o.dc0 = -1;
    return backward_prepare(k, out, s, a->batch_first, a->reverse);
}
static hd_status lstm_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_lstm_grad_args *a = k->attr;
    hd_recurrent s = {.kind = HD_RECURRENT_LSTM,
                      .o = {.c = 1, .w = 2, .y = -1, .h0 = -1, .dh0 = 1, .dc0 = 2, .dz = -1}};
    s.o.c0 = hd_recurrent_present(k, 3);
    s.o.dy = hd_recurrent_present(k, 5);
    s.o.dh_n = hd_recurrent_present(k, 6);
    s.o.dc_n = hd_recurrent_present(k, 7);
    s.o.lengths = hd_recurrent_present(k, 10);
    return backward_prepare(k, out, s, a->batch_first, a->reverse);
}
static hd_status gru_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_gru_grad_args *a = k->attr;
    hd_recurrent s = {.kind = HD_RECURRENT_GRU,
                      .o = {.y = 1, .w = 2, .c = -1, .c0 = -1, .dc_n = -1, .dz = 1, .dh0 = 2, .dc0 = -1}};
    s.o.h0 = hd_recurrent_present(k, 3);
    s.o.dy = hd_recurrent_present(k, 4);
    s.o.dh_n = hd_recurrent_present(k, 5);
    s.o.lengths = hd_recurrent_present(k, 7);
    return backward_prepare(k, out, s, a->batch_first, a->reverse);
}

static const char *rnn_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 1, 4, 0, 1);
}
static const char *lstm_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 2, 10, 1u << 4 | 1u << 8 | 1u << 9, 1);
}
static const char *gru_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 2, 7, 1u << 6, 3);
}

RECURRENT_KERNEL(rnn_grad, rnn_supports, rnn_prepare)
RECURRENT_KERNEL(lstm_grad, lstm_supports, lstm_prepare)
RECURRENT_KERNEL(gru_grad, gru_supports, gru_prepare)
