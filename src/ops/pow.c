/* pow.c: y = aᵇ, of two tensors or with a number as the exponent. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* By squaring, wrapping; a negative exponent leaves what is a whole number. */
static uint64_t whole_power(int64_t a, int64_t b) {
    uint64_t y = 1, factor = (uint64_t)a;
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? UINT64_MAX : 1) : 0;
    for (; b; b >>= 1, factor *= factor)
        if (b & 1) y *= factor;
    return y;
}

static void pow_ref(const hd_ref *r) {
    const hd_pow_args *o = r->attr;
    if (r->in[1].data) {
        HD_BINARY_EACH(HD_FLOATS, double, pow(a, b))
        HD_BINARY_EACH(HD_INTEGERS, int64_t, whole_power(a, b))
        return;
    }
    for (int64_t i = 0; i < r->out[0].count; i++) hd_set(&r->out[0], i, pow(hd_get(&r->in[0], i), o->exponent));
}

static hd_status pow_infer(hd_infer *c) {
    if (!hd_absent(c, 1)) return hd_infer_binary(c);
    return hd_infer_unary_float(c);
}

/* ∂y/∂a = b aᵇ⁻¹, 0 where b = 0; ∂y/∂b = y ln a, 0 where a = 0 and b ≥ 0. */
static void pow_grad(hd_grad *c) {
    const hd_pow_args *o = c->attr;
    const hd_val a = c->in[0], b = c->in[1], dy = c->dout[0];
    if (hd_val_is_none(b)) {
        const double e = o->exponent;
        if (e == 0) return;
        const hd_val power = e == 2 ? a : hd_pow(a, .exponent = hd_explicit(e - 1));
        c->din[0] = hd_affine(hd_mul(dy, power), .scale = e);
        return;
    }
    const hd_val zero = hd_number(dy, 0);
    if (c->needs[0]) {
        const hd_val slope = hd_mul(b, hd_pow(a, hd_affine(b, .shift = -1)));
        c->din[0] = hd_unbroadcast(hd_where(hd_eq(b, zero), zero, hd_mul(dy, slope)), a);
    }
    if (c->needs[1]) {
        const hd_val flat = hd_logical_and(hd_eq(a, zero), hd_ge(b, zero));
        c->din[1] = hd_unbroadcast(hd_where(flat, zero, hd_mul(dy, hd_mul(c->out[0], hd_log(a)))), b);
    }
}

const hd_op hd_op_pow = {
    .name = "pow",
    .n_in = 1,
    .n_optional = 1,
    .n_out = 1,
    .in_names = HD_NAMES("a", "b"),
    .args_size = sizeof(hd_pow_args),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_pow_args, exponent, .def = 2,
                                             .help = "the exponent where b is not given"),
                                   HD_OPTION_END},
    .flags = HD_OP_ELEMENTWISE | HD_OP_BROADCAST | HD_OP_INPLACE,
    .infer = pow_infer,
    .grad = pow_grad,
    .ref = pow_ref,
    .formula = "y = aᵇ",
    .source = "as torch.pow; NumPy's broadcasting; special values of C99's pow",
    .doc = "a to the power of b, a tensor or a number. Integers wrap around; with a negative exponent they give 0, but "
           "1 and −1.",
    .onnx = "Pow",
    .samples = (const hd_sample[]){{"f32[3]={2 9 -2}, f32[3]={3 0.5 2}", "{8 3 4}"},
                                   {"f32[3]={1 2 -3}", "{1 4 9}"},
                                   {"f32[2]={4 0} | exponent=0.5", "{2 0}"},
                                   {"f32[2]={4 0} | exponent=0", "{1 1}"},
                                   {"i64[4]={2 -3 -1 5}, i64[4]={10 3 -3 -1}", "{1024 -27 -1 0}"},
                                   {"f32[2,3,5]:pos, f32[2,3,5]", NULL},
                                   {"f32[2,3,5]:pos, f32[3,1]", NULL},
                                   {"f32[]:pos, f32[2,2]", NULL},
                                   {"f32[0,3]:pos, f32[3]", NULL},
                                   {"f32[0,3] | exponent=3", NULL},
                                   {"f32[] | exponent=2", NULL},
                                   {"f32[2,3,5] | exponent=3", NULL},
                                   {"f32[2,3,5]:pos | exponent=-1.5", NULL},
                                   {"f32[2,3,5]:pos | exponent=1", NULL},
                                   {0}},
    .bad = (const hd_bad_sample[]){{"f32[2,3], f32[2]", "do not go together"},
                                   {"f32[2], i64[2]={1 2}", "a is f32, b is i64"},
                                   {"i64[2]={1 2} | exponent=2", "cast it first"},
                                   {0}},
};

HD_BUILDER(pow, hd_pow_args)
