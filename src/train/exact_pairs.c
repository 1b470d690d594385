/* exact_pairs.c: the support vector machine: the dual of l2/2 |w|² + mean hinge, two samples at a time (Platt:
 * Sequential minimal optimization, 1998), the pair chosen by second-order gain (Fan, Chen, Lin: Working set selection
 * using second order information, JMLR 6, 2005). */
#include "base/status.h"
#include "train/exact.h"
#include <math.h>

static const double close_enough = 1e-9, most_work = 2e11;

typedef struct pairs {
    hd_exact *e;
    int64_t unit, n, d;
    double most;                       /* C, the upper bound of alpha */
    double *alpha, *gradient, *square; /* [n]; square: |x|² */
    double *row_i, *row_j;             /* [n]: products with the chosen two */
    double up, low;                    /* least and largest violation */
    int64_t i, j;
} pairs;

static double sign_of(const pairs *s, int64_t i) {
    return s->e->data.y[i * s->e->data.k + s->unit] > 0.5 ? 1 : -1;
}

static void products(const pairs *s, int64_t i, double *out) {
    const double *x = s->e->data.x + i * s->d;
    for (int64_t t = 0; t < s->n; t++) {
        const double *z = s->e->data.x + t * s->d;
        double sum = 0;
        for (int64_t k = 0; k < s->d; k++) sum += x[k] * z[k];
        out[t] = sum;
    }
}

static bool may_grow(const pairs *s, int64_t t) {
    return sign_of(s, t) > 0 ? s->alpha[t] < s->most : s->alpha[t] > 0;
}

static bool may_shrink(const pairs *s, int64_t t) {
    return sign_of(s, t) > 0 ? s->alpha[t] > 0 : s->alpha[t] < s->most;
}

/* The most violating sample, and the partner with which most is gained; false when all agree. */
static bool choose(pairs *s) {
    double gain = -INFINITY;
    s->up = -INFINITY, s->low = INFINITY;
    s->i = s->j = -1;
    for (int64_t t = 0; t < s->n; t++) {
        const double v = -sign_of(s, t) * s->gradient[t];
        if (may_grow(s, t) && v > s->up) s->up = v, s->i = t;
    }
    if (s->i < 0) return false;
    products(s, s->i, s->row_i);
    for (int64_t t = 0; t < s->n; t++) {
        const double v = -sign_of(s, t) * s->gradient[t], b = s->up - v;
        if (!may_shrink(s, t)) continue;
        s->low = fmin(s->low, v);
        const double a = fmax(s->square[s->i] + s->square[t] - 2 * s->row_i[t], 1e-12);
        if (b > 0 && b * b / a > gain) gain = b * b / a, s->j = t;
    }
    return s->j >= 0 && s->up - s->low > close_enough;
}

static double within(double v, double low, double high) {
    return v < low ? low : v > high ? high : v;
}

/* Moves both along the line on which Σ y·alpha stays 0. */
static void move(pairs *s) {
    const int64_t i = s->i, j = s->j;
    const double yi = sign_of(s, i), yj = sign_of(s, j), old_i = s->alpha[i], old_j = s->alpha[j];
    const double a = fmax(s->square[i] + s->square[j] - 2 * s->row_i[j], 1e-12);
    const double by = (-yi * s->gradient[i] + yj * s->gradient[j]) / a, sum = yi * old_i + yj * old_j;
    double next = within(old_i + yi * by, 0, s->most);
    double partner = within(yj * (sum - yi * next), 0, s->most);
    next = within(yi * (sum - yj * partner), 0, s->most);
    s->alpha[i] = next;
    s->alpha[j] = partner;
    products(s, j, s->row_j);
    for (int64_t t = 0; t < s->n; t++)
        s->gradient[t] += sign_of(s, t) * (yi * (next - old_i) * s->row_i[t] + yj * (partner - old_j) * s->row_j[t]);
}

/* w = Σ y alpha x; the bias by the samples on the margin, else half-way. */
static void finish(pairs *s) {
    double *w = s->e->w + s->unit * (s->d + 1), sum = 0, loss = 0, length = 0;
    int64_t on_margin = 0;
    for (int64_t t = 0; t < s->n; t++) {
        for (int64_t k = 0; k < s->d; k++) w[k] += sign_of(s, t) * s->alpha[t] * s->e->data.x[t * s->d + k];
        if (s->alpha[t] > 0 && s->alpha[t] < s->most) sum += -sign_of(s, t) * s->gradient[t], on_margin++;
    }
    w[s->d] = on_margin > 0 ? sum / (double)on_margin : (s->up + s->low) / 2;
    for (int64_t t = 0; t < s->n; t++) {
        double score = w[s->d];
        for (int64_t k = 0; k < s->d; k++) score += w[k] * s->e->data.x[t * s->d + k];
        loss += fmax(0, 1 - sign_of(s, t) * score) / ((double)s->n * (double)s->e->data.k);
    }
    for (int64_t k = 0; k < s->d; k++) length += w[k] * w[k];
    s->e->objective += loss + s->e->l2 / 2 * length;
    s->e->decrement = fmax(s->e->decrement, s->up - s->low);
}

static hd_status solve(pairs *s) {
    hd_context *ctx = s->e->t->ctx;
    double *room = hd_alloc_n(ctx, (size_t)s->n, 5 * sizeof *room);
    if (!room) return HD_E_MEMORY;
    s->alpha = room, s->gradient = room + s->n, s->square = room + 2 * s->n;
    s->row_i = room + 3 * s->n, s->row_j = room + 4 * s->n;
    for (int64_t t = 0; t < s->n; t++) {
        s->gradient[t] = -1;
        for (int64_t k = 0; k < s->d; k++) s->square[t] += s->e->data.x[t * s->d + k] * s->e->data.x[t * s->d + k];
    }
    const double most = most_work / (4 * (double)s->n * (double)s->d);
    bool more = choose(s);
    int64_t steps = 0;
    for (; more && (double)steps < most && !(steps % 64 == 0 && hd_trainer_tick(s->e->t)); steps++) {
        move(s);
        more = choose(s);
    }
    if (more) s->e->converged = false;
    s->e->steps += steps;
    finish(s);
    hd_free(ctx, room);
    return HD_OK;
}

hd_status hd_exact_pairs(hd_exact *e) {
    e->converged = true;
    for (int64_t unit = 0; unit < e->data.k; unit++) {
        pairs s = {.e = e, .unit = unit, .n = e->data.n, .d = e->data.d};
        s.most = 1 / (e->l2 * (double)e->data.n * (double)e->data.k);
        HD_TRY(solve(&s));
    }
    return HD_OK;
}
