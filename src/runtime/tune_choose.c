/* tune_choose.c: owns the choice among measured ways for a whole program: kernels that want different orders in memory
 * make changes of layout between them, so that the sum counts, not the single kernel. What a set of choices costs is
 * found by the layout pass itself, on a copy of the graph: seconds of all kernels there is a choice for, and the bytes
 * of all changes of layout at the measured bandwidth. The search goes downhill, an operation at a time, from several
 * sets: the rule's, the fastest kernel of each, and, for each order of activations, the fastest kernel that takes it;
 * the best of what it finds is taken. An operation stays with the rule where nothing is gained by more than the noise.
 */
#include "compile/store.h"
#include "runtime/tune.h"
#include <string.h>

enum { MOST_TRIALS = 60, MOST_SWEEPS = 5, STYLES = 3 };
static const double RULE_FAVOUR = 0.97;    /* measurements of the same kernel differ by some per cent */
static const double CHANGE_SECONDS = 2e-6; /* a change of layout is a call, too */

typedef struct search {
    hd_tuner *t;
    int trials;
    int *now;                /* by shape: the way */
    double kernels, changes; /* seconds */
} search;

static double way_seconds(const hd_shape *s, int way) {
    return s->way[way].seconds * s->nodes * (way == s->rule ? RULE_FAVOUR : 1);
}

static bool same_wants(const hd_shape *s, int a, int b) {
    for (int i = 0; i < s->k.n_in + s->k.n_out; i++)
        if (!hd_layout_equal(&s->way[a].wants[i], &s->way[b].wants[i])) return false;
    return true;
}

/* ---- what a set of choices costs ---- */

static double bytes_of_changes(const hd_lower *l) {
    double bytes = 0;
    for (size_t i = 0; i < l->g->node_count; i++) {
        const hd_node *n = &l->g->nodes[i];
        hd_operand a, b;
        if (strcmp(n->op->name, "reorder") != 0) continue;
        hd_operand_of(l, n->in[0], &a);
        hd_operand_of(l, n->out, &b);
        bytes += (double)(a.bytes + b.bytes);
    }
    return bytes;
}

static hd_status cost_of_changes(search *s, double *seconds) {
    const hd_lower *from = s->t->lower;
    hd_lower l = {.ctx = from->ctx,
                  .arena = {.ctx = from->ctx},
                  .args = from->args,
                  .batch = from->batch,
                  .train = from->train,
                  .target = from->target};
    s->trials++;
    hd_status status = hd_store_new(&l.store, l.ctx, 1);
    if (status == HD_OK) status = hd_graph_clone(&l.g, from->g);
    for (size_t i = 0; status == HD_OK && i < l.g->node_count; i++) {
        const int32_t shape = s->t->of_node[i];
        if (shape >= 0 && s->t->shape[shape].ways) l.g->nodes[i].lower = &s->t->shape[shape].way[s->now[shape]].node;
    }
    if (status == HD_OK) status = hd_pass_layout(&l);
    if (status == HD_OK)
        *seconds = bytes_of_changes(&l) / s->t->bandwidth + CHANGE_SECONDS * (l.reorders + l.weight_reorders);
    hd_store *store = l.store;
    hd_lower_free(&l);
    hd_store_free(store);
    return status;
}

static hd_status price(search *s) {
    s->kernels = 0;
    for (int i = 0; i < s->t->shapes; i++)
        if (s->t->shape[i].ways) s->kernels += way_seconds(&s->t->shape[i], s->now[i]);
    return cost_of_changes(s, &s->changes);
}

/* ---- going downhill ---- */

/* The fastest way among those that want the same orders as this one. */
static int fastest_like(const hd_shape *s, int way) {
    int best = way;
    for (int i = 0; i < s->ways; i++)
        if (!s->way[i].dropped && same_wants(s, i, way) && way_seconds(s, i) < way_seconds(s, best)) best = i;
    return best;
}

/* Tries the other orders of one shape; *better: one was found. What another way costs more than this one may be won
 * back by fewer changes of layout, but not more than all that there are. */
