/* floor_divide.c: y = ⌊a / b⌋. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* By the rest, so that a quotient that is rounded up to a whole number is not taken for it. */
static double quotient(double a, double b) {
    if (b == 0) return a / b;
    const double r = fmod(a, b), q = (a - r) / b;
    return nearbyint(r != 0 && (r < 0) != (b < 0) ? q - 1 : q);
}

static int64_t whole_quotient(int64_t a, int64_t b) {
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

HD_BINARY_STEPS_OP(
    floor_divide, quotient(a, b), whole_quotient(a, b), .formula = "y = ⌊a / b⌋",
    .source = "as torch.floor_divide; Python's //",
    .doc =
        "The largest whole number that is not above the quotient; infinite or NaN where b is 0 (0 in whole numbers).",
    .samples = HD_BINARY_SAMPLES(":away", ":away", {"f32[4]={5 -5 5.5 6}, f32[4]={3 3 -2 3}", "{1 -2 -3 2}"},
                                 {"i64[3]={-7 7 7}, i64[3]={3 -3 0}", "{-3 -3 0}"}))
