/* hadal/train.h: recipes, models and training runs.
 *
 * A recipe says what to learn from what and how. A model is a graph with its weights, its classes and its
 * normalisation. A trainer takes a recipe to a run folder. */
#ifndef HADAL_TRAIN_H
#define HADAL_TRAIN_H
#include "hadal/data.h"
#include "hadal/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- recipes ---- */

typedef struct hd_recipe hd_recipe;
/** An empty recipe: all defaults. */
HD_API HD_CHECKED hd_status hd_recipe_new(hd_recipe **out, hd_context *ctx);
/** Reads YAML or JSON. Strict: unknown keys, wrong types and values out of range are HD_E_MODEL
 * "file:line:column: unknown key …. Did you mean …?". */
HD_API HD_CHECKED hd_status hd_recipe_load(hd_recipe **out, hd_context *ctx, const char *path);
HD_API HD_CHECKED hd_status hd_recipe_parse(hd_recipe **out, hd_context *ctx, const char *where, const char *text);
HD_API void hd_recipe_free(hd_recipe *recipe);
/** Sets a dotted key from text, "train.optimizer.lr" = "0.1"; a short key finds the one recipe key of its name ("lr",
 * "batch_size"; "-" counts as "_"). Errors: HD_E_USAGE with the nearest key. */
HD_API HD_CHECKED hd_status hd_recipe_set(hd_recipe *recipe, const char *key, const char *value);
/** The recipe with every default filled in, as JSON. Freed by hd_memory_free. */
HD_API HD_CHECKED hd_status hd_recipe_json(const hd_recipe *recipe, char **json);
/** One key that recipes know: for lists, help and "did you mean". */
typedef struct hd_recipe_key {
    const char *name; /**< dotted: "train.optimizer.lr" */
    const char *type; /**< "number", "whole number", "yes or no", "text", "list", "object" */
    const char *def;  /**< the default as text, "" for none */
    const char *help; /**< one line */
} hd_recipe_key;
/** Key number i, in the order of a whole recipe; NULL past the end. */
HD_API const hd_recipe_key *hd_recipe_key_at(int i);
/** The key that hd_recipe_set would set for `key` (dotted or short, "-" counts as "_"), or NULL. Options of a model
 * ("model.depth") are known by the model alone: for them the answer is the key "model". */
HD_API const hd_recipe_key *hd_recipe_key_find(const char *key);
/** Opens the data that the recipe's `data` section names. Errors: hd_data_open's; HD_E_MODEL when it names none. */
HD_API HD_CHECKED hd_status hd_recipe_open_data(hd_dataset **out, const hd_recipe *recipe, const char *data_dir);

/** A schedule of learning rates, as `train.schedule` names it. */
typedef struct hd_schedule_info {
    const char *name, *formula, *source;
} hd_schedule_info;
/** Schedule number i (0, 1, …): false past the end. */
HD_API bool hd_schedule_at(int i, hd_schedule_info *out);

/* ---- losses ---- */

/** A loss: its graph form, and the same for one sample in plain numbers, with which models are evaluated. */
typedef struct hd_loss_kind {
    const char *name; /**< what `train.loss` calls it */
    bool label;  /**< the target is a class, i64 [B]; else numbers, f32 [B, outputs] (classes as rows of 0 and 1) */
    bool logits; /**< a network for it must not end in an activation */
    /** Network output y [B, outputs] and target → a scalar, the mean over the batch. */
    hd_val (*build)(hd_loc at, hd_val y, hd_val target);
    /** Loss of one sample: `label` or target [outputs] holds what is right. Where `label` is false and the data have
     * classes it is called for one output at a time, and the mean counts. */
    double (*value)(const float *y, const float *target, int64_t label, int64_t outputs);
    /** Outputs → what hd_model_predict gives; NULL: as they are. */
    void (*scores)(const float *y, float *out, int64_t outputs);
} hd_loss_kind;
/** Makes a loss known to recipes of this context. The descriptor must outlive the context. Models trained with it open
 * only in contexts that know it. Errors: HD_E_USAGE (incomplete, or the name is taken), HD_E_MEMORY. */
HD_API HD_CHECKED hd_status hd_context_add_loss(hd_context *ctx, const hd_loss_kind *loss);

/* ---- models ---- */

