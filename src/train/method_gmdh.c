/* method_gmdh.c: the group method of data handling: for every pair of values a quadratic fitted by least squares on one
 * half of the training part, the best by the other half kept as the next layer's values, and so on until a layer brings
 * nothing. What is left is pruned to what the best unit needs (gmdh_tell.c writes it down). */
#include "base/rng.h"
#include "base/status.h"
#include "train/gmdh.h"
#include "train/solve.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { USUAL_WIDTH = 12, USUAL_LAYERS = 10, MOST_WIDTH = 1000 };
static const double ridge = 1e-9;      /* of the mean diagonal: values of one layer are often nearly the same */
static const double most_work = 1e9;   /* pairs times rows: about a minute */
static const double enough = 1e-10;    /* of targets with deviation 1: nothing is left to explain but rounding */
static const double least_gain = 0.01; /* a layer that improves the criterion by less ends the growth */

typedef struct growth {
    hd_trainer *t;
    hd_gmdh *net;
    int64_t n, half, width, most_layers;
    double *y;              /* [n]: the first half is fitted, the second selects */
    double *values, *spare; /* [columns][n] */
    int64_t columns;
    hd_gmdh_unit *best; /* [width], by criterion */
    int64_t found;
} growth;

static int64_t option(const hd_recipe *r, const char *key, int64_t usual) {
    const hd_json *said = hd_recipe_said(r, key);
    return said && said->type == HD_JSON_INT && said->integer > 0 ? said->integer : usual;
}

static void terms_of(double a, double b, double out[HD_GMDH_TERMS]) {
    out[0] = 1, out[1] = a, out[2] = b, out[3] = a * b, out[4] = a * a, out[5] = b * b;
}

double hd_gmdh_value(const hd_gmdh_unit *u, double a, double b) {
    double term[HD_GMDH_TERMS], sum = 0;
    terms_of(a, b, term);
    for (int k = 0; k < HD_GMDH_TERMS; k++) sum += u->w[k] * term[k];
    return sum;
}

/* The regularity criterion: mean squared error on the half that was not fitted. */
static double judge(const growth *g, const hd_gmdh_unit *u) {
    const double *a = g->values + u->left * g->n, *b = g->values + u->right * g->n;
    double sum = 0;
    for (int64_t i = g->half; i < g->n; i++) {
        const double e = hd_gmdh_value(u, a[i], b[i]) - g->y[i];
        sum += e * e;
    }
    return sum / (double)(g->n - g->half);
}

/* The products that least squares on the first half are made of. */
static void add_up(const growth *g, const hd_gmdh_unit *u, double *m, double *v) {
    enum { P = HD_GMDH_TERMS };
    const double *a = g->values + u->left * g->n, *b = g->values + u->right * g->n;
    double term[P];
    for (int64_t i = 0; i < g->half; i++) {
        terms_of(a[i], b[i], term);
        for (int r = 0; r < P; r++) {
            for (int c = 0; c <= r; c++) m[r * P + c] += term[r] * term[c];
            v[r] += term[r] * g->y[i];
        }
    }
}

/* Fits a plane, a plane with ab, and the whole quadratic, and takes the richer only where the other half says that it
 * is better: squares of squares run away where there are no data. False when the values are no numbers. */
static bool fit_unit(const growth *g, hd_gmdh_unit *u) {
    enum { P = HD_GMDH_TERMS };
    static const int forms[] = {3, 4, 6}; /* terms */
    double m[P * P] = {0}, v[P] = {0}, part[P * P], spare[P * P], spare_v[P];
    add_up(g, u, m, v);
    u->criterion = INFINITY;
    for (int f = 0; f < 3; f++) {
        const int n = forms[f];
        hd_gmdh_unit rich = *u;
        for (int k = 0; k < P; k++) rich.w[k] = k < n ? v[k] : 0;
        for (int r = 0; r < n; r++)
            for (int c = 0; c <= r; c++) part[r * n + c] = m[r * P + c];
        if (!hd_solve_damped(part, rich.w, n, ridge, spare, spare_v)) continue;
        rich.criterion = judge(g, &rich);
        if (rich.criterion < u->criterion * (1 - least_gain)) *u = rich;
    }
    return isfinite(u->criterion);
}

