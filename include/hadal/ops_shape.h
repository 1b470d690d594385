/* hadal/ops_shape.h: matrix products, shapes, indexing, casts. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_SHAPE_H
#define HADAL_OPS_SHAPE_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = op(a) op(b), a [..., m, k], b [..., k, n] → [..., m, n]; trans_a: a is [..., k, m]; trans_b: b is [..., n, k].
 * Leading dimensions are equal, or absent in b. */
typedef struct hd_matmul_args {
    hd_val a, b;
    bool trans_a, trans_b;
    int end_;
} hd_matmul_args;
HD_API hd_val hd_matmul_at(hd_loc at, const hd_matmul_args *args);
#define hd_matmul(...) HD_CALL_(matmul, __VA_ARGS__)

/** An activation that a linear, convolution or normalisation applies to its result (set by fusion). */
enum { HD_ACT_NONE, HD_ACT_RELU, HD_ACT_SIGMOID, HD_ACT_TANH };

/** y = act(x wᵀ + b): x [..., in], w [out, in], b [out] or none → [..., out]. */
typedef struct hd_linear_args {
    hd_val x, w, b;
    int64_t act; /**< HD_ACT_… */
    int end_;
} hd_linear_args;
HD_API hd_val hd_linear_at(hd_loc at, const hd_linear_args *args);
#define hd_linear(...) HD_CALL_(linear, __VA_ARGS__)

/** Same elements, other dimensions; one dimension may be 0: worked out. HD_BATCH (−1) is worked out too, or is
 * dimension 0 of x when there is a 0 beside it. */
typedef struct hd_reshape_args {
    hd_val x;
    hd_dims dims;
    int end_;
} hd_reshape_args;
HD_API hd_val hd_reshape_at(hd_loc at, const hd_reshape_args *args);
#define hd_reshape(...) HD_CALL_(reshape, __VA_ARGS__)
/** Joins axes start_axis … end_axis into one (defaults 1 and −1). */
typedef struct hd_flatten_args {
    hd_val x;
    int64_t start_axis, end_axis;
    int end_;
} hd_flatten_args;
HD_API hd_val hd_flatten_at(hd_loc at, const hd_flatten_args *args);
#define hd_flatten(...) HD_CALL_(flatten, __VA_ARGS__)
/** Axes in another order: y.dim[i] = x.dim[axes[i]]; none given: the last two change places. */
typedef struct hd_transpose_args {
    hd_val x;
    hd_dims axes;
    int end_;
} hd_transpose_args;
HD_API hd_val hd_transpose_at(hd_loc at, const hd_transpose_args *args);
#define hd_transpose(...) HD_CALL_(transpose, __VA_ARGS__)
/** Joins n values along an axis (default 1). */
typedef struct hd_concat_args {
    const hd_val *x;
    int64_t n;
    int64_t axis;
    int end_;
} hd_concat_args;
HD_API hd_val hd_concat_at(hd_loc at, const hd_concat_args *args);
#define hd_concat(...) HD_CALL_(concat, __VA_ARGS__)
/** Elements start, start+step … below stop along an axis (default 1). stop 0: to the end. */
typedef struct hd_slice_args {
    hd_val x;
    int64_t axis, start, stop, step;
    int end_;
} hd_slice_args;
HD_API hd_val hd_slice_at(hd_loc at, const hd_slice_args *args);
#define hd_slice(...) HD_CALL_(slice, __VA_ARGS__)
/** The gradient of slice: dy put back into zeros of the shape of `like`. */
typedef struct hd_slice_grad_args {
    hd_val dy, like;
    int64_t axis, start, stop, step;
    int end_;
} hd_slice_grad_args;
HD_API hd_val hd_slice_grad_at(hd_loc at, const hd_slice_grad_args *args);
#define hd_slice_grad(...) HD_CALL_(slice_grad, __VA_ARGS__)
/** Elements of `value` around x: before.dim[i] and after.dim[i] on axis i (not given: none). */
typedef struct hd_pad_args {
    hd_val x;
    hd_dims before, after;
    double value;
    int end_;
} hd_pad_args;
HD_API hd_val hd_pad_at(hd_loc at, const hd_pad_args *args);
#define hd_pad(...) HD_CALL_(pad, __VA_ARGS__)
/** To another dtype: HD_DTYPE(HD_F64). Towards zero into integers; bool is x ≠ 0. */
typedef struct hd_cast_args {
    hd_val x;
    int64_t dtype;
    int end_;
} hd_cast_args;
HD_API hd_val hd_cast_at(hd_loc at, const hd_cast_args *args);
#define hd_cast(...) HD_CALL_(cast, __VA_ARGS__)
/** A constant tensor of the shape and dtype of x, filled with `value`; no gradient flows. */
typedef struct hd_fill_like_args {
    hd_val x;
    double value;
    int end_;
} hd_fill_like_args;
HD_API hd_val hd_fill_like_at(hd_loc at, const hd_fill_like_args *args);
#define hd_fill_like(...) HD_CALL_(fill_like, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
