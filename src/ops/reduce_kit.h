/* reduce_kit.h: what reductions, scans and order share beside op_kit.h. Knows nothing of backends. */
#ifndef HD_OPS_REDUCE_KIT_H
#define HD_OPS_REDUCE_KIT_H
#include "graph/graph.h"
#include "ops/op_kit.h"

/* ---- shapes ---- */

hd_status hd_infer_reduced(hd_infer *c, const hd_dims *axes, bool keepdim); /* x without the axes, or with 1 for them */
hd_status hd_infer_reduce_float(hd_infer *c);                               /* of hd_reduce_args; f32 or f64 */
hd_status hd_infer_reduce_number(hd_infer *c);                              /* the same; any but bool */
/* None of the axes (by bits) is 0: there would be no `what`. */
hd_status hd_need_some(hd_infer *c, unsigned bits, const char *what);
hd_status hd_infer_axis(hd_infer *c, int64_t axis, int *out); /* of x, or a message */

/* ---- groups of elements that become one ---- */

typedef struct hd_groups {
    hd_walk kept, inner;
    int64_t n, m;   /* groups, elements of each */
    int64_t stride; /* distance of two elements of a group; 0: not the same everywhere, inner tells */
} hd_groups;
void hd_groups_init(hd_groups *g, const hd_dims *x, const hd_dims *axes);
/* Place of element j of the group; to be asked for in order. */
static inline int64_t hd_group_at(hd_groups *g, int64_t j) {
    if (g->stride) return g->kept.at[0] + j * g->stride;
    const int64_t at = g->kept.at[0] + g->inner.at[0];
    hd_walk_next(&g->inner);
    return at;
}
/* For each group i: `start`, then `step` for each element v of type T, then y[i] = (Y)(result). */
#define HD_REDUCE_LOOP(Y, start, step, result)                                                                         \
    const T *x = r->in[0].data;                                                                                        \
    Y *y = r->out[0].data;                                                                                             \
    for (int64_t i = 0; i < g.n; i++, hd_walk_next(&g.kept)) {                                                         \
        start;                                                                                                         \
        for (int64_t j = 0; j < g.m; j++) {                                                                            \
            const T v = x[hd_group_at(&g, j)];                                                                         \
            step;                                                                                                      \
        }                                                                                                              \
        y[i] = (Y)(result);                                                                                            \
    }
/* The definition of a reduction of floats, whose args struct is args_. */
#define HD_REDUCE_REF(fn, args_, start, step, result)                                                                  \
    static void fn(const hd_ref *r) {                                                                                  \
        const args_ *a = r->attr;                                                                                      \
        hd_groups g;                                                                                                   \
        hd_groups_init(&g, &r->in[0].dims, &a->axes);                                                                  \
        HD_FLOATS(r->in[0].dtype, HD_REDUCE_LOOP(T, start, step, result))                                              \
    }
/* The best by `better` (< or >); NaN is better than everything, so that it does not get lost. */
#define HD_EXTREME_REF(fn, better)                                                                                     \
    static void fn(const hd_ref *r) {                                                                                  \
        const hd_reduce_args *a = r->attr;                                                                             \
        hd_groups g;                                                                                                   \
        hd_groups_init(&g, &r->in[0].dims, &a->axes);                                                                  \
        HD_FLOATS(r->out[0].dtype, HD_EXTREME_LOOP(better))                                                            \
        HD_INTEGERS(r->out[0].dtype, HD_EXTREME_LOOP(better))                                                          \
    }
#define HD_EXTREME_LOOP(better) HD_REDUCE_LOOP(T, T best = x[g.kept.at[0]], if (v better best || v != v) best = v, best)

/* ---- rows along an axis ---- */

