/* gelu.c: y = x Φ(x) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#define ROOT_HALF       0.70710678118654752440 /* √½ */
#define ROOT_TWO_PI_INV 0.39894228040143267794 /* 1/√(2π) */
#define ROOT_TWO_PI     0.79788456080286535588 /* √(2/π) */
#define CUBE            0.044715

static const char *const approximations[] = {"none", "tanh", NULL};
#define GELU_OPTIONS                                                                                                   \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(ENUM, hd_gelu_args, approximate, .choices = approximations,                                          \
                  .help = "none, or tanh: the formula of the first paper"),                                            \
            HD_OPTION_END                                                                                              \
    }

/* Φ(x) by erfc keeps its digits far left; the limit at −∞ is 0. ½(1 + tanh u) is σ(2u). */
static double gelu(const hd_gelu_args *o, double x) {
    if (x < -1e4) return -0.0;
    if (!o->approximate) return 0.5 * x * erfc(-x * ROOT_HALF);
    return x / (1 + exp(-2 * ROOT_TWO_PI * (x + CUBE * x * x * x)));
}

static double gelu_slope(const hd_gelu_grad_args *o, double x) {
    if (fabs(x) > 1e4) return x > 0;
    if (!o->approximate) return 0.5 * erfc(-x * ROOT_HALF) + x * ROOT_TWO_PI_INV * exp(-0.5 * x * x);
    const double s = 1 / (1 + exp(-2 * ROOT_TWO_PI * (x + CUBE * x * x * x)));
    return s + x * s * (1 - s) * 2 * ROOT_TWO_PI * (1 + 3 * CUBE * x * x);
}

/* The derivative of the slope: (2 − x²) φ(x), or by the product rule with s = σ(v): 2 s' v' + x (s'' v'² + s' v''),
 * where s' = s (1 − s) and s'' = s' (1 − 2s). */
static hd_val gelu_bend(const hd_gelu_grad_args *o, hd_val x) {
    const hd_val square = hd_square(x);
    if (!o->approximate)
        return hd_mul(hd_affine(square, .scale = -ROOT_TWO_PI_INV, .shift = 2 * ROOT_TWO_PI_INV),
                      hd_exp(hd_affine(square, .scale = -0.5)));
    const double k = 2 * ROOT_TWO_PI;
    const hd_val v = hd_mul(x, hd_affine(square, .scale = k * CUBE, .shift = k)), s = hd_sigmoid(v);
    const hd_val dv = hd_affine(square, .scale = 3 * k * CUBE, .shift = k), ddv = hd_affine(x, .scale = 6 * k * CUBE);
    const hd_val ds = hd_mul(s, hd_affine(s, .scale = -1, .shift = 1)),
                 dds = hd_mul(ds, hd_affine(s, .scale = -2, .shift = 1));
    const hd_val curve = hd_add(hd_mul(dds, hd_square(dv)), hd_mul(ds, ddv));
    return hd_add(hd_affine(hd_mul(ds, dv), .scale = 2), hd_mul(x, curve));
}

HD_OPTION_OP(gelu, 0, gelu(o, x), hd_gelu_grad(x, dy, .approximate = o->approximate), .options = GELU_OPTIONS,
             .formula = "y = x Φ(x) = ½ x (1 + erf(x/√2))",
             .source = "Hendrycks, Gimpel: Gaussian error linear units, arXiv:1606.08415", .onnx = "Gelu",
             .doc = "Weighs every element by the probability that a normal number lies below it: a smooth relu. "
                    "approximate=tanh takes y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).",
             .samples = HD_UNARY_SAMPLES_WITH("", "approximate=tanh",
                                              {"f32[4]={0 1 -2 -1000}", "{0 0.8413447461 -0.0455002639 0}"},
                                              {"f32[3]={0 1 -2} | approximate=tanh", "{0 0.8411919906 -0.0454023059}"}))
HD_BACKWARD_OP(gelu_grad, hd_gelu_grad_args, 0, dy *gelu_slope(o, x), hd_mul(hd_mul(d, dy), gelu_bend(o, x)),
               hd_gelu_grad(x, d, .approximate = o->approximate),
               .options = (const hd_option[]){HD_OPTION(ENUM, hd_gelu_grad_args, approximate, .choices = approximations,
                                                        .help = "as of gelu"),
                                              HD_OPTION_END},
               .formula = "dx = dy (Φ(x) + x φ(x))", .source = "derivative of gelu",
               .doc = "Back-propagation through gelu, from its input.",
               .samples = HD_BACKWARD_SAMPLES("", " | approximate=tanh",
                                              {"f32[2]={0 1}, f32[2]={4 1}", "{2 1.0833154706}"},
                                              {"f32[3,5], f32[3,5]", NULL}))
