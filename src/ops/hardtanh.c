/* hardtanh.c: y = x held between two numbers, −1 and 1. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* min_val > max_val gives max_val, as in PyTorch; NaN stays. */
static double held(const hd_hardtanh_args *o, double x) {
    const double y = x < o->min_val ? o->min_val : x;
    return y > o->max_val ? o->max_val : y;
}

HD_OPTION_OP(hardtanh, HD_OP_KINK, held(o, x),
             hd_band_grad(x, dy, .low = hd_explicit(o->min_val), .high = hd_explicit(o->max_val)),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_hardtanh_args, min_val, .def = -1,
                                                      .help = "the smallest result"),
                                            HD_OPTION(FLOAT, hd_hardtanh_args, max_val, .def = 1,
                                                      .help = "the largest result"),
                                            HD_OPTION_END},
             .formula = "y = min(max(x, min_val), max_val)",
             .source = "Collobert: Large scale machine learning, 2004; as torch.nn.Hardtanh", .onnx = "Clip",
             .doc = "A tanh of three straight pieces. Its derivative at the two corners is taken as 0.",
             .samples = HD_UNARY_SAMPLES_WITH(":away", "min_val=0.05 max_val=0.7", {"f32[3]={-3 0.5 2}", "{-1 0.5 1}"},
                                              {"f32[3]={-3 0.5 2} | min_val=-2 max_val=0.25", "{-2 0.25 0.25}"}))
