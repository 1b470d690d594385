/* threshold.c: y = x above a threshold, a fixed value elsewhere. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_OPTION_OP(
    threshold, HD_OP_KINK, x <= o->threshold ? o->value : x,
    hd_band_grad(x, dy, .high = hd_explicit(o->threshold), .inside = HD_ZERO, .outside = 1, .closed = true),
    .options = (const hd_option[]){HD_OPTION(FLOAT, hd_threshold_args, threshold, .help = "what lies above passes"),
                                   HD_OPTION(FLOAT, hd_threshold_args, value, .help = "in the place of the rest"),
                                   HD_OPTION_END},
    .formula = "y = x > threshold ? x : value", .source = "as torch.nn.Threshold",
    .doc = "Passes what lies above the threshold and puts a fixed value in the place of the rest.",
    .samples = HD_UNARY_SAMPLES_WITH(":away", "threshold=0.05 value=-3", {"f32[3]={-1 0 2}", "{0 0 2}"},
                                     {"f32[3]={0.5 1 2} | threshold=1 value=-3", "{-3 -3 2}"}))
