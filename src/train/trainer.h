/* trainer.h: the inside of hd_trainer: a run with everything it holds. Set up in trainer.c, run in trainer_loop.c. */
#ifndef HD_TRAIN_TRAINER_H
#define HD_TRAIN_TRAINER_H
#include "base/text.h"
#include "train/model.h"
#include "train/run_log.h"
#include "train/schedule.h"
#include "train/transfer.h"
#include <stdatomic.h>

/* Where a run stands: all that a checkpoint keeps beside tensors. */
typedef struct hd_run_state {
    int64_t epoch, step; /* next batch: both from 0 */
    int64_t total_steps;
    int64_t best_epoch; /* from 1; 0: none yet */
    int64_t bad_epochs; /* since the best */
    double best_value;  /* of what is monitored */
    double seconds;     /* of training before this process */
    int64_t updates;    /* of weights: fewer than steps where gradients are accumulated */
    int64_t log_bytes, csv_bytes;
    hd_plateau plateau;
    hd_scores best_train, best_val;
} hd_run_state;

/* What ends a run, beside its epochs. */
typedef struct hd_limits {
    int64_t epochs, steps, patience; /* 0: no limit (steps, patience) */
    double seconds;                  /* 0: no limit */
    const char *target_name;         /* NULL: none */
    double target;
    bool target_higher;
    const char *monitor; /* "loss" or a metric */
    bool monitor_higher;
} hd_limits;
HD_CHECKED hd_status hd_limits_read(hd_limits *out, const hd_recipe *recipe, const hd_metric_list *metrics,
                                    bool has_val);

/* The moving average of the weights (train.ema), which lies in the store beside them: as long as it is in their place,
 * `memory` holds the weights themselves. */
typedef struct hd_average {
    char *memory; /* NULL: there is none */
    size_t bytes, largest;
    bool in_place;
} hd_average;

/* A training program and the numbers of its inputs. */
typedef struct hd_step_program {
    hd_program *program;
    int64_t batch;
    int x, target;
} hd_step_program;

struct hd_trainer {
    hd_context *ctx;
    hd_arena arena;
    hd_recipe *recipe; /* as given, or as read from the run that is resumed */
    hd_dataset *data;
    bool owns_data;
    hd_split split;
    hd_model *model;
    hd_step_program full, last; /* last: the short batch at the end of an epoch; program NULL when there is none */
    hd_loader *train_loader, *val_loader;
    hd_program *val_program;
    int64_t val_batch;
    float *target_rows;     /* [batch, outputs]: classes as numbers, where the loss wants them */
    int64_t *target_labels; /* [batch, positions]: labels as the loss's op takes them */
    hd_schedule schedule;
    hd_limits limits;
    hd_tally running, val;
    bool tally_outputs;   /* the running tally reads every output, not only loss and count */
    hd_weights best, all; /* best so far; everything that a checkpoint holds */
    bool best_saved;      /* best.safetensors is up to date */
    hd_average average;
    int64_t accumulate; /* batches a step */
    hd_run_state state;
    hd_transfer transfer; /* with what the run began */
    hd_run_log log;
    const char *folder; /* "" when none is written */
    hd_tuning *table;   /* the caller's, until its choices are copied */
    const hd_tune_args *tune;
    hd_tuning *tuning; /* what this run follows, or NULL */
    hd_tune_result tuned;
    bool resumed, finished;
    char *finished_json;
    const char *run_name;
    double seconds_before;
    bool (*progress)(void *user, const hd_progress *progress);
    void *progress_user;
    double progress_every;
    atomic_bool asked_to_stop;                               /* by any thread */
    double started, epoch_started, last_progress, last_save; /* clock */
    int64_t epoch_first_step;                                /* of this process in this epoch, for speeds */
    const struct hd_method *method;                          /* NULL: steps along the gradient (method.h) */
    void *method_state;                                      /* what its settle hands to its fit; of the arena */
    hd_text note, found; /* of the method: lines for people, an object for programs */
    /* results */
    hd_stop stop;
    char sha256[65];
    hd_scores test;
    double majority, linear;
    int64_t *confusion;
    float *scores;
    char *result_json;
};

double hd_clock(void); /* seconds, monotonic */

/* average.c */
HD_CHECKED hd_status hd_average_new(hd_trainer *t);
/* Puts the average into the weights' place, and takes it away again; nothing happens when there is none. */
HD_CHECKED hd_status hd_average_show(hd_trainer *t);
HD_CHECKED hd_status hd_average_hide(hd_trainer *t);
/* Steps that were left out as outliers so far (train.skip_outliers). */
int64_t hd_skipped_steps(const hd_trainer *t);

/* trainer_loop.c */
HD_CHECKED hd_status hd_trainer_loop(hd_trainer *t);
HD_CHECKED hd_status hd_trainer_end_epoch(hd_trainer *t, bool *ends);
/* trainer_end.c: best weights into the model, test, baselines, result. */
HD_CHECKED hd_status hd_trainer_end(hd_trainer *t, hd_result *result);
HD_CHECKED hd_status hd_result_write(hd_trainer *t, hd_result *result);
size_t hd_peak_bytes(void);

/* run_folder.c: makes the run's folder by rename with the recipe in it. */
HD_CHECKED hd_status hd_run_folder_make(hd_arena *arena, hd_context *ctx, const char *out, const char *name,
                                        const char *recipe, const char **folder);

/* tuned.c: the table that the run's programs are compiled with; measures first where that is asked for (step: what is
 * trained, NULL: nothing is). Then, once they are compiled and the folder is there, what they use is kept. */
HD_CHECKED hd_status hd_trainer_take_tuning(hd_trainer *t, const hd_target *step, int64_t batch);
HD_CHECKED hd_status hd_trainer_keep_tuning(hd_trainer *t);

/* checkpoint.c */
HD_CHECKED hd_status hd_checkpoint_save(hd_trainer *t);
bool hd_checkpoint_exists(const char *folder);
HD_CHECKED hd_status hd_checkpoint_load(hd_trainer *t);

/* baselines.c: scores of a majority (or mean) and of a linear model on a part, and what they count.
 * Adds to `seen` how often each class is a label of these samples. */
HD_CHECKED hd_status hd_count_labels(hd_context *ctx, const hd_dataset *data, const int64_t *part, int64_t count,
                                     int64_t *seen);
/* Mean and deviation of each target over the training part: [2 * targets], freed by hd_free. */
HD_CHECKED hd_status hd_target_moments(const hd_trainer *t, double **out);
HD_CHECKED hd_status hd_baseline_majority(const hd_trainer *t, const int64_t *part, int64_t count, double *out);
HD_CHECKED hd_status hd_baseline_linear(hd_trainer *t, const int64_t *part, int64_t count, double *out);
/* scratch.c: the same network without borrowed weights. *out stays where it reached nothing. */
HD_CHECKED hd_status hd_baseline_scratch(hd_trainer *t, double *out);
#endif
