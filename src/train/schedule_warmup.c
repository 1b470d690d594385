/* schedule_warmup.c: the learning rate rises in a line and then stays: warm-up and nothing behind it. */
#include "train/schedule.h"

static double rate(const hd_schedule *s, double t, double total) {
    (void)t, (void)total;
    return s->lr;
}

const hd_schedule_kind hd_schedule_warmup = {
    .name = "warmup",
    .formula = "lr · (warmup_start + (1 − warmup_start) · t / warmup), then lr",
    .source = "Goyal et al.: Accurate, large minibatch SGD, 2017; as torch.optim.lr_scheduler.LinearLR",
    .settings = (const hd_schedule_setting[]){{"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
