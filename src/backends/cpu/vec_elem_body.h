/* vec_elem_body.h: elementwise primitives; included once for each instruction set. Every loop has a tail of masked
 * lanes, so that a result never depends on where a task begins. */

#define UNARY(name, ...)                                                                                               \
    static void elem_##name(float *y, const float *a, const float *b, int64_t n, const float *c) {                     \
        int64_t i = 0;                                                                                                 \
        (void)b, (void)c;                                                                                              \
        for (; i + HD_VL <= n; i += HD_VL) {                                                                           \
            const vf x = vf_load(a + i);                                                                               \
            vf_store(y + i, __VA_ARGS__);                                                                              \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            const vm m = vm_first(n - i);                                                                              \
            const vf x = vf_load_m(a + i, m);                                                                          \
            vf_store_m(y + i, __VA_ARGS__, m);                                                                         \
        }                                                                                                              \
    }

#define BINARY_MODE(name, mode, load_a, load_b, load_a_n, load_b_n, ...)                                               \
    static void elem_##name##_##mode(float *Y, const float *A, const float *B, int64_t n, const float *c) {            \
        int64_t i = 0;                                                                                                 \
        (void)c;                                                                                                       \
        const vf sa = vf_splat(n > 0 ? A[0] : 0), sb = vf_splat(n > 0 ? B[0] : 0);                                     \
        (void)sa, (void)sb;                                                                                            \
        for (; i + HD_VL <= n; i += HD_VL) {                                                                           \
            const vf a = load_a, b = load_b;                                                                           \
            vf_store(Y + i, __VA_ARGS__);                                                                              \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            const vm m = vm_first(n - i);                                                                              \
            const vf a = load_a_n, b = load_b_n;                                                                       \
            vf_store_m(Y + i, __VA_ARGS__, m);                                                                         \
        }                                                                                                              \
    }
#define BINARY(name, ...)                                                                                              \
    BINARY_MODE(name, vv, vf_load(A + i), vf_load(B + i), vf_load_m(A + i, m), vf_load_m(B + i, m), __VA_ARGS__)       \
    BINARY_MODE(name, vs, vf_load(A + i), sb, vf_load_m(A + i, m), sb, __VA_ARGS__)                                    \
    BINARY_MODE(name, sv, sa, vf_load(B + i), sa, vf_load_m(B + i, m), __VA_ARGS__)

UNARY(neg, -x)
UNARY(exp, v_exp(x))
UNARY(log, v_log(x))
UNARY(sqrt, vf_sqrt(x))
UNARY(abs, vf_abs(x))
UNARY(sign, vf_blend(vk_nan(x), x,
                     vf_keep(vk_more(x, vf_splat(0)), vf_splat(1)) - vf_keep(vk_more(vf_splat(0), x), vf_splat(1))))
UNARY(sigmoid, v_sigmoid(x))
UNARY(tanh, v_tanh(x))
UNARY(relu, vf_max(vf_splat(0), x)) /* nan stays */
UNARY(affine, x *c[0] + c[1])

static void elem_fill_like(float *y, const float *a, const float *b, int64_t n, const float *c) {
    (void)a, (void)b;
    const vf value = vf_splat(c[0]);
    int64_t i = 0;
    for (; i + HD_VL <= n; i += HD_VL) vf_store(y + i, value);
    if (i < n) vf_store_m(y + i, value, vm_first(n - i));
}

BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, a / b)
/* a is y, b is dy */
BINARY(sigmoid_grad, b *a *(1 - a))
BINARY(tanh_grad, b *(1 - a * a))
BINARY(relu_grad, vf_keep(vk_more(a, vf_splat(0)), b))

/* UNARY and BINARY go on in vec_math_body.h, which undefines them. */
