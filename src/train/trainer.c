/* trainer.c: sets a run up: recipe, data, model, programs, loaders, folder. Nothing is trained here; what can go wrong
 * before the first step goes wrong here. */
#include "train/trainer.h"
#include "base/file.h"
#include "base/status.h"
#include "train/method.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

double hd_clock(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *hd_stop_name(hd_stop stop) {
    static const char *const names[] = {"epochs", "steps",       "patience", "time",
                                        "target", "interrupted", "diverged", "converged"};
    return (unsigned)stop < sizeof names / sizeof names[0] ? names[stop] : "?";
}

/* ---- data ---- */

/* Steps that are said mean as many epochs as they need, where epochs are not said. */
static hd_status settle_epochs(hd_trainer *t) {
    const int64_t steps = hd_recipe_int(t->recipe, "train.steps"), count = t->split.train_count;
    const int64_t asked = hd_recipe_int(t->recipe, "train.batch_size"), batch = asked < count ? asked : count;
    char text[32];
    if (steps == 0 || hd_recipe_said(t->recipe, "train.epochs")) return HD_OK;
    const int64_t epochs = (steps - 1) / (count / batch) + 1;
    if (epochs <= hd_recipe_int(t->recipe, "train.epochs")) return HD_OK;
    (void)snprintf(text, sizeof text, "%lld", (long long)epochs);
    return hd_recipe_set(t->recipe, "train.epochs", text);
}

static hd_status open_data(hd_trainer *t, const hd_trainer_args *args) {
    t->data = args->data;
    if (!t->data) {
        HD_TRY(hd_recipe_open_data(&t->data, t->recipe, args->data_dir));
        t->owns_data = true;
    }
    const hd_split_args split = {.val = hd_recipe_number(t->recipe, "data.val"),
                                 .test = hd_recipe_number(t->recipe, "data.test"),
                                 .mode = hd_recipe_text(t->recipe, "data.split"),
                                 .seed = (uint64_t)hd_recipe_int(t->recipe, "train.seed")};
    HD_TRY(hd_split_make(&t->split, t->data, &split));
    if (t->split.train_count > 0) {
        HD_TRY(settle_epochs(t));
        return hd_data_refill(t->data, t->split.train, t->split.train_count);
    }
    return hd_fail(t->ctx, HD_E_DATA, "%s|no sample is left to train on|Hold out less: val=0.1",
                   hd_data_get_info(t->data).name);
}

/* Numbers to predict are scaled by the training part as inputs are. moments: [2 · targets]. */
static hd_status scale_targets(hd_trainer *t, hd_data_info *info) {
    double *moments = NULL;
    if (info->classes > 0 || info->positions > 0 ||
        strcmp(hd_recipe_text(t->recipe, "data.normalize"), "standard") != 0)
        return HD_OK;
    HD_TRY(hd_target_moments(t, &moments));
    const size_t n = (size_t)info->targets;
    float *scale = hd_arena_alloc_n(&t->arena, n, 2 * sizeof *scale);
    for (size_t i = 0; scale && i < 2 * n; i++) scale[i] = (float)moments[i];
    hd_free(t->ctx, moments);
    info->target_mean = scale;
    info->target_std = scale ? scale + n : NULL;
    return scale ? HD_OK : HD_E_MEMORY;
}

/* Class weights that are to be balanced become numbers: they are part of what the run is. */
static hd_status balance(hd_trainer *t, int64_t classes) {
    if (classes < 1) return HD_OK;
    int64_t *seen = hd_alloc_n(t->ctx, (size_t)classes, sizeof *seen);
    if (!seen) return HD_E_MEMORY;
    hd_status status = hd_count_labels(t->ctx, t->data, t->split.train, t->split.train_count, seen);
    if (status == HD_OK) status = hd_loss_balance(t->recipe, classes, seen);
    hd_free(t->ctx, seen);
    return status;
}

/* Numbers to predict must be such as the loss takes. */
static hd_status check_targets(const hd_trainer *t) {
    const hd_task *task = &t->model->task;
    const char *name = hd_data_get_info(t->data).name;
    if (task->classes > 0 || task->loss.target == HD_TARGET_NUMBER) return HD_OK;
    if (task->reconstructs) return hd_reconstruct_check(t->model, t->data, t->split.train, t->split.train_count);
    const int64_t width = task->targets * hd_task_rows(task);
    float *row = hd_alloc_n(t->ctx, (size_t)width, sizeof *row);
    hd_status status = row ? HD_OK : HD_E_MEMORY;
    for (int64_t i = 0; i < t->split.train_count && status == HD_OK; i++) {
        hd_data_values(t->data, t->split.train[i], row);
        for (int64_t k = 0; k < width && status == HD_OK; k++)
            if (!(task->positions > 0 && row[k] == -1) && !hd_loss_bounds(&task->loss, (double)row[k]))
                status = hd_fail(t->ctx, HD_E_MODEL,
                                 "train.loss|%s takes targets that are %s, sample %lld of %s has %g|Any number fits "
                                 "mse, l1, smooth_l1, huber",
                                 task->loss.name, hd_loss_bounds_text(&task->loss), (long long)t->split.train[i], name,
                                 (double)row[k]);
    }
    hd_free(t->ctx, row);
    return status;
}

/* A run that is gone on with has its weights. */
static hd_status begin_with(hd_trainer *t, const hd_data_info *info) {
    const bool going_on = t->resumed && hd_checkpoint_exists(t->folder);
    return hd_recipe_text(t->recipe, "train.from") && !going_on ? hd_transfer_open(&t->transfer, t->recipe, info)
                                                                : HD_OK;
}

static hd_status make_model(hd_trainer *t) {
    hd_data_info info = hd_data_get_info(t->data);
    hd_normalizer z = {.ctx = t->ctx};
    HD_TRY(begin_with(t, &info));
    HD_TRY(scale_targets(t, &info));
    HD_TRY(balance(t, info.classes));
    HD_TRY(hd_model_new(&t->model, t->recipe, &info));
    hd_status status = hd_normalizer_fit(&z, t->data, t->split.train, t->split.train_count,
                                         hd_recipe_text(t->model->recipe, "data.normalize"));
    if (status == HD_OK) status = hd_model_set_normalizer(t->model, &z);
    hd_normalizer_free(&z);
    if (status == HD_OK) status = hd_model_check_rows(t->model, t->data, &t->split);
    return status == HD_OK ? check_targets(t) : status;
}

/* ---- programs ---- */

static hd_status make_step_program(hd_trainer *t, hd_target target, int64_t batch, hd_step_program *out) {
    const hd_compile_args args = hd_model_compile_args(t->model, batch);
    HD_TRY(hd_compile_with(&out->program, target, &args));
    out->batch = batch;
    out->x = hd_program_input(out->program, "x");
    out->target = hd_program_input(out->program, "target");
    return HD_OK;
}

/* The training programs come first: they choose the layouts of the weights. */
static hd_status make_programs(hd_trainer *t) {
    const int64_t count = t->split.train_count, asked = hd_recipe_int(t->recipe, "train.batch_size");
    const int64_t batch = asked < count ? asked : count, rest = count % batch;
    const bool drop_last = hd_recipe_bool(t->recipe, "train.drop_last") || hd_recipe_bool(t->recipe, "train.streams");
    hd_optimizer optimizer;
    HD_TRY(hd_recipe_training(&optimizer, &t->arena, t->recipe));
    t->accumulate = hd_recipe_int(t->recipe, "train.accumulate");
    const hd_target step = t->method ? (hd_target){0} : hd_train_step(t->model->loss, optimizer);
    HD_TRY(hd_trainer_take_tuning(t, t->method ? NULL : &step, batch));
    if (t->method) {
        hd_program *score = NULL; /* the model's; all that is needed of the training part are its scores */
        HD_TRY(hd_model_infer(t->model, count, &score, &t->full.batch));
        t->model->train_plan = t->model->infer_plan = hd_program_memory(score);
        t->model->train_plan.scratch +=
            hd_fit_data_bytes(count, hd_dims_count(&t->model->data.sample), t->model->task.outputs);
        t->model->train_plan.total =
            t->model->train_plan.total - t->model->infer_plan.scratch + t->model->train_plan.scratch;
        t->model->planned = true;
    }
    if (!t->method) {
        HD_TRY(make_step_program(t, step, batch, &t->full));
        HD_TRY(hd_groups_check_names(t->recipe, &optimizer, t->model->store));
        if (rest > 0 && !drop_last) HD_TRY(make_step_program(t, step, rest, &t->last));
        t->model->train_plan = hd_program_memory(t->full.program);
        if (t->model->train_plan.recomputed > 0)
            hd_log_line(t->ctx, HD_LOG_WARNING,
                        "memory: %d kernel calls of the forward pass run a second time each step, so that it fits: the "
                        "same numbers, slower",
                        t->model->train_plan.recomputed);
    }
    if (t->split.val_count == 0) return HD_OK;
    HD_TRY(hd_model_infer(t->model, t->split.val_count, &t->val_program, &t->val_batch));
    t->model->infer_plan = hd_program_memory(t->val_program);
    t->model->planned = t->val_batch == batch;
    return HD_OK;
}

static hd_status make_loaders(hd_trainer *t) {
    const hd_recipe *r = t->recipe;
    const int64_t size = hd_dims_count(&t->model->data.sample);
    const bool streams = hd_recipe_bool(r, "train.streams");
    /* A thread of its own costs two wake-ups a batch: worth it from about 64,000 numbers on. */
    const bool large = (double)t->full.batch * (double)size >= 65536;
    HD_TRY(hd_loader_new(&t->train_loader, t->data,
                         &(hd_loader_args){.indices = t->split.train,
                                           .count = t->split.train_count,
                                           .batch_size = t->full.batch,
                                           .shuffle = !t->method && hd_recipe_bool(r, "train.shuffle") && !streams,
                                           .shift = !t->method && hd_recipe_bool(r, "train.shuffle"),
                                           .streams = streams,
                                           .flip = !t->method && hd_recipe_bool(r, "data.augment.flip"),
                                           .crop = t->method ? 0 : hd_recipe_int(r, "data.augment.crop"),
                                           .drop_last = !t->method && hd_recipe_bool(r, "train.drop_last"),
                                           .seed = (uint64_t)hd_recipe_int(r, "train.seed"),
                                           .normalizer = &t->model->normalizer,
                                           .prefetch = large && hd_recipe_bool(r, "train.prefetch")}));
    if (t->split.val_count == 0) return HD_OK;
    return hd_loader_new(&t->val_loader, t->data,
                         &(hd_loader_args){.indices = t->split.val,
                                           .count = t->split.val_count,
                                           .batch_size = t->val_batch,
                                           .normalizer = &t->model->normalizer});
}

static hd_status make_tallies(hd_trainer *t) {
    const hd_task *task = &t->model->task;
    const bool confusion = hd_metric_list_needs_confusion(&t->model->metrics);
    const bool label = task->loss.target == HD_TARGET_CLASS;
    t->tally_outputs = !label || confusion;
    HD_TRY(hd_tally_init(&t->running, t->ctx, task, confusion));
    HD_TRY(hd_tally_init(&t->val, t->ctx, task, confusion));
    if (task->classes > 0 && !label) {
        t->target_rows = hd_alloc_n(t->ctx, (size_t)(t->full.batch * task->outputs), sizeof *t->target_rows);
        if (!t->target_rows) return HD_E_MEMORY;
    }
    if (!label || task->positions == 0) return HD_OK;
    t->target_labels = hd_alloc_n(t->ctx, (size_t)t->full.batch, (size_t)task->positions * sizeof *t->target_labels);
    return t->target_labels ? HD_OK : HD_E_MEMORY;
}

/* Everything that steps and validation need is allocated now, and weights get their first values. */
static hd_status prepare(hd_trainer *t) {
    if (t->full.program) HD_TRY(hd_program_prepare(t->full.program));
    if (t->last.program) HD_TRY(hd_program_prepare(t->last.program));
    if (t->val_program) HD_TRY(hd_program_prepare(t->val_program));
    HD_TRY(hd_weights_new(&t->best, t->model, false));
    HD_TRY(hd_weights_new(&t->all, t->model, true));
    HD_TRY(hd_average_new(t));
    return hd_weights_fetch(&t->best, t->model);
}

/* ---- the folder ---- */

static hd_status make_folder(hd_trainer *t, const hd_trainer_args *args) {
    char *recipe = NULL;
    const char *name = args->name && args->name[0] ? args->name : hd_data_get_info(t->data).name;
    HD_TRY(hd_recipe_json(t->model->recipe, &recipe));
    const hd_status status = hd_run_folder_make(&t->arena, t->ctx, args->out, name, recipe, &t->folder);
    hd_memory_free(t->ctx, recipe);
    return status;
}

/* A run that has ended by itself is not gone on with: its result is handed out again. */
static hd_status look_for_result(hd_trainer *t) {
    const char *path = hd_arena_printf(&t->arena, "%s/result.json", t->folder);
    char *text = NULL;
    size_t length = 0;
    hd_json *tree = NULL;
    if (!path) return HD_E_MEMORY;
    if (!hd_path_exists(path)) return HD_OK;
    HD_TRY(hd_file_read(t->ctx, path, 64 << 20, &text, &length));
    const hd_status status = hd_json_parse(&tree, &t->arena, path, text, length);
    const hd_json *stopped = status == HD_OK ? hd_json_get(tree, "stopped") : NULL;
    if (stopped && stopped->type == HD_JSON_STRING && strcmp(stopped->string, hd_stop_name(HD_STOP_INTERRUPTED)) != 0) {
        t->finished = true;
        t->finished_json = text;
        return HD_OK;
    }
    hd_free(t->ctx, text);
    return status;
}

static hd_status find_run(hd_trainer *t, const hd_trainer_args *args) {
    if (args->recipe)
        return hd_fail(t->ctx, HD_E_USAGE, "%s|a resumed run takes its own recipe|Give none", args->resume);
    if (!hd_path_is_dir(args->resume))
        return hd_fail(t->ctx, HD_E_FILE, "%s|there is no such run folder|See runs/", args->resume);
    t->folder = hd_arena_strdup(&t->arena, args->resume);
    const char *recipe = hd_arena_printf(&t->arena, "%s/recipe.yaml", args->resume);
    if (!t->folder || !recipe) return HD_E_MEMORY;
    HD_TRY(hd_recipe_load(&t->recipe, t->ctx, recipe));
    t->resumed = true;
    return look_for_result(t);
}

/* ---- public ---- */

static hd_status set_up(hd_trainer *t, const hd_trainer_args *args) {
    if (args->resume)
        HD_TRY(find_run(t, args));
    else if (args->recipe)
        HD_TRY(hd_recipe_copy(&t->recipe, args->recipe));
    else
        HD_TRY(hd_recipe_new(&t->recipe, t->ctx));
    HD_TRY(open_data(t, args));
    if (t->finished) return hd_model_open(&t->model, t->ctx, t->folder);
    HD_TRY(hd_trainer_choose_method(t));
    if (t->method && t->method->settle) HD_TRY(t->method->settle(t));
    HD_TRY(make_model(t));
    HD_TRY(make_programs(t));
    HD_TRY(hd_limits_read(&t->limits, t->recipe, &t->model->metrics, t->split.val_count > 0));
    HD_TRY(hd_transfer_normalize(&t->transfer, t->model));
    HD_TRY(make_loaders(t));
    HD_TRY(make_tallies(t));
    HD_TRY(prepare(t));
    const int64_t per_epoch = hd_loader_steps(t->train_loader);
    int64_t total = 0;
    if (__builtin_mul_overflow(per_epoch, t->limits.epochs, &total)) total = INT64_MAX;
    if (t->limits.steps > 0 && t->limits.steps < total) total = t->limits.steps;
    t->schedule = hd_schedule_make(t->recipe, per_epoch, total);
    t->schedule.plateau = &t->state.plateau;
    const bool going_on = t->resumed && hd_checkpoint_exists(t->folder);
    HD_TRY(hd_transfer_take(&t->transfer, t->model));
    if (!t->resumed) HD_TRY(make_folder(t, args));
    HD_TRY(hd_trainer_keep_tuning(t));
    HD_TRY(hd_transfer_note(&t->transfer, t->ctx, t->folder));
    if (t->resumed) HD_TRY(hd_transfer_recall(&t->transfer, &t->arena, t->folder));
    if (going_on) HD_TRY(hd_checkpoint_load(t));
    return hd_run_log_open(&t->log, t->ctx, t->folder, t->state.log_bytes, t->state.csv_bytes);
}

hd_status hd_trainer_new(hd_trainer **out, hd_context *ctx, const hd_trainer_args *args) {
    *out = NULL;
    hd_trainer *t = hd_alloc(ctx, sizeof *t);
    if (!t) return HD_E_MEMORY;
    t->ctx = t->arena.ctx = t->split.ctx = ctx;
    t->folder = "";
    t->log.log = t->log.csv = -1;
    t->note.ctx = t->found.ctx = ctx;
    t->progress = args->progress;
    t->progress_user = args->user;
    t->progress_every = args->progress_every == 0 ? 0.05 : args->progress_every;
    t->seconds_before = args->seconds_before;
    t->table = args->tuning;
    t->tune = args->tune;
    const hd_status status = set_up(t, args);
    if (status == HD_OK)
        *out = t;
    else
        hd_trainer_free(t);
    return status;
}

void hd_trainer_free(hd_trainer *t) {
    if (!t) return;
    hd_context *ctx = t->ctx;
    hd_run_log_close(&t->log);
    hd_loader_free(t->train_loader);
    hd_loader_free(t->val_loader);
    hd_program_free(t->full.program);
    hd_program_free(t->last.program);
    hd_weights_free(&t->best);
    hd_weights_free(&t->all);
    hd_free(ctx, t->average.memory);
    hd_tally_free(&t->running, ctx);
    hd_tally_free(&t->val, ctx);
    hd_transfer_free(&t->transfer);
    hd_model_free(t->model);
    hd_tuning_free(t->tuning);
    hd_split_free(&t->split);
    if (t->owns_data) hd_data_free(t->data);
    hd_recipe_free(t->recipe);
    hd_text_free(&t->note);
    hd_text_free(&t->found);
    hd_free(ctx, t->target_rows);
    hd_free(ctx, t->target_labels);
    hd_free(ctx, t->finished_json);
    hd_free(ctx, t->confusion);
    hd_free(ctx, t->scores);
    hd_free(ctx, t->result_json);
    hd_arena_free(&t->arena);
    hd_free(ctx, t);
}

hd_transfer_info hd_trainer_transfer(const hd_trainer *t) {
    return t->transfer.on ? t->transfer.info : (hd_transfer_info){0};
}
hd_model *hd_trainer_model(hd_trainer *t) {
    return t->model;
}
hd_dataset *hd_trainer_data(hd_trainer *t) {
    return t->data;
}
const hd_split *hd_trainer_split(const hd_trainer *t) {
    return &t->split;
}
const char *hd_trainer_run_folder(const hd_trainer *t) {
    return t->folder;
}

hd_memory hd_trainer_memory(const hd_trainer *t) {
    return t->full.program ? hd_program_memory(t->full.program) : t->model->train_plan;
}

/* Mapped data count too: their pages are in memory while they are trained on. */
static size_t data_bytes(const hd_dataset *data) {
    const hd_data_info i = hd_data_get_info(data);
    const double each = (double)hd_dims_count(&i.sample) / (double)(i.overlap + 1);
    const double mapped = (double)i.count * each * (double)hd_dtype_size(i.stored);
    return mapped > (double)i.bytes ? (size_t)mapped : i.bytes;
}

size_t hd_trainer_plan_bytes(const hd_trainer *t) {
    if (!t->full.program && !t->method) return 0;
    const hd_memory m = t->method ? t->model->train_plan : hd_program_memory(t->full.program);
    size_t arena = m.arena + (t->method ? m.scratch : 0);
    if (t->val_program) {
        const size_t val = hd_program_memory(t->val_program).arena;
        if (val > arena) arena = val; /* programs share one */
    }
    size_t loaders = hd_loader_bytes(t->train_loader);
    if (t->val_loader) loaders += hd_loader_bytes(t->val_loader);
    const size_t stage = (size_t)(t->model->stage_rows * hd_dims_count(&t->model->data.sample)) * sizeof(float);
    return m.params + m.states + m.optimizer + arena + data_bytes(t->data) + loaders + stage + t->best.bytes +
           t->all.bytes;
}

hd_status hd_trainer_run(hd_trainer *t, hd_result *result) {
    *result = (hd_result){.run = t->folder, .finished = t->finished, .result_json = t->finished_json, .note = ""};
    if (t->finished) return HD_OK;
    const hd_status status = hd_trainer_loop(t);
    if (status != HD_OK && status != HD_E_DIVERGED) return status;
    const hd_error why = hd_last_error_parts(t->ctx);
    char where[256], what[512], fix[256]; /* ending the run may fail too, and must not hide the first cause */
    (void)snprintf(where, sizeof where, "%s", why.where);
    (void)snprintf(what, sizeof what, "%s", why.what);
    (void)snprintf(fix, sizeof fix, "%s", why.fix);
    HD_TRY(hd_trainer_end(t, result));
    return status == HD_OK ? HD_OK : hd_fail(t->ctx, HD_E_DIVERGED, "%s|%s|%s", where, what, fix);
}
