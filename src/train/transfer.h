/* transfer.h: a run that begins with what another one learnt. */
#ifndef HD_TRAIN_TRANSFER_H
#define HD_TRAIN_TRANSFER_H
#include "train/foreign.h"

typedef struct hd_transfer {
    hd_foreign foreign; /* open until the weights are taken */
    hd_transfer_info info;
    bool on, normalized; /* the run begins so; the normalisation is the weights' */
    double scratch;      /* accuracy (or rmse) of the same network without; NAN: not made */
} hd_transfer;

/* Opens what `train.from` names. Where the recipe says no network, the file's own becomes the recipe's, with as many
 * outputs as there are classes. */
HD_CHECKED hd_status hd_transfer_open(hd_transfer *x, hd_recipe *recipe, const hd_data_info *data);
/* The model sees data as the weights are used to, unless the recipe says how. */
HD_CHECKED hd_status hd_transfer_normalize(hd_transfer *x, hd_model *m);
/* The weights, into a store that holds all tensors. Closes the file. */
HD_CHECKED hd_status hd_transfer_take(hd_transfer *x, hd_model *m);
void hd_transfer_free(hd_transfer *x);
/* As an object, for result.json and for the run's folder, from where hd_transfer_recall takes it again. */
void hd_transfer_json(hd_jw *w, const hd_transfer *x);
HD_CHECKED hd_status hd_transfer_note(const hd_transfer *x, hd_context *ctx, const char *folder);
HD_CHECKED hd_status hd_transfer_recall(hd_transfer *x, hd_arena *arena, const char *folder);
#endif
