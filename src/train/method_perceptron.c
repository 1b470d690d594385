/* method_perceptron.c: Rosenblatt's rule, one example a step: a wrong answer moves the weights by the example. Says
 * whether the classes can be separated at all, and how it knows: by the margin of a separating plane, which bounds the
 * number of mistakes (Novikoff: On convergence proofs on perceptrons, 1962), or by samples of both classes whose
 * weighted means coincide. */
#include "base/rng.h"
#include "base/status.h"
#include "train/method.h"
#include "train/separable.h"
#include <math.h>

enum { USUAL_PASSES = 1000 };

typedef struct lesson {
    hd_trainer *t;
    hd_fit_data data;
    int64_t *order; /* [n] */
    double *w;      /* [k, d + 1], the bias last */
    int64_t passes; /* at most */
    int64_t passed; /* of the unit that took longest */
    int64_t mistakes;
    bool converged;
} lesson;

/* One pass over the samples in a random order; returns the mistakes. */
static int64_t pass(lesson *l, int64_t unit, hd_rng *rng) {
    const int64_t d = l->data.d;
    double *w = l->w + unit * (d + 1);
    int64_t wrong = 0;
    hd_rng_shuffle(rng, l->order, (size_t)l->data.n);
    for (int64_t s = 0; s < l->data.n; s++) {
        const int64_t i = l->order[s];
        const double *x = l->data.x + i * d;
        double sum = w[d];
        for (int64_t j = 0; j < d; j++) sum += w[j] * x[j];
        const double error = l->data.y[i * l->data.k + unit] - (sum > 0 ? 1 : 0);
        if (error == 0) continue;
        for (int64_t j = 0; j < d; j++) w[j] += error * x[j];
        w[d] += error;
        wrong++;
    }
    return wrong;
}

static hd_status learn(lesson *l) {
    l->converged = true;
    for (int64_t unit = 0; unit < l->data.k; unit++) {
        hd_rng rng = hd_rng_new((uint64_t)hd_recipe_int(l->t->recipe, "train.seed"), "perceptron");
        int64_t wrong = 1, done = 0;
        for (; wrong > 0 && done < l->passes && !hd_trainer_tick(l->t); done++) {
            wrong = pass(l, unit, &rng);
            l->mistakes += wrong;
            l->t->state.total_steps += l->data.n;
        }
        if (done > l->passed) l->passed = done;
        if (wrong > 0) l->converged = false;
    }
    return HD_OK;
}

static void tell_separable(lesson *l, const hd_separability *s, hd_jw *w) {
    const double bound = s->radius * s->radius / (s->margin_low * s->margin_low);
    hd_jw_key(w, "separable"), hd_jw_bool(w, true);
    hd_jw_key(w, "margin"), hd_jw_number(w, s->margin_low);
    hd_jw_key(w, "radius"), hd_jw_number(w, s->radius);
    hd_jw_key(w, "bound"), hd_jw_number(w, bound);
    hd_method_say(
        l->t,
        "the classes are separable: a plane leaves a margin of %.4g, and samples reach out to %.4g, so that no "
        "more than (R/γ)² = %.0f mistakes are possible (Novikoff); %lld were made%s",
        s->margin_low, s->radius, floor(bound), (long long)l->mistakes,
        l->converged ? "" : ", and the passes ended first: give it more epochs");
}

static void tell_not_separable(lesson *l, const hd_separability *s, hd_jw *w) {
    hd_jw_key(w, "separable"), hd_jw_bool(w, false);
    hd_jw_key(w, "witnesses"), hd_jw_int(w, s->witnesses);
    hd_method_say(
        l->t,
        "the classes are not linearly separable: %lld samples of both, weighted, have one and the same mean, so "
        "that no plane has them on different sides; the rule never ends (%lld mistakes in %lld passes)",
        (long long)s->witnesses, (long long)l->mistakes, (long long)l->passed);
}

/* k mistakes leave no room for a margin above R/√k. */
static void tell_unknown(lesson *l, const hd_separability *s, hd_jw *w) {
    const double margin = s->radius / sqrt((double)(l->mistakes > 0 ? l->mistakes : 1));
    hd_jw_key(w, "separable"), hd_jw_null(w);
    hd_jw_key(w, "margin_below"), hd_jw_number(w, fmin(margin, s->margin_high));
    hd_method_say(
        l->t,
        "no separating plane was found: after %lld mistakes there can be none with a margin above %.3g (samples "
        "reach out to %.3g)",
        (long long)l->mistakes, fmin(margin, s->margin_high), s->radius);
}

static hd_status tell(lesson *l) {
    hd_jw w = {.out = &l->t->found};
    hd_separability s = {0};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "name"), hd_jw_string(&w, "perceptron");
    hd_jw_key(&w, "converged"), hd_jw_bool(&w, l->converged);
    hd_jw_key(&w, "mistakes"), hd_jw_int(&w, l->mistakes);
    hd_jw_key(&w, "passes"), hd_jw_int(&w, l->passed);
    if (l->data.k == 1) {
        HD_TRY(hd_separability_find(&s, &l->data, 0));
        if (s.margin_low > 0)
            tell_separable(l, &s, &w);
        else if (s.witnesses > 0)
            tell_not_separable(l, &s, &w);
        else
            tell_unknown(l, &s, &w);
    } else {
        hd_method_say(l->t, "%s: %lld mistakes in %lld passes, one unit for each class",
                      l->converged ? "every class is separable from the others" : "not every class was separated",
                      (long long)l->mistakes, (long long)l->passed);
    }
    hd_jw_end(&w);
    return HD_OK;
}

static hd_status fit(hd_trainer *t) {
    lesson l = {.t = t};
    l.passes = hd_recipe_said(t->recipe, "train.epochs") ? hd_recipe_int(t->recipe, "train.epochs") : USUAL_PASSES;
    HD_TRY(hd_fit_data_make(&l.data, t));
    l.order = hd_alloc_n(t->ctx, (size_t)l.data.n, sizeof *l.order);
    l.w = hd_alloc_n(t->ctx, (size_t)(l.data.k * (l.data.d + 1)), sizeof *l.w);
    hd_status status = l.order && l.w ? HD_OK : HD_E_MEMORY;
    for (int64_t i = 0; i < l.data.n && status == HD_OK; i++) l.order[i] = i;
    if (status == HD_OK) status = learn(&l);
    if (!l.converged && t->stop == HD_STOP_CONVERGED) t->stop = HD_STOP_EPOCHS;
    if (status == HD_OK) status = tell(&l);
    if (status == HD_OK) status = hd_fit_put(t, l.w, l.data.k, l.data.d);
    hd_free(t->ctx, l.order);
    hd_free(t->ctx, l.w);
    hd_fit_data_free(&l.data);
    return status;
}

const hd_method hd_method_perceptron = {
    .name = "perceptron",
    .help = "Rosenblatt's rule: every mistake moves the weights by the example; ends when a pass makes none",
    .reads = "epochs",
    .fit = fit,
};
