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

/* Tokens, users, items as i64, whatever kind of number they came as. */
static inline hd_val hd_zoo_indices(hd_loc at, hd_val x) {
    return hd_val_dtype(x) == HD_I64 ? x : hd_cast_at(at, &(hd_cast_args){.x = x, .dtype = HD_DTYPE(HD_I64)});
}

/* "WHERE|WHAT|FIX" as the graph's error, where is `at`. Returns none. */
hd_val hd_zoo_refuse(hd_loc at, hd_val x, const char *what, const char *fix);
/* The same, with x's shape: "WHAT, its input is SHAPE". */
hd_val hd_zoo_refuse_input(hd_loc at, hd_val x, const char *what, const char *fix);

static inline hd_val hd_zoo_relu(hd_loc at, hd_val x) {
    return hd_relu_at(at, &(hd_unary_args){.x = x});
}

/* Dropout where p > 0. */
static inline hd_val hd_zoo_drop(hd_loc at, hd_val x, double p) {
    return p > 0 ? hd_nn_dropout_at(at, &(hd_nn_dropout_args){.x = x, .p = p}) : x;
}

static inline hd_val hd_zoo_dense(hd_loc at, hd_val x, const char *name, int64_t out) {
    return hd_nn_linear_at(at, &(hd_nn_linear_args){.x = x, .name = name, .out_features = out});
}

/* An option over field `field_` of struct `type_`. */
#define HD_ZOO_OPT(type_, field_, kind_, ...)                                                                          \
    { .name = #field_, .type = HD_OPT_##kind_, .offset = offsetof(type_, field_), .count = 1, __VA_ARGS__ }
#define HD_ZOO_DROPOUT(type_, share_)                                                                                  \
    HD_ZOO_OPT(type_, dropout, FLOAT, .def = share_, .min = 0, .max = 1, .help = "share that dropout sets to 0")
/* Blocks of a transformer: the largest have half as many. The time that building takes grows faster than they do. */
#define HD_ZOO_BLOCKS(type_, field_, usual_, least_, help_)                                                            \
    HD_ZOO_OPT(type_, field_, INT, .def = usual_, .min = least_, .max = 256, .help = help_)
#endif
