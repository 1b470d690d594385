/* copysign.c: the size of a with the sign of b. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* y / a is ±1; at a = 0 there is no derivative, and none flows. */
static hd_val turn(hd_val a, hd_val y) {
    const hd_val zero = hd_number(a, 0);
    return hd_where(hd_eq(a, zero), zero, hd_div(y, a));
}

HD_KINKED_BINARY_OP(copysign, copysign(a, b), hd_mul(dy, turn(a, y)), (hd_val){0}, .formula = "y = |a| sign(b)",
                    .source = "as torch.copysign; C99's copysign",
                    .doc = "The absolute value of a with the sign of b, also of a negative zero.",
                    .samples = HD_BINARY_SAMPLES(":away", ":away",
                                                 {"f32[3]={1 -2 3}, f32[3]={-1 5 -0.0}", "{-1 2 -3}"}))
