/* class_loss.h: what nll and cross_entropy share: samples, classes and places, the share of each class in a target.
 * Knows nothing of backends. */
#ifndef HD_OPS_CLASS_LOSS_H
#define HD_OPS_CLASS_LOSS_H
#include "ops/loss_kit.h"

enum { HD_IGNORE_INDEX = -100 }; /* the default */
#define HD_NO_CLASS INT64_MIN    /* as ignore_index: every target counts */

/* x [n, c, d…] or [c], target i64 [n, d…] or like x, weight [c] or absent. A place is one of n·d…. */
typedef struct hd_class_view {
    const hd_tensor *x, *target, *weight; /* weight NULL: all 1 */
    hd_axis_split s;                      /* outer n, n classes, inner d… */
    bool soft;                            /* target has a probability for each class */
    int64_t ignore;
    double smooth;
} hd_class_view;
hd_class_view hd_class_view_of(const hd_tensor *x, const hd_tensor *target, const hd_tensor *weight,
                               int64_t ignore_index, double label_smoothing);
static inline int64_t hd_class_places(const hd_class_view *v) {
    return v->s.outer * v->s.inner;
}
/* Offset of class 0 of a place in x; the classes stand s.inner apart. */
static inline int64_t hd_class_at(const hd_class_view *v, int64_t place) {
    return place / v->s.inner * v->s.n * v->s.inner + place % v->s.inner;
}
static inline double hd_class_weight(const hd_class_view *v, int64_t j) {
    return v->weight ? hd_get(v->weight, j) : 1;
}
/* Weight and share of class j in the target of a place: the loss is −Σ share ln p. NaN when the target is no class. */
double hd_class_share(const hd_class_view *v, int64_t place, int64_t j);
/* What a mean divides by: the weights of the targets that count; for probabilities the number of places. */
double hd_class_total(const hd_class_view *v);

/* x and target as above, weight input `weight`; *y: places. */
hd_status hd_infer_class_view(hd_infer *c, int weight, bool ignoring, hd_dims *y);
hd_status hd_class_loss_infer(hd_infer *c); /* of hd_class_loss_args */
/* nll by definition; of logits: cross_entropy. */
void hd_class_loss_ref(const hd_ref *r, bool logits);

/* Options and inputs of a loss of classes, as its rules hand them on. */
typedef struct hd_class_terms {
    hd_val target, weight;
    int64_t reduction, ignore_index;
    double label_smoothing;
} hd_class_terms;
/* Gradients of nll(x, target, weight), dy at its result, for the target (soft) and the weight. x: ln p. */
hd_val hd_class_dtarget(hd_val x, hd_class_terms t, hd_val dy);
hd_val hd_class_dweight(hd_val x, hd_class_terms t, hd_val dy);

#define HD_CLASS_LOSS_OPTIONS(args_)                                                                                   \
    HD_REDUCTION(args_),                                                                                               \
        HD_OPTION(AXIS, args_, ignore_index, .def = HD_IGNORE_INDEX,                                                   \
                  .help = "class number of samples that do not count"),                                                \
        HD_OPTION(FLOAT, args_, label_smoothing, .min = 0, .max = 1,                                                   \
                  .help = "share of the target that is spread evenly over the classes")
#define HD_CLASS_LOSS_HEAD(name_)                                                                                      \
    .name = #name_, .n_in = 2, .n_optional = 1, .n_out = 1, .in_names = HD_NAMES("x", "target", "weight"),             \
    .out_names = HD_NAMES("loss"), .args_size = sizeof(hd_class_loss_args),                                            \
    .options = (const hd_option[]){HD_CLASS_LOSS_OPTIONS(hd_class_loss_args), HD_OPTION_END},                          \
    .infer = hd_class_loss_infer
#endif
