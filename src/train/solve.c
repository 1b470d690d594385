/* solve.c: Cholesky's decomposition and what it solves. Knows numbers only. */
#include "train/solve.h"
#include <math.h>
#include <string.h>

static bool factor(double *a, int64_t n) {
    for (int64_t j = 0; j < n; j++) {
        double *row = a + j * n, pivot = row[j];
        for (int64_t k = 0; k < j; k++) pivot -= row[k] * row[k];
        if (!(pivot > 0) || !isfinite(pivot)) return false;
        row[j] = sqrt(pivot);
        for (int64_t i = j + 1; i < n; i++) {
            double *below = a + i * n, sum = below[j];
            for (int64_t k = 0; k < j; k++) sum -= below[k] * row[k];
            below[j] = sum / row[j];
        }
    }
    return true;
}

bool hd_solve_positive(double *a, double *b, int64_t n) {
    if (!factor(a, n)) return false;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++) b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < n; k++) b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
}

bool hd_solve_damped(const double *a, double *b, int64_t n, double ridge, double *spare, double *b_spare) {
    double diagonal = 0;
    for (int64_t i = 0; i < n; i++) diagonal += a[i * n + i] / (double)n;
    if (!isfinite(diagonal)) return false;
    while (ridge < 1e6) {
        memcpy(spare, a, (size_t)(n * n) * sizeof *a);
        memcpy(b_spare, b, (size_t)n * sizeof *b);
        for (int64_t i = 0; i < n; i++) spare[i * n + i] += ridge * fmax(diagonal, 1e-300);
        if (hd_solve_positive(spare, b_spare, n)) {
            memcpy(b, b_spare, (size_t)n * sizeof *b);
            return true;
        }
        ridge = fmax(ridge * 100, 1e-14);
    }
    return false;
}
