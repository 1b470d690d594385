/* task.c: from outputs to classes, scores and tallies. */
#include "train/task.h"
#include <math.h>
#include <string.h>

int64_t hd_task_columns(const hd_task *t) {
    return t->classes > 0 ? t->classes : t->outputs;
}

int64_t hd_task_choose(const hd_task *t, const float *y) {
    if (t->outputs == 1) return y[0] > (t->loss->logits ? 0.0f : 0.5f);
    int64_t best = 0;
    for (int64_t k = 1; k < t->outputs; k++)
        if (y[k] > y[best]) best = k;
    return best;
}

static void scores_of(const hd_loss_kind *loss, const float *y, float *out, int64_t outputs) {
    if (loss->scores)
        loss->scores(y, out, outputs);
    else
        memcpy(out, y, (size_t)outputs * sizeof *out);
}

void hd_task_scores(const hd_task *t, const float *y, float *out) {
    if (t->classes == 2 && t->outputs == 1) {
        scores_of(t->loss, y, &out[1], 1);
        out[0] = 1 - out[1];
    } else {
        scores_of(t->loss, y, out, t->outputs);
    }
}

void hd_task_target(const hd_task *t, int64_t label, float *target) {
    if (t->outputs == 1) {
        target[0] = (float)label;
        return;
    }
    for (int64_t k = 0; k < t->outputs; k++) target[k] = 0;
    target[label] = 1;
}

/* ---- tallies ---- */

hd_status hd_tally_init(hd_tally *s, hd_context *ctx, const hd_task *task, bool confusion) {
    const size_t targets = (size_t)(task->classes > 0 ? 0 : task->targets), classes = (size_t)task->classes;
    *s = (hd_tally){.task = task};
    if (targets > 0) {
        s->sum = hd_alloc_n(ctx, targets, sizeof *s->sum);
        s->sum2 = hd_alloc_n(ctx, targets, sizeof *s->sum2);
    }
    if (confusion && classes > 0) {
        s->confusion = hd_alloc_n(ctx, classes * classes, sizeof *s->confusion); /* classes ≤ 2^20 */
        s->scratch = hd_alloc_n(ctx, classes, sizeof *s->scratch);
    }
    if ((targets > 0 && (!s->sum || !s->sum2)) || (confusion && classes > 0 && (!s->confusion || !s->scratch))) {
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
    *s = (hd_tally){0};
}

void hd_tally_reset(hd_tally *s) {
    const hd_task *t = s->task;
    s->n = s->correct = 0;
    s->loss = s->square = s->fourth = s->absolute = 0;
    if (s->sum) memset(s->sum, 0, (size_t)t->targets * sizeof *s->sum);
    if (s->sum2) memset(s->sum2, 0, (size_t)t->targets * sizeof *s->sum2);
    if (s->confusion) memset(s->confusion, 0, (size_t)(t->classes * t->classes) * sizeof *s->confusion);
}

static void add_class(hd_tally *s, const float *y, int64_t label, bool loss) {
    const hd_task *t = s->task;
    const int64_t chosen = hd_task_choose(t, y);
    s->correct += chosen == label;
    if (s->confusion) s->confusion[label * t->classes + chosen]++;
    if (!loss) return;
    if (t->loss->label) {
        s->loss += t->loss->value(y, NULL, label, t->outputs);
        return;
    }
    /* One number at a time: a row of targets would need memory. */
    double sum = 0;
    for (int64_t k = 0; k < t->outputs; k++) {
        const float target = t->outputs == 1 ? (float)label : k == label ? 1.0f : 0.0f;
        sum += t->loss->value(&y[k], &target, 0, 1);
    }
    s->loss += t->loss == hd_loss_find(NULL, "half_squared_error") ? sum : sum / (double)t->outputs;
}

static void add_values(hd_tally *s, const float *y, const float *values, bool loss) {
    const hd_task *t = s->task;
    for (int64_t k = 0; k < t->targets; k++) {
        const double e = (double)y[k] - (double)values[k], v = (double)values[k];
        s->square += e * e;
        s->fourth += e * e * e * e;
        s->absolute += fabs(e);
        s->sum[k] += v;
        s->sum2[k] += v * v;
    }
    if (loss) s->loss += t->loss->value(y, values, 0, t->outputs);
}

void hd_tally_add(hd_tally *s, const float *y, const int64_t *label, const float *values, int64_t n, bool loss) {
    const hd_task *t = s->task;
    for (int64_t i = 0; i < n; i++) {
        if (t->classes > 0)
            add_class(s, y + i * t->outputs, label[i], loss);
        else
            add_values(s, y + i * t->outputs, values + i * t->targets, loss);
    }
    s->n += n;
}
