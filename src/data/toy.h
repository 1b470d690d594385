/* toy.h: what the small built-in sets of points share. */
#ifndef HD_DATA_TOY_H
#define HD_DATA_TOY_H
#include "base/rng.h"
#include "data/source.h"

#define HD_PI 3.14159265358979323846

/* First members of every toy's args struct. */
typedef struct hd_toy_args {
    int64_t n, seed;
    double noise;
} hd_toy_args;

/* The options of hd_toy_args inside a struct T whose member is `toy`. */
#define HD_TOY_OPTIONS(T, noise_def)                                                                                   \
    {.name = "n",                                                                                                      \
     .type = HD_OPT_INT,                                                                                               \
     .offset = offsetof(T, toy.n),                                                                                     \
     .def = 1000,                                                                                                      \
     .min = 2,                                                                                                         \
     .max = 1e7,                                                                                                       \
     .help = "number of points"},                                                                                      \
        {.name = "noise",                                                                                              \
         .type = HD_OPT_FLOAT,                                                                                         \
         .offset = offsetof(T, toy.noise),                                                                             \
         .def = (noise_def),                                                                                           \
         .min = 0,                                                                                                     \
         .max = 1e6,                                                                                                   \
         .help = "standard deviation of the Gaussian noise"},                                                          \
    {                                                                                                                  \
        .name = "seed", .type = HD_OPT_INT, .offset = offsetof(T, toy.seed), .def = 1, .min = 0, .max = 9e15,          \
        .help = "seed of the points, independent of the run's"                                                         \
    }

/* Room for n points of `features` numbers, with labels below `classes`, or with one target number when classes is 0. */
typedef struct hd_toy {
    int64_t n, classes;
    float *x;       /* [n, features] */
    int64_t *label; /* [n] */
    float *value;   /* [n] */
    hd_rng rng;
    double noise;
} hd_toy;
HD_CHECKED hd_status hd_toy_begin(hd_toy *toy, hd_dataset *data, const hd_toy_args *args, int64_t features,
                                  int64_t classes);
/* x plus noise. */
float hd_toy_noisy(hd_toy *toy, double x);
#endif
