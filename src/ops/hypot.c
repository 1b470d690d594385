/* hypot.c: y = √(a² + b²). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_BINARY_OP(hypot, hypot(a, b), hd_mul(dy, hd_div(a, y)), hd_mul(dy, hd_div(b, y)), .formula = "y = √(a² + b²)",
             .source = "as torch.hypot; C99's hypot",
             .doc = "The length of the hypotenuse, without overflow on the way.",
             .samples = HD_BINARY_SAMPLES(":away", ":away", {"f32[3]={3 -5 1e30}, f32[3]={4 12 0}", "{5 13 1e30}"}))
