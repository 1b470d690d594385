/* sigmoid.c: y = 1 / (1 + e⁻ˣ) and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* ∂/∂y of dy y (1 − y) is dy (1 − 2y). 1 / (1 + e⁻ˣ) does not overflow: e⁻ˣ = ∞ gives 0. */
HD_ACT_BACKWARD_OP(sigmoid_grad, 0, dy *y *(1 - y), hd_mul(hd_mul(d, dy), hd_affine(y, .scale = -2, .shift = 1)),
                   hd_sigmoid_grad(y, d), .formula = "dx = dy y (1 − y)", .source = "derivative of sigmoid",
                   .doc = "Back-propagation through sigmoid, from its output.",
                   .samples = HD_BACKWARD_SAMPLES("", "", {"f32[3]={0.5 1 0.2}, f32[3]={4 6 10}", "{1 0 1.6}"}))
HD_UNARY_OP(sigmoid, 1 / (1 + exp(-x)), hd_sigmoid_grad(y, dy), .formula = "y = 1 / (1 + e⁻ˣ)",
            .source = "Verhulst 1845; as torch.sigmoid",
            .doc = "The logistic function: squeezes every number into 0 … 1, so that a result reads as a probability.",
            .onnx = "Sigmoid",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 4 -2}", "{0.5 0.9820137900 0.1192029220}"},
                                        {"f32[2]={-1000 1000}", "{0 1}"}))
