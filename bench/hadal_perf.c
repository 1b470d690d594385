/* hadal_perf.c: measures the machine's ceilings, then each workload in the same run: median step, share of the ceiling,
 * peak memory. build/hadal-perf [NAME…] [--json] [--infer] [--threads N] [--precision bf16] [--seconds S] [--explain]
 * [--ops]. --infer measures the forward pass alone, of what is named or of the rows that are for that; --seconds is the
 * longest time that the steps of one workload are timed for; --explain prints every step with its time, --ops the time
 * of each op and kernel summed over the steps. */
#include "ceiling.h"
#include "hadal/hadal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct workload {
    const char *name, *network;
    hd_dims sample;
    int64_t outputs, batch;
    const char *loss;
    hd_optimizer optimizer;
    bool forward; /* never trained here */
} workload;

typedef struct measured {
    double ms, gflops, share;
    long peak_kb;
    int64_t params;
    hd_program_facts facts;
    hd_memory memory;
} measured;

typedef struct options {
    bool json, infer, explain, ops;
    int threads;
    double seconds;        /* longest time of measuring a workload */
    const char *precision; /* NULL: f32 */
} options;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static hd_val build(hd_graph *g, const workload *w, hd_val *loss) {
    hd_dims in = {.rank = w->sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < w->sample.rank; i++) in.dim[i + 1] = w->sample.dim[i];
    hd_val x = hd_input(g, "x", HD_F32, in);
    hd_dims labels = HD_DIMS(HD_BATCH);
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(w->network, " "), w->network);
    const char *given = strchr(w->network, ' '); /* of the network, as JSON */
    hd_val y = hd_line_read(w->network, NULL) ? hd_line_build(x, w->network)
                                              : hd_zoo_build(x, name, w->outputs, given ? given + 1 : "{}");
    if (strcmp(w->loss, "mse") == 0)
        *loss = hd_mse(y, hd_input(g, "target", HD_F32, HD_DIMS(HD_BATCH, w->outputs)));
    else {
        const bool positions = hd_val_dims(y).rank == 3; /* an answer for each */
        if (positions) labels.dim[labels.rank++] = w->sample.dim[0];
        hd_val label = hd_input(g, "label", HD_I64, labels), rows = y;
        if (positions) label = hd_reshape(label, .dims = HD_DIMS(-1));
        if (positions) rows = hd_reshape(y, .dims = HD_DIMS(-1, w->outputs));
        *loss = hd_cross_entropy(rows, label);
    }
    return y;
}

static int64_t count_params(hd_store *store) {
    int64_t n = 0;
    for (int i = 0; i < hd_store_count(store); i++) {
        const hd_store_info info = hd_store_at(store, i);
        if (info.trained) n += hd_dims_count(&info.dims);
    }
    return n;
}

/* Median over groups of steps, each long enough for the clock; fewer of steps that take seconds. */
static hd_status time_steps(hd_program *p, double longest, double *seconds) {
    enum { GROUPS = 41, FEWEST = 3 };
    double t[GROUPS];
    int groups = 0;
    hd_status status = HD_OK;
    const double start = now();
    for (int i = 0; i < 3 && status == HD_OK && (i == 0 || now() - start < 2); i++) status = hd_program_run(p);
    const double t0 = now();
    int runs = 0;
    while (status == HD_OK && (runs < 1 || now() - t0 < 0.05)) {
        status = hd_program_run(p);
        runs++;
    }
    const double one = (now() - t0) / runs;
    const int each = one < 1e-3 ? (int)(2e-3 / one) + 1 : 1;
    for (int g = 0; g < GROUPS && status == HD_OK && (g < FEWEST || now() - t0 < longest); g++) {
        const double before = now();
        for (int i = 0; i < each && status == HD_OK; i++) status = hd_program_run(p);
        t[groups++] = (now() - before) / each;
    }
    qsort(t, (size_t)groups, sizeof *t, by_value);
    *seconds = groups > 0 ? t[groups / 2] : 0;
    return status;
}

/* One op run by one kernel, summed over the steps of a program. */
typedef struct op_time {
    char op[48], kernel[48];
    int steps;
    double us;
} op_time;

