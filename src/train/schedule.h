/* schedule.h: learning rates over a run, as functions of the step alone: nothing to save, nothing to restore. One kind
 * also looks at what came out (plateau); what it remembers is the run's. */
#ifndef HD_TRAIN_SCHEDULE_H
#define HD_TRAIN_SCHEDULE_H
#include "train/recipe.h"

typedef struct hd_schedule hd_schedule;

/* A setting that a kind reads: its name under train.schedule, and its default where it is not that of the key. */
typedef struct hd_schedule_setting {
    const char *name, *def;
} hd_schedule_setting;

/* A kind of schedule: one file each. */
typedef struct hd_schedule_kind {
    const char *name;
    const char *formula, *source;
    const hd_schedule_setting *settings; /* ends with {0} */
    /* Rate at step t (0, 1, …) of `total`, warm-up taken off both. */
    double (*rate)(const hd_schedule *s, double t, double total);
} hd_schedule_kind;

/* What plateau remembers; all zero at the start. */
typedef struct hd_plateau {
    double lr, best; /* of no meaning before the first epoch is seen */
    int64_t seen, bad, cooldown;
} hd_plateau;

enum { HD_CYCLE_TRIANGULAR, HD_CYCLE_TRIANGULAR2, HD_CYCLE_EXP_RANGE };
enum { HD_MAX_MILESTONES = 64 };

struct hd_schedule {
    const hd_schedule_kind *kind;
    double lr;
    double total;                /* steps of the whole run */
    double epoch;                /* steps of an epoch */
    double warmup, warmup_start; /* steps; share of lr at step 0 */
    double step_size, gamma;     /* in steps */
    double eta_min;
    double pct_start, div_factor, final_div_factor;
    bool linear;
    double factor, end_factor, length, power; /* length in steps; 0: the whole run, or none */
    double t_0, t_mult;
    double base_lr, step_up, step_down;
    int mode;
    double threshold, min_lr;
    int64_t patience, cooldown;
    int32_t milestone_count;
    double milestone[HD_MAX_MILESTONES]; /* steps, ascending */
    const hd_plateau *plateau;           /* the run's; NULL: none */
};

const hd_schedule_kind *hd_schedule_find(const char *name);
/* Names of all kinds, ended by NULL. */
const char *const *hd_schedule_names(void);
/* Does a kind read a setting? def (may be NULL): its own default, NULL where it is the key's. */
bool hd_schedule_reads(const char *kind, const char *setting, const char **def);
/* From a recipe; per_epoch steps are one epoch. */
hd_schedule hd_schedule_make(const hd_recipe *recipe, int64_t per_epoch, int64_t total);
double hd_schedule_lr(const hd_schedule *s, int64_t step);
/* Does the rate ever change? */
bool hd_schedule_moves(const hd_schedule *s);
/* At the end of an epoch: `value` is what is watched, `higher` whether more is better. */
void hd_plateau_see(const hd_schedule *s, hd_plateau *p, double value, bool higher);
#endif
