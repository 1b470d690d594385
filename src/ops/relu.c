/* relu.c: y = max(x, 0) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* dx is linear in dy and constant in y almost everywhere. */
HD_ACT_BACKWARD_OP(relu_grad, HD_OP_KINK, y > 0 ? dy : 0, (hd_val){0}, hd_relu_grad(y, d),
                   .formula = "dx = y > 0 ? dy : 0", .source = "derivative of relu",
                   .doc = "Back-propagation through relu, from its output.",
                   .samples = HD_BACKWARD_SAMPLES(":away", "", {"f32[3]={0 1 2}, f32[3]={5 6 7}", "{0 6 7}"}))
HD_KINKED_UNARY_OP(
    relu, x > 0 || isnan(x) ? x : 0, hd_relu_grad(y, dy), .formula = "y = max(x, 0)",
    .source = "Nair, Hinton: Rectified linear units improve restricted Boltzmann machines, ICML 2010",
    .doc = "Rectified linear unit: passes what is positive, stops the rest. Its derivative at 0 is taken as 0.",
    .onnx = "Relu", .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-1 0 2 -0.5}", "{0 0 2 0}"}))
