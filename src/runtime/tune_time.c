/* tune_time.c: owns the measuring of single kernels: all ways to do one operation, in turns, on memory of the size that
 * they ask for, warm, with the context's threads; the least of several runs counts, because what else runs on a machine
 * only adds. */
#include "base/cpu.h"
#include "base/pool.h"
#include "ops/fused.h"
#include "runtime/tune.h"
#include <string.h>

enum { LEAST_ROUNDS = 3, MOST_ROUNDS = 40, MOST_TIMES = 64, CHANGES = 5, MAYBE_INPUTS = 8 };
static const double NEVER = 1e9;
static const double FAR_BEHIND = 2;       /* times as long as the best so far: not worth a second look */
static const double LEAST_SECONDS = 5e-4; /* that a measurement should take */
static const double SHAPE_SECONDS = 0.25,
                    ALL_SECONDS = 20; /* after so long an operation has been measured enough; all together */

/* Memory that all ways of an operation share: no result is looked at. */
typedef struct bench {
    hd_context *ctx;
    void *operand[HD_TUNE_OPERANDS];
    void *in[HD_TUNE_OPERANDS + MAYBE_INPUTS], *out[HD_TUNE_OPERANDS];
    char *scratch, *thread_scratch, *kept;
} bench;

/* ---- one run ---- */

static void run_way(const bench *b, const hd_way *w) {
    hd_exec e = {.state = w->prepared.state,
                 .in = (void **)(uintptr_t)b->in,
                 .out = (void **)(uintptr_t)b->out,
                 .scratch = b->scratch,
                 .thread_scratch = b->thread_scratch,
                 .scratch_per_thread = w->prepared.scratch_per_thread,
                 .kept = b->kept};
    for (int p = 0; p < w->prepared.phases; p++) {
        const int64_t rounds = w->prepared.rounds[p] > 0 ? w->prepared.rounds[p] : 1;
        for (e.round = 0; e.round < rounds; e.round++)
            hd_pool_run(b->ctx->pool, w->prepared.phase[p].run, &e, w->prepared.phase[p].tasks);
    }
}

static double time_way(const hd_tuner *t, const bench *b, const hd_way *w, int times) {
    const double begin = hd_tune_clock(t);
    for (int i = 0; i < times; i++) run_way(b, w);
    return (hd_tune_clock(t) - begin) / times;
}

static int times_of(double seconds) {
    const double n = seconds > 0 ? LEAST_SECONDS / seconds : MOST_TIMES;
    return n >= MOST_TIMES ? MOST_TIMES : n > 1 ? (int)n : 1;
}

/* ---- memory ---- */

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Small numbers of either sign, none of them zero or denormal. */
static void fill(void *memory, hd_dtype dtype, size_t bytes) {
    float *f = memory;
    uint16_t *h = memory;
    if (dtype == HD_F32)
        for (size_t i = 0; i < bytes / sizeof *f; i++) f[i] = 0.01f * (float)(i % 17) - 0.055f;
    if (dtype == HD_BF16)
        for (size_t i = 0; i < bytes / sizeof *h; i++) h[i] = (uint16_t)((i % 2 ? 0x3c00 : 0xbc00) + i % 17);
}

static hd_status make_memory(bench *b, const hd_shape *s) {
    size_t scratch = 0, each = 0, kept = 0;
    const int n = s->k.n_in + s->k.n_out;
    for (int i = 0; i < n; i++) {
        size_t bytes = 0;
        if (s->operands[i].dims.rank < 0) continue;
        for (int w = 0; w < s->ways; w++) bytes = most(bytes, s->way[w].operands[i].bytes);
        if (!(b->operand[i] = hd_alloc(b->ctx, bytes + 64))) return HD_E_MEMORY;
        fill(b->operand[i], s->operands[i].dtype, bytes);
        *(i < s->k.n_in ? &b->in[i] : &b->out[i - s->k.n_in]) = b->operand[i];
    }
    for (int w = 0; w < s->ways; w++) {
        scratch = most(scratch, s->way[w].prepared.scratch);
        each = most(each, s->way[w].prepared.scratch_per_thread);
        kept = most(kept, s->way[w].prepared.kept);
    }
    b->scratch = hd_alloc(b->ctx, scratch + 64);
    b->thread_scratch = hd_alloc(b->ctx, each * (size_t)b->ctx->threads + 64);
    b->kept = hd_alloc(b->ctx, kept + 64);
    return b->scratch && b->thread_scratch && b->kept ? HD_OK : HD_E_MEMORY;
}

