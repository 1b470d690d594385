/* calls_grid.c: grid_sample: pictures and volumes read at places between their points. */
#include "call_kit.h"
#include <string.h>

typedef struct sampler {
    vector_case *c;
    hd_val x; /* [n, channels, points] */
    int axes;
    int64_t size[3]; /* of the axes of x, outermost first */
    hd_val place[3]; /* [n, 1, p]: where to read along each, in points */
    bool corners;    /* −1 and 1 are the first and the last point, else the outer rims of them */
    const char *rim; /* zeros, border, reflection */
} sampler;

static hd_val number(const sampler *s, double value) {
    return vector_scalar(s->c, hd_val_dtype(s->x), value);
}

/* ---- places ---- */

/* −1 … 1 to 0 … size − 1. */
static hd_val in_points(hd_val g, int64_t size, bool corners) {
    const double n = (double)size;
    return corners ? hd_affine(g, .scale = size > 1 ? (n - 1) / 2 : HD_ZERO, .shift = (n - 1) / 2)
                   : hd_affine(g, .scale = n / 2, .shift = (n - 1) / 2);
}

static hd_val clipped(const sampler *s, hd_val at, int64_t size) {
    return hd_minimum(hd_maximum(at, number(s, 0)), number(s, (double)size - 1));
}

/* Thrown back at both ends as often as needed. */
static hd_val reflected(const sampler *s, hd_val at, int64_t size) {
    const double low = s->corners ? 0 : -0.5, span = s->corners ? (double)size - 1 : (double)size;
    if (span == 0) return hd_fill_like(at, .value = 0);
    const hd_val off = hd_abs(kit_shift(at, -low)), turns = hd_floor(kit_scale(off, 1 / span));
    const hd_val rest = hd_sub(off, kit_scale(turns, span));
    const hd_val even = hd_eq(turns, kit_scale(hd_floor(kit_scale(turns, 0.5)), 2));
    return kit_shift(hd_where(even, rest, hd_sub(number(s, span), rest)), low);
}

static hd_val inside_rim(const sampler *s, hd_val at, int64_t size) {
    if (strcmp(s->rim, "zeros") == 0) return at;
    return clipped(s, strcmp(s->rim, "reflection") == 0 ? reflected(s, at, size) : at, size);
}

/* ---- reading ---- */

/* The points at whole places (as floats); 0 where a place lies outside. */
static hd_val read_at(const sampler *s, const hd_val *place) {
    hd_val index = {0}, in = {0};
    for (int i = 0; i < s->axes; i++) {
        const hd_val safe = clipped(s, place[i], s->size[i]);
        const hd_val same = hd_eq(safe, place[i]);
        index = i ? hd_add(kit_scale(index, (double)s->size[i]), safe) : safe;
        in = i ? hd_logical_and(in, same) : same;
    }
    hd_dims to = hd_val_dims(index);
    to.dim[1] = kit_size(s->x, 1);
    const hd_val whole = kit_expand(vector_cast(index, HD_I64), to);
    return hd_where(in, hd_gather(s->x, whole, .axis = HD_AXIS(2)), number(s, 0));
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
            place[i] = kit_shift(base[i], first + tap);
            if (bound) place[i] = inside_rim(s, place[i], s->size[i]);
            w = i ? hd_mul(w, weight[i][tap]) : weight[i][tap];
        }
        const hd_val term = hd_mul(read_at(s, place), w);
        sum = k ? hd_add(sum, term) : term;
    }
    return sum;
}

static hd_val nearest(const sampler *s) {
    hd_val place[3];
    for (int i = 0; i < s->axes; i++) place[i] = hd_round(inside_rim(s, s->place[i], s->size[i]));
    return read_at(s, place);
}

static hd_val linear(const sampler *s) {
    hd_val base[3], weight[3][4] = {{{0}}};
    for (int i = 0; i < s->axes; i++) {
        const hd_val at = inside_rim(s, s->place[i], s->size[i]);
        base[i] = hd_floor(at);
        weight[i][1] = hd_sub(at, base[i]);
        weight[i][0] = hd_affine(weight[i][1], .scale = -1, .shift = 1);
    }
    return weighted(s, base, weight, 2, 0, false);
}

/* ((a3 t + a2) t + a1) t + a0. */
static hd_val polynomial(hd_val t, double a3, double a2, double a1, double a0) {
    const hd_val two = kit_shift(hd_mul(kit_shift(kit_scale(t, a3), a2), t), a1);
    return kit_shift(hd_mul(two, t), a0);
}

/* Keys' cubic with a = −0.75; the rim acts on the taps, not on the place. */
static hd_val cubic(const sampler *s) {
    const double a = -0.75;
    hd_val base[3], weight[3][4] = {{{0}}};
    for (int i = 0; i < s->axes; i++) {
        base[i] = hd_floor(s->place[i]);
        const hd_val t = hd_sub(s->place[i], base[i]), back = hd_affine(t, .scale = -1, .shift = 1);
        weight[i][0] = polynomial(kit_shift(t, 1), a, -5 * a, 8 * a, -4 * a);
        weight[i][1] = polynomial(t, a + 2, -(a + 3), 0, 1);
        weight[i][2] = polynomial(back, a + 2, -(a + 3), 0, 1);
        weight[i][3] = polynomial(kit_shift(back, 1), a, -5 * a, 8 * a, -4 * a);
    }
    return weighted(s, base, weight, 4, -1, true);
}

static void call_grid_sample(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input"), grid = vector_tensor(c, 1, "grid");
    const char *mode = vector_string(c, 2, "mode", "bilinear");
    sampler s = {.c = c, .rim = vector_string(c, 3, "padding_mode", "zeros")};
    s.corners = vector_bool(c, 4, "align_corners", false);
    const hd_dims d = hd_val_dims(x), g = hd_val_dims(grid);
    s.axes = d.rank - 2;
    if (s.axes < 2 || s.axes > 3 || g.rank != d.rank || g.dim[g.rank - 1] != s.axes)
        vector_unsupported(c, "those shapes");
    if (strcmp(mode, "bicubic") == 0 && s.axes != 2) vector_unsupported(c, "cubes of volumes");
    if (c->why[0]) return;
    int64_t points = 1, places = 1;
    hd_dims y = {.rank = d.rank, .dim = {d.dim[0], d.dim[1]}};
    for (int i = 0; i < s.axes; i++) {
        s.size[i] = d.dim[2 + i];
        points *= s.size[i];
        y.dim[2 + i] = g.dim[1 + i];
        places *= g.dim[1 + i];
    }
    if (points == 0 || places * d.dim[0] == 0) vector_unsupported(c, "an empty tensor");
    if (c->why[0]) return;
    s.x = kit_reshape(x, HD_DIMS(d.dim[0], d.dim[1], points));
    for (int i = 0; i < s.axes; i++) { /* a place names the innermost axis first */
        const hd_val one = kit_slice(grid, g.rank - 1, s.axes - 1 - i, s.axes - i);
        s.place[i] = in_points(kit_reshape(one, HD_DIMS(d.dim[0], 1, places)), s.size[i], s.corners);
    }
    const bool near = strcmp(mode, "nearest") == 0, curved = strcmp(mode, "bicubic") == 0;
    if (!near && !curved && strcmp(mode, "bilinear") != 0) vector_unsupported(c, "mode \"%s\"", mode);
    vector_give(c, kit_reshape(near ? nearest(&s) : curved ? cubic(&s) : linear(&s), y));
}

const vector_entry vector_calls_grid[] = {
    {"nn.functional.grid_sample", call_grid_sample},
    {0},
};
