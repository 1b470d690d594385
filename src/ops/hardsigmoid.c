/* hardsigmoid.c: y = relu6(x + 3) / 6. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static double pieces(double x) {
    if (x <= -3) return 0;
    return x >= 3 ? 1 : (x + 3) / 6;
}

/* The slope is a sixth in single precision, as PyTorch has it in all dtypes. */
HD_KINKED_UNARY_OP(hardsigmoid, pieces(x), hd_band_grad(x, dy, .low = -3, .high = 3, .inside = (double)(1 / 6.0f)),
                   .formula = "y = min(max(x + 3, 0), 6) / 6",
                   .source = "Courbariaux, Bengio, David: BinaryConnect, arXiv:1511.00363; as torch.nn.Hardsigmoid",
                   .doc = "A sigmoid of three straight pieces.",
                   .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-4 0 1.5 3}", "{0 0.5 0.75 1}"}))
