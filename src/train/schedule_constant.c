/* schedule_constant.c: the learning rate as it is. */
#include "train/schedule.h"

static double rate(const hd_schedule *s, double t, double total) {
    (void)t, (void)total;
    return s->lr;
}

const hd_schedule_kind hd_schedule_constant = {.name = "constant",
                                               .formula = "lr",
                                               .source = "Robbins, Monro 1951 ask for less, practice often does not",
                                               .rate = rate};
