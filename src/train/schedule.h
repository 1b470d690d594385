/* schedule.h: learning rates over a run, as functions of the step alone: nothing to save, nothing to restore. */
#ifndef HD_TRAIN_SCHEDULE_H
#define HD_TRAIN_SCHEDULE_H
#include "train/recipe.h"

typedef struct hd_schedule hd_schedule;

/* A kind of schedule: one file each. */
typedef struct hd_schedule_kind {
    const char *name;
    const char *formula, *source;
    /* Rate at step t (0, 1, …) of `total`, warm-up taken off both. */
    double (*rate)(const hd_schedule *s, double t, double total);
} hd_schedule_kind;

struct hd_schedule {
    const hd_schedule_kind *kind;
    double lr;
    double total;                /* steps of the whole run */
    double warmup, warmup_start; /* steps; share of lr at step 0 */
    double step_size, gamma;     /* in steps */
    double eta_min;
    double pct_start, div_factor, final_div_factor;
    bool linear;
};

const hd_schedule_kind *hd_schedule_find(const char *name);
/* From a recipe; per_epoch steps are one epoch. */
hd_schedule hd_schedule_make(const hd_recipe *recipe, int64_t per_epoch, int64_t total);
double hd_schedule_lr(const hd_schedule *s, int64_t step);
/* Does the rate ever change? */
bool hd_schedule_moves(const hd_schedule *s);
#endif
