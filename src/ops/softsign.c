/* softsign.c: y = x / (1 + |x|). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(softsign, isinf(x) ? copysign(1, x) : x / (1 + fabs(x)),
            hd_div(dy, hd_square(hd_affine(hd_abs(x), .shift = 1))), .formula = "y = x / (1 + |x|)",
            .source = "Bergstra, Desjardins, Lamblin, Bengio: Quadratic polynomials learn better image features, 2009; "
                      "as torch.nn.Softsign",
            .onnx = "Softsign", .doc = "Squeezes every number into −1 … 1, more slowly than tanh.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -3}", "{0 0.5 -0.75}"}))
