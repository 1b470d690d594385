/* limits.c: what ends a run and what counts as better, read from a recipe. */
#include "base/status.h"
#include "base/text.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

static hd_status unknown(const hd_recipe *r, const char *key, const char *name, const hd_metric_list *metrics) {
    return hd_fail(r->ctx, HD_E_MODEL,
                   "%s|\"%.60s\" is not measured in this run|Use loss%s%s, or add it to eval.metrics", key, name,
                   metrics->count > 0 ? " or " : "", metrics->count > 0 ? metrics->kind[0]->name : "");
}

/* Is more of it better? False when it is not measured. */
static bool direction(const hd_metric_list *metrics, const char *name, size_t length, bool *higher) {
    *higher = false;
    if (strncmp(name, "loss", length) == 0 && length == 4) return true;
    for (int i = 0; i < metrics->count; i++) {
        const char *known = metrics->kind[i]->name;
        if (strlen(known) != length || strncmp(known, name, length) != 0) continue;
        *higher = metrics->kind[i]->higher_better;
        return true;
    }
    return false;
}

static hd_status read_target(hd_limits *l, const hd_recipe *r, const hd_metric_list *metrics, bool has_val) {
    const char *text = hd_recipe_text(r, "train.target");
    if (!text) return HD_OK;
    const char *equals = strchr(text, '=');
    if (!equals || !hd_text_to_f64(equals + 1, strlen(equals + 1), &l->target) || !isfinite(l->target))
        return hd_fail(r->ctx, HD_E_MODEL, "train.target|\"%.60s\" is no target|Write it as accuracy=0.98", text);
    if (!direction(metrics, text, (size_t)(equals - text), &l->target_higher))
        return unknown(r, "train.target", text, metrics);
    if (!has_val)
        return hd_fail(r->ctx, HD_E_MODEL,
                       "train.target|it is measured on the validation part, and there is none|Use val=0.1");
    l->target_name = text;
    return HD_OK;
}

static hd_status read_time(hd_limits *l, const hd_recipe *r) {
    const hd_json *said = hd_recipe_said(r, "train.time");
    if (!said) return HD_OK;
    double unit = 1, number = said->number;
    if (said->type == HD_JSON_STRING) {
        size_t n = strlen(said->string);
        const char last = n > 0 ? said->string[n - 1] : '\0';
        if (last == 's' || last == 'm' || last == 'h') {
            unit = last == 's' ? 1 : last == 'm' ? 60 : 3600;
            n--;
        }
        if (!hd_text_to_f64(said->string, n, &number)) number = -1;
    }
    if (!(number > 0) || !isfinite(number))
        return hd_fail(r->ctx, HD_E_MODEL, "train.time|it is no time|Write it as 90s, 30m or 2h");
    l->seconds = number * unit;
    return HD_OK;
}

hd_status hd_limits_read(hd_limits *out, const hd_recipe *r, const hd_metric_list *metrics, bool has_val) {
    *out = (hd_limits){.epochs = hd_recipe_int(r, "train.epochs"),
                       .steps = hd_recipe_int(r, "train.steps"),
                       .patience = hd_recipe_int(r, "train.patience"),
                       .monitor = hd_recipe_text(r, "train.monitor")};
    if (!direction(metrics, out->monitor, strlen(out->monitor), &out->monitor_higher))
        return unknown(r, "train.monitor", out->monitor, metrics);
    if (out->patience > 0 && !has_val)
        return hd_fail(
            r->ctx, HD_E_MODEL,
            "train.patience|it watches the validation part, and there is none|Use val=0.1, or leave patience out");
    HD_TRY(read_target(out, r, metrics, has_val));
    return read_time(out, r);
}
