/* metric_sequences.c: metrics of sequences of tokens, from the mean loss in nats. */
#include "train/task.h"
#include <math.h>

static const double z = 1.959963984540054; /* Φ⁻¹(0.975) */

/* Mean loss with its interval by the normal approximation. */
static hd_metric nats(const hd_tally *t) {
    const double value = t->loss / (t->weight > 0 ? t->weight : (double)t->n), n = t->terms > 0 ? t->terms : 1;
    const double mean = t->term / n, half = z * sqrt(fmax(0, t->term2 / n - mean * mean) / n);
    return (hd_metric){.value = value, .low = fmax(0, value - half), .high = value + half};
}

static hd_metric perplexity(const hd_tally *t) {
    const hd_metric m = nats(t);
    return (hd_metric){.value = exp(m.value), .low = exp(m.low), .high = exp(m.high)};
}

const hd_metric_kind hd_metric_perplexity = {
    .name = "perplexity",
    .classes = true,
    .positions = true,
    .usual = true,
    .formula = "exp(mean loss in nats)",
    .source =
        "Jelinek, Mercer, Bahl, Baker: Perplexity, a measure of the difficulty of speech recognition tasks, 1977; "
        "interval: of the mean loss, by the normal approximation",
    .measure = perplexity,
};

static hd_metric bits(const hd_tally *t) {
    const hd_metric m = nats(t);
    const double nat = log(2);
    return (hd_metric){.value = m.value / nat, .low = m.low / nat, .high = m.high / nat};
}

const hd_metric_kind hd_metric_bits = {
    .name = "bits",
    .classes = true,
    .positions = true,
    .usual = true,
    .formula = "mean loss in nats / ln 2, for each token",
    .source = "Shannon: A mathematical theory of communication, 1948; interval: normal approximation",
    .measure = bits,
};

/* The interval takes each note that is there, or said to be, for one drawing: those of a chord are not. */
static hd_metric frame_accuracy(const hd_tally *t) {
    const double all = (double)(t->hits + t->wrong), n = all > 0 ? all : 1, p = (double)t->hits / n;
    const double half = z * sqrt(p * (1 - p) / n);
    return (hd_metric){.value = p, .low = fmax(0, p - half), .high = fmin(1, p + half)};
}

const hd_metric_kind hd_metric_frame_accuracy = {
    .name = "frame_accuracy",
    .positions = true,
    .notes = true,
    .higher_better = true,
    .usual = true,
    .formula = "Σ notes there and said / Σ notes there or said",
    .source = "Bay, Ehmann, Downie: Evaluation of multiple-F0 estimation and tracking systems, ISMIR 2009; interval: "
              "normal approximation",
    .measure = frame_accuracy,
};
