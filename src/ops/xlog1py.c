/* xlog1py.c: y = a ln(1 + b), 0 where a = 0. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* ∂y/∂a is 0 where the logarithm has no value and a = 0. */
static hd_val slope(hd_val a, hd_val b) {
    const hd_val flat = hd_logical_and(hd_eq(a, hd_number(a, 0)), hd_le(b, hd_number(b, -1)));
    return hd_where(flat, hd_number(b, 0), hd_log1p(b));
}

HD_BINARY_OP(xlog1py,
             isnan(b) ? b
             : a == 0 ? 0
                      : a * log1p(b),
             hd_mul(dy, slope(a, b)), hd_mul(dy, hd_div(a, hd_affine(b, .shift = 1))),
             .formula = "y = a ln(1 + b), 0 where a = 0", .source = "as torch.special.xlog1py",
             .doc = "a times the logarithm, with 0 ln 0 = 0, as entropies want it; NaN where b is.",
             .samples = HD_BINARY_SAMPLES("", ":pos", {"f32[3]={0 3 0}, f32[3]={-1 2 -5}", "{0 3.2958368660 0}"}))
