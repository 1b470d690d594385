/* schedule_step.c: the learning rate drops by a factor every so many epochs; as torch.optim.lr_scheduler.StepLR. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    (void)total;
    return s->lr * pow(s->gamma, floor(t / s->step_size));
}

const hd_schedule_kind hd_schedule_step = {
    .name = "step",
    .formula = "lr · gamma^⌊t / step_size⌋",
    .source = "as torch.optim.lr_scheduler.StepLR",
    .settings =
        (const hd_schedule_setting[]){
            {"step_size", NULL}, {"gamma", "0.1"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
