/* kernel_bench.c: times every kernel that can run an op, alone, on the operands that it asks for: which to prefer, and
 * from which size. Prints microseconds, GFLOP/s and the share of the ceiling, or why a kernel refuses.
 *     kernel-bench [THREADS [ISA [OP [PART OF THE KERNEL'S NAME]]]] */
#include "backends/cpu/gemm_plan.h"
#include "ceiling.h"
#include "compile/kernel.h"
#include "hadal/ops.h"
#include "ops/fused.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 3, OUTPUTS = 2, REPEATS = 40 };

typedef struct bench_case {
    const char *op;
    hd_dims in[INPUTS], out[OUTPUTS]; /* rank 0 inputs are absent */
    const void *args;
    double flops;
} bench_case;

typedef struct bench {
    hd_context *ctx;
    hd_pool *pool;
    ceiling ceiling;
    const char *kernel; /* only those whose names contain it; or NULL */
} bench;

/* One thread: the time that it had a processor, so that what else runs counts little. */
static double now(const bench *b) {
    struct timespec t;
    (void)clock_gettime(b->ctx->threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void operand(hd_operand *o, const hd_dims *dims, const hd_layout *layout) {
    *o = (hd_operand){.dtype = HD_F32, .dims = *dims};
    if (dims->rank == 0) o->dims.rank = -1;
    if (dims->rank == 0) return;
    if (layout) o->layout = *layout;
    o->count = hd_dims_count(dims);
    o->bytes = (size_t)hd_layout_count(&o->layout, dims) * sizeof(float);
}

static void *memory(hd_context *ctx, size_t bytes) {
    float *m = hd_alloc(ctx, bytes + 64);
    for (size_t i = 0; m && i < bytes / sizeof *m; i++) m[i] = 0.01f * (float)(i % 17) - 0.05f;
    return m;
}

/* Least of REPEATS, each long enough for the clock: what else runs on the machine only adds. */
static double seconds_of(const bench *b, const hd_prepared *p, hd_exec *e, double flops) {
    double best = INFINITY;
    const int64_t times = 1 + (int64_t)(2e6 / (flops + 1e4));
    for (int r = 0; r < REPEATS; r++) {
        const double begin = now(b);
        for (int64_t i = 0; i < times; i++)
            for (int f = 0; f < p->phases; f++)
                for (e->round = 0; e->round == 0 || e->round < p->rounds[f]; e->round++)
                    hd_pool_run(b->pool, p->phase[f].run, e, p->phase[f].tasks);
        best = fmin(best, (now(b) - begin) / (double)times);
    }
    return best;
}

static hd_status run_kernel(const bench *b, const bench_case *c, const hd_kernel *kernel) {
    hd_operand in[INPUTS], out[OUTPUTS];
    hd_layout in_l[INPUTS] = {{0}}, out_l[OUTPUTS] = {{0}};
    hd_arena arena = {.ctx = b->ctx};
    hd_kctx k = {.ctx = b->ctx,
                 .arena = &arena,
                 .op = hd_op_find(NULL, c->op),
                 .attr = c->args,
                 .n_in = INPUTS,
                 .n_out = OUTPUTS,
                 .in = in,
                 .out = out,
                 .isa = b->ctx->isa,
                 .threads = b->ctx->threads};
    for (int i = 0; i < INPUTS; i++) operand(&in[i], &c->in[i], NULL);
    for (int o = 0; o < OUTPUTS; o++) operand(&out[o], &c->out[o], NULL);
    k.n_out = c->out[1].rank ? 2 : 1;
    const char *no = kernel->supports ? kernel->supports(&k) : NULL;
    if (no) {
        printf("    %-34s %s\n", kernel->name, no);
        return HD_OK;
    }
    if (kernel->layouts) kernel->layouts(&k, in_l, out_l);
    void *in_m[INPUTS] = {0}, *out_m[OUTPUTS] = {0};
    for (int i = 0; i < INPUTS; i++) {
        operand(&in[i], &c->in[i], &in_l[i]);
        if (c->in[i].rank) in_m[i] = memory(b->ctx, in[i].bytes);
    }
    for (int o = 0; o < k.n_out; o++) {
        operand(&out[o], &c->out[o], &out_l[o]);
        out_m[o] = memory(b->ctx, out[o].bytes);
    }
    hd_prepared p = {0};
    HD_TRY(kernel->prepare(&k, &p));
    char *scratch = hd_alloc(b->ctx, p.scratch + 64);
    char *own = hd_alloc(b->ctx, p.scratch_per_thread * (size_t)b->ctx->threads + 64);
    char *kept = hd_alloc(b->ctx, p.kept + 64);
    hd_exec e = {p.state, in_m, out_m, scratch, own, p.scratch_per_thread, 0, kept};
    const double s = seconds_of(b, &p, &e, c->flops);
    printf("    %-34s %10.2f us %8.1f GFLOP/s %5.1f %%  tasks %lld, scratch %zu + %zu\n", kernel->name, 1e6 * s,
           1e-9 * c->flops / s, 100 * c->flops / s / b->ceiling.f32_flops, (long long)p.phase[p.phases - 1].tasks,
           p.scratch, p.scratch_per_thread);
    if (p.destroy) p.destroy(p.state);
    for (int i = 0; i < INPUTS; i++) hd_free(b->ctx, in_m[i]);
    for (int o = 0; o < OUTPUTS; o++) hd_free(b->ctx, out_m[o]);
    hd_free(b->ctx, scratch);
    hd_free(b->ctx, own);
    hd_free(b->ctx, kept);
    hd_arena_free(&arena);
    return HD_OK;
}

static void run_case(const bench *b, const bench_case *c) {
    char t[INPUTS][192];
    printf("%s", c->op);
    for (int i = 0; i < INPUTS; i++)
        if (c->in[i].rank) printf(" %s", hd_dims_text(t[i], &c->in[i]));
    printf("\n");
    const hd_kernel *const *list = hd_kernels_default();
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i]->op, c->op) == 0 && (!b->kernel || strstr(list[i]->name, b->kernel)) &&
            run_kernel(b, c, list[i]) != HD_OK)
            printf("    %-34s %s\n", list[i]->name, hd_last_error(b->ctx));
}

