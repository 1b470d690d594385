/* perceptron.c: a weighted sum and a step. Rosenblatt's rule (train.method perceptron) finds the weights. */
#include "zoo/zoo_kit.h"

static hd_val build(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    (void)args;
    const hd_val rows = hd_zoo_rows(at, x);
    const hd_val w = hd_param_at(at, x.graph, "fc.weight", hd_val_dtype(x), HD_DIMS(outputs, hd_zoo_size(x)), HD_ZEROS);
    const hd_val b = hd_param_at(at, x.graph, "fc.bias", hd_val_dtype(x), HD_DIMS(outputs), HD_ZEROS);
    return hd_step_at(at, &(hd_unary_args){.x = hd_linear_at(at, &(hd_linear_args){.x = rows, .w = w, .b = b})});
}

const hd_zoo_entry hd_zoo_perceptron = {
    .name = "perceptron",
    .description =
        "a weighted sum and a step, taught by its mistakes: it finds a separating line whenever there is one",
    .authors = "Rosenblatt",
    .paper =
        "The perceptron: a probabilistic model for information storage and organization in the brain, Psychological "
        "Review 65 (6), 1958, doi:10.1037/h0042519",
    .year = 1958,
    .data = "xor",
    .sample = {1, {2}},
    .outputs = 1,
    .loss = "mse",
    .keeps_loss = true,
    .no_gradient = true,
    .method = "perceptron",
    .build = build,
};
