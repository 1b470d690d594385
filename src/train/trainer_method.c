/* trainer_method.c: runs whose weights a method finds: which one it is, what it gets, and what is made of what it
 * found. Knows methods by their descriptors alone. */
#include "base/status.h"
#include "hadal/zoo.h"
#include "train/method.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HD_METHOD(name) extern const hd_method hd_method_##name;
#include "train/methods.def"
#undef HD_METHOD

static const hd_method *const methods[] = {
#define HD_METHOD(name) &hd_method_##name,
#include "train/methods.def"
#undef HD_METHOD
};
enum { METHODS = sizeof methods / sizeof methods[0] };

const hd_method *hd_method_find(const char *name) {
    for (int i = 0; i < (int)METHODS; i++)
        if (strcmp(methods[i]->name, name) == 0) return methods[i];
    return NULL;
}

const char *const *hd_method_names(void) {
    static const char *const names[] = {"gradient",
#define HD_METHOD(name) #name,
#include "train/methods.def"
#undef HD_METHOD
                                        NULL};
    return names;
}

/* ---- choosing ---- */

/* Who says how to go along the gradient wants to. */
static bool wants_gradient(const hd_recipe *r) {
    static const char *const keys[] = {"train.optimizer.name", "train.optimizer.lr", "train.schedule.name",
                                       "train.epochs",         "train.steps",        "train.batch_size"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (hd_recipe_said(r, keys[i])) return true;
    return false;
}

static const char *usual_method(const hd_trainer *t, const hd_zoo_entry *e) {
    const hd_method *m = e && e->method ? hd_method_find(e->method) : NULL;
    if (!m) return "gradient";
    if (e->no_gradient) return m->name;
    const hd_data_info info = hd_data_get_info(t->data);
    const int64_t d = hd_dims_count(&info.sample), k = info.classes > 0 ? info.classes : info.targets;
    if (wants_gradient(t->recipe) || (m->suits && !m->suits(t->split.train_count, d, (d + 1) * k))) return "gradient";
    return m->name;
}

hd_status hd_trainer_choose_method(hd_trainer *t) {
    const char *said = hd_recipe_text(t->recipe, "train.method");
    const hd_zoo_entry *e = hd_recipe_network(t->recipe);
    if (!said) {
        said = usual_method(t, e);
        HD_TRY(hd_recipe_put_text(t->recipe, "train.method", said));
        HD_TRY(hd_recipe_check_whole(t->recipe));
    }
    t->method = hd_method_find(said);
    if (t->method == &hd_method_fixed && !hd_recipe_said(t->recipe, "data.normalize"))
        HD_TRY(
            hd_recipe_put_text(t->recipe, "data.normalize", "none")); /* weights as built are for numbers as they are */
    if (!t->method && e && e->no_gradient)
        return hd_fail(t->ctx, HD_E_MODEL, "train.method|nothing flows back through %s|Use method=%s", e->name,
                       e->method);
    if (t->method && (!e || !e->method || strcmp(e->method, said) != 0))
        return hd_fail(
            t->ctx, HD_E_MODEL,
            "train.method|%s is no method for this network|Use method=gradient, or see which network has it: "
            "hadal zoo",
            said);
    return HD_OK;
}

/* ---- what methods use ---- */

void hd_method_say(hd_trainer *t, const char *format, ...) {
    char line[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (t->note.length > 0) hd_text_puts(&t->note, "\n");
    hd_text_puts(&t->note, line);
}

void hd_fit_data_free(hd_fit_data *f) {
    if (!f->ctx) return;
    hd_free(f->ctx, f->x);
    hd_free(f->ctx, f->y);
    *f = (hd_fit_data){0};
}

double hd_fit_input(const hd_normalizer *z, int64_t j, float stored) {
    if (z->channels == 0) return (double)stored;
    const int64_t c = j / z->each % z->channels;
    return ((double)stored - (double)z->mean[c]) / (double)z->std[c];
}

static void fill_row(const hd_trainer *t, hd_fit_data *f, int64_t i, float *stage) {
    const hd_model_data *m = &t->model->data;
    const int64_t sample = t->split.train[i];
    hd_data_x(t->data, sample, stage);
    for (int64_t j = 0; j < f->d; j++) f->x[i * f->d + j] = hd_fit_input(&t->model->normalizer, j, stage[j]);
    double *y = f->y + i * f->k;
    if (t->model->task.classes > 0) {
        hd_task_target(&t->model->task, hd_data_label(t->data, sample), stage);
        for (int64_t k = 0; k < f->k; k++) y[k] = stage[k] > 0 ? 1 : 0;
        return;
    }
    hd_data_values(t->data, sample, stage);
    for (int64_t k = 0; k < f->k; k++)
        y[k] = m->target_mean ? ((double)stage[k] - (double)m->target_mean[k]) / (double)m->target_std[k]
                              : (double)stage[k];
}

size_t hd_fit_data_bytes(int64_t n, int64_t d, int64_t k) {
    return (size_t)n * (size_t)(d + k) * sizeof(double);
}

hd_status hd_fit_data_make(hd_fit_data *f, hd_trainer *t) {
    *f = (hd_fit_data){.ctx = t->ctx,
                       .n = t->split.train_count,
                       .d = hd_dims_count(&t->model->data.sample),
                       .k = t->model->task.outputs};
    float *stage = hd_alloc_n(t->ctx, (size_t)(f->d > f->k ? f->d : f->k), sizeof *stage);
    f->x = hd_alloc_n(t->ctx, (size_t)f->n, (size_t)f->d * sizeof *f->x);
    f->y = hd_alloc_n(t->ctx, (size_t)f->n, (size_t)f->k * sizeof *f->y);
    if (!stage || !f->x || !f->y) {
        hd_free(t->ctx, stage);
        hd_fit_data_free(f);
        return HD_E_MEMORY;
    }
    for (int64_t i = 0; i < f->n; i++) fill_row(t, f, i, stage);
    hd_free(t->ctx, stage);
    return HD_OK;
}

hd_status hd_fit_put_tensor(hd_trainer *t, const char *name, const double *from, int64_t n) {
    float *row = hd_alloc_n(t->ctx, (size_t)n, sizeof *row);
    if (!row) return HD_E_MEMORY;
    for (int64_t i = 0; i < n; i++) row[i] = (float)from[i];
    const hd_status status = hd_store_set(t->model->store, name, row, (size_t)n * sizeof *row);
    hd_free(t->ctx, row);
    return status;
}

hd_status hd_fit_put(hd_trainer *t, const double *rows, int64_t k, int64_t d) {
    double *parts = hd_alloc_n(t->ctx, (size_t)(k * (d + 1)), sizeof *parts);
    if (!parts) return HD_E_MEMORY;
    for (int64_t i = 0; i < k; i++) {
        memcpy(parts + i * d, rows + i * (d + 1), (size_t)d * sizeof *parts);
        parts[k * d + i] = rows[i * (d + 1) + d];
    }
    hd_status status = hd_fit_put_tensor(t, "fc.weight", parts, k * d);
    if (status == HD_OK) status = hd_fit_put_tensor(t, "fc.bias", parts + k * d, k);
    hd_free(t->ctx, parts);
    return status;
}

/* ---- the run ---- */

hd_status hd_trainer_fit(hd_trainer *t) {
    hd_program *score = NULL;
    int64_t batch = 0;
    bool ends = true;
    t->stop = HD_STOP_CONVERGED;
    t->limits.epochs = 1;
    t->epoch_started = t->last_progress = hd_clock();
    HD_TRY(t->method->fit(t));
    if (t->note.failed || t->found.failed) return HD_E_MEMORY;
    if (t->stop == HD_STOP_INTERRUPTED) return HD_OK; /* what was found so far is not kept: it is found anew */
    hd_tally_reset(&t->running);
    HD_TRY(hd_model_infer(t->model, t->full.batch, &score, &batch));
    HD_TRY(hd_model_score(t->model, score, batch, t->train_loader, &t->running, NULL));
    t->state.step = hd_loader_steps(t->train_loader); /* for the speed that is told */
    return hd_trainer_end_epoch(t, &ends);
}

/* ---- fixed ---- */

static hd_status keep(hd_trainer *t) {
    hd_method_say(t, "the weights stand as they are built: there is nothing to learn");
    return HD_OK;
}

const hd_method hd_method_fixed = {
    .name = "fixed",
    .help = "the weights stay as the network is built with them",
    .reads = "",
    .fit = keep,
};