typedef struct hd_rows {
    int64_t count, n, stride; /* rows, elements of each, distance of two elements */
    bool reverse;             /* the last element comes first */
} hd_rows;
hd_rows hd_rows_of(const hd_dims *dims, int axis, bool reverse);
static inline int64_t hd_row_at(const hd_rows *z, int64_t row, int64_t i) {
    const int64_t place = z->reverse ? z->n - 1 - i : i;
    return (row / z->stride * z->n + place) * z->stride + row % z->stride;
}

/* ---- softmax and its logarithm, along an axis ---- */

hd_status hd_infer_softmax(hd_infer *c);      /* of hd_softmax_args; y like x; f32 or f64 */
hd_status hd_infer_softmax_grad(hd_infer *c); /* of hd_softmax_grad_args; y and dy → dx */
hd_cost hd_cost_softmax(const hd_infer *c);
/* Row by row: y[at] = expr of the element v, the row's largest and Σ e^(x − largest): nothing overflows. */
#define HD_SOFTMAX_REF(fn, expr)                                                                                       \
    static void fn(const hd_ref *r) {                                                                                  \
        const hd_softmax_args *a = r->attr;                                                                            \
        const hd_rows z = hd_rows_of(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank), false);             \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *x = r->in[0].data; T *y = r->out[0].data;                                        \
            for (int64_t row = 0; row < z.count; row++) {                                                              \
                double max = -INFINITY, sum = 0;                                                                       \
                for (int64_t i = 0; i < z.n; i++) max = fmax(max, (double)x[hd_row_at(&z, row, i)]);                   \
                for (int64_t i = 0; i < z.n; i++) sum += exp((double)x[hd_row_at(&z, row, i)] - max);                  \
                for (int64_t i = 0; i < z.n; i++) {                                                                    \
                    const double v = (double)x[hd_row_at(&z, row, i)];                                                 \
                    y[hd_row_at(&z, row, i)] = (T)(expr);                                                              \
                }                                                                                                      \
            })                                                                                                         \
    }
/* Row by row: dx[at] = expr of the elements y and dy, and the sum of `term` over the row. */
#define HD_SOFTMAX_GRAD_REF(fn, term, expr)                                                                            \
    static void fn(const hd_ref *r) {                                                                                  \
        const hd_softmax_grad_args *a = r->attr;                                                                       \
        const hd_rows z = hd_rows_of(&r->in[0].dims, hd_axis_resolve(a->axis, r->in[0].dims.rank), false);             \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *Y = r->in[0].data; const T *DY = r->in[1].data; T *DX = r->out[0].data;          \
            for (int64_t row = 0; row < z.count; row++) {                                                              \
                double sum = 0;                                                                                        \
                for (int64_t i = 0; i < z.n; i++) {                                                                    \
                    const double y = (double)Y[hd_row_at(&z, row, i)], dy = (double)DY[hd_row_at(&z, row, i)];         \
                    (void)y;                                                                                           \
                    sum += term;                                                                                       \
                }                                                                                                      \
                for (int64_t i = 0; i < z.n; i++) {                                                                    \
                    const double y = (double)Y[hd_row_at(&z, row, i)], dy = (double)DY[hd_row_at(&z, row, i)];         \
                    DX[hd_row_at(&z, row, i)] = (T)(expr);                                                             \
                }                                                                                                      \
            })                                                                                                         \
    }

/* ---- descriptors ---- */

#define HD_SCAN_OPTIONS(args_)                                                                                         \
    HD_OPTION(AXIS, args_, axis, .def = -1, .help = "axis to run along"),                                              \
        HD_OPTION(BOOL, args_, reverse, .help = "run from the end to the front")

/* A reduction of one value, by args_ with its options: what all of them say alike. */
#define HD_REDUCE_HEAD(name_, args_, ...)                                                                              \
    .name = #name_, .n_in = 1, .n_out = 1, .args_size = sizeof(args_),                                                 \
    .options = (const hd_option[]){HD_REDUCE_OPTIONS(args_), __VA_ARGS__}, .cost = hd_cost_input
#endif
