/* erfc.c: y = 1 − erf x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(erfc, erfc(x), hd_mul(dy, hd_affine(hd_exp(hd_neg(hd_square(x))), .scale = -1.1283791670955126)),
            .formula = "y = 2/√π ∫ₓ^∞ e^(−t²) dt", .source = "as torch.erfc",
            .doc = "1 − erf x, without the cancellation far right.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 1 -0.5 5}", "{1 0.15729920705 1.5204998778 1.5374597944e-12}"}))
