/* op_grid_builders.c: pictures and volumes read at places between their points, and the places of affine maps, put
 * together from other ops: differentiable by the picture and by the places, as often as one likes. */
#include "base/alloc.h"
#include "ops/shape_kit.h"

typedef struct sampler {
    hd_loc at;
    hd_val x; /* [n, channels, points] */
    int axes;
    int64_t size[3]; /* of the axes of x, outermost first */
    hd_val place[3]; /* [n, 1, p]: where to read along each, in points */
    bool corners;    /* −1 and 1 are the first and the last point, else the outer rims of them */
    int64_t rim;     /* HD_GRID_ZEROS, … */
    bool wide;       /* f32 does not count all the points */
} sampler;

static hd_val line(const sampler *s, hd_val x, double scale, double shift) {
    const hd_affine_args a = {.x = x, .scale = hd_explicit(scale), .shift = hd_explicit(shift)};
    return hd_affine_at(s->at, &a);
}
#define BINARY(name, p, q) hd_##name##_at(s->at, &(hd_binary_args){.a = (p), .b = (q)})
#define UNARY(name, p)     hd_##name##_at(s->at, &(hd_unary_args){.x = (p)})

/* ---- places ---- */

/* −1 … 1 to 0 … size − 1. */
static hd_val in_points(const sampler *s, hd_val g, int64_t size) {
    const double n = (double)size;
    return s->corners ? line(s, g, (n - 1) / 2, (n - 1) / 2) : line(s, g, n / 2, (n - 1) / 2);
}

static hd_val clipped(const sampler *s, hd_val place, int64_t size) {
    const hd_clamp_args a = {.x = place, .min = HD_ZERO, .max = hd_explicit((double)size - 1)};
    return hd_clamp_at(s->at, &a);
}

/* Thrown back at both ends as often as needed. */
static hd_val reflected(const sampler *s, hd_val place, int64_t size) {
    const double low = s->corners ? 0 : -0.5, span = s->corners ? (double)size - 1 : (double)size;
    if (span == 0) return line(s, place, 0, 0);
    const hd_val off = UNARY(abs, line(s, place, 1, -low)), turns = UNARY(floor, line(s, off, 1 / span, 0));
    const hd_val rest = BINARY(sub, off, line(s, turns, span, 0));
    const hd_val even = BINARY(eq, turns, line(s, UNARY(floor, line(s, turns, 0.5, 0)), 2, 0));
    const hd_where_args pick = {.cond = even, .a = rest, .b = line(s, rest, -1, span)};
    return line(s, hd_where_at(s->at, &pick), 1, low);
}

static hd_val inside_rim(const sampler *s, hd_val place, int64_t size) {
    if (s->rim == HD_GRID_ZEROS) return place;
    return clipped(s, s->rim == HD_GRID_REFLECTION ? reflected(s, place, size) : place, size);
}

/* ---- reading ---- */

/* The points at whole places (as floats); 0 where a place lies outside. */
static hd_val read_at(const sampler *s, const hd_val *place) {
    hd_val index = {0}, in = {0};
    for (int i = 0; i < s->axes; i++) {
        const hd_val safe = clipped(s, place[i], s->size[i]);
        const hd_val same = BINARY(eq, safe, place[i]);
        const hd_val exact = s->wide ? hd_cast_at(s->at, &(hd_cast_args){.x = safe, .dtype = HD_DTYPE(HD_F64)}) : safe;
        index = i ? BINARY(add, line(s, index, (double)s->size[i], 0), exact) : exact;
        in = i ? BINARY(logical_and, in, same) : same;
    }
    hd_dims to = hd_val_dims(index);
    to.dim[1] = hd_val_dims(s->x).dim[1];
    const hd_val whole = hd_cast_at(s->at, &(hd_cast_args){.x = index, .dtype = HD_DTYPE(HD_I64)});
    const hd_val all = hd_expand_at(s->at, &(hd_expand_args){.x = whole, .dims = to});
    const hd_val y = hd_gather_at(s->at, &(hd_gather_args){.x = s->x, .index = all, .axis = HD_AXIS(2)});
    const hd_val zero = hd_fill_like_at(s->at, &(hd_fill_like_args){.x = y});
    return hd_where_at(s->at, &(hd_where_args){.cond = in, .a = y, .b = zero});
}

