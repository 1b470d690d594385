/* linear_model.c: one linear layer under the names that its losses gave it. On tables of usual size the weights are
 * found exactly (train.method exact). */
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

/* What the linear models share; what is said after it wins. */
#define LINEAR_MODEL(outputs_, loss_, keeps)                                                                           \
    .sample = {1, {10}}, .outputs = outputs_, .loss = loss_, .keeps_loss = keeps, .method = "exact", .build = build

const hd_zoo_entry hd_zoo_linear_regression = {
    .name = "linear-regression",
    .description = "a straight line, plane or hyperplane through numbers, by least squares",
    .authors = "Legendre",
    .paper = "Nouvelles méthodes pour la détermination des orbites des comètes, appendix, 1805, "
             "https://archive.org/details/nouvellesmthode00legegoog",
    .year = 1805,
    .data = "table.csv",
    LINEAR_MODEL(1, "mse", false),
};

const hd_zoo_entry hd_zoo_logistic_regression = {
    .name = "logistic-regression",
    .description = "the probability of yes, from a weighted sum through the logistic curve",
    .authors = "Cox",
    .paper = "The regression analysis of binary sequences, J. R. Stat. Soc. B 20 (2), 1958, "
             "doi:10.1111/j.2517-6161.1958.tb00292.x",
    .year = 1958,
    .data = "blobs",
    LINEAR_MODEL(1, "bce_with_logits", true),
};

const hd_zoo_entry hd_zoo_linear_svm = {
    .name = "linear-svm",
    .description = "the separating plane with the widest margin, by the hinge loss",
    .authors = "Cortes, Vapnik",
    .paper = "Support-vector networks, Machine Learning 20 (3), 1995, doi:10.1007/BF00994018",
    .year = 1995,
    .data = "moons",
    LINEAR_MODEL(1, "hinge", true),
};

const hd_zoo_entry hd_zoo_softmax_regression = {
    .name = "softmax-regression",
    .description = "one linear layer and softmax: multinomial logistic regression",
    .authors = "Cox",
    .paper = "Some procedures connected with the logistic qualitative response curve, Research Papers in Statistics: "
             "1966",
    .year = 1966,
    .sample = {3, {1, 28, 28}},
    .outputs = 10,
    .loss = "cross_entropy",
    .method = "exact",
    .build = build,
};
