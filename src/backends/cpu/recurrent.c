/* recurrent.c: kernels of rnn, lstm and gru forward, and what they share with their gradients; time_shift. Sequences
 * are shared among tasks, so that no step waits for another thread. Knows no instruction set. */
#include "backends/cpu/recurrent.h"
#include "hadal/program.h"

enum {
    TASK_ROWS = 14, /* sequences from which a second task pays: a tile's rows, so that weights are read for all */
    MOST_TASKS = 16,
    SMALL_WEIGHT =
        1 << 16, /* floats of a weight that stays in the second cache, whoever reads it: then fewer will do */
    SMALL_ROWS = 4,
    FAR = 1 << 18,          /* floats of gates */
    SLICE_WEIGHT = 1 << 17, /* floats of the weight that pay a slice: a barrier a step */
    PACKED_STEPS = 3        /* steps from which packing the weight pays */
};

/* ---- shared ---- */

void hd_recurrent_plan(hd_recurrent *s, const hd_kctx *k, int64_t depth) {
    static const int64_t gates[HD_RECURRENT_KINDS] = {1, 1, 4, 3}, saved[HD_RECURRENT_KINDS] = {0, 0, 4, 4};
    const hd_vec *v = hd_vec_for(k->isa);
    s->half = k->in[s->o.w].dtype == HD_BF16;
    s->gemm = s->half ? hd_gemm_pairs_of(k->isa) : hd_gemm_of(k->isa);
    s->turn = v->turn;
    s->narrow = v->cast_from_f32[HD_BF16];
    s->widen = v->cast_to_f32[HD_BF16];
    s->gates = gates[s->kind];
    s->saved = saved[s->kind];
    s->width = 2 * s->gemm->lanes;
    s->blocks = (s->h + s->width - 1) / s->width;
    s->k = s->half ? (depth + 1) / 2 : depth;
    s->ld = s->half ? (depth + 31) / 32 * 32 + 32 : depth; /* pairs; an odd number of lines, or rows compete */
    const int64_t weight = s->gates * s->h * s->h, b = s->steps.b;
    const int64_t least = weight <= SMALL_WEIGHT ? SMALL_ROWS : TASK_ROWS;
    int64_t tasks = b / least < 1 ? 1 : b / least;
    if (tasks > MOST_TASKS) tasks = MOST_TASKS;
    s->rows = b > 0 ? (b + tasks - 1) / tasks : 1; /* of an empty batch there is no task */
    s->tasks = (b + s->rows - 1) / s->rows;
    s->packed = s->half || s->steps.t >= PACKED_STEPS;
    s->far = s->steps.t * b * s->gates * s->h > FAR;
    const int64_t slices = hd_vec_min(hd_vec_min(weight / SLICE_WEIGHT, s->blocks), MOST_TASKS);
    s->slices = s->packed && s->tasks == 1 && slices > 1 ? slices : 0;
}

void hd_recurrent_phases(const hd_recurrent *s, hd_prepared *out, int64_t rounds, hd_recurrent_run walk,
                         hd_recurrent_run start, hd_recurrent_run slice, hd_recurrent_run end) {
    if (s->slices == 0) {
        out->phase[out->phases++] = (hd_phase){walk, s->tasks};
        return;
    }
    out->phase[out->phases++] = (hd_phase){start, 1};
    out->rounds[out->phases] = rounds;
    out->phase[out->phases++] = (hd_phase){slice, s->slices};
    out->phase[out->phases++] = (hd_phase){end, 1};
}

hd_steps hd_recurrent_steps(const hd_recurrent *s, const hd_exec *e) {
    hd_steps steps = s->steps;
    steps.lengths = hd_recurrent_in(e, s->o.lengths);
    return steps;
}

void hd_recurrent_product(const hd_recurrent *s, hd_gemm_block g, const void *a, bool add) {
    const int64_t tiles = (g.m + s->gemm->rows - 1) / s->gemm->rows;
    g.a = a;
    g.k = s->k;
    g.ra = s->half ? s->ld / 2 : s->ld;
    g.ca = 1;
    g.add = add;
    g.mr = (g.m + tiles - 1) / tiles;
    g.kc = g.k; /* a panel goes through the caches but once for each tile: pieces of it only cost passes over C */
    g.nc = s->width;
    if (g.bt)
        s->gemm->dots(&g);
    else
        s->gemm->tiles(&g);
}