static int by_time(const void *a, const void *b) {
    const double x = ((const op_time *)a)->us, y = ((const op_time *)b)->us;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* From the lines of hd_program_explain: number, op, kernel, "tasks" and how many, time. */
static void print_ops(const char *name, char *text) {
    enum { MOST = 256 };
    static op_time all[MOST];
    int n = 0;
    double whole = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        op_time t = {.steps = 1};
        int step, tasks, k = 0;
        if (sscanf(line, "%d %47s %47s tasks %d %lf us", &step, t.op, t.kernel, &tasks, &t.us) != 5) continue;
        while (k < n && (strcmp(all[k].op, t.op) != 0 || strcmp(all[k].kernel, t.kernel) != 0)) k++;
        if (k == MOST) continue;
        if (k == n) all[n++] = (op_time){.steps = 0};
        memcpy(all[k].op, t.op, sizeof t.op);
        memcpy(all[k].kernel, t.kernel, sizeof t.kernel);
        all[k].steps++;
        all[k].us += t.us;
        whole += t.us;
    }
    qsort(all, (size_t)n, sizeof *all, by_time);
    fprintf(stderr, "%s\n", name);
    for (int i = 0; i < n; i++)
        fprintf(stderr, "  %-24s %-28s %4d phase%s %10.1f us %5.1f %%\n", all[i].op, all[i].kernel, all[i].steps,
                all[i].steps == 1 ? " " : "s", all[i].us, whole > 0 ? 100 * all[i].us / whole : 0);
}

static hd_status measure(const workload *w, const options *o, double most, measured *out) {
    hd_context *ctx;
    hd_graph *g = NULL;
    hd_program *p = NULL;
    hd_status status = hd_context_new(&ctx, &(hd_context_args){.threads = o->threads});
    if (status != HD_OK) return status;
    hd_val loss, y = {0};
    status = hd_graph_new(&g, ctx);
    if (status == HD_OK) {
        y = build(g, w, &loss);
        const hd_target target = o->infer || w->forward ? hd_forward(y) : hd_train_step(loss, w->optimizer);
        status = hd_compile_with(&p, target, &(hd_compile_args){.batch = w->batch, .precision = o->precision});
    }
    const int64_t n = hd_dims_count(&w->sample) * w->batch;
    float *x = malloc((size_t)n * sizeof *x), *target = malloc((size_t)(w->batch * w->outputs) * sizeof *target);
    const bool positions = y.graph && hd_val_dims(y).rank == 3; /* x are tokens then */
    const int64_t labels = positions ? n : w->batch;
    int64_t *label = malloc((size_t)labels * sizeof *label);
    for (int64_t i = 0; i < n; i++)
        x[i] = positions ? (float)(rand() % w->outputs) : (float)(rand() % 2001 - 1000) / 1000;
    for (int64_t i = 0; i < labels; i++) label[i] = rand() % w->outputs;
    for (int64_t i = 0; i < w->batch * w->outputs; i++) target[i] = (float)(rand() % 2001 - 1000) / 1000;
    double seconds = 0;
    if (status == HD_OK) {
        hd_program_bind(p, hd_program_input(p, "x"), x);
        hd_program_bind(p, hd_program_input(p, "label"), label);
        hd_program_bind(p, hd_program_input(p, "target"), target);
        status = time_steps(p, o->seconds, &seconds);
    }
    if (status == HD_OK) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        out->facts = hd_program_get_facts(p);
        out->memory = hd_program_memory(p);
        out->ms = 1e3 * seconds;
        out->gflops = 1e-9 * out->facts.flops / seconds;
        out->share = out->gflops / most;
        out->peak_kb = usage.ru_maxrss;
        out->params = count_params(hd_program_store(p));
        char *text = NULL;
        if ((o->explain || o->ops) && (status = hd_program_profile(p, seconds > 0.2 ? 3 : 31)) == HD_OK &&
            (status = hd_program_explain(p, &text)) == HD_OK) {
            if (o->explain) fputs(text, stderr);
            if (o->ops) print_ops(w->name, text);
            hd_memory_free(ctx, text);
        }
    }
    if (status != HD_OK) fprintf(stderr, "hadal-perf: %s: %s\n", w->name, hd_last_error(ctx));
    free(x);
    free(target);
    free(label);
    hd_program_free(p);
    hd_graph_free(g);
    hd_context_free(ctx);
    return status;
}

/* What runs in a child: its peak memory is its own, and so is its warm-up. */
typedef struct job {
    const workload *w; /* NULL: the ceilings */
    const options *o;
    int threads;
    double most;
} job;
typedef struct report {
    hd_status status;
    measured m;
    ceiling c;
} report;

static void run_job(const job *j, report *out) {
    if (j->w)
        out->status = measure(j->w, j->o, j->most, &out->m);
    else
        out->status = ceiling_measure(&out->c, j->threads, 0.1) ? HD_OK : HD_E_MEMORY;
}