static void free_memory(bench *b) {
    for (int i = 0; i < HD_TUNE_OPERANDS; i++) hd_free(b->ctx, b->operand[i]);
    hd_free(b->ctx, b->scratch);
    hd_free(b->ctx, b->thread_scratch);
    hd_free(b->ctx, b->kept);
}

/* ---- all ways in turns ---- */

static hd_status prepare_ways(hd_shape *s) {
    for (int i = 0; i < s->ways; i++) {
        hd_way *w = &s->way[i];
        hd_kctx k = s->k;
        k.variant = w->node.variant;
        k.in = w->operands;
        k.out = w->operands + k.n_in;
        const hd_status status = w->node.kernel->prepare(&k, &w->prepared);
        if (status == HD_E_MEMORY) return status;
        w->dropped = status != HD_OK; /* it thought that it could, and can not */
        if (w->dropped) w->seconds = NEVER;
    }
    return HD_OK;
}

/* Tasks of the widest phase. */
static int64_t tasks_of(const hd_way *w) {
    int64_t tasks = 1;
    for (int p = 0; p < w->prepared.phases; p++)
        if (w->prepared.phase[p].tasks > tasks) tasks = w->prepared.phase[p].tasks;
    return tasks;
}

/* A table is for any number of threads: measured on fewer than there are processors, what leaves processors without a
 * task would look good. */
static void drop_narrow(const hd_tuner *t, hd_shape *s) {
    const int processors = hd_cpu_count();
    const int64_t rule = tasks_of(&s->way[s->rule]), least = rule < processors ? rule : processors;
    for (int i = 0; i < s->ways && t->ctx->threads < processors; i++)
        if (i != s->rule && !s->way[i].dropped && tasks_of(&s->way[i]) < least) {
            s->way[i].dropped = true;
            s->way[i].seconds = NEVER;
        }
}

static void tell(const hd_tuner *t, int shape, const hd_way *w) {
    const hd_tune_step step = {.shape = shape + 1,
                               .shapes = t->shapes,
                               .key = t->shape[shape].key,
                               .kernel = w->node.kernel->name,
                               .variant = w->node.variant,
                               .seconds = hd_tune_clock(t) - t->began};
    if (t->args->progress) t->args->progress(t->args->user, &step);
}

static bool stopped(const hd_tuner *t) {
    return t->args->stop && t->args->stop(t->args->user);
}

static hd_status first_looks(hd_tuner *t, const bench *b, int shape) {
    hd_shape *s = &t->shape[shape];
    double best = 0;
    for (int i = 0; i < s->ways; i++) {
        hd_way *w = &s->way[i];
        if (w->dropped) continue;
        if (stopped(t)) return hd_fail(t->ctx, HD_E_INTERRUPTED, "tune|interrupted");
        tell(t, shape, w);
        run_way(b, w);
        w->seconds = time_way(t, b, w, 1);
        if (best == 0 || w->seconds < best) best = w->seconds;
        w->dropped = w->seconds > FAR_BEHIND * best;
    }
    for (int i = 0; i < s->ways; i++) /* the best may have come late */
        if (s->way[i].seconds > FAR_BEHIND * best) s->way[i].dropped = true;
    return HD_OK;
}

