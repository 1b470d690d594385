/* cosh.c: y = cosh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(cosh, cosh(x), hd_mul(dy, hd_sinh(x)), .formula = "y = (eˣ + e⁻ˣ) / 2", .source = "as torch.cosh",
            .onnx = "Cosh", .doc = "The hyperbolic cosine of every element.",
            .samples = HD_UNARY_SAMPLES("", {"f32[3]={0 1 -2}", "{1 1.5430806348 3.7621956911}"}))
