/* trainer_loop.c: the loop: epochs of steps, validation, what is better, when it ends. A step adds no allocation, no
 * search and one reading of the clock to the program's own time. */
#include "base/status.h"
#include "train/method.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAVE_SECONDS = 5 }; /* from one unasked checkpoint to the next, at ends of epochs */

/* ---- a step ---- */

/* What the step learns; *counted: samples, or positions that are no padding. */
static const void *target_of(hd_trainer *t, const hd_batch *b, int64_t *counted) {
    const hd_task *task = &t->model->task;
    *counted = b->n;
    if (task->reconstructs) return NULL;
    if (t->target_labels) {
        const int64_t n = b->n * task->positions, padding = hd_loss_ignored(&task->use);
        for (int64_t i = 0; i < n; i++) t->target_labels[i] = b->label[i] < 0 ? padding : b->label[i];
        for (int64_t i = *counted = 0; i < n; i++) *counted += b->label[i] >= 0;
        return t->target_labels;
    }
    if (task->loss.target == HD_TARGET_CLASS) return b->label;
    if (task->classes == 0) return b->value;
    for (int64_t i = 0; i < b->n; i++) hd_task_target(task, b->label[i], t->target_rows + i * task->outputs);
    return t->target_rows;
}

static hd_status diverged(hd_trainer *t) {
    char lr[32];
    t->stop = HD_STOP_DIVERGED;
    return hd_fail(
        t->ctx, HD_E_DIVERGED,
        "train|the loss is no longer a finite number, in epoch %lld, step %lld|Try a smaller learning rate than "
        "%s, or max_norm=1",
        (long long)t->state.epoch + 1, (long long)t->state.total_steps + 1,
        hd_text_from_f64(lr, hd_schedule_lr(&t->schedule, t->state.total_steps)));
}

/* Gradients of t->accumulate batches are added up, each counting by its samples; the last batches of an epoch, which
 * may be fewer, make a step too. What is said follows from the step alone, so that a resumed run says the same. */
static void accumulate(const hd_trainer *t, const hd_step_program *p, int64_t n) {
    const int64_t steps = hd_loader_steps(t->train_loader), k = t->accumulate, first = t->state.step / k * k;
    const int64_t end = first + k < steps ? first + k : steps;
    if (k < 2) return;
    int64_t samples = (end - first) * t->full.batch;
    if (end == steps && t->last.program) samples -= t->full.batch - t->last.batch;
    hd_program_accumulate(p->program, (double)n, t->state.step + 1 == end ? 1 / (double)samples : 0);
}

static hd_status take_step(hd_trainer *t, const hd_batch *b, double *loss) {
    const hd_step_program *p = b->n == t->full.batch ? &t->full : &t->last;
    HD_TRY(hd_model_check_index(t->model, b->x, b->n, b->index, 0));
    hd_program_bind(p->program, p->x, b->x);
    int64_t counted = 0;
    const void *target = target_of(t, b, &counted);
    if (target) hd_program_bind(p->program, p->target, target);
    hd_program_lr(p->program, hd_schedule_lr(&t->schedule, t->state.total_steps));
    accumulate(t, p, b->n);
    HD_TRY(hd_program_run(p->program));
    *loss = (double)*(const float *)hd_program_get(p->program, "loss");
    if (!isfinite(*loss)) return diverged(t);
    hd_tally_term(&t->running, *loss);
    if (t->tally_outputs) {
        const hd_task *task = &t->model->task;
        const float *values = task->reconstructs ? b->x : b->value;
        const int64_t before = t->running.n;
        hd_tally_add(&t->running, hd_program_get(p->program, "y"), b->label, values, b->n, false);
        counted = t->running.n - before;
        if (task->part) hd_tally_add_part(&t->running, hd_program_get(p->program, task->part), b->n, false);
    } else {
        t->running.correct += *(const int64_t *)hd_program_get(p->program, "correct");
        t->running.n += counted;
    }
    t->running.loss += *loss * (double)counted;
    t->state.step++;
    t->state.total_steps++;
    return HD_OK;
}

/* ---- telling ---- */

