/* calls_masked.c: torch.masked: reductions, scans and normalisations that see only the elements that a mask lets
 * through. The others are replaced by what changes nothing: 0 in a sum, −∞ in a maximum. */
#include "call_kit.h"
#include <math.h>

/* x with `value` where the mask is false; x without a mask. */
static hd_val fill_masked(vector_case *c, hd_val x, hd_val mask, double value) {
    if (hd_val_is_none(mask) || c->why[0]) return x;
    return hd_where(mask, x, vector_scalar(c, hd_val_dtype(x), value));
}

/* The mask as numbers of the shape of x: 1 where an element counts. */
static hd_val counts(vector_case *c, hd_val x, hd_val mask) {
    const hd_val ones = hd_fill_like(x, .value = 1);
    return fill_masked(c, ones, mask, 0);
}

/* What all of them share: x, the axes and what becomes of them. */
typedef struct masked {
    hd_val x, mask;
    hd_dims axes;
    bool keepdim;
} masked;

/* `at`: position of the axes, −1: by name alone. */
static masked arguments(vector_case *c, int at) {
    masked m = {.x = vector_tensor(c, 0, "input"), .mask = vector_tensor_if(c, -1, "mask")};
    m.axes = vector_axes(c, at, "dim", hd_val_dims(m.x).rank);
    m.keepdim = vector_bool(c, -1, "keepdim", false);
    if (!c->why[0]) m.x = vector_cast(m.x, vector_dtype(c, -1, "dtype", hd_val_dtype(m.x)));
    if (!c->why[0] && !vector_is_float(m.x)) vector_unsupported(c, "whole numbers");
    return m;
}

/* ---- reductions ---- */

typedef hd_val (*reduction)(hd_loc at, const hd_reduce_args *args);

static hd_val reduce(const masked *m, hd_val x, reduction f, bool keepdim) {
    return f(HD_HERE, &(hd_reduce_args){.x = x, .axes = m->axes, .keepdim = keepdim});
}

static void plain(vector_case *c, reduction f, double fill) {
    const masked m = arguments(c, 1);
    if (!c->why[0]) vector_give(c, reduce(&m, fill_masked(c, m.x, m.mask, fill), f, m.keepdim));
}
static void call_sum(vector_case *c) {
    plain(c, hd_sum_at, 0);
}
static void call_prod(vector_case *c) {
    plain(c, hd_prod_at, 1);
}
static void call_amax(vector_case *c) {
    plain(c, hd_max_at, -INFINITY);
}
static void call_amin(vector_case *c) {
    plain(c, hd_min_at, INFINITY);
}
static void call_logsumexp(vector_case *c) {
    plain(c, hd_logsumexp_at, -INFINITY);
}

static void call_mean(vector_case *c) {
    const masked m = arguments(c, 1);
    if (c->why[0]) return;
    const hd_val sum = reduce(&m, fill_masked(c, m.x, m.mask, 0), hd_sum_at, m.keepdim);
    vector_give(c, hd_div(sum, reduce(&m, counts(c, m.x, m.mask), hd_sum_at, m.keepdim)));
}

static hd_val variance(vector_case *c) {
    const double correction =
        vector_has(c, 2, "unbiased") ? vector_bool(c, 2, "unbiased", false) : vector_number(c, -1, "correction", 1);
    const masked m = arguments(c, 1);
    if (c->why[0]) return m.x;
    const hd_val one = counts(c, m.x, m.mask), sum = reduce(&m, fill_masked(c, m.x, m.mask, 0), hd_sum_at, true);
    const hd_val mean = hd_div(sum, reduce(&m, one, hd_sum_at, true));
    const hd_val d = fill_masked(c, hd_sub(m.x, mean), m.mask, 0);
    const hd_val n = kit_shift(reduce(&m, one, hd_sum_at, m.keepdim), -correction);
    const hd_val least = hd_maximum(n, vector_scalar(c, hd_val_dtype(n), 0));
    return hd_div(reduce(&m, hd_mul(d, d), hd_sum_at, m.keepdim), least);
}
static void call_var(vector_case *c) {
    const hd_val y = variance(c);
    if (!c->why[0]) vector_give(c, y);
}
static void call_std(vector_case *c) {
    const hd_val y = variance(c);
    if (!c->why[0]) vector_give(c, hd_sqrt(y));
}

/* The place of the largest or smallest, as PyTorch gives it: in x's dtype. */
static void place(vector_case *c, hd_val (*f)(hd_loc, const hd_arg_args *), double fill) {
    const masked m = arguments(c, 1);
    if (c->why[0]) return;
    hd_arg_args a = {.x = vector_unscalar(fill_masked(c, m.x, m.mask, fill)), .keepdim = m.keepdim};
    if (m.axes.rank) a.axis = HD_AXIS(m.axes.dim[0]);
    const hd_val y = vector_cast(f(HD_HERE, &a), hd_val_dtype(m.x));
    vector_give(c, hd_val_dims(m.x).rank ? y : kit_reshape(y, (hd_dims){0}));
}
static void call_argmax(vector_case *c) {
    place(c, hd_argmax_at, -INFINITY);
}
static void call_argmin(vector_case *c) {
    place(c, hd_argmin_at, INFINITY);
}

