/* foreign.h: weights that were made elsewhere: by another run, for another task, by another program. */
#ifndef HD_TRAIN_FOREIGN_H
#define HD_TRAIN_FOREIGN_H
#include "train/model.h"
#include "train/rename.h"

/* A file of weights and what is known of it. */
typedef struct hd_foreign {
    hd_context *ctx;
    hd_arena arena;
    const char *path;
    hd_tensors *file;
    bool ours;            /* written by Hadal: `facts` are there */
    hd_model_facts facts; /* recipe, data, normaliser */
    hd_rename map;
    bool map_said;
} hd_foreign;
/* from: a run folder or a file; map: how its names are changed, or NULL; recipe: says which network it is for, if it
 * is not ours. To be closed also after a failure. Errors: HD_E_FILE, HD_E_DATA, HD_E_MODEL. */
HD_CHECKED hd_status hd_foreign_open(hd_foreign *out, hd_context *ctx, const char *from, const char *map,
                                     const hd_recipe *recipe);
void hd_foreign_close(hd_foreign *f);

/* What came of taking weights. Names are the store's; the list is the arena's of the foreign file. */
typedef struct hd_taken {
    int32_t count, fresh_count;
    int64_t params;     /* numbers in trained tensors that were taken */
    const char **fresh; /* tensors that begin anew: a head for another number of outputs */
    const char *map;    /* the map that was used, "" for none */
} hd_taken;
/* Every tensor of the model from the file, into the store, which must hold them already. new_head: those of the last
 * layer may have another number of outputs in the file; they are left as they start. Errors: HD_E_MODEL: a tensor is
 * missing, has another shape, or is none of the model's. */
HD_CHECKED hd_status hd_foreign_take(hd_foreign *f, hd_model *m, bool new_head, hd_taken *out);
/* The normalisation that belongs to the weights becomes the model's: the file's, the map's, or for pictures of three
 * channels torchvision's. *known: there was one. */
HD_CHECKED hd_status hd_foreign_normalize(const hd_foreign *f, hd_model *m, bool *known);
#endif
