/* checkpoint.c: a run on disk: best.safetensors, last.safetensors, and last.state, from which the run goes on to the
 * same bits. last.state alone holds everything that a resumed run needs, so that one rename makes the step from the old
 * checkpoint to the new. It is a safetensors file: weights, optimiser state and counts as tensors, numbers as JSON. */
#include "base/status.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STATE_VERSION = 1, MAX_PARTS = 3 };

static const char *path_in(hd_trainer *t, char *buffer, size_t size, const char *name) {
    (void)snprintf(buffer, size, "%s/%s", t->folder, name);
    return buffer;
}

/* What decides the bits beside recipe and data: a run that goes on under another plan is told so. */
static const char *numeric_plan(const hd_trainer *t, char *buffer, size_t size) {
    const char *backend = hd_recipe_text(t->recipe, "train.backend");
    (void)snprintf(buffer, size, "hadal %s, %s, %s", hd_version(), hd_context_isa(t->ctx), backend);
    return buffer;
}

/* The running tally's lists as tensors. */
static int tally_parts(const hd_trainer *t, hd_tensor_out *out) {
    const hd_tally *r = &t->running;
    int n = 0;
    if (r->sum) out[n++] = (hd_tensor_out){"~sum", HD_F64, HD_DIMS(r->task->targets), r->sum};
    if (r->sum2) out[n++] = (hd_tensor_out){"~sum2", HD_F64, HD_DIMS(r->task->targets), r->sum2};
    if (r->confusion)
        out[n++] = (hd_tensor_out){"~confusion", HD_I64, HD_DIMS(r->task->classes, r->task->classes), r->confusion};
    return n;
}

/* ---- numbers of the state: one list for writing and reading ---- */

typedef struct number {
    const char *name;
    int64_t *integer; /* or */
    double *real;
} number;

enum { MOST_NUMBERS = 64 };

/* Returns how many. */
static int list_numbers(hd_run_state *s, hd_tally *r, number out[MOST_NUMBERS]) {
    const number all[] = {
        {"epoch", &s->epoch, NULL},
        {"step", &s->step, NULL},
        {"total_steps", &s->total_steps, NULL},
        {"updates", &s->updates, NULL},
        {"best_epoch", &s->best_epoch, NULL},
        {"bad_epochs", &s->bad_epochs, NULL},
        {"log_bytes", &s->log_bytes, NULL},
        {"csv_bytes", &s->csv_bytes, NULL},
        {"n", &r->n, NULL},
        {"correct", &r->correct, NULL},
        {"hits", &r->hits, NULL},
        {"wrong", &r->wrong, NULL},
        {"best_value", NULL, &s->best_value},
        {"seconds", NULL, &s->seconds},
        {"loss", NULL, &r->loss},
        {"square", NULL, &r->square},
        {"fourth", NULL, &r->fourth},
        {"absolute", NULL, &r->absolute},
        {"plateau_seen", &s->plateau.seen, NULL},
        {"plateau_bad", &s->plateau.bad, NULL},
        {"plateau_cooldown", &s->plateau.cooldown, NULL},
        {"plateau_lr", NULL, &s->plateau.lr},
        {"plateau_best", NULL, &s->plateau.best},
        {"terms", NULL, &r->terms},
        {"term", NULL, &r->term},
        {"term2", NULL, &r->term2},
        {"part", NULL, &r->part},
    };
    memcpy(out, all, sizeof all);
    return (int)(sizeof all / sizeof all[0]);
}

static void write_state(hd_text *text, const hd_trainer *t, const hd_run_state *state) {
    hd_jw w = {.out = text};
    hd_run_state s = *state;
    hd_tally r = t->running;
    number list[MOST_NUMBERS];
    char plan[128];
    const int numbers = list_numbers(&s, &r, list);
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "version"), hd_jw_int(&w, STATE_VERSION);
    hd_jw_key(&w, "plan"), hd_jw_string(&w, numeric_plan(t, plan, sizeof plan));
    hd_jw_key(&w, "seed"), hd_jw_int(&w, hd_recipe_int(t->recipe, "train.seed"));
    hd_jw_key(&w, "samples"), hd_jw_int(&w, t->split.train_count);
    for (int i = 0; i < numbers; i++) {
        hd_jw_key(&w, list[i].name);
        if (list[i].integer)
            hd_jw_int(&w, *list[i].integer);
        else
            hd_jw_number(&w, *list[i].real);
    }
    hd_jw_key(&w, "best_train"), hd_scores_json(&w, &s.best_train);
    hd_jw_key(&w, "best_val"), hd_scores_json(&w, &s.best_val);
    hd_jw_end(&w);
}

/* ---- saving ---- */

