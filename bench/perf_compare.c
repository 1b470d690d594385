/* perf_compare.c: owns the judgement over two runs: which rows are slower than noise can explain.
 *
 * A side's noise is the distance of the quartiles of its rounds' medians, divided by their median; of fewer than three
 * rounds the mean of these distances inside the rounds. The band of a row is 1.5 times both together (the root of the
 * sum of squares; 1.5 is Tukey's fence for outliers). A row is slower when the ratio of the medians is above 1.10 and
 * above 1 + band: below 10 % nothing is flagged, and noise is no excuse for more than it can explain. Nothing is
 * normalised by machine or ceiling: where these differ, a warning says so. */
#include "perf.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double LIMIT = 0.10, FENCE = 1.5, CEILING_LIMIT = 0.05;

typedef enum verdict { SAME, FASTER, UNCLEAR, SLOWER, GONE, FRESH } verdict;
static const char *const verdicts[] = {[SAME] = "same",     [FASTER] = "faster", [UNCLEAR] = "within noise",
                                       [SLOWER] = "SLOWER", [GONE] = "GONE",     [FRESH] = "new"};

typedef struct judged {
    const perf_row *old, *new; /* NULL: there is none */
    double ratio, band;
    verdict verdict;
} judged;

static double width(const perf_spread *s) {
    return s->median > 0 ? (s->q3 - s->q1) / s->median : 0;
}

static double noise(const perf_row *row) {
    double sum = 0;
    if (row->rounds >= 3) {
        double median[PERF_MOST_ROUNDS];
        for (int i = 0; i < row->rounds; i++) median[i] = row->round[i].median;
        const perf_spread s = perf_spread_of(median, row->rounds);
        return width(&s);
    }
    for (int i = 0; i < row->rounds; i++) sum += width(&row->round[i]);
    return row->rounds ? sum / row->rounds : 0;
}

static judged judge(const perf_row *old, const perf_row *new) {
    judged j = {.old = old, .new = new, .verdict = old ? GONE : FRESH};
    if (!old || !new) return j;
    j.ratio = new->last.ms.median / old->last.ms.median;
    j.band = FENCE * hypot(noise(old), noise(new));
    const double beyond = j.ratio > 1 ? j.ratio - 1 : 1 / j.ratio - 1;
    if (beyond <= LIMIT)
        j.verdict = SAME;
    else if (beyond <= j.band)
        j.verdict = UNCLEAR;
    else
        j.verdict = j.ratio > 1 ? SLOWER : FASTER;
    return j;
}

static const perf_row *find(const perf_run *run, const char *name) {
    for (int i = 0; i < run->n; i++)
        if (strcmp(run->row[i].name, name) == 0) return &run->row[i];
    return NULL;
}

/* Row number i of both: those of the old run in its order, then what only the new one has. False past the end. */
static bool row_at(const perf_run *old, const perf_run *new, int i, judged *out) {
    if (i < old->n) {
        *out = judge(&old->row[i], find(new, old->row[i].name));
        return true;
    }
    for (int k = 0, seen = old->n; k < new->n; k++) {
        if (find(old, new->row[k].name) || seen++ < i) continue;
        *out = judge(NULL, &new->row[k]);
        return true;
    }
    return false;
}

/* ---- what makes two runs hard to compare ---- */

typedef struct teller {
    hd_text *out;
    hd_jw *json; /* NULL: text */
} teller;

static void warn(teller *t, const char *what, const char *old, const char *new) {
    hd_text line = {.ctx = t->out->ctx};
    hd_text_printf(&line, "%s: %s, now %s", what, old[0] ? old : "not said", new[0] ? new : "not said");
    if (t->json)
        hd_jw_string(t->json, hd_text_str(&line));
    else
        hd_text_printf(t->out, "warning: %s; nothing is normalised\n", hd_text_str(&line));
    hd_text_free(&line);
}

static void warn_text(teller *t, const char *what, const char *old, const char *new) {
    if (strcmp(old, new) != 0) warn(t, what, old, new);
}

static void warn_number(teller *t, const char *what, double old, double new, double limit) {
    char a[32], b[32];
    if (old == new || (old > 0 && fabs(new / old - 1) <= limit)) return;
    (void)snprintf(a, sizeof a, "%.4g", old);
    (void)snprintf(b, sizeof b, "%.4g", new);
    warn(t, what, a, b);
}

