/* hadal_perf.c: measures the machine's ceilings, then each workload in the same run: median step, share of the ceiling,
 * peak memory; and holds a run against an older one. Owns the words of the command and the order of the rounds: each
 * round of each workload in a process of its own, workload after workload, then the next round, so that a machine that
 * drifts disturbs all alike. */
#include "base/file.h"
#include "perf.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "hadal-perf [NAME...] [--json] [--out FILE]: measures the rows of bench/workloads.def (those of training, or "
    "NAMEs)\n"
    "  --infer             the forward pass alone, of what is named or of the rows that are for that\n"
    "  --precision bf16    products and convolutions in bf16\n"
    "  --tune              measures kernels first and follows the best, as hadal bench --tune; counts in the peak\n"
    "  --threads N         1 ... 256 (all processors)\n"
    "  --seconds S         longest time that the steps of one workload are timed for in a round (20)\n"
    "  --rounds N          so often, workload after workload, each time in a fresh process (1; comparing: 5)\n"
    "  --cases FILE        workloads from a file instead: {\"cases\": [{\"name\", \"network\", \"sample\", "
    "\"outputs\", "
    "\"batch\"}]}\n"
    "  --explain           every step of a program with its time; --ops: the time of each op and kernel, summed\n"
    "  --compare OLD.json  holds the rows of an earlier --json or --out against a run now, or against --with "
    "NEW.json:\n"
    "                      exit 8 when a row is more than 10 % slower and noise can not explain it\n"
    "  --against PROGRAM   holds this build against the hadal-perf of another, in turns\n";

typedef struct words {
    perf_options o;
    bool json, help;
    int rounds; /* 0: not said */
    const char *compare, *with, *against, *cases, *out;
    const char **names;
    int n;
} words;

static bool take(int argc, char **argv, int *i, const char *flag, const char **value) {
    if (strcmp(argv[*i], flag) != 0) return false;
    *value = *i + 1 < argc ? argv[++*i] : "";
    return true;
}

static bool within(const char *text, double least, double most, double *out) {
    return hd_text_to_f64(text, strlen(text), out) && *out >= least && *out <= most;
}

/* False: not understood, and said so. */
static bool read_words(words *w, int argc, char **argv) {
    const struct {
        const char *name;
        bool *set;
    } flags[] = {{"--json", &w->json}, {"--infer", &w->o.infer}, {"--explain", &w->o.explain},
                 {"--ops", &w->o.ops}, {"--tune", &w->o.tune},   {"--help", &w->help}};
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        double number = 0;
        bool known = false, good = true;
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            if (strcmp(argv[i], flags[k].name) == 0) *flags[k].set = known = true;
        const char *word = argv[i];
        if (known) continue;
        if (take(argc, argv, &i, "--threads", &value)) {
            good = within(value, 1, 256, &number);
            w->o.threads = (int)number;
        } else if (take(argc, argv, &i, "--seconds", &value))
            good = within(value, 0, 1e6, &w->o.seconds);
        else if (take(argc, argv, &i, "--rounds", &value)) {
            good = within(value, 1, PERF_MOST_ROUNDS, &number);
            w->rounds = (int)number;
        } else if (take(argc, argv, &i, "--precision", &w->o.precision))
            good = strcmp(w->o.precision, "f32") == 0 || strcmp(w->o.precision, "bf16") == 0;
        else if (take(argc, argv, &i, "--compare", &w->compare) || take(argc, argv, &i, "--with", &w->with) ||
                 take(argc, argv, &i, "--against", &w->against) || take(argc, argv, &i, "--cases", &w->cases) ||
                 take(argc, argv, &i, "--out", &w->out))
            good = argv[i][0] != '\0' && argv[i] != word;
        else if (word[0] == '-')
            good = false;
        else
            w->names[w->n++] = word;
        if (!good) {
            fprintf(stderr, "hadal-perf: %s: not understood\n%s", word, usage);
            return false;
        }
    }
    if ((w->with && !w->compare) || (w->compare && w->against)) {
        fprintf(stderr, "hadal-perf: --with goes with --compare, --against with neither\n%s", usage);
        return false;
    }
    return true;
}

/* ---- one measurement, in a process of its own: its peak memory is its own, and so is its warm-up ---- */

