/* task.h: what is learnt and how it is scored: losses, metrics, running tallies. Knows numbers, not graphs' insides. */
#ifndef HD_TRAIN_TASK_H
#define HD_TRAIN_TASK_H
#include "base/alloc.h"
#include "hadal/ops.h"
#include "hadal/train.h"

typedef struct hd_task hd_task;

/* Built in, or added to the context; ctx may be NULL: built in alone. */
const hd_loss_kind *hd_loss_find(const hd_context *ctx, const char *name);

struct hd_task {
    const hd_loss_kind *loss;
    int64_t classes; /* 0: numbers */
    int64_t outputs; /* of the network */
    int64_t targets; /* numbers a sample, when classes is 0 */
};

/* Columns of hd_model_predict: classes, or outputs. */
int64_t hd_task_columns(const hd_task *task);
void hd_task_scores(const hd_task *task, const float *y, float *out);
/* The class that outputs y choose. */
int64_t hd_task_choose(const hd_task *task, const float *y);
/* The target row [outputs] of a class, for losses that take numbers: 0 or 1 for one output, else one-hot. */
void hd_task_target(const hd_task *task, int64_t label, float *target);

/* Sums over samples, from which every metric follows. */
typedef struct hd_tally {
    const hd_task *task;
    int64_t n;
    double loss; /* sum over samples */
    int64_t correct;
    double square, fourth, absolute; /* Σe², Σe⁴, Σ|e| over all numbers */
    double *sum, *sum2;              /* [targets] Σt, Σt² */
    int64_t *confusion;              /* [classes, classes] rows true; NULL: not counted */
    double *scratch;                 /* [classes], with confusion */
} hd_tally;
/* confusion: count it too. Memory of ctx. */
HD_CHECKED hd_status hd_tally_init(hd_tally *tally, hd_context *ctx, const hd_task *task, bool confusion);
void hd_tally_free(hd_tally *tally, hd_context *ctx);
void hd_tally_reset(hd_tally *tally);
/* Adds n samples: y [n, outputs]; label [n] or values [n, targets]. Loss too when `loss` is set. No allocation. */
void hd_tally_add(hd_tally *tally, const float *y, const int64_t *label, const float *values, int64_t n, bool loss);

/* A metric: one line of metrics.def. */
typedef struct hd_metric_kind {
    const char *name;
    bool classes; /* for classes; else for numbers */
    bool higher_better;
    bool usual;     /* measured when the recipe does not say */
    bool confusion; /* needs the confusion counts */
    const char *formula, *source;
    hd_metric (*measure)(const hd_tally *tally);
} hd_metric_kind;
const hd_metric_kind *hd_metric_at(int i);
const hd_metric_kind *hd_metric_find_kind(const char *name);

/* Chosen metrics of a run. */
typedef struct hd_metric_list {
    int count;
    const hd_metric_kind *kind[HD_MAX_METRICS];
} hd_metric_list;
/* From eval.metrics. Errors: HD_E_MODEL: unknown, or not for this task. */
HD_CHECKED hd_status hd_metric_list_make(hd_metric_list *out, const hd_recipe *recipe, const hd_task *task);
bool hd_metric_list_needs_confusion(const hd_metric_list *list);
void hd_scores_make(hd_scores *out, const hd_tally *tally, const hd_metric_list *list);
#endif
