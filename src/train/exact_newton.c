/* exact_newton.c: Newton's method with a line search for losses with two derivatives (the squared hinge has its second
 * almost everywhere). One output at a time where outputs do not meet, all at once for softmax. */
#include "base/status.h"
#include "train/exact.h"
#include "train/solve.h"
#include <math.h>
#include <string.h>

enum { MOST_STEPS = 200 };

/* What a step works on: `units` outputs from `first` on. */
typedef struct newton {
    hd_exact *e;
    int64_t first, units, p; /* p = units · (d + 1) */
    double share;            /* of a sample's loss in the mean */
    double *w;               /* of the unit(s), in e->w */
    double *g, *h, *step, *trial, *spare, *score;
    bool all_right;
} newton;

static double dot_row(const hd_exact *e, int64_t i, const double *w) {
    const double *x = e->data.x + i * e->data.d;
    double sum = w[e->data.d];
    for (int64_t j = 0; j < e->data.d; j++) sum += w[j] * x[j];
    return sum;
}

/* The loss of a score s whose target is y, with its two derivatives. */
static double of_score(hd_exact_loss loss, double s, double y, double *first, double *second) {
    const double sign = y > 0.5 ? 1 : -1, left = 1 - sign * s, q = 1 / (1 + exp(-s));
    switch (loss) {
    case HD_EXACT_SQUARES: *first = 2 * (s - y), *second = 2; return (s - y) * (s - y);
    case HD_EXACT_LOGISTIC: *first = q - y, *second = q * (1 - q); return fmax(s, 0) - y * s + log1p(exp(-fabs(s)));
    default: *first = left > 0 ? -2 * sign * left : 0, *second = left > 0 ? 2 : 0; return left > 0 ? left * left : 0;
    }
}

/* Adds first·(x, 1) to the gradient of unit a and second·(x, 1)(x, 1)ᵀ to the block a, b of the second derivatives. */
static void add_gradient(newton *n, int64_t i, int64_t a, double by) {
    const int64_t d = n->e->data.d;
    const double *x = n->e->data.x + i * d;
    double *g = n->g + a * (d + 1);
    for (int64_t j = 0; j < d; j++) g[j] += by * x[j];
    g[d] += by;
}

static void add_curvature(newton *n, int64_t i, int64_t a, int64_t b, double by) {
    const int64_t d = n->e->data.d;
    const double *x = n->e->data.x + i * d;
    for (int64_t j = 0; j <= d; j++) {
        double *row = n->h + (a * (d + 1) + j) * n->p + b * (d + 1);
        const double f = by * (j < d ? x[j] : 1);
        const int64_t end = a == b ? j : d; /* the lower triangle is enough */
        for (int64_t k = 0; k <= end; k++) row[k] += f * (k < d ? x[k] : 1);
    }
}

/* Loss of sample i under softmax; n->score becomes the probabilities. */
static double softmax(newton *n, int64_t i, const double *w) {
    const int64_t d = n->e->data.d;
    const double *y = n->e->data.y + i * n->units;
    double top = -INFINITY, sum = 0, right = 0;
    for (int64_t a = 0; a < n->units; a++) {
        n->score[a] = dot_row(n->e, i, w + a * (d + 1));
        top = fmax(top, n->score[a]);
        if (y[a] > 0.5) right = n->score[a];
    }
    for (int64_t a = 0; a < n->units; a++) sum += n->score[a] = exp(n->score[a] - top);
    for (int64_t a = 0; a < n->units; a++) n->score[a] /= sum;
    return log(sum) + top - right;
}

static double add_softmax(newton *n, int64_t i, const double *w, bool slopes) {
    const double loss = softmax(n, i, w);
    const double *y = n->e->data.y + i * n->units;
    for (int64_t a = 0; slopes && a < n->units; a++) {
        const double p = n->score[a];
        add_gradient(n, i, a, n->share * (p - y[a]));
        for (int64_t b = 0; b <= a; b++) add_curvature(n, i, a, b, n->share * p * ((a == b) - n->score[b]));
    }
    return loss;
}

static double add_score(newton *n, int64_t i, const double *w, bool slopes) {
    double first, second;
    const double y = n->e->data.y[i * n->e->data.k + n->first];
    const double loss = of_score(n->e->loss, dot_row(n->e, i, w), y, &first, &second);
    if (!slopes) return loss;
    add_gradient(n, i, 0, n->share * first);
    if (second > 0) add_curvature(n, i, 0, 0, n->share * second);
    return loss;
}

