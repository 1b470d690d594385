/* method_exact.c: linear models to the optimum of their loss, in f64, where the gradient's steps would only come near.
 * Tells the coefficients in the data's own units. */
#include "base/status.h"
#include "train/exact.h"
#include <math.h>
#include <string.h>

enum { MOST_WEIGHTS = 1500, MOST_CELLS = 4000000 };

static bool suits(int64_t samples, int64_t features, int64_t weights) {
    const double w = (double)weights;
    return weights <= MOST_WEIGHTS && (double)samples * (double)features <= MOST_CELLS &&
           (double)samples * w * w <= 4e9;
}

/* ---- the problem ---- */

static hd_status refuse(const hd_trainer *t, const char *what, const char *fix) {
    return hd_fail(t->ctx, HD_E_MODEL, "train.method|exact %s|%s", what, fix);
}

static hd_status read_loss(hd_exact *e) {
    static const struct {
        const char *name;
        hd_exact_loss loss;
    } known[] = {{"mse", HD_EXACT_SQUARES},
                 {"bce_with_logits", HD_EXACT_LOGISTIC},
                 {"cross_entropy", HD_EXACT_SOFTMAX},
                 {"hinge", HD_EXACT_HINGE}};
    static const char *const options[] = {"train.loss.weight", "train.loss.pos_weight", "train.loss.label_smoothing",
                                          "train.loss.ignore_index"};
    const hd_recipe *r = e->t->recipe;
    const char *name = e->t->model->task.loss.name;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (hd_recipe_said(r, options[i]))
            return refuse(e->t, "weighs all samples alike", "Leave the loss's options out, or use method=gradient");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) != 0) continue;
        e->loss = known[i].loss;
        if (e->loss == HD_EXACT_HINGE && hd_recipe_bool(r, "train.loss.squared")) e->loss = HD_EXACT_SQUARED_HINGE;
        return HD_OK;
    }
    return refuse(e->t, "knows mse, bce_with_logits, cross_entropy and hinge", "Use one of them, or method=gradient");
}

/* The hinge alone leaves the weights open where classes are separable: it always has its l2. */
static void read_l2(hd_exact *e) {
    const bool said = hd_recipe_said(e->t->recipe, "train.l2") != NULL;
    const bool hinge = e->loss == HD_EXACT_HINGE || e->loss == HD_EXACT_SQUARED_HINGE;
    e->l2 = said ? hd_recipe_number(e->t->recipe, "train.l2") : 0;
    if (hinge && !(e->l2 > 0)) e->l2 = 1 / (double)e->data.n;
}

/* ---- telling ---- */

/* In the data's own units: y = intercept + Σ coefficient · x. */
static double raw_weight(const hd_exact *e, int64_t unit, int64_t j) {
    const hd_normalizer *z = &e->t->model->normalizer;
    const hd_model_data *m = &e->t->model->data;
    const double std = z->channels > 0 ? (double)z->std[j / z->each % z->channels] : 1;
    const double unit_std = m->target_std ? (double)m->target_std[unit] : 1;
    return e->w[unit * (e->data.d + 1) + j] / std * unit_std;
}

static double raw_bias(const hd_exact *e, int64_t unit) {
    const hd_normalizer *z = &e->t->model->normalizer;
    const hd_model_data *m = &e->t->model->data;
    double b = e->w[unit * (e->data.d + 1) + e->data.d] * (m->target_std ? (double)m->target_std[unit] : 1);
    if (m->target_mean) b += (double)m->target_mean[unit];
    for (int64_t j = 0; j < e->data.d && z->channels > 0; j++)
        b -= raw_weight(e, unit, j) * (double)z->mean[j / z->each % z->channels];
    return b;
}

