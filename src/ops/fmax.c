/* fmax.c: the larger of two; NaN counts as absent. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* a goes on where it is chosen: also at ties. */
static hd_val chosen(hd_val a, hd_val b) {
    return hd_logical_or(hd_ge(a, b), hd_ne(b, b));
}

HD_BINARY_NUMBER_OP(fmax, fmax(a, b), a > b ? a : b, hd_masked(chosen(a, b), dy),
                    hd_masked(hd_logical_not(chosen(a, b)), dy), .formula = "y = max(a, b)",
                    .source = "as torch.fmax; C99's fmax",
                    .doc = "The larger of a and b; where one is NaN, the other. At ties the gradient goes to a.",
                    .samples = HD_BINARY_SAMPLES("", "", {"f32[4]={1 -2 nan 3}, f32[4]={-1 5 1 nan}", "{1 5 1 3}"},
                                                 {"i64[2]={1 5}, i64[]={3}", "{3 5}"}))
