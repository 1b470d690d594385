/* hadal/ops_attention.h: attention. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_ATTENTION_H
#define HADAL_OPS_ATTENTION_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = softmax(scale · q kᵀ + mask) v over the last two axes: q [..., L, E], k [..., S, E], v [..., S, V] → y [..., L,
 * V], and as output 1 the logarithm of each row's sum [..., L] (−∞ where a row sees nothing; its y is 0). Leading
 * dimensions are equal. mask broadcasts to [..., L, S]: bool (true takes part), or numbers to be added. Memory grows
 * with L, not with L·S: results are made tile by tile, and again in the backward pass. */
typedef struct hd_scaled_dot_product_attention_args {
    hd_val q, k, v, mask;
    double scale;     /**< default 1/√E */
    bool is_causal;   /**< row i sees columns 0 … i only */
    bool enable_gqa;  /**< k and v have fewer heads (axis −3) than q: each serves as many neighbouring heads of q */
    double dropout_p; /**< of the weights; then everything is made of other ops, whose memory grows with L·S */
    hd_val rng;       /**< seed and step (hd_rng_input), with dropout_p */
    int64_t stream;   /**< which dropout of the network this is */
    int end_;
} hd_scaled_dot_product_attention_args;
HD_API hd_val hd_scaled_dot_product_attention_at(hd_loc at, const hd_scaled_dot_product_attention_args *args);
#define hd_scaled_dot_product_attention(...) HD_CALL_(scaled_dot_product_attention, __VA_ARGS__)
/** Gradients of q, k and v (outputs 0, 1, 2) from the results y and lse and what arrives there, dy and, or none, dlse.
 */
typedef struct hd_scaled_dot_product_attention_grad_args {
    hd_val q, k, v, y, lse, dy, mask, dlse;
    double scale;
    bool is_causal, enable_gqa;
    int end_;
} hd_scaled_dot_product_attention_grad_args;
HD_API hd_val hd_scaled_dot_product_attention_grad_at(hd_loc at, const hd_scaled_dot_product_attention_grad_args *args);
#define hd_scaled_dot_product_attention_grad(...) HD_CALL_(scaled_dot_product_attention_grad, __VA_ARGS__)

/** Writes x [..., 1, width] into row `position` (i64 [1]) of a state [..., positions, width]; a place outside changes
 * nothing. */
typedef struct hd_cache_update_args {
    hd_val cache, x, position;
    int end_;
} hd_cache_update_args;
HD_API hd_val hd_cache_update_at(hd_loc at, const hd_cache_update_args *args);
#define hd_cache_update(...) HD_CALL_(cache_update, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
