/* calls_histogram.c: how many elements fall into which bin. Each axis of the bins gives a table [n, bins] of zeros and
 * ones; the histogram is the sum over the n samples of their products and weights. */
#include "call_kit.h"

typedef struct axis_bins {
    int64_t n;
    hd_val edges; /* [n + 1] */
} axis_bins;

static hd_val column_of(hd_val x) {
    const hd_dims d = hd_val_dims(x);
    return kit_reshape(x, HD_DIMS(hd_dims_count(&d), 1));
}

/* n bins of one width from low to high [1]; both ends move out by `widen` where they are one. */
static axis_bins equal_bins(vector_case *c, hd_val low, hd_val high, int64_t n, double widen) {
    const hd_val flat = hd_eq(low, high);
    const hd_val lo = hd_where(flat, kit_shift(low, -widen), low), hi = hd_where(flat, kit_shift(high, widen), high);
    double *part = hd_arena_alloc_n(c->arena, (size_t)n + 1, sizeof *part);
    if (!part) return (axis_bins){0};
    for (int64_t i = 0; i < n; i++) part[i] = (double)i / (double)n;
    const hd_val inner = hd_add(lo, hd_mul(hd_sub(hi, lo), vector_const(c, hd_val_dtype(low), HD_DIMS(n), part)));
    const hd_val both[2] = {inner, hi}; /* the last edge is the largest element itself */
    return (axis_bins){n, hd_concat(both, 2, .axis = HD_AXIS(0))};
}

/* Which bin each sample of a column [n, 1] falls into; the last bin has its upper edge too. */
static hd_val membership(hd_val x, const axis_bins *b) {
    const hd_val low = kit_slice(b->edges, 0, 0, b->n), high = kit_slice(b->edges, 0, 1, b->n + 1);
    const hd_val last = kit_slice(b->edges, 0, b->n, b->n + 1);
    const hd_val end = hd_logical_and(hd_eq(x, last), hd_eq(high, last));
    const hd_val in = hd_logical_and(hd_ge(x, low), hd_logical_or(hd_lt(x, high), end));
    return vector_cast(in, hd_val_dtype(x));
}

static hd_val widths(const axis_bins *b) {
    return hd_sub(kit_slice(b->edges, 0, 1, b->n + 1), kit_slice(b->edges, 0, 0, b->n));
}

/* Samples [n, axes] (columns), weights [n, 1] or none → counts with an axis for each of the bins'. */
static hd_val histogram(const hd_val *columns, const axis_bins *bins, int axes, hd_val weight, bool density) {
    hd_val product = weight, volume = {0};
    hd_dims to = {.rank = axes};
    if (!hd_val_is_none(weight)) product = kit_insert(weight, 2, axes - 1);
    for (int i = 0; i < axes; i++) {
        const hd_val table = kit_insert(kit_insert(membership(columns[i], &bins[i]), 1, i), i + 2, axes - 1 - i);
        const hd_val width = kit_vector(widths(&bins[i]), axes, i);
        product = hd_val_is_none(product) ? table : hd_mul(product, table);
        volume = hd_val_is_none(volume) ? width : hd_mul(volume, width);
        to.dim[i] = bins[i].n;
    }
    const hd_val sum = kit_sum(product, 0, false);
    return kit_reshape(density ? hd_div(hd_div(sum, hd_sum(sum)), volume) : sum, to);
}

static hd_val some_samples(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const hd_dims d = hd_val_dims(x);
    if (!c->why[0] && (!vector_is_float(x) || hd_dims_count(&d) == 0)) vector_unsupported(c, "no samples");
    return x;
}

static hd_val lowest(hd_val column) {
    return hd_min(column, .axes = kit_one(0));
}
static hd_val highest(hd_val column) {
    return hd_max(column, .axes = kit_one(0));
}

