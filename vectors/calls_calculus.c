/* calls_calculus.c: differences, numerical gradients, trapezoids, covariance. */
#include "call_kit.h"

/* ---- differences ---- */

/* x[i+1] − x[i] along an axis. */
static hd_val difference(hd_val x, int axis) {
    const int64_t n = kit_size(x, axis);
    if (n < 2) return kit_slice(x, axis, n, n);
    return hd_sub(kit_slice(x, axis, 1, n), kit_slice(x, axis, 0, n - 1));
}

static void call_diff(vector_case *c) {
    hd_val parts[3], x = vector_tensor(c, 0, "input");
    const int64_t n = vector_int(c, 1, "n", 1);
    const int rank = hd_val_dims(x).rank, axis = vector_axis(c, 2, "dim", rank, -1);
    const hd_val before = vector_tensor_if(c, 3, "prepend"), after = vector_tensor_if(c, 4, "append");
    if (rank == 0 || n < 0 || n > 1000 || hd_val_dtype(x) == HD_BOOL) vector_unsupported(c, "that difference");
    int k = 0;
    if (!hd_val_is_none(before)) parts[k++] = before;
    parts[k++] = x;
    if (!hd_val_is_none(after)) parts[k++] = after;
    if (c->why[0]) return;
    if (k > 1 && n > 0) x = hd_concat(parts, k, .axis = HD_AXIS(axis));
    for (int64_t i = 0; i < n; i++) x = difference(x, axis);
    vector_give(c, x);
}

/* ---- numerical gradient along an axis; h: distances between neighbours [n−1] on that axis, or none with step h0 ----
 */

typedef struct grid {
    int axis;
    int64_t n;
    double step;
    hd_val gaps; /* as [1, …, n−1, …, 1]; none: `step` everywhere */
} grid;

static hd_val at(hd_val x, int axis, int64_t i) {
    return kit_slice(x, axis, i, i + 1);
}

/* Inside: second order on any grid, (a² f₊ + (b² − a²) f − b² f₋) / (a b (a + b)), a before, b behind. */
static hd_val inside(hd_val f, const grid *g) {
    const int axis = g->axis;
    const int64_t n = g->n;
    const hd_val low = kit_slice(f, axis, 0, n - 2), mid = kit_slice(f, axis, 1, n - 1),
                 high = kit_slice(f, axis, 2, n);
    if (hd_val_is_none(g->gaps)) return kit_scale(hd_sub(high, low), 0.5 / g->step);
    const hd_val a = kit_slice(g->gaps, axis, 0, n - 2), b = kit_slice(g->gaps, axis, 1, n - 1);
    const hd_val aa = hd_mul(a, a), bb = hd_mul(b, b);
    const hd_val top = hd_sub(hd_add(hd_mul(aa, high), hd_mul(hd_sub(bb, aa), mid)), hd_mul(bb, low));
    return hd_div(top, hd_mul(hd_mul(a, b), hd_add(a, b)));
}

/* At an end: f[i], its neighbour and the one behind, with gaps a and b from the end on; sign −1 at the last. */
static hd_val end_of(hd_val f, const grid *g, bool last, int order) {
    const int64_t n = g->n, i0 = last ? n - 1 : 0, i1 = last ? n - 2 : 1, i2 = last ? n - 3 : 2;
    const int axis = g->axis;
    const hd_val f0 = at(f, axis, i0), f1 = at(f, axis, i1);
    const double sign = last ? -1 : 1;
    if (order == 1) {
        const hd_val d = kit_scale(hd_sub(f1, f0), sign);
        return hd_val_is_none(g->gaps) ? kit_scale(d, 1 / g->step) : hd_div(d, at(g->gaps, axis, last ? n - 2 : 0));
    }
    const hd_val f2 = at(f, axis, i2);
    if (hd_val_is_none(g->gaps)) {
        const hd_val sum = hd_sub(hd_sub(kit_scale(f1, 4), kit_scale(f0, 3)), f2);
        return kit_scale(sum, sign * 0.5 / g->step);
    }
    const hd_val a = at(g->gaps, axis, last ? n - 2 : 0), b = at(g->gaps, axis, last ? n - 3 : 1), ab = hd_add(a, b);
    const hd_val k0 = hd_div(hd_add(a, ab), hd_mul(a, ab)), k1 = hd_div(ab, hd_mul(a, b)),
                 k2 = hd_div(a, hd_mul(b, ab));
    return kit_scale(hd_sub(hd_sub(hd_mul(k1, f1), hd_mul(k0, f0)), hd_mul(k2, f2)), sign);
}

