/* nan_to_num.c: numbers in the place of NaN and the infinities. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#include <float.h>

/* ±∞ stand for the largest numbers of the dtype. */
static double number(const hd_nan_to_num_args *o, double x, double largest) {
    if (isnan(x)) return o->nan;
    if (!isinf(x)) return x;
    if (x > 0) return isinf(o->posinf) ? largest : o->posinf;
    return isinf(o->neginf) ? -largest : o->neginf;
}

HD_OPTION_OP(nan_to_num, HD_OP_KINK, number(o, x, sizeof(T) == sizeof(float) ? (double)FLT_MAX : DBL_MAX),
             ((void)o, hd_masked(hd_isfinite(x), dy)),
             .options = (const hd_option[]){HD_OPTION(FLOAT, hd_nan_to_num_args, nan, .help = "in the place of NaN"),
                                            HD_OPTION(FLOAT, hd_nan_to_num_args, posinf, .def = INFINITY,
                                                      .help = "in the place of ∞; ∞: the largest number of the dtype"),
                                            HD_OPTION(FLOAT, hd_nan_to_num_args, neginf, .def = -INFINITY,
                                                      .help = "in the place of −∞; −∞: the lowest number of the dtype"),
                                            HD_OPTION_END},
             .formula = "y = x where it is finite, else nan, posinf or neginf", .source = "as torch.nan_to_num",
             .doc = "Replaces what is no number, so that it does not spread. The gradient passes where x is finite.",
             .samples = HD_UNARY_SAMPLES_WITH("", "nan=2",
                                              {"f32[4]={1 nan inf -inf} | nan=7 posinf=8 neginf=9", "{1 7 8 9}"},
                                              {"f32[2]={nan -2}", "{0 -2}"}))
