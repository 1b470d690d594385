/* tanhshrink.c: y = x − tanh x. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

/* Near 0 by the series, because x and tanh x cancel. */
static double shrunk(double x) {
    const double z = x * x;
    if (fabs(x) > 0.03) return x - tanh(x);
    return x * z * (1.0 / 3 + z * (-2.0 / 15 + z * (17.0 / 315 + z * (-62.0 / 2835))));
}

HD_UNARY_OP(tanhshrink, shrunk(x), hd_mul(dy, hd_square(hd_tanh(x))), .formula = "y = x − tanh x",
            .source = "as torch.nn.Tanhshrink",
            .doc = "What tanh takes away: nothing of small numbers is left, all but 1 of large ones.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 1 -2 0.001}", "{0 0.2384058440 -1.0359724199 3.333332e-10}"}))
