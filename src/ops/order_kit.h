/* order_kit.h: what ops that compare elements along an axis share. Knows nothing of backends. */
#ifndef HD_OPS_ORDER_KIT_H
#define HD_OPS_ORDER_KIT_H
#include "ops/reduce_kit.h"

/* A number that orders elements as their values do; equal for equal ones (0 and −0 too); of NaN the largest. */
uint64_t hd_order_key(const hd_tensor *t, int64_t i);
#define HD_KEY_NAN UINT64_MAX
/* The larger, the better: of the largest or of the smallest element; NaN is best, so that it does not get lost. */
static inline uint64_t hd_best_key(const hd_tensor *t, int64_t i, bool largest) {
    const uint64_t key = hd_order_key(t, i);
    return largest || key == HD_KEY_NAN ? key : HD_KEY_NAN - 1 - key;
}
/* The definitions of an op for the largest and of its twin for the smallest, by fn(r, largest). */
#define HD_TWO_WAYS(largest_ref, smallest_ref, fn)                                                                     \
    static void largest_ref(const hd_ref *r) {                                                                         \
        fn(r, true);                                                                                                   \
    }                                                                                                                  \
    static void smallest_ref(const hd_ref *r) {                                                                        \
        fn(r, false);                                                                                                  \
    }

/* A row of x and where its order is written. */
typedef struct hd_order {
    const hd_tensor *x;
    int64_t first, stride; /* of the row in x */
    int64_t *place;        /* the result: numbers in the row */
    int64_t step;          /* between two results */
    bool largest;          /* the largest comes first, else the smallest; of equal ones the first */
} hd_order;
/* The k first of the n elements of a row, in order; needs no memory but the result's. */
void hd_order_row(const hd_order *o, int64_t n, int64_t k);
/* The first place of the k-th smallest (1 … n) of the elements whose key is at most `most`. */
int64_t hd_order_kth(const hd_order *o, int64_t n, int64_t k, uint64_t most);

/* ---- ops that pick elements of x: out 0 the values, out 1 (i64) their places along an axis ---- */

/* Both without the axis (or with 1 for it); axis 0: over all elements. */
hd_status hd_infer_pick(hd_infer *c, int64_t axis, bool keepdim);
/* Rows along the axis, or one row of all. */
hd_rows hd_pick_rows(const hd_dims *x, int64_t axis);
/* Element `place` of a row becomes result number i. */
void hd_pick(const hd_ref *r, const hd_rows *z, int64_t row, int64_t place, int64_t i);
/* dy goes to where the values came from. */
void hd_pick_rule(hd_grad *c, int64_t axis);

#define HD_PICK_HEAD(name_, args_, ...)                                                                                \
    .name = #name_, .n_in = 1, .n_out = 2, .out_names = HD_NAMES("values", "indices"), .args_size = sizeof(args_),     \
    .options = (const hd_option[]){__VA_ARGS__, HD_OPTION_END}, .flags = HD_OP_KINK, .cost = hd_cost_input
#define HD_PICK_AXIS(args_, def_, ...) HD_OPTION(AXIS, args_, axis, .def = (def_), .help = __VA_ARGS__)
#define HD_PICK_KEEPDIM(args_)         HD_OPTION(BOOL, args_, keepdim, .help = "keep the axis as 1")
#endif
