/* method_competitive.c: learning without a teacher, as in the neocognitron: in every picture the cells that answer
 * most, one in each neighbourhood and at most one a plane, are the seeds; their plane's weights grow towards what the
 * seed sees. Stage after stage; then the read-out is fitted to the classes exactly, and the tolerance to shifts
 * measured. */
#include "base/rng.h"
#include "base/status.h"
#include "hadal/zoo.h"
#include "train/competitive.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 5, STAGES = 3, MOST_PICTURES = 2000 }; /* SIDE: of neighbourhoods in which one cell wins */

/* One stage while it learns: its program on single pictures, and its weights. */
typedef struct stage {
    hd_trainer *t;
    hd_graph *graph; /* a copy, in which the stage's cells are results */
    hd_program *program;
    hd_dims seen, cells; /* [planes, h, w] of what it sees, and of its S-cells */
    float *a, *b;        /* [cells.planes, seen.planes, 5, 5], [cells.planes] */
    int64_t side;        /* of what an S-cell sees */
    float near[SIDE * SIDE];
    float *answer; /* [cells]: what is left to choose from */
    int64_t *wins; /* [cells.planes] */
    double alike;  /* cosine from which on two patterns are one */
    double speed;  /* q */
    char name_a[16], name_b[16];
} stage;

static hd_dims without_batch(hd_dims d) {
    memmove(d.dim, d.dim + 1, sizeof d.dim - sizeof d.dim[0]);
    d.rank--;
    return d;
}

static void stage_free(stage *s) {
    hd_program_free(s->program);
    hd_graph_free(s->graph);
    hd_free(s->t->ctx, s->a);
    hd_free(s->t->ctx, s->b);
    hd_free(s->t->ctx, s->answer);
    hd_free(s->t->ctx, s->wins);
}

/* The stage begins with nearly nothing, a little different in each plane, and no inhibition. */
static hd_status stage_begin(stage *s, int number) {
    hd_trainer *t = s->t;
    char cells[16], seen[16];
    (void)snprintf(cells, sizeof cells, "s%d", number);
    (void)snprintf(seen, sizeof seen, "c%d", number - 1);
    (void)snprintf(s->name_a, sizeof s->name_a, "s%d.a", number);
    (void)snprintf(s->name_b, sizeof s->name_b, "s%d.b", number);
    HD_TRY(hd_graph_clone(&s->graph, t->model->graph));
    const hd_val sv = hd_graph_find(s->graph, cells), cv = hd_graph_find(s->graph, seen);
    hd_mark_output(sv, "cells");
    hd_mark_output(cv, "seen");
    const hd_compile_args args = hd_model_compile_args(t->model, 1);
    HD_TRY(hd_compile_with(&s->program, hd_forward(sv), &args));
    s->cells = without_batch(hd_val_dims(sv));
    s->seen = without_batch(hd_val_dims(cv));
    const size_t planes = (size_t)s->cells.dim[0], before = (size_t)s->seen.dim[0];
    s->side = hd_val_dims(hd_graph_find(s->graph, s->name_a)).dim[3];
    s->a = hd_alloc_n(t->ctx, planes * before, (size_t)(s->side * s->side) * sizeof *s->a);
    s->b = hd_alloc_n(t->ctx, planes, sizeof *s->b);
    s->answer = hd_alloc_n(t->ctx, (size_t)hd_dims_count(&s->cells), sizeof *s->answer);
    s->wins = hd_alloc_n(t->ctx, planes, sizeof *s->wins);
    if (!s->a || !s->b || !s->answer || !s->wins) return HD_E_MEMORY;
    hd_rng rng = hd_rng_new((uint64_t)hd_recipe_int(t->recipe, "train.seed"), s->name_a);
    for (size_t i = 0; i < planes * before * (size_t)(s->side * s->side); i++)
        s->a[i] = (float)(1e-4 * hd_rng_uniform(&rng) / (double)before);
    for (int64_t i = 0; i < s->side * s->side; i++)
        s->near[i] = (float)hd_neocognitron_nearness(i / s->side - s->side / 2, i % s->side - s->side / 2, s->side,
                                                     s->seen.dim[0]);
    s->speed = number == 1 ? 1 : 16; /* the paper's */
    s->alike = number == 1 ? 0.75 : 0.85;
    return HD_OK;
}

