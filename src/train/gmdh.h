/* gmdh.h: what the group method of data handling has grown. */
#ifndef HD_TRAIN_GMDH_H
#define HD_TRAIN_GMDH_H
#include "train/method.h"

enum { HD_GMDH_TERMS = 6, HD_GMDH_LAYERS = 100 };

/* w0 + w1 a + w2 b + w3 ab + w4 a² + w5 b² of two values of the layer before (of the inputs, in the first). */
typedef struct hd_gmdh_unit {
    int64_t left, right;
    double w[HD_GMDH_TERMS];
    double criterion; /* mean squared error on the half that selects, of targets as the network has them */
} hd_gmdh_unit;
typedef struct hd_gmdh_layer {
    hd_gmdh_unit *unit;
    int64_t units;
    double criterion; /* of its best unit */
} hd_gmdh_layer;
typedef struct hd_gmdh {
    hd_gmdh_layer layer[HD_GMDH_LAYERS];
    int64_t layers;
} hd_gmdh;

double hd_gmdh_value(const hd_gmdh_unit *unit, double a, double b);
/* model.structure of the trainer's recipe. */
HD_CHECKED hd_status hd_gmdh_write_structure(const hd_gmdh *net, hd_trainer *t);
/* The polynomial, in the data's own units. */
void hd_gmdh_tell(const hd_gmdh *net, hd_trainer *t);
#endif
