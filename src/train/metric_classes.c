/* metric_classes.c: metrics of classes with their 95 % intervals. */
#include "train/task.h"
#include <math.h>

static const double z = 1.959963984540054; /* Φ⁻¹(0.975) */

static double clamp01(double v) {
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static hd_metric accuracy(const hd_tally *t) {
    const double n = (double)t->n, p = (double)t->correct / n, zz = z * z;
    const double middle = (p + zz / (2 * n)) / (1 + zz / n);
    const double half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n));
    return (hd_metric){.value = p, .low = clamp01(middle - half), .high = clamp01(middle + half)};
}

const hd_metric_kind hd_metric_accuracy = {
    .name = "accuracy",
    .classes = true,
    .higher_better = true,
    .usual = true,
    .formula = "correct / n",
    .source = "interval: Wilson: Probable inference, the law of succession, and statistical inference, JASA 22, 1927",
    .measure = accuracy,
};

/* F1 of class i is 2 p_ii / s_i with s_i = p_i. + p_.i; macro F1 is their mean over the classes that occur. The
 * interval is the delta method's: the variance of g over cells, g_ij = ∂F1/∂p_ij = (2 δ_ij / s_i − 2 p_ii / s_i² − 2
 * p_jj / s_j²) / r. */
static hd_metric f1(const hd_tally *t) {
    const int64_t c = t->task->classes;
    const double n = (double)t->n;
    double *slope = t->scratch, sum = 0, present = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < c; i++) {
        double s = 0;
        for (int64_t k = 0; k < c; k++) s += (double)(t->confusion[i * c + k] + t->confusion[k * c + i]) / n;
        const double pii = (double)t->confusion[i * c + i] / n;
        slope[i] = s > 0 ? -2 * pii / (s * s) : 0;
        if (s > 0) sum += 2 * pii / s, present++;
    }
    const double r = present > 0 ? present : 1, value = sum / r;
    for (int64_t i = 0; i < c; i++)
        for (int64_t j = 0; j < c; j++) {
            const double p = (double)t->confusion[i * c + j] / n;
            if (p == 0) continue;
            /* 2 / s_i, from the slope −2 p_ii / s_i²: on the diagonal p_ii > 0 here. */
            const double own = i == j ? sqrt(-2 * slope[i] / p) : 0;
            const double g = (own + slope[i] + slope[j]) / r;
            mean += p * g;
            square += p * g * g;
        }
    const double half = z * sqrt(fmax(0, square - mean * mean) / n);
    return (hd_metric){.value = value, .low = clamp01(value - half), .high = clamp01(value + half)};
}

const hd_metric_kind hd_metric_f1 = {
    .name = "f1",
    .classes = true,
    .higher_better = true,
    .confusion = true,
    .formula = "mean over classes of 2 · precision · recall / (precision + recall)",
    .source = "interval: Takahashi, Yamamoto, Kuchiba, Koyama: Confidence interval for micro-averaged F1 and "
              "macro-averaged F1 scores, Applied Intelligence 52, 2022",
    .measure = f1,
};