void hd_recurrent_clear(const hd_steps *s, int64_t lane, int64_t count, void *rows, bool half, int64_t n) {
    for (int64_t t = count; t < s->t && rows; t++)
        memset(hd_recurrent_at(rows, half, (t * s->step + lane * s->lane) * n), 0,
               (size_t)n * (half ? sizeof(uint16_t) : sizeof(float)));
}

int hd_recurrent_present(const hd_kctx *k, int i) {
    return hd_vec_present(k, i) ? i : -1;
}

static bool is_float(const hd_operand *o, bool may_be_half) {
    return o->dtype == HD_F32 || (may_be_half && o->dtype == HD_BF16);
}

const char *hd_recurrent_refuses(const hd_kctx *k, int w, int lengths, unsigned never, unsigned narrow) {
    const bool half = k->in[w].dtype == HD_BF16;
    for (int i = 0; i < k->n_in; i++) {
        if (!hd_vec_present(k, i) || i == lengths) continue;
        if (never >> i & 1) return "projections, and gradients of what is kept for the gradient, by definition alone";
        if (!is_float(&k->in[i], i == w)) return "computes in f32, with a weight of f32 or bf16";
    }
    for (int i = 0; i < k->n_out; i++)
        if (!is_float(&k->out[i], half && (narrow >> i & 1))) return "keeps states and gates in f32";
    if (k->in[0].count == 0) return "nothing to do";
    if (half && (!hd_gemm_pairs_of(k->isa) || !hd_precision_native(k->ctx, "bf16"))) return "bf16 is emulated here";
    return NULL;
}

/* ---- forward ---- */

/* Panel k · blocks + u: columns u·width … of span k, for each number of the state before, or pair of these: their
 * weights. */
static void pack_panel(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const hd_recurrent *s = e->state;
    const int64_t k = task / s->blocks, u = task % s->blocks * s->width, h = s->h,
                  n = hd_vec_min(s->width, s->span - u);
    float *panel = (float *)e->scratch + task * s->k * s->width;
    const void *w = hd_recurrent_at(e->in[s->o.w], s->half, (k * s->span + u) * h);
    if (!s->half || h % 2 == 0) {
        s->turn(panel, s->width, w, s->k, s->k, n);
        return;
    }
    uint16_t *pairs = (uint16_t *)panel;
    const uint16_t *rows = w;
    for (int64_t i = 0; i < 2 * s->k; i++)
        for (int64_t j = 0; j < n; j++) pairs[(i / 2 * s->width + j) * 2 + i % 2] = i < h ? rows[j * h + i] : 0;
}

/* What a task has: states before and after, cells, products. */
typedef struct forward {
    const hd_recurrent *s;
    const hd_exec *e;
    hd_steps steps;
    int64_t lane, rows; /* first sequence, how many */
    float *state[2], *cell, *z;
    float *zeros;    /* as many as there are gates of units */
    void *factor[2]; /* the states as they are multiplied: these, or in bf16 */
} forward;

static void copy_or_zero(float *to, const float *from, int64_t n) {
    if (from)
        memcpy(to, from, (size_t)n * sizeof(float));
    else
        memset(to, 0, (size_t)n * sizeof(float));
}

static forward forward_of(const hd_exec *e, int64_t task) {
    const hd_recurrent *s = e->state;
    forward f = {.s = s, .e = e, .steps = hd_recurrent_steps(s, e), .lane = task * s->rows};
    f.rows = hd_vec_min(s->rows, s->steps.b - f.lane);
    float *at = (float *)e->scratch + s->pack + (size_t)task * s->per_task;
    f.state[0] = at, at += s->rows * s->h;
    f.state[1] = at, at += s->rows * s->h;
    f.cell = at, at += s->rows * s->h;
    f.z = at, at += s->rows * s->gates * s->h;
    f.zeros = at, at += s->gates * s->h;
    for (int i = 0; i < 2; i++) f.factor[i] = s->half ? (void *)(at + i * s->rows * s->ld / 2) : f.state[i];
    return f;
}

static void forward_begin(const forward *f) {
    const hd_recurrent *s = f->s;
    const hd_exec *e = f->e;
    memset(f->zeros, 0, (size_t)(s->gates * s->h) * sizeof(float));
    const float *h0 = hd_recurrent_in(e, s->o.h0), *c0 = hd_recurrent_in(e, s->o.c0);
    copy_or_zero(f->state[0], h0 ? h0 + f->lane * s->h : NULL, f->rows * s->h);
    copy_or_zero(f->cell, c0 ? c0 + f->lane * s->h : NULL, f->rows * s->h);
    if (!s->half) return;
    memset(f->factor[0], 0, (size_t)(2 * s->rows * s->ld) * sizeof(uint16_t)); /* of both: pads stay zero */
    for (int64_t r = 0; r < f->rows; r++) s->narrow((uint16_t *)f->factor[0] + r * s->ld, f->state[0] + r * s->h, s->h);
}