typedef struct hd_model hd_model;
/** One layer of a summary. Pointers are the model's. */
typedef struct hd_layer_info {
    const char *name, *type;
    hd_dims output; /**< without batch */
    int64_t params;
    double flops; /**< forward, one sample */
} hd_layer_info;

/** Builds the model of a recipe for data of this kind (sample shape, classes). Weights start from the recipe's seed.
 * data NULL: the model's published shape; a one-line text's own; 1×28×28 and 10 classes for mlp, cnn-small and lists.
 */
HD_API HD_CHECKED hd_status hd_model_new(hd_model **out, const hd_recipe *recipe, const hd_data_info *data);
/** Opens a run folder (its best weights) or a .safetensors file with the recipe in its metadata. */
HD_API HD_CHECKED hd_status hd_model_open(hd_model **out, hd_context *ctx, const char *path);
/** The recipe's network, in the shape that it was published for, with the weights of `train.from`: a safetensors file
 * of another program, whose names `train.rename` may change. Errors: HD_E_MODEL names a tensor that is missing, of
 * another shape, or not the network's. */
HD_API HD_CHECKED hd_status hd_model_open_foreign(hd_model **out, const hd_recipe *recipe);
HD_API void hd_model_free(hd_model *model);
/** Input as stored in the data (not normalised) [n, sample…] f32 → scores [n, outputs]: softmax or sigmoid applied by
 * the loss (one output and two classes: two columns), values as they are; reconstructions [n, sample…] as stored in
 * the data. Of models with positions: [n, positions, outputs]. */
HD_API HD_CHECKED hd_status hd_model_predict(hd_model *model, const float *x, int64_t n, float *y);

typedef struct hd_model_info {
    hd_dims sample;
    int64_t outputs, classes, params, trainable;
    bool reconstructs; /**< an output is an input given back, in the data's own unit; there are no labels */
    const char *const *class_names; /**< classes entries */
    const char *loss;
    const char *data; /**< name of the data it was trained on, or "" */
    double flops;     /**< forward, one sample */
    int32_t layers;
    hd_memory train_plan, infer_plan; /**< at the recipe's batch size */
    hd_picture_args picture;          /**< how pictures are to be fitted */
    const char *encoding;             /**< how a table's columns become numbers (hd_data_info), or NULL */
    const char *kind;                 /**< of the data it was made for (hd_data_info), or "" */
    int64_t codes;                    /**< it reads whole numbers 0 … codes−1; 0: any numbers */
    int64_t positions;                /**< how many answers it gives to a sample; 0: one for the whole */
} hd_model_info;
HD_API HD_CHECKED hd_status hd_model_get_info(hd_model *model, hd_model_info *out);
/** Opens the data that a recipe's `data` section names as this model reads them: the columns of a table become the
 * numbers that they were when it was trained. unlabeled: a table may come without its target. */
HD_API HD_CHECKED hd_status hd_model_open_data(hd_dataset **out, const hd_model *model, const hd_recipe *recipe,
                                               const char *data_dir, bool unlabeled);
HD_API hd_layer_info hd_model_layer(const hd_model *model, int32_t i);
HD_API hd_store *hd_model_store(hd_model *model);
/** The network's graph: inputs "x" [B, sample…] f32 (normalised) and "target" (i64 [B] classes, or f32 [B, outputs];
 * with positions i64 [B, positions], or f32 [B, positions, outputs]; none where the input is reconstructed). A class of
 * −100 does not count in the loss. */
HD_API hd_graph *hd_model_graph(hd_model *model);
HD_API hd_val hd_model_output(const hd_model *model); /**< [B, (positions,) outputs]: before softmax or sigmoid */
HD_API hd_val hd_model_loss(const hd_model *model);   /**< a scalar: what hd_train_step takes */
HD_API const hd_recipe *hd_model_recipe(const hd_model *model);

/** A measured value with its 95 % interval (Wilson's for shares, normal for means). */
typedef struct hd_metric {
    const char *name;
    double value, low, high;
} hd_metric;
enum { HD_MAX_METRICS = 8 };
typedef struct hd_scores {
    int64_t n; /**< samples; of sequences: positions that count */
    double loss;
    int count;
    hd_metric metric[HD_MAX_METRICS];
} hd_scores;
HD_API const hd_metric *hd_scores_find(const hd_scores *scores, const char *name);

/** Scores on a list of samples. confusion (may be NULL): [classes × classes], rows true, columns predicted.
 * scores_out (may be NULL): [count, outputs], or [count, positions, outputs], as hd_model_predict. */
