/* op_kit.h: what op files share: type dispatch for plain loops, broadcasting, common shape rules. Knows nothing of
 * backends. */
#ifndef HD_OPS_OP_KIT_H
#define HD_OPS_OP_KIT_H
#include "hadal/ops.h"
#include <math.h>
#include <string.h>

/* ---- plain loops ---- */

/* Runs the loop once with T the C type of a floating dtype; HD_INTEGERS: of i32, i64, u8. Never sees bf16: whoever runs
 * a definition widens it to f32 and rounds the results (ref_kernel.c). */
#define HD_FLOATS(dtype, ...)                                                                                          \
    switch (dtype) {                                                                                                   \
    case HD_F32: {                                                                                                     \
        typedef float T;                                                                                               \
        __VA_ARGS__                                                                                                    \
    } break;                                                                                                           \
    case HD_F64: {                                                                                                     \
        typedef double T;                                                                                              \
        __VA_ARGS__                                                                                                    \
    } break;                                                                                                           \
    default: break;                                                                                                    \
    }
#define HD_INTEGERS(dtype, ...)                                                                                        \
    switch (dtype) {                                                                                                   \
    case HD_I32: {                                                                                                     \
        typedef int32_t T;                                                                                             \
        __VA_ARGS__                                                                                                    \
    } break;                                                                                                           \
    case HD_I64: {                                                                                                     \
        typedef int64_t T;                                                                                             \
        __VA_ARGS__                                                                                                    \
    } break;                                                                                                           \
    case HD_U8: {                                                                                                      \
        typedef uint8_t T;                                                                                             \
        __VA_ARGS__                                                                                                    \
    } break;                                                                                                           \
    default: break;                                                                                                    \
    }

/* Element i of a tensor as a double, and back: towards zero, at the end of the range where it does not fit, 0 for NaN
 * into integers; x ≠ 0 into bool. For definitions where speed does not matter. */
double hd_get(const hd_tensor *t, int64_t i);
void hd_set(const hd_tensor *t, int64_t i, double value);

/* A unary op's definition: `expr` is a double expression in `x`. */
#define HD_UNARY_REF(fn, expr)                                                                                         \
    static void fn(const hd_ref *r) {                                                                                  \
        const int64_t n = r->out[0].count;                                                                             \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *X = r->in[0].data; T *Y = r->out[0].data; for (int64_t i = 0; i < n; i++) {      \
                const double x = (double)X[i];                                                                         \
                Y[i] = (T)(expr);                                                                                      \
            })                                                                                                         \
    }
/* The backward of an activation: a double expression in `y` and `dy`. */
#define HD_ACT_GRAD_REF(fn, expr)                                                                                      \
    static void fn(const hd_ref *r) {                                                                                  \
        const int64_t n = r->out[0].count;                                                                             \
        HD_FLOATS(                                                                                                     \
            r->out[0].dtype, const T *Y = r->in[0].data; const T *DY = r->in[1].data; T *DX = r->out[0].data;          \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                const double y = (double)Y[i], dy = (double)DY[i];                                                     \
                DX[i] = (T)(expr);                                                                                     \
            })                                                                                                         \
    }
/* A unary op on numbers of any kind: the same, and an expression in the unsigned `x` (wrapping, two's complement;
 * `negative` says the sign) for integers. */
