/* gmdh_tell.c: a grown network of polynomials as text: the model's option, and formulas in the data's own units. */
#include "base/status.h"
#include "train/gmdh.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

hd_status hd_gmdh_write_structure(const hd_gmdh *net, hd_trainer *t) {
    hd_text text = {.ctx = t->ctx};
    for (int64_t k = 0; k < net->layers; k++) {
        if (k > 0) hd_text_puts(&text, "; ");
        for (int64_t u = 0; u < net->layer[k].units; u++)
            hd_text_printf(&text, "%s%lld-%lld", u > 0 ? " " : "", (long long)net->layer[k].unit[u].left,
                           (long long)net->layer[k].unit[u].right);
    }
    const hd_status status =
        text.failed ? HD_E_MEMORY : hd_recipe_set(t->recipe, "model.structure", hd_text_str(&text));
    hd_text_free(&text);
    return status;
}

/* x = mean + std · a: the same quadratic in x and z instead of a and b. */
static void substitute(double w[HD_GMDH_TERMS], double ma, double sa, double mb, double sb) {
    const double a = 1 / sa, b = 1 / sb, p = -ma / sa, q = -mb / sb;
    const double v[HD_GMDH_TERMS] = {
        w[0] + w[1] * p + w[2] * q + w[3] * p * q + w[4] * p * p + w[5] * q * q,
        w[1] * a + w[3] * a * q + 2 * w[4] * a * p,
        w[2] * b + w[3] * b * p + 2 * w[5] * b * q,
        w[3] * a * b,
        w[4] * a * a,
        w[5] * b * b,
    };
    memcpy(w, v, sizeof v);
}

/* A unit's coefficients in units that people know. */
static void own_units(const hd_gmdh *net, const hd_trainer *t, int64_t layer, const hd_gmdh_unit *u,
                      double w[HD_GMDH_TERMS]) {
    const hd_normalizer *z = &t->model->normalizer;
    const hd_model_data *m = &t->model->data;
    memcpy(w, u->w, sizeof u->w);
    if (layer == 0 && z->channels > 0) {
        const int64_t l = u->left / z->each % z->channels, r = u->right / z->each % z->channels;
        substitute(w, (double)z->mean[l], (double)z->std[l], (double)z->mean[r], (double)z->std[r]);
    }
    if (layer < net->layers - 1 || !m->target_mean) return;
    for (int k = 0; k < HD_GMDH_TERMS; k++) w[k] *= (double)m->target_std[0];
    w[0] += (double)m->target_mean[0];
}

/* "x3" of the inputs, "u12" of unit 2 of layer 1: layers beyond nine get a dot. */
static void name_of(char out[48], int64_t layer, int64_t unit) {
    if (layer < 0)
        (void)snprintf(out, 48, "x%lld", (long long)unit + 1);
    else
        (void)snprintf(out, 48, "u%lld.%lld", (long long)layer + 1, (long long)unit + 1);
}

static void write_term(hd_text *line, double w, double largest, const char *a, const char *b) {
    if (fabs(w) <= 2e-6 * largest) return; /* what rounding leaves of a coefficient that is none */
    const bool square = *b && strcmp(a, b) == 0;
    hd_text_printf(line, " %s %.6g·%s%s%s", w < 0 ? "−" : "+", fabs(w), a,
                   square ? "²"
                   : *b   ? "·"
                          : "",
                   square ? "" : b);
}

static void say_unit(const hd_gmdh *net, hd_trainer *t, int64_t layer, int64_t number, hd_jw *j) {
    const hd_gmdh_unit *u = &net->layer[layer].unit[number];
    hd_text line = {.ctx = t->ctx};
    double w[HD_GMDH_TERMS], largest = 0;
    char name[48], a[48], b[48];
    own_units(net, t, layer, u, w);
    for (int k = 0; k < HD_GMDH_TERMS; k++) largest = fmax(largest, fabs(w[k]));
    name_of(name, layer, number);
    name_of(a, layer - 1, u->left);
    name_of(b, layer - 1, u->right);
    if (layer == net->layers - 1) (void)snprintf(name, sizeof name, "y");
    hd_text_printf(&line, "%s = %.6g", name, w[0]);
    const char *const first[] = {"", a, b, a, a, b}, *const second[] = {"", "", "", b, a, b};
    for (int k = 1; k < HD_GMDH_TERMS; k++) write_term(&line, w[k], largest, first[k], second[k]);
    hd_method_say(t, "%s", hd_text_str(&line));
    t->note.failed |= line.failed;
    hd_text_free(&line);
    hd_jw_begin(j, '{');
    hd_jw_key(j, "unit"), hd_jw_string(j, name);
    hd_jw_key(j, "a"), hd_jw_string(j, a);
    hd_jw_key(j, "b"), hd_jw_string(j, b);
    hd_jw_key(j, "coefficients"); /* of 1, a, b, ab, a², b² */
    hd_jw_begin(j, '[');
    for (int k = 0; k < HD_GMDH_TERMS; k++) hd_jw_number(j, w[k]);
    hd_jw_end(j);
    hd_jw_end(j);
}

void hd_gmdh_tell(const hd_gmdh *net, hd_trainer *t) {
    hd_jw w = {.out = &t->found};
    int64_t units = 0;
    for (int64_t k = 0; k < net->layers; k++) units += net->layer[k].units;
    hd_method_say(t, "grown: %lld layer%s, %lld polynomial%s of two values each", (long long)net->layers,
                  net->layers == 1 ? "" : "s", (long long)units, units == 1 ? "" : "s");
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "name"), hd_jw_string(&w, "gmdh");
    hd_jw_key(&w, "layers"), hd_jw_int(&w, net->layers);
    hd_jw_key(&w, "units"), hd_jw_int(&w, units);
    hd_jw_key(&w, "criterion"); /* of the best unit, layer by layer */
    hd_jw_begin(&w, '[');
    for (int64_t k = 0; k < net->layers; k++) hd_jw_number(&w, net->layer[k].criterion);
    hd_jw_end(&w);
    hd_jw_key(&w, "polynomial");
    hd_jw_begin(&w, '[');
    for (int64_t k = 0; k < net->layers; k++)
        for (int64_t u = 0; u < net->layer[k].units; u++) say_unit(net, t, k, u, &w);
    hd_jw_end(&w);
    hd_jw_end(&w);
}
