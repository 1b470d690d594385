/* perf_build.c: owns how a workload becomes a program with its inputs bound, ready to run. */
#include "perf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hd_val network(hd_val x, const perf_workload *w) {
    char name[64];
    if (hd_line_read(w->network, NULL)) return hd_line_build(x, w->network);
    if (w->network[0] == '[') return hd_nn_layers(x, w->network);
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(w->network, " "), w->network);
    const char *given = strchr(w->network, ' '); /* options, as JSON */
    return hd_zoo_build(x, name, w->outputs, given ? given + 1 : "{}");
}

static hd_val build(hd_graph *g, const perf_workload *w, hd_val *loss) {
    hd_dims in = {.rank = w->sample.rank + 1, .dim = {HD_BATCH}};
    for (int i = 0; i < w->sample.rank; i++) in.dim[i + 1] = w->sample.dim[i];
    hd_val y = network(hd_input(g, "x", HD_F32, in), w);
    hd_dims labels = HD_DIMS(HD_BATCH);
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

/* Reproducible (Knuth's MMIX), the same on every machine. What the numbers are does not matter to the time: none is a
 * zero or a denormal often enough. */
static int64_t draw(uint64_t *state, int64_t below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((*state >> 33) % (uint64_t)below);
}

static hd_status bind_inputs(perf_program *b, const perf_workload *w, bool positions) {
    const int64_t n = hd_dims_count(&w->sample) * w->batch, labels = positions ? n : w->batch;
    const int64_t targets = w->batch * w->outputs;
    uint64_t state = 1;
    b->x = calloc((size_t)n + 1, sizeof *b->x);
    b->target = calloc((size_t)targets + 1, sizeof *b->target);
    b->label = calloc((size_t)labels + 1, sizeof *b->label);
    if (!b->x || !b->target || !b->label) return HD_E_MEMORY;
    for (int64_t i = 0; i < n; i++)
        b->x[i] = positions ? (float)draw(&state, w->outputs) : (float)(draw(&state, 2001) - 1000) / 1000;
    for (int64_t i = 0; i < labels; i++) b->label[i] = draw(&state, w->outputs);
    for (int64_t i = 0; i < targets; i++) b->target[i] = (float)(draw(&state, 2001) - 1000) / 1000;
    hd_program_bind(b->program, hd_program_input(b->program, "x"), b->x);
    hd_program_bind(b->program, hd_program_input(b->program, "label"), b->label);
    hd_program_bind(b->program, hd_program_input(b->program, "target"), b->target);
    return HD_OK;
}

hd_status perf_program_new(perf_program *out, const perf_workload *w, const perf_options *o) {
    *out = (perf_program){0};
    HD_TRY(hd_context_new(&out->ctx, &(hd_context_args){.threads = o->threads, .isa = o->isa}));
    HD_TRY(hd_graph_new(&out->graph, out->ctx));
    hd_val loss;
    const hd_val y = build(out->graph, w, &loss);
    const hd_target target = o->infer || w->forward ? hd_forward(y) : hd_train_step(loss, w->optimizer);
    if (o->tune) HD_TRY(hd_tuning_new(&out->tuning, out->ctx));
    const hd_compile_args args = {.batch = w->batch, .precision = o->precision, .tuning = out->tuning};
    if (o->tune) HD_TRY(hd_tune(target, &args, NULL, NULL));
    HD_TRY(hd_compile_with(&out->program, target, &args));
    return bind_inputs(out, w, hd_val_dims(y).rank == 3);
}

void perf_program_free(perf_program *p) {
    hd_program_free(p->program);
    hd_tuning_free(p->tuning);
    hd_graph_free(p->graph);
    if (p->ctx) hd_context_free(p->ctx);
    free(p->x);
    free(p->target);
    free(p->label);
}