/* Along an axis; what is masked is skipped as NaN is. */
static void call_median(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), mask = vector_tensor_if(c, -1, "mask");
    const int axis = vector_axis(c, 1, "dim", hd_val_dims(x).rank, -1);
    const bool keepdim = vector_bool(c, -1, "keepdim", false);
    if (hd_val_dims(x).rank == 0) vector_unsupported(c, "a scalar");
    if (c->why[0]) return;
    const hd_val in = fill_masked(c, x, mask, NAN);
    vector_give(c, hd_median(in, .axis = HD_AXIS(axis), .keepdim = keepdim, .ignore_nan = true));
}

/* ---- norms ---- */

/* (Σ |x|^ord)^(1/ord) over the axes, with the limits that 0 and ±∞ stand for. */
static hd_val norm(vector_case *c, const masked *m, double ord, bool keepdim) {
    const hd_val size = hd_abs(fill_masked(c, m->x, m->mask, ord < 0 ? INFINITY : 0));
    if (isinf(ord)) return reduce(m, size, ord > 0 ? hd_max_at : hd_min_at, keepdim);
    if (ord == 1) return reduce(m, size, hd_sum_at, keepdim);
    if (ord == 2) return hd_sqrt(reduce(m, hd_mul(size, size), hd_sum_at, keepdim));
    if (ord == 0) {
        const hd_val some = hd_ne(size, vector_scalar(c, hd_val_dtype(size), 0));
        return reduce(m, vector_cast(some, hd_val_dtype(size)), hd_sum_at, keepdim);
    }
    return hd_pow(reduce(m, hd_pow(size, .exponent = ord), hd_sum_at, keepdim), .exponent = 1 / ord);
}
static void call_norm(vector_case *c) {
    const double ord = vector_number(c, 1, "ord", 2);
    const masked m = arguments(c, 2);
    if (!c->why[0]) vector_give(c, norm(c, &m, ord, m.keepdim));
}
static void call_normalize(vector_case *c) {
    const double ord = vector_number(c, 1, "ord", 2), eps = vector_number(c, 3, "eps", 1e-12);
    const masked m = arguments(c, 2);
    if (c->why[0]) return;
    const hd_val length = hd_maximum(norm(c, &m, ord, true), vector_scalar(c, hd_val_dtype(m.x), eps));
    vector_give(c, hd_div(fill_masked(c, m.x, m.mask, 0), length));
}

/* ---- along an axis ---- */

typedef hd_val (*scan)(hd_val x, int axis);

static void along(vector_case *c, scan f, double fill) {
    const hd_val x = vector_tensor(c, 0, "input"), mask = vector_tensor_if(c, -1, "mask");
    const hd_dims dims = hd_val_dims(x);
    const int axis = vector_axis(c, 1, "dim", dims.rank, -1);
    const hd_dtype to = vector_dtype(c, -1, "dtype", hd_val_is_none(x) ? c->dtype : hd_val_dtype(x));
    if (c->why[0]) return;
    const hd_val in = vector_unscalar(fill_masked(c, vector_cast(x, to), mask, fill));
    vector_give(c, kit_reshape(f(in, axis), dims));
}
#define ALONG(name, fill, ...)                                                                                         \
    static hd_val name##_of(hd_val x, int axis) {                                                                      \
        return __VA_ARGS__;                                                                                            \
    }                                                                                                                  \
    static void call_##name(vector_case *c) {                                                                          \
        along(c, name##_of, fill);                                                                                     \
    }
ALONG(cumsum, 0, hd_cumsum(x, .axis = HD_AXIS(axis)))
ALONG(cumprod, 1, hd_cumprod(x, .axis = HD_AXIS(axis)))
ALONG(softmax, -INFINITY, hd_softmax(x, .axis = HD_AXIS(axis)))
ALONG(log_softmax, -INFINITY, hd_log_softmax(x, .axis = HD_AXIS(axis)))
ALONG(softmin, INFINITY, hd_softmax(hd_neg(x), .axis = HD_AXIS(axis)))

/* ---- two operands ---- */

static void call_logaddexp(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other"),
                 mask_a = vector_tensor_if(c, -1, "input_mask"), mask_b = vector_tensor_if(c, -1, "other_mask");
    const hd_val x = fill_masked(c, a, mask_a, -INFINITY), y = fill_masked(c, b, mask_b, -INFINITY);
    const hd_val both[2] = {kit_insert(x, 0, 1), kit_insert(y, 0, 1)};
    vector_give(c, hd_logsumexp(hd_concat(both, 2, .axis = HD_AXIS(0)), .axes = kit_one(0)));
}

const vector_entry vector_calls_masked[] = {
    {"masked.sum", call_sum},
    {"masked.prod", call_prod},
    {"masked.amax", call_amax},
    {"masked.amin", call_amin},
    {"masked.logsumexp", call_logsumexp},
    {"masked.mean", call_mean},
    {"masked.var", call_var},
    {"masked.std", call_std},
    {"masked.argmax", call_argmax},
    {"masked.argmin", call_argmin},
    {"masked.median", call_median},
    {"masked.norm", call_norm},
    {"masked.normalize", call_normalize},
    {"masked.cumsum", call_cumsum},
    {"masked.cumprod", call_cumprod},
    {"masked.softmax", call_softmax},
    {"masked.log_softmax", call_log_softmax},
    {"masked.softmin", call_softmin},
    {"masked.logaddexp", call_logaddexp},
    {0},
};
