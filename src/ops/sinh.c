/* sinh.c: y = sinh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(sinh, sinh(x), hd_mul(dy, hd_cosh(x)), .formula = "y = (eˣ − e⁻ˣ) / 2", .source = "as torch.sinh",
            .onnx = "Sinh", .doc = "The hyperbolic sine of every element.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{0 1.1752011936 -3.6268604078}"}))
