/* schedule_cyclic.c: the learning rate goes up and down between base_lr and lr; as torch.optim.lr_scheduler.CyclicLR.
 * Momentum stays as it is. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    const double round = s->step_up + s->step_down, ratio = s->step_up / round;
    const double cycle = floor(1 + t / round), x = 1 + t / round - cycle;
    const double height = (s->lr - s->base_lr) * (x <= ratio ? x / ratio : (x - 1) / (ratio - 1));
    (void)total;
    if (s->mode == HD_CYCLE_TRIANGULAR2) return s->base_lr + height / exp2(cycle - 1);
    return s->base_lr + (s->mode == HD_CYCLE_EXP_RANGE ? height * pow(s->gamma, t) : height);
}

const hd_schedule_kind hd_schedule_cyclic = {
    .name = "cyclic",
    .formula = "base_lr + (lr − base_lr) · triangle(t) · (1, 2^(1−cycle) or gamma^t, t in steps)",
    .source = "Smith: Cyclical learning rates for training neural networks, 2017",
    .settings =
        (const hd_schedule_setting[]){
            {"base_lr", NULL}, {"step_size_up", NULL}, {"step_size_down", NULL}, {"mode", NULL}, {"gamma", "1"}, {0}},
    .rate = rate};
