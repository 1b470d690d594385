/* sqrt.c: y = √x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(sqrt, sqrt(x), hd_affine(hd_div(dy, y), .scale = 0.5), .formula = "y = √x", .source = "as torch.sqrt",
            .onnx = "Sqrt", .doc = "The square root of every element, NaN below 0. dx = dy/(2y), infinite at 0.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[4]={0 1 4 2}", "{0 1 2 1.414213562}"}))
