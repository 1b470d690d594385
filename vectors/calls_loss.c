/* calls_loss.c: losses and distances. The two arguments before `reduction` are PyTorch's old ones. */
#include "calls.h"
#include <string.h>

/* HD_REDUCE_… of argument i; batchmean where the loss has it. */
static int64_t reduction_at(vector_case *c, int i, const char *def) {
    static const char *const names[] = {"mean", "sum", "none", "batchmean"};
    const char *name = vector_string(c, i, "reduction", def);
    for (int64_t k = 0; k < 4; k++)
        if (strcmp(name, names[k]) == 0) return k;
    vector_unsupported(c, "another reduction");
    return 0;
}

/* Input and target, each repeated to the shape of both. */
static void pair(vector_case *c, hd_val *x, hd_val *t) {
    *x = vector_tensor(c, 0, "input");
    *t = vector_tensor(c, 1, "target");
    const hd_dims a = hd_val_dims(*x), b = hd_val_dims(*t);
    if (hd_dims_equal(&a, &b) || !vector_is_float(*t)) return;
    const hd_val both = hd_add(*x, *t);
    *x = hd_broadcast_like(*x, both);
    *t = hd_broadcast_like(*t, both);
}

/* ---- classes ---- */

static void class_loss(vector_case *c, hd_val (*op)(hd_loc, const hd_class_loss_args *)) {
    hd_class_loss_args a = {.x = vector_tensor(c, 0, "input"),
                            .target = vector_tensor(c, 1, "target"),
                            .weight = vector_tensor_if(c, 2, "weight")};
    const int64_t ignored = vector_int(c, 4, "ignore_index", -100);
    a.ignore_index = HD_AXIS(ignored);
    a.reduction = reduction_at(c, 6, "mean");
    a.label_smoothing = vector_number(c, 7, "label_smoothing", 0);
    vector_give(c, op(HD_HERE, &a));
}
static void call_cross_entropy(vector_case *c) {
    class_loss(c, hd_cross_entropy_at);
}
static void call_nll(vector_case *c) {
    class_loss(c, hd_nll_at);
}

/* A scalar is one class. */
static hd_val scores(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    return hd_val_dims(x).rank ? x : hd_reshape(x, .dims = HD_DIMS(1));
}

static void call_multi_margin(vector_case *c) {
    hd_multi_margin_args a = {.x = scores(c), .target = vector_tensor(c, 1, "target")};
    a.p = vector_int(c, 2, "p", 1);
    a.margin = vector_number(c, 3, "margin", 1);
    if (a.margin == 0) a.margin = HD_ZERO;
    a.weight = vector_tensor_if(c, 4, "weight");
    a.reduction = reduction_at(c, 7, "mean");
    if (hd_val_dims(a.x).rank == 1 && hd_val_dims(a.target).rank == 1)
        a.target = hd_reshape(a.target, .dims = (hd_dims){0});
    vector_give(c, hd_multi_margin_at(HD_HERE, &a));
}
static void call_multilabel_margin(vector_case *c) {
    hd_loss_args a = {.x = scores(c), .target = vector_tensor(c, 1, "target"), .reduction = reduction_at(c, 4, "mean")};
    if (hd_val_dims(a.target).rank == 0) a.target = hd_reshape(a.target, .dims = HD_DIMS(1));
    vector_give(c, hd_multilabel_margin_at(HD_HERE, &a));
}

/* ---- yes or no ---- */

static hd_bce_args binary(vector_case *c) {
    hd_bce_args a = {.weight = vector_tensor_if(c, 2, "weight")};
    pair(c, &a.x, &a.target);
    a.reduction = reduction_at(c, 5, "mean");
    return a;
}
static void call_bce(vector_case *c) {
    const hd_bce_args a = binary(c);
    vector_give(c, hd_bce_at(HD_HERE, &a));
}
static void call_bce_with_logits(vector_case *c) {
    const hd_bce_args a = binary(c);
    const hd_val positive = vector_tensor_if(c, 6, "pos_weight");
    vector_give(c, hd_bce_with_logits(a.x, a.target, a.weight, positive, a.reduction));
}
static void call_multilabel_soft_margin(vector_case *c) {
    const hd_bce_args a = binary(c);
    vector_give(c, hd_multilabel_soft_margin_at(HD_HERE, &a));
}

/* ---- pairs of numbers ---- */

#define PLAIN(name)                                                                                                    \
    static void call_##name(vector_case *c) {                                                                          \
        hd_loss_args a = {.reduction = reduction_at(c, 4, "mean")};                                                    \
        pair(c, &a.x, &a.target);                                                                                      \
        vector_give(c, hd_##name##_at(HD_HERE, &a));                                                                   \
    }
