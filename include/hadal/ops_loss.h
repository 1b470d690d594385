/* hadal/ops_loss.h: losses, distances and the metric of training. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_LOSS_H
#define HADAL_OPS_LOSS_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Options that are on unless told otherwise. */
enum { HD_ON, HD_OFF };
/** What a loss makes of its elements: their mean (the default), their sum, or all of them; batchmean (kl_div): the sum
 * over the batch's size. */
enum { HD_REDUCE_MEAN, HD_REDUCE_SUM, HD_REDUCE_NONE, HD_REDUCE_BATCHMEAN };

/** A loss of x and a target of the same shape and dtype, f32 or f64 → a scalar, or with HD_REDUCE_NONE a loss for each
 * element. mse: (x−t)². half_squared_error: ½(x−t)², whose mean is over the batch (axis 0) alone. l1: |x−t|.
 * soft_margin: ln(1 + e^(−t x)), t = ±1. */
typedef struct hd_loss_args {
    hd_val x, target;
    int64_t reduction; /**< HD_REDUCE_… */
    int end_;
} hd_loss_args;
#define HD_LOSS_(name, ...) hd_##name##_at(HD_HERE, &(hd_loss_args){__VA_ARGS__, .end_ = 0})
HD_API hd_val hd_mse_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_half_squared_error_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_l1_at(hd_loc at, const hd_loss_args *args);
HD_API hd_val hd_soft_margin_at(hd_loc at, const hd_loss_args *args);
#define hd_mse(...)                HD_LOSS_(mse, __VA_ARGS__)
#define hd_half_squared_error(...) HD_LOSS_(half_squared_error, __VA_ARGS__)
#define hd_l1(...)                 HD_LOSS_(l1, __VA_ARGS__)
#define hd_soft_margin(...)        HD_LOSS_(soft_margin, __VA_ARGS__)

/** The loss of classification. cross_entropy: x logits [n, c] or [n, c, d…] (or [c], one sample); nll: x their
 * logarithms of probabilities. target: class numbers, i64 [n, d…], or probabilities of x's shape and dtype. */
typedef struct hd_class_loss_args {
    hd_val x, target;
    hd_val weight; /**< [c], how much each class counts; optional */
    int64_t reduction;
    int64_t ignore_index;   /**< class number of samples that do not count, as HD_AXIS(k); default −100 */
    double label_smoothing; /**< 0 … 1: share of the target that is spread evenly over the classes */
    int end_;
} hd_class_loss_args;
HD_API hd_val hd_cross_entropy_at(hd_loc at, const hd_class_loss_args *args);
HD_API hd_val hd_nll_at(hd_loc at, const hd_class_loss_args *args);
#define hd_cross_entropy(...) hd_cross_entropy_at(HD_HERE, &(hd_class_loss_args){__VA_ARGS__, .end_ = 0})
#define hd_nll(...)           hd_nll_at(HD_HERE, &(hd_class_loss_args){__VA_ARGS__, .end_ = 0})
/** dx of nll; of x only the shape is read. dy: like nll's result. */
typedef struct hd_nll_grad_args {
    hd_val x, target, dy, weight;
    int64_t reduction, ignore_index;
    double label_smoothing;
    int end_;
} hd_nll_grad_args;
HD_API hd_val hd_nll_grad_at(hd_loc at, const hd_nll_grad_args *args);
#define hd_nll_grad(...) HD_CALL_(nll_grad, __VA_ARGS__)

/** Binary cross-entropy of probabilities x in 0 … 1 (logarithms are cut off at −100); target of x's shape, 0 … 1. */
typedef struct hd_bce_args {
    hd_val x, target;
    hd_val weight; /**< broadcasts over x; optional */
    int64_t reduction;
    int end_;
} hd_bce_args;
HD_API hd_val hd_bce_at(hd_loc at, const hd_bce_args *args);
#define hd_bce(...) HD_CALL_(bce, __VA_ARGS__)
/** The same of logits x. */
typedef struct hd_bce_with_logits_args {
    hd_val x, target;
    hd_val weight;     /**< broadcasts over x; optional */
    hd_val pos_weight; /**< how much a yes counts; broadcasts over x; optional */
    int64_t reduction;
    int end_;
} hd_bce_with_logits_args;
HD_API hd_val hd_bce_with_logits_at(hd_loc at, const hd_bce_with_logits_args *args);
#define hd_bce_with_logits(...) HD_CALL_(bce_with_logits, __VA_ARGS__)

