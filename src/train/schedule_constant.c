/* schedule_constant.c: the learning rate as it is, or a share of it at the beginning; as
 * torch.optim.lr_scheduler.ConstantLR. */
#include "train/schedule.h"
#include <math.h>

static double rate(const hd_schedule *s, double t, double total) {
    (void)total;
    return t < s->length ? s->lr * s->factor : s->lr;
}

const hd_schedule_kind hd_schedule_constant = {
    .name = "constant",
    .formula = "lr · factor for total_iters epochs, then lr",
    .source = "as torch.optim.lr_scheduler.ConstantLR",
    .settings =
        (const hd_schedule_setting[]){
            {"factor", "1"}, {"total_iters", "0"}, {"warmup", NULL}, {"warmup_start", NULL}, {0}},
    .rate = rate};