#define HD_UNARY_NUMBER_REF(fn, expr, integer_expr)                                                                    \
    HD_UNARY_REF(fn##_float, expr)                                                                                     \
    static void fn(const hd_ref *r) {                                                                                  \
        const int64_t n = r->out[0].count;                                                                             \
        fn##_float(r);                                                                                                 \
        HD_INTEGERS(                                                                                                   \
            r->out[0].dtype, const T *X = r->in[0].data; T *Y = r->out[0].data; for (int64_t i = 0; i < n; i++) {      \
                const uint64_t x = (uint64_t)X[i];                                                                     \
                const bool negative = (int64_t)X[i] < 0;                                                               \
                (void)negative;                                                                                        \
                Y[i] = (T)(integer_expr);                                                                              \
            })                                                                                                         \
    }
/* A binary op with broadcasting: an expression in `a` and `b`, of type T for floats, of type uint64_t (wrapping) for
 * integers. */
#define HD_BINARY_LOOP(U, expr)                                                                                        \
    const T *A = r->in[0].data;                                                                                        \
    const T *B = r->in[1].data;                                                                                        \
    T *Y = r->out[0].data;                                                                                             \
    for (int64_t i = 0; i < n; i++, hd_walk_next(&w)) {                                                                \
        const U a = (U)A[w.at[0]], b = (U)B[w.at[1]];                                                                  \
        Y[i] = (T)(expr);                                                                                              \
    }
#define HD_BINARY_REF(fn, expr)                                                                                        \
    static void fn(const hd_ref *r) {                                                                                  \
        hd_walk w;                                                                                                     \
        hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);                                             \
        const int64_t n = r->out[0].count;                                                                             \
        HD_FLOATS(r->out[0].dtype, HD_BINARY_LOOP(T, expr))                                                            \
        HD_INTEGERS(r->out[0].dtype, HD_BINARY_LOOP(uint64_t, expr))                                                   \
    }

/* Walks the elements of a shape row by row, keeping the offsets of up to two operands. After the last element it stands
 * at the first again. */
typedef struct hd_walk {
    int rank;
    int64_t dim[HD_MAX_DIMS], index[HD_MAX_DIMS];
    int64_t stride[2][HD_MAX_DIMS];
    int64_t at[2];
} hd_walk;
/* Over `out`, operands a and b broadcast to it; b may be NULL. */
void hd_walk_init(hd_walk *w, const hd_dims *out, const hd_dims *a, const hd_dims *b);
void hd_walk_next(hd_walk *w);
/* Over the axes of x that `reduced` names by bits (inner), and over the others (kept): at[0] of the two add up to the
 * offset in x. Return the number of elements of the walk. */
int64_t hd_walk_kept(hd_walk *w, const hd_dims *x, unsigned reduced);
int64_t hd_walk_inner(hd_walk *w, const hd_dims *x, unsigned reduced);
/* Strides of a row-major tensor. */
void hd_strides(int64_t stride[HD_MAX_DIMS], const hd_dims *dims);

/* x [outer, n, inner] around an axis. */
typedef struct hd_axis_split {
    int64_t outer, n, inner;
} hd_axis_split;
hd_axis_split hd_split_at(const hd_dims *dims, int axis);

/* ---- shape rules: each checks that inputs are of the kinds they need; hd_infer_… set out[0] ---- */

hd_status hd_infer_unary_float(hd_infer *c);  /* y like x; f32 or f64 */
hd_status hd_infer_unary_number(hd_infer *c); /* y like x; any but bool */
hd_status hd_infer_binary(hd_infer *c);       /* broadcast; equal dtypes, not bool */
hd_status hd_infer_act_grad(hd_infer *c);     /* two floats of one shape → the same */
hd_status hd_need_float(hd_infer *c, int i);  /* in[i] is f32 or f64 */
hd_status hd_need_dtype(hd_infer *c, int i, hd_dtype dtype);
hd_status hd_need_rank(hd_infer *c, int i, int rank);
hd_status hd_need_same(hd_infer *c, int i, int j); /* equal dtype and dims */
hd_status hd_need_scalar(hd_infer *c, int i, hd_dtype dtype);
hd_status hd_need_hyper(hd_infer *c, int hyper, int scale); /* of an optimiser: f64 [5]; a float scalar or none */
hd_status hd_need_channels(hd_infer *c, int i, int x);      /* in[i] is [c] of the dtype of in[x], c its axis 1 */
/* in[0] is float [n, c, …], c a number; in[1] … in[weights] are [c] of its dtype. */
hd_status hd_need_by_channel(hd_infer *c, int weights);
/* Reduced axes by bits; none given: all. A message when one is out of range or named twice. */
hd_status hd_infer_axes(hd_infer *c, const hd_dims *axes, int rank, unsigned *bits);
/* The same for a node that infer has accepted. */
unsigned hd_axes_bits(const hd_dims *axes, int rank);
hd_status hd_infer_reduce(hd_infer *c); /* of hd_reduce_args: x without the axes, or with them as 1 */
/* Product of the dimensions, HD_BATCH left out (and told); -1 on overflow. */
int64_t hd_count_without_batch(const hd_dims *dims, bool *has_batch);

