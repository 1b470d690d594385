/* competitive.h: learning without a teacher, as far as its parts share it. */
#ifndef HD_TRAIN_COMPETITIVE_H
#define HD_TRAIN_COMPETITIVE_H
#include "train/method.h"

typedef struct hd_competition {
    hd_trainer *t;
    int64_t pictures, size;
    float *x;       /* [pictures, size], normalised */
    int64_t *label; /* [pictures] */
    int64_t *order;
    int64_t planes[3], used[3]; /* of each stage; used: those that have learnt a pattern */
} hd_competition;

/* Fits fc to the classes by what the last cells say (competitive_read.c). */
HD_CHECKED hd_status hd_competition_read_out(hd_competition *c);
/* How many answers stay the same when pictures are shifted; tells all that was found. */
HD_CHECKED hd_status hd_competition_shifts(hd_competition *c);
#endif
