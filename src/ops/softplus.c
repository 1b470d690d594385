/* softplus.c: y = ln(1 + eˣ), a smooth relu, and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#define SOFTPLUS_OPTIONS(args_)                                                                                        \
    (const hd_option[]) {                                                                                              \
        HD_OPTION(FLOAT, args_, beta, .def = 1, .min = 1e-6, .max = 1e6, .help = "sharpness of the bend"),             \
            HD_OPTION(FLOAT, args_, threshold, .def = 20, .help = "y = x where beta·x is above"), HD_OPTION_END        \
    }

/* max(z, 0) + ln(1 + e^−|z|): no overflow for large |z|. */
static double softplus(const hd_softplus_args *o, double x) {
    const double z = o->beta * x;
    if (z > o->threshold) return x;
    return ((z > 0 ? z : 0) + log1p(exp(-fabs(z)))) / o->beta;
}

static double softplus_slope(const hd_softplus_grad_args *o, double x) {
    const double z = o->beta * x;
    return z > o->threshold ? 1 : 1 / (1 + exp(-z));
}

/* d dy β s (1 − s) below the threshold, 0 above. */
static hd_val softplus_bend(const hd_softplus_grad_args *o, hd_val x, hd_val ddy) {
    const hd_val s = hd_sigmoid(hd_affine(x, .scale = o->beta)),
                 below = hd_affine(hd_sigmoid_grad(s, ddy), .scale = o->beta);
    return hd_band_grad(x, below, .high = hd_explicit(o->threshold / o->beta), .closed = true);
}

HD_OPTION_OP(
    softplus, 0, softplus(o, x), hd_softplus_grad(x, dy, .beta = o->beta, .threshold = hd_explicit(o->threshold)),
    .options = SOFTPLUS_OPTIONS(hd_softplus_args), .formula = "y = ln(1 + e^(beta·x)) / beta",
    .source = "Dugas, Bengio, Bélisle, Nadeau, Garcia: Incorporating second-order functional knowledge, NIPS 2000",
    .onnx = "Softplus", .doc = "A smooth relu: close to 0 far left, to x far right.",
    .samples = HD_UNARY_SAMPLES_WITH("", "beta=3 threshold=2", {"f32[3]={0 100 -100}", "{0.6931471806 100 0}"},
                                     {"f32[3]={1 3 -1} | beta=2 threshold=5", "{1.0634640055 3 0.0634640055}"}))
HD_BACKWARD_OP(softplus_grad, hd_softplus_grad_args, 0, dy *softplus_slope(o, x), softplus_bend(o, x, hd_mul(d, dy)),
               hd_softplus_grad(x, d, .beta = o->beta, .threshold = hd_explicit(o->threshold)),
               .options = SOFTPLUS_OPTIONS(hd_softplus_grad_args), .formula = "dx = dy / (1 + e^(−beta·x))",
               .source = "derivative of softplus", .doc = "Back-propagation through softplus, from its input.",
               .samples = HD_BACKWARD_SAMPLES("", " | beta=3 threshold=2", {"f32[2]={0 100}, f32[2]={4 1}", "{2 1}"}))