/* The three products of a linear layer's training step. */
static void run_layer(const bench *b, const char *only, int64_t n, int64_t in, int64_t out) {
    const double flops = 2.0 * (double)n * (double)in * (double)out;
    const hd_linear_args linear = {.act = HD_ACT_RELU};
    const hd_linear_grad_input_args grad_input = {.act = HD_ACT_RELU};
    const hd_linear_grad_weight_args grad_weight = {.end_ = 0};
    const bench_case cases[] = {
        {"linear", {HD_DIMS(n, in), HD_DIMS(out, in), HD_DIMS(out)}, {HD_DIMS(n, out)}, &linear, flops},
        {"linear_grad_weight",
         {HD_DIMS(n, in), HD_DIMS(n, out)},
         {HD_DIMS(out, in), HD_DIMS(out)},
         &grad_weight,
         flops},
        {"linear_grad_input",
         {HD_DIMS(n, out), HD_DIMS(out, in), HD_DIMS(n, in)},
         {HD_DIMS(n, in)},
         &grad_input,
         flops}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!only || strcmp(only, cases[i].op) == 0) run_case(b, &cases[i]);
}

/* The three of a convolution's: images n of c × size × size to k channels, kernel r, stride, "same" padding. */
static void run_conv(const bench *b, const char *only, const int64_t *z) {
    const int64_t n = z[0], c = z[1], size = z[2], k = z[3], r = z[4], stride = z[5], p = r / 2;
    const int64_t out = (size + 2 * p - r) / stride + 1;
    const double flops = 2.0 * (double)(n * k * out * out) * (double)(c * r * r);
    const hd_conv2d_args conv = {
        .stride = {stride, stride}, .padding = {p, p}, .dilation = {1, 1}, .groups = 1, .act = HD_ACT_RELU};
    const hd_conv2d_grad_args grad = {.stride = {stride, stride}, .padding = {p, p}, .dilation = {1, 1}, .groups = 1};
    const hd_dims x = HD_DIMS(n, c, size, size), w = HD_DIMS(k, c, r, r), y = HD_DIMS(n, k, out, out);
    const bench_case cases[] = {{"conv2d", {x, w, HD_DIMS(k)}, {y}, &conv, flops},
                                {"conv2d_grad_params", {x, y, w}, {w, HD_DIMS(k)}, &grad, flops},
                                {"conv2d_grad_input", {y, w, x}, {x}, &grad, flops}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!only || strcmp(only, cases[i].op) == 0) run_case(b, &cases[i]);
}

int main(int argc, char **argv) {
    bench b = {0};
    const hd_context_args args = {.threads = argc > 1 ? atoi(argv[1]) : 0, .isa = argc > 2 ? argv[2] : NULL};
    if (hd_context_new(&b.ctx, &args) != HD_OK) return 1;
    b.pool = b.ctx->pool;
    if (!ceiling_measure(&b.ceiling, b.ctx->threads, 0.1)) return 1;
    printf("%d threads, %s: ceiling %.1f GFLOP/s\n", b.ctx->threads, hd_context_isa(b.ctx), 1e-9 * b.ceiling.f32_flops);
    const char *only = argc > 3 ? argv[3] : NULL;
    b.kernel = argc > 4 ? argv[4] : NULL;
    const hd_fp_state fp = hd_fp_enter();
    static const int64_t layers[][3] = {{1, 1, 16},      {1, 16, 16},     {1, 16, 1},       {64, 784, 64},
                                        {64, 64, 10},    {128, 784, 200}, {128, 784, 1024}, {128, 1024, 1024},
                                        {128, 1024, 10}, {1, 1024, 1024}, {512, 512, 512},  {128, 9216, 128}};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        run_layer(&b, only, layers[i][0], layers[i][1], layers[i][2]);
    static const int64_t convs[][6] = {{128, 1, 28, 32, 3, 1},   {128, 32, 28, 32, 3, 1},  {32, 3, 32, 64, 3, 1},
                                       {16, 128, 28, 128, 3, 1}, {128, 512, 7, 512, 3, 1}, {8, 3, 224, 64, 7, 2},
                                       {16, 64, 56, 64, 3, 1},   {16, 256, 14, 256, 3, 1}, {16, 512, 7, 512, 3, 1},
                                       {16, 256, 28, 128, 1, 1}, {64, 8, 8, 16, 3, 1}};
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) run_conv(&b, only, convs[i]);
    hd_fp_leave(fp);
    hd_context_free(b.ctx);
    return 0;
}
