/* fused.h: ops that only passes make. Each has a plain definition like any other op. */
#ifndef HD_OPS_FUSED_H
#define HD_OPS_FUSED_H
#include "hadal/ops.h"

/* dw [k, in] = dzᵀ x, db [k] = column sums of dz: x [n, in], dz [n, k] → dw, db. */
typedef struct hd_linear_grad_weight_args {
    hd_val x, dz;
    int end_;
} hd_linear_grad_weight_args;
/* dz' [n, in] = act'(y) · (dz w): dz [n, k], w [k, in], y [n, in] (none when act is none). y is the output of act. */
typedef struct hd_linear_grad_input_args {
    hd_val dz, w, y;
    int64_t act;
    int end_;
} hd_linear_grad_input_args;
/* dw as conv2d_grad_weight and db [k] = sums of dy: x, dy, like (w) → dw, db. */
typedef hd_conv2d_grad_args hd_conv2d_grad_params_args;
/* batch_norm with a residual (may be none) and a clip: x w b running_mean running_var residual → y, mean, invstd, the
 * new running statistics. */
enum { HD_CLIP_NONE, HD_CLIP_RELU, HD_CLIP_RELU6 };
typedef struct hd_batch_norm_act_args {
    hd_val x, w, b, running_mean, running_var, residual;
    double eps, momentum;
    int64_t clip;
    int end_;
} hd_batch_norm_act_args;
/* Its gradients. Without a residual: x w b mean invstd dy → dx dw db. With one: x w mean invstd y dy dy2 → dx dw db
 * dresidual, dy2 (may be none) a second gradient that arrives at y. */
typedef struct hd_batch_norm_act_grad_args {
    hd_val in[7];
    int64_t clip;
    int end_;
} hd_batch_norm_act_grad_args;
/* What a clip cuts off: −∞ and ∞ where nothing. */
void hd_clip_edges(int64_t clip, double *low, double *high);
/* loss and dx of cross_entropy in one pass, dloss = 1: x [n, c], target → loss, dx. */
typedef hd_count_correct_args hd_cross_entropy_both_args;
/* scaled_dot_product_attention of q, k and v side by side in the rows of x [samples, positions, 3 · width], each with
 * `heads` heads side by side: x → y [samples, positions, width], lse [samples, heads, positions]. Its gradient: x y lse
 * dy → dx. */
typedef struct hd_packed_attention_args {
    hd_val in[4];
    int64_t heads;
    double scale;
    bool is_causal;
    int end_;
} hd_packed_attention_args;
/* Whether a cross_entropy is the form that has fast kernels: x [n, c], class numbers, no weight, the default options.
 */
bool hd_cross_entropy_plain(const hd_class_loss_args *args, int rank, hd_dtype target, bool weighted);
/* dx of the plain form, f32 or f64. */
void hd_cross_entropy_slopes(const hd_tensor *x, const hd_tensor *target, const hd_tensor *dx, double dy);
/* A chain of elementwise ops over tensors of one shape (or scalars of one element): `program` is "mul(0,1) add(%0,2)":
 * each instruction names an elementwise op, operands are inputs by number or earlier results as %number; the last is y.
 * options follow as numbers, all of them in their order: "affine(0;2;-1)". */
typedef struct hd_chain_args {
    const hd_val *x;
    int64_t n;
    const char *program;
    int end_;
} hd_chain_args;
/* Options that a chain's text can carry for an op; -1: it has more, or some that are no simple numbers. */
enum { HD_CHAIN_CONSTANTS = 5, HD_CHAIN_ARGS = 128 };
int hd_chain_constants(const hd_op *op);
/* Option number i as text carries it, and the other way round: the args struct (HD_CHAIN_ARGS bytes, aligned for any
 * type) of an op with hd_chain_constants(op) ≥ 0. */
double hd_chain_constant(const hd_op *op, const void *attr, int i);
void hd_chain_args_of(const hd_op *op, const double *constant, void *args);
/* Puts values one behind the other (each at a multiple of 16 elements) into one flat vector: the memory plan lets their
 * producers write there, so it costs nothing. */
typedef struct hd_flat_args {
    const hd_val *x;
    int64_t n;
    int end_;
} hd_flat_args;
/* A layer's weight [k, …] and bias [k] (or none) with the normalisation behind it worked in: w' = w·s, b' = (b −
 * mean)·s + shift with s = scale / √(var + eps), by output channel: weight, scale, shift, mean, var, bias → w', b'. */
typedef struct hd_fold_norm_args {
    hd_val weight, scale, shift, mean, var, bias;
    double eps;
    int end_;
} hd_fold_norm_args;
/* The same value in another layout, or in other memory. */
typedef hd_unary_args hd_reorder_args;

/* act(conv2d(x, weight, bias) + z), z of the result's shape: x, weight, bias, z. */
typedef struct hd_conv2d_add_args {
    hd_val x, weight, bias, z;
    int64_t stride[2], padding[2], dilation[2], padding_extra[2], groups, act; /* as in hd_conv2d_args */
    int end_;
} hd_conv2d_add_args;
/* The options of either, without inputs. */
hd_conv2d_args hd_conv2d_args_of(const hd_op *op, const void *attr);
hd_conv2d_add_args hd_conv2d_add_args_of(const hd_conv2d_args *conv);

extern const hd_op hd_op_fold_norm, hd_op_conv2d_add;
extern const hd_op hd_op_linear_grad_weight, hd_op_linear_grad_input, hd_op_conv2d_grad_params,
    hd_op_cross_entropy_both, hd_op_chain, hd_op_flat, hd_op_reorder, hd_op_batch_norm_act, hd_op_batch_norm_act_grad,
    hd_op_batch_norm_add_grad, hd_op_packed_attention, hd_op_packed_attention_grad;
enum { HD_FLAT_ALIGN = 16 };
#endif
