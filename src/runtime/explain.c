/* explain.c: who runs each step, on what, how long, and who refused and why. */
#include "base/pool.h"
#include "base/text.h"
#include "runtime/program.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double hd_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int hd_by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

hd_status hd_program_profile(hd_program *p, int n) {
    if (n < 1) return hd_fail(p->ctx, HD_E_USAGE, "profile|expected at least one run, got %d", n);
    HD_TRY(hd_program_run(p));
    const size_t steps = (size_t)p->step_count;
    double *times = hd_alloc_n(p->ctx, steps * (size_t)n + 1, sizeof *times);
    hd_free(p->ctx, p->step_seconds);
    p->step_seconds = hd_alloc_n(p->ctx, steps + 1, sizeof *p->step_seconds);
    if (!times || !p->step_seconds) {
        hd_free(p->ctx, times);
        return HD_E_MEMORY;
    }
    for (int r = 0; r < n; r++) {
        hd_program_count(p);
        const hd_fp_state fp = hd_fp_enter();
        double before = hd_seconds();
        for (size_t i = 0; i < steps; i++) {
            hd_program_step(p, &p->steps[i]); /* those of weights alone too: their results are the same again */
            const double now = hd_seconds();
            times[i * (size_t)n + (size_t)r] = now - before;
            before = now;
        }
        hd_fp_leave(fp);
    }
    for (size_t i = 0; i < steps; i++) {
        qsort(times + i * (size_t)n, (size_t)n, sizeof *times, hd_by_value);
        p->step_seconds[i] = times[i * (size_t)n + (size_t)n / 2];
    }
    hd_free(p->ctx, times);
    return HD_OK;
}

static void hd_explain_operand(const hd_program *p, int32_t value, hd_text *out) {
    char dims[192], layout[64];
    if (value < 0) {
        hd_text_puts(out, " -");
        return;
    }
    const hd_value *v = &p->lower.g->values[value];
    hd_text_printf(out, " %s", hd_dims_text(dims, &v->type.dims));
    if (!hd_layout_is_plain(&p->lower.v[value].layout))
        hd_text_printf(out, "%s", hd_layout_text(layout, &p->lower.v[value].layout, v->type.dims.rank));
}

static void hd_explain_step(const hd_program *p, int32_t i, hd_text *out) {
    const hd_step *s = &p->steps[i];
    const hd_node *n = &p->lower.g->nodes[s->node];
    const hd_lnode *ln = n->lower;
    hd_text_printf(out, "%3d  %-22s %-26s %s %-3lld", i, n->op->name, ln->kernel->name,
                   i < p->once_count ? "once" : "tasks", (long long)s->tasks);
    if (ln->tuned) hd_text_printf(out, " tuned, way %d", ln->variant);
    if (p->step_seconds) {
        const double flops = i && p->steps[i - 1].node == s->node ? 0 : hd_node_cost(&p->lower, s->node).flops;
        hd_text_printf(out, " %9.2f us", 1e6 * p->step_seconds[i]);
        hd_text_printf(out, " %7.1f GFLOP/s", p->step_seconds[i] > 0 ? 1e-9 * flops / p->step_seconds[i] : 0.0);
    }
    for (int k = 0; k < n->n_in && k < 8; k++) hd_explain_operand(p, n->in[k], out);
    hd_text_puts(out, " →");
    for (int k = 0; k < n->n_out; k++) hd_explain_operand(p, n->out + k, out);
    if (ln->refused && *ln->refused) hd_text_printf(out, "\n     refused: %s", ln->refused);
    hd_text_puts(out, "\n");
}

hd_status hd_program_explain(const hd_program *p, char **text) {
    hd_text out = {.ctx = p->ctx};
    for (int32_t i = 0; i < p->step_count; i++) hd_explain_step(p, i, &out);
    if (out.failed) {
        hd_text_free(&out);
        return hd_fail_memory(p->ctx, out.length);
    }
    *text = out.data;
    return HD_OK;
}

const char *hd_op_kernel(const char *op, int i) {
    for (const hd_kernel *const *k = hd_kernels_default(); *k; k++)
        if (strcmp((*k)->op, op) == 0 && i-- == 0) return (*k)->name;
    return NULL;
}