/* Σ over the taps of every axis of Π weights · value; `first`: the tap's distance from the place cut to whole. */
static hd_val weighted(const sampler *s, hd_val base[3], hd_val weight[3][4], int taps, int first, bool bound) {
    hd_val sum = {0};
    int64_t count = 1;
    for (int i = 0; i < s->axes; i++) count *= taps;
    for (int64_t k = 0; k < count; k++) {
        hd_val place[3], w = {0};
        int64_t rest = k;
        for (int i = 0; i < s->axes; i++, rest /= taps) {
            const int tap = (int)(rest % taps);
            place[i] = line(s, base[i], 1, first + tap);
            if (bound) place[i] = inside_rim(s, place[i], s->size[i]);
            w = i ? BINARY(mul, w, weight[i][tap]) : weight[i][tap];
        }
        const hd_val term = BINARY(mul, read_at(s, place), w);
        sum = k ? BINARY(add, sum, term) : term;
    }
    return sum;
}

static hd_val nearest(const sampler *s) {
    hd_val place[3];
    for (int i = 0; i < s->axes; i++)
        place[i] = hd_round_at(s->at, &(hd_round_args){.x = inside_rim(s, s->place[i], s->size[i])});
    return read_at(s, place);
}

static hd_val linear(const sampler *s) {
    hd_val base[3], weight[3][4] = {{{0}}};
    for (int i = 0; i < s->axes; i++) {
        const hd_val place = inside_rim(s, s->place[i], s->size[i]);
        base[i] = UNARY(floor, place);
        weight[i][1] = BINARY(sub, place, base[i]);
        weight[i][0] = line(s, weight[i][1], -1, 1);
    }
    return weighted(s, base, weight, 2, 0, false);
}

/* ((a3 t + a2) t + a1) t + a0. */
static hd_val polynomial(const sampler *s, hd_val t, double a3, double a2, double a1, double a0) {
    const hd_val two = line(s, BINARY(mul, line(s, t, a3, a2), t), 1, a1);
    return line(s, BINARY(mul, two, t), 1, a0);
}

/* Keys' cubic with a = −0.75; the rim acts on the taps, not on the place. */
static hd_val cubic(const sampler *s) {
    const double a = -0.75;
    hd_val base[3], weight[3][4] = {{{0}}};
    for (int i = 0; i < s->axes; i++) {
        base[i] = UNARY(floor, s->place[i]);
        const hd_val t = BINARY(sub, s->place[i], base[i]), back = line(s, t, -1, 1);
        weight[i][0] = polynomial(s, line(s, t, 1, 1), a, -5 * a, 8 * a, -4 * a);
        weight[i][1] = polynomial(s, t, a + 2, -(a + 3), 0, 1);
        weight[i][2] = polynomial(s, back, a + 2, -(a + 3), 0, 1);
        weight[i][3] = polynomial(s, line(s, back, 1, 1), a, -5 * a, 8 * a, -4 * a);
    }
    return weighted(s, base, weight, 4, -1, true);
}