PLAIN(mse)
PLAIN(l1)
PLAIN(soft_margin)

static void call_smooth_l1(vector_case *c) {
    hd_smooth_l1_args a = {.beta = vector_option(c, 5, "beta", 1), .reduction = reduction_at(c, 4, "mean")};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_smooth_l1_at(HD_HERE, &a));
}
static void call_huber(vector_case *c) {
    hd_huber_args a = {.delta = vector_number(c, 3, "delta", 1), .reduction = reduction_at(c, 2, "mean")};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_huber_at(HD_HERE, &a));
}
static void call_hinge_embedding(vector_case *c) {
    hd_hinge_embedding_args a = {.margin = vector_option(c, 2, "margin", 1), .reduction = reduction_at(c, 5, "mean")};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_hinge_embedding_at(HD_HERE, &a));
}
static void call_kl_div(vector_case *c) {
    hd_kl_div_args a = {.reduction = reduction_at(c, 4, "mean"), .log_target = vector_bool(c, 5, "log_target", false)};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_kl_div_at(HD_HERE, &a));
}
static void call_poisson_nll(vector_case *c) {
    hd_poisson_nll_args a = {.log_input = vector_bool(c, 2, "log_input", true) ? HD_ON : HD_OFF,
                             .full = vector_bool(c, 3, "full", false),
                             .eps = vector_option(c, 5, "eps", 1e-8),
                             .reduction = reduction_at(c, 7, "mean")};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_poisson_nll_at(HD_HERE, &a));
}
static void call_gaussian_nll(vector_case *c) {
    hd_gaussian_nll_args a = {.var = vector_tensor(c, 2, "var"),
                              .full = vector_bool(c, 3, "full", false),
                              .eps = vector_option(c, 4, "eps", 1e-6),
                              .reduction = reduction_at(c, 5, "mean")};
    pair(c, &a.x, &a.target);
    vector_give(c, hd_gaussian_nll_at(HD_HERE, &a));
}

/* ---- pairs of rows ---- */

static void call_margin_ranking(vector_case *c) {
    hd_margin_ranking_args a = {vector_tensor(c, 0, "input1"), vector_tensor(c, 1, "input2"),
                                vector_tensor(c, 2, "target"), .margin = vector_number(c, 3, "margin", 0)};
    a.reduction = reduction_at(c, 6, "mean");
    vector_give(c, hd_margin_ranking_at(HD_HERE, &a));
}
static void call_cosine_embedding(vector_case *c) {
    hd_cosine_embedding_args a = {vector_tensor(c, 0, "input1"), vector_tensor(c, 1, "input2"),
                                  vector_tensor(c, 2, "target"), .margin = vector_number(c, 3, "margin", 0)};
    a.reduction = reduction_at(c, 6, "mean");
    vector_give(c, hd_cosine_embedding_at(HD_HERE, &a));
}
static void call_triplet_margin(vector_case *c) {
    hd_triplet_margin_args a = {vector_tensor(c, 0, "anchor"), vector_tensor(c, 1, "positive"),
                                vector_tensor(c, 2, "negative"), .end_ = 0};
    a.margin = vector_option(c, 3, "margin", 1);
    a.p = vector_option(c, 4, "p", 2);
    a.eps = vector_option(c, 5, "eps", 1e-6);
    a.swap = vector_bool(c, 6, "swap", false);
    a.reduction = reduction_at(c, 9, "mean");
    vector_give(c, hd_triplet_margin_at(HD_HERE, &a));
}
static void call_pairwise_distance(vector_case *c) {
    hd_pairwise_distance_args a = {vector_tensor(c, 0, "x1"), vector_tensor(c, 1, "x2"), .end_ = 0};
    a.p = vector_option(c, 2, "p", 2);
    a.eps = vector_option(c, 3, "eps", 1e-6);
    a.keepdim = vector_bool(c, 4, "keepdim", false);
    vector_give(c, hd_pairwise_distance_at(HD_HERE, &a));
}
static void call_cosine_similarity(vector_case *c) {
    hd_cosine_similarity_args a = {vector_tensor(c, 0, "x1"), vector_tensor(c, 1, "x2"), .end_ = 0};
    const int rank = hd_val_dims(hd_add(a.x1, a.x2)).rank;
    const int axis = vector_axis(c, 2, "dim", rank, 1);
    a.axis = HD_AXIS(axis);
    a.eps = vector_option(c, 3, "eps", 1e-8);
    if (rank == 0) {
        a.x1 = hd_reshape(a.x1, .dims = HD_DIMS(1));
        a.x2 = hd_reshape(a.x2, .dims = HD_DIMS(1));
    }
    vector_give(c, hd_cosine_similarity_at(HD_HERE, &a));
}

