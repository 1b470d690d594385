/* metric_values.c: metrics of numbers with their 95 % intervals, normal for means. */
#include "train/task.h"
#include <math.h>

static const double z = 1.959963984540054; /* Φ⁻¹(0.975) */

static double count_of(const hd_tally *t) {
    return (double)t->n * (double)t->task->targets;
}

/* Half the interval of a mean with these sums over n. */
static double half_width(double sum, double sum2, double n) {
    const double mean = sum / n;
    return z * sqrt(fmax(0, sum2 / n - mean * mean) / n);
}

static hd_metric rmse(const hd_tally *t) {
    const double n = count_of(t), mean = t->square / n, half = half_width(t->square, t->fourth, n);
    return (hd_metric){.value = sqrt(mean), .low = sqrt(fmax(0, mean - half)), .high = sqrt(mean + half)};
}

static hd_metric mse(const hd_tally *t) {
    const double n = count_of(t), mean = t->square / n, half = half_width(t->square, t->fourth, n);
    return (hd_metric){.value = mean, .low = fmax(0, mean - half), .high = mean + half};
}

const hd_metric_kind hd_metric_mse = {
    .name = "mse",
    .pictures = true,
    .formula = "mean (y − t)²",
    .source = "interval: normal approximation",
    .measure = mse,
};

const hd_metric_kind hd_metric_rmse = {
    .name = "rmse",
    .usual = true,
    .formula = "√ mean (y − t)²",
    .source = "interval: of the mean square error, by the normal approximation",
    .measure = rmse,
};

static hd_metric mae(const hd_tally *t) {
    const double n = count_of(t), mean = t->absolute / n, half = half_width(t->absolute, t->square, n);
    return (hd_metric){.value = mean, .low = fmax(0, mean - half), .high = mean + half};
}

const hd_metric_kind hd_metric_mae = {
    .name = "mae",
    .usual = true,
    .formula = "mean |y − t|",
    .source = "interval: normal approximation",
    .measure = mae,
};

static hd_metric r2(const hd_tally *t) {
    const double n = count_of(t), samples = (double)t->n;
    double total = 0;
    for (int64_t k = 0; k < t->task->targets; k++) total += t->sum2[k] - t->sum[k] * t->sum[k] / samples;
    if (total <= 0) {
        const double v = t->square == 0 ? 1 : 0;
        return (hd_metric){.value = v, .low = v, .high = v};
    }
    const double value = 1 - t->square / total, half = half_width(t->square, t->fourth, n) * n / total;
    return (hd_metric){.value = value, .low = value - half, .high = fmin(1, value + half)};
}

const hd_metric_kind hd_metric_r2 = {
    .name = "r2",
    .higher_better = true,
    .usual = true,
    .pictures = true,
    .formula = "1 − Σ (y − t)² / Σ (t − mean t)²",
    .source = "interval: of the mean square error, the variance of t taken as known",
    .measure = r2,
};
