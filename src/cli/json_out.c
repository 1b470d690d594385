/* json_out.c: owns the writing of the one object: whole or not at all, so that standard output never holds half of it.
 */
#include "cli/json_out.h"
#include <math.h>

void json_begin(cli *c, json_out *j) {
    *j = (json_out){.text = {.ctx = c->ctx}};
    j->w.out = &j->text;
    hd_jw_begin(&j->w, '{');
}

hd_status json_end(cli *c, json_out *j) {
    hd_jw_end(&j->w);
    hd_text_puts(&j->text, "\n");
    hd_status status = j->text.failed ? cli_no_memory(c) : HD_OK;
    if (status == HD_OK) (void)fwrite(j->text.data, 1, j->text.length, stdout); /* main looks at ferror */
    hd_text_free(&j->text);
    return status;
}

void json_int(json_out *j, const char *key, int64_t value) {
    hd_jw_key(&j->w, key);
    hd_jw_int(&j->w, value);
}

void json_number(json_out *j, const char *key, double value) {
    hd_jw_key(&j->w, key);
    if (isfinite(value))
        hd_jw_number(&j->w, value);
    else
        hd_jw_null(&j->w);
}

void json_string(json_out *j, const char *key, const char *value) {
    hd_jw_key(&j->w, key);
    hd_jw_string(&j->w, value);
}

void json_dims(json_out *j, const char *key, const hd_dims *dims) {
    hd_jw_key(&j->w, key);
    hd_jw_begin(&j->w, '[');
    for (int i = 0; i < dims->rank; i++) hd_jw_int(&j->w, dims->dim[i]);
    hd_jw_end(&j->w);
}

void json_metric(json_out *j, const char *key, double value, double low, double high) {
    hd_jw_key(&j->w, key);
    hd_jw_begin(&j->w, '{');
    json_number(j, "value", value);
    json_number(j, "low", low);
    json_number(j, "high", high);
    hd_jw_end(&j->w);
}

void json_metrics(json_out *j, const hd_scores *s) {
    for (int i = 0; i < s->count; i++)
        json_metric(j, s->metric[i].name, s->metric[i].value, s->metric[i].low, s->metric[i].high);
}

hd_metric share_of(const char *name, double share, int64_t n) {
    const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
    if (n <= 0 || isnan(share)) return (hd_metric){name, share, NAN, NAN};
    double m = (double)n, z2 = z * z / m, middle = (share + z2 / 2) / (1 + z2);
    double half = z / (1 + z2) * sqrt(share * (1 - share) / m + z2 / (4 * m));
    return (hd_metric){name, share, fmax(0, middle - half), fmin(1, middle + half)};
}
