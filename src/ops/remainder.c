/* remainder.c: the rest of a division, with the sign of b. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

static double rest(double a, double b) {
    const double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t whole_rest(int64_t a, int64_t b) {
    if (b == 0 || b == -1) return 0;
    const int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

HD_BINARY_NUMBER_OP(remainder, rest(a, b), whole_rest(a, b), dy, hd_neg(hd_mul(dy, hd_floor(hd_div(a, b)))),
                    .formula = "y = a − b·⌊a / b⌋", .source = "as torch.remainder; Python's %", .onnx = "Mod",
                    .doc = "The rest of a divided by b, with the sign of b; NaN where b is 0 (0 in whole numbers).",
                    .samples = HD_BINARY_SAMPLES("", ":away",
                                                 {"f32[4]={5 -5 5.5 -6}, f32[4]={3 3 -2 3}", "{2 1 -0.5 0}"},
                                                 {"i64[3]={-7 7 7}, i64[3]={3 -3 0}", "{2 -2 0}"}))
