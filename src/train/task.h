/* task.h: what is learnt and how it is scored: losses, metrics, running tallies. Knows numbers, not graphs' insides. */
#ifndef HD_TRAIN_TASK_H
#define HD_TRAIN_TASK_H
#include "base/alloc.h"
#include "hadal/ops.h"
#include "hadal/train.h"

typedef struct hd_task hd_task;

/* What a loss takes of the data: a class number, i64 [B], or a row f32 [B, outputs] of numbers: 0 … 1, ±1, shares of a
 * whole, any, counts. A class becomes such a row. */
typedef enum hd_loss_target {
    HD_TARGET_CLASS,
    HD_TARGET_YES_NO,
    HD_TARGET_SIGN,
    HD_TARGET_SHARE,
    HD_TARGET_NUMBER,
    HD_TARGET_COUNT
} hd_loss_target;
/* What it takes of the network. */
typedef enum hd_loss_form {
    HD_FORM_LOGITS,
    HD_FORM_PROBABILITIES,
    HD_FORM_LOG_PROBABILITIES,
    HD_FORM_NUMBERS
} hd_loss_form;

/* A loss that a recipe can name; its op has the same name. */
typedef struct hd_loss {
    const char *name;
    hd_loss_target target;
    hd_loss_form form;
    void (*scores)(const float *y, float *out, int64_t outputs);
    const hd_loss_kind *own; /* of the program, which then has no op; or NULL */
} hd_loss;
const hd_loss *hd_loss_at(int i); /* built in; NULL past the end */
/* Built in, or added to the context (which may be NULL); name NULL when there is none. */
hd_loss hd_loss_find(const hd_context *ctx, const char *name);
/* Whether it can be learnt from data of classes, or of numbers; and from such a number. */
bool hd_loss_fits(const hd_loss *loss, bool classes);
bool hd_loss_bounds(const hd_loss *loss, double value);
const char *hd_loss_bounds_text(const hd_loss *loss);

/* The loss with its options. */
typedef union hd_loss_args_bytes {
    char bytes[192];
    double number; /* for alignment */
    void *pointer;
} hd_loss_args_bytes;
typedef struct hd_loss_use {
    const hd_op *op;               /* NULL: a loss of the program */
    hd_loss_args_bytes args, each; /* of the node; of one sample, where weights are not divided by */
    float *weight, *pos_weight;    /* of the model's arena, or NULL */
    int64_t weights, pos_weights;
    int64_t ignored; /* class number, or -1 */
} hd_loss_use;

struct hd_task {
    hd_loss loss;
    hd_loss_use use;
    int64_t classes;   /* 0: numbers */
    int64_t outputs;   /* of the network */
    int64_t targets;   /* numbers a sample (or a position), when classes is 0 */
    int64_t positions; /* answers a sample; 0: one for the whole */
    bool reconstructs; /* the target is the input */
    const char *part;  /* a value [B] of the network that is part of the loss, which then is a sum over outputs; NULL */
};

/* Are its answers rows of 0 and 1 at positions? */
static inline bool hd_task_notes(const hd_task *task) {
    return task->positions > 0 && task->classes == 0 && task->loss.target == HD_TARGET_YES_NO;
}
/* Rows of outputs that a sample gives. */
static inline int64_t hd_task_rows(const hd_task *task) {
    return task->positions > 0 ? task->positions : 1;
}

/* Fills `use` of a task that has the rest. recipe NULL: the defaults. Errors: HD_E_MODEL: weights that do not fit. */
HD_CHECKED hd_status hd_loss_settle(hd_task *task, const hd_recipe *recipe, hd_arena *arena);
/* Writes numbers for `balanced` into a recipe, from how often each class is there. */
HD_CHECKED hd_status hd_loss_balance(hd_recipe *recipe, int64_t classes, const int64_t *seen);
/* The loss of outputs y [B, outputs], or [B, positions, outputs], as a scalar: the mean over what counts. Of positions
 * with numbers 0 … 1 it is the sum over the outputs of a position. */
hd_val hd_loss_build(hd_loc at, const hd_task *task, hd_val y, hd_val target);
/* The loss of one sample, target [outputs] or NULL with a label, times its weight; and that weight (of labels). */
double hd_loss_value(const hd_loss_use *use, const double *y, const double *target, int64_t label, int64_t outputs);
double hd_loss_weight(const hd_loss_use *use, int64_t label);
/* The class number that does not count in the loss's op: a label of −1 becomes it. */
int64_t hd_loss_ignored(const hd_loss_use *use);
/* Whether the loss can be that of positions, which may be padding. */
bool hd_loss_knows_positions(const hd_loss *loss);

/* Columns of hd_model_predict: classes, or outputs. */
int64_t hd_task_columns(const hd_task *task);
void hd_task_scores(const hd_task *task, const float *y, float *out);
/* The class that outputs y choose. */
int64_t hd_task_choose(const hd_task *task, const float *y);
/* The target row [outputs] of a class, for losses that take numbers: 0 or 1 for one output, else one-hot; −1 for 0
 * where the loss takes signs. */
void hd_task_target(const hd_task *task, int64_t label, float *target);

/* Sums over samples, from which every metric follows. */
typedef struct hd_tally {
    const hd_task *task;
    int64_t n;                 /* samples, or positions that count */
    double loss;               /* sum over samples */
    double weight;             /* of the samples, where they have weights; else 0 */
    double terms, term, term2; /* how many losses were added up, of samples or of batches; their sum, of squares too */
    int64_t correct;
    int64_t hits, wrong;             /* of rows of 0 and 1: both say yes; one alone does */
    double square, fourth, absolute; /* Σe², Σe⁴, Σ|e| over all numbers */
    double part;                     /* sum over samples of the network's own part of the loss */
    double *sum, *sum2;              /* [targets] Σt, Σt² */
    int64_t *confusion;              /* [classes, classes] rows true; NULL: not counted */
    double *scratch;                 /* [classes], with confusion */
    double *row;                     /* [2 outputs] */
    float *given;                    /* [outputs] */
} hd_tally;
/* confusion: count it too. Memory of ctx. */
HD_CHECKED hd_status hd_tally_init(hd_tally *tally, hd_context *ctx, const hd_task *task, bool confusion);
void hd_tally_free(hd_tally *tally, hd_context *ctx);
void hd_tally_reset(hd_tally *tally);
/* Counts a loss into the spread of losses. */
void hd_tally_term(hd_tally *tally, double loss);
/* Adds n samples: y [n, outputs]; label [n] or values [n, targets]; with positions so many rows a sample. Loss too when
 * `loss` is set. No allocation. */
void hd_tally_add(hd_tally *tally, const float *y, const int64_t *label, const float *values, int64_t n, bool loss);

/* Adds the network's own part of the loss of n samples that were added already; to the loss too when `loss` is set. */
void hd_tally_add_part(hd_tally *tally, const float *part, int64_t n, bool loss);

/* A metric: one line of metrics.def. */
typedef struct hd_metric_kind {
    const char *name;
    bool classes;   /* for classes; else for numbers */
    bool positions; /* for sequences alone */
    bool notes;     /* for rows of 0 and 1 at positions, and then alone */
    bool higher_better;
    bool usual;     /* measured when the recipe does not say */
    bool pictures;  /* the same, where inputs are reconstructed */
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