HD_API HD_CHECKED hd_status hd_model_eval(hd_model *model, hd_dataset *data, const int64_t *indices, int64_t count,
                                          hd_scores *out, int64_t *confusion, float *scores_out);

/* ---- training ---- */

typedef struct hd_trainer hd_trainer;
typedef enum hd_stop {
    HD_STOP_EPOCHS,
    HD_STOP_STEPS,
    HD_STOP_PATIENCE,
    HD_STOP_TIME,
    HD_STOP_TARGET,
    HD_STOP_INTERRUPTED,
    HD_STOP_DIVERGED,
    HD_STOP_CONVERGED /**< a method (train.method) has found what it looked for */
} hd_stop;
HD_API const char *hd_stop_name(hd_stop stop);

/** What a run looks like while it goes on. */
typedef struct hd_progress {
    int64_t epoch, epochs;        /**< 1-based */
    int64_t step, steps_in_epoch; /**< within the epoch */
    int64_t total_steps;          /**< so far, all epochs */
    double seconds;               /**< since hd_trainer_run began */
    double samples_per_second;    /**< in this epoch */
    double seconds_left;          /**< of the whole run, at this epoch's speed */
    double lr;
    bool epoch_end;       /**< train and val are complete */
    bool best;            /**< this epoch is the best so far */
    hd_scores train, val; /**< running means; val.n is 0 when there is none */
} hd_progress;

typedef struct hd_trainer_args {
    const hd_recipe *recipe;
    hd_dataset *data; /**< NULL: opened from the recipe */
    const char *data_dir;
    const char *out; /**< run folder; NULL: runs/NAME-001, counted up; "" : none is written */
    const char *name;
    const char *resume; /**< run folder to go on with; then recipe may be NULL */
    hd_tuning *tuning;  /**< recorded choices of kernels, or NULL. The run keeps those it follows (tune.json in its
                           folder); a resumed run follows these, and this is not looked at */
    const hd_tune_args *tune; /**< not NULL: measures first (hd_tune), into `tuning`; not in resumed runs */
    double seconds_before;    /**< since the process started: added to the result's seconds */
    /** Called now and then between steps, and at the end of every epoch; returning true ends the run (saved,
     * HD_STOP_INTERRUPTED). The run that train.compare_scratch asks for afterwards calls it too, without ends of
     * epochs; true ends that one, and the result has no such score. */
    bool (*progress)(void *user, const hd_progress *progress);
    void *user;
    double progress_every; /**< seconds between calls; 0: 0.05; negative: after every step */
} hd_trainer_args;

typedef struct hd_result {
    const char *run; /**< folder, or "" */
    int64_t params, epochs, steps, best_epoch;
    double seconds;
    hd_scores train, val, test; /**< of best_epoch; n 0 where there is no such part */
    hd_stop stop;
    int64_t skipped; /**< steps that were left out as outliers */
    size_t plan_bytes;
    uint64_t seed;
    int threads;
    char weights_sha256[65];
    double majority;         /**< share of the largest class in the test part (val without one), or the mean's rmse */
    double linear;           /**< accuracy (or rmse) of a linear model trained beside it; NaN when not made */
    double scratch;          /**< the same of this network trained from scratch (train.compare_scratch); NaN */
    size_t peak_bytes;       /**< most memory the process ever held */
    const char *result_json; /**< the text of result.json, one object; the trainer's */
    const char
        *note;     /**< what a method (train.method) found, in lines for people; "" for the gradient; the trainer's */
    bool finished; /**< a finished run was resumed: nothing was trained, result_json is the stored one */
    /** Of the test part (val without one) with the best weights, the trainer's; NULL where there is no such part: */
    const int64_t *confusion; /**< [classes × classes], rows true, columns predicted */
    /** [n, outputs] in the order of hd_trainer_split's part, as hd_model_predict gives them; NULL with positions */
    const float *scores;
} hd_result;

/** Checks the recipe, opens data and model, plans; makes the run folder. A line of RUN/log.jsonl is one epoch,
 * {"epoch": 1, "steps": …, "seconds": …, "lr": …, "train": {"loss": …, "accuracy": {"value", "low", "high"}}, "val":
 * {…} or null, "best": true}, or one logged step, {"step": …, "loss": …, "lr": …}. What the library changes or doubts
 * on the way is said through the context's log as HD_LOG_WARNING. */