static void call_histc(vector_case *c) {
    const hd_val x = some_samples(c);
    const int64_t n = vector_int(c, 1, "bins", 100);
    const double low = vector_number(c, 2, "min", 0), high = vector_number(c, 3, "max", 0);
    if (n < 1 || n > 4096 || low > high) vector_unsupported(c, "those bins");
    if (c->why[0]) return;
    const hd_val column = column_of(x), ends[2] = {lowest(column), highest(column)};
    const hd_val given[2] = {vector_full(c, hd_val_dtype(x), HD_DIMS(1), low),
                             vector_full(c, hd_val_dtype(x), HD_DIMS(1), high)};
    const bool own = low == high;
    const axis_bins bins = equal_bins(c, own ? ends[0] : given[0], own ? ends[1] : given[1], n, 1);
    vector_give(c, histogram(&column, &bins, 1, (hd_val){0}, false));
}

static bool in_order(const vector_case *c, hd_val edges) {
    for (int i = 0; i < c->n_in; i++)
        for (int64_t k = 1; c->in[i].val.id == edges.id && k < kit_size(edges, 0); k++)
            if (!(vector_element(c->dtype, c->in[i].data, k) >= vector_element(c->dtype, c->in[i].data, k - 1)))
                return false;
    return true;
}

/* Bins as a number (then the data, or `range`, say from where to where) or as edges. */
static axis_bins take_bins(vector_case *c, const hd_json *v, hd_val column) {
    if (vector_is_tensor(v)) {
        const hd_val edges = vector_value(c, v);
        if (hd_val_dims(edges).rank != 1 || kit_size(edges, 0) < 2 || !in_order(c, edges))
            vector_unsupported(c, "edges that are not in order");
        return (axis_bins){kit_size(edges, 0) - 1, edges};
    }
    if (!vector_is_int(v) || v->integer < 1 || v->integer > 4096) {
        vector_unsupported(c, "bins of another form");
        return (axis_bins){0};
    }
    return equal_bins(c, lowest(column), highest(column), v->integer, 0.5);
}

static void call_histogram(vector_case *c) {
    const hd_val x = some_samples(c), weight = vector_tensor_if(c, 3, "weight");
    const bool density = vector_bool(c, 4, "density", false);
    if (vector_has(c, 2, "range")) vector_unsupported(c, "a range");
    if (c->why[0]) return;
    const hd_val column = column_of(x);
    const axis_bins bins = take_bins(c, vector_arg(c, 1, "bins"), column);
    if (c->why[0]) return;
    vector_give(c, histogram(&column, &bins, 1, hd_val_is_none(weight) ? weight : column_of(weight), density));
    vector_give(c, bins.edges);
}

static void call_histogramdd(vector_case *c) {
    const hd_val x = some_samples(c), weight = vector_tensor_if(c, 3, "weight");
    const bool density = vector_bool(c, 4, "density", false);
    const hd_json *list = vector_arg(c, 1, "bins"), *v = list ? list->child : NULL;
    const int rank = hd_val_dims(x).rank, axes = (int)kit_size(x, rank - 1);
    if (vector_has(c, 2, "range")) vector_unsupported(c, "a range");
    if (rank < 2 || axes < 1 || axes > HD_MAX_DIMS - 1 || !list || list->type != HD_JSON_ARRAY ||
        (int)list->count != axes)
        vector_unsupported(c, "bins of another form");
    if (c->why[0]) return;
    hd_val columns[HD_MAX_DIMS];
    axis_bins bins[HD_MAX_DIMS];
    for (int i = 0; i < axes; i++, v = v->next) {
        columns[i] = column_of(kit_slice(x, rank - 1, i, i + 1));
        bins[i] = take_bins(c, v, columns[i]);
    }
    if (c->why[0]) return;
    vector_give(c, histogram(columns, bins, axes, hd_val_is_none(weight) ? weight : column_of(weight), density));
    for (int i = 0; i < axes; i++) vector_give(c, bins[i].edges);
}

const vector_entry vector_calls_histogram[] = {
    {"histc", call_histc},
    {"histogram", call_histogram},
    {"histogramdd", call_histogramdd},
    {0},
};
