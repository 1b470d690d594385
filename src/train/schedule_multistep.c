/* schedule_multistep.c: the learning rate drops by a factor at given epochs; as torch.optim.lr_scheduler.MultiStepLR.
 */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    int32_t passed = 0;
    (void)total;
    while (passed < s->milestone_count && s->milestone[passed] <= t) passed++;
    return s->lr * pow(s->gamma, passed);
}

const hd_schedule_kind hd_schedule_multistep = {
    .name = "multistep",
    .formula = "lr · gamma^(milestones passed)",
    .source = "as torch.optim.lr_scheduler.MultiStepLR",
    .settings =
        (const hd_schedule_setting[]){
            {"milestones", NULL}, {"gamma", "0.1"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
