/* schedule_polynomial.c: the learning rate falls to 0 along a power; as torch.optim.lr_scheduler.PolynomialLR. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    const double length = s->length > 0 ? s->length : total;
    return length > 0 ? s->lr * pow(1 - fmin(t / length, 1), s->power) : s->lr;
}

const hd_schedule_kind hd_schedule_polynomial = {
    .name = "polynomial",
    .formula = "lr · (1 − min(t / total_iters, 1))^power, total_iters 0: the whole run",
    .source = "as torch.optim.lr_scheduler.PolynomialLR",
    .settings =
        (const hd_schedule_setting[]){
            {"power", NULL}, {"total_iters", "0"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
