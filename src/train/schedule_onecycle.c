/* schedule_onecycle.c: the learning rate rises from lr / div_factor to lr and falls far below its start; as
 * torch.optim.lr_scheduler.OneCycleLR with two phases. Momentum stays as it is. */
#include "train/schedule.h"
#include <math.h>

static double between(const hd_schedule *s, double from, double to, double share) {
    const double pi = 3.14159265358979323846;
    return s->linear ? from + (to - from) * share : to + (from - to) / 2 * (1 + cos(pi * share));
}

static double rate(const hd_schedule *s, double t, double total) {
    const double first = s->lr / s->div_factor, last = first / s->final_div_factor;
    const double top = s->pct_start * total - 1, end = total - 1;
    if (t <= top) return between(s, first, s->lr, top > 0 ? t / top : 1);
    return between(s, s->lr, last, end > top ? fmin(1, (t - top) / (end - top)) : 1);
}

const hd_schedule_kind hd_schedule_onecycle = {
    .name = "onecycle",
    .formula = "lr / div_factor ↗ lr ↘ lr / (div_factor · final_div_factor), the top at pct_start of the run",
    .source = "Smith, Topin: Super-convergence, 2018",
    .settings =
        (const hd_schedule_setting[]){
            {"pct_start", NULL}, {"div_factor", NULL}, {"final_div_factor", NULL}, {"anneal", NULL}, {0}},
    .rate = rate};
