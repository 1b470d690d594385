/* exact.h: linear models to their optimum: the problem and its solvers. */
#ifndef HD_TRAIN_EXACT_H
#define HD_TRAIN_EXACT_H
#include "train/method.h"

typedef enum hd_exact_loss {
    HD_EXACT_SQUARES,
    HD_EXACT_LOGISTIC,
    HD_EXACT_SOFTMAX,
    HD_EXACT_HINGE,
    HD_EXACT_SQUARED_HINGE
} hd_exact_loss;

/* Minimise mean loss + l2/2 Σ w², the biases not counted among the w. */
typedef struct hd_exact {
    hd_trainer *t;
    hd_fit_data data;
    hd_exact_loss loss;
    double l2;
    double *w; /* [k, d + 1]: weights, bias last */
    int64_t steps;
    double objective, decrement; /* the last step's promise: how far the objective is above its least value, about */
    bool converged, separable;   /* separable: the least value lies at infinity */
} hd_exact;

/* Newton's method, for all losses but the hinge (exact_newton.c). */
HD_CHECKED hd_status hd_exact_newton(hd_exact *e);
/* The dual problem by pairs, for the hinge (exact_pairs.c). */
HD_CHECKED hd_status hd_exact_pairs(hd_exact *e);
#endif
