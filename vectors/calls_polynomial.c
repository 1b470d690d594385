/* calls_polynomial.c: orthogonal polynomials p_n(x) by their recurrences. PyTorch takes n as a tensor; its numbers, cut
 * to whole ones, say how far the recurrence must go, and each element picks its own. Negative n: 0. */
#include "call_kit.h"

/* p_0 = 1, p_1 = a x + b, p_k+1 = ((A k + B) t p_k + (C k + D) p_k − k E p_k−1) / (F k + 1), t = x. */
typedef struct recurrence {
    double a, b, per_k, plain, c_k, c_plain, back, divide;
    double back_plain; /* added to k·back */
} recurrence;

static hd_val one_step(const recurrence *r, hd_val x, hd_val p, hd_val before, double k) {
    const double divisor = r->divide * k + 1, slope = (r->per_k * k + r->plain) / divisor,
                 constant = (r->c_k * k + r->c_plain) / divisor, back = (r->back * k + r->back_plain) / divisor;
    return hd_sub(hd_mul(kit_shift(kit_scale(x, slope), constant), p), kit_scale(before, back));
}

/* The largest n there is, for which the recurrence is unrolled. */
static int64_t largest(const vector_case *c, hd_val n) {
    const hd_dims d = hd_val_dims(n);
    const int64_t count = hd_dims_count(&d);
    double most = -1;
    for (int i = 0; i < c->n_in; i++)
        for (int64_t k = 0; c->in[i].val.id == n.id && k < count; k++) {
            const double v = vector_element(hd_val_dtype(n), c->in[i].data, k);
            if (v > most) most = v;
        }
    return most < 1000 ? (int64_t)most : 1000;
}

static void polynomial(vector_case *c, const recurrence *r, bool shifted) {
    hd_val x = vector_tensor(c, 0, "input");
    const hd_val n = vector_tensor(c, 1, "n");
    const hd_dims dx = hd_val_dims(x), dn = hd_val_dims(n);
    hd_dims both;
    if (c->why[0] || !vector_is_float(x) || !hd_dims_broadcast(&both, &dx, &dn)) {
        vector_unsupported(c, "those operands");
        return;
    }
    const int64_t most = largest(c, n);
    if (most > 100) vector_unsupported(c, "a degree of %lld", (long long)most);
    if (shifted) x = kit_shift(kit_scale(x, 2), -1);
    const hd_dtype t = hd_val_dtype(x);
    const hd_val whole = hd_trunc(vector_cast(n, t));
    hd_val y = vector_full(c, t, both, 0), p = hd_fill_like(x, .value = 1), before = p;
    for (int64_t k = 0; k <= most && !c->why[0]; k++) {
        y = hd_where(hd_eq(whole, vector_scalar(c, t, (double)k)), p, y);
        const hd_val next = k == 0 ? kit_shift(kit_scale(x, r->a), r->b) : one_step(r, x, p, before, (double)k);
        before = p;
        p = next;
    }
    vector_give(c, y);
}

#define POLYNOMIAL(name, shifted, ...)                                                                                 \
    static void call_##name(vector_case *c) {                                                                          \
        polynomial(c, &(const recurrence){__VA_ARGS__}, shifted);                                                      \
    }
POLYNOMIAL(chebyshev_t, false, .a = 1, .plain = 2, .back_plain = 1)
POLYNOMIAL(chebyshev_u, false, .a = 2, .plain = 2, .back_plain = 1)
POLYNOMIAL(chebyshev_v, false, .a = 2, .b = -1, .plain = 2, .back_plain = 1)
POLYNOMIAL(chebyshev_w, false, .a = 2, .b = 1, .plain = 2, .back_plain = 1)
POLYNOMIAL(shifted_t, true, .a = 1, .plain = 2, .back_plain = 1)
POLYNOMIAL(shifted_u, true, .a = 2, .plain = 2, .back_plain = 1)
POLYNOMIAL(shifted_v, true, .a = 2, .b = -1, .plain = 2, .back_plain = 1)
POLYNOMIAL(shifted_w, true, .a = 2, .b = 1, .plain = 2, .back_plain = 1)
POLYNOMIAL(hermite_h, false, .a = 2, .plain = 2, .back = 2)
POLYNOMIAL(hermite_he, false, .a = 1, .plain = 1, .back = 1)
POLYNOMIAL(laguerre_l, false, .a = -1, .b = 1, .plain = -1, .c_k = 2, .c_plain = 1, .back = 1, .divide = 1)
POLYNOMIAL(legendre_p, false, .a = 1, .per_k = 2, .plain = 1, .back = 1, .divide = 1)

const vector_entry vector_calls_polynomial[] = {
    {"special.chebyshev_polynomial_t", call_chebyshev_t},
    {"special.chebyshev_polynomial_u", call_chebyshev_u},
    {"special.chebyshev_polynomial_v", call_chebyshev_v},
    {"special.chebyshev_polynomial_w", call_chebyshev_w},
    {"special.shifted_chebyshev_polynomial_t", call_shifted_t},
    {"special.shifted_chebyshev_polynomial_u", call_shifted_u},
    {"special.shifted_chebyshev_polynomial_v", call_shifted_v},
    {"special.shifted_chebyshev_polynomial_w", call_shifted_w},
    {"special.hermite_polynomial_h", call_hermite_h},
    {"special.hermite_polynomial_he", call_hermite_he},
    {"special.laguerre_polynomial_l", call_laguerre_l},
    {"special.legendre_polynomial_p", call_legendre_p},
    {0},
};