/* v […, n, d] with an axis of 1 before axis `at` from the end. */
static hd_val with_axis(hd_val v, int at) {
    hd_dims dims = hd_val_dims(v);
    for (int i = dims.rank++; i > dims.rank - at; i--) dims.dim[i] = dims.dim[i - 1];
    dims.dim[dims.rank - at] = 1;
    return hd_reshape(v, .dims = dims);
}
static void call_cdist(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "x1"), b = vector_tensor(c, 1, "x2");
    const double p = vector_option(c, 2, "p", 2);
    vector_ignore(c, 3, "compute_mode");
    vector_give(c, hd_pairwise_distance(with_axis(a, 2), with_axis(b, 3), p, HD_ZERO));
}

static void call_pdist(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    vector_give(c, hd_pdist(x, .p = vector_option(c, 1, "p", 2)));
}

static void call_dist(vector_case *c) {
    const hd_val a = vector_tensor(c, 0, "input"), b = vector_tensor(c, 1, "other");
    vector_give(c, hd_norm(hd_sub(a, b), .p = vector_option(c, 2, "p", 2)));
}

static void call_normalize(vector_case *c) {
    const hd_val given = vector_tensor(c, 0, "input"), x = hd_val_dims(given).rank ? given : scores(c);
    const double p = vector_option(c, 1, "p", 2), eps = vector_option(c, 3, "eps", 1e-12);
    const int axis = vector_axis(c, 2, "dim", hd_val_dims(given).rank, 1);
    const hd_val y = hd_normalize(x, .p = p, .axis = HD_AXIS(axis), .eps = eps);
    vector_give(c, hd_val_dims(given).rank ? y : hd_reshape(y, .dims = (hd_dims){0}));
}

/* Slices along an axis, none longer than a limit. */
static void call_renorm(vector_case *c) {
    const hd_val x = vector_tensor(c, 0, "input");
    const double p = vector_option(c, 1, "p", 2), most = vector_number(c, 3, "maxnorm", 1);
    const int rank = hd_val_dims(x).rank, axis = vector_axis(c, 2, "dim", rank, 0);
    hd_dims axes = {.rank = 0};
    for (int i = 0; i < rank; i++)
        if (i != axis) axes.dim[axes.rank++] = i;
    const hd_val length = hd_norm(x, .axes = axes, .keepdim = true, .p = p);
    const hd_val limit = hd_fill_like(length, .value = most);
    const hd_val share = hd_div(limit, hd_affine(length, .shift = 1e-7));
    vector_give(c, hd_mul(x, hd_where(hd_gt(length, limit), share, hd_fill_like(length, .value = 1))));
}

const vector_entry vector_calls_loss[] = {
    {"nn.functional.cross_entropy", call_cross_entropy},
    {"nn.functional.nll_loss", call_nll},
    {"nn.functional.multi_margin_loss", call_multi_margin},
    {"nn.functional.multilabel_margin_loss", call_multilabel_margin},
    {"nn.functional.binary_cross_entropy", call_bce},
    {"nn.functional.binary_cross_entropy_with_logits", call_bce_with_logits},
    {"nn.functional.multilabel_soft_margin_loss", call_multilabel_soft_margin},
    {"nn.functional.mse_loss", call_mse},
    {"nn.functional.l1_loss", call_l1},
    {"nn.functional.soft_margin_loss", call_soft_margin},
    {"nn.functional.smooth_l1_loss", call_smooth_l1},
    {"nn.functional.huber_loss", call_huber},
    {"nn.functional.hinge_embedding_loss", call_hinge_embedding},
    {"nn.functional.kl_div", call_kl_div},
    {"nn.functional.poisson_nll_loss", call_poisson_nll},
    {"nn.functional.gaussian_nll_loss", call_gaussian_nll},
    {"nn.functional.margin_ranking_loss", call_margin_ranking},
    {"nn.functional.cosine_embedding_loss", call_cosine_embedding},
    {"nn.functional.triplet_margin_loss", call_triplet_margin},
    {"nn.functional.pairwise_distance", call_pairwise_distance},
    {"nn.functional.cosine_similarity", call_cosine_similarity},
    {"cdist", call_cdist},
    {"nn.functional.pdist", call_pdist},
    {"dist", call_dist},
    {"nn.functional.normalize", call_normalize},
    {"renorm", call_renorm},
    {0},
};
