/* toy_sine.c: y = sin(x) with noise, for regression. x is uniform in [-π, π). */
#include "data/toy.h"
#include <math.h>

typedef struct hd_sine_args {
    hd_toy_args toy;
} hd_sine_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_sine_args, 0.1), HD_OPTION_END};

static hd_status open_sine(hd_dataset *data, const hd_data_request *request) {
    const hd_sine_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, 1, 0));
    for (int64_t i = 0; i < toy.n; i++) {
        double x = HD_PI * (2 * hd_rng_uniform(&toy.rng) - 1);
        toy.x[i] = (float)x;
        toy.value[i] = hd_toy_noisy(&toy, sin(x));
    }
    return HD_OK;
}

const hd_data_source hd_source_sine = {
    .name = "sine",
    .description = "y = sin(x) with noise: a number to predict from a number",
    .args_size = sizeof(hd_sine_args),
    .options = options,
    .named = true,
    .open = open_sine,
};
