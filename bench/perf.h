/* perf.h: what the parts of hadal-perf tell each other: a workload, what was measured of it round by round, a whole run
 * with the machine it ran on. */
#ifndef HD_BENCH_PERF_H
#define HD_BENCH_PERF_H
#include "base/json.h"
#include "base/status.h"
#include "ceiling.h"
#include "hadal/hadal.h"

enum { PERF_NAME = 64, PERF_MOST_ROUNDS = 64 };

/* A network with the shapes and settings of one step. */
typedef struct perf_workload {
    const char *name;
    const char *network; /* one line, layers as a JSON list, or a name of the zoo and perhaps its options as JSON */
    hd_dims sample;
    int64_t outputs, batch;
    const char *loss;
    hd_optimizer optimizer;
    bool forward; /* never trained here */
} perf_workload;

typedef struct perf_options {
    bool infer, explain, ops;
    int threads;
    double seconds;        /* longest time of measuring a workload in one round */
    const char *precision; /* NULL: f32 */
    const char *isa;       /* NULL: what the machine has */
    bool tune;             /* measure kernels first, and follow the best (hd_tune) */
} perf_options;

/* The program of a workload with random inputs bound, ready to run. */
typedef struct perf_program {
    hd_context *ctx; /* NULL when even that could not be made */
    hd_graph *graph;
    hd_program *program;
    hd_tuning *tuning; /* NULL: the fixed rule chooses kernels */
    float *x, *target;
    int64_t *label;
} perf_program;
hd_status perf_program_new(perf_program *out, const perf_workload *w, const perf_options *o); /* free it in any case */
void perf_program_free(perf_program *p);

/* Median and quartiles. In seconds where they are made, in ms where they are told. */
typedef struct perf_spread {
    double median, q1, q3;
} perf_spread;
perf_spread perf_spread_of(double *values, int n); /* sorts them */

/* What one round brings. */
typedef struct perf_measured {
    perf_spread ms; /* of groups of steps */
    double flops;   /* of a step */
    long peak_kb;
    int64_t params;
    size_t plan_bytes;
    int steps, reorders, weight_reorders;
} perf_measured;

/* Times a workload in this process. Says on standard error what is wrong. */
hd_status perf_measure(const perf_workload *w, const perf_options *o, perf_measured *out);

/* A row of a run: the rounds of one workload. */
typedef struct perf_row {
    char name[PERF_NAME];
    int rounds;
    perf_spread round[PERF_MOST_ROUNDS]; /* ms */
    perf_measured last;                  /* ms: of all rounds; peak_kb: the highest */
    double gflops, share;
} perf_row;
/* The row's own numbers out of its rounds. `most`: FLOP a second that are possible, 0 when not known. */
void perf_row_settle(perf_row *row, double most);

typedef struct perf_run {
    char date[32], machine[128], hadal[32], onednn[32], compiler[64], isa[16], precision[16];
    bool infer;
    int processors, threads;
    double seconds;
    ceiling most;
    perf_row *row;
    int n;
} perf_run;
void perf_run_describe(perf_run *run, const hd_context *ctx, const perf_options *o); /* all but what is measured */
double perf_run_flops(const perf_run *run); /* the ceiling that counts for its precision */

/* A run as one JSON object, and such a file read back. Reading errors: HD_E_FILE, HD_E_DATA, HD_E_MEMORY; rows are of
 * the arena. */
void perf_write(hd_text *out, const perf_run *run);
HD_CHECKED hd_status perf_read(perf_run *out, hd_arena *arena, const char *where, const char *text, size_t length);
HD_CHECKED hd_status perf_read_file(perf_run *out, hd_arena *arena, const char *path);

/* Cases of one's own from a file: {"cases": [{"name", "network", "sample", "outputs", "batch"}]}; `network` may be a
 * list of layers, "loss" is cross_entropy, "forward" false where not said. Training is SGD with momentum. */
HD_CHECKED hd_status perf_cases_read(perf_workload **out, int *n, hd_arena *arena, const char *path);

/* Old against new, row by row; HD_OK, HD_E_CHECK when a row is slower or gone, HD_E_DATA when the runs are not of one
 * kind. `json`: one object instead of the table. */
hd_status perf_compare(hd_text *out, const perf_run *old, const perf_run *new, bool json);
#endif