hd_val hd_grid_sample_at(hd_loc at, const hd_grid_sample_args *a) {
    static const char *const name = "grid_sample";
    if (!hd_build_ready(a->x) || !hd_build_ready(a->grid)) return (hd_val){a->x.graph, -1};
    const hd_dims d = hd_val_dims(a->x), g = hd_val_dims(a->grid);
    sampler s = {.at = at, .axes = d.rank - 2, .corners = a->align_corners, .rim = a->padding_mode};
    char tx[192], tg[192];
    int64_t points = 1, places = 1;
    hd_dims y = {.rank = d.rank, .dim = {d.dim[0], d.dim[1]}};
    bool fits = s.axes >= 2 && s.axes <= 3 && g.rank == d.rank && g.dim[g.rank - 1] == s.axes && g.dim[0] == d.dim[0];
    for (int i = 0; i < s.axes && fits; i++) {
        s.size[i] = d.dim[2 + i];
        y.dim[2 + i] = g.dim[1 + i];
        fits = s.size[i] > 0 && y.dim[2 + i] > 0 && s.size[i] < INT32_MAX / points && y.dim[2 + i] < INT32_MAX / places;
        if (fits) points *= s.size[i], places *= y.dim[2 + i];
    }
    if (!fits)
        return hd_build_refuse(a->x, at, name,
                               "x %s and grid %s must be [n, c, h, w] and [n, h', w', 2], or of volumes",
                               hd_dims_text(tx, &d), hd_dims_text(tg, &g));
    if (a->mode == HD_GRID_BICUBIC && s.axes != 2) return hd_build_refuse(a->x, at, name, "bicubic is for pictures");
    s.x = hd_reshape_to(at, a->x, HD_DIMS(d.dim[0], d.dim[1], points));
    s.wide = hd_val_dtype(a->grid) == HD_F32 && points > 1 << 24;
    for (int i = 0; i < s.axes; i++) { /* a place names the innermost axis first */
        const int64_t k = s.axes - 1 - i;
        const hd_slice_args one = {.x = a->grid, .axis = -1, .start = k, .stop = k + 1};
        s.place[i] = in_points(&s, hd_reshape_to(at, hd_slice_at(at, &one), HD_DIMS(d.dim[0], 1, places)), s.size[i]);
    }
    const hd_val v = a->mode == HD_GRID_NEAREST ? nearest(&s) : a->mode == HD_GRID_BICUBIC ? cubic(&s) : linear(&s);
    return hd_build_ready(v) ? hd_reshape_to(at, v, y) : v;
}

/* ---- affine maps ---- */

/* Place i of n between −1 and 1. */
static double place_of(int64_t i, int64_t n, bool corners) {
    if (corners) return n > 1 ? -1 + 2 * (double)i / (double)(n - 1) : 0;
    return (2 * (double)i + 1) / (double)n - 1;
}

hd_val hd_affine_grid_at(hd_loc at, const hd_affine_grid_args *a) {
    static const char *const name = "affine_grid";
    if (!hd_build_ready(a->theta)) return a->theta;
    const hd_dims t = hd_val_dims(a->theta);
    const int axes = a->size.rank - 2;
    char text[192];
    int64_t count = 1;
    bool fits = axes >= 2 && axes <= 3 && t.rank == 3 && t.dim[1] == axes && t.dim[2] == axes + 1;
    for (int i = 0; i < axes && fits; i++) {
        fits = a->size.dim[2 + i] > 0 && a->size.dim[2 + i] < (1 << 26) / count;
        if (fits) count *= a->size.dim[2 + i];
    }
    const hd_dtype dtype = hd_val_dtype(a->theta);
    if (!fits || (dtype != HD_F32 && dtype != HD_F64))
        return hd_build_refuse(a->theta, at, name,
                               "theta must be [n, 2, 3] and size [n, c, h, w] (or of volumes); it is %s",
                               hd_dims_text(text, &t));
    hd_context *ctx = hd_graph_context(a->theta.graph);
    void *data = hd_alloc_n(ctx, (size_t)(count * (axes + 1)), hd_dtype_size(dtype));
    if (!data) {
        hd_graph_fail(a->theta.graph, HD_E_MEMORY, "affine_grid|no memory for the grid|");
        return (hd_val){a->theta.graph, -1};
    }
    const hd_tensor grid = {.dtype = dtype, .data = data};
    for (int64_t p = 0; p < count; p++) {
        int64_t rest = p;
        for (int k = 0; k < axes; k++) { /* the innermost axis first */
            const int64_t n = a->size.dim[1 + axes - k];
            hd_set(&grid, p * (axes + 1) + k, place_of(rest % n, n, a->align_corners));
            rest /= n;
        }
        hd_set(&grid, p * (axes + 1) + axes, 1);
    }
    const hd_val base = hd_const_at(at, a->theta.graph, dtype, HD_DIMS(1, count, axes + 1), data);
    hd_free(ctx, data);
    const hd_val y = hd_matmul_at(at, &(hd_matmul_args){.a = base, .b = a->theta, .trans_b = true});
    hd_dims to = {.rank = axes + 2, .dim = {t.dim[0]}};
    for (int i = 0; i < axes; i++) to.dim[1 + i] = a->size.dim[2 + i];
    to.dim[axes + 1] = axes;
    return hd_build_ready(y) ? hd_reshape_to(at, y, to) : y;
}