static hd_status more_looks(hd_tuner *t, const bench *b, int shape) {
    hd_shape *s = &t->shape[shape];
    const double share = ALL_SECONDS / t->shapes, enough = share < SHAPE_SECONDS ? share : SHAPE_SECONDS;
    const double begin = hd_tune_clock(t);
    for (int round = 0; round < MOST_ROUNDS; round++) {
        if (round >= LEAST_ROUNDS && hd_tune_clock(t) - begin > enough) break;
        for (int i = 0; i < s->ways; i++) {
            hd_way *w = &s->way[i];
            if (w->dropped) continue;
            if (stopped(t)) return hd_fail(t->ctx, HD_E_INTERRUPTED, "tune|interrupted");
            tell(t, shape, w);
            const double seconds = time_way(t, b, w, times_of(w->seconds));
            if (seconds < w->seconds) w->seconds = seconds;
        }
    }
    return HD_OK;
}

hd_status hd_tune_time(hd_tuner *t, int i) {
    hd_shape *s = &t->shape[i];
    bench b = {.ctx = t->ctx};
    if (s->ways < 2) return HD_OK; /* nothing to choose from */
    const hd_fp_state fp = hd_fp_enter();
    hd_status status = prepare_ways(s);
    if (status == HD_OK) drop_narrow(t, s);
    if (status == HD_OK) status = make_memory(&b, s);
    if (status == HD_OK) status = first_looks(t, &b, i);
    if (status == HD_OK) status = more_looks(t, &b, i);
    for (int w = 0; w < s->ways; w++) {
        hd_prepared *p = &s->way[w].prepared;
        if (p->destroy) p->destroy(p->state);
        *p = (hd_prepared){0};
    }
    free_memory(&b);
    hd_fp_leave(fp);
    return status;
}

/* ---- changes of layout ---- */

/* Pictures of 26 MB, more than caches hold, into blocks of channels and back. */
static hd_status time_change(hd_tuner *t, hd_layout from, hd_layout to, double *least) {
    hd_way w = {.node = {.kernel = NULL}};
    bench b = {.ctx = t->ctx};
    for (int i = 0; i < 2; i++) {
        hd_operand *o = &w.operands[i];
        *o = (hd_operand){.dtype = HD_F32, .dims = HD_DIMS(32, 64, 56, 56), .layout = i ? to : from};
        o->count = hd_dims_count(&o->dims);
        o->bytes = (size_t)hd_layout_count(&o->layout, &o->dims) * sizeof(float);
    }
    hd_kctx k = {.ctx = t->ctx,
                 .arena = &t->arena,
                 .op = &hd_op_reorder,
                 .n_in = 1,
                 .n_out = 1,
                 .in = &w.operands[0],
                 .out = &w.operands[1],
                 .isa = t->ctx->isa,
                 .threads = t->ctx->threads};
    const hd_kernel *const *list = hd_kernels_default();
    while (*list && (strcmp((*list)->op, "reorder") != 0 || hd_kernel_refuses(*list, &k))) list++;
    w.node.kernel = *list ? *list : &hd_kernel_ref;
    hd_shape s = {.k = k, .way = &w, .ways = 1};
    memcpy(s.operands, w.operands, sizeof s.operands);
    hd_status status = w.node.kernel->prepare(&k, &w.prepared);
    if (status == HD_OK) status = make_memory(&b, &s);
    for (int i = 0; i <= CHANGES && status == HD_OK; i++) {
        const double seconds = time_way(t, &b, &w, 1);
        if (i > 0 && (*least == 0 || seconds < *least)) *least = seconds; /* the first one makes the pages */
    }
    if (w.prepared.destroy) w.prepared.destroy(w.prepared.state);
    free_memory(&b);
    return status;
}

hd_status hd_tune_bandwidth(hd_tuner *t) {
    static const int64_t elements = (int64_t)32 * 64 * 56 * 56;
    double into = 0, back = 0;
    const hd_fp_state fp = hd_fp_enter();
    hd_status status = time_change(t, HD_LAYOUT_PLAIN, HD_LAYOUT_NCHW16C, &into);
    if (status == HD_OK) status = time_change(t, HD_LAYOUT_NCHW16C, HD_LAYOUT_PLAIN, &back);
    hd_fp_leave(fp);
    t->bandwidth = into + back > 0 ? 4 * (double)elements * sizeof(float) / (into + back) : 1e10;
    return status;
}
