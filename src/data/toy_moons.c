/* toy_moons.c: two interleaving half circles, as scikit-learn's make_moons. */
#include "data/toy.h"
#include <math.h>

typedef struct hd_moons_args {
    hd_toy_args toy;
} hd_moons_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_moons_args, 0.1), HD_OPTION_END};

static hd_status open_moons(hd_dataset *data, const hd_data_request *request) {
    const hd_moons_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, 2, 2));
    int64_t count[2] = {(toy.n + 1) / 2, toy.n / 2};
    for (int64_t i = 0; i < toy.n; i++) {
        int64_t moon = i & 1, steps = count[moon] > 1 ? count[moon] - 1 : 1;
        double t = HD_PI * (double)(i / 2) / (double)steps;
        toy.x[2 * i] = hd_toy_noisy(&toy, moon ? 1 - cos(t) : cos(t));
        toy.x[2 * i + 1] = hd_toy_noisy(&toy, moon ? 0.5 - sin(t) : sin(t));
        toy.label[i] = moon;
    }
    return HD_OK;
}

const hd_data_source hd_source_moons = {
    .name = "moons",
    .description = "two interleaving half circles, two classes",
    .args_size = sizeof(hd_moons_args),
    .options = options,
    .named = true,
    .open = open_moons,
};
