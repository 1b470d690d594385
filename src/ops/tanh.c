/* tanh.c: y = tanh x and its backward op. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* ∂/∂y of dy (1 − y²) is −2 y dy. */
HD_ACT_BACKWARD_OP(tanh_grad, 0, dy *(1 - y * y), hd_affine(hd_mul(hd_mul(d, dy), y), .scale = -2), hd_tanh_grad(y, d),
                   .formula = "dx = dy (1 − y²)", .source = "derivative of tanh",
                   .doc = "Back-propagation through tanh, from its output.",
                   .samples = HD_BACKWARD_SAMPLES("", "", {"f32[3]={0 1 0.5}, f32[3]={5 6 4}", "{5 0 3}"}))
HD_UNARY_OP(tanh, tanh(x), hd_tanh_grad(y, dy), .formula = "y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
            .source = "LeCun, Bottou, Orr, Müller: Efficient backprop, 1998; as torch.tanh",
            .doc = "Hyperbolic tangent: squeezes every number into −1 … 1, centred at 0.", .onnx = "Tanh",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -0.5}", "{0 0.7615941560 -0.4621171573}"},
                                        {"f32[2]={-1000 1000}", "{-1 1}"}))
