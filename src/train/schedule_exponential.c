/* schedule_exponential.c: the learning rate falls by a factor every epoch; as torch.optim.lr_scheduler.ExponentialLR.
 */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    (void)total;
    return s->lr * pow(s->gamma, floor(t / s->epoch));
}

const hd_schedule_kind hd_schedule_exponential = {
    .name = "exponential",
    .formula = "lr · gamma^epoch",
    .source = "as torch.optim.lr_scheduler.ExponentialLR",
    .settings = (const hd_schedule_setting[]){{"gamma", "0.95"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
