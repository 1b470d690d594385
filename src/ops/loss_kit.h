/* loss_kit.h: what losses share: the option `reduction`, the definition of a loss of pairs, how a gradient that arrives
 * reaches each element, parts of descriptors. Knows nothing of backends. */
#ifndef HD_OPS_LOSS_KIT_H
#define HD_OPS_LOSS_KIT_H
#include "ops/op_kit.h"

/* ---- the option ---- */

extern const char *const hd_reductions[]; /* mean sum none */
#define HD_REDUCTION(args_)                                                                                            \
    HD_OPTION(ENUM, args_, reduction, .choices = hd_reductions, .help = "mean, sum, or none: a loss for each element")
/* HD_REDUCE_… as set; the mean where the op has no such option. */
int64_t hd_reduction_of(const hd_op *op, const void *attr);

/* ---- optional inputs ---- */

/* NULL, none, false where the input is absent. */
static inline const hd_tensor *hd_ref_in(const hd_ref *r, int i) {
    return i < r->n_in && r->in[i].data ? &r->in[i] : NULL;
}
static inline hd_val hd_grad_in(const hd_grad *c, int i) {
    return i < c->n_in ? c->in[i] : (hd_val){0};
}
static inline bool hd_grad_needs(const hd_grad *c, int i) {
    return i < c->n_in && c->needs[i];
}

/* ---- definitions ---- */

/* The larger of x and a bound; NaN stays: a run that has gone astray must not look like one without a loss. */
static inline double hd_loss_least(double x, double least) {
    return x < least ? least : x;
}

/* Takes the losses of elements one by one, and makes the result of them. */
typedef struct hd_loss_sum {
    const hd_tensor *out;
    int64_t reduction;
    double sum;
} hd_loss_sum;
static inline void hd_loss_put(hd_loss_sum *s, int64_t i, double loss) {
    if (s->reduction == HD_REDUCE_NONE)
        hd_set(s->out, i, loss);
    else
        s->sum += loss;
}
/* n: what a mean divides by. */
static inline void hd_loss_end(const hd_loss_sum *s, double n) {
    if (s->reduction == HD_REDUCE_NONE) return;
    hd_set(s->out, 0, s->reduction == HD_REDUCE_SUM ? s->sum : s->sum / n);
}
/* Size of the batch: axis 0, or 1. */
static inline double hd_loss_batch(const hd_dims *x) {
    return x->rank ? (double)x->dim[0] : 1;
}

/* Loss of a pair of numbers: an expression in the doubles `x` and `t` and the options `a`. */
#define HD_PAIR_LOSS_REF(fn, args_, expr)                                                                              \
    static void fn(const hd_ref *r) {                                                                                  \
        const args_ *a = r->attr;                                                                                      \
        hd_loss_sum s = {&r->out[0], a->reduction, 0};                                                                 \
        for (int64_t i = 0; i < r->in[0].count; i++) {                                                                 \
            const double x = hd_get(&r->in[0], i), t = hd_get(&r->in[1], i);                                           \
            hd_loss_put(&s, i, expr);                                                                                  \
        }                                                                                                              \
        hd_loss_end(&s, a->reduction == HD_REDUCE_BATCHMEAN ? hd_loss_batch(&r->in[0].dims) : (double)r->in[0].count); \
    }

/* ---- shapes ---- */

hd_status hd_infer_loss(hd_infer *c);         /* x and target floats of one shape → a scalar, or like x */
hd_status hd_infer_loss_grad(hd_infer *c);    /* x, target as hd_infer_loss, dy a scalar → like x */
hd_status hd_infer_class_loss(hd_infer *c);   /* x float [n, c], target i64 [n] → a scalar of x's dtype */
hd_status hd_need_weight(hd_infer *c, int i); /* in[i] is absent, or broadcasts over x */

/* ---- gradients ---- */

/* What arrives at the loss of each element: dout as `reduction` spreads it over x (input 0), or over a value of which
 * only the shape is read. */
hd_val hd_loss_each(const hd_grad *c);
hd_val hd_loss_spread(const hd_grad *c, hd_val like);
/* The same for losses of rows, [n]: over `like` [n, 1]. */
hd_val hd_loss_column(const hd_grad *c, hd_val like);
/* v [n] → [n, 1]. */
hd_val hd_column(hd_val v);
/* `each` times the weight (input 2), where there is one. */
hd_val hd_loss_weigh(const hd_grad *c, hd_val each);
/* Sets the gradients of x and target from the slopes of an element; a slope may be none where it is not needed. */
void hd_loss_slopes(hd_grad *c, hd_val dx, hd_val dt);
/* 1 where x > 0, else 0; x where x > least, else least; x where |x| < most, else most with x's sign. */
hd_val hd_positive(hd_val x);
hd_val hd_at_least(hd_val x, double least);
hd_val hd_within(hd_val x, double most);
/* ln(1 + e^−x), stable. */
hd_val hd_softplus_minus(hd_val x);

/* ---- descriptors ---- */