static hd_val slope(vector_case *c, hd_val f, const grid *g, int order) {
    if (g->n < order + 1) {
        vector_unsupported(c, "too few points");
        return f;
    }
    hd_val parts[3] = {end_of(f, g, false, order)};
    int k = 1;
    if (g->n > 2) parts[k++] = inside(f, g);
    parts[k++] = end_of(f, g, true, order);
    return hd_concat(parts, k, .axis = HD_AXIS(g->axis));
}

/* Spacing number i of `n`: one number for all, or a list of numbers or of coordinates. */
static void take_spacing(vector_case *c, const hd_json *spacing, int i, int n, int rank, grid *g) {
    g->step = 1;
    const hd_json *v = spacing;
    if (v && v->type == HD_JSON_ARRAY) {
        if ((int)v->count != n) vector_unsupported(c, "spacings of another number than axes");
        v = v->child;
        for (int k = 0; v && k < i; k++) v = v->next;
    }
    if (v && vector_is_tensor(v)) {
        const hd_val x = vector_value(c, v);
        if (hd_val_dims(x).rank != 1 || kit_size(x, 0) != g->n)
            vector_unsupported(c, "coordinates of another form");
        else
            g->gaps = kit_vector(difference(x, 0), rank, g->axis);
    } else if (v && !vector_is_number(v, &g->step)) {
        vector_unsupported(c, "a spacing of another form");
    }
}

static void call_gradient(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const int rank = hd_val_dims(x).rank;
    const hd_json *spacing = vector_arg(c, -1, "spacing");
    hd_dims axes = vector_axes(c, -1, "dim", rank);
    const int64_t order = vector_int(c, -1, "edge_order", 1);
    if (order < 1 || order > 2 || rank == 0) vector_unsupported(c, "that order");
    if (axes.rank == 0)
        for (int i = 0; i < rank; i++) axes.dim[axes.rank++] = i;
    for (int i = 0; i < axes.rank && !c->why[0]; i++) {
        grid g = {.axis = (int)axes.dim[i], .n = kit_size(x, (int)axes.dim[i])};
        take_spacing(c, spacing, i, axes.rank, rank, &g);
        if (!c->why[0]) vector_give(c, slope(c, x, &g, (int)order));
    }
}

/* ---- trapezoids ---- */

/* (y[i] + y[i+1]) · (x[i+1] − x[i]) / 2. */
static hd_val trapezoids(vector_case *c, int *axis) {
    const hd_val y = vector_tensor(c, 0, "y"), x = vector_tensor_if(c, 1, "x");
    const double dx = vector_number(c, -1, "dx", 1);
    const int rank = hd_val_dims(y).rank, rank_x = hd_val_dims(x).rank;
    *axis = vector_axis(c, -1, "dim", rank, -1);
    const int64_t n = kit_size(y, *axis);
    if (rank == 0 || n < 1) vector_unsupported(c, "an empty tensor");
    if (!hd_val_is_none(x) && rank_x != 1 && rank_x != rank) vector_unsupported(c, "x of another rank");
    if (c->why[0]) return y;
    const hd_val sum = hd_add(kit_slice(y, *axis, 1, n), kit_slice(y, *axis, 0, n - 1));
    if (hd_val_is_none(x)) return kit_scale(sum, dx / 2);
    const hd_val gaps = rank_x == 1 ? kit_vector(difference(x, 0), rank, *axis) : difference(x, *axis);
    return kit_scale(hd_mul(sum, gaps), 0.5);
}
static void call_trapezoid(vector_case *c) {
    int axis;
    const hd_val parts = trapezoids(c, &axis);
    if (!c->why[0]) vector_give(c, kit_sum(parts, axis, false));
}
static void call_cumulative_trapezoid(vector_case *c) {
    int axis;
    const hd_val parts = trapezoids(c, &axis);
    if (!c->why[0]) vector_give(c, hd_cumsum(parts, .axis = HD_AXIS(axis)));
}