/* Columns u … of the gates of step i are needed soon. */
static void forward_ask(const forward *f, int64_t i, int64_t u, int64_t n) {
    const hd_recurrent *s = f->s;
    const hd_exec *e = f->e;
    for (int64_t r = 0; r < f->rows; r++) {
        const int64_t count = hd_steps_count(&f->steps, f->lane + r);
        if (i >= count) continue;
        const int64_t row = hd_steps_row(&f->steps, f->lane + r, i, count);
        hd_recurrent_ask(e->in[s->o.x], false, row * s->gates * s->h + u, n);
        if (s->o.out_gates >= 0) hd_recurrent_ask(e->out[s->o.out_gates], false, row * s->saved * s->h + u, n);
        if (s->o.out_c >= 0 && u < s->h) hd_recurrent_ask(e->out[s->o.out_c], false, row * s->h + u, n);
        if (u < s->h) hd_recurrent_ask(e->out[s->o.out_y], s->y_half, row * s->h + u, n);
    }
}

/* The products of step i for some units, before any of their gates: what these read and write lies megabytes apart from
 * row to row, and only in long pieces is it there in time. */
static void forward_products(const forward *f, int64_t i, hd_recurrent_units units) {
    const hd_recurrent *s = f->s;
    const int64_t h = s->h;
    const float *w = f->e->in[s->o.w], *packed = (const float *)f->e->scratch;
    const int64_t from = s->slices ? units.from : 0, to = s->slices ? units.to : s->span;
    for (int64_t k = 0; k < s->spans; k++)
        for (int64_t u = from; u < to; u += s->width) {
            hd_gemm_block g = {.m = f->rows, .n = hd_vec_min(s->width, to - u)};
            g.c = f->z + k * s->span + u;
            g.ldc = s->gates * h;
            g.b = s->packed ? packed + (k * s->blocks * s->width + u) * s->k : w + (k * s->span + u) * h;
            g.ldb = s->packed ? s->width : h;
            g.bt = !s->packed;
            hd_recurrent_product(s, g, f->factor[i & 1], false);
            if (s->far) forward_ask(f, i, k * s->span + u, g.n);
        }
}

/* The gates of some units of row r at step i; where it has no such step its state stays. */
static void forward_row(const forward *f, int64_t i, int64_t r, hd_recurrent_units units) {
    const hd_recurrent *s = f->s;
    const int64_t h = s->h, count = hd_steps_count(&f->steps, f->lane + r), u = units.from, n = units.to - u;
    const float *before = f->state[i & 1] + r * h + u;
    float *after = f->state[(i + 1) & 1] + r * h + u;
    uint16_t *multiplied = s->half ? (uint16_t *)f->factor[(i + 1) & 1] + r * s->ld + u : NULL;
    if (i >= count) {
        memcpy(after, before, (size_t)n * sizeof(float));
        if (multiplied) s->narrow(multiplied, before, n);
        return;
    }
    const int64_t row = hd_steps_row(&f->steps, f->lane + r, i, count);
    const hd_recurrent_row one = {
        .n = n,
        .h = h,
        .ldz = h,
        .x = (const float *)f->e->in[s->o.x] + row * s->gates * h + u,
        .z = f->z + r * s->gates * h + u,
        .bias = s->o.bias >= 0 ? (const float *)f->e->in[s->o.bias] + u : f->zeros,
        .before = before,
        .cell = f->cell + r * h + u,
        .gates = s->o.out_gates >= 0 ? (float *)f->e->out[s->o.out_gates] + row * s->saved * h + u : NULL,
        .c = s->o.out_c >= 0 ? (float *)f->e->out[s->o.out_c] + row * h + u : NULL,
        .y = hd_recurrent_at(f->e->out[s->o.out_y], s->y_half, row * h + u),
        .y_half = s->y_half,
        .state = after,
        .multiplied = multiplied};
    s->row(&one);
}

int64_t hd_recurrent_most(const hd_steps *s, int64_t lane, int64_t rows) {
    int64_t most = 0;
    for (int64_t r = 0; r < rows; r++) {
        const int64_t n = hd_steps_count(s, lane + r);
        if (n > most) most = n;
    }
    return most;
}