static hd_status save_best(hd_trainer *t) {
    char path[4200], epoch[32];
    if (t->best_saved || t->state.best_epoch == 0) return HD_OK;
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)t->state.best_epoch);
    const char *extra[] = {"hadal.epoch", epoch, NULL};
    HD_TRY(hd_model_write(t->model, &t->best, path_in(t, path, sizeof path, "best.safetensors"), extra));
    t->best_saved = true;
    return HD_OK;
}

static hd_status save_state(hd_trainer *t, const hd_run_state *state) {
    char path[4200];
    hd_text text = {.ctx = t->ctx};
    hd_tensor_out *tensors = hd_alloc_n(t->ctx, (size_t)t->all.count + MAX_PARTS, sizeof *tensors);
    if (!tensors) return HD_E_MEMORY;
    memcpy(tensors, t->all.tensor, (size_t)t->all.count * sizeof *tensors);
    const int parts = tally_parts(t, tensors + t->all.count);
    write_state(&text, t, state);
    const char *metadata[] = {"hadal.state", hd_text_str(&text), NULL};
    const hd_status status = text.failed ? HD_E_MEMORY
                                         : hd_tensors_write(t->ctx, path_in(t, path, sizeof path, "last.state"),
                                                            tensors, t->all.count + parts, metadata);
    hd_text_free(&text);
    hd_free(t->ctx, tensors);
    return status;
}

/* The model's own tensors out of all of them: the same memory under fewer names. */
static hd_status save_last(hd_trainer *t) {
    char path[4200];
    hd_weights w = {.tensor = hd_alloc_n(t->ctx, (size_t)t->best.count + 1, sizeof *w.tensor), .count = t->best.count};
    if (!w.tensor) return HD_E_MEMORY;
    for (int32_t i = 0, k = 0; i < t->all.count && k < w.count; i++)
        if (strcmp(t->all.tensor[i].name, t->best.tensor[k].name) == 0) w.tensor[k++] = t->all.tensor[i];
    hd_weights_sha256(&w, t->sha256);
    const hd_status status =
        t->folder[0] ? hd_model_write(t->model, &w, path_in(t, path, sizeof path, "last.safetensors"), NULL) : HD_OK;
    hd_free(t->ctx, w.tensor);
    return status;
}

hd_status hd_checkpoint_save(hd_trainer *t) {
    HD_TRY(hd_weights_fetch(&t->all, t->model));
    if (t->folder[0]) {
        HD_TRY(hd_run_log_flush(&t->log));
        const double now = hd_clock();
        hd_run_state s = t->state;
        s.seconds += now - t->started;
        s.updates = hd_store_updates(t->model->store);
        s.log_bytes = t->log.log_bytes;
        s.csv_bytes = t->log.csv_bytes;
        HD_TRY(save_best(t));
        HD_TRY(save_state(t, &s));
        t->last_save = now;
    }
    return save_last(t);
}

/* ---- loading ---- */

bool hd_checkpoint_exists(const char *folder) {
    char path[4200];
    if (snprintf(path, sizeof path, "%s/last.state", folder) >= (int)sizeof path) return false;
    FILE *f = fopen(path, "rb");
    if (f) (void)fclose(f);
    return f != NULL;
}

static hd_status damaged(const hd_trainer *t, const char *path, const char *what) {
    return hd_fail(t->ctx, HD_E_MODEL, "%s|%s|Begin a new run; best.safetensors can be used with --from", path, what);
}

static double number_of(const hd_json *v, double otherwise) {
    return v && (v->type == HD_JSON_INT || v->type == HD_JSON_FLOAT) ? v->number : otherwise;
}

static hd_status read_scores(const hd_trainer *t, const char *path, const hd_json *object, hd_scores *out) {
    *out = (hd_scores){0};
    if (!object || object->type == HD_JSON_NULL) return HD_OK;
    const hd_json *n = hd_json_get(object, "n");
    if (!n || n->type != HD_JSON_INT) return damaged(t, path, "its scores are damaged");
    out->n = n->integer;
    out->loss = number_of(hd_json_get(object, "loss"), NAN);
    for (int i = 0; i < t->model->metrics.count; i++) {
        const hd_json *m = hd_json_get(object, t->model->metrics.kind[i]->name);
        if (!m) continue;
        out->metric[out->count++] = (hd_metric){.name = t->model->metrics.kind[i]->name,
                                                .value = number_of(hd_json_get(m, "value"), NAN),
                                                .low = number_of(hd_json_get(m, "low"), NAN),
                                                .high = number_of(hd_json_get(m, "high"), NAN)};
    }
    return HD_OK;
}

