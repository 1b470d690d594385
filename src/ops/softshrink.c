/* softshrink.c: y = sign(x) max(|x| − lambd, 0). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_OPTION_OP(softshrink, HD_OP_KINK,
             x > o->lambd    ? x - o->lambd
             : x < -o->lambd ? x + o->lambd
                             : x * 0,
             hd_band_grad(x, dy, .low = hd_explicit(-o->lambd), .high = hd_explicit(o->lambd), .inside = HD_ZERO,
                          .outside = 1, .closed = true),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_softshrink_args, lambd, .def = 0.5, .min = 0,
                                                      .max = 1e30, .help = "half of the width of the gap"),
                                            HD_OPTION_END},
             .formula = "y = sign(x) max(|x| − lambd, 0)", .source = "as torch.nn.Softshrink; Donoho 1995",
             .onnx = "Shrink", .doc = "Moves every number towards 0 by lambd: the proximal step of an absolute value.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "lambd=0.07", {"f32[3]={-2 0.25 0.6}", "{-1.5 0 0.1}"},
                                              {"f32[2]={-1 2} | lambd=1", "{0 1}"}))
