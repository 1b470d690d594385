/* schedule_cosine.c: the learning rate falls along half a cosine to eta_min at the end of the run; as
 * torch.optim.lr_scheduler.CosineAnnealingLR with T_max the steps of the run. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    const double pi = 3.14159265358979323846;
    if (total <= 0) return s->lr;
    return s->eta_min + (s->lr - s->eta_min) * (1 + cos(pi * t / total)) / 2;
}

const hd_schedule_kind hd_schedule_cosine = {
    .name = "cosine",
    .formula = "eta_min + (lr − eta_min) · (1 + cos(π t / total)) / 2",
    .source = "Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts, ICLR 2017, without restarts",
    .settings = (const hd_schedule_setting[]){{"eta_min", NULL}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
