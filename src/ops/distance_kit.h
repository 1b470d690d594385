/* distance_kit.h: what distances and the losses made of them share. Knows nothing of backends. */
#ifndef HD_OPS_DISTANCE_KIT_H
#define HD_OPS_DISTANCE_KIT_H
#include "ops/loss_kit.h"

/* Operands a and b broadcast to `both`; a row lies along `axis` of it. */
typedef struct hd_row_pair {
    const hd_tensor *a, *b;
    hd_dims both;
    hd_walk rows, along; /* offsets of a and b: of a row, and along it */
    int64_t n, d;        /* rows, elements of each */
} hd_row_pair;
void hd_row_pair_init(hd_row_pair *p, const hd_tensor *a, const hd_tensor *b, int axis);
/* cos of the angle of the row at which p->rows stands, lengths not below eps; and the distance |a − b + eps|_order. */
double hd_row_cosine(hd_row_pair *p, double eps);
double hd_row_distance(hd_row_pair *p, double order, double eps);

/* x1 and x2 floats that broadcast; *both their common shape. */
hd_status hd_infer_pair(hd_infer *c, hd_dims *both);
/* x1 and x2 of one shape, [d] or [n, d] … → *rows without the last axis. */
hd_status hd_infer_rows(hd_infer *c, int i, int j, hd_dims *rows);
/* The scalar of a loss, or its rows. */
void hd_infer_row_loss(hd_infer *c, const hd_dims *rows);

/* da of y = cos(a, b) along `axis` from the end, a and b of one shape, from dy with that axis kept as 1. */
hd_val hd_cosine_slope(hd_val a, hd_val b, int64_t axis, double eps, hd_val dy);
/* da of y [n, 1] = |a − b + eps|_order over the last axis; that of b is its negative. */
hd_val hd_distance_slope(hd_val a, hd_val b, double order, double eps, hd_val y, hd_val dy);

#define HD_ORDER(args_) HD_OPTION(FLOAT, args_, p, .def = 2, .help = "which norm; 2: Euclid's")
#endif
