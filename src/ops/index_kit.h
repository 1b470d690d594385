/* index_kit.h: what ops that pick or put by index share. Knows nothing of backends. */
#ifndef HD_OPS_INDEX_KIT_H
#define HD_OPS_INDEX_KIT_H
#include "graph/graph.h"
#include "ops/op_kit.h"

/* ---- shapes: input 0 is x, input 1 the index ---- */

/* index i64 of the rank of x, nowhere larger but along the axis. */
hd_status hd_infer_lines(hd_infer *c, int64_t axis);
/* The same, and input 2 (where it is given) of x's dtype, nowhere smaller than index: y like x. */
hd_status hd_infer_put_lines(hd_infer *c, int64_t axis);
/* index i64 [m]; *out the axis of x. */
hd_status hd_infer_slices(hd_infer *c, int64_t axis, int *out);
/* The same, and input 2 (where it is given) like x with m along the axis: y like x. */
hd_status hd_infer_put_slices(hd_infer *c, int64_t axis);

/* padding_idx names one of n rows, or none. */
hd_status hd_infer_padding(hd_infer *c, int64_t padding_idx, int64_t n);
/* A gradient of the first part of `like` on every axis, with zeros for the rest. */
hd_val hd_pad_to(hd_val d, hd_val like);

/* ---- places ---- */

/* The place an index means among n, or −1: outside. */
static inline int64_t hd_index_at(int64_t index, int64_t n, bool wrap) {
    if (wrap && index < 0) index += n;
    return index >= 0 && index < n ? index : -1;
}
/* A row named as an axis is (HD_AXIS(k), or negative from the end): not checked. */
static inline int64_t hd_row_of(int64_t coded, int64_t n) {
    return coded > 0 ? coded - 1 : coded + n;
}
/* Over the elements of index: at[0] the start of the line in x along the axis, at[1] the place in src (may be NULL).
 * Returns the distance of two elements of a line. */
int64_t hd_walk_lines(hd_walk *w, const hd_dims *index, const hd_dims *x, int axis, const hd_dims *src);
/* NaN everywhere: an index lay outside. Whole numbers stay. */
void hd_spoil(const hd_tensor *y);

/* ---- descriptors ---- */

#define HD_INDEX_OPTIONS(args_)                                                                                        \
    HD_OPTION(AXIS, args_, axis, .def = 1, .help = "axis that the index counts along"),                                \
        HD_OPTION(BOOL, args_, wrap, .help = "negative indices count from the end")
#define HD_PADDING_IDX(args_)                                                                                          \
    HD_OPTION(AXIS, args_, padding_idx, .help = "row that gets no gradient, negative from the end; none")
#define HD_INDEX_HEAD(name_, n_in_, n_out_, ...)                                                                       \
    .name = #name_, .n_in = (n_in_), .n_out = (n_out_), .args_size = sizeof(hd_##name_##_args),                        \
    .options = (const hd_option[]){HD_INDEX_OPTIONS(hd_##name_##_args), __VA_ARGS__}, .cost = hd_cost_copy
#endif