/** Losses of x and a target of the same shape, with options; reductions as hd_loss_args. */
/** ½ d² where |d| ≤ delta, else delta (|d| − ½ delta), d = x − target. */
typedef struct hd_huber_args {
    hd_val x, target;
    double delta; /**< distance from which the loss grows straight; 1 */
    int64_t reduction;
    int end_;
} hd_huber_args;
HD_API hd_val hd_huber_at(hd_loc at, const hd_huber_args *args);
#define hd_huber(...) HD_CALL_(huber, __VA_ARGS__)
/** ½ d²/beta where |d| < beta, else |d| − ½ beta. */
typedef struct hd_smooth_l1_args {
    hd_val x, target;
    double beta; /**< distance from which it is |d|; 1. HD_ZERO: l1 */
    int64_t reduction;
    int end_;
} hd_smooth_l1_args;
HD_API hd_val hd_smooth_l1_at(hd_loc at, const hd_smooth_l1_args *args);
#define hd_smooth_l1(...) HD_CALL_(smooth_l1, __VA_ARGS__)
/** max(0, 1 − target·x), target ±1; or its square. */
typedef struct hd_hinge_args {
    hd_val x, target;
    bool squared;
    int64_t reduction;
    int end_;
} hd_hinge_args;
HD_API hd_val hd_hinge_at(hd_loc at, const hd_hinge_args *args);
#define hd_hinge(...) HD_CALL_(hinge, __VA_ARGS__)
/** x where target is 1, max(0, margin − x) where it is −1. */
typedef struct hd_hinge_embedding_args {
    hd_val x, target;
    double margin; /**< 1 */
    int64_t reduction;
    int end_;
} hd_hinge_embedding_args;
HD_API hd_val hd_hinge_embedding_at(hd_loc at, const hd_hinge_embedding_args *args);
#define hd_hinge_embedding(...) HD_CALL_(hinge_embedding, __VA_ARGS__)
/** target (ln target − x). */
typedef struct hd_kl_div_args {
    hd_val x, target;  /**< x logarithms of probabilities, target probabilities */
    bool log_target;   /**< target are logarithms too */
    int64_t reduction; /**< HD_REDUCE_BATCHMEAN too */
    int end_;
} hd_kl_div_args;
HD_API hd_val hd_kl_div_at(hd_loc at, const hd_kl_div_args *args);
#define hd_kl_div(...) HD_CALL_(kl_div, __VA_ARGS__)
/** e^x − target·x, or of a rate x − target ln(x + eps). */
typedef struct hd_poisson_nll_args {
    hd_val x, target;
    int64_t log_input; /**< HD_ON: x is the logarithm of the rate; HD_OFF: the rate */
    bool full;         /**< add Stirling's term */
    double eps;        /**< added to a rate before its logarithm; 1e−8 */
    int64_t reduction;
    int end_;
} hd_poisson_nll_args;
HD_API hd_val hd_poisson_nll_at(hd_loc at, const hd_poisson_nll_args *args);
#define hd_poisson_nll(...) HD_CALL_(poisson_nll, __VA_ARGS__)
/** ½ (ln v + (x − target)²/v), v = max(var, eps). */
typedef struct hd_gaussian_nll_args {
    hd_val x, target, var; /**< var: of x's shape, with 1 for its last axis, or without it */
    bool full;             /**< add ½ ln 2π */
    double eps;            /**< least variance; 1e−6 */
    int64_t reduction;
    int end_;
} hd_gaussian_nll_args;
HD_API hd_val hd_gaussian_nll_at(hd_loc at, const hd_gaussian_nll_args *args);
#define hd_gaussian_nll(...) HD_CALL_(gaussian_nll, __VA_ARGS__)
/** Binary cross-entropy times (1 − p)^gamma, p the probability of the right answer. */
typedef struct hd_focal_args {
    hd_val x, target; /**< logits; 0 or 1 */
    double alpha;     /**< share of yes, 0.25; negative: both count the same */
    double gamma;     /**< 2 */
    int64_t reduction;
    int end_;
} hd_focal_args;
HD_API hd_val hd_focal_at(hd_loc at, const hd_focal_args *args);
#define hd_focal(...) HD_CALL_(focal, __VA_ARGS__)
/** 1 − (2 Σ x t + smooth)/(Σ x + Σ t + smooth) of a sample. */
typedef struct hd_dice_args {
    hd_val x, target;  /**< probabilities [n, …]; 0 or 1 */
    double smooth;     /**< 1 */
    int64_t reduction; /**< over samples */
    int end_;
} hd_dice_args;
HD_API hd_val hd_dice_at(hd_loc at, const hd_dice_args *args);
#define hd_dice(...) HD_CALL_(dice, __VA_ARGS__)
/** bce_with_logits, the mean over the classes of a sample: x, target [n, c] → with HD_REDUCE_NONE [n]. */
HD_API hd_val hd_multilabel_soft_margin_at(hd_loc at, const hd_bce_args *args);
#define hd_multilabel_soft_margin(...) hd_multilabel_soft_margin_at(HD_HERE, &(hd_bce_args){__VA_ARGS__, .end_ = 0})
/** x scores [n, c] or [c]; target i64 of x's shape lists the right classes of each row, ended by −1. */
HD_API hd_val hd_multilabel_margin_at(hd_loc at, const hd_loss_args *args);
#define hd_multilabel_margin(...) HD_LOSS_(multilabel_margin, __VA_ARGS__)
typedef struct hd_multilabel_margin_grad_args {
    hd_val x, target, dy;
    int64_t reduction;
    int end_;
} hd_multilabel_margin_grad_args;
HD_API hd_val hd_multilabel_margin_grad_at(hd_loc at, const hd_multilabel_margin_grad_args *args);
#define hd_multilabel_margin_grad(...) HD_CALL_(multilabel_margin_grad, __VA_ARGS__)
/** (1/c) Σ over j ≠ target of max(0, margin − x[target] + x[j])^p. */
typedef struct hd_multi_margin_args {
    hd_val x, target; /**< scores [n, c] or [c]; class numbers, i64 */
    hd_val weight;    /**< [c]; optional */
    int64_t p;        /**< 1 or 2; 1 */
    double margin;    /**< 1 */
    int64_t reduction;
    int end_;
} hd_multi_margin_args;
HD_API hd_val hd_multi_margin_at(hd_loc at, const hd_multi_margin_args *args);
#define hd_multi_margin(...) HD_CALL_(multi_margin, __VA_ARGS__)
/** max(0, margin − target (x1 − x2)), target ±1, all of one shape. */
typedef struct hd_margin_ranking_args {
    hd_val x1, x2, target;
    double margin; /**< 0 */
    int64_t reduction;
    int end_;
} hd_margin_ranking_args;
HD_API hd_val hd_margin_ranking_at(hd_loc at, const hd_margin_ranking_args *args);
#define hd_margin_ranking(...) HD_CALL_(margin_ranking, __VA_ARGS__)

