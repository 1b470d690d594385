/* task.c: from outputs to classes, scores and tallies. */
#include "train/task.h"
#include <math.h>
#include <string.h>

int64_t hd_task_columns(const hd_task *t) {
    return t->classes > 0 ? t->classes : t->outputs;
}

int64_t hd_task_choose(const hd_task *t, const float *y) {
    if (t->outputs == 1) return y[0] > (t->loss.form == HD_FORM_LOGITS ? 0.0f : 0.5f);
    int64_t best = 0;
    for (int64_t k = 1; k < t->outputs; k++)
        if (y[k] > y[best]) best = k;
    return best;
}

void hd_task_scores(const hd_task *t, const float *y, float *out) {
    if (t->classes == 2 && t->outputs == 1) {
        t->loss.scores(y, &out[1], 1);
        out[0] = 1 - out[1];
    } else {
        t->loss.scores(y, out, t->outputs);
    }
}

void hd_task_target(const hd_task *t, int64_t label, float *target) {
    const float no = t->loss.target == HD_TARGET_SIGN ? -1 : 0;
    for (int64_t k = 0; k < t->outputs; k++) target[k] = no;
    if (t->outputs > 1 || label > 0) target[t->outputs > 1 ? label : 0] = 1;
}

/* ---- tallies ---- */

hd_status hd_tally_init(hd_tally *s, hd_context *ctx, const hd_task *task, bool confusion) {
    const size_t targets = (size_t)(task->classes > 0 ? 0 : task->targets), classes = (size_t)task->classes;
    *s = (hd_tally){.task = task};
    s->row = hd_alloc_n(ctx, (size_t)task->outputs, 2 * sizeof *s->row);
    s->given = hd_alloc_n(ctx, (size_t)task->outputs, sizeof *s->given);
    if (targets > 0) {
        s->sum = hd_alloc_n(ctx, targets, sizeof *s->sum);
        s->sum2 = hd_alloc_n(ctx, targets, sizeof *s->sum2);
    }
    if (confusion && classes > 0) {
        s->confusion = hd_alloc_n(ctx, classes * classes, sizeof *s->confusion); /* classes ≤ 2^20 */
        s->scratch = hd_alloc_n(ctx, classes, sizeof *s->scratch);
    }
    if (!s->row || !s->given || (targets > 0 && (!s->sum || !s->sum2)) ||
        (confusion && classes > 0 && (!s->confusion || !s->scratch))) {
        hd_tally_free(s, ctx);
        return HD_E_MEMORY;
    }
    return HD_OK;
}

void hd_tally_free(hd_tally *s, hd_context *ctx) {
    hd_free(ctx, s->sum);
    hd_free(ctx, s->sum2);
    hd_free(ctx, s->confusion);
    hd_free(ctx, s->scratch);
    hd_free(ctx, s->row);
    hd_free(ctx, s->given);
    *s = (hd_tally){0};
}

void hd_tally_reset(hd_tally *s) {
    const hd_task *t = s->task;
    s->n = s->correct = s->hits = s->wrong = 0;
    s->loss = s->weight = s->square = s->fourth = s->absolute = s->part = 0;
    s->terms = s->term = s->term2 = 0;
    if (s->sum) memset(s->sum, 0, (size_t)t->targets * sizeof *s->sum);
    if (s->sum2) memset(s->sum2, 0, (size_t)t->targets * sizeof *s->sum2);
    if (s->confusion) memset(s->confusion, 0, (size_t)(t->classes * t->classes) * sizeof *s->confusion);
}

/* A program's own loss: of a class as numbers one output at a time, and the mean counts. */
static double own_loss_of(const hd_task *t, const float *y, const float *target, int64_t label) {
    const hd_loss_kind *own = t->loss.own;
    if (t->classes == 0 || !target) return own->value(y, target, label, t->outputs);
    double sum = 0;
    for (int64_t k = 0; k < t->outputs; k++) sum += own->value(&y[k], &target[k], 0, 1);
    return sum / (double)t->outputs;
}

static double loss_of(hd_tally *s, const float *y, const float *target, int64_t label) {
    if (s->task->loss.own) return own_loss_of(s->task, y, target, label);
    const int64_t n = s->task->outputs;
    double *row = s->row, *wanted = target ? row + n : NULL;
    for (int64_t k = 0; k < n; k++) row[k] = (double)y[k];
    for (int64_t k = 0; k < n && target; k++) wanted[k] = (double)target[k];
    const double loss = hd_loss_value(&s->task->use, row, wanted, label, n);
    return s->task->part ? loss * (double)n : loss;
}

void hd_tally_term(hd_tally *s, double loss) {
    s->terms++;
    s->term += loss;
    s->term2 += loss * loss;
}

static void add_loss(hd_tally *s, double loss) {
    s->loss += loss;
    hd_tally_term(s, loss);
}

static void add_class(hd_tally *s, const float *y, int64_t label, bool loss) {
    const hd_task *t = s->task;
    if (label < 0) return; /* padding */
    const int64_t chosen = hd_task_choose(t, y);
    s->n++;
    s->correct += chosen == label;
    if (s->confusion) s->confusion[label * t->classes + chosen]++;
    if (!loss) return;
    if (t->loss.target == HD_TARGET_CLASS) {
        const double weight = hd_loss_weight(&t->use, label);
        if (t->use.weight || t->use.ignored >= 0) s->weight += weight;
        if (weight > 0) add_loss(s, loss_of(s, y, NULL, label));
        return;
    }
    hd_task_target(t, label, s->given);
    add_loss(s, loss_of(s, y, s->given, 0));
}

static void add_values(hd_tally *s, const float *y, const float *values, bool loss) {
    const hd_task *t = s->task;
    const bool notes = hd_task_notes(t);
    if (notes && values[0] < 0) return; /* padding */
    s->n++;
    t->loss.scores(y, s->given, t->outputs);
    for (int64_t k = 0; k < t->targets; k++) {
        const double e = (double)s->given[k] - (double)values[k], v = (double)values[k];
        s->square += e * e;
        s->fourth += e * e * e * e;
        s->absolute += fabs(e);
        const bool said = s->given[k] > 0.5f, is = values[k] > 0.5f;
        s->hits += said && is;
        s->wrong += said != is;
        s->sum[k] += v;
        s->sum2[k] += v * v;
    }
    if (loss) add_loss(s, loss_of(s, y, values, 0) * (notes ? (double)t->outputs : 1));
}

void hd_tally_add(hd_tally *s, const float *y, const int64_t *label, const float *values, int64_t n, bool loss) {
    const hd_task *t = s->task;
    for (int64_t i = 0; i < n * hd_task_rows(t); i++) {
        if (t->classes > 0)
            add_class(s, y + i * t->outputs, label[i], loss);
        else
            add_values(s, y + i * t->outputs, values + i * t->targets, loss);
    }
}

void hd_tally_add_part(hd_tally *s, const float *part, int64_t n, bool loss) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)part[i];
    s->part += sum;
    if (loss) s->loss += sum;
}
