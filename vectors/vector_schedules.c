/* vector_schedules.c: learning rates of our schedules against PyTorch's, value by value. A case is known by its name,
 * "StepLR step_size=7 gamma=0.5": PyTorch's words with the settings that matter. Where PyTorch's schedule moves
 * momentum too, a step is a pair; the learning rate is compared, momentum is none of a schedule's business here. */
#include "train/schedule.h"
#include "vector_run.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The schedule that a name stands for; false: we have none. All start at 0.1, as the file's do. */
static bool schedule_named(const char *name, hd_schedule *s) {
    double a, b;
    char word[16];
    *s = (hd_schedule){.lr = 0.1, .warmup_start = 0};
    const char *kind = NULL;
    if (sscanf(name, "StepLR step_size=%lf gamma=%lf", &a, &b) == 2)
        kind = "step", s->step_size = a, s->gamma = b;
    else if (sscanf(name, "ExponentialLR %lf", &a) == 1)
        kind = "step", s->step_size = 1, s->gamma = a;
    else if (sscanf(name, "CosineAnnealingLR T_max=%lf eta_min=%lf", &a, &b) == 2)
        kind = "cosine", s->total = a, s->eta_min = b;
    else if (sscanf(name, "LinearLR %lf->1 in %lf", &a, &b) == 2)
        kind = "warmup", s->warmup_start = a, s->warmup = b;
    else if (strcmp(name, "SequentialLR linear 5 then cosine 40") == 0)
        kind = "cosine", s->warmup_start = 0.1, s->warmup = 5, s->total = 45;
    else if (sscanf(name, "OneCycleLR max=%lf total=%lf %15s", &a, &b, word) == 3)
        kind = "onecycle", s->lr = a, s->total = b, s->linear = strcmp(word, "linear") == 0, s->pct_start = 0.3,
        s->div_factor = 25, s->final_div_factor = 1e4;
    if (kind) s->kind = hd_schedule_find(kind);
    return s->kind != NULL;
}

/* The learning rate of a step. */
static double rate_of(const hd_json *v) {
    return v->type == HD_JSON_ARRAY && v->child ? v->child->number : v->number;
}

void vector_run_schedule(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                         hd_arena *arena, vector_result *r) {
    hd_schedule s;
    (void)f, (void)name, (void)o, (void)arena;
    *r = (vector_result){.outcome = VECTOR_UNSUPPORTED};
    if (json->type != HD_JSON_ARRAY || !schedule_named(json->key, &s)) {
        (void)snprintf(r->text, sizeof r->text, "no such schedule: %.200s", json->key);
        return;
    }
    r->outcome = VECTOR_PASSED;
    double largest = 0;
    for (const hd_json *v = json->child; v; v = v->next) largest = fmax(largest, fabs(rate_of(v)));
    int64_t step = 0;
    for (const hd_json *v = json->child; v; v = v->next, step++) {
        const double rate = hd_schedule_lr(&s, step), share = fabs(rate - rate_of(v)) / largest / 1e-12;
        if (!(share <= 1))
            vector_failed(r, "%.100s: step %lld is %.15g, PyTorch says %.15g", json->key, (long long)step, rate,
                          rate_of(v));
        r->worst = fmax(r->worst, share);
    }
}
