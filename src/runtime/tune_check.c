/* tune_check.c: owns the last word on a set of choices: the whole program by the rule and by the choices, in turns.
 * Kernels that are fast alone may find less of their operands in the caches than when they were timed. */
#include "runtime/tune.h"

enum { TURNS = 2, LEAST_RUNS = 2, MOST_RUNS = 40 };
static const double TURN_SECONDS = 0.6;

typedef struct inputs {
    hd_context *ctx;
    void **memory;
    int count;
} inputs;

/* Zeros are valid labels and codes, and no denormals. */
static hd_status bind_zeros(hd_program *p, inputs *in) {
    for (int i = 0; i < p->input_count; i++) {
        const hd_type *type = &p->lower.g->values[p->inputs[i].value].type;
        if (p->inputs[i].own) continue;
        void *zeros = hd_alloc_n(p->ctx, (size_t)hd_dims_count(&type->dims) + 1, hd_dtype_size(type->dtype));
        if (!zeros) return HD_E_MEMORY;
        in->memory[in->count++] = zeros;
        hd_program_bind(p, i, zeros);
    }
    return HD_OK;
}

static hd_status time_runs(const hd_tuner *t, hd_program *p, double *least) {
    HD_TRY(hd_program_run(p));
    const double begin = hd_tune_clock(t);
    for (int i = 0; i < MOST_RUNS; i++) {
        const double before = hd_tune_clock(t);
        if (i >= LEAST_RUNS && before - begin > TURN_SECONDS) break;
        if (t->args->stop && t->args->stop(t->args->user)) return hd_fail(t->ctx, HD_E_INTERRUPTED, "tune|interrupted");
        HD_TRY(hd_program_run(p));
        const double seconds = hd_tune_clock(t) - before;
        if (*least == 0 || seconds < *least) *least = seconds;
    }
    return HD_OK;
}

/* One turn: compiled, run, and gone again, so that two programs are never held at a time. */
static hd_status turn(const hd_tuner *t, hd_target target, const hd_compile_args *args, double *least) {
    hd_program *p = NULL;
    inputs in = {.ctx = t->ctx};
    HD_TRY(hd_compile_with(&p, target, args));
    in.memory = hd_alloc_n(t->ctx, (size_t)p->input_count + 1, sizeof *in.memory);
    hd_status status = in.memory ? bind_zeros(p, &in) : HD_E_MEMORY;
    if (status == HD_OK) status = time_runs(t, p, least);
    hd_program_free(p);
    for (int i = 0; i < in.count; i++) hd_free(t->ctx, in.memory[i]);
    hd_free(t->ctx, in.memory);
    return status;
}

hd_status hd_tune_check(const hd_tuner *t, hd_target target, hd_tuning *choices, double *rule, double *chosen) {
    hd_compile_args args = *t->lower->args;
    args.store = NULL;
    *rule = *chosen = 0;
    for (int i = 0; i < 2 * TURNS; i++) {
        args.tuning = i % 2 ? choices : NULL;
        HD_TRY(turn(t, target, &args, i % 2 ? chosen : rule));
    }
    return HD_OK;
}
