/* competitive_read.c: what competitive learning is good for: classes read out of its last cells by an exactly fitted
 * linear layer, and answers that stay when the picture is shifted, counted. */
#include "base/status.h"
#include "train/competitive.h"
#include "train/exact.h"
#include <math.h>
#include <string.h>

enum { MOST_SHIFT = 3, MOST_SHIFTED = 500, LAST = 3 };

/* The last cells' answers to all pictures, [pictures, cells]. */
static hd_status look(hd_competition *c, hd_graph *graph, hd_fit_data *f) {
    hd_program *program = NULL;
    const hd_val cells = hd_graph_find(graph, "c3");
    hd_mark_output(cells, "cells");
    const hd_compile_args args = hd_model_compile_args(c->t->model, 1);
    HD_TRY(hd_compile_with(&program, hd_forward(cells), &args));
    hd_status status = HD_OK;
    for (int64_t i = 0; i < c->pictures && status == HD_OK; i++) {
        status = hd_program_set(program, "x", c->x + i * c->size);
        if (status == HD_OK) status = hd_program_run(program);
        const float *out = status == HD_OK ? hd_program_get(program, "cells") : NULL;
        for (int64_t j = 0; out && j < f->d; j++) f->x[i * f->d + j] = (double)out[j];
        f->y[i * f->k + c->label[i]] = 1;
    }
    hd_program_free(program);
    return status;
}

/* As strong as the cells' answers are: l2 of numbers whose mean square is 1. */
static double pull(const hd_trainer *t, const hd_fit_data *f) {
    const double l2 = hd_recipe_said(t->recipe, "train.l2") ? hd_recipe_number(t->recipe, "train.l2") : 1e-3;
    double sum = 0;
    for (int64_t i = 0; i < f->n * f->d; i++) sum += f->x[i] * f->x[i];
    return l2 * sum / ((double)f->n * (double)f->d);
}

hd_status hd_competition_read_out(hd_competition *c) {
    hd_trainer *t = c->t;
    hd_exact e = {.t = t, .loss = HD_EXACT_SOFTMAX};
    hd_graph *graph = NULL;
    e.data = (hd_fit_data){.ctx = t->ctx, .n = c->pictures, .d = c->planes[LAST - 1], .k = t->model->task.outputs};
    e.data.x = hd_alloc_n(t->ctx, (size_t)e.data.n, (size_t)e.data.d * sizeof *e.data.x);
    e.data.y = hd_alloc_n(t->ctx, (size_t)e.data.n, (size_t)e.data.k * sizeof *e.data.y);
    e.w = hd_alloc_n(t->ctx, (size_t)e.data.k, (size_t)(e.data.d + 1) * sizeof *e.w);
    hd_status status = e.data.x && e.data.y && e.w ? hd_graph_clone(&graph, t->model->graph) : HD_E_MEMORY;
    if (status == HD_OK) status = look(c, graph, &e.data);
    if (status == HD_OK) e.l2 = pull(t, &e.data);
    if (status == HD_OK) status = hd_exact_newton(&e);
    if (status == HD_OK) status = hd_fit_put(t, e.w, e.data.k, e.data.d);
    hd_graph_free(graph);
    hd_free(t->ctx, e.w);
    hd_fit_data_free(&e.data);
    return status;
}

/* ---- shifts ---- */

/* The class of a picture that is moved by (dy, dx); what comes in at the edge is the corner's background. */
static hd_status answer(hd_competition *c, hd_program *p, const float *x, int64_t dy, int64_t dx, float *moved,
                        int64_t *out) {
    const hd_dims d = c->t->model->data.sample;
    const int64_t h = d.dim[1], w = d.dim[2];
    for (int64_t y = 0; y < h; y++)
        for (int64_t k = 0; k < w; k++) {
            const int64_t yy = y - dy, xx = k - dx;
            moved[y * w + k] = yy >= 0 && yy < h && xx >= 0 && xx < w ? x[yy * w + xx] : x[0];
        }
    HD_TRY(hd_program_set(p, "x", moved));
    HD_TRY(hd_program_run(p));
    *out = hd_task_choose(&c->t->model->task, hd_program_get(p, "y"));
    return HD_OK;
}

/* Share of answers that stay, over four directions, and that are right, for each shift. */
static hd_status count(hd_competition *c, hd_program *p, float *moved, double same[MOST_SHIFT + 1],
                       double right[MOST_SHIFT + 1]) {
    static const int64_t way[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    const int64_t n = c->pictures < MOST_SHIFTED ? c->pictures : MOST_SHIFTED;
    for (int64_t i = 0; i < n; i++) {
        const float *x = c->x + i * c->size;
        int64_t first = 0, now = 0;
        HD_TRY(answer(c, p, x, 0, 0, moved, &first));
        for (int64_t s = 0; s <= MOST_SHIFT; s++)
            for (int k = 0; k < 4; k++) {
                HD_TRY(answer(c, p, x, s * way[k][0], s * way[k][1], moved, &now));
                same[s] += (now == first) / (4.0 * (double)n);
                right[s] += (now == c->label[i]) / (4.0 * (double)n);
            }
    }
    return HD_OK;
}

static void tell(hd_competition *c, const double *same, const double *right) {
    hd_jw w = {.out = &c->t->found};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "name"), hd_jw_string(&w, "competitive");
    hd_jw_key(&w, "pictures"), hd_jw_int(&w, c->pictures);
    hd_jw_key(&w, "planes"); /* that have learnt a pattern, stage by stage */
    hd_jw_begin(&w, '[');
    for (int i = 0; i < LAST; i++) hd_jw_int(&w, c->used[i]);
    hd_jw_end(&w);
    for (int list = 0; list < 2; list++) {
        hd_jw_key(&w, list == 0 ? "same_when_shifted" : "right_when_shifted"); /* by 0, 1, 2, 3 pixels */
        hd_jw_begin(&w, '[');
        for (int s = 0; s <= MOST_SHIFT; s++) hd_jw_number(&w, list == 0 ? same[s] : right[s]);
        hd_jw_end(&w);
    }
    hd_jw_end(&w);
    hd_method_say(
        c->t,
        "learnt without a teacher from %lld pictures: %lld of %lld, %lld of %lld and %lld of %lld planes have found "
        "a pattern; the read-out alone has seen the classes",
        (long long)c->pictures, (long long)c->used[0], (long long)c->planes[0], (long long)c->used[1],
        (long long)c->planes[1], (long long)c->used[2], (long long)c->planes[2]);
    hd_method_say(c->t, "of pictures shifted by 1, 2, 3 pixels %.0f, %.0f, %.0f %% get the answer that they got before",
                  100 * same[1], 100 * same[2], 100 * same[3]);
}

hd_status hd_competition_shifts(hd_competition *c) {
    hd_program *p = NULL;
    const hd_compile_args args = hd_model_compile_args(c->t->model, 1);
    double same[MOST_SHIFT + 1] = {0}, right[MOST_SHIFT + 1] = {0};
    float *moved = hd_alloc_n(c->t->ctx, (size_t)c->size, sizeof *moved);
    hd_status status = moved ? hd_compile_with(&p, hd_forward(c->t->model->y), &args) : HD_E_MEMORY;
    if (status == HD_OK) status = count(c, p, moved, same, right);
    if (status == HD_OK) tell(c, same, right);
    hd_program_free(p);
    hd_free(c->t->ctx, moved);
    return status;
}