static hd_status improve(search *s, int shape, bool *better) {
    const hd_shape *z = &s->t->shape[shape];
    for (int i = 0; i < z->ways && s->trials < MOST_TRIALS; i++) {
        const int old = s->now[shape];
        if (z->way[i].dropped || same_wants(z, i, old) || fastest_like(z, i) != i) continue;
        const double more = way_seconds(z, i) - way_seconds(z, old), before = s->changes;
        if (more >= before) continue;
        double changes;
        s->now[shape] = i;
        HD_TRY(cost_of_changes(s, &changes));
        if (more + changes < before) {
            s->kernels += more;
            s->changes = changes;
            *better = true;
        } else {
            s->now[shape] = old;
        }
    }
    return HD_OK;
}

static hd_status descend(search *s) {
    bool better = true;
    for (int i = 0; i < s->t->shapes; i++)
        if (s->t->shape[i].ways) s->now[i] = fastest_like(&s->t->shape[i], s->now[i]);
    HD_TRY(price(s));
    for (int sweep = 0; better && sweep < MOST_SWEEPS; sweep++) {
        better = false;
        for (int i = 0; i < s->t->shapes; i++)
            if (s->t->shape[i].ways > 1) HD_TRY(improve(s, i, &better));
    }
    return HD_OK;
}

/* ---- where it begins ---- */

/* 0 plain, 1 blocks, 2 channels last: of the first input, which is an activation always. */
static int style_of(const hd_way *w) {
    return w->wants[0].nblk ? 1 : w->wants[0].permuted ? 2 : 0;
}

/* The fastest way of a style; where there is none the fastest of all (style −1). */
static int fastest_of(const hd_shape *s, int style) {
    int best = -1;
    for (int i = 0; i < s->ways; i++) {
        if (s->way[i].dropped || (style >= 0 && style_of(&s->way[i]) != style)) continue;
        if (best < 0 || way_seconds(s, i) < way_seconds(s, best)) best = i;
    }
    return best >= 0 ? best : style >= 0 ? fastest_of(s, -1) : s->rule;
}

static hd_status from_here(search *s, int *best, double *least) {
    HD_TRY(descend(s));
    if (s->kernels + s->changes >= *least) return HD_OK;
    *least = s->kernels + s->changes;
    memcpy(best, s->now, (size_t)s->t->shapes * sizeof *best);
    return HD_OK;
}

/* Seconds as they were measured. */
static hd_status plain_price(search *s, double *seconds) {
    double sum = 0;
    HD_TRY(cost_of_changes(s, &s->changes));
    for (int i = 0; i < s->t->shapes; i++)
        if (s->t->shape[i].ways) sum += s->t->shape[i].way[s->now[i]].seconds * s->t->shape[i].nodes;
    *seconds = sum + s->changes;
    return HD_OK;
}

hd_status hd_tune_choose(hd_tuner *t, double *before, double *after) {
    int *best = hd_arena_alloc_n(&t->arena, (size_t)t->shapes + 1, sizeof *best);
    search s = {.t = t, .now = hd_arena_alloc_n(&t->arena, (size_t)t->shapes + 1, sizeof *s.now)};
    if (!best || !s.now) return HD_E_MEMORY;
    for (int i = 0; i < t->shapes; i++) s.now[i] = best[i] = t->shape[i].rule;
    HD_TRY(plain_price(&s, before));
    HD_TRY(price(&s));
    double least = s.kernels + s.changes;
    HD_TRY(from_here(&s, best, &least));
    for (int style = -1; style < STYLES; style++) {
        for (int i = 0; i < t->shapes; i++) s.now[i] = t->shape[i].ways ? fastest_of(&t->shape[i], style) : 0;
        s.trials = 0;
        HD_TRY(from_here(&s, best, &least));
    }
    memcpy(s.now, best, (size_t)t->shapes * sizeof *best);
    for (int i = 0; i < t->shapes; i++) t->shape[i].chosen = best[i];
    return plain_price(&s, after);
}
