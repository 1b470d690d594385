/* linear_model.c: one linear layer: linear regression on numbers, softmax regression on classes. */
#include "zoo/zoo_kit.h"

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    (void)args;
    return hd_zoo_dense(at, hd_zoo_rows(at, x), "fc", outputs);
}

const hd_zoo_entry hd_zoo_linear = {
    .name = "linear",
    .description = "one linear layer: linear regression for numbers, softmax regression for classes",
    .authors = "Gauss",
    .paper = "Theoria motus corporum coelestium, book 2, section 3, 1809, "
             "https://archive.org/details/theoriamotuscor00gausgoog",
    .year = 1809,
    .sample = {1, {1}},
    .outputs = 1,
    .loss = "mse",
    .build = build,
};

const hd_zoo_entry hd_zoo_softmax_regression = {
    .name = "softmax-regression",
    .description = "one linear layer and softmax: multinomial logistic regression",
    .authors = "Cox",
    .paper = "The regression analysis of binary sequences, J. R. Stat. Soc. B 20 (2), 1958, "
             "doi:10.1111/j.2517-6161.1958.tb00292.x",
    .year = 1958,
    .sample = {3, {1, 28, 28}},
    .outputs = 10,
    .loss = "cross_entropy",
    .build = build,
};
