/* trainer_end.c: the end of a run: the last checkpoint, the best weights, the test part once, baselines, result.json.
 */
#include "base/file.h"
#include "base/status.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_SCORES = 64 << 20 };

size_t hd_peak_bytes(void) {
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) != 0) return 0;
    return (size_t)use.ru_maxrss * 1024;
}

/* The part that is reported on: the test, or validation where there is none. */
static const int64_t *judged_part(const hd_trainer *t, int64_t *count) {
    const bool test = t->split.test_count > 0;
    *count = test ? t->split.test_count : t->split.val_count;
    return test ? t->split.test : t->split.val;
}

/* Reconstructions: scores, and a picture of the first few. */
static hd_status judge_pictures(hd_trainer *t, const int64_t *part, int64_t count) {
    enum { SHOWN = 12 };
    char path[4200];
    hd_scores scores;
    HD_TRY(hd_model_eval(t->model, t->data, part, count, &scores, NULL, NULL));
    if (t->split.test_count > 0) t->test = scores;
    if (!t->folder[0]) return HD_OK;
    (void)snprintf(path, sizeof path, "%s/reconstructions.png", t->folder);
    return hd_reconstruct_picture(t->model, t->data, part, count < SHOWN ? count : SHOWN, path);
}

static hd_status judge(hd_trainer *t) {
    const hd_task *task = &t->model->task;
    int64_t count = 0;
    const int64_t *part = judged_part(t, &count);
    hd_scores scores;
    if (count == 0) return HD_OK;
    if (task->reconstructs) return judge_pictures(t, part, count);
    const size_t cells = (size_t)(task->classes * task->classes), columns = (size_t)hd_task_columns(task);
    if (cells > 0 && cells * sizeof(int64_t) <= MAX_SCORES &&
        !(t->confusion = hd_alloc_n(t->ctx, cells, sizeof(int64_t))))
        return HD_E_MEMORY;
    if (task->positions == 0 && (double)count * (double)columns * sizeof(float) <= MAX_SCORES &&
        !(t->scores = hd_alloc_n(t->ctx, (size_t)count * columns, sizeof(float))))
        return HD_E_MEMORY;
    HD_TRY(hd_model_eval(t->model, t->data, part, count, &scores, t->confusion, t->scores));
    if (t->split.test_count > 0) t->test = scores;
    if (hd_recipe_bool(t->recipe, "train.compare_scratch")) HD_TRY(hd_baseline_scratch(t, &t->transfer.scratch));
    if (!hd_recipe_bool(t->recipe, "eval.baselines")) return HD_OK;
    HD_TRY(hd_baseline_majority(t, part, count, &t->majority));
    return hd_baseline_linear(t, part, count, &t->linear);
}

/* The last weights are worthless: the best stand for them, or, before the first epoch's end, the first. */
static hd_status end_diverged(hd_trainer *t) {
    char path[4200];
    HD_TRY(hd_weights_put(&t->best, t->model));
    hd_weights_sha256(&t->best, t->sha256);
    if (!t->folder[0]) return HD_OK;
    HD_TRY(hd_run_log_flush(&t->log));
    (void)snprintf(path, sizeof path, "%s/last.safetensors", t->folder);
    HD_TRY(hd_model_write(t->model, &t->best, path, NULL));
    (void)snprintf(path, sizeof path, "%s/best.safetensors", t->folder);
    return hd_model_write(t->model, &t->best, path, NULL);
}

static hd_status end_interrupted(hd_trainer *t) {
    HD_TRY(hd_checkpoint_save(t));
    if (t->state.best_epoch == 0) return HD_OK; /* the model stays as it is now */
    return hd_weights_put(&t->best, t->model);
}

static void fill_result(hd_trainer *t, hd_result *r) {
    const hd_run_state *s = &t->state;
    *r = (hd_result){
        .run = t->folder,
        .params = t->model->params,
        .epochs = s->epoch,
        .steps = s->total_steps,
        .best_epoch = s->best_epoch,
        .seconds = t->seconds_before + s->seconds + hd_clock() - t->started,
        .train = s->best_train,
        .val = s->best_val,
        .test = t->test,
        .stop = t->stop,
        .plan_bytes = hd_trainer_plan_bytes(t),
        .seed = (uint64_t)hd_recipe_int(t->recipe, "train.seed"),
        .threads = hd_context_threads(t->ctx),
        .majority = t->majority,
        .linear = t->linear,
        .scratch = t->transfer.scratch,
        .peak_bytes = hd_peak_bytes(),
        .confusion = t->confusion,
        .scores = t->scores,
        .note = hd_text_str(&t->note),
        .skipped = hd_skipped_steps(t),
    };
    if (s->best_epoch == 0 && t->running.n > 0 && t->stop == HD_STOP_INTERRUPTED)
        hd_scores_make(&r->train, &t->running, &t->model->metrics);
    memcpy(r->weights_sha256, t->sha256, sizeof r->weights_sha256);
}

hd_status hd_trainer_end(hd_trainer *t, hd_result *result) {
    t->majority = t->linear = t->transfer.scratch = (double)NAN;
    if (t->stop == HD_STOP_DIVERGED) {
        HD_TRY(end_diverged(t));
    } else if (t->stop == HD_STOP_INTERRUPTED) {
        HD_TRY(end_interrupted(t));
    } else {
        HD_TRY(hd_checkpoint_save(t));
        HD_TRY(hd_weights_put(&t->best, t->model));
        HD_TRY(judge(t));
    }
    fill_result(t, result);
    return hd_result_write(t, result);
}
