/* baselines.c: what a model must beat: always the most frequent class (or the mean), and one linear layer, trained on
 * the same samples for a moment. */
#include "base/status.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

enum { MOST_SAMPLES = 10000, STEPS = 300, BATCH = 128, MOST_WEIGHTS = 4000000 };

/* ---- majority, mean ---- */

hd_status hd_count_labels(hd_context *ctx, const hd_dataset *data, const int64_t *part, int64_t count, int64_t *seen) {
    const hd_data_info info = hd_data_get_info(data);
    const int64_t n = info.positions > 0 ? info.positions : 1;
    int64_t *label = hd_alloc_n(ctx, (size_t)n, sizeof *label);
    if (!label) return HD_E_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        hd_data_labels(data, part[i], label);
        for (int64_t p = 0; p < n; p++)
            if (label[p] >= 0) seen[label[p]]++;
    }
    hd_free(ctx, label);
    return HD_OK;
}

static hd_status majority(const hd_trainer *t, const int64_t *part, int64_t count, double *out) {
    const int64_t classes = t->model->task.classes;
    int64_t *seen = hd_alloc_n(t->ctx, (size_t)classes, 2 * sizeof *seen), top = 0, all = 0;
    if (!seen) return HD_E_MEMORY;
    int64_t *judged = seen + classes;
    hd_status status = hd_count_labels(t->ctx, t->data, t->split.train, t->split.train_count, seen);
    if (status == HD_OK) status = hd_count_labels(t->ctx, t->data, part, count, judged);
    for (int64_t k = 0; k < classes; k++) {
        if (seen[k] > seen[top]) top = k;
        all += judged[k];
    }
    *out = (double)judged[top] / (double)(all > 0 ? all : 1);
    hd_free(t->ctx, seen);
    return status;
}

hd_status hd_target_moments(const hd_trainer *t, double **out) {
    const int64_t n = hd_data_get_info(t->data).targets;
    double *m = hd_alloc_n(t->ctx, (size_t)n, 2 * sizeof *m);
    float *row = hd_alloc_n(t->ctx, (size_t)n, sizeof *row);
    const bool room = m && row;
    *out = room ? m : NULL;
    if (room) {
        for (int64_t i = 0; i < t->split.train_count; i++) {
            hd_data_values(t->data, t->split.train[i], row);
            for (int64_t k = 0; k < n; k++) {
                m[k] += (double)row[k];
                m[n + k] += (double)row[k] * (double)row[k];
            }
        }
        for (int64_t k = 0; k < n; k++) {
            m[k] /= (double)t->split.train_count;
            m[n + k] = sqrt(fmax(0, m[n + k] / (double)t->split.train_count - m[k] * m[k]));
            if (!(m[n + k] > 1e-30 && m[n + k] < 1e30)) m[n + k] = 1; /* its inverse must be a float too */
        }
    }
    hd_free(t->ctx, row);
    if (room) return HD_OK;
    hd_free(t->ctx, m);
    return HD_E_MEMORY;
}

static hd_status mean_rmse(const hd_trainer *t, const int64_t *part, int64_t count, double *out) {
    const int64_t n = t->model->task.targets;
    double *moments = NULL, sum = 0;
    HD_TRY(hd_target_moments(t, &moments));
    float *row = hd_alloc_n(t->ctx, (size_t)n, sizeof *row);
    for (int64_t i = 0; row && i < count; i++) {
        hd_data_values(t->data, part[i], row);
        for (int64_t k = 0; k < n; k++) sum += ((double)row[k] - moments[k]) * ((double)row[k] - moments[k]);
    }
    *out = sqrt(sum / ((double)count * (double)n));
    const hd_status status = row ? HD_OK : HD_E_MEMORY;
    hd_free(t->ctx, row);
    hd_free(t->ctx, moments);
    return status;
}

hd_status hd_baseline_majority(const hd_trainer *t, const int64_t *part, int64_t count, double *out) {
    *out = (double)NAN;
    if (t->model->task.classes > 0) return majority(t, part, count, out);
    return t->model->task.positions > 0 ? HD_OK : mean_rmse(t, part, count, out);
}

/* ---- linear ---- */

/* One linear layer with everything that training it takes. */
typedef struct linear {
    hd_trainer *t;
    hd_model *model;
    hd_program *step;
    hd_loader *loader;
    int64_t *sample; /* at most MOST_SAMPLES of the training part, evenly taken */
    double *moments; /* of the targets; NULL for classes */
    float *target;   /* [BATCH, targets], scaled to mean 0 and deviation 1 */
} linear;

static void linear_free(linear *l) {
    hd_context *ctx = l->t->ctx;
    hd_loader_free(l->loader);
    hd_program_free(l->step);
    hd_model_free(l->model);
    hd_free(ctx, l->sample);
    hd_free(ctx, l->moments);
    hd_free(ctx, l->target);
}

