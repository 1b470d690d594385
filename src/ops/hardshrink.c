/* hardshrink.c: y = |x| > lambd ? x : 0. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_OPTION_OP(hardshrink, HD_OP_KINK, fabs(x) <= o->lambd ? 0 : x,
             hd_band_grad(x, dy, .low = hd_explicit(-o->lambd), .high = hd_explicit(o->lambd), .inside = HD_ZERO,
                          .outside = 1, .closed = true),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_hardshrink_args, lambd, .def = 0.5, .min = 0,
                                                      .max = 1e30, .help = "half of the width of the gap"),
                                            HD_OPTION_END},
             .formula = "y = |x| > lambd ? x : 0", .source = "as torch.nn.Hardshrink", .onnx = "Shrink",
             .doc = "Sets small numbers to 0 and leaves the others as they are.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "lambd=0.07", {"f32[3]={-2 0.25 0.6}", "{-2 0 0.6}"},
                                              {"f32[2]={-1 2} | lambd=1", "{0 2}"}))
