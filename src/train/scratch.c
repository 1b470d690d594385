/* scratch.c: what a network reaches that begins with nothing: the same recipe without borrowed weights, on the same
 * parts, so that a report can say what the borrowing was worth. */
#include "base/status.h"
#include "train/trainer.h"

/* Who watches the run may end this one too; its epochs are none of the run's. */
static bool watched(void *user, const hd_progress *progress) {
    const hd_trainer *t = user;
    hd_progress now = *progress;
    now.epoch_end = now.best = false;
    now.seconds = t->state.seconds + hd_clock() - t->started;
    return atomic_load(&t->asked_to_stop) || (t->progress && t->progress(t->progress_user, &now));
}

/* A key said as null counts as not said. */
static hd_status bare_recipe(const hd_trainer *t, hd_recipe **out) {
    static const char *const without[] = {"train.from", "train.rename", "train.freeze", "train.compare_scratch"};
    HD_TRY(hd_recipe_copy(out, t->recipe));
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        if (!hd_recipe_said(*out, without[i])) continue;
        hd_json *nothing = hd_json_new(&(*out)->arena, HD_JSON_NULL);
        if (!nothing) return HD_E_MEMORY;
        HD_TRY(hd_recipe_put(*out, without[i], nothing));
    }
    hd_json *no = hd_json_new_bool(&(*out)->arena, false);
    return no ? hd_recipe_put(*out, "eval.baselines", no) : HD_E_MEMORY;
}

hd_status hd_baseline_scratch(hd_trainer *t, double *out) {
    hd_recipe *recipe = NULL;
    hd_trainer *other = NULL;
    hd_result r;
    hd_status status = bare_recipe(t, &recipe);
    if (status == HD_OK)
        status = hd_trainer_new(&other, t->ctx,
                                &(hd_trainer_args){.recipe = recipe,
                                                   .data = t->data,
                                                   .out = "",
                                                   .progress = watched,
                                                   .user = t,
                                                   .progress_every = t->progress_every});
    if (status == HD_OK) status = hd_trainer_run(other, &r);
    if (status == HD_OK && r.stop != HD_STOP_INTERRUPTED) {
        const char *name = t->model->task.classes > 0 ? "accuracy" : "rmse";
        const hd_metric *m = hd_scores_find(r.test.n > 0 ? &r.test : &r.val, name);
        if (m) *out = m->value;
    }
    hd_trainer_free(other);
    hd_recipe_free(recipe);
    return status == HD_E_DIVERGED ? HD_OK : status; /* then it reached nothing */
}
