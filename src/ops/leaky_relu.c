/* leaky_relu.c: a relu that lets a little of the negative through. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_OPTION_OP(leaky_relu, HD_OP_KINK, x > 0 ? x : x * o->negative_slope,
             hd_band_grad(x, dy, .high = HD_ZERO, .inside = hd_explicit(o->negative_slope), .outside = 1,
                          .closed = true),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_leaky_relu_args, negative_slope, .def = 0.01,
                                                      .help = "slope for x < 0"),
                                            HD_OPTION_END},
             .formula = "y = x > 0 ? x : negative_slope·x",
             .source = "Maas, Hannun, Ng: Rectifier nonlinearities improve neural network acoustic models, 2013",
             .onnx = "LeakyRelu",
             .doc = "Passes what is positive and a small share of the rest, so that no unit dies. Its derivative at 0 "
                    "is the slope.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "negative_slope=0.2", {"f32[3]={-2 0 3}", "{-0.02 0 3}"},
                                              {"f32[2]={-2 3} | negative_slope=0", "{0 3}"}))