/* Into the list of the best, in order. */
static void keep(growth *g, const hd_gmdh_unit *u) {
    int64_t at = g->found;
    if (g->found == g->width && !(u->criterion < g->best[g->found - 1].criterion)) return;
    if (g->found < g->width)
        g->found++;
    else
        at--;
    for (; at > 0 && u->criterion < g->best[at - 1].criterion; at--) g->best[at] = g->best[at - 1];
    g->best[at] = *u;
}

static void try_pairs(growth *g) {
    g->found = 0;
    for (int64_t i = 0; i < g->columns; i++)
        for (int64_t j = g->columns == 1 ? i : i + 1; j < g->columns; j++) {
            hd_gmdh_unit u = {.left = i, .right = j};
            if (fit_unit(g, &u)) keep(g, &u);
        }
}

/* The survivors' values become the columns of the next layer. */
static void move_on(growth *g) {
    for (int64_t k = 0; k < g->found; k++)
        for (int64_t i = 0; i < g->n; i++) {
            const hd_gmdh_unit *u = &g->best[k];
            g->spare[k * g->n + i] = hd_gmdh_value(u, g->values[u->left * g->n + i], g->values[u->right * g->n + i]);
        }
    memcpy(g->values, g->spare, (size_t)(g->found * g->n) * sizeof *g->values);
    g->columns = g->found;
}

static hd_status grow(growth *g) {
    double least = INFINITY;
    for (int64_t k = 0; k < g->most_layers; k++) {
        try_pairs(g);
        if (g->found == 0 || !(g->best[0].criterion < least * (1 - least_gain))) break; /* it has stopped by itself */
        least = g->best[0].criterion;
        hd_gmdh_layer *l = &g->net->layer[g->net->layers++];
        l->unit = hd_arena_alloc_n(&g->t->arena, (size_t)g->found, sizeof *l->unit);
        if (!l->unit) return HD_E_MEMORY;
        memcpy(l->unit, g->best, (size_t)g->found * sizeof *l->unit);
        l->units = g->found;
        l->criterion = least;
        move_on(g);
        if (least < enough) break;
    }
    if (g->net->layers == 0) return hd_fail(g->t->ctx, HD_E_DATA, "train|no polynomial could be fitted|Check the data");
    return HD_OK;
}

/* Only the best unit of the last layer stays, and what it is made of. */
static hd_status prune(growth *g) {
    hd_gmdh *net = g->net;
    net->layer[net->layers - 1].units = 1;
    for (int64_t k = net->layers - 1; k > 0; k--) {
        hd_gmdh_layer *above = &net->layer[k], *l = &net->layer[k - 1];
        int64_t *moved = hd_arena_alloc_n(&g->t->arena, (size_t)l->units, sizeof *moved), left = 0;
        if (!moved) return HD_E_MEMORY;
        for (int64_t u = 0; u < l->units; u++) {
            bool used = false;
            for (int64_t a = 0; a < above->units; a++)
                used = used || above->unit[a].left == u || above->unit[a].right == u;
            moved[u] = left;
            if (used) l->unit[left++] = l->unit[u];
        }
        l->units = left;
        for (int64_t a = 0; a < above->units; a++) {
            above->unit[a].left = moved[above->unit[a].left];
            above->unit[a].right = moved[above->unit[a].right];
        }
    }
    return HD_OK;
}

/* ---- data ---- */

/* Inputs and targets as the network will have them, shuffled, a column each. */
static hd_status load(growth *g, const hd_normalizer *z) {
    const hd_trainer *t = g->t;
    const hd_data_info info = hd_data_get_info(t->data);
    float *row = hd_alloc_n(t->ctx, (size_t)g->columns + 1, sizeof *row);
    int64_t *order = hd_alloc_n(t->ctx, (size_t)g->n, sizeof *order);
    double *moments = NULL;
    hd_status status = row && order ? hd_target_moments(t, &moments) : HD_E_MEMORY;
    hd_rng rng = hd_rng_new((uint64_t)hd_recipe_int(t->recipe, "train.seed"), "gmdh");
    for (int64_t i = 0; status == HD_OK && i < g->n; i++) order[i] = t->split.train[i];
    if (status == HD_OK) hd_rng_shuffle(&rng, order, (size_t)g->n);
    const bool scaled = strcmp(hd_recipe_text(t->recipe, "data.normalize"), "standard") == 0;
    for (int64_t i = 0; status == HD_OK && i < g->n; i++) {
        hd_data_x(t->data, order[i], row);
        for (int64_t j = 0; j < g->columns; j++) g->values[j * g->n + i] = hd_fit_input(z, j, row[j]);
        hd_data_values(t->data, order[i], row);
        g->y[i] = scaled ? ((double)row[0] - moments[0]) / moments[info.targets] : (double)row[0];
    }
    hd_free(t->ctx, row);
    hd_free(t->ctx, order);
    hd_free(t->ctx, moments);
    return status;
}

