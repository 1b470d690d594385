/* hadal/ops_index.h: elements and rows picked or put by index, embeddings. See hadal/ops.h for how they are called.
 *
 * Indices are i64. An index outside 0 … n−1 reads and writes nothing: what picks gives NaN there (0 of whole numbers),
 * what puts gives NaN everywhere, so that it can not be overlooked. wrap: negative indices count from the end. */
#ifndef HADAL_OPS_INDEX_H
#define HADAL_OPS_INDEX_H
#include "hadal/ops_math.h"

#ifdef __cplusplus
extern "C" {
#endif

/** y[i][j] = x[index[i][j]][j] (axis 0): index has the rank of x and is nowhere else larger. */
typedef struct hd_gather_args {
    hd_val x, index;
    int64_t axis; /**< default 0 */
    bool wrap;
    int end_;
} hd_gather_args;
HD_API hd_val hd_gather_at(hd_loc at, const hd_gather_args *args);
#define hd_gather(...) HD_CALL_(gather, __VA_ARGS__)
/** x with y[index[i][j]][j] = src[i][j] (axis 0), or = value where src is not given; of several the last stays. */
typedef struct hd_scatter_args {
    hd_val x, index, src;
    int64_t axis; /**< default 0 */
    double value;
    bool wrap;
    int end_;
} hd_scatter_args;
HD_API hd_val hd_scatter_at(hd_loc at, const hd_scatter_args *args);
#define hd_scatter(...) HD_CALL_(scatter, __VA_ARGS__)
/** x with y[index[i][j]][j] += src[i][j] (axis 0). */
typedef struct hd_scatter_add_args {
    hd_val x, index, src;
    int64_t axis; /**< default 0 */
    bool wrap;
    int end_;
} hd_scatter_add_args;
HD_API hd_val hd_scatter_add_at(hd_loc at, const hd_scatter_add_args *args);
#define hd_scatter_add(...) HD_CALL_(scatter_add, __VA_ARGS__)

/** The slices of x at index [m] along an axis. */
typedef struct hd_index_select_args {
    hd_val x, index;
    int64_t axis; /**< default 0 */
    bool wrap;
    int end_;
} hd_index_select_args;
HD_API hd_val hd_index_select_at(hd_loc at, const hd_index_select_args *args);
#define hd_index_select(...) HD_CALL_(index_select, __VA_ARGS__)
/** x with alpha·src added to (src copied over, value put into) its slices at index [m] along an axis. */
typedef struct hd_index_add_args {
    hd_val x, index, src;
    int64_t axis; /**< default 0 */
    double alpha; /**< default 1; HD_ZERO: 0 */
    bool wrap;
    int end_;
} hd_index_add_args;
typedef struct hd_index_copy_args {
    hd_val x, index, src;
    int64_t axis; /**< default 0 */
    bool wrap;
    int end_;
} hd_index_copy_args;
typedef struct hd_index_fill_args {
    hd_val x, index;
    int64_t axis; /**< default 0 */
    double value;
    bool wrap;
    int end_;
} hd_index_fill_args;
HD_API hd_val hd_index_add_at(hd_loc at, const hd_index_add_args *args);
HD_API hd_val hd_index_copy_at(hd_loc at, const hd_index_copy_args *args);
HD_API hd_val hd_index_fill_at(hd_loc at, const hd_index_fill_args *args);
#define hd_index_add(...)  HD_CALL_(index_add, __VA_ARGS__)
#define hd_index_copy(...) HD_CALL_(index_copy, __VA_ARGS__)
#define hd_index_fill(...) HD_CALL_(index_fill, __VA_ARGS__)
/** x, and `fill` (a scalar), or else `value`, where mask (bool, broadcast) is true. */
typedef struct hd_masked_fill_args {
    hd_val x, mask, fill;
    double value;
    int end_;
} hd_masked_fill_args;
HD_API hd_val hd_masked_fill_at(hd_loc at, const hd_masked_fill_args *args);
#define hd_masked_fill(...) HD_CALL_(masked_fill, __VA_ARGS__)

/** The rows of weight [n, d] at index [...]: [..., d]. */
typedef struct hd_embedding_args {
    hd_val weight, index;
    int64_t padding_idx; /**< HD_AXIS(k) or negative: a row that gets no gradient; 0: none */
    int end_;
} hd_embedding_args;
HD_API hd_val hd_embedding_at(hd_loc at, const hd_embedding_args *args);
#define hd_embedding(...) HD_CALL_(embedding, __VA_ARGS__)
/** 1 at the place that index [...] names among num_classes, else 0: [..., num_classes]. */
typedef struct hd_one_hot_args {
    hd_val index;
    int64_t num_classes;
    int64_t dtype; /**< HD_DTYPE(…); default i64 */
    int end_;
} hd_one_hot_args;
HD_API hd_val hd_one_hot_at(hd_loc at, const hd_one_hot_args *args);
#define hd_one_hot(...) HD_CALL_(one_hot, __VA_ARGS__)

/** x with the elements of src combined into it at the places that index names along an axis. Output 1 tells how many
 * made each element. */
typedef enum hd_scatter_how {
    HD_SCATTER_SUM,
    HD_SCATTER_PROD,
    HD_SCATTER_MEAN,
    HD_SCATTER_AMAX,
    HD_SCATTER_AMIN
} hd_scatter_how;
typedef struct hd_scatter_reduce_args {
    hd_val x, index, src;
    int64_t axis;      /**< default 0 */
    int64_t reduce;    /**< HD_SCATTER_… */
    bool exclude_self; /**< x counts only where nothing is put */
    bool wrap;
    int end_;
} hd_scatter_reduce_args;
HD_API hd_val hd_scatter_reduce_at(hd_loc at, const hd_scatter_reduce_args *args);
#define hd_scatter_reduce(...) HD_CALL_(scatter_reduce, __VA_ARGS__)
/** Elements of x, read row by row as one row, by their number in it; in the shape of index. Negative ones count from
 * the end. */
typedef struct hd_take_args {
    hd_val x, index;
    int end_;
} hd_take_args;
HD_API hd_val hd_take_at(hd_loc at, const hd_take_args *args);
#define hd_take(...) HD_CALL_(take, __VA_ARGS__)
/** gather with x and index broadcast against each other on every other axis. Negative indices count from the end. */
typedef struct hd_take_along_dim_args {
    hd_val x, index;
    int64_t axis; /**< default 0 */
    int end_;
} hd_take_along_dim_args;
HD_API hd_val hd_take_along_dim_at(hd_loc at, const hd_take_along_dim_args *args);
#define hd_take_along_dim(...) HD_CALL_(take_along_dim, __VA_ARGS__)

/** Rows of weight [n, d] put together by bags [b, d]: index [b, k], or index [m] and the starts of the bags. */
typedef enum hd_bag_mode { HD_BAG_MEAN, HD_BAG_SUM, HD_BAG_MAX } hd_bag_mode;
typedef struct hd_embedding_bag_args {
    hd_val weight, index, offsets, per_sample_weights; /**< the last for HD_BAG_SUM alone, like index */
    int64_t mode;                                      /**< HD_BAG_… */
    int64_t padding_idx;                               /**< HD_AXIS(k) or negative: a row that is left out; 0: none */
    bool include_last_offset;                          /**< the last offset is the end of the last bag */
    int end_;
} hd_embedding_bag_args;
HD_API hd_val hd_embedding_bag_at(hd_loc at, const hd_embedding_bag_args *args);
#define hd_embedding_bag(...) HD_CALL_(embedding_bag, __VA_ARGS__)
/** The bag (i64) of each entry of index, and its share in it: 1, or with `average` 1 / number of entries. */
typedef struct hd_bag_entries_args {
    hd_val weight, index, offsets;
    bool average;
    int64_t padding_idx;
    bool include_last_offset;
    int end_;
} hd_bag_entries_args;
HD_API hd_val hd_bag_entries_at(hd_loc at, const hd_bag_entries_args *args);
#define hd_bag_entries(...) HD_CALL_(bag_entries, __VA_ARGS__)

/** Where values belong in `sorted` [n] or [..., n]: before equal ones, or (right) behind them. i64. */
typedef struct hd_searchsorted_args {
    hd_val sorted, values, sorter;
    bool right;
    int end_;
} hd_searchsorted_args;
typedef struct hd_bucketize_args {
    hd_val values, boundaries;
    bool right;
    int end_;
} hd_bucketize_args;
HD_API hd_val hd_searchsorted_at(hd_loc at, const hd_searchsorted_args *args);
HD_API hd_val hd_bucketize_at(hd_loc at, const hd_bucketize_args *args);
#define hd_searchsorted(...) HD_CALL_(searchsorted, __VA_ARGS__)
#define hd_bucketize(...)    HD_CALL_(bucketize, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
