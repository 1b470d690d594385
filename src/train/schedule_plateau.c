/* schedule_plateau.c: the learning rate drops when what is watched gets no better; as
 * torch.optim.lr_scheduler.ReduceLROnPlateau with threshold_mode rel. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    (void)t, (void)total;
    return s->plateau && s->plateau->seen > 0 ? s->plateau->lr : s->lr;
}

static bool is_better(const hd_schedule *s, const hd_plateau *p, double value, bool higher) {
    if (p->seen == 0) return true;
    return higher ? value > p->best * (1 + s->threshold) : value < p->best * (1 - s->threshold);
}

void hd_plateau_see(const hd_schedule *s, hd_plateau *p, double value, bool higher) {
    const bool better = is_better(s, p, value, higher);
    if (p->seen == 0) p->lr = s->lr;
    p->seen++;
    p->bad = better ? 0 : p->bad + 1;
    if (better) p->best = value;
    if (p->cooldown > 0) {
        p->cooldown--;
        p->bad = 0;
    }
    if (p->bad <= s->patience) return;
    const double next = fmax(p->lr * s->factor, s->min_lr);
    if (p->lr - next > 1e-8) p->lr = next;
    p->cooldown = s->cooldown;
    p->bad = 0;
}

const hd_schedule_kind hd_schedule_plateau = {
    .name = "plateau",
    .formula = "lr · factor whenever more than patience epochs went by without a better one",
    .source = "as torch.optim.lr_scheduler.ReduceLROnPlateau",
    .settings = (const hd_schedule_setting[]){{"factor", "0.1"},
                                              {"patience", NULL},
                                              {"threshold", NULL},
                                              {"cooldown", NULL},
                                              {"min_lr", NULL},
                                              {"warmup", NULL},
                                              {"warmup_start", NULL},
                                              {0}},
    .rate = rate};