/* ---- covariance ---- */

/* Rows are variables, columns observations. w: weights of the observations or none; `divisor` a scalar or none. */
static hd_val covariance(hd_val x, hd_val w, hd_val mean, hd_val divisor) {
    const hd_val centred = hd_sub(x, mean);
    const hd_val weighted = hd_val_is_none(w) ? centred : hd_mul(centred, w);
    return hd_div(hd_matmul(weighted, centred, .trans_b = true), divisor);
}

static hd_val rows_of(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    if (hd_val_dims(x).rank > 2 || (!c->why[0] && !vector_is_float(x))) vector_unsupported(c, "more than a matrix");
    return kit_insert(x, 0, 2 - hd_val_dims(x).rank);
}

/* NumPy's: weights f·a; Σw − correction, or Σw − correction·Σ(w a)/Σw with a. */
static hd_val cov(vector_case *c, hd_val x, int64_t correction) {
    hd_val f = vector_tensor_if(c, -1, "fweights");
    const hd_val a = vector_tensor_if(c, -1, "aweights");
    const int64_t n = kit_size(x, 1);
    if (c->why[0] || n == 0) {
        vector_unsupported(c, "no observations");
        return x;
    }
    f = vector_cast(f, hd_val_dtype(x));
    const hd_val w = hd_val_is_none(f) ? a : hd_val_is_none(a) ? f : hd_mul(f, a);
    if (hd_val_is_none(w)) {
        const double rest = (double)(n - correction);
        return covariance(x, w, hd_mean(x, .axes = kit_one(1), .keepdim = true),
                          vector_scalar(c, hd_val_dtype(x), rest > 0 ? rest : 0));
    }
    const hd_val sum = hd_sum(w), mean = hd_div(hd_sum(hd_mul(x, w), .axes = kit_one(1), .keepdim = true), sum);
    hd_val divisor = kit_shift(sum, -(double)correction);
    if (!hd_val_is_none(a) && correction != 0)
        divisor = hd_sub(sum, kit_scale(hd_div(hd_sum(hd_mul(w, a)), sum), (double)correction));
    return covariance(x, w, mean, divisor);
}

/* One variable: a scalar. */
static void give_matrix(vector_case *c, hd_val y) {
    vector_give(c, kit_size(y, 0) == 1 ? kit_reshape(y, (hd_dims){0}) : y);
}
static void call_cov(vector_case *c) {
    const int64_t correction = vector_int(c, -1, "correction", 1);
    const hd_val y = cov(c, rows_of(c), correction);
    if (!c->why[0]) give_matrix(c, y);
}
static void call_corrcoef(vector_case *c) {
    const hd_val y = cov(c, rows_of(c), 1);
    const hd_dims d = hd_val_dims(y);
    if (c->why[0] || d.rank != 2) return;
    double *eye = hd_arena_alloc_n(c->arena, (size_t)(d.dim[0] * d.dim[0]) + 1, sizeof *eye);
    for (int64_t i = 0; i < d.dim[0] && eye; i++) eye[i * d.dim[0] + i] = 1;
    if (!eye) return;
    const hd_val variances = hd_mul(y, vector_const(c, hd_val_dtype(y), d, eye));
    const hd_val column = hd_sqrt(kit_sum(variances, 1, true)), row = hd_sqrt(kit_sum(variances, 0, true));
    give_matrix(c, hd_div(hd_div(y, column), row));
}

const vector_entry vector_calls_calculus[] = {
    {"diff", call_diff},
    {"gradient", call_gradient},
    {"trapezoid", call_trapezoid},
    {"trapz", call_trapezoid},
    {"cumulative_trapezoid", call_cumulative_trapezoid},
    {"cov", call_cov},
    {"corrcoef", call_corrcoef},
    {0},
};