static void forward_step(const forward *f, int64_t i, hd_recurrent_units units) {
    forward_products(f, i, units);
    for (int64_t r = 0; r < f->rows; r++) forward_row(f, i, r, units);
}

static void forward_end(const forward *f) {
    const hd_recurrent *s = f->s;
    const hd_exec *e = f->e;
    const int64_t h = s->h;
    memcpy((float *)e->out[s->o.h_n] + f->lane * h, f->state[hd_recurrent_most(&f->steps, f->lane, f->rows) & 1],
           (size_t)(f->rows * h) * sizeof(float));
    if (s->o.c_n >= 0) memcpy((float *)e->out[s->o.c_n] + f->lane * h, f->cell, (size_t)(f->rows * h) * sizeof(float));
    for (int64_t lane = f->lane; lane < f->lane + f->rows; lane++) {
        const int64_t count = hd_steps_count(&f->steps, lane);
        hd_recurrent_clear(&f->steps, lane, count, e->out[s->o.out_y], s->y_half, h);
        if (s->o.out_gates >= 0)
            hd_recurrent_clear(&f->steps, lane, count, e->out[s->o.out_gates], false, s->saved * h);
        if (s->o.out_c >= 0) hd_recurrent_clear(&f->steps, lane, count, e->out[s->o.out_c], false, h);
    }
}

static void forward_run(void *exec, int64_t task) {
    const forward f = forward_of(exec, task);
    forward_begin(&f);
    const int64_t most = hd_recurrent_most(&f.steps, f.lane, f.rows);
    for (int64_t i = 0; i < most; i++) forward_step(&f, i, (hd_recurrent_units){0, f.s->h});
    forward_end(&f);
}

static void run_begin(void *exec, int64_t task) {
    const forward f = forward_of(exec, task);
    forward_begin(&f);
}
static void run_slice(void *exec, int64_t slice) {
    const forward f = forward_of(exec, 0);
    const int64_t i = f.e->round;
    if (i < hd_recurrent_most(&f.steps, f.lane, f.rows)) forward_step(&f, i, hd_recurrent_slice(f.s, slice));
}
static void run_end(void *exec, int64_t task) {
    const forward f = forward_of(exec, task);
    forward_end(&f);
}

static hd_status forward_prepare(hd_kctx *k, hd_prepared *out, hd_recurrent settled, bool batch_first, bool reverse) {
    hd_recurrent *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    *s = settled;
    s->h = k->out[0].dims.dim[2];
    s->steps = hd_steps_of(&k->in[0].dims, batch_first, reverse, NULL);
    hd_recurrent_plan(s, k, s->h);
    s->row = s->half ? hd_recurrent_rows_of(false)[s->kind] : hd_vec_for(k->isa)->recurrent[s->kind];
    s->y_half = k->out[s->o.out_y].dtype == HD_BF16;
    s->spans = s->slices ? s->gates : 1; /* all gates side by side fill panels, whatever the number of units */
    s->span = s->gates * s->h / s->spans;
    s->blocks = (s->span + s->width - 1) / s->width;
    s->pack = s->packed ? (size_t)(s->spans * s->blocks * s->width * s->k) : 0;
    const int64_t factors = s->half ? s->rows * s->ld : 0; /* two of half the size */
    s->per_task = (size_t)(((s->rows * (3 + s->gates) + s->gates) * s->h + factors + 15) / 16 * 16);
    out->state = s;
    out->scratch = (s->pack + (size_t)s->tasks * s->per_task) * sizeof(float);
    if (s->packed) out->phase[out->phases++] = (hd_phase){pack_panel, s->spans * s->blocks};
    hd_recurrent_phases(s, out, s->steps.t, forward_run, run_begin, run_slice, run_end);
    return HD_OK;
}

