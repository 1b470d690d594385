/* hadal/ops_shape.h: matrix products, shapes, indexing, casts. See hadal/ops.h for how they are called. */
#ifndef HADAL_OPS_SHAPE_H
#define HADAL_OPS_SHAPE_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y = op(a) op(b), a [..., m, k], b [..., k, n] → [..., m, n]; trans_a: a is [..., k, m]; trans_b: b is [..., n, k].
 * Leading dimensions broadcast; a vector a is a row, a vector b a column, whose 1 is left out of y. */
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
/** What a rim is made of. */
enum { HD_PAD_CONSTANT, HD_PAD_REFLECT, HD_PAD_REPLICATE, HD_PAD_CIRCULAR };
/** A rim around x: before.dim[i] and after.dim[i] elements on axis i (not given: none; negative: so many are cut off),
 * of `value` or, by mode, of x. */
typedef struct hd_pad_args {
    hd_val x;
    hd_dims before, after;
    int64_t mode; /**< HD_PAD_… */
    double value;
    int end_;
} hd_pad_args;
HD_API hd_val hd_pad_at(hd_loc at, const hd_pad_args *args);
#define hd_pad(...) HD_CALL_(pad, __VA_ARGS__)
/** The gradient of pad: dy added to where its elements came from in `like`. */
typedef struct hd_pad_grad_args {
    hd_val dy, like;
    hd_dims before, after;
    int64_t mode;
    int end_;
} hd_pad_grad_args;
HD_API hd_val hd_pad_grad_at(hd_loc at, const hd_pad_grad_args *args);
#define hd_pad_grad(...) HD_CALL_(pad_grad, __VA_ARGS__)
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

/** x repeated to `dims` by NumPy's rule; −1 (HD_BATCH): as x has it. */
typedef struct hd_expand_args {
    hd_val x;
    hd_dims dims;
    int end_;
} hd_expand_args;
HD_API hd_val hd_expand_at(hd_loc at, const hd_expand_args *args);
#define hd_expand(...) HD_CALL_(expand, __VA_ARGS__)
/** Axes in reverse (none given: all). */
typedef struct hd_flip_args {
    hd_val x;
    hd_dims axes;
    int end_;
} hd_flip_args;
HD_API hd_val hd_flip_at(hd_loc at, const hd_flip_args *args);
#define hd_flip(...) HD_CALL_(flip, __VA_ARGS__)
/** Elements moved by shifts.dim[i] places along axes.dim[i], around the end. */
typedef struct hd_roll_args {
    hd_val x;
    hd_dims shifts, axes;
    int end_;
} hd_roll_args;
HD_API hd_val hd_roll_at(hd_loc at, const hd_roll_args *args);
#define hd_roll(...) HD_CALL_(roll, __VA_ARGS__)
/** Lower (tril) and upper (triu) triangle of matrices [..., m, n]; diagonal: 0 the main one, positive above it. */
typedef struct hd_triangle_args {
    hd_val x;
    int64_t diagonal;
    int end_;
} hd_triangle_args;
HD_API hd_val hd_tril_at(hd_loc at, const hd_triangle_args *args);
HD_API hd_val hd_triu_at(hd_loc at, const hd_triangle_args *args);
#define hd_tril(...) hd_tril_at(HD_HERE, &(hd_triangle_args){__VA_ARGS__, .end_ = 0})
#define hd_triu(...) hd_triu_at(HD_HERE, &(hd_triangle_args){__VA_ARGS__, .end_ = 0})
/** Each axis repeats.dim[i] times, the whole laid behind itself; more numbers than x has axes: new ones in front. */
typedef struct hd_repeat_args {
    hd_val x;
    hd_dims repeats;
    int end_;
} hd_repeat_args;
HD_API hd_val hd_repeat_at(hd_loc at, const hd_repeat_args *args);
#define hd_repeat(...) HD_CALL_(repeat, __VA_ARGS__)
/** The diagonal of the matrices that two axes span (defaults 0 and 1), as the last axis; offset: positive above. */
typedef struct hd_diagonal_args {
    hd_val x;
    int64_t offset, axis1, axis2;
    int end_;
} hd_diagonal_args;
HD_API hd_val hd_diagonal_at(hd_loc at, const hd_diagonal_args *args);
#define hd_diagonal(...) HD_CALL_(diagonal, __VA_ARGS__)
/** The gradient of diagonal: dy on the diagonal of zeros of the shape of `like`. */
typedef struct hd_diagonal_grad_args {
    hd_val dy, like;
    int64_t offset, axis1, axis2;
    int end_;
} hd_diagonal_grad_args;
HD_API hd_val hd_diagonal_grad_at(hd_loc at, const hd_diagonal_grad_args *args);
#define hd_diagonal_grad(...) HD_CALL_(diagonal_grad, __VA_ARGS__)
/** Square matrices with the last axis of x on a diagonal; axis1, axis2 (defaults −2, −1): where their axes stand in y.
 */
