/* schedule_cosine_restarts.c: half cosines one after the other, each t_mult times as long as the one before; as
 * torch.optim.lr_scheduler.CosineAnnealingWarmRestarts. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    const double pi = 3.14159265358979323846;
    double length = s->t_0;
    (void)total;
    if (s->t_mult > 1) {
        while (t >= length) {
            t -= length;
            length *= s->t_mult;
        }
    } else {
        t = fmod(t, length);
    }
    return s->eta_min + (s->lr - s->eta_min) * (1 + cos(pi * t / length)) / 2;
}

const hd_schedule_kind hd_schedule_cosine_restarts = {
    .name = "cosine_restarts",
    .formula = "eta_min + (lr − eta_min) · (1 + cos(π t_cur / t_i)) / 2, t_i = t_0 · t_mult^i",
    .source = "Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts, ICLR 2017",
    .settings =
        (const hd_schedule_setting[]){
            {"t_0", NULL}, {"t_mult", NULL}, {"eta_min", NULL}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
