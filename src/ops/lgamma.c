/* lgamma.c: y = ln |Γ(x)|. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

HD_UNARY_OP(
    lgamma, lgamma(x), hd_mul(dy, hd_digamma(x)), .formula = "y = ln |Γ(x)|", .source = "as torch.lgamma; C99's lgamma",
    .doc =
        "The logarithm of the absolute value of the gamma function, Γ(n) = (n − 1)!: infinite at 0, −1, −2 and so on.",
    .samples = HD_UNARY_SAMPLES(":pos", {"f32[4]={1 5 0.5 0}", "{0 3.1780538303 0.5723649429 inf}"}))
