/* perf_measure.c: owns how the program of one workload is timed, in this process, and what is told of it. */
#include "perf.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Between neighbours, as most programs of statistics do it. */
static double quantile(const double *sorted, int n, double p) {
    const double at = p * (n - 1);
    const int below = (int)at;
    return below + 1 < n ? sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]) : sorted[n - 1];
}

perf_spread perf_spread_of(double *values, int n) {
    if (n < 1) return (perf_spread){0};
    qsort(values, (size_t)n, sizeof *values, by_value);
    return (perf_spread){quantile(values, n, 0.5), quantile(values, n, 0.25), quantile(values, n, 0.75)};
}

static int64_t count_params(hd_store *store) {
    int64_t n = 0;
    for (int i = 0; i < hd_store_count(store); i++) {
        const hd_store_info info = hd_store_at(store, i);
        if (info.trained) n += hd_dims_count(&info.dims);
    }
    return n;
}

/* Groups of steps, each long enough for the clock; fewer of steps that take seconds. */
static hd_status time_steps(hd_program *p, double longest, perf_spread *seconds) {
    enum { GROUPS = 41, FEWEST = 3 };
    double t[GROUPS];
    int groups = 0;
    hd_status status = HD_OK;
    const double start = now();
    for (int i = 0; i < 3 && status == HD_OK && (i == 0 || now() - start < 2); i++) status = hd_program_run(p);
    const double t0 = now();
    int runs = 0;
    while (status == HD_OK && (runs < 1 || (now() - t0 < 0.05 && now() - t0 < longest))) {
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
    *seconds = perf_spread_of(t, groups);
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

static hd_status tell_steps(hd_context *ctx, hd_program *p, const perf_workload *w, const perf_options *o,
                            double seconds) {
    char *text = NULL;
    if (!o->explain && !o->ops) return HD_OK;
    hd_status status = hd_program_profile(p, seconds > 0.2 ? 3 : 31);
    if (status == HD_OK) status = hd_program_explain(p, &text);
    if (status != HD_OK) return status;
    if (o->explain) fputs(text, stderr);
    if (o->ops) print_ops(w->name, text);
    hd_memory_free(ctx, text);
    return HD_OK;
}

static void take_facts(perf_measured *out, hd_program *p, perf_spread seconds) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const hd_program_facts facts = hd_program_get_facts(p);
    *out = (perf_measured){.ms = {1e3 * seconds.median, 1e3 * seconds.q1, 1e3 * seconds.q3},
                           .flops = facts.flops,
                           .peak_kb = usage.ru_maxrss,
                           .params = count_params(hd_program_store(p)),
                           .plan_bytes = hd_program_memory(p).total,
                           .steps = facts.steps,
                           .reorders = facts.reorders,
                           .weight_reorders = facts.weight_reorders};
}

hd_status perf_measure(const perf_workload *w, const perf_options *o, perf_measured *out) {
    perf_program built;
    perf_spread seconds = {0};
    hd_status status = perf_program_new(&built, w, o);
    if (status == HD_OK) status = time_steps(built.program, o->seconds, &seconds);
    if (status == HD_OK) take_facts(out, built.program, seconds);
    if (status == HD_OK) status = tell_steps(built.ctx, built.program, w, o, seconds.median);
    if (status != HD_OK)
        fprintf(stderr, "hadal-perf: %s: %s\n", w->name, built.ctx ? hd_last_error(built.ctx) : "no memory");
    perf_program_free(&built);
    return status;
}
