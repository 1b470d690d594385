/* elu.c: relus with an exponential left of 0: elu, celu, selu, and the backward op that they share. Knows nothing of
 * backends. */
#include "ops/elementwise_kit.h"

/* x > 0: scale·dy; else scale·alpha·input_scale·dy·e^(input_scale·x). */
static double slope(const hd_elu_grad_args *o, double x) {
    return x > 0 ? o->scale : o->scale * o->alpha * o->input_scale * exp(o->input_scale * x);
}

/* The slope's own derivative: input_scale times it left of 0, none right of it. */
static hd_val again(const hd_elu_grad_args *o, hd_val x, hd_val d) {
    return hd_elu_grad(x, d, .alpha = hd_explicit(o->alpha), .scale = o->scale, .input_scale = o->input_scale);
}
static hd_val bend(const hd_elu_grad_args *o, hd_val x, hd_val d) {
    return hd_band_grad(x, hd_affine(again(o, x, d), .scale = o->input_scale), .high = HD_ZERO, .closed = true);
}

/* Klambauer, Unterthiner, Mayr, Hochreiter 2017: they make mean 0 and variance 1 a fixed point. */
#define SELU_ALPHA 1.6732632423543772848
#define SELU_SCALE 1.0507009873554804934

HD_OPTION_OP(elu, HD_OP_KINK, x > 0 ? x : o->alpha * expm1(x), hd_elu_grad(x, dy, .alpha = hd_explicit(o->alpha)),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_elu_args, alpha, .def = 1,
                                                      .help = "−alpha is the limit far left"),
                                            HD_OPTION_END},
             .formula = "y = x > 0 ? x : alpha (eˣ − 1)",
             .source = "Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential "
                       "linear units, arXiv:1511.07289",
             .onnx = "Elu", .doc = "Exponential linear unit: passes what is positive, bends the rest towards −alpha.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "alpha=0.5", {"f32[3]={-1 0 2}", "{-0.6321205588 0 2}"},
                                              {"f32[2]={-1 2} | alpha=2", "{-1.2642411177 2}"}))
HD_OPTION_OP(celu, HD_OP_KINK, x > 0 ? x : o->alpha * expm1(x / o->alpha),
             hd_elu_grad(x, dy, .alpha = o->alpha, .input_scale = 1 / o->alpha),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_celu_args, alpha, .def = 1, .min = 1e-6, .max = 1e6,
                                                      .help = "−alpha is the limit far left"),
                                            HD_OPTION_END},
             .formula = "y = x > 0 ? x : alpha (e^(x/alpha) − 1)",
             .source = "Barron: Continuously differentiable exponential linear units, arXiv:1704.07483", .onnx = "Celu",
             .doc = "An elu whose slope is 1 on both sides of 0 for every alpha.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "alpha=0.5", {"f32[3]={-1 0 2}", "{-0.6321205588 0 2}"},
                                              {"f32[2]={-1 2} | alpha=2", "{-0.7869386806 2}"}))
HD_KINKED_UNARY_OP(
    selu, SELU_SCALE *(x > 0 ? x : SELU_ALPHA * expm1(x)), hd_elu_grad(x, dy, .alpha = SELU_ALPHA, .scale = SELU_SCALE),
    .formula = "y = 1.0507 (x > 0 ? x : 1.6733 (eˣ − 1))",
    .source = "Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks, arXiv:1706.02515",
    .onnx = "Selu", .doc = "A scaled elu that drives what flows through a deep network to mean 0 and variance 1.",
    .samples = HD_UNARY_SAMPLES(":away", {"f32[3]={-1 0 2}", "{-1.1113307378 0 2.1014019747}"}))
HD_BACKWARD_OP(elu_grad, hd_elu_grad_args, HD_OP_KINK, dy *slope(o, x), bend(o, x, hd_mul(d, dy)), again(o, x, d),
               .options = (const hd_option[]){HD_OPTION(FLOAT, hd_elu_grad_args, alpha, .def = 1, .help = "as of elu"),
                                              HD_OPTION(FLOAT, hd_elu_grad_args, scale, .def = 1,
                                                        .help = "of the whole"),
                                              HD_OPTION(FLOAT, hd_elu_grad_args, input_scale, .def = 1,
                                                        .help = "of x in the exponent"),
                                              HD_OPTION_END},
               .formula = "dx = scale·dy·(x > 0 ? 1 : alpha·input_scale·e^(input_scale·x))",
               .source = "derivative of elu, celu and selu",
               .doc = "Back-propagation through elu, celu and selu, from their input.",
               .samples = HD_BACKWARD_SAMPLES(":away", " | alpha=0.5 scale=2 input_scale=0.7",
                                              {"f32[2]={-1 2}, f32[2]={2 3}", "{0.7357588823 3}"}))