static void describe(const hd_trainer *t, hd_progress *p, double now) {
    const int64_t steps = hd_loader_steps(t->train_loader), per_epoch = steps > 0 ? steps : 1;
    const hd_run_state *s = &t->state;
    int64_t left = (t->limits.epochs - s->epoch) * per_epoch - s->step;
    if (t->limits.steps > 0 && t->limits.steps - s->total_steps < left) left = t->limits.steps - s->total_steps;
    const double spent = now - t->epoch_started, done = (double)(s->step - t->epoch_first_step);
    *p = (hd_progress){.epoch = s->epoch + 1,
                       .epochs = t->limits.epochs,
                       .step = s->step,
                       .steps_in_epoch = steps,
                       .total_steps = s->total_steps,
                       .seconds = s->seconds + now - t->started,
                       .lr = hd_schedule_lr(&t->schedule, s->total_steps > 0 ? s->total_steps - 1 : 0)};
    if (spent > 0 && done > 0) {
        p->samples_per_second = done * (double)t->full.batch / spent;
        p->seconds_left = (double)(left > 0 ? left : 0) * spent / done;
    }
    hd_scores_make(&p->train, &t->running, &t->model->metrics);
}

/* True when the caller wants the run to end. */
static bool tell(hd_trainer *t, const hd_progress *p, double now) {
    t->last_progress = now;
    return t->progress && t->progress(t->progress_user, p);
}

void hd_trainer_stop(hd_trainer *trainer) {
    atomic_store(&trainer->asked_to_stop, true);
}

bool hd_trainer_tick(hd_trainer *t) {
    if (!t->train_loader) return false; /* a method's settle: the run has not begun */
    const double now = hd_clock();
    hd_progress p;
    if (t->limits.seconds > 0 && now - t->started >= t->limits.seconds) {
        t->stop = HD_STOP_TIME;
        return true;
    }
    if (atomic_load(&t->asked_to_stop)) t->stop = HD_STOP_INTERRUPTED;
    if (t->stop != HD_STOP_INTERRUPTED && t->progress && now - t->last_progress >= t->progress_every) {
        describe(t, &p, now);
        if (tell(t, &p, now)) t->stop = HD_STOP_INTERRUPTED;
    }
    return t->stop == HD_STOP_INTERRUPTED;
}

/* ---- after a step ---- */

/* What ends or interrupts the run between two steps. *ends: leave the epoch now. */
static hd_status look_around(hd_trainer *t, double loss, int64_t save_every, int64_t log_every, bool *ends) {
    const hd_run_state *s = &t->state;
    if (log_every > 0 && s->total_steps % log_every == 0)
        hd_run_log_step(&t->log, s->total_steps, loss, hd_schedule_lr(&t->schedule, s->total_steps - 1));
    if (save_every > 0 && s->total_steps % save_every == 0) HD_TRY(hd_checkpoint_save(t));
    const double now = hd_clock();
    if (t->limits.steps > 0 && s->total_steps >= t->limits.steps) {
        t->stop = HD_STOP_STEPS;
        *ends = true;
    } else if (t->limits.seconds > 0 && s->seconds + now - t->started >= t->limits.seconds) {
        t->stop = HD_STOP_TIME;
        *ends = true;
    } else if (atomic_load(&t->asked_to_stop) && s->step < hd_loader_steps(t->train_loader)) {
        t->stop = HD_STOP_INTERRUPTED;
        *ends = true;
    } else if (t->progress && now - t->last_progress >= t->progress_every &&
               s->step < hd_loader_steps(t->train_loader)) { /* the last step's report is the epoch's */
        hd_progress p;
        describe(t, &p, now);
        if (tell(t, &p, now)) {
            t->stop = HD_STOP_INTERRUPTED;
            *ends = true;
        }
    }
    return HD_OK;
}

static hd_status run_steps(hd_trainer *t, bool *ends) {
    const int64_t save_every = hd_recipe_int(t->recipe, "train.save_every"),
                  log_every = hd_recipe_int(t->recipe, "train.log_every");
    hd_batch b;
    double loss = 0;
    HD_TRY(hd_loader_seek(t->train_loader, t->state.epoch, t->state.step));
    if (t->state.step == 0) hd_store_clear(t->model->store); /* what was carried ended with the epoch before */
    t->epoch_started = t->last_progress = hd_clock();
    t->epoch_first_step = t->state.step;
    while (!*ends) {
        HD_TRY(hd_loader_next(t->train_loader, &b));
        if (b.n == 0) break;
        HD_TRY(take_step(t, &b, &loss));
        HD_TRY(look_around(t, loss, save_every, log_every, ends));
    }
    return HD_OK;
}

