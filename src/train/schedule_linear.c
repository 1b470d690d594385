/* schedule_linear.c: the learning rate goes in a line from one share of it to another; as
 * torch.optim.lr_scheduler.LinearLR. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    const double length = s->length > 0 ? s->length : total;
    const double share = length > 0 ? fmin(t / length, 1) : 1;
    return s->lr * (s->factor + (s->end_factor - s->factor) * share);
}

const hd_schedule_kind hd_schedule_linear = {
    .name = "linear",
    .formula = "lr · (factor + (end_factor − factor) · min(t / total_iters, 1)), total_iters 0: the whole run",
    .source = "as torch.optim.lr_scheduler.LinearLR",
    .settings =
        (const hd_schedule_setting[]){
            {"factor", "1"}, {"end_factor", NULL}, {"total_iters", "0"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