typedef struct job {
    const perf_workload *w; /* NULL: the ceilings */
    const perf_options *o;
    int threads;
} job;
typedef struct report {
    hd_status status;
    perf_measured m;
    ceiling c;
} report;

static void run_job(const job *j, report *out) {
    if (j->w)
        out->status = perf_measure(j->w, j->o, &out->m);
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

/* ---- the same asked of another build's program ---- */

static bool run_program(char *const *argv, hd_text *out) {
    int ends[2];
    if (pipe(ends) != 0) return false;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        if (dup2(ends[1], STDOUT_FILENO) < 0) _exit(127);
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], argv);
        fprintf(stderr, "hadal-perf: %s can not be started\n", argv[0]);
        _exit(127);
    }
    close(ends[1]);
    char bytes[4096];
    for (ssize_t got; child > 0 && (got = read(ends[0], bytes, sizeof bytes)) > 0;)
        hd_text_add(out, bytes, (size_t)got);
    close(ends[0]);
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
           !out->failed;
}

/* One round of one workload by the other program; its machine and ceilings go into `run`. */
static hd_status ask_other(const words *w, const char *name, hd_arena *arena, perf_run *run, perf_spread *ms) {
    char seconds[32], threads[16];
    char *argv[16] = {(char *)(uintptr_t)w->against, (char *)(uintptr_t)name, "--json", "--seconds", seconds};
    int n = 5;
    (void)snprintf(seconds, sizeof seconds, "%g", w->o.seconds);
    (void)snprintf(threads, sizeof threads, "%d", w->o.threads);
    if (w->o.threads) argv[n++] = "--threads", argv[n++] = threads;
    if (w->o.infer) argv[n++] = "--infer";
    if (w->o.tune) argv[n++] = "--tune";
    if (w->o.precision) argv[n++] = "--precision", argv[n++] = (char *)(uintptr_t)w->o.precision;
    if (w->cases) argv[n++] = "--cases", argv[n++] = (char *)(uintptr_t)w->cases;
    hd_text text = {.ctx = arena->ctx};
    perf_run found = {0};
    hd_status status = HD_OK;
    if (!run_program(argv, &text))
        status = hd_fail(arena->ctx, HD_E_FILE, "%s|it did not measure %s|", w->against, name);
    if (status == HD_OK) status = perf_read(&found, arena, w->against, hd_text_str(&text), text.length);
    if (status == HD_OK && found.n != 1)
        status = hd_fail(arena->ctx, HD_E_DATA, "%s|it has no workload %s|", w->against, name);
    if (status == HD_OK) {
        perf_row *row = run->row;
        const int rows = run->n;
        *ms = found.row[0].last.ms;
        *run = found;
        run->row = row, run->n = rows;
    }
    hd_text_free(&text);
    return status;
}

/* ---- a run: rounds over workloads ---- */

typedef struct chosen {
    const perf_workload **w;
    int n;
} chosen;

