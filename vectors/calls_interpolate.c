/* calls_interpolate.c: pictures of another size. Along each axis every way of resampling is a product with a matrix of
 * constant weights [out, in]. */
#include "call_kit.h"
#include <math.h>
#include <string.h>

typedef struct resampling {
    int64_t in, out;
    double scale; /* input steps for a step of the output */
    bool corners; /* the first and last points of both lie on each other */
} resampling;

/* Adds a weight at a place, which is moved into the axis. */
static void put(double *row, int64_t in, int64_t at, double weight) {
    row[at < 0 ? 0 : at >= in ? in - 1 : at] += weight;
}

static double source_of(const resampling *r, int64_t i) {
    return r->corners ? r->scale * (double)i : r->scale * ((double)i + 0.5) - 0.5;
}

static void nearest_row(double *row, const resampling *r, int64_t i) {
    put(row, r->in, (int64_t)floor((double)i * r->scale), 1);
}
static void nearest_exact_row(double *row, const resampling *r, int64_t i) {
    put(row, r->in, (int64_t)floor(((double)i + 0.5) * r->scale), 1);
}
static void linear_row(double *row, const resampling *r, int64_t i) {
    const double at = fmax(source_of(r, i), 0), low = fmin(floor(at), (double)(r->in - 1)), part = at - low;
    put(row, r->in, (int64_t)low, 1 - part);
    put(row, r->in, (int64_t)low + 1, part);
}
/* Keys' cubic with a = −0.75. */
static double cubic(double d) {
    const double a = -0.75;
    d = fabs(d);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
static void cubic_row(double *row, const resampling *r, int64_t i) {
    const double at = source_of(r, i), low = floor(at);
    for (int k = -1; k <= 2; k++) put(row, r->in, (int64_t)low + k, cubic(at - low - k));
}
static void area_row(double *row, const resampling *r, int64_t i) {
    const int64_t first = i * r->in / r->out, end = ((i + 1) * r->in + r->out - 1) / r->out;
    for (int64_t k = first; k < end; k++) row[k] = 1 / (double)(end - first);
}

/* The ways, how many axes they are for (0: any), and whether they know corners. */
static const struct way {
    const char *mode;
    void (*row)(double *row, const resampling *r, int64_t i);
    int axes;
    bool corners;
} ways[] = {{"nearest", nearest_row, 0, false}, {"nearest-exact", nearest_exact_row, 0, false},
            {"linear", linear_row, 1, true},    {"bilinear", linear_row, 2, true},
            {"trilinear", linear_row, 3, true}, {"bicubic", cubic_row, 2, true},
            {"area", area_row, 0, false}};

/* x with an axis resampled: the axis goes to the end, is multiplied, and goes back. */
static hd_val resample(vector_case *c, hd_val x, int axis, const resampling *r, const struct way *way) {
    const int rank = hd_val_dims(x).rank;
    hd_dims swap = {.rank = rank};
    double *weights = hd_arena_alloc_n(c->arena, (size_t)(r->in * r->out) + 1, sizeof *weights);
    if (!weights) return (hd_val){0};
    for (int64_t i = 0; i < r->out; i++) way->row(weights + i * r->in, r, i);
    const hd_val w = vector_const(c, hd_val_dtype(x), HD_DIMS(r->out, r->in), weights);
    for (int i = 0; i < rank; i++) swap.dim[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
    const hd_val turned = axis == rank - 1 ? x : hd_transpose(x, .axes = swap);
    const hd_val y = hd_matmul(turned, w, .trans_b = true);
    return axis == rank - 1 ? y : hd_transpose(y, .axes = swap);
}

/* Size and step of each axis, from sizes or from factors (one number or one for each axis). */
static bool take_sizes(vector_case *c, hd_val x, resampling *r, int n) {
    const hd_json *factor = vector_arg(c, 2, "scale_factor");
    int64_t sizes[2 * HD_MAX_DIMS];
    const int given = vector_ints(c, 1, "size", sizes, n);
    const bool list = factor && factor->type == HD_JSON_ARRAY;
    const hd_json *f = list ? factor->child : factor;
    if ((given == 0) == (factor == NULL) || (given && given != n)) return false;
    for (int i = 0; i < n; i++) {
        double by = 0;
        r[i].in = kit_size(x, i + 2);
        if (!given && (!vector_is_number(f, &by) || !(by > 0))) return false;
        r[i].out = given ? sizes[i] : (int64_t)floor((double)r[i].in * by);
        if (r[i].in < 1 || r[i].out < 1 || r[i].out > 1 << 12) return false;
        r[i].scale = given ? (double)r[i].in / (double)r[i].out : 1 / by;
        if (list) f = f->next;
    }
    return true;
}

static void interpolate(vector_case *c, const char *mode, bool corners, bool recompute) {
    hd_val x = vector_tensor(c, 0, "input");
    resampling r[HD_MAX_DIMS];
    const int n = hd_val_dims(x).rank - 2;
    const struct way *way = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].mode, mode) == 0) way = &ways[i];
    if (!way || n < 1 || n > 3 || (way->axes && way->axes != n) || (corners && !way->corners))
        vector_unsupported(c, "resampling \"%s\" of %d axes", mode, n);
    if (c->why[0]) return;
    if (!take_sizes(c, x, r, n) || !vector_is_float(x)) vector_unsupported(c, "those sizes");
    for (int i = 0; i < n && !c->why[0]; i++) {
        r[i].corners = corners;
        if (recompute) r[i].scale = (double)r[i].in / (double)r[i].out;
        if (corners) r[i].scale = r[i].out > 1 ? (double)(r[i].in - 1) / (double)(r[i].out - 1) : 0;
        x = resample(c, x, i + 2, &r[i], way);
    }
    vector_give(c, x);
}

static void call_interpolate(vector_case *c) {
    const char *mode = vector_string(c, 3, "mode", "nearest");
    const bool corners = vector_bool(c, 4, "align_corners", false);
    const bool recompute = vector_bool(c, 5, "recompute_scale_factor", false);
    vector_only(c, 6, "antialias", false);
    interpolate(c, mode, corners, recompute);
}
static void call_upsample_nearest(vector_case *c) {
    interpolate(c, "nearest", false, false);
}
static void call_upsample_bilinear(vector_case *c) {
    interpolate(c, "bilinear", true, false);
}

const vector_entry vector_calls_interpolate[] = {
    {"nn.functional.interpolate.nearest", call_interpolate},
    {"nn.functional.interpolate.linear", call_interpolate},
    {"nn.functional.interpolate.bilinear", call_interpolate},
    {"nn.functional.interpolate.trilinear", call_interpolate},
    {"nn.functional.interpolate.bicubic", call_interpolate},
    {"nn.functional.interpolate.area", call_interpolate},
    {"nn.functional.upsample_nearest", call_upsample_nearest},
    {"nn.functional.upsample_bilinear", call_upsample_bilinear},
    {0},
};
