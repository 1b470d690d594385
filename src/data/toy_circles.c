/* toy_circles.c: a circle inside a circle, as scikit-learn's make_circles. */
#include "data/toy.h"
#include <math.h>

typedef struct hd_circles_args {
    hd_toy_args toy;
    double factor;
} hd_circles_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_circles_args, 0.05),
                                    {.name = "factor",
                                     .type = HD_OPT_FLOAT,
                                     .offset = offsetof(hd_circles_args, factor),
                                     .def = 0.8,
                                     .min = 0,
                                     .max = 0.99,
                                     .help = "radius of the inner circle; the outer one has 1"},
                                    HD_OPTION_END};

static hd_status open_circles(hd_dataset *data, const hd_data_request *request) {
    const hd_circles_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, 2, 2));
    int64_t count[2] = {(toy.n + 1) / 2, toy.n / 2};
    for (int64_t i = 0; i < toy.n; i++) {
        int64_t ring = i & 1;
        double t = 2 * HD_PI * (double)(i / 2) / (double)count[ring], r = ring ? args->factor : 1;
        toy.x[2 * i] = hd_toy_noisy(&toy, r * cos(t));
        toy.x[2 * i + 1] = hd_toy_noisy(&toy, r * sin(t));
        toy.label[i] = ring;
    }
    return HD_OK;
}

const hd_data_source hd_source_circles = {
    .name = "circles",
    .description = "a circle inside a circle, two classes",
    .args_size = sizeof(hd_circles_args),
    .options = options,
    .named = true,
    .open = open_circles,
};