static bool named(const char *const *names, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool in_run(const perf_run *old, const char *name) {
    for (int i = 0; old && i < old->n; i++)
        if (strcmp(old->row[i].name, name) == 0) return true;
    return false;
}

/* What is named; else what the old run has; else all of the kind. False: a name that nobody has. */
static bool choose(chosen *out, const words *w, const perf_workload *all, int n, const perf_run *old) {
    for (int k = 0; k < w->n; k++) {
        int i = 0;
        while (i < n && strcmp(all[i].name, w->names[k]) != 0) i++;
        if (i < n) continue;
        fprintf(stderr, "hadal-perf: no workload %s; there are:", w->names[k]);
        for (i = 0; i < n; i++) fprintf(stderr, " %s", all[i].name);
        fputs("\n", stderr);
        return false;
    }
    for (int i = 0; i < n; i++) {
        const bool kind = w->cases || all[i].forward == w->o.infer;
        if (w->n ? named(w->names, w->n, all[i].name) : old ? in_run(old, all[i].name) : kind)
            out->w[out->n++] = &all[i];
    }
    return true;
}

static void tell_head(const words *w, const perf_run *run) {
    printf("%d threads, %s, FMA ceiling %.0f GFLOP/s (bf16 %.0f), memory %.1f GB/s\n%-14s %10s %10s %8s %8s %9s %8s "
           "%8s\n",
           run->threads, run->isa, 1e-9 * run->most.f32_flops, 1e-9 * run->most.bf16_flops,
           1e-9 * run->most.memory_bytes, w->o.infer ? "inference" : "training step", "ms", "GFLOP/s", "ceiling",
           "steps", "reorders", "weights'", "peak MB");
}

static void tell_row(const perf_row *row) {
    const perf_measured *m = &row->last;
    printf("%-14s %10.4f %10.1f %7.0f%% %8d %9d %8d %8.1f", row->name, m->ms.median, row->gflops, 100 * row->share,
           m->steps, m->reorders, m->weight_reorders, (double)m->peak_kb / 1024);
    if (row->rounds > 1) printf("  %d rounds, quartiles %.4f ... %.4f", row->rounds, m->ms.q1, m->ms.q3);
    puts("");
    fflush(stdout);
}

static bool measure_round(const words *w, const perf_workload *one, perf_row *row) {
    report r = {0};
    if (in_child(&(job){.w = one, .o = &w->o}, &r) != HD_OK) return false;
    const long peak = row->last.peak_kb;
    row->round[row->rounds++] = r.m.ms;
    row->last = r.m;
    if (peak > row->last.peak_kb) row->last.peak_kb = peak;
    return true;
}

/* Both builds by turns: which one begins changes from round to round. */
static bool measure_turn(const words *w, const perf_workload *one, int round, hd_arena *arena, perf_row *row,
                         perf_run *other, perf_row *other_row) {
    bool good = true;
    for (int turn = 0; turn < 2 && good; turn++)
        if ((turn + round) % 2 == 0)
            good = measure_round(w, one, row);
        else if (w->against) {
            good = ask_other(w, one->name, arena, other, &other_row->round[other_row->rounds]) == HD_OK;
            other_row->rounds += good;
            if (!good) fprintf(stderr, "hadal-perf: %s\n", hd_last_error(arena->ctx));
        }
    return good;
}

/* Fills the rows; of a workload that fails in any round there is none. Returns how many failed. */
static int measure_all(const words *w, const chosen *c, int rounds, hd_arena *arena, perf_run *run, perf_run *other) {
    const bool early = rounds == 1 && !w->json && !w->compare && !w->against;
    bool *lost = hd_arena_alloc(arena, (size_t)c->n + 1);
    run->row = hd_arena_alloc_n(arena, (size_t)c->n + 1, sizeof *run->row);
    other->row = hd_arena_alloc_n(arena, (size_t)c->n + 1, sizeof *other->row);
    if (!lost || !run->row || !other->row) return c->n;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < c->n; i++) {
            perf_row *row = &run->row[i];
            (void)snprintf(row->name, sizeof row->name, "%s", c->w[i]->name);
            memcpy(other->row[i].name, row->name, sizeof row->name);
            if (!lost[i]) lost[i] = !measure_turn(w, c->w[i], round, arena, row, other, &other->row[i]);
            if (!lost[i] && round + 1 == rounds) perf_row_settle(row, perf_run_flops(run));
            if (!lost[i] && round + 1 == rounds) perf_row_settle(&other->row[i], 0);
            if (early && !lost[i]) tell_row(row);
        }
    int kept = 0;
    for (int i = 0; i < c->n; i++)
        if (!lost[i]) {
            run->row[kept] = run->row[i];
            other->row[kept++] = other->row[i];
        }
    run->n = other->n = kept;
    return c->n - kept;
}

/* ---- the command ---- */

static hd_status tell_run(const words *w, hd_context *ctx, const perf_run *run, bool told) {
    hd_text text = {.ctx = ctx};
    hd_status status = HD_OK;
    perf_write(&text, run);
    if (text.failed) status = HD_E_MEMORY;
    if (status == HD_OK && w->out) status = hd_file_write(ctx, w->out, hd_text_str(&text), text.length);
    if (status == HD_OK && w->json && !w->compare && !w->against) fputs(hd_text_str(&text), stdout);
    if (status == HD_OK && !w->json && !told)
        for (int i = 0; i < run->n; i++) tell_row(&run->row[i]);
    hd_text_free(&text);
    return status;
}

