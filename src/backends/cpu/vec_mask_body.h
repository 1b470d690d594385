/* vec_mask_body.h: rows of truth values: choices by them, comparisons, logic; plain loops that the compiler turns into
 * vectors. Each operand moves along the row or stays (see vec_rows.h). Included once for each instruction set. */
#include "backends/cpu/vec_rows.h"

/* Calls LOOP with the steps as constants, one loop for each way to repeat. */
#define MASK_STEPS_2(LOOP) (step[0] ? (step[1] ? LOOP(1, 1) : LOOP(1, 0)) : (step[1] ? LOOP(0, 1) : LOOP(0, 0)))
#define MASK_STEPS_3(LOOP)                                                                                             \
    (step[0] ? (step[1] ? (step[2] ? LOOP(1, 1, 1) : LOOP(1, 1, 0)) : (step[2] ? LOOP(1, 0, 1) : LOOP(1, 0, 0)))       \
             : (step[1] ? (step[2] ? LOOP(0, 1, 1) : LOOP(0, 1, 0)) : (step[2] ? LOOP(0, 0, 1) : LOOP(0, 0, 0))))
#define MASK_ARGS void *y, const void *const *in, const int64_t *step, int64_t n, const float *constants

#define MASK_WHERE(name, T)                                                                                            \
    HD_INLINE void mask_##name##_loop(T *y, const uint8_t *c, const T *a, const T *b, int64_t n, int s, int t,         \
                                      int u) {                                                                         \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const T yes = a[i * t], no = b[i * u], mask = (T)(0 - (T)(c[i * s] != 0));                                 \
            y[i] = (T)((yes & mask) | (no & (T)~mask));                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static void mask_##name(MASK_ARGS) {                                                                               \
        (void)constants;                                                                                               \
        MASK_STEPS_3(MASK_LOOP_##name);                                                                                \
    }
#define MASK_LOOP_where1(s, t, u) mask_where1_loop(y, in[0], in[1], in[2], n, s, t, u)
#define MASK_LOOP_where4(s, t, u) mask_where4_loop(y, in[0], in[1], in[2], n, s, t, u)
#define MASK_LOOP_where8(s, t, u) mask_where8_loop(y, in[0], in[1], in[2], n, s, t, u)
MASK_WHERE(where1, uint8_t)
MASK_WHERE(where4, uint32_t)
MASK_WHERE(where8, uint64_t)
#undef MASK_WHERE

/* y = a ? b of two rows of T, a truth value */
#define MASK_COMPARE(name, T, ...)                                                                                     \
    HD_INLINE void mask_##name##_loop(uint8_t *y, const T *A, const T *B, int64_t n, int s, int t) {                   \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const T a = A[i * s], b = B[i * t];                                                                        \
            y[i] = (__VA_ARGS__);                                                                                      \
        }                                                                                                              \
    }                                                                                                                  \
    static void mask_##name(MASK_ARGS) {                                                                               \
        (void)constants;                                                                                               \
        if (step[0] && step[1])                                                                                        \
            mask_##name##_loop(y, in[0], in[1], n, 1, 1);                                                              \
        else if (step[0])                                                                                              \
            mask_##name##_loop(y, in[0], in[1], n, 1, 0);                                                              \
        else                                                                                                           \
            mask_##name##_loop(y, in[0], in[1], n, 0, step[1] != 0);                                                   \
    }
#define MASK_BOTH(name, ...)                                                                                           \
    MASK_COMPARE(name##_f32, float, __VA_ARGS__)                                                                       \
    MASK_COMPARE(name##_i64, int64_t, __VA_ARGS__)
MASK_BOTH(eq, a == b)
MASK_BOTH(ne, a != b)
MASK_BOTH(lt, a < b)
MASK_BOTH(le, a <= b)
MASK_BOTH(gt, a > b)
MASK_BOTH(ge, a >= b)
MASK_COMPARE(logical_and, uint8_t, (a != 0) & (b != 0))
MASK_COMPARE(logical_or, uint8_t, (a | b) != 0)
MASK_COMPARE(logical_xor, uint8_t, (a != 0) ^ (b != 0))
#undef MASK_BOTH
#undef MASK_COMPARE

#define MASK_TEST(name, T, ...)                                                                                        \
    static void mask_##name(MASK_ARGS) {                                                                               \
        const T *X = in[0];                                                                                            \
        uint8_t *to = y;                                                                                               \
        (void)constants, (void)step;                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                                              \
            const T x = X[i];                                                                                          \
            to[i] = (__VA_ARGS__);                                                                                     \
        }                                                                                                              \
    }
MASK_TEST(logical_not, uint8_t, x == 0)
MASK_TEST(isnan, float, x != x)
MASK_TEST(isinf, uint32_t, (x & 0x7fffffff) == 0x7f800000)
MASK_TEST(isfinite, uint32_t, (x & 0x7f800000) != 0x7f800000)
#undef MASK_TEST

/* x > 0 ? x : w x */
HD_INLINE void mask_prelu_loop(float *y, const float *x, const float *w, int64_t n, int s, int t) {
    for (int64_t i = 0; i < n; i++) {
        const float v = x[i * s], slope = v * w[i * t];
        y[i] = v > 0 ? v : slope;
    }
}
static void mask_prelu(MASK_ARGS) {
    (void)constants;
#define MASK_LOOP_prelu(s, t) mask_prelu_loop(y, in[0], in[1], n, s, t)
    MASK_STEPS_2(MASK_LOOP_prelu);
}
/* From the nearer end, in double as the definition is. */
HD_INLINE void mask_lerp_loop(float *y, const float *A, const float *B, const float *W, int64_t n, int s, int t,
                              int u) {
    for (int64_t i = 0; i < n; i++) {
        const double a = (double)A[i * s], b = (double)B[i * t], w = (double)W[i * u], d = b - a;
        const double near = a + w * d, far = b - d * (1 - w);
        y[i] = (float)(w < 0.5 && w > -0.5 ? near : far);
    }
}
static void mask_lerp(MASK_ARGS) {
    (void)constants;
#define MASK_LOOP_lerp(s, t, u) mask_lerp_loop(y, in[0], in[1], in[2], n, s, t, u)
    MASK_STEPS_3(MASK_LOOP_lerp);
}
