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

#ifdef __cplusplus
}
#endif
#endif
