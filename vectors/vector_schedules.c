/* vector_schedules.c: learning rates of our schedules against PyTorch's, value by value. A case is known by its name,
 * "StepLR step_size=7 gamma=0.5": PyTorch's words with the settings that matter. Where PyTorch's schedule moves
 * momentum too, a step is a pair; the learning rate is compared, momentum is none of a schedule's business here. */
#include "train/schedule.h"
#include "vector_run.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "5,20,21" */
static void milestones_of(const char *list, hd_schedule *s) {
    for (int n = 0;
         s->milestone_count < HD_MAX_MILESTONES && sscanf(list, "%lf%n", &s->milestone[s->milestone_count], &n) == 1;
         list += list[n] ? n + 1 : n)
        s->milestone_count++;
}

static int cycle_of(const char *word) {
    if (strcmp(word, "triangular2") == 0) return HD_CYCLE_TRIANGULAR2;
    return strcmp(word, "exp_range") == 0 ? HD_CYCLE_EXP_RANGE : HD_CYCLE_TRIANGULAR;
}

/* The schedule that a name stands for; false: we have none. All start at 0.1, as the file's do. */
static bool schedule_named(const char *name, hd_schedule *s) {
    double a, b, c, d;
    char word[16], list[96];
    *s = (hd_schedule){.lr = 0.1, .warmup_start = 0};
    const char *kind = NULL;
    if (sscanf(name, "StepLR step_size=%lf gamma=%lf", &a, &b) == 2)
        kind = "step", s->step_size = a, s->gamma = b;
    else if (sscanf(name, "MultiStepLR %95s gamma=%lf", list, &b) == 2)
        kind = "multistep", s->gamma = b, milestones_of(list, s);
    else if (sscanf(name, "ExponentialLR %lf", &a) == 1)
        kind = "exponential", s->epoch = 1, s->gamma = a;
    else if (sscanf(name, "CosineAnnealingLR T_max=%lf eta_min=%lf", &a, &b) == 2)
        kind = "cosine", s->total = a, s->eta_min = b;
    else if (sscanf(name, "CosineAnnealingWarmRestarts T_0=%lf T_mult=%lf", &a, &b) == 2)
        kind = "cosine_restarts", s->t_0 = a, s->t_mult = b;
    else if (sscanf(name, "LinearLR %lf->%lf in %lf", &a, &b, &c) == 3)
        kind = "linear", s->factor = a, s->end_factor = b, s->length = c;
    else if (sscanf(name, "ConstantLR %lf for %lf", &a, &b) == 2)
        kind = "constant", s->factor = a, s->length = b;
    else if (sscanf(name, "PolynomialLR %lf power=%lf", &a, &b) == 2)
        kind = "polynomial", s->length = a, s->power = b;
    else if (strcmp(name, "SequentialLR linear 5 then cosine 40") == 0)
        kind = "cosine", s->warmup_start = 0.1, s->warmup = 5, s->total = 45;
    else if (sscanf(name, "CyclicLR %lf..%lf up=%lf down=%lf gamma=%lf %15s", &a, &b, &s->step_up, &s->step_down,
                    &s->gamma, word) == 6)
        kind = "cyclic", s->base_lr = a, s->lr = b, s->mode = cycle_of(word);
    else if (sscanf(name, "OneCycleLR max=%lf total=%lf %15s", &a, &b, word) == 3)
        kind = "onecycle", s->lr = a, s->total = b, s->linear = strcmp(word, "linear") == 0, s->pct_start = 0.3,
        s->div_factor = 25, s->final_div_factor = 1e4;
    else if (sscanf(name, "ReduceLROnPlateau factor=%lf patience=%lf cooldown=%lf min_lr=%lf", &a, &b, &c, &d) == 4)
        kind = "plateau", s->factor = a, s->patience = (int64_t)b, s->cooldown = (int64_t)c, s->min_lr = d,
        s->threshold = 1e-4;
    if (kind) s->kind = hd_schedule_find(kind);
    return s->kind != NULL;
}

/* The learning rate of a step. */
static double rate_of(const hd_json *v) {
    return v->type == HD_JSON_ARRAY && v->child ? v->child->number : v->number;
}

/* A list of rates, or an object of what is watched and the rate before each look at it. */
void vector_run_schedule(const vector_file *f, const char *name, const hd_json *json, const vector_options *o,
                         hd_arena *arena, vector_result *r) {
    const hd_json *rates = json->type == HD_JSON_OBJECT ? hd_json_get(json, "lr") : json;
    const hd_json *metric = json->type == HD_JSON_OBJECT ? hd_json_get(json, "metric") : NULL;
    hd_schedule s;
    hd_plateau plateau = {0};
    (void)f, (void)name, (void)o, (void)arena;
    *r = (vector_result){.outcome = VECTOR_UNSUPPORTED};
    if (!rates || rates->type != HD_JSON_ARRAY || !schedule_named(json->key, &s)) {
        (void)snprintf(r->text, sizeof r->text, "no such schedule: %.200s", json->key);
        return;
    }
    r->outcome = VECTOR_PASSED;
    s.plateau = &plateau;
    double largest = 0;
    for (const hd_json *v = rates->child; v; v = v->next) largest = fmax(largest, fabs(rate_of(v)));
    int64_t step = 0;
    const hd_json *seen = metric ? metric->child : NULL;
    for (const hd_json *v = rates->child; v; v = v->next, step++) {
        const double rate = hd_schedule_lr(&s, step), share = fabs(rate - rate_of(v)) / largest / 1e-12;
        if (!(share <= 1))
            vector_failed(r, "%.100s: step %lld is %.15g, PyTorch says %.15g", json->key, (long long)step, rate,
                          rate_of(v));
        r->worst = fmax(r->worst, share);
        if (!seen) continue;
        hd_plateau_see(&s, &plateau, seen->number, false);
        seen = seen->next;
    }
}
