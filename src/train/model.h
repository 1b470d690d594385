/* model.h: the inside of hd_model: a graph, its weights, and what it must know of its data. */
#ifndef HD_TRAIN_MODEL_H
#define HD_TRAIN_MODEL_H
#include "hadal/io.h"
#include "train/recipe.h"
#include "train/task.h"

enum { HD_INFER_SIZES = 12 }; /* programs for 1, 2, 4 … 2048 samples */

/* What a model keeps of the data it was made for: it travels with the weights. */
typedef struct hd_model_data {
    const char *name, *kind;
    hd_dims sample;
    int64_t classes, targets;
    const char **class_names; /* [classes] or NULL */
    hd_dtype stored;
    float low, high, ink;
    bool light_on_dark, centered;
    const char *encoding;                  /* of a table's columns, a JSON object; NULL for others */
    const float *target_mean, *target_std; /* [targets]: what the network learns is (target - mean) / std; or NULL */
    int64_t positions;                     /* labels a sample, 0: one for the whole */
    int64_t codes;                         /* samples are whole numbers below it; 0: they are not */
    bool as_is;                            /* samples are names, or on and off */
    bool published;                        /* no data: the shape that the network was published with */
} hd_model_data;

struct hd_model {
    hd_context *ctx;
    hd_arena arena;
    hd_recipe *recipe; /* its own, with model and loss settled */
    hd_model_data data;
    hd_task task;
    hd_metric_list metrics;
    hd_normalizer normalizer; /* channels 0: identity */
    hd_graph *graph;
    hd_val x, target, y, loss;
    hd_val table;      /* weight of the embedding with the fewest rows among those that read x; none */
    bool no_gradient;  /* nothing flows back through it */
    int32_t net_nodes; /* of the graph, loss and counts not among them */
    hd_store *store;
    hd_tuning *tuning; /* the trainer's, or NULL */
    hd_program *infer[HD_INFER_SIZES];
    int64_t eval_batch; /* a power of two */
    float *stage;       /* [stage_rows, sample] */
    int64_t stage_rows;
    hd_layer_info *layers;
    int32_t layer_count;
    int64_t params, trainable;
    double flops;
    hd_memory train_plan, infer_plan;
    bool planned;
};

/* Makes a model from facts about data. The recipe is copied. */
HD_CHECKED hd_status hd_model_make(hd_model **out, const hd_recipe *recipe, const hd_model_data *data);
/* Builds graph, task and metrics of a model whose recipe and data are set (model_build.c). */
HD_CHECKED hd_status hd_model_build(hd_model *m);
/* reconstruct.c: networks whose target is their input. What the recipe says of it, or the network: then the data's
 * labels are put aside and, unless the recipe says otherwise, values lie in 0 … 1. */
HD_CHECKED hd_status hd_reconstruct_settle(hd_model *m);
/* Reconstructions y [n, size] in the unit of the data, as the inputs came. */
void hd_reconstruct_undo(const hd_model *m, float *y, int64_t n);
/* HD_E_MODEL when the loss does not take the inputs of these samples as targets. */
HD_CHECKED hd_status hd_reconstruct_check(const hd_model *m, const hd_dataset *data, const int64_t *indices,
                                          int64_t count);
/* The first `count` of these samples above, what the model makes of them below, as one PNG. Nothing for what is no
 * picture. */
HD_CHECKED hd_status hd_reconstruct_picture(hd_model *m, const hd_dataset *data, const int64_t *indices, int64_t count,
                                            const char *path);
/* The network once more, upon x in another graph: [batch, 1, …] in decode mode. Parameters have the same names. */
HD_CHECKED hd_status hd_model_build_again(const hd_model *m, hd_val x, hd_val *y);
/* Sets `table` (model_index.c). */
void hd_model_find_table(hd_model *m);
/* HD_E_DATA when one of n samples (normalised) names a row that the table has not. which: their numbers, or NULL:
 * from `first` on. */
HD_CHECKED hd_status hd_model_check_index(const hd_model *m, const float *x, int64_t n, const int64_t *which,
                                          int64_t first);
/* The same of all samples to train and validate with: before the first step. */
HD_CHECKED hd_status hd_model_check_rows(const hd_model *m, const hd_dataset *data, const hd_split *split);
/* Rows of a summary (model_layers.c). */
HD_CHECKED hd_status hd_model_describe(hd_model *m);

hd_compile_args hd_model_compile_args(const hd_model *m, int64_t batch);
/* The inference program for n samples, and the batch it takes (≥ n, at most eval_batch). */
HD_CHECKED hd_status hd_model_infer(hd_model *m, int64_t n, hd_program **program, int64_t *batch);
/* Scores everything a loader gives into a tally that was reset. scores_out may be NULL. No allocation once the program
 * for the loader's batch is there. */
HD_CHECKED hd_status hd_model_score(hd_model *m, hd_program *program, int64_t batch, hd_loader *loader, hd_tally *tally,
                                    float *scores_out);
/* The normaliser's copy becomes the model's. */
HD_CHECKED hd_status hd_model_set_normalizer(hd_model *m, const hd_normalizer *normalizer);

/* ---- weights as a list (model_weights.c) ---- */

/* All tensors of the model proper (parameters and running statistics, no optimiser state), in order of names, in one
 * block of plain memory. */
typedef struct hd_weights {
    hd_context *ctx;
    int32_t count;
    hd_tensor_out *tensor; /* names are the store's */
    char *memory;
    size_t bytes;
} hd_weights;
/* with_optimizer: the optimiser's state too. */
HD_CHECKED hd_status hd_weights_new(hd_weights *out, hd_model *m, bool with_optimizer);
void hd_weights_free(hd_weights *w);
HD_CHECKED hd_status hd_weights_fetch(hd_weights *w, hd_model *m);     /* store → memory */
HD_CHECKED hd_status hd_weights_put(const hd_weights *w, hd_model *m); /* memory → store */
/* From a file: every tensor must be there, of its shape. prefix is put before names. partial: take what fits, count it.
 */
HD_CHECKED hd_status hd_weights_read(hd_weights *w, const hd_tensors *file, const char *path, bool partial,
                                     int32_t *taken);
void hd_weights_sha256(const hd_weights *w, char out[65]);

/* ---- files (model_file.c) ---- */
/* Writes weights with everything that hd_model_open needs. extra: further metadata (key, value, …, NULL) or NULL. */
HD_CHECKED hd_status hd_model_write(hd_model *m, const hd_weights *w, const char *path, const char *const *extra);
/* What a file says of itself beside its tensors. Freed by hd_model_facts_free, also after a failure. */
typedef struct hd_model_facts {
    hd_arena arena;
    hd_recipe *recipe;
    hd_model_data data; /* texts are the arena's */
    hd_normalizer normalizer;
} hd_model_facts;
HD_CHECKED hd_status hd_model_facts_read(hd_model_facts *out, hd_context *ctx, hd_tensors *file, const char *path);
void hd_model_facts_free(hd_model_facts *facts);
/* The file that a path means: of a run folder its best weights, or the last where there are none. NULL: no memory. */
const char *hd_model_file_of(hd_arena *arena, const char *path);
#endif
