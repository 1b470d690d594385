/* atan2.c: the angle of the point (b, a). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* b and −a over a² + b². */
static hd_val over_square(hd_val x, hd_val a, hd_val b) {
    return hd_div(x, hd_add(hd_square(a), hd_square(b)));
}

HD_BINARY_OP(
    atan2, atan2(a, b), hd_mul(dy, over_square(b, a, b)), hd_neg(hd_mul(dy, over_square(a, a, b))),
    .formula = "y = the angle of (b, a), −π … π", .source = "as torch.atan2; C99's atan2",
    .doc = "The angle from the first axis to the point with coordinates b and a: arctan(a/b) in the right quadrant.",
    .samples = HD_BINARY_SAMPLES(":away", ":away",
                                 {"f32[4]={0 1 1 -1}, f32[4]={1 0 1 -1}",
                                  "{0 1.5707963268 0.7853981634 -2.3561944902}"}))
