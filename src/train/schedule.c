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

const hd_schedule_kind *hd_schedule_find(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

hd_schedule hd_schedule_make(const hd_recipe *r, int64_t per_epoch, int64_t total) {
    const double epoch = (double)per_epoch;
    hd_schedule s = {
        .kind = hd_schedule_find(hd_recipe_text(r, "train.schedule.name")),
        .lr = hd_recipe_number(r, "train.optimizer.lr"),
        .total = (double)total,
        .warmup = floor(hd_recipe_number(r, "train.schedule.warmup") * epoch + 0.5),
        .warmup_start = hd_recipe_number(r, "train.schedule.warmup_start"),
        .step_size = fmax(1, floor(hd_recipe_number(r, "train.schedule.step_size") * epoch + 0.5)),
        .gamma = hd_recipe_number(r, "train.schedule.gamma"),
        .eta_min = hd_recipe_number(r, "train.schedule.eta_min"),
        .pct_start = hd_recipe_number(r, "train.schedule.pct_start"),
        .div_factor = hd_recipe_number(r, "train.schedule.div_factor"),
        .final_div_factor = hd_recipe_number(r, "train.schedule.final_div_factor"),
        .linear = strcmp(hd_recipe_text(r, "train.schedule.anneal"), "linear") == 0,
    };
    if (s.kind == &hd_schedule_onecycle) s.warmup = 0;
    if (s.kind == &hd_schedule_warmup && s.warmup == 0) s.warmup = epoch;
    return s;
}

/* Warm-up is PyTorch's LinearLR(start_factor, total_iters), joined to the schedule as by SequentialLR. */
double hd_schedule_lr(const hd_schedule *s, int64_t step) {
    const double t = (double)step;
    if (t < s->warmup) return s->lr * (s->warmup_start + (1 - s->warmup_start) * t / s->warmup);
    return s->kind->rate(s, t - s->warmup, s->total - s->warmup);
}

bool hd_schedule_moves(const hd_schedule *s) {
    return s->warmup > 0 || s->kind != &hd_schedule_constant;
}