/* The objective at w; with slopes, n->g and n->h too. */
static double objective(newton *n, const double *w, bool slopes) {
    const int64_t d = n->e->data.d;
    double sum = 0;
    if (slopes) {
        memset(n->g, 0, (size_t)n->p * sizeof *n->g);
        memset(n->h, 0, (size_t)(n->p * n->p) * sizeof *n->h);
    }
    n->all_right = true;
    for (int64_t i = 0; i < n->e->data.n; i++) {
        const double loss = n->e->loss == HD_EXACT_SOFTMAX ? add_softmax(n, i, w, slopes) : add_score(n, i, w, slopes);
        if (loss >= log(2)) n->all_right = false;
        sum += n->share * loss;
    }
    for (int64_t j = 0; j < n->p; j++) {
        if (j % (d + 1) == d) continue;
        sum += n->e->l2 / 2 * w[j] * w[j];
        if (slopes) n->g[j] += n->e->l2 * w[j], n->h[j * n->p + j] += n->e->l2;
    }
    return sum;
}

/* Where nothing holds the weights back and every sample is right, larger weights are always better. */
static bool runs_away(const newton *n) {
    const bool logarithm = n->e->loss == HD_EXACT_LOGISTIC || n->e->loss == HD_EXACT_SOFTMAX;
    return n->e->l2 == 0 && logarithm && n->all_right;
}

/* One step; false when there is nothing more to gain. */
static bool take_step(newton *n, double *value) {
    double slope = 0, length = 1;
    for (int64_t j = 0; j < n->p; j++) n->step[j] = -n->g[j];
    if (!hd_solve_damped(n->h, n->step, n->p, 0, n->spare, n->trial)) return false;
    for (int64_t j = 0; j < n->p; j++) slope += n->g[j] * n->step[j];
    n->e->decrement = -slope / 2;
    for (int half = 0; half < 50; half++, length /= 2) {
        for (int64_t j = 0; j < n->p; j++) n->trial[j] = n->w[j] + length * n->step[j];
        const double next = objective(n, n->trial, false);
        if (!(next <= *value + 1e-4 * length * slope + 1e-14 * fabs(*value))) continue;
        memcpy(n->w, n->trial, (size_t)n->p * sizeof *n->w);
        *value = next;
        return -slope > 1e-16 * fmax(1, fabs(next)); /* and the step just taken squares what is left */
    }
    return false;
}

static hd_status minimise(newton *n) {
    double value = objective(n, n->w, true);
    bool more = true;
    int64_t steps = 0;
    for (; more && steps < MOST_STEPS && !hd_trainer_tick(n->e->t); steps++) {
        more = take_step(n, &value);
        if (!isfinite(value))
            return hd_fail(n->e->t->ctx, HD_E_DIVERGED, "train|the loss is no longer a finite number|Check the data");
        (void)objective(n, n->w, true);
        if (!runs_away(n)) continue;
        n->e->separable = true;
        break;
    }
    n->e->steps += steps;
    n->e->objective += value;
    if (more) n->e->converged = false;
    return HD_OK;
}

static hd_status run(newton *n) {
    hd_context *ctx = n->e->t->ctx;
    const size_t p = (size_t)n->p;
    double *room = hd_alloc_n(ctx, p + 2, (2 * p + 4) * sizeof *room);
    if (!room) return HD_E_MEMORY;
    n->h = room, n->spare = n->h + p * p, n->g = n->spare + p * p;
    n->step = n->g + p, n->trial = n->step + p, n->score = n->trial + p;
    const hd_status status = minimise(n);
    hd_free(ctx, room);
    return status;
}

/* One and the same number added to all classes changes nothing: of all optima the one whose classes sum to 0. */
static void centre(hd_exact *e) {
    const int64_t d = e->data.d, k = e->data.k;
    for (int64_t j = e->l2 > 0 ? d : 0; j <= d; j++) {
        double mean = 0;
        for (int64_t a = 0; a < k; a++) mean += e->w[a * (d + 1) + j] / (double)k;
        for (int64_t a = 0; a < k; a++) e->w[a * (d + 1) + j] -= mean;
    }
}

hd_status hd_exact_newton(hd_exact *e) {
    const int64_t d = e->data.d, k = e->data.k;
    e->converged = true;
    if (e->loss == HD_EXACT_SOFTMAX) {
        HD_TRY(run(&(newton){.e = e, .units = k, .p = k * (d + 1), .share = 1 / (double)e->data.n, .w = e->w}));
        centre(e);
        return HD_OK;
    }
    for (int64_t unit = 0; unit < k; unit++) {
        newton n = {.e = e, .first = unit, .units = 1, .p = d + 1, .w = e->w + unit * (d + 1)};
        n.share = 1 / ((double)e->data.n * (double)k);
        HD_TRY(run(&n));
    }
    return HD_OK;
}
