/* op_kit.h: what op files share: type dispatch for plain loops, broadcasting, common shape rules. Knows nothing of backends. */
#ifndef HD_OPS_OP_KIT_H
#define HD_OPS_OP_KIT_H
#include "hadal/ops.h"
#include <math.h>
#include <string.h>

/* Runs the loop once with T the C type of a floating dtype; HD_NUMBERS: of any dtype but bool. */
#define HD_FLOATS(dtype, ...)                                                                                          \
    switch (dtype) {                                                                                                   \
    case HD_F32: { typedef float T; __VA_ARGS__ } break;                                                               \
    case HD_F64: { typedef double T; __VA_ARGS__ } break;                                                              \
    default: break;                                                                                                    \
    }
#define HD_NUMBERS(dtype, ...)                                                                                         \
    switch (dtype) {                                                                                                   \
    case HD_F32: { typedef float T; __VA_ARGS__ } break;                                                               \
    case HD_F64: { typedef double T; __VA_ARGS__ } break;                                                              \
    case HD_I32: { typedef int32_t T; __VA_ARGS__ } break;                                                             \
    case HD_I64: { typedef int64_t T; __VA_ARGS__ } break;                                                             \
    case HD_U8: { typedef uint8_t T; __VA_ARGS__ } break;                                                              \
    default: break;                                                                                                    \
    }

/* A unary op's definition: `expr` is a double expression in `x`. */
#define HD_UNARY_REF(fn, expr)                                                                                         \
    static void fn(const hd_ref *r) {                                                                                  \
        const int64_t n = r->out[0].count;                                                                             \
        HD_FLOATS(r->out[0].dtype, const T *X = r->in[0].data; T *Y = r->out[0].data; for (int64_t i = 0; i < n; i++) { \
            const double x = (double)X[i];                                                                             \
            Y[i] = (T)(expr);                                                                                          \
        })                                                                                                             \
    }
/* The backward of an activation: a double expression in `y` and `dy`. */
#define HD_ACT_GRAD_REF(fn, expr)                                                                                      \
    static void fn(const hd_ref *r) {                                                                                  \
        const int64_t n = r->out[0].count;                                                                             \
        HD_FLOATS(r->out[0].dtype, const T *Y = r->in[0].data; const T *DY = r->in[1].data; T *DX = r->out[0].data;    \
                  for (int64_t i = 0; i < n; i++) {                                                                    \
                      const double y = (double)Y[i], dy = (double)DY[i];                                               \
                      DX[i] = (T)(expr);                                                                               \
                  })                                                                                                   \
    }
/* A binary op with broadcasting: an expression in `a` and `b` of type T. */
#define HD_BINARY_REF(fn, expr)                                                                                        \
    static void fn(const hd_ref *r) {                                                                                  \
        hd_walk w;                                                                                                     \
        hd_walk_init(&w, &r->out[0].dims, &r->in[0].dims, &r->in[1].dims);                                             \
        const int64_t n = r->out[0].count;                                                                             \
        HD_NUMBERS(r->out[0].dtype, const T *A = r->in[0].data; const T *B = r->in[1].data; T *Y = r->out[0].data;     \
                   for (int64_t i = 0; i < n; i++, hd_walk_next(&w)) {                                                 \
                       const T a = A[w.at[0]], b = B[w.at[1]];                                                         \
                       Y[i] = (T)(expr);                                                                               \
                   })                                                                                                  \
    }

/* Walks the elements of `out` row by row, keeping the offsets of up to two operands broadcast to it. */
typedef struct hd_walk {
    int rank;
    int64_t dim[HD_MAX_DIMS], index[HD_MAX_DIMS];
    int64_t stride[2][HD_MAX_DIMS];
    int64_t at[2];
} hd_walk;
void hd_walk_init(hd_walk *w, const hd_dims *out, const hd_dims *a, const hd_dims *b); /* b may be NULL */
void hd_walk_next(hd_walk *w);

/* Shape rules. Each checks that inputs are of the kinds they need and sets out[0]. */
hd_status hd_infer_unary_float(hd_infer *c);     /* y like x; f32 or f64 */
hd_status hd_infer_unary_number(hd_infer *c);    /* y like x; any but bool */
hd_status hd_infer_binary(hd_infer *c);          /* broadcast; equal dtypes, not bool */
hd_status hd_infer_act_grad(hd_infer *c);        /* two floats of one shape → the same */
hd_status hd_need_float(hd_infer *c, int i);     /* in[i] is f32 or f64 */
hd_status hd_need_rank(hd_infer *c, int i, int rank);
hd_status hd_need_same(hd_infer *c, int i, int j); /* equal dtype and dims */
static inline bool hd_is_float(hd_dtype t) { return t == HD_F32 || t == HD_F64; }
static inline bool hd_absent(const hd_infer *c, int i) { return i >= c->n_in || c->in[i].dims.rank < 0; }

/* Sums a gradient of a broadcast result down to its operand, when shapes differ. */
hd_val hd_unbroadcast(hd_val d, hd_val operand);
/* y = act(x) and dx from (y, dy) for HD_ACT_…, as scalar functions of the definition. */
double hd_act_apply(int64_t act, double x);
extern const char *const hd_act_choices[]; /* "none" "relu" "sigmoid" "tanh" NULL */

/* The builder that every op has. */
#define HD_BUILDER(name, args_type)                                                                                    \
    hd_val hd_##name##_at(hd_loc at, const args_type *args) { return hd_op_add(at, &hd_op_##name, args); }
#endif
