/* schedule.c: the list of schedules, their settings from a recipe, and warm-up, which goes before any of them. */
#include "train/schedule.h"
#include <math.h>
#include <string.h>

#define HD_SCHEDULE(name) extern const hd_schedule_kind hd_schedule_##name;
#include "train/schedules.def"
#undef HD_SCHEDULE

static const hd_schedule_kind *const kinds[] = {
#define HD_SCHEDULE(name) &hd_schedule_##name,
#include "train/schedules.def"
#undef HD_SCHEDULE
};

const char *const *hd_schedule_names(void) {
    static const char *const names[] = {
#define HD_SCHEDULE(name) #name,
#include "train/schedules.def"
#undef HD_SCHEDULE
        NULL};
    return names;
}

bool hd_schedule_at(int i, hd_schedule_info *out) {
    if (i < 0 || i >= (int)(sizeof kinds / sizeof kinds[0])) return false;
    *out = (hd_schedule_info){kinds[i]->name, kinds[i]->formula, kinds[i]->source};
    return true;
}

const hd_schedule_kind *hd_schedule_find(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

bool hd_schedule_reads(const char *kind, const char *setting, const char **def) {
    const hd_schedule_kind *k = hd_schedule_find(kind);
    for (const hd_schedule_setting *s = k ? k->settings : NULL; s && s->name; s++) {
        if (strcmp(s->name, setting) != 0) continue;
        if (def) *def = s->def;
        return true;
    }
    return false;
}

/* ---- from a recipe ---- */

/* A number of epochs in steps, whole ones. */
static double in_steps(const hd_recipe *r, const char *key, double epoch) {
    return floor(hd_recipe_number(r, key) * epoch + 0.5);
}

/* One number is a list of one. */
static void read_milestones(const hd_recipe *r, hd_schedule *s) {
    const hd_json *said = hd_recipe_said(r, "train.schedule.milestones");
    const bool list = said && said->type == HD_JSON_ARRAY;
    const hd_json *v = list ? said->child : said;
    for (; v && s->milestone_count < HD_MAX_MILESTONES; v = list ? v->next : NULL) {
        const double at = floor(v->number * s->epoch + 0.5);
        int32_t i = s->milestone_count++;
        for (; i > 0 && s->milestone[i - 1] > at; i--) s->milestone[i] = s->milestone[i - 1];
        s->milestone[i] = at;
    }
}

static int read_mode(const char *mode) {
    if (strcmp(mode, "triangular2") == 0) return HD_CYCLE_TRIANGULAR2;
    return strcmp(mode, "exp_range") == 0 ? HD_CYCLE_EXP_RANGE : HD_CYCLE_TRIANGULAR;
}

/* Settings that kinds share in name, and read each in its way. */
static void read_settings(const hd_recipe *r, hd_schedule *s) {
    const double epoch = s->epoch;
    s->step_size = fmax(1, in_steps(r, "train.schedule.step_size", epoch));
    s->gamma = hd_recipe_number(r, "train.schedule.gamma");
    s->eta_min = hd_recipe_number(r, "train.schedule.eta_min");
    s->pct_start = hd_recipe_number(r, "train.schedule.pct_start");
    s->div_factor = hd_recipe_number(r, "train.schedule.div_factor");
    s->final_div_factor = hd_recipe_number(r, "train.schedule.final_div_factor");
    s->linear = strcmp(hd_recipe_text(r, "train.schedule.anneal"), "linear") == 0;
    s->factor = hd_recipe_number(r, "train.schedule.factor");
    s->end_factor = hd_recipe_number(r, "train.schedule.end_factor");
    s->length = in_steps(r, "train.schedule.total_iters", epoch);
    s->power = hd_recipe_number(r, "train.schedule.power");
    s->t_0 = fmax(1, in_steps(r, "train.schedule.t_0", epoch));
    s->t_mult = hd_recipe_number(r, "train.schedule.t_mult");
    s->base_lr =
        hd_recipe_said(r, "train.schedule.base_lr") ? hd_recipe_number(r, "train.schedule.base_lr") : s->lr / 10;
    s->step_up = fmax(1, in_steps(r, "train.schedule.step_size_up", epoch));
    s->step_down = in_steps(r, "train.schedule.step_size_down", epoch);
    if (s->step_down < 1) s->step_down = s->step_up;
    s->mode = read_mode(hd_recipe_text(r, "train.schedule.mode"));
    s->threshold = hd_recipe_number(r, "train.schedule.threshold");
    s->min_lr = hd_recipe_number(r, "train.schedule.min_lr");
    s->patience = hd_recipe_int(r, "train.schedule.patience");
    s->cooldown = hd_recipe_int(r, "train.schedule.cooldown");
    read_milestones(r, s);
}

hd_schedule hd_schedule_make(const hd_recipe *r, int64_t per_epoch, int64_t total) {
    hd_schedule s = {
        .kind = hd_schedule_find(hd_recipe_text(r, "train.schedule.name")),
        .lr = hd_recipe_number(r, "train.optimizer.lr"),
        .total = (double)total,
        .epoch = (double)per_epoch,
        .warmup = in_steps(r, "train.schedule.warmup", (double)per_epoch),
        .warmup_start = hd_recipe_number(r, "train.schedule.warmup_start"),
    };
    read_settings(r, &s);
    if (!hd_schedule_reads(s.kind->name, "warmup", NULL)) s.warmup = 0;
    if (s.kind == &hd_schedule_warmup && s.warmup == 0) s.warmup = s.epoch;
    return s;
}

/* Warm-up is PyTorch's LinearLR(start_factor, total_iters), joined to the schedule as by SequentialLR. */
double hd_schedule_lr(const hd_schedule *s, int64_t step) {
    const double t = (double)step;
    if (t < s->warmup) return s->lr * (s->warmup_start + (1 - s->warmup_start) * t / s->warmup);
    return s->kind->rate(s, t - s->warmup, s->total - s->warmup);
}

bool hd_schedule_moves(const hd_schedule *s) {
    return s->warmup > 0 || s->kind != &hd_schedule_constant || s->length > 0;
}
