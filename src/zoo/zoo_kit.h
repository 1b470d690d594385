/* zoo_kit.h: what network files share. */
#ifndef HD_ZOO_ZOO_KIT_H
#define HD_ZOO_ZOO_KIT_H
#include "hadal/zoo.h"

/* Elements of one sample of x, or 0 when they are not known. */
static inline int64_t hd_zoo_size(hd_val x) {
    hd_dims d = hd_val_dims(x);
    if (d.rank < 1) return 0;
    d.dim[0] = 1;
    const int64_t n = hd_dims_count(&d);
    return n > 0 ? n : 0;
}

/* Rows of numbers: joins the axes of a sample where there are several. */
static inline hd_val hd_zoo_rows(hd_loc at, hd_val x) {
    return hd_val_dims(x).rank > 2 ? hd_flatten_at(at, &(hd_flatten_args){.x = x}) : x;
}

/* "model|WHAT|FIX" as the graph's error. Returns none. */
hd_val hd_zoo_refuse(hd_loc at, hd_val x, const char *what, const char *fix);

static inline hd_val hd_zoo_dense(hd_loc at, hd_val x, const char *name, int64_t out) {
    return hd_nn_linear_at(at, &(hd_nn_linear_args){.x = x, .name = name, .out_features = out});
}
#endif