/* ---- after an epoch ---- */

static hd_status validate(hd_trainer *t, hd_scores *out) {
    *out = (hd_scores){0};
    if (!t->val_loader) return HD_OK;
    hd_tally_reset(&t->val);
    HD_TRY(hd_model_score(t->model, t->val_program, t->val_batch, t->val_loader, &t->val, NULL));
    hd_scores_make(out, &t->val, &t->model->metrics);
    return HD_OK;
}

static double value_of(const hd_scores *s, const char *name) {
    const hd_metric *m = hd_scores_find(s, name);
    return m ? m->value : s->loss;
}

/* Without a validation part every epoch is better than the one before. */
static bool is_better(const hd_trainer *t, const hd_scores *val) {
    const double v = value_of(val, t->limits.monitor), best = t->state.best_value;
    if (val->n == 0 || t->state.best_epoch == 0) return true;
    return t->limits.monitor_higher ? v > best : v < best;
}

static hd_status keep_best(hd_trainer *t, hd_progress *p) {
    hd_run_state *s = &t->state;
    p->best = is_better(t, &p->val);
    s->bad_epochs = p->best ? 0 : s->bad_epochs + 1;
    if (!p->best) return HD_OK;
    s->best_epoch = s->epoch + 1;
    s->best_value = value_of(&p->val, t->limits.monitor);
    s->best_train = p->train;
    s->best_val = p->val;
    t->best_saved = false;
    return hd_weights_fetch(&t->best, t->model);
}

static bool reached_target(const hd_trainer *t, const hd_scores *val) {
    if (!t->limits.target_name || val->n == 0) return false;
    char name[32];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(t->limits.target_name, "="), t->limits.target_name);
    const double v = value_of(val, name);
    return t->limits.target_higher ? v >= t->limits.target : v <= t->limits.target;
}

/* Why the run ends here, if it does. A reason that ended the epoch early stands. */
static bool is_over(hd_trainer *t, const hd_progress *p, bool ended) {
    if (ended) return true;
    if (reached_target(t, &p->val))
        t->stop = HD_STOP_TARGET;
    else if (t->limits.patience > 0 && t->state.bad_epochs >= t->limits.patience)
        t->stop = HD_STOP_PATIENCE;
    else if (t->state.epoch >= t->limits.epochs)
        t->stop = HD_STOP_EPOCHS;
    else
        return false;
    return true;
}

hd_status hd_trainer_end_epoch(hd_trainer *t, bool *ends) {
    hd_progress p;
    describe(t, &p, hd_clock());
    HD_TRY(hd_average_show(t));
    HD_TRY(validate(t, &p.val));
    if (p.val.n > 0 && !isfinite(p.val.loss)) return diverged(t);
    p.epoch_end = true;
    HD_TRY(keep_best(t, &p));
    HD_TRY(hd_average_hide(t));
    const bool watched = p.val.n > 0; /* without a validation part the training loss is */
    hd_plateau_see(&t->schedule, &t->state.plateau, watched ? value_of(&p.val, t->limits.monitor) : p.train.loss,
                   watched && t->limits.monitor_higher);
    const double now = hd_clock();
    p.seconds = t->state.seconds + now - t->started;
    hd_run_log_epoch(&t->log, &p);
    HD_TRY(hd_run_log_flush(&t->log));
    t->state.epoch++;
    t->state.step = 0;
    hd_tally_reset(&t->running);
    *ends = is_over(t, &p, *ends);
    const bool asked = tell(t, &p, now) || atomic_load(&t->asked_to_stop);
    if (!*ends && asked) {
        t->stop = HD_STOP_INTERRUPTED;
        *ends = true;
    }
    if (*ends || now - t->last_save < SAVE_SECONDS) return HD_OK;
    return hd_checkpoint_save(t);
}

hd_status hd_trainer_loop(hd_trainer *t) {
    t->started = t->last_save = hd_clock();
    bool ends = false;
    if (t->method) return hd_trainer_fit(t);
    if (t->state.epoch >= t->limits.epochs) { /* saved behind its last epoch, and not ended */
        t->stop = HD_STOP_EPOCHS;
        ends = true;
    }
    while (!ends) {
        HD_TRY(run_steps(t, &ends));
        if (ends && t->stop == HD_STOP_INTERRUPTED) break;
        HD_TRY(hd_trainer_end_epoch(t, &ends));
    }
    return HD_OK;
}