HD_API HD_CHECKED hd_status hd_trainer_new(hd_trainer **out, hd_context *ctx, const hd_trainer_args *args);
HD_API void hd_trainer_free(hd_trainer *trainer);
HD_API hd_model *hd_trainer_model(hd_trainer *trainer); /**< after the run: with the best weights */
HD_API hd_dataset *hd_trainer_data(hd_trainer *trainer);
HD_API const hd_split *hd_trainer_split(const hd_trainer *trainer);
HD_API const char *hd_trainer_run_folder(const hd_trainer *trainer);
/** Trains to the end. Errors: HD_E_DIVERGED (loss not finite; the last good weights are kept), HD_E_FILE, …; an
 * interrupted run returns HD_OK with stop = HD_STOP_INTERRUPTED. */
HD_API HD_CHECKED hd_status hd_trainer_run(hd_trainer *trainer, hd_result *result);
/** Asks a run to end after the step it is at, as if the progress callback had returned true. The one function of this
 * library that may be called on an object while another thread uses it: from any thread, and from signal handlers. A
 * request before hd_trainer_run counts; it can not be taken back. */
HD_API void hd_trainer_stop(hd_trainer *trainer);
/** What a run began with (train.from). Texts are the trainer's. */
typedef struct hd_transfer_info {
    const char *from;         /**< run folder or file; NULL: nothing, all weights began anew */
    const char *map;          /**< how its names were changed, "" when not */
    int32_t taken;            /**< tensors */
    int64_t taken_params;     /**< numbers in them that can be trained */
    int32_t fresh_count;      /**< tensors that begin anew: the head for another number of outputs */
    const char *const *fresh; /**< their names */
    int64_t frozen;           /**< parameters that are not trained */
} hd_transfer_info;
HD_API hd_transfer_info hd_trainer_transfer(const hd_trainer *trainer);
HD_API hd_memory hd_trainer_memory(const hd_trainer *trainer);
HD_API size_t hd_trainer_plan_bytes(const hd_trainer *trainer);
/** What was measured (hd_trainer_args.tune); shapes is 0 where nothing was. */
HD_API hd_tune_result hd_trainer_tuned(const hd_trainer *trainer);
/** The choices that this run follows; entries is 0 where there are none. */
HD_API hd_tuning_facts hd_trainer_tuning(const hd_trainer *trainer);

/* ---- checking gradients ---- */

/** What hd_gradcheck compares: ∂loss/∂parameter by back-propagation with central differences, both in f64 by the
 * definitions. Zero means the default. */
typedef struct hd_gradcheck_args {
    double eps;        /**< step of the differences; 1e-6 */
    double atol, rtol; /**< |backward − difference| ≤ atol + rtol·|difference|; 1e-5, 1e-3 */
    int64_t batch;     /**< 2 */
    int64_t elements;  /**< numbers moved one by one in each tensor, beside two random directions; 4 */
    int64_t classes;   /**< whole-number inputs are drawn below this; 2 */
    uint64_t seed;     /**< of parameters, inputs and directions; 1 */
} hd_gradcheck_args;
/** One parameter. The worst comparison is told. Names are the result's. */
typedef struct hd_gradcheck_tensor {
    const char *name;
    hd_dims dims;
    int64_t compared;            /**< comparisons made */
    int64_t kinks;               /**< left out: the loss has a kink within eps (both sides differ) */
    double backward, difference; /**< at the worst place */
    double relative_error;       /**< |backward − difference| / (max of both + atol/rtol) there */
    bool ok;
} hd_gradcheck_tensor;
typedef struct hd_gradcheck {
    hd_context *ctx;
    int32_t count;
    hd_gradcheck_tensor *tensor;
    double loss, max_relative_error;
    bool ok;
} hd_gradcheck;
/** Checks the gradient of a loss (a scalar of an f32 or f64 graph) by every parameter it depends on; inputs are drawn
 * at random. Freed by hd_gradcheck_free. Errors: the graph's; HD_E_MODEL when the loss depends on no parameter. */
HD_API HD_CHECKED hd_status hd_gradcheck_run(hd_gradcheck *out, hd_val loss, const hd_gradcheck_args *args);
HD_API void hd_gradcheck_free(hd_gradcheck *check);

#ifdef __cplusplus
}
#endif
#endif
