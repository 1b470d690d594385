/* separable.c: the point of the convex hull of all ±(x, 1) that is nearest to the origin. It is the normal of the plane
 * with the widest margin, which is its length; where the hull holds the origin, no plane separates the classes (Gordan
 * 1873). Found by moving weight from the farthest to the nearest sample (Mitchell, Demyanov, Malozemov: Finding the
 * point of a polyhedron closest to the origin, SIAM J. Control 12, 1974). */
#include "train/separable.h"
#include "base/status.h"
#include <math.h>

enum { MOST_MOVES = 200000 };
static const double most_work = 4e9; /* multiplications */
static const double nothing = 1e-7;  /* of the radius: the origin */

typedef struct hull {
    const hd_fit_data *data;
    int64_t unit, n, d; /* d counts the 1 too */
    double *p;          /* [d]: Σ alpha z */
    double *alpha;      /* [n] */
} hull;

static double sign_of(const hull *h, int64_t i) {
    return h->data->y[i * h->data->k + h->unit] > 0.5 ? 1 : -1;
}

/* z_i · v */
static double dot(const hull *h, int64_t i, const double *v) {
    const double *x = h->data->x + i * (h->d - 1);
    double sum = v[h->d - 1];
    for (int64_t j = 0; j < h->d - 1; j++) sum += x[j] * v[j];
    return sign_of(h, i) * sum;
}

static void add(const hull *h, int64_t i, double by) {
    const double *x = h->data->x + i * (h->d - 1), s = sign_of(h, i) * by;
    for (int64_t j = 0; j < h->d - 1; j++) h->p[j] += s * x[j];
    h->p[h->d - 1] += s;
}

/* |z_i − z_j|² */
static double apart(const hull *h, int64_t i, int64_t j) {
    const double *a = h->data->x + i * (h->d - 1), *b = h->data->x + j * (h->d - 1);
    const double si = sign_of(h, i), sj = sign_of(h, j);
    double sum = (si - sj) * (si - sj);
    for (int64_t k = 0; k < h->d - 1; k++) sum += (si * a[k] - sj * b[k]) * (si * a[k] - sj * b[k]);
    return sum;
}

static double length(const double *v, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i] * v[i];
    return sqrt(sum);
}

static double radius_of(const hull *h) {
    double most = 0;
    for (int64_t i = 0; i < h->n; i++) {
        const double r = length(h->data->x + i * (h->d - 1), h->d - 1);
        most = fmax(most, r * r + 1);
    }
    return sqrt(most);
}

/* Sums drift: the point anew from its weights. */
static void renew(hull *h) {
    for (int64_t j = 0; j < h->d; j++) h->p[j] = 0;
    for (int64_t i = 0; i < h->n; i++)
        if (h->alpha[i] > 0) add(h, i, h->alpha[i]);
}

/* Moves weight once; false when nothing is gained any more. */
static bool move(hull *h, hd_separability *s) {
    int64_t near = 0, far = -1;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < h->n; i++) {
        const double v = dot(h, i, h->p);
        if (v < least) least = v, near = i;
        if (h->alpha[i] > 0 && v > most) most = v, far = i;
    }
    const double size = length(h->p, h->d);
    s->margin_high = size;
    s->margin_low = fmax(s->margin_low, size > 0 ? least / size : 0);
    if (size <= nothing * s->radius || far < 0 || s->margin_low >= size * (1 - 1e-9)) return false;
    const double gap = apart(h, far, near);
    if (!(gap > 0) || !(most > least)) return false;
    const double by = fmin(h->alpha[far], (most - least) / gap);
    h->alpha[far] = by < h->alpha[far] ? h->alpha[far] - by : 0;
    h->alpha[near] += by;
    add(h, near, by);
    add(h, far, -by);
    return true;
}

hd_status hd_separability_find(hd_separability *s, const hd_fit_data *data, int64_t unit) {
    hull h = {.data = data, .unit = unit, .n = data->n, .d = data->d + 1};
    *s = (hd_separability){0};
    h.p = hd_alloc_n(data->ctx, (size_t)h.d, sizeof *h.p);
    h.alpha = hd_alloc_n(data->ctx, (size_t)h.n, sizeof *h.alpha);
    const hd_status status = h.p && h.alpha ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) {
        const double moves = fmin(MOST_MOVES, most_work / ((double)h.n * (double)h.d));
        s->radius = radius_of(&h);
        h.alpha[0] = 1;
        renew(&h);
        for (int64_t i = 0; (double)i < moves && move(&h, s); i++)
            if (i % 1000 == 999) renew(&h);
        renew(&h);
        s->margin_high = length(h.p, h.d);
        for (int64_t i = 0; i < h.n && s->margin_low <= 0 && s->margin_high <= nothing * s->radius; i++)
            s->witnesses += h.alpha[i] > 0;
    }
    hd_free(data->ctx, h.p);
    hd_free(data->ctx, h.alpha);
    return status;
}
