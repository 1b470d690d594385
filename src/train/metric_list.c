/* metric_list.c: the list of metrics and the choice of a run. */
#include "base/status.h"
#include "base/text.h"
#include "train/recipe.h"
#include "train/task.h"
#include <math.h>
#include <string.h>

#define HD_METRIC(name) extern const hd_metric_kind hd_metric_##name;
#include "train/metrics.def"
#undef HD_METRIC

static const hd_metric_kind *const kinds[] = {
#define HD_METRIC(name) &hd_metric_##name,
#include "train/metrics.def"
#undef HD_METRIC
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const hd_metric_kind *hd_metric_at(int i) {
    return i >= 0 && i < (int)KINDS ? kinds[i] : NULL;
}

const hd_metric_kind *hd_metric_find_kind(const char *name) {
    for (int i = 0; i < (int)KINDS; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

static hd_status unknown(const hd_recipe *r, const char *name) {
    const char *names[KINDS];
    for (int i = 0; i < (int)KINDS; i++) names[i] = kinds[i]->name;
    const char *near = hd_text_nearest(name, names, KINDS);
    return hd_fail(r->ctx, HD_E_MODEL, "eval.metrics|unknown metric \"%.60s\"|%s%s%s", name,
                   near ? "Did you mean "
                        : "There are accuracy, f1, perplexity, bits, frame_accuracy, mse, rmse, mae, r2",
                   near ? near : "", near ? "?" : "");
}

static bool fits(const hd_metric_kind *kind, const hd_task *task) {
    return kind->classes == (task->classes > 0) && (!kind->positions || task->positions > 0) &&
           kind->notes == hd_task_notes(task);
}

hd_status hd_metric_list_make(hd_metric_list *out, const hd_recipe *r, const hd_task *task) {
    const hd_json *said = hd_recipe_said(r, "eval.metrics");
    const bool classes = task->classes > 0;
    *out = (hd_metric_list){0};
    for (int i = 0; !said && i < (int)KINDS; i++)
        if (task->reconstructs ? kinds[i]->pictures : kinds[i]->usual && fits(kinds[i], task))
            out->kind[out->count++] = kinds[i];
    for (const hd_json *item = said ? said->child : NULL; item; item = item->next) {
        const hd_metric_kind *kind = hd_metric_find_kind(item->string);
        if (!kind) return unknown(r, item->string);
        if (kind->classes != classes)
            return hd_fail(r->ctx, HD_E_MODEL, "eval.metrics|%s is for %s, these data have %s|Take it out", kind->name,
                           kind->classes ? "classes" : "numbers", classes ? "classes" : "numbers");
        if (!fits(kind, task))
            return hd_fail(r->ctx, HD_E_MODEL, "eval.metrics|%s does not fit the data, which have %s|Take it out",
                           kind->name,
                           hd_task_notes(task)   ? "rows of 0 and 1"
                           : task->positions > 0 ? "numbers, or classes, at each position"
                                                 : "one target a sample");
        if (out->count == HD_MAX_METRICS)
            return hd_fail(r->ctx, HD_E_MODEL, "eval.metrics|more than %d metrics|Take some out", HD_MAX_METRICS);
        out->kind[out->count++] = kind;
    }
    return HD_OK;
}

/* The two parts of a loss that the network has a part in, without intervals. */
static void add_parts(hd_scores *out, const hd_tally *t) {
    const double n = (double)t->n, part[] = {out->loss - t->part / n, t->part / n};
    const char *const name[] = {"reconstruction", t->task->part};
    for (int i = 0; i < 2 && out->count < HD_MAX_METRICS; i++)
        out->metric[out->count++] = (hd_metric){name[i], part[i], (double)NAN, (double)NAN};
}

bool hd_metric_list_needs_confusion(const hd_metric_list *list) {
    for (int i = 0; i < list->count; i++)
        if (list->kind[i]->confusion) return true;
    return false;
}

void hd_scores_make(hd_scores *out, const hd_tally *tally, const hd_metric_list *list) {
    *out = (hd_scores){.n = tally->n};
    if (tally->n == 0) return;
    out->loss = tally->loss / (tally->weight > 0 ? tally->weight : (double)tally->n);
    for (int i = 0; i < list->count; i++) {
        if (list->kind[i]->confusion && !tally->confusion) continue;
        out->metric[out->count] = list->kind[i]->measure(tally);
        out->metric[out->count++].name = list->kind[i]->name;
    }
    if (tally->task->part) add_parts(out, tally);
}

const hd_metric *hd_scores_find(const hd_scores *scores, const char *name) {
    for (int i = 0; i < scores->count; i++)
        if (strcmp(scores->metric[i].name, name) == 0) return &scores->metric[i];
    return NULL;
}
