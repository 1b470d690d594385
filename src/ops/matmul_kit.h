/* matmul_kit.h: a matrix product in numbers: what its definition, its rule and its kernels read from the shapes. Knows
 * nothing of backends. */
#ifndef HD_OPS_MATMUL_KIT_H
#define HD_OPS_MATMUL_KIT_H
#include "hadal/ops.h"

/* One product is [m, k] by [k, n]; a vector a is a row, a vector b a column. `batch` of them. */
typedef struct hd_matmul_sizes {
    int64_t m, n, k, batch;
    hd_dims batch_dims, batch_a, batch_b; /* leading dimensions of the result and of the operands */
    /* Elements from one product's operand to the next: 0 when one serves all; -1: it is repeated along some of the
     * leading dimensions only. */
    int64_t step_a, step_b;
} hd_matmul_sizes;

/* Rows and columns after the transpose. */
static inline void hd_matmul_matrix(const hd_dims *x, bool trans, bool column, int64_t *rows, int64_t *columns) {
    const int64_t last = x->dim[x->rank - 1], before = x->rank > 1 ? x->dim[x->rank - 2] : 1;
    const bool turned = x->rank > 1 ? trans : column;
    *rows = turned ? last : before;
    *columns = turned ? before : last;
}

static inline hd_dims hd_matmul_batch(const hd_dims *x) {
    hd_dims batch = *x;
    batch.rank = x->rank > 2 ? x->rank - 2 : 0;
    return batch;
}

/* Of shapes that infer has accepted. */
static inline hd_matmul_sizes hd_matmul_sizes_of(const hd_matmul_args *args, const hd_dims *a, const hd_dims *b) {
    hd_matmul_sizes s = {.batch_a = hd_matmul_batch(a), .batch_b = hd_matmul_batch(b)};
    hd_matmul_matrix(a, args->trans_a, false, &s.m, &s.k);
    hd_matmul_matrix(b, args->trans_b, true, &s.k, &s.n);
    (void)hd_dims_broadcast(&s.batch_dims, &s.batch_a, &s.batch_b);
    int64_t of_a = 1, of_b = 1;
    s.batch = 1;
    for (int i = 0; i < s.batch_a.rank; i++) of_a *= s.batch_a.dim[i];
    for (int i = 0; i < s.batch_b.rank; i++) of_b *= s.batch_b.dim[i];
    for (int i = 0; i < s.batch_dims.rank; i++) s.batch *= s.batch_dims.dim[i];
    s.step_a = of_a == s.batch && of_a != 1 ? s.m * s.k : of_a == 1 ? 0 : -1;
    s.step_b = of_b == s.batch && of_b != 1 ? s.k * s.n : of_b == 1 ? 0 : -1;
    return s;
}
#endif