static hd_status put_weights(const stage *s) {
    const size_t planes = (size_t)s->cells.dim[0];
    const size_t bytes = planes * (size_t)s->seen.dim[0] * (size_t)(s->side * s->side) * sizeof *s->a;
    HD_TRY(hd_store_set(s->t->model->store, s->name_a, s->a, bytes));
    return hd_store_set(s->t->model->store, s->name_b, s->b, planes * sizeof *s->b);
}

/* The weights of plane k grow by q·c·u, its inhibition by q/2 · sqrt(Σ c u²), u what the seed at (y, x) sees. */
static void reinforce(stage *s, const float *seen, int64_t k, int64_t y, int64_t x) {
    const int64_t h = s->seen.dim[1], w = s->seen.dim[2], before = s->seen.dim[0];
    double power = 0;
    for (int64_t p = 0; p < before; p++)
        for (int64_t i = 0; i < s->side * s->side; i++) {
            const int64_t yy = y + i / s->side - s->side / 2, xx = x + i % s->side - s->side / 2;
            if (yy < 0 || yy >= h || xx < 0 || xx >= w) continue;
            const double u = (double)seen[(p * h + yy) * w + xx];
            s->a[(k * before + p) * s->side * s->side + i] += (float)(s->speed * (double)s->near[i] * u);
            power += (double)s->near[i] * u * u;
        }
    s->b[k] += (float)(s->speed / 2 * sqrt(power));
    s->wins[k]++;
}

/* The plane and its neighbourhood in all others take no further part. */
static void leave_out(stage *s, int64_t k, int64_t y, int64_t x) {
    const int64_t planes = s->cells.dim[0], h = s->cells.dim[1], w = s->cells.dim[2];
    memset(s->answer + k * h * w, 0, (size_t)(h * w) * sizeof *s->answer);
    for (int64_t p = 0; p < planes; p++)
        for (int64_t i = 0; i < SIDE * SIDE; i++) {
            const int64_t yy = y + i / SIDE - SIDE / 2, xx = x + i % SIDE - SIDE / 2;
            if (yy >= 0 && yy < h && xx >= 0 && xx < w) s->answer[(p * h + yy) * w + xx] = 0;
        }
}

/* How like the pattern of plane k is to what lies around (y, x): the cosine of both, near weights counting more. */
static double likeness(const stage *s, const float *seen, int64_t k, int64_t y, int64_t x) {
    const int64_t h = s->seen.dim[1], w = s->seen.dim[2], before = s->seen.dim[0], cells = s->side * s->side;
    double both = 0, pattern = 0, power = 0;
    for (int64_t p = 0; p < before; p++)
        for (int64_t i = 0; i < cells; i++) {
            const int64_t yy = y + i / s->side - s->side / 2, xx = x + i % s->side - s->side / 2;
            const bool inside = yy >= 0 && yy < h && xx >= 0 && xx < w;
            const double u = inside ? (double)seen[(p * h + yy) * w + xx] : 0;
            const double a = (double)s->a[(k * before + p) * cells + i], c = (double)s->near[i];
            both += a * u;
            pattern += a * a / c;
            power += c * u * u;
        }
    return pattern > 0 && power > 0 ? both / sqrt(pattern * power) : 0;
}

/* The plane that is to learn what the seed sees: its own, or, where that is another pattern, one that knows none yet;
 * −1: all know other patterns. Cells thus tell apart more finely while they learn than when they answer (Fukushima:
 * Neocognitron for handwritten digit recognition, Neurocomputing 51, 2003). */
static int64_t learner(const stage *s, const float *seen, int64_t k, int64_t y, int64_t x) {
    if (s->wins[k] == 0 || likeness(s, seen, k, y, x) >= s->alike) return k;
    for (int64_t p = 0; p < s->cells.dim[0]; p++)
        if (s->wins[p] == 0) return p;
    return -1;
}

