/* toy_spirals.c: arms of a spiral wound into each other, one class an arm. After the two-spirals problem: Lang and
 * Witbrock, "Learning to tell two spirals apart", 1988. */
#include "data/toy.h"
#include <math.h>

typedef struct hd_spirals_args {
    hd_toy_args toy;
    int64_t arms;
    double turns;
} hd_spirals_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_spirals_args, 0.02),
                                    {.name = "arms",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_spirals_args, arms),
                                     .def = 2,
                                     .min = 2,
                                     .max = 20,
                                     .help = "number of arms, which are the classes"},
                                    {.name = "turns",
                                     .type = HD_OPT_FLOAT,
                                     .offset = offsetof(hd_spirals_args, turns),
                                     .def = 1.5,
                                     .min = 0.1,
                                     .max = 10,
                                     .help = "turns of each arm"},
                                    HD_OPTION_END};

static hd_status open_spirals(hd_dataset *data, const hd_data_request *request) {
    const hd_spirals_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, 2, args->arms));
    int64_t steps = (toy.n + args->arms - 1) / args->arms;
    for (int64_t i = 0; i < toy.n; i++) {
        int64_t arm = i % args->arms;
        double r = ((double)(i / args->arms) + 0.5) / (double)steps;
        double t = 2 * HD_PI * (args->turns * r + (double)arm / (double)args->arms);
        toy.x[2 * i] = hd_toy_noisy(&toy, r * cos(t));
        toy.x[2 * i + 1] = hd_toy_noisy(&toy, r * sin(t));
        toy.label[i] = arm;
    }
    data->info.classes = args->arms;
    return HD_OK;
}

const hd_data_source hd_source_spirals = {
    .name = "spirals",
    .description = "arms of a spiral wound into each other, one class an arm",
    .args_size = sizeof(hd_spirals_args),
    .options = options,
    .named = true,
    .open = open_spirals,
};