static hd_status in_child(const job *j, report *out) {
    int ends[2];
    if (pipe(ends) != 0) return HD_E_FILE;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        report r = {0};
        run_job(j, &r);
        _exit(write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? 0 : 1);
    }
    close(ends[1]);
    const bool whole = child > 0 && read(ends[0], out, sizeof *out) == (ssize_t)sizeof *out;
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    return whole ? out->status : HD_E_FILE;
}

static bool wanted(const workload *w, bool infer, char **names, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], w->name) == 0) return true;
    return n == 0 && w->forward == infer;
}

int main(int argc, char **argv) {
    const workload workloads[] = {
#define HD_WORKLOAD(name, network, sample, outputs, batch, loss, ...)                                                  \
    {#name, network, sample, outputs, batch, loss, __VA_ARGS__, false},
#define HD_FORWARD(name, network, sample, outputs, batch)                                                              \
    {#name, network, sample, outputs, batch, .loss = "cross_entropy", .forward = true},
#include "workloads.def"
    };
    options o = {.seconds = 20};
    int n = 0;
    char **names = calloc((size_t)argc + 1, sizeof *names);
    for (int i = 1; i < argc && names; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o.json = true;
        else if (strcmp(argv[i], "--infer") == 0)
            o.infer = true;
        else if (strcmp(argv[i], "--explain") == 0)
            o.explain = true;
        else if (strcmp(argv[i], "--ops") == 0)
            o.ops = true;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            o.threads = atoi(argv[++i]);
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            o.seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc)
            o.precision = argv[++i];
        else
            names[n++] = argv[i];
    }
    hd_context *ctx;
    if (!names || hd_context_new(&ctx, &(hd_context_args){.threads = o.threads}) != HD_OK) return HD_E_MEMORY;
    const int threads = hd_context_threads(ctx);
    report r = {0};
    if (in_child(&(job){.threads = threads}, &r) != HD_OK)
        fprintf(stderr, "hadal-perf: the ceilings could not be measured\n");
    const ceiling c = r.c;
    if (o.json)
        printf("{\"threads\": %d, \"isa\": \"%s\", \"ceiling_gflops\": %.1f, \"ceiling_bf16_gflops\": %.1f, "
               "\"memory_gb_s\": %.1f, \"workloads\": [",
               threads, hd_context_isa(ctx), 1e-9 * c.f32_flops, 1e-9 * c.bf16_flops, 1e-9 * c.memory_bytes);
    else
        printf(
            "%d threads, %s, FMA ceiling %.0f GFLOP/s (bf16 %.0f), memory %.1f GB/s\n%-14s %10s %10s %8s %8s %9s %8s\n",
            threads, hd_context_isa(ctx), 1e-9 * c.f32_flops, 1e-9 * c.bf16_flops, 1e-9 * c.memory_bytes,
            o.infer ? "inference" : "training step", "ms", "GFLOP/s", "ceiling", "steps", "reorders", "peak MB");
    hd_context_free(ctx);
    const bool bf16 = o.precision && strcmp(o.precision, "bf16") == 0 && c.bf16_flops > 0;
    const double most = 1e-9 * (bf16 ? c.bf16_flops : c.f32_flops);
    int failed = 0;
    for (size_t i = 0, printed = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (!wanted(&workloads[i], o.infer, names, n)) continue;
        if (in_child(&(job){.w = &workloads[i], .o = &o, .most = most}, &r) != HD_OK) {
            failed++;
            continue;
        }
        const measured m = r.m;
        if (o.json)
            printf("%s{\"name\": \"%s\", \"ms\": %.6f, \"gflops\": %.2f, \"ceiling_share\": %.4f, \"peak_bytes\": %ld, "
                   "\"plan_bytes\": %zu, \"steps\": %d, \"reorders\": %d, \"params\": %" PRId64 "}",
                   printed++ ? ", " : "", workloads[i].name, m.ms, m.gflops, m.share, m.peak_kb * 1024, m.memory.total,
                   m.facts.steps, m.facts.reorders, m.params);
        else
            printf("%-14s %10.4f %10.1f %7.0f%% %8d %9d %8.1f\n", workloads[i].name, m.ms, m.gflops, 100 * m.share,
                   m.facts.steps, m.facts.reorders, (double)m.peak_kb / 1024);
        fflush(stdout);
    }
    if (o.json) puts("]}");
    free(names);
    return failed ? HD_E_CHECK : HD_OK;
}
