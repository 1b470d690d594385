/* augment.h: pictures mirrored and moved, so that no epoch shows the same ones. */
#ifndef HD_DATA_AUGMENT_H
#define HD_DATA_AUGMENT_H
#include "hadal/base.h"

typedef struct hd_augment {
    bool flip;
    int64_t crop;
    uint64_t seed;
    int64_t channels, h, w;
    float *black;   /* [channels] */
    float *scratch; /* [channels, h, w]; NULL: nothing is done */
} hd_augment;

/* Changes one picture x [channels, h, w]; how is a function of (seed, epoch, index). */
void hd_augment_apply(const hd_augment *augment, int64_t epoch, int64_t index, float *x);
#endif
