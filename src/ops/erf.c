/* erf.c: y = erf x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(
    erf, erf(x), hd_mul(dy, hd_affine(hd_exp(hd_neg(hd_square(x))), .scale = 1.1283791670955126)),
    .formula = "y = 2/√π ∫₀ˣ e^(−t²) dt", .source = "Gauss; as torch.erf", .onnx = "Erf",
    .doc = "The error function: the probability that a normal number lies within x√2 of its mean, with the sign of x.",
    .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -0.5}", "{0 0.84270079295 -0.52049987781}"}))