HD_API hd_val hd_diag_embed_at(hd_loc at, const hd_diagonal_args *args);
#define hd_diag_embed(...) hd_diag_embed_at(HD_HERE, &(hd_diagonal_args){__VA_ARGS__, .end_ = 0})
/** Windows of `size` elements along an axis, `step` apart, as a new last axis: torch.Tensor.unfold, but a copy. */
typedef struct hd_unfold_args {
    hd_val x;
    int64_t axis, size, step; /**< defaults: last axis, 1, 1 */
    int end_;
} hd_unfold_args;
HD_API hd_val hd_unfold_at(hd_loc at, const hd_unfold_args *args);
#define hd_unfold(...) HD_CALL_(unfold, __VA_ARGS__)
/** The gradient of unfold: windows added up where they came from in `like`. */
typedef struct hd_unfold_grad_args {
    hd_val dy, like;
    int64_t axis, size, step;
    int end_;
} hd_unfold_grad_args;
HD_API hd_val hd_unfold_grad_at(hd_loc at, const hd_unfold_grad_args *args);
#define hd_unfold_grad(...) HD_CALL_(unfold_grad, __VA_ARGS__)

/* ---- made of the ops above ---- */

/** One axis, HD_AXIS(k) or negative; the default is HD_AXIS(0). */
typedef struct hd_axis_args {
    hd_val x;
    int64_t axis;
    int end_;
} hd_axis_args;
/** A new axis of size 1 that stands at `axis` in y. */
HD_API hd_val hd_unsqueeze_at(hd_loc at, const hd_axis_args *args);
#define hd_unsqueeze(...) hd_unsqueeze_at(HD_HERE, &(hd_axis_args){__VA_ARGS__, .end_ = 0})
/** Takes out those of the axes that have size 1 (none given: all such). */
typedef struct hd_squeeze_args {
    hd_val x;
    hd_dims axes;
    int end_;
} hd_squeeze_args;
HD_API hd_val hd_squeeze_at(hd_loc at, const hd_squeeze_args *args);
#define hd_squeeze(...) HD_CALL_(squeeze, __VA_ARGS__)
/** Element `index` (negative: from the end) along an axis (default HD_AXIS(0)), which goes. */
typedef struct hd_select_args {
    hd_val x;
    int64_t axis, index;
    int end_;
} hd_select_args;
HD_API hd_val hd_select_at(hd_loc at, const hd_select_args *args);
#define hd_select(...) HD_CALL_(select, __VA_ARGS__)
/** Joins n values of one shape along a new axis (default HD_AXIS(0)). */
typedef struct hd_stack_args {
    const hd_val *x;
    int64_t n;
    int64_t axis;
    int end_;
} hd_stack_args;
HD_API hd_val hd_stack_at(hd_loc at, const hd_stack_args *args);
#define hd_stack(...) HD_CALL_(stack, __VA_ARGS__)
/** Parts of x along an axis (default HD_AXIS(0)) into out[0 … n−1]: hd_split_parts: of the sizes given, or n equal
 * ones; hd_chunk: each ⌈size/n⌉, the last smaller, maybe fewer than n; hd_unbind: each element by itself, the axis
 * goes. Return how many parts there are: 0 after a failure, which is the graph's. */
