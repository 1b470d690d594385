/* sampling.c: drawing from logits: temperature, the k likeliest, the likeliest with a share p. Knows no model. */
#include "hadal/generate.h"
#include <math.h>

/* The value of the k-th largest; what equals it counts too. */
static double kth_largest(const double *p, int64_t n, int64_t k) {
    double limit = INFINITY;
    for (int64_t taken = 0; taken < k;) { /* down from one value to the next smaller */
        double next = -1;
        int64_t same = 0;
        for (int64_t i = 0; i < n; i++) {
            if (p[i] >= limit || p[i] < next) continue;
            same = p[i] > next ? 1 : same + 1;
            next = p[i];
        }
        if (next < 0) return limit;
        limit = next;
        taken += same;
    }
    return limit;
}

/* The smallest probability that counts so that those that do have the share together. */
static double share_limit(const double *p, int64_t n, double share) {
    double limit = INFINITY, sum = 0;
    while (sum < share) {
        double next = -1;
        for (int64_t i = 0; i < n; i++)
            if (p[i] < limit && p[i] > next) next = p[i];
        if (next <= 0) return 0;
        for (int64_t i = 0; i < n; i++)
            if (p[i] == next) sum += p[i];
        limit = next;
    }
    return limit;
}

/* Probabilities of the logits; returns the number of the largest. */
static int64_t soften(const float *logits, int64_t n, double temperature, double *p) {
    int64_t best = 0;
    double sum = 0;
    for (int64_t i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    for (int64_t i = 0; i < n; i++) sum += p[i] = exp(((double)logits[i] - (double)logits[best]) / temperature);
    for (int64_t i = 0; i < n; i++) p[i] /= sum;
    return best;
}

int64_t hd_sample_logits(const float *logits, int64_t n, const hd_generator_args *a, double uniform, double *p) {
    const bool coldest = a->temperature == 0 && 1 / a->temperature < 0;
    const int64_t best = soften(logits, n, a->temperature > 0 ? a->temperature : 1, p);
    double limit = 0, sum = 0;
    if (coldest || n < 1) return best;
    if (a->top_k > 0 && a->top_k < n) limit = kth_largest(p, n, a->top_k);
    if (a->top_p > 0 && a->top_p < 1) limit = fmax(limit, share_limit(p, n, a->top_p));
    for (int64_t i = 0; i < n; i++) sum += p[i] >= limit ? p[i] : 0;
    double left = uniform * sum;
    int64_t last = best;
    for (int64_t i = 0; i < n; i++) {
        if (p[i] < limit || p[i] == 0) continue;
        last = i;
        left -= p[i];
        if (left < 0) break;
    }
    return last;
}
