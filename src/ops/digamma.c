/* digamma.c: the derivatives of ln Γ: the first, ψ, and those of higher order. Knows nothing of backends. */
#include "ops/elementwise_kit.h"

#define PI 3.14159265358979323846

/* Far right by the asymptotic series, reached by ψ(x) = ψ(x + 1) − 1/x; left of 0 by ψ(1 − x) − ψ(x) = π cot πx
 * (Abramowitz, Stegun 6.3.5, 6.3.7, 6.3.18). */
static double digamma(double x) {
    static const double c[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
    double y = 0;
    if (x == 0) return copysign(INFINITY, -x);
    if (x < 0 && x == floor(x)) return NAN;
    if (x < 0) return digamma(1 - x) - PI / tan(PI * (x - nearbyint(x)));
    while (x < 10) {
        y -= 1 / x;
        x += 1;
    }
    double series = 0;
    const double z = 1 / (x * x);
    for (int i = 6; i >= 0; i--) series = z * (series + c[i]);
    return y + log(x) - 0.5 / x - series;
}

/* Hurwitz' ζ(s, x) = Σ (x + k)^−s by the formula of Euler and Maclaurin: ten terms, then the integral, half a term and
 * B₂ₖ/(2k)! times the derivatives. */
static double zeta(double s, double x) {
    static const double c[] = {1.0 / 12,       -1.0 / 720,     1.0 / 30240,
                               -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000};
    double sum = 0, a = x, factor = s;
    for (int k = 0; k < 10 || a < 10; k++, a++) sum += pow(a, -s);
    double power = pow(a, -s);
    sum += power * a / (s - 1) + power / 2;
    for (int k = 0; k < 6; k++) {
        power /= a;
        sum += c[k] * factor * power;
        factor *= (s + 2 * k + 1) * (s + 2 * k + 2);
        power /= a;
    }
    return sum;
}

static double polygamma(int64_t n, double x) {
    if (n == 0) return digamma(x);
    if (x <= 0 && x == floor(x)) return n % 2 ? INFINITY : NAN;
    if (x < -1e6 || isnan(x)) return NAN; /* too many terms */
    const double y = isinf(x) ? 0 : tgamma((double)n + 1) * zeta((double)n + 1, x);
    return n % 2 ? y : -y;
}

HD_UNARY_OP(digamma, digamma(x), hd_mul(dy, hd_polygamma(x, .n = 1)), .formula = "y = ψ(x) = Γ'(x) / Γ(x)",
            .source = "as torch.digamma; Abramowitz, Stegun: Handbook of mathematical functions, 6.3",
            .doc = "The derivative of lgamma: infinite at 0, NaN at −1, −2 and so on.",
            .samples = HD_UNARY_SAMPLES(":pos", {"f32[4]={1 10 -0.5 0.5}",
                                                 "{-0.5772156649 2.2517525890 0.0364899740 -1.9635100260}"}))
HD_OPTION_OP(polygamma, 0, polygamma(o->n, x), hd_mul(dy, hd_polygamma(x, .n = o->n + 1)),
             .options = (const hd_option[]){HD_OPTION(INT, hd_polygamma_args, n, .min = 0, .max = 150,
                                                      .help = "order of the derivative"),
                                            HD_OPTION_END},
             .formula = "y = dⁿψ(x)/dxⁿ",
             .source = "as torch.polygamma; Abramowitz, Stegun: Handbook of mathematical functions, 6.4",
             .doc = "The n-th derivative of digamma.",
             .samples = HD_UNARY_SAMPLES_WITH(":pos", "n=3", {"f32[2]={1 2.5}", "{-0.5772156649 0.7031566406}"},
                                              {"f32[3]={1 2.5 -0.5} | n=1", "{1.6449340668 0.4903577561 8.9348022005}"},
                                              {"f32[2]={1 2.5} | n=2", "{-2.4041138063 -0.2362040516}"}))
