/* recommender.c: who likes what: a row of numbers for each user and each item, and how they meet. Both share one table,
 * users first, as ratings are numbered. Koren, Bell, Volinsky 2009; He et al. 2017. */
#include "zoo/zoo_kit.h"
#include <stdio.h>

typedef struct recommender_args {
    int64_t num_embeddings, dim;
    double dropout;
} recommender_args;

static int64_t rows_of(const recommender_args *a) {
    enum { MOVIELENS = 671 + 9066 };
    return a->num_embeddings > 0 ? a->num_embeddings : MOVIELENS;
}

/* [B, 2, d] of the indices x [B, 2]; rows begin near 0: a user and an item that are not known yet say nothing. */
static hd_val lookup(hd_loc at, hd_val x, hd_val index, const char *name, int64_t rows, int64_t d, hd_init init) {
    const hd_val w = hd_param_at(at, x.graph, name, HD_F32, HD_DIMS(rows, d), init);
    return hd_embedding_at(at, &(hd_embedding_args){.weight = w, .index = index});
}

/* Row number `which` of each pair: [B, 2, d] → [B, d]. */
static hd_val one_of(hd_loc at, hd_val pair, int64_t which) {
    const hd_dims d = hd_val_dims(pair);
    const hd_val row =
        hd_slice_at(at, &(hd_slice_args){.x = pair, .axis = HD_AXIS(1), .start = which, .stop = which + 1});
    return hd_reshape_at(at, &(hd_reshape_args){.x = row, .dims = HD_DIMS(0, d.dim[2])});
}

static bool is_pairs(hd_loc at, hd_val x, int64_t outputs) {
    const hd_dims d = hd_val_dims(x);
    const bool pairs = d.rank == 2 && d.dim[1] == 2;
    if (!pairs)
        hd_zoo_refuse_input(at, x, "expected samples [B,2], a user and an item", "Use ratings, as movielens");
    else if (outputs != 1)
        hd_zoo_refuse(at, x, "a recommender predicts one number", "Use ratings, as movielens");
    return pairs && outputs == 1;
}

/* y = μ + b_u + b_i + p_u · q_i */
static hd_val factorization(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const recommender_args *a = args;
    if (!is_pairs(at, x, outputs)) return (hd_val){0};
    const hd_val index = hd_zoo_indices(at, x);
    const hd_val factors = lookup(at, x, index, "factors.weight", rows_of(a), a->dim, HD_NORMAL(0, 0.05));
    const hd_val biases = lookup(at, x, index, "biases.weight", rows_of(a), 1, HD_CONSTANT(0));
    const hd_val mean = hd_param_at(at, x.graph, "mean.bias", HD_F32, HD_DIMS(1), HD_CONSTANT(0));
    hd_val met = hd_mul(one_of(at, factors, 0), one_of(at, factors, 1));
    met = hd_zoo_drop(at, met, a->dropout);
    const hd_val both = hd_add(one_of(at, biases, 0), one_of(at, biases, 1));
    return hd_add(hd_add(hd_sum(met, .axes = HD_DIMS(1), .keepdim = true), both), mean);
}

/* The product of the rows, and a perceptron over other ones, side by side into one number: NeuMF. */
static hd_val neural(hd_loc at, hd_val x, int64_t outputs, const void *args) {
    const recommender_args *a = args;
    char name[16];
    if (!is_pairs(at, x, outputs)) return (hd_val){0};
    const hd_val index = hd_zoo_indices(at, x);
    const hd_val gmf = lookup(at, x, index, "gmf.weight", rows_of(a), a->dim, HD_NORMAL(0, 0.05));
    const hd_val deep = lookup(at, x, index, "mlp.weight", rows_of(a), 4 * a->dim, HD_NORMAL(0, 0.05));
    hd_val h = hd_reshape_at(at, &(hd_reshape_args){.x = deep, .dims = HD_DIMS(0, 8 * a->dim)});
    for (int i = 1; i <= 3; i++) {
        (void)snprintf(name, sizeof name, "fc%d", i);
        h = hd_zoo_drop(at, hd_zoo_relu(at, hd_zoo_dense(at, h, name, (8 * a->dim) >> i)), a->dropout);
    }
    const hd_val met = hd_mul(one_of(at, gmf, 0), one_of(at, gmf, 1)), both[] = {met, h};
    return hd_zoo_dense(at, hd_concat_at(at, &(hd_concat_args){.x = both, .n = 2, .axis = HD_AXIS(1)}), "fc4", 1);
}

#define RECOMMENDER_OPTIONS(usual_, help_)                                                                             \
    {                                                                                                                  \
        HD_ZOO_OPT(recommender_args, num_embeddings, INT, .min = 0, .max = 1 << 30,                                    \
                   .help = "users and items together; by the data when not given"),                                    \
            HD_ZOO_OPT(recommender_args, dim, INT, .def = usual_, .min = 1, .max = 1 << 20, .help = help_),            \
            HD_ZOO_OPT(recommender_args, dropout, FLOAT, .min = 0, .max = 1,                                           \
                       .help = "share of what is not yet summed up that is dropped while training"),                   \
            HD_OPTION_END                                                                                              \
    }

const hd_zoo_entry hd_zoo_matrix_factorization = {
    .name = "matrix-factorization",
    .description =
        "a row of factors and a bias for each user and each item: the rating is their product; the default for "
        "ratings",
    .authors = "Koren, Bell, Volinsky",
    .paper = "Matrix factorization techniques for recommender systems, Computer 42 (8), 2009, doi:10.1109/MC.2009.263",
    .year = 2009,
    .data = "movielens",
    .sample = {1, {2}},
    .outputs = 1,
    .loss = "mse",
    .args_size = sizeof(recommender_args),
    .options = (const hd_option[])RECOMMENDER_OPTIONS(32, "factors of a user, and of an item"),
    .build = factorization,
};

const hd_zoo_entry hd_zoo_neural_cf = {
    .name = "neural-cf",
    .description = "neural collaborative filtering (NeuMF): the product of factors beside a perceptron over others",
    .authors = "He, Liao, Zhang, Nie, Hu, Chua",
    .paper = "Neural collaborative filtering, WWW 2017, https://arxiv.org/abs/1708.05031",
    .year = 2017,
    .data = "movielens",
    .sample = {1, {2}},
    .outputs = 1,
    .loss = "mse",
    .args_size = sizeof(recommender_args),
    .options =
        (const hd_option[])RECOMMENDER_OPTIONS(8, "factors of the product; the perceptron reads eight times as many"),
    .build = neural,
};