static hd_status rnn_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_rnn_args *a = k->attr;
    const hd_recurrent s = {.kind = a->nonlinearity ? HD_RECURRENT_RELU : HD_RECURRENT_TANH,
                            .o = {.w = 1,
                                  .bias = -1,
                                  .h0 = hd_recurrent_present(k, 2),
                                  .c0 = -1,
                                  .lengths = hd_recurrent_present(k, 3),
                                  .h_n = 1,
                                  .c_n = -1,
                                  .out_gates = -1,
                                  .out_c = -1}};
    return forward_prepare(k, out, s, a->batch_first, a->reverse);
}
static hd_status lstm_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_lstm_args *a = k->attr;
    const hd_recurrent s = {.kind = HD_RECURRENT_LSTM,
                            .o = {.w = 1,
                                  .bias = -1,
                                  .h0 = hd_recurrent_present(k, 2),
                                  .c0 = hd_recurrent_present(k, 3),
                                  .lengths = hd_recurrent_present(k, 5),
                                  .h_n = 1,
                                  .c_n = 2,
                                  .out_gates = 3,
                                  .out_c = 4}};
    return forward_prepare(k, out, s, a->batch_first, a->reverse);
}
static hd_status gru_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_gru_args *a = k->attr;
    const hd_recurrent s = {.kind = HD_RECURRENT_GRU,
                            .o = {.w = 1,
                                  .bias = hd_recurrent_present(k, 2),
                                  .h0 = hd_recurrent_present(k, 3),
                                  .c0 = -1,
                                  .lengths = hd_recurrent_present(k, 4),
                                  .h_n = 1,
                                  .c_n = -1,
                                  .out_gates = 2,
                                  .out_c = -1}};
    return forward_prepare(k, out, s, a->batch_first, a->reverse);
}

static const char *rnn_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 1, 3, 0, 1);
}
static const char *lstm_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 1, 5, 1u << 4, 1);
}
static const char *gru_supports(const hd_kctx *k) {
    return hd_recurrent_refuses(k, 1, 4, 0, 1);
}

/* ---- time_shift ---- */

typedef struct shift {
    hd_steps steps;
    int64_t n;
    bool half;
    int first, lengths; /* numbers of inputs, −1: absent */
    hd_vec_split split; /* of sequences */
} shift;

static void shift_row(const shift *s, void *to, int64_t row, const void *from) {
    const size_t bytes = (size_t)s->n * (s->half ? sizeof(uint16_t) : sizeof(float));
    void *at = hd_recurrent_at(to, s->half, row * s->n);
    if (from)
        memcpy(at, from, bytes);
    else
        memset(at, 0, bytes);
}

static void shift_run(void *exec, int64_t task) {
    const hd_exec *e = exec;
    const shift *s = e->state;
    const int64_t from = task * s->split.chunk, to = hd_vec_min(from + s->split.chunk, s->split.n);
    hd_steps steps = s->steps;
    steps.lengths = hd_recurrent_in(e, s->lengths);
    for (int64_t b = from; b < to; b++) {
        const int64_t count = hd_steps_count(&steps, b);
        const void *before = hd_recurrent_at(hd_recurrent_in(e, s->first), s->half, b * s->n);
        for (int64_t i = 0; i < count; i++) {
            const int64_t row = hd_steps_row(&steps, b, i, count);
            shift_row(s, e->out[0], row, before);
            before = hd_recurrent_at(e->in[0], s->half, row * s->n);
        }
        shift_row(s, e->out[1], b, before);
        hd_recurrent_clear(&steps, b, count, e->out[0], s->half, s->n);
    }
}

static const char *shift_supports(const hd_kctx *k) {
    const hd_dtype type = k->in[0].dtype;
    const bool first = hd_vec_present(k, 1) && k->in[1].dtype != type;
    if (!is_float(&k->in[0], true) || first || k->out[0].dtype != type || k->out[1].dtype != type)
        return "only for f32 or bf16 on all sides";
    return k->in[0].count == 0 ? "nothing to do" : NULL;
}

static hd_status shift_prepare(hd_kctx *k, hd_prepared *out) {
    const hd_time_shift_args *a = k->attr;
    shift *s = hd_vec_state(k, sizeof *s);
    if (!s) return HD_E_MEMORY;
    s->steps = hd_steps_of(&k->in[0].dims, a->batch_first, a->reverse, NULL);
    s->n = k->in[0].dims.dim[2];
    s->half = k->in[0].dtype == HD_BF16;
    s->first = hd_recurrent_present(k, 1);
    s->lengths = hd_recurrent_present(k, 2);
    s->split = hd_vec_split_rows(s->steps.b, s->steps.t * s->n, HD_VEC_GRAIN);
    return hd_vec_one_phase(out, s, shift_run, s->split.tasks);
}

RECURRENT_KERNEL(rnn, rnn_supports, rnn_prepare)
RECURRENT_KERNEL(lstm, lstm_supports, lstm_prepare)
RECURRENT_KERNEL(gru, gru_supports, gru_prepare)
RECURRENT_KERNEL(time_shift, shift_supports, shift_prepare)
