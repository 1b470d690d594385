/* separable.h: can a plane separate two classes, and with which margin? */
#ifndef HD_TRAIN_SEPARABLE_H
#define HD_TRAIN_SEPARABLE_H
#include "train/method.h"

typedef struct hd_separability {
    double radius;                  /* longest (x, 1) */
    double margin_low, margin_high; /* the best margin lies between; low > 0: a plane with it was found */
    int64_t witnesses;              /* > 0: samples that show that there is none */
} hd_separability;
/* Of output `unit`, whose targets are 0 and 1, with planes through the origin of (x, 1). */
HD_CHECKED hd_status hd_separability_find(hd_separability *out, const hd_fit_data *data, int64_t unit);
#endif