static hd_status find(growth *g) {
    hd_trainer *t = g->t;
    hd_normalizer z = {.ctx = t->ctx};
    const int64_t columns = g->columns > g->width ? g->columns : g->width;
    HD_TRY(hd_normalizer_fit(&z, t->data, t->split.train, t->split.train_count,
                             hd_recipe_text(t->recipe, "data.normalize")));
    double *room = hd_alloc_n(t->ctx, (size_t)g->n, (size_t)(2 * columns + 1) * sizeof *room);
    g->best = hd_alloc_n(t->ctx, (size_t)g->width, sizeof *g->best);
    hd_status status = room && g->best ? HD_OK : HD_E_MEMORY;
    if (status == HD_OK) {
        g->y = room, g->values = room + g->n, g->spare = g->values + columns * g->n;
        status = load(g, &z);
    }
    if (status == HD_OK) status = grow(g);
    if (status == HD_OK) status = prune(g);
    hd_normalizer_free(&z);
    hd_free(t->ctx, room);
    hd_free(t->ctx, g->best);
    return status;
}

/* Growth comes first: the model can only be built when it is known what it is. */
static hd_status settle(hd_trainer *t) {
    const hd_data_info info = hd_data_get_info(t->data);
    growth g = {.t = t, .n = t->split.train_count, .columns = hd_dims_count(&info.sample)};
    if (info.classes > 0 || info.targets != 1)
        return hd_fail(t->ctx, HD_E_MODEL, "model|gmdh predicts one number, %s has %s|Choose one column by label=NAME",
                       info.name, info.classes > 0 ? "classes" : "several");
    if (g.n < 4) return hd_fail(t->ctx, HD_E_DATA, "%s|gmdh needs 4 samples or more to train on", info.name);
    if ((double)g.columns * (double)g.columns / 2 * (double)g.n > most_work)
        return hd_fail(t->ctx, HD_E_MODEL,
                       "model|gmdh tries every pair of %lld columns on %lld rows, which is too much|Choose columns by "
                       "data.features, or take fewer rows",
                       (long long)g.columns, (long long)g.n);
    g.half = g.n - g.n / 2;
    g.width = option(t->recipe, "model.width", USUAL_WIDTH);
    g.most_layers = option(t->recipe, "model.most_layers", USUAL_LAYERS);
    if (g.width > MOST_WIDTH || g.most_layers > HD_GMDH_LAYERS)
        return hd_fail(t->ctx, HD_E_MODEL, "model|gmdh has at most 1,000 units in a layer and 100 layers");
    g.net = t->method_state = hd_arena_alloc(&t->arena, sizeof *g.net);
    if (!g.net) return HD_E_MEMORY;
    HD_TRY(find(&g));
    return hd_gmdh_write_structure(g.net, t);
}

static hd_status fit(hd_trainer *t) {
    const hd_gmdh *net = t->method_state;
    for (int64_t k = 0; k < net->layers; k++) {
        const hd_gmdh_layer *l = &net->layer[k];
        char name[48];
        double *w = hd_alloc_n(t->ctx, (size_t)l->units, HD_GMDH_TERMS * sizeof *w);
        if (!w) return HD_E_MEMORY;
        for (int64_t u = 0; u < l->units; u++)
            for (int64_t j = 0; j < HD_GMDH_TERMS; j++) w[j * l->units + u] = l->unit[u].w[j];
        (void)snprintf(name, sizeof name, "layer%lld.weight", (long long)k + 1);
        const hd_status status = hd_fit_put_tensor(t, name, w, l->units * HD_GMDH_TERMS);
        hd_free(t->ctx, w);
        HD_TRY(status);
        t->state.total_steps += l->units;
    }
    hd_gmdh_tell(net, t);
    return HD_OK;
}

const hd_method hd_method_gmdh = {
    .name = "gmdh",
    .help = "polynomials grown layer by layer: fitted on one half of the training part, selected on the other",
    .reads = "",
    .settle = settle,
    .fit = fit,
};
