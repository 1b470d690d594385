/* toy_blobs.c: Gaussian clouds around random centres, as scikit-learn's make_blobs: centres uniform in [-10, 10). */
#include "data/toy.h"

enum { MAX_CENTERS = 100, MAX_FEATURES = 64 };

typedef struct hd_blobs_args {
    hd_toy_args toy;
    int64_t centers, features;
} hd_blobs_args;

static const hd_option options[] = {HD_TOY_OPTIONS(hd_blobs_args, 1.0),
                                    {.name = "centers",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_blobs_args, centers),
                                     .def = 3,
                                     .min = 2,
                                     .max = MAX_CENTERS,
                                     .help = "number of clouds, which are the classes"},
                                    {.name = "features",
                                     .type = HD_OPT_INT,
                                     .offset = offsetof(hd_blobs_args, features),
                                     .def = 2,
                                     .min = 1,
                                     .max = MAX_FEATURES,
                                     .help = "numbers per point"},
                                    HD_OPTION_END};

static hd_status open_blobs(hd_dataset *data, const hd_data_request *request) {
    const hd_blobs_args *args = request->args;
    hd_toy toy;
    HD_TRY(hd_toy_begin(&toy, data, &args->toy, args->features, args->centers));
    int64_t f = args->features;
    double center[MAX_CENTERS * MAX_FEATURES] = {0};
    for (int64_t i = 0; i < args->centers * f; i++) center[i] = -10 + 20 * hd_rng_uniform(&toy.rng);
    for (int64_t i = 0; i < toy.n; i++) {
        int64_t cloud = i % args->centers;
        for (int64_t j = 0; j < f; j++) toy.x[i * f + j] = hd_toy_noisy(&toy, center[cloud * f + j]);
        toy.label[i] = cloud;
    }
    data->info.classes = args->centers;
    return HD_OK;
}

const hd_data_source hd_source_blobs = {
    .name = "blobs",
    .description = "Gaussian clouds around random centres, one class a cloud",
    .args_size = sizeof(hd_blobs_args),
    .options = options,
    .named = true,
    .open = open_blobs,
};