typedef struct hd_parts_args {
    hd_val x;
    hd_val *out;
    int64_t n;
    const int64_t *sizes; /**< n numbers, or NULL */
    int64_t axis;
    int end_;
} hd_parts_args;
HD_API int64_t hd_split_into(hd_loc at, const hd_parts_args *args);
HD_API int64_t hd_chunk_into(hd_loc at, const hd_parts_args *args);
HD_API int64_t hd_unbind_into(hd_loc at, const hd_parts_args *args);
#define hd_split_parts(...) hd_split_into(HD_HERE, &(hd_parts_args){__VA_ARGS__, .end_ = 0})
#define hd_chunk(...)       hd_chunk_into(HD_HERE, &(hd_parts_args){__VA_ARGS__, .end_ = 0})
#define hd_unbind(...)      hd_unbind_into(HD_HERE, &(hd_parts_args){__VA_ARGS__, .end_ = 0})
/** Each element `repeats` times in a row along an axis (default HD_AXIS(0)). */
typedef struct hd_repeat_interleave_args {
    hd_val x;
    int64_t repeats, axis;
    int end_;
} hd_repeat_interleave_args;
HD_API hd_val hd_repeat_interleave_at(hd_loc at, const hd_repeat_interleave_args *args);
#define hd_repeat_interleave(...) HD_CALL_(repeat_interleave, __VA_ARGS__)
/** As hd_repeat, but fewer numbers than x has axes mean the last ones: numpy.tile. */
HD_API hd_val hd_tile_at(hd_loc at, const hd_repeat_args *args);
#define hd_tile(...) hd_tile_at(HD_HERE, &(hd_repeat_args){__VA_ARGS__, .end_ = 0})
/** Axes source.dim[i] move to destination.dim[i]; the others keep their order. */
typedef struct hd_movedim_args {
    hd_val x;
    hd_dims source, destination;
    int end_;
} hd_movedim_args;
HD_API hd_val hd_movedim_at(hd_loc at, const hd_movedim_args *args);
#define hd_movedim(...) HD_CALL_(movedim, __VA_ARGS__)
/** k quarter turns (default 1, negative: back) in the plane of two axes (default 0, 1). */
typedef struct hd_rot90_args {
    hd_val x;
    int64_t k;
    hd_dims axes;
    int end_;
} hd_rot90_args;
HD_API hd_val hd_rot90_at(hd_loc at, const hd_rot90_args *args);
#define hd_rot90(...) HD_CALL_(rot90, __VA_ARGS__)
/** y[i, j] = a[i] b[j] of two vectors; Σ a[i] b[i] of two vectors. */
HD_API hd_val hd_outer_at(hd_loc at, const hd_binary_args *args);
HD_API hd_val hd_dot_at(hd_loc at, const hd_binary_args *args);
#define hd_outer(...) HD_BINARY_(outer, __VA_ARGS__)
#define hd_dot(...)   HD_BINARY_(dot, __VA_ARGS__)
/** A vector as the diagonal of a matrix, or the diagonal of a matrix; offset: positive above the main one. */
HD_API hd_val hd_diag_at(hd_loc at, const hd_diagonal_args *args);
#define hd_diag(...) hd_diag_at(HD_HERE, &(hd_diagonal_args){__VA_ARGS__, .end_ = 0})
/** Pictures [..., c·r², h, w] → [..., c, h·r, w·r], and back. */
typedef struct hd_pixel_shuffle_args {
    hd_val x;
    int64_t factor; /**< r */
    int end_;
} hd_pixel_shuffle_args;
HD_API hd_val hd_pixel_shuffle_at(hd_loc at, const hd_pixel_shuffle_args *args);
HD_API hd_val hd_pixel_unshuffle_at(hd_loc at, const hd_pixel_shuffle_args *args);
#define hd_pixel_shuffle(...)   HD_CALL_(pixel_shuffle, __VA_ARGS__)
#define hd_pixel_unshuffle(...) hd_pixel_unshuffle_at(HD_HERE, &(hd_pixel_shuffle_args){__VA_ARGS__, .end_ = 0})
/** Einstein's sum over n operands: "ij,jk->ik", "...ij->...ji", "i,i" (without -> the indices that stand once, in
 * alphabetical order). Products of two at a time, from left to right. */
typedef struct hd_einsum_args {
    const hd_val *x;
    int64_t n;
    const char *equation;
    int end_;
} hd_einsum_args;
HD_API hd_val hd_einsum_at(hd_loc at, const hd_einsum_args *args);
#define hd_einsum(...) HD_CALL_(einsum, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
