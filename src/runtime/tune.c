/* tune.c: owns hd_tune: which operations of a program there is a choice for, and which ways to do each; what was chosen
 * goes into the table. Measuring is tune_time.c's, choosing tune_choose.c's. */
#include "runtime/tune.h"
#include "compile/store.h"
#include <string.h>
#include <time.h>

double hd_tune_clock(const hd_tuner *t) {
    struct timespec now;
    if (t->args->clock) return t->args->clock(t->args->user);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- distinct operations ---- */

static int find_shape(const hd_tuner *t, const char *key) {
    for (int i = 0; i < t->shapes; i++)
        if (strcmp(t->shape[i].key, key) == 0) return i;
    return -1;
}

static hd_status note_node(hd_tuner *t, int32_t node) {
    const hd_node *n = &t->lower->g->nodes[node];
    char key[HD_TUNED_TEXT];
    hd_operand operands[HD_TUNE_OPERANDS];
    hd_kctx k;
    t->of_node[node] = -1;
    if (!hd_tuning_concerns(n->op->name) || n->n_in + n->n_out > HD_TUNE_OPERANDS) return HD_OK;
    hd_kctx_of(t->lower, node, operands, &k);
    HD_TRY(hd_tuning_key(&k, key));
    if (!*key) return HD_OK;
    int i = find_shape(t, key);
    if (i < 0) {
        hd_shape *s = &t->shape[i = t->shapes++];
        memcpy(s->key, key, sizeof key);
        memcpy(s->operands, operands, sizeof operands);
        s->k = k;
        s->k.in = s->operands;
        s->k.out = s->operands + n->n_in;
        s->k.arena = &t->arena;
        s->rule = -1;
    }
    t->shape[i].nodes++;
    t->of_node[node] = i;
    return HD_OK;
}

static hd_status find_shapes(hd_tuner *t) {
    const size_t n = t->lower->g->node_count;
    int count = 0;
    for (size_t i = 0; i < n; i++) count += hd_tuning_concerns(t->lower->g->nodes[i].op->name);
    t->of_node = hd_arena_alloc_n(&t->arena, n + 1, sizeof *t->of_node);
    t->shape = hd_arena_alloc_n(&t->arena, (size_t)count + 1, sizeof *t->shape);
    if (!t->of_node || !t->shape) return HD_E_MEMORY;
    for (size_t i = 0; i < n; i++) HD_TRY(note_node(t, (int32_t)i));
    return HD_OK;
}

/* ---- ways ---- */

/* Operands as this way wants them. */
static void describe_way(const hd_shape *s, hd_way *w) {
    const int n = s->k.n_in + s->k.n_out;
    hd_kctx k = s->k;
    k.variant = w->node.variant;
    if (w->node.kernel->layouts) w->node.kernel->layouts(&k, w->wants, w->wants + k.n_in);
    for (int i = 0; i < n; i++) {
        hd_operand *o = &w->operands[i];
        *o = s->operands[i];
        if (o->dims.rank < 0) continue;
        o->layout = w->wants[i];
        o->bytes = (size_t)hd_layout_count(&o->layout, &o->dims) * hd_dtype_size(o->dtype);
    }
    w->node.wants = w->wants;
}

/* Kernels that share their code are asked once. */
static bool told_before(const hd_kernel *const *list, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (list[k]->prepare == list[i]->prepare && strcmp(list[k]->op, list[i]->op) == 0) return true;
    return false;
}

static hd_status find_ways(hd_tuner *t, hd_shape *s) {
    const hd_kernel *const *list = hd_kernels_default();
    char nothing[] = "";
    s->way = hd_arena_alloc_n(&t->arena, HD_TUNE_WAYS, sizeof *s->way);
    char *refused = hd_arena_strdup(&t->arena, nothing);
    if (!s->way || !refused) return HD_E_MEMORY;
    for (size_t i = 0; list[i]; i++) {
        const int variants = list[i]->variants ? list[i]->variants : 1;
        if (strcmp(list[i]->op, s->k.op->name) != 0) continue;
        hd_kctx k = s->k;
        const bool again = told_before(list, i) && s->ways > 0;
        for (k.variant = 0; k.variant < variants && s->ways < HD_TUNE_WAYS && !again; k.variant++) {
            if (hd_kernel_refuses(list[i], &k)) continue;
            hd_way *w = &s->way[s->ways];
            w->node = (hd_lnode){.kernel = list[i], .variant = k.variant, .refused = refused};
            describe_way(s, w);
            if (s->rule < 0 && k.variant == 0) s->rule = s->ways;
            s->ways++;
        }
    }
    if (s->rule < 0) s->rule = 0;
    s->chosen = s->rule;
    t->candidates += s->ways;
    return HD_OK;
}

/* ---- the whole ---- */

static hd_status measure_all(hd_tuner *t) {
    HD_TRY(find_shapes(t));
    for (int i = 0; i < t->shapes; i++) HD_TRY(find_ways(t, &t->shape[i]));
    t->bandwidth = t->args->bandwidth;
    if (!(t->bandwidth > 0)) HD_TRY(hd_tune_bandwidth(t));
    for (int i = 0; i < t->shapes; i++) HD_TRY(hd_tune_time(t, i));
    return HD_OK;
}

static hd_status record(const hd_tuner *t, hd_tuning *table, hd_tune_result *r) {
    r->changed = 0;
    for (int i = 0; i < t->shapes; i++) {
        const hd_shape *s = &t->shape[i];
        if (!s->ways) continue;
        const hd_way *w = &s->way[s->chosen];
        r->changed += s->chosen != s->rule;
        HD_TRY(hd_tuning_put(table, s->key, w->node.kernel->name, w->node.variant, 1e6 * w->seconds));
    }
    r->shapes = t->shapes;
    r->candidates = t->candidates;
    r->bandwidth = t->bandwidth;
    return HD_OK;
}

/* Below a thousandth a clock's own rounding decides. */
static const double SLOWER = 1.001;

/* Where the whole program is slower by what was chosen, the rule's ways are. */
static hd_status check(hd_tuner *t, hd_target target, hd_tune_result *r) {
    hd_tuning *choices;
    HD_TRY(hd_tuning_new(&choices, t->ctx));
    hd_status status = record(t, choices, r);
    if (status == HD_OK && r->changed > 0) status = hd_tune_check(t, target, choices, &r->step_before, &r->step_after);
    hd_tuning_free(choices);
    if (status == HD_OK && r->step_after > SLOWER * r->step_before) {
        for (int i = 0; i < t->shapes; i++) t->shape[i].chosen = t->shape[i].rule;
        r->after = r->before;
    }
    return status;
}

static hd_status tune(hd_tuner *t, hd_target target, hd_tuning *table, hd_tune_result *r) {
    HD_TRY(hd_lower_front(t->lower));
    HD_TRY(hd_pass_place(t->lower));
    HD_TRY(measure_all(t));
    HD_TRY(hd_tune_choose(t, &r->before, &r->after));
    HD_TRY(check(t, target, r));
    HD_TRY(record(t, table, r));
    r->seconds = hd_tune_clock(t) - t->began;
    return HD_OK;
}

hd_status hd_tune(hd_target target, const hd_compile_args *args, const hd_tune_args *how, hd_tune_result *result) {
    static const hd_tune_args usual = {0};
    hd_tune_result r = {0};
    if (!target.graph) return HD_E_USAGE;
    HD_TRY(hd_graph_status(target.graph));
    hd_context *ctx = target.graph->ctx;
    if (!args || !args->tuning) return hd_fail(ctx, HD_E_USAGE, "tune|expected a table to put the choices into");
    if (args->backend && strcmp(args->backend, "default") != 0)
        return hd_fail(ctx, HD_E_USAGE, "tune|there is nothing to choose from in the backend %s|Use default",
                       args->backend);
    hd_compile_args rule = *args; /* what is measured against is the fixed rule, without the caller's table */
    rule.tuning = NULL;
    rule.dump = NULL;
    hd_store *store = NULL;
    hd_lower lower = {.ctx = ctx,
                      .arena = {.ctx = ctx},
                      .args = &rule,
                      .batch = args->batch > 0 ? args->batch : 1,
                      .train = target.train || args->train,
                      .target = target.value.id};
    hd_tuner t = {.ctx = ctx, .lower = &lower, .arena = {.ctx = ctx}, .args = how ? how : &usual};
    t.began = hd_tune_clock(&t);
    hd_status status = hd_store_new(&store, ctx, 1);
    lower.store = store;
    if (status == HD_OK) status = hd_graph_clone(&lower.g, target.graph);
    if (status == HD_OK) status = tune(&t, target, args->tuning, &r);
    hd_arena_free(&t.arena);
    hd_lower_free(&lower);
    hd_store_free(store);
    if (result) *result = r;
    return status;
}