static void write_found(const hd_exact *e) {
    hd_jw w = {.out = &e->t->found};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "name"), hd_jw_string(&w, "exact");
    hd_jw_key(&w, "converged"), hd_jw_bool(&w, e->converged && !e->separable);
    hd_jw_key(&w, "steps"), hd_jw_int(&w, e->steps);
    hd_jw_key(&w, "objective"), hd_jw_number(&w, e->objective);
    hd_jw_key(&w, "l2"), hd_jw_number(&w, e->l2);
    hd_jw_key(&w, "intercepts");
    hd_jw_begin(&w, '[');
    for (int64_t k = 0; k < e->data.k; k++) hd_jw_number(&w, raw_bias(e, k));
    hd_jw_end(&w);
    hd_jw_key(&w, "coefficients"); /* rows: outputs */
    hd_jw_begin(&w, '[');
    for (int64_t k = 0; k < e->data.k; k++) {
        hd_jw_begin(&w, '[');
        for (int64_t j = 0; j < e->data.d; j++) hd_jw_number(&w, raw_weight(e, k, j));
        hd_jw_end(&w);
    }
    hd_jw_end(&w);
    hd_jw_end(&w);
}

/* "y = 152 + 0.4·x1 − 2·x2", as far as one line goes. */
static void say_formula(hd_exact *e) {
    enum { MOST_TERMS = 12 };
    hd_text line = {.ctx = e->t->ctx};
    if (e->data.k != 1 || e->data.d > MOST_TERMS) return;
    hd_text_printf(&line, "%s = %.6g", e->loss == HD_EXACT_SQUARES ? "y" : "score", raw_bias(e, 0));
    for (int64_t j = 0; j < e->data.d; j++) {
        const double w = raw_weight(e, 0, j);
        hd_text_printf(&line, " %s %.6g·x%lld", w < 0 ? "−" : "+", fabs(w), (long long)j + 1);
    }
    hd_method_say(e->t, "%s", hd_text_str(&line));
    e->t->note.failed |= line.failed;
    hd_text_free(&line);
}

static void tell(hd_exact *e) {
    write_found(e);
    if (e->separable)
        hd_method_say(e->t, "the classes are separable, so that larger weights are always better: there is no optimum; "
                            "l2=0.001 gives it one");
    else if (!e->converged)
        hd_method_say(e->t, "the optimum was not reached in %lld steps: the objective stands about %.2g above it",
                      (long long)e->steps, e->decrement);
    else
        hd_method_say(e->t, "the weights are the optimum: %lld steps, objective %.10g", (long long)e->steps,
                      e->objective);
    say_formula(e);
}

/* ---- fitting ---- */

static hd_status solve(hd_exact *e) {
    HD_TRY(read_loss(e));
    HD_TRY(hd_fit_data_make(&e->data, e->t));
    const int64_t weights = (e->data.d + 1) * e->data.k;
    if (!suits(e->data.n, e->data.d, weights))
        return refuse(e->t, "is for tables of usual size", "Use method=gradient");
    read_l2(e);
    e->w = hd_alloc_n(e->t->ctx, (size_t)weights, sizeof *e->w);
    if (!e->w) return HD_E_MEMORY;
    HD_TRY(e->loss == HD_EXACT_HINGE ? hd_exact_pairs(e) : hd_exact_newton(e));
    e->t->state.total_steps = e->steps;
    if (!e->converged && e->t->stop == HD_STOP_CONVERGED) e->t->stop = HD_STOP_STEPS;
    tell(e);
    return hd_fit_put(e->t, e->w, e->data.k, e->data.d);
}

static hd_status fit(hd_trainer *t) {
    hd_exact e = {.t = t};
    const hd_status status = solve(&e);
    hd_free(t->ctx, e.w);
    hd_fit_data_free(&e.data);
    return status;
}

const hd_method hd_method_exact = {
    .name = "exact",
    .help = "linear models: the optimum itself, by Newton's method or, for the hinge, by pairs of samples",
    .reads = "l2",
    .suits = suits,
    .fit = fit,
};