static inline bool hd_is_float(hd_dtype t) {
    return t == HD_F32 || t == HD_F64 || t == HD_BF16;
}
static inline bool hd_absent(const hd_infer *c, int i) {
    return i >= c->n_in || c->in[i].dims.rank < 0;
}
static inline hd_type hd_scalar_type(hd_dtype dtype) {
    return (hd_type){.dtype = dtype};
}

/* ---- costs ---- */

/* `flops` with the bytes of all inputs and outputs. */
hd_cost hd_cost_of(const hd_infer *c, double flops);
double hd_cost_elements(const hd_type *type);
hd_cost hd_cost_input(const hd_infer *c); /* a FLOP per element of input 0: reductions */
hd_cost hd_cost_copy(const hd_infer *c);  /* no FLOP: what only moves */
hd_cost hd_cost_none(const hd_infer *c);  /* neither: views */

/* ---- gradients ---- */

/* The rule of an op whose derivative is 0 (its no_grad_reason says why): leaves every gradient none. */
void hd_grad_zero(hd_grad *c);
/* Sums a gradient of a broadcast result down to its operand, when shapes differ. */
hd_val hd_unbroadcast(hd_val d, hd_val operand);
/* A settled option as a builder takes it: an explicit zero stays one. */
static inline double hd_explicit(double value) {
    return value == 0 ? HD_ZERO : value;
}
/* A reduced gradient with the reduced axes put back as 1, ready to be broadcast over x. */
hd_val hd_keep_axes(hd_val d, hd_val x, const hd_dims *axes, bool keepdim);
/* dz from dy, where y = act(z). */
hd_val hd_act_grad(int64_t act, hd_val y, hd_val dy);
/* v [c] as [1, c, 1, …] of the rank of x: broadcasts over x [n, c, …]. */
hd_val hd_per_channel(hd_val v, hd_val x);
/* Sum and mean of x [n, c, …] over all axes but 1: [c]. */
hd_val hd_channel_sum(hd_val x);
hd_val hd_channel_mean(hd_val x);
/* a + b, where either may be none. */
hd_val hd_plus(hd_val a, hd_val b);

/* y = act(x) for HD_ACT_…, as the scalar function of the definition. */
double hd_act_apply(int64_t act, double x);
extern const char *const hd_act_choices[]; /* "none" "relu" "sigmoid" "tanh" NULL */

/* ---- descriptors ---- */

#define HD_REDUCE_OPTIONS(args_)                                                                                       \
    HD_OPTION(DIMS, args_, axes, .help = "axes to reduce, negative from the end; none: all"),                          \
        HD_OPTION(BOOL, args_, keepdim, .help = "keep the reduced axes as 1")
#define HD_BATCH_NORM_OPTIONS                                                                                          \
    HD_OPTION(FLOAT, hd_batch_norm_args, eps, .def = 1e-5, .min = 0, .max = 1e30, .help = "added to the variance"),    \
        HD_OPTION(FLOAT, hd_batch_norm_args, momentum, .def = 0.1, .min = 0, .max = 1,                                 \
                  .help = "share of the batch in the new running statistics"),                                         \
        HD_OPTION(ENUM, hd_batch_norm_args, act, .choices = hd_act_choices, .help = "none or relu")
/* One option of one number: HD_OPTION(BOOL, hd_sum_args, keepdim, .help = "…"). */
#define HD_OPTION(type_, args_, field_, ...)                                                                           \
    { .name = #field_, .type = HD_OPT_##type_, .offset = offsetof(args_, field_), .count = 1, __VA_ARGS__ }
/* Several whole numbers in one option. */
#define HD_OPTION_INTS(args_, field_, count_, ...)                                                                     \
    { .name = #field_, .type = HD_OPT_INTS, .offset = offsetof(args_, field_), .count = (count_), __VA_ARGS__ }
#define HD_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Largest size of a window, step or edge: sums of it and a dimension stay far from overflow. */
#define HD_MAX_WINDOW (1 << 30)

/* The builder that every op has. */
#define HD_BUILDER(name, args_type)                                                                                    \
    hd_val hd_##name##_at(hd_loc at, const args_type *args) {                                                          \
        return hd_node_add(at, &hd_op_##name, args);                                                                   \
    }
#endif