static void warn_all(teller *t, const perf_run *old, const perf_run *new) {
    warn_text(t, "another machine", old->machine, new->machine);
    warn_number(t, "processors", old->processors, new->processors, 0);
    warn_number(t, "threads", old->threads, new->threads, 0);
    warn_text(t, "instruction set", old->isa, new->isa);
    warn_text(t, "oneDNN", old->onednn, new->onednn);
    warn_text(t, "compiler", old->compiler, new->compiler);
    warn_number(t, "FMA ceiling, GFLOP/s", 1e-9 * old->most.f32_flops, 1e-9 * new->most.f32_flops, CEILING_LIMIT);
    warn_number(t, "bf16 ceiling, GFLOP/s", 1e-9 * old->most.bf16_flops, 1e-9 * new->most.bf16_flops, CEILING_LIMIT);
    warn_number(t, "memory, GB/s", 1e-9 * old->most.memory_bytes, 1e-9 * new->most.memory_bytes, 3 * CEILING_LIMIT);
}

/* ---- the two forms ---- */

static void cell(char *text, size_t size, const perf_row *row) {
    (void)snprintf(text, size, row ? "%.4g" : "-", row ? row->last.ms.median : 0);
}

static void tell_row(hd_text *out, const judged *j) {
    char old[32], new[32];
    cell(old, sizeof old, j->old);
    cell(new, sizeof new, j->new);
    hd_text_printf(out, "%-26s %12s %12s ", j->old ? j->old->name : j->new->name, old, new);
    if (j->old && j->new)
        hd_text_printf(out, "%8.3f %7.1f%% ", j->ratio, 100 * j->band);
    else
        hd_text_printf(out, "%8s %8s ", "-", "-");
    hd_text_printf(out, " %s\n", verdicts[j->verdict]);
}

static void json_number(hd_jw *w, const char *key, bool known, double value) {
    hd_jw_key(w, key);
    if (known)
        hd_jw_number(w, value);
    else
        hd_jw_null(w);
}

static void json_row(hd_jw *w, const judged *j) {
    hd_jw_begin(w, '{');
    hd_jw_key(w, "name");
    hd_jw_string(w, j->old ? j->old->name : j->new->name);
    json_number(w, "old_ms", j->old, j->old ? j->old->last.ms.median : 0);
    json_number(w, "new_ms", j->new, j->new ? j->new->last.ms.median : 0);
    json_number(w, "ratio", j->old && j->new, j->ratio);
    json_number(w, "band", j->old && j->new, j->band);
    hd_jw_key(w, "verdict");
    hd_jw_string(w, verdicts[j->verdict]);
    hd_jw_end(w);
}

static void json_dates(hd_jw *w, const perf_run *old, const perf_run *new) {
    hd_jw_key(w, "old_date");
    hd_jw_string(w, old->date);
    hd_jw_key(w, "new_date");
    hd_jw_string(w, new->date);
    hd_jw_key(w, "warnings");
}

hd_status perf_compare(hd_text *out, const perf_run *old, const perf_run *new, bool json) {
    if (old->infer != new->infer || strcmp(old->precision, new->precision) != 0)
        return hd_fail(out->ctx, HD_E_DATA,
                       "--compare|the old run is of %s in %s, the new one of %s in %s|Measure both with the same flags",
                       old->infer ? "inference" : "training", old->precision, new->infer ? "inference" : "training",
                       new->precision);
    hd_jw w = {.out = out};
    teller t = {out, json ? &w : NULL};
    if (json) {
        hd_jw_begin(&w, '{');
        json_dates(&w, old, new);
        hd_jw_begin(&w, '[');
    }
    warn_all(&t, old, new);
    if (json) {
        hd_jw_end(&w);
        hd_jw_key(&w, "rows");
        hd_jw_begin(&w, '[');
    } else
        hd_text_printf(out, "%-26s %12s %12s %8s %8s  verdict\n", "median of rounds", "old, ms", "new, ms", "new/old",
                       "band");
    int count[FRESH + 1] = {0}, i = 0;
    for (judged j; row_at(old, new, i, &j); i++) {
        count[j.verdict]++;
        if (json)
            json_row(&w, &j);
        else
            tell_row(out, &j);
    }
    const int flagged = count[SLOWER] + count[GONE];
    if (json) {
        hd_jw_end(&w);
        hd_jw_key(&w, "flagged");
        hd_jw_int(&w, flagged);
        hd_jw_end(&w);
        hd_text_puts(out, "\n");
    } else
        hd_text_printf(
            out,
            "%d of %d flagged: %d more than %.0f %% slower and beyond the band, %d gone; %d faster, %d within "
            "noise\n",
            flagged, i, count[SLOWER], 100 * LIMIT, count[GONE], count[FASTER], count[UNCLEAR]);
    return flagged ? HD_E_CHECK : HD_OK;
}