static hd_status learn_picture(stage *s, const float *x) {
    const int64_t all = hd_dims_count(&s->cells), h = s->cells.dim[1], w = s->cells.dim[2];
    HD_TRY(put_weights(s));
    HD_TRY(hd_program_set(s->program, "x", x));
    HD_TRY(hd_program_run(s->program));
    memcpy(s->answer, hd_program_get(s->program, "cells"), (size_t)all * sizeof *s->answer);
    const float *seen = hd_program_get(s->program, "seen");
    for (;;) {
        int64_t most = 0;
        for (int64_t i = 1; i < all; i++)
            if (s->answer[i] > s->answer[most]) most = i;
        if (!(s->answer[most] > 1e-7f)) return HD_OK;
        const int64_t k = most / (h * w), y = most / w % h, at = most % w, plane = learner(s, seen, k, y, at);
        if (plane >= 0) reinforce(s, seen, plane, y, at);
        leave_out(s, k, y, at);
    }
}

/* ---- all stages ---- */

static hd_status learn_stage(hd_competition *c, int number) {
    stage s = {.t = c->t};
    hd_status status = stage_begin(&s, number);
    for (int64_t i = 0; i < c->pictures && status == HD_OK && !hd_trainer_tick(c->t); i++) {
        status = learn_picture(&s, c->x + i * c->size);
        c->t->state.total_steps++;
    }
    if (status == HD_OK) status = put_weights(&s);
    for (int64_t k = 0; status == HD_OK && k < s.cells.dim[0]; k++) c->used[number - 1] += s.wins[k] > 0;
    c->planes[number - 1] = s.cells.dim[0];
    stage_free(&s);
    return status;
}

/* Pictures as the network sees them, evenly taken from the training part, which is shuffled already or in order. */
static hd_status load(hd_competition *c) {
    hd_trainer *t = c->t;
    const int64_t all = t->split.train_count;
    c->size = hd_dims_count(&t->model->data.sample);
    c->pictures = all < MOST_PICTURES ? all : MOST_PICTURES;
    c->x = hd_alloc_n(t->ctx, (size_t)c->pictures, (size_t)c->size * sizeof *c->x);
    c->label = hd_alloc_n(t->ctx, (size_t)c->pictures, sizeof *c->label);
    c->order = hd_alloc_n(t->ctx, (size_t)all, sizeof *c->order);
    if (!c->x || !c->label || !c->order) return HD_E_MEMORY;
    hd_rng rng = hd_rng_new((uint64_t)hd_recipe_int(t->recipe, "train.seed"), "competitive");
    for (int64_t i = 0; i < all; i++) c->order[i] = t->split.train[i];
    hd_rng_shuffle(&rng, c->order, (size_t)all);
    for (int64_t i = 0; i < c->pictures; i++) {
        hd_data_x(t->data, c->order[i], c->x + i * c->size);
        c->label[i] = hd_data_label(t->data, c->order[i]);
    }
    hd_normalizer_apply(&t->model->normalizer, c->x, c->pictures, c->size);
    return HD_OK;
}

static hd_status learn(hd_competition *c) {
    if (c->t->model->task.classes == 0 || strcmp(c->t->model->task.loss.name, "cross_entropy") != 0)
        return hd_fail(c->t->ctx, HD_E_MODEL,
                       "train.method|competitive reads classes out of what was learnt, by "
                       "cross_entropy|Use loss=cross_entropy, or method=gradient");
    HD_TRY(load(c));
    for (int number = 1; number <= STAGES; number++) HD_TRY(learn_stage(c, number));
    if (c->t->stop == HD_STOP_INTERRUPTED) return HD_OK;
    HD_TRY(hd_competition_read_out(c));
    return hd_competition_shifts(c);
}

static hd_status fit(hd_trainer *t) {
    hd_competition c = {.t = t};
    const hd_status status = learn(&c);
    hd_free(t->ctx, c.x);
    hd_free(t->ctx, c.label);
    hd_free(t->ctx, c.order);
    return status;
}

const hd_method hd_method_competitive = {
    .name = "competitive",
    .help = "without a teacher: of all cells the one that answers most learns what it sees; then a read-out is fitted",
    .reads = "l2",
    .fit = fit,
};