static hd_status make_model(linear *l) {
    static const char text[] =
        "{\"model\": \"linear\", \"train\": {\"optimizer\": {\"name\": \"adam\", \"lr\": 0.01}}}";
    hd_recipe *recipe = NULL;
    HD_TRY(hd_recipe_parse(&recipe, l->t->ctx, "baseline", text));
    hd_model_data data = l->t->model->data;
    data.target_mean = data.target_std = NULL; /* scaled here */
    hd_status status = hd_model_make(&l->model, recipe, &data);
    if (status == HD_OK) status = hd_model_set_normalizer(l->model, &l->t->model->normalizer);
    if (status == HD_OK) {
        const hd_compile_args args = hd_model_compile_args(l->model, BATCH);
        status = hd_compile_with(&l->step, hd_train_step(l->model->loss, hd_recipe_optimizer(recipe)), &args);
    }
    hd_recipe_free(recipe);
    return status;
}

static hd_status make_loader(linear *l) {
    const hd_trainer *t = l->t;
    const int64_t all = t->split.train_count, n = all < MOST_SAMPLES ? all : MOST_SAMPLES;
    const int64_t rows = n < BATCH ? BATCH : n; /* few samples fill a batch by being there several times */
    l->sample = hd_alloc_n(t->ctx, (size_t)rows, sizeof *l->sample);
    if (!l->sample) return HD_E_MEMORY;
    for (int64_t i = 0; i < rows; i++) l->sample[i] = t->split.train[i % n * all / n];
    return hd_loader_new(&l->loader, t->data,
                         &(hd_loader_args){.indices = l->sample,
                                           .count = rows,
                                           .batch_size = BATCH,
                                           .shuffle = true,
                                           .drop_last = true,
                                           .seed = 1,
                                           .normalizer = &l->model->normalizer});
}

static hd_status make_targets(linear *l) {
    if (l->model->task.classes > 0) return HD_OK;
    l->target = hd_alloc_n(l->t->ctx, (size_t)(BATCH * l->model->task.targets), sizeof *l->target);
    return l->target ? hd_target_moments(l->t, &l->moments) : HD_E_MEMORY;
}

/* value = scale · target + shift, there or back. */
static void scale_targets(const linear *l, const float *from, float *to, int64_t rows, bool back) {
    const int64_t n = l->model->task.targets;
    for (int64_t i = 0; i < rows * n; i++) {
        const double mean = l->moments[i % n], deviation = l->moments[n + i % n];
        to[i] = (float)(back ? (double)from[i] * deviation + mean : ((double)from[i] - mean) / deviation);
    }
}

static hd_status train(linear *l) {
    hd_batch b;
    for (int64_t step = 0, epoch = 0; step < STEPS; epoch++) {
        HD_TRY(hd_loader_seek(l->loader, epoch, 0));
        for (; step < STEPS; step++) {
            HD_TRY(hd_loader_next(l->loader, &b));
            if (b.n == 0) break;
            if (l->moments) scale_targets(l, b.value, l->target, b.n, false);
            HD_TRY(hd_program_set(l->step, "x", b.x));
            HD_TRY(hd_program_set(l->step, "target", l->moments ? (const void *)l->target : b.label));
            hd_program_lr(l->step, 0.01 * (1 - (double)step / STEPS));
            HD_TRY(hd_program_run(l->step));
        }
    }
    return HD_OK;
}

static hd_status score_values(linear *l, const int64_t *part, int64_t count, double *out) {
    const hd_task *task = &l->model->task;
    float *y = hd_alloc_n(l->t->ctx, (size_t)count, (size_t)task->targets * sizeof *y);
    float *row = hd_alloc_n(l->t->ctx, (size_t)task->targets, sizeof *row);
    hd_scores unused;
    double sum = 0;
    hd_status status = y && row ? hd_model_eval(l->model, l->t->data, part, count, &unused, NULL, y) : HD_E_MEMORY;
    for (int64_t i = 0; status == HD_OK && i < count; i++) {
        scale_targets(l, y + i * task->targets, y + i * task->targets, 1, true);
        hd_data_values(l->t->data, part[i], row);
        for (int64_t k = 0; k < task->targets; k++) {
            const double e = (double)y[i * task->targets + k] - (double)row[k];
            sum += e * e;
        }
    }
    if (status == HD_OK) *out = sqrt(sum / ((double)count * (double)task->targets));
    hd_free(l->t->ctx, y);
    hd_free(l->t->ctx, row);
    return status;
}

static hd_status score(linear *l, const int64_t *part, int64_t count, double *out) {
    hd_scores scores;
    if (l->model->task.classes == 0) return score_values(l, part, count, out);
    HD_TRY(hd_model_eval(l->model, l->t->data, part, count, &scores, NULL, NULL));
    *out = hd_scores_find(&scores, "accuracy")->value;
    return HD_OK;
}

hd_status hd_baseline_linear(hd_trainer *t, const int64_t *part, int64_t count, double *out) {
    linear l = {.t = t};
    const int64_t size = hd_dims_count(&t->model->data.sample), columns = hd_task_columns(&t->model->task);
    *out = (double)NAN;
    if ((double)size * (double)columns > MOST_WEIGHTS) return HD_OK;        /* not for a moment's training */
    if (t->model->task.positions > 0 || t->model->data.as_is) return HD_OK; /* names are no numbers to weigh */
    hd_status status = make_model(&l);
    if (status == HD_OK) status = make_loader(&l);
    if (status == HD_OK) status = make_targets(&l);
    if (status == HD_OK) status = train(&l);
    if (status == HD_OK) status = score(&l, part, count, out);
    linear_free(&l);
    return status;
}
