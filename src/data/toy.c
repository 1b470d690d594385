/* toy.c: owns the memory and the noise of the small built-in sets of points; knows no figure. */
#include "data/toy.h"

hd_status hd_toy_begin(hd_toy *toy, hd_dataset *data, const hd_toy_args *args, int64_t features, int64_t classes) {
    *toy = (hd_toy){.n = args->n,
                    .classes = classes,
                    .rng = hd_rng_new((uint64_t)args->seed, data->info.name),
                    .noise = args->noise};
    size_t n = (size_t)args->n;
    toy->x = hd_data_alloc(data, n * (size_t)features, sizeof *toy->x);
    if (classes)
        toy->label = hd_data_alloc(data, n, sizeof *toy->label);
    else
        toy->value = hd_data_alloc(data, n, sizeof *toy->value);
    if (!toy->x || (!toy->label && !toy->value)) return HD_E_MEMORY;
    data->info.kind = "points";
    data->info.sample = HD_DIMS(features);
    data->info.stored = HD_F32;
    data->info.train = args->n;
    hd_data_block block = {.count = args->n,
                           .x = (const unsigned char *)toy->x,
                           .x_stride = (size_t)features * sizeof(float),
                           .label64 = toy->label,
                           .value = toy->value,
                           .where = data->info.name};
    return hd_data_add_block(data, &block);
}

float hd_toy_noisy(hd_toy *toy, double x) {
    return (float)(toy->noise > 0 ? x + toy->noise * hd_rng_normal(&toy->rng) : x);
}
