/* relu6.c: y = min(max(x, 0), 6). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_KINKED_UNARY_OP(relu6, x<0 ? 0 : x> 6 ? 6 : x, hd_band_grad(x, dy, .low = HD_ZERO, .high = 6),
                   .formula = "y = min(max(x, 0), 6)",
                   .source = "Krizhevsky: Convolutional deep belief networks on CIFAR-10, 2010",
                   .doc = "A relu that stops at 6, for numbers of few bits. Its derivative at 0 and 6 is taken as 0.",
                   .samples = HD_UNARY_SAMPLES(":away", {"f32[4]={-1 0 2 7}", "{0 0 2 6}"}))