/* What every loss of x and target says of itself, and what its backward op says. */
#define HD_LOSS_HEAD(name_, args_)                                                                                     \
    .name = #name_, .n_in = 2, .n_out = 1, .in_names = HD_NAMES("x", "target"), .out_names = HD_NAMES("loss"),         \
    .args_size = sizeof(args_), .infer = hd_infer_loss
#define HD_LOSS3_HEAD(name_, args_, a_, b_, c_)                                                                        \
    .name = #name_, .n_in = 3, .n_out = 1, .in_names = HD_NAMES(a_, b_, c_), .out_names = HD_NAMES("loss"),            \
    .args_size = sizeof(args_), .infer = name_##_infer
/* Its functions. */
#define HD_LOSS_RULES(name_) .grad = name_##_rule, .ref = name_##_ref, .cost = name_##_cost
#define HD_LOSS_GRAD_HEAD(name_)                                                                                       \
    .name = #name_ "_grad", .n_in = 3, .n_out = 1, .in_names = HD_NAMES("x", "target", "dy"),                          \
    .out_names = HD_NAMES("dx"), .args_size = sizeof(hd_loss_grad_args), .source = "derivative of " #name_,            \
    .doc = "Back-propagation through " #name_ ", the mean."
#define HD_MARGIN(args_, default_, help_)                                                                              \
    HD_OPTION(FLOAT, args_, margin, .def = default_, .min = -1e300, .max = 1e300, .help = help_)
#define HD_EPS(args_, default_, help_)                                                                                 \
    HD_OPTION(FLOAT, args_, eps, .def = default_, .min = 0, .max = 1e30, .help = help_)
/* The only option. */
#define HD_ONLY_REDUCTION(args_)                                                                                       \
    .options = (const hd_option[]) {                                                                                   \
        HD_REDUCTION(args_), HD_OPTION_END                                                                             \
    }
/* Losses with a weight. */
#define HD_WEIGHTED_LOSS_HEAD(name_, args_)                                                                            \
    .name = #name_, .n_in = 2, .n_optional = 1, .n_out = 1, .in_names = HD_NAMES("x", "target", "weight"),             \
    .out_names = HD_NAMES("loss"), .args_size = sizeof(args_), .infer = name_##_infer

/* factor·(x − t)², whose mean divides by `count` (an expression in hd_tensor *x); and the backward op of the mean,
 * 2 factor (x − t) dy/count. */
#define HD_SQUARED_LOSS(name_, factor, count_)                                                                         \
    static void name_##_ref(const hd_ref *r) {                                                                         \
        const hd_tensor *x = &r->in[0];                                                                                \
        hd_loss_sum s = {&r->out[0], ((const hd_loss_args *)r->attr)->reduction, 0};                                   \
        for (int64_t i = 0; i < x->count; i++) {                                                                       \
            const double d = hd_get(x, i) - hd_get(&r->in[1], i);                                                      \
            hd_loss_put(&s, i, (factor)*d *d);                                                                         \
        }                                                                                                              \
        hd_loss_end(&s, count_);                                                                                       \
    }                                                                                                                  \
    static void name_##_rule(hd_grad *c) {                                                                             \
        if (hd_reduction_of(c->op, c->attr) == HD_REDUCE_MEAN) {                                                       \
            hd_loss_opposite(c, hd_##name_##_grad(c->in[0], c->in[1], c->dout[0]));                                    \
            return;                                                                                                    \
        }                                                                                                              \
        const hd_val d = hd_sub(c->in[0], c->in[1]);                                                                   \
        hd_loss_opposite(c, hd_mul((factor) == 0.5 ? d : hd_affine(d, .scale = 2 * (factor)), hd_loss_each(c)));       \
    }                                                                                                                  \
    static void name_##_grad_ref(const hd_ref *r) {                                                                    \
        const hd_tensor *x = &r->in[0];                                                                                \
        const double scale = 2 * (factor)*hd_get(&r->in[2], 0) / (count_);                                             \
        for (int64_t i = 0; i < x->count; i++) hd_set(&r->out[0], i, (hd_get(x, i) - hd_get(&r->in[1], i)) * scale);   \
    }                                                                                                                  \
    /* Linear in x − target and in dy: the same op with what arrives in the place of x − target. */                \
    static void name_##_grad_rule(hd_grad *c) {                                                                        \
        const hd_val x = c->in[0], t = c->in[1], dy = c->in[2], g = c->dout[0];                                        \
        if (c->needs[0] || c->needs[1]) hd_loss_opposite(c, hd_##name_##_grad(g, hd_fill_like(g), dy));                \
        if (c->needs[2]) c->din[2] = hd_sum(hd_mul(g, hd_##name_##_grad(x, t, hd_fill_like(dy, .value = 1))));         \
    }
/* Sets dx, and −dx as the gradient of the target: for losses of x − target. */
void hd_loss_opposite(hd_grad *c, hd_val dx);
/* Costs of a loss of pairs: `flops` for each element of x. */
#define HD_LOSS_COST(fn, flops_)                                                                                       \
    static hd_cost fn(const hd_infer *c) {                                                                             \
        return hd_cost_of(c, (flops_)*hd_cost_elements(&c->in[0]));                                                    \
    }
#endif