static hd_status tell_compared(const words *w, hd_context *ctx, const perf_run *old, const perf_run *new) {
    hd_text text = {.ctx = ctx};
    const hd_status status = perf_compare(&text, old, new, w->json);
    fputs(hd_text_str(&text), stdout);
    const bool failed = text.failed;
    hd_text_free(&text);
    return failed ? HD_E_MEMORY : status;
}

/* Only the rows of the old run that are to be measured: names may choose among them. */
static void keep_named(const words *w, perf_run *old) {
    int kept = 0;
    for (int i = 0; i < old->n; i++)
        if (w->n == 0 || named(w->names, w->n, old->row[i].name)) old->row[kept++] = old->row[i];
    old->n = kept;
}

static hd_status measure_and_tell(const words *w, hd_arena *arena, const chosen *c, perf_run *old) {
    perf_run run, other = {0};
    report r = {0};
    hd_context *ctx = arena->ctx;
    const int rounds = w->rounds ? w->rounds : w->compare || w->against ? 5 : 1;
    perf_run_describe(&run, ctx, &w->o);
    if (in_child(&(job){.threads = run.threads}, &r) != HD_OK)
        fprintf(stderr, "hadal-perf: the ceilings could not be measured\n");
    run.most = r.c;
    const bool comparing = w->compare || w->against;
    if (!w->json && !comparing) tell_head(w, &run);
    const int failed = measure_all(w, c, rounds, arena, &run, &other);
    hd_status status = tell_run(w, ctx, &run, comparing || rounds == 1);
    if (status == HD_OK && comparing) status = tell_compared(w, ctx, w->compare ? old : &other, &run);
    return status != HD_OK ? status : failed ? HD_E_CHECK : HD_OK;
}

static hd_status run_words(const words *w, hd_arena *arena, const perf_workload *own, int n) {
    perf_run old, new;
    perf_workload *cases = NULL;
    chosen c = {0};
    if (w->compare) HD_TRY(perf_read_file(&old, arena, w->compare));
    if (w->compare) keep_named(w, &old);
    if (w->with) {
        HD_TRY(perf_read_file(&new, arena, w->with));
        keep_named(w, &new);
        return tell_compared(w, arena->ctx, &old, &new);
    }
    if (w->cases) HD_TRY(perf_cases_read(&cases, &n, arena, w->cases));
    c.w = hd_arena_alloc_n(arena, (size_t)n + 1, sizeof *c.w);
    if (!c.w) return HD_E_MEMORY;
    if (!choose(&c, w, cases ? cases : own, n, w->compare ? &old : NULL)) return HD_E_USAGE;
    return measure_and_tell(w, arena, &c, &old);
}

int main(int argc, char **argv) {
    const perf_workload workloads[] = {
#define HD_WORKLOAD(name, network, sample, outputs, batch, loss, ...)                                                  \
    {#name, network, sample, outputs, batch, loss, __VA_ARGS__, false},
#define HD_FORWARD(name, network, sample, outputs, batch)                                                              \
    {#name, network, sample, outputs, batch, .loss = "cross_entropy", .forward = true},
#include "workloads.def"
    };
    words w = {.o = {.seconds = 20}, .names = calloc((size_t)argc + 1, sizeof *w.names)};
    hd_context *ctx;
    if (!w.names) return HD_E_MEMORY;
    hd_status status = read_words(&w, argc, argv) ? HD_OK : HD_E_USAGE;
    if (status == HD_OK && w.help) fputs(usage, stdout);
    if (status == HD_OK && !w.help) {
        status = hd_context_new(&ctx, &(hd_context_args){.threads = w.o.threads});
        if (status == HD_OK) {
            hd_arena arena = {.ctx = ctx};
            status = run_words(&w, &arena, workloads, (int)(sizeof workloads / sizeof *workloads));
            if (status != HD_OK && status != HD_E_CHECK && status != HD_E_USAGE)
                fprintf(stderr, "hadal-perf: %s\n", hd_last_error(ctx));
            hd_arena_free(&arena);
            hd_context_free(ctx);
        }
    }
    free(w.names);
    return (int)status;
}
