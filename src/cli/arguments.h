/* arguments.h: MODEL and DATA on the command line. */
#ifndef HD_CLI_ARGUMENTS_H
#define HD_CLI_ARGUMENTS_H
#include "cli/cli.h"

typedef enum model_kind {
    MODEL_TEXT,   /* a zoo name or a one-line text */
    MODEL_RECIPE, /* a recipe file */
    MODEL_RUN,    /* a run folder */
    MODEL_WEIGHTS /* a .safetensors file */
} model_kind;
/* What MODEL is: a known network's name wins over a path, a path over a one-line text. */
model_kind model_kind_of(const char *text);

/* Opens a trained model (MODEL_RUN, MODEL_WEIGHTS); for the others an error that says how to train one. */
hd_status open_trained(cli *c, const char *text, hd_model **out);
/* A recipe for MODEL of any kind, with the call's recipe options set; *trained says that there are weights. Freed by
 * the caller. */
hd_status open_recipe(cli *c, const char *text, hd_recipe **out);
/* Builds MODEL without its weights, in the shape of `data` (a DATA text, or NULL: the recipe's own data when they can
 * be opened, else the published shape). */
hd_status open_shape(cli *c, const char *text, const char *data, hd_model **out, hd_recipe **recipe);

/* Opens DATA with the call's data.* options. */
hd_status open_data(cli *c, const char *text, hd_dataset **out);
/* The same as a model reads them; unlabeled: tables without their target will do. */
hd_status open_data_for(cli *c, const char *text, const hd_model *model, bool unlabeled, hd_dataset **out);

/* Samples of one part of data: "train", "val", "test", "all"; NULL: test, or all where the data has one part. */
typedef struct part {
    const char *name;
    int64_t *indices;
    int64_t count;
} part;
/* `recipe` (may be NULL) tells seed and fractions of the split for data that bring one part. */
hd_status part_open(cli *c, part *out, const hd_dataset *data, const char *name, const hd_recipe *recipe);
void part_close(part *p);
#endif