static hd_status read_numbers(hd_trainer *t, const char *path, const hd_json *state) {
    number list[MOST_NUMBERS];
    const int numbers = list_numbers(&t->state, &t->running, list);
    for (int i = 0; i < numbers; i++) {
        const hd_json *v = hd_json_get(state, list[i].name);
        if (list[i].integer && (!v || v->type != HD_JSON_INT || v->integer < 0))
            return damaged(t, path, "a number of the state is missing");
        if (list[i].integer)
            *list[i].integer = v->integer;
        else
            *list[i].real = number_of(v, 0);
    }
    const int64_t steps = hd_loader_steps(t->train_loader);
    if (t->state.step > steps || t->state.epoch > t->limits.epochs)
        return damaged(t, path, "it stands behind the end of the run");
    return HD_OK;
}

static hd_status check_same_run(const hd_trainer *t, const char *path, const hd_json *state) {
    const hd_json *version = hd_json_get(state, "version"), *samples = hd_json_get(state, "samples"),
                  *plan = hd_json_get(state, "plan");
    char now[128];
    if (!version || version->type != HD_JSON_INT || version->integer != STATE_VERSION)
        return hd_fail(t->ctx, HD_E_UNSUPPORTED, "%s|its version is not %d, the one this build reads", path,
                       STATE_VERSION);
    if (!samples || samples->type != HD_JSON_INT || samples->integer != t->split.train_count)
        return hd_fail(t->ctx, HD_E_DATA,
                       "%s|the run was training on %lld samples, the data now give %lld|Bring the data back "
                       "as they were",
                       path, samples ? (long long)samples->integer : 0, (long long)t->split.train_count);
    if (!plan || plan->type != HD_JSON_STRING || strcmp(plan->string, numeric_plan(t, now, sizeof now)) != 0)
        hd_log_line(t->ctx, HD_LOG_WARNING,
                    "%s: saved by \"%s\", this is \"%s\": the bits will differ from an uninterrupted run", path,
                    plan && plan->type == HD_JSON_STRING ? plan->string : "?", now);
    return HD_OK;
}

static hd_status read_tensors(hd_trainer *t, const hd_tensors *file, const char *path) {
    hd_tensor_out parts[MAX_PARTS];
    const int n = tally_parts(t, parts);
    int32_t taken = 0;
    HD_TRY(hd_weights_read(&t->all, file, path, true, &taken));
    if (taken != t->all.count || hd_tensors_count(file) != t->all.count + n)
        return damaged(t, path, "its tensors are not those of the recipe");
    for (int i = 0; i < n; i++) {
        hd_tensor_info in;
        if (!hd_tensors_find(file, parts[i].name, &in) || !hd_dims_equal(&in.dims, &parts[i].dims) ||
            in.bytes != (size_t)hd_dims_count(&in.dims) * hd_dtype_size(parts[i].dtype))
            return damaged(t, path, "its counts are not those of the recipe");
        memcpy((void *)(uintptr_t)parts[i].data, in.data, in.bytes);
    }
    return hd_weights_put(&t->all, t->model);
}

static hd_status read_state(hd_trainer *t, const hd_tensors *file, const char *path) {
    const char *text = hd_tensors_metadata(file, "hadal.state");
    hd_json *state = NULL;
    if (!text) return damaged(t, path, "it holds no state of a run");
    HD_TRY(hd_json_parse(&state, &t->arena, path, text, strlen(text)));
    HD_TRY(check_same_run(t, path, state));
    HD_TRY(read_numbers(t, path, state));
    HD_TRY(read_scores(t, path, hd_json_get(state, "best_train"), &t->state.best_train));
    HD_TRY(read_scores(t, path, hd_json_get(state, "best_val"), &t->state.best_val));
    HD_TRY(read_tensors(t, file, path));
    hd_store_set_step(t->model->store, t->state.total_steps);
    hd_store_set_updates(t->model->store, t->state.updates);
    return HD_OK;
}

/* A best that is newer than last.state is no harm: the epochs between are trained again and make the same. */
static hd_status read_best(hd_trainer *t) {
    char path[4200];
    hd_tensors *file = NULL;
    if (t->state.best_epoch == 0) return HD_OK;
    HD_TRY(hd_tensors_open(&file, t->ctx, path_in(t, path, sizeof path, "best.safetensors")));
    const hd_status status = hd_weights_read(&t->best, file, path, false, NULL);
    hd_tensors_close(file);
    t->best_saved = status == HD_OK;
    return status;
}

hd_status hd_checkpoint_load(hd_trainer *t) {
    char path[4200];
    hd_tensors *file = NULL;
    HD_TRY(hd_tensors_open(&file, t->ctx, path_in(t, path, sizeof path, "last.state")));
    const hd_status status = read_state(t, file, path);
    hd_tensors_close(file);
    return status == HD_OK ? read_best(t) : status;
}
