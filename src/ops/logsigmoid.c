/* logsigmoid.c: y = ln σ(x). Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(logsigmoid, (x < 0 ? x : 0) - log1p(exp(-fabs(x))), hd_mul(dy, hd_sigmoid(hd_neg(x))),
            .formula = "y = −ln(1 + e⁻ˣ)", .source = "as torch.nn.LogSigmoid",
            .doc = "The logarithm of the sigmoid, without underflow far left.",
            .samples = HD_UNARY_SAMPLES("", {"f32[4]={0 1 -100 100}", "{-0.6931471806 -0.3132616875 -100 0}"}))