/** Cosine of the angle between vectors along an axis; x1 and x2 broadcast. */
typedef struct hd_cosine_similarity_args {
    hd_val x1, x2;
    int64_t axis; /**< HD_AXIS(k) or negative; 1 */
    double eps;   /**< least length; 1e−8 */
    int end_;
} hd_cosine_similarity_args;
HD_API hd_val hd_cosine_similarity_at(hd_loc at, const hd_cosine_similarity_args *args);
#define hd_cosine_similarity(...) HD_CALL_(cosine_similarity, __VA_ARGS__)
/** (Σ |x1 − x2 + eps|^p)^(1/p) over the last axis; x1 and x2 broadcast. */
typedef struct hd_pairwise_distance_args {
    hd_val x1, x2;
    double p;   /**< which norm; 2. HD_ZERO, INFINITY and negative ones too */
    double eps; /**< added to each difference; 1e−6 */
    bool keepdim;
    int end_;
} hd_pairwise_distance_args;
HD_API hd_val hd_pairwise_distance_at(hd_loc at, const hd_pairwise_distance_args *args);
#define hd_pairwise_distance(...) HD_CALL_(pairwise_distance, __VA_ARGS__)
/** 1 − cos where target is 1, max(0, cos − margin) where it is −1. */
typedef struct hd_cosine_embedding_args {
    hd_val x1, x2, target; /**< rows [n, d] or [d]; target ±1, [n] or a scalar */
    double margin;         /**< 0 */
    int64_t reduction;
    int end_;
} hd_cosine_embedding_args;
HD_API hd_val hd_cosine_embedding_at(hd_loc at, const hd_cosine_embedding_args *args);
#define hd_cosine_embedding(...) HD_CALL_(cosine_embedding, __VA_ARGS__)
/** max(0, margin + |anchor − positive|_p − |anchor − negative|_p). */
typedef struct hd_triplet_margin_args {
    hd_val anchor, positive, negative; /**< rows [n, d] or [d] */
    double margin, p, eps;             /**< 1, 2, 1e−6 */
    bool swap;                         /**< take the distance of positive and negative where that is smaller */
    int64_t reduction;
    int end_;
} hd_triplet_margin_args;
HD_API hd_val hd_triplet_margin_at(hd_loc at, const hd_triplet_margin_args *args);
#define hd_triplet_margin(...) HD_CALL_(triplet_margin, __VA_ARGS__)

/** dx of the plain form of a loss (the mean, no options) from (x, target, dloss). */
typedef struct hd_loss_grad_args {
    hd_val x, target, dy;
    int end_;
} hd_loss_grad_args;
#define HD_LOSS_GRAD_(name, ...) hd_##name##_grad_at(HD_HERE, &(hd_loss_grad_args){__VA_ARGS__, .end_ = 0})
HD_API hd_val hd_cross_entropy_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_bce_with_logits_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_mse_grad_at(hd_loc at, const hd_loss_grad_args *args);
HD_API hd_val hd_half_squared_error_grad_at(hd_loc at, const hd_loss_grad_args *args);
#define hd_cross_entropy_grad(...)      HD_LOSS_GRAD_(cross_entropy, __VA_ARGS__)
#define hd_bce_with_logits_grad(...)    HD_LOSS_GRAD_(bce_with_logits, __VA_ARGS__)
#define hd_mse_grad(...)                HD_LOSS_GRAD_(mse, __VA_ARGS__)
#define hd_half_squared_error_grad(...) HD_LOSS_GRAD_(half_squared_error, __VA_ARGS__)

/** Number of rows whose largest logit is the target: x [n, c], target i64 [n] → i64 scalar. The metric of training. */
typedef struct hd_count_correct_args {
    hd_val x, target;
    int end_;
} hd_count_correct_args;
HD_API hd_val hd_count_correct_at(hd_loc at, const hd_count_correct_args *args);
#define hd_count_correct(...) HD_CALL_(count_correct, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
