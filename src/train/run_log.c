/* run_log.c: a run's diary: log.jsonl, a line for each epoch and each logged step, and results.csv, a row for each
 * epoch. Between flushes nothing is written and, once the buffers have grown, nothing is allocated. */
#include "train/run_log.h"
#include "base/status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RESERVE = 1 << 16 };

static hd_status fail_errno(const hd_run_log *log, const char *what) {
    return hd_fail(log->ctx, HD_E_FILE, "%s|can not be written: %s", what, strerror(log->error));
}

/* Opens for appending behind the first `keep` bytes. */
static int open_at(const char *folder, const char *name, int64_t keep, int64_t *bytes) {
    char path[4200];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    const off_t end = lseek(fd, 0, SEEK_END);
    if (keep > (int64_t)end) keep = (int64_t)end;
    if (ftruncate(fd, (off_t)keep) != 0 || lseek(fd, (off_t)keep, SEEK_SET) < 0) {
        (void)close(fd);
        return -1;
    }
    *bytes = keep;
    return fd;
}

static hd_status reserve(hd_text *t) {
    static const char blanks[256] = {0};
    for (size_t i = 0; i < RESERVE / sizeof blanks; i++) hd_text_add(t, blanks, sizeof blanks);
    t->length = 0;
    return t->failed ? HD_E_MEMORY : HD_OK;
}

hd_status hd_run_log_open(hd_run_log *log, hd_context *ctx, const char *folder, int64_t log_bytes, int64_t csv_bytes) {
    *log = (hd_run_log){.ctx = ctx, .log = -1, .csv = -1, .lines = {.ctx = ctx}, .row = {.ctx = ctx}};
    if (!folder[0]) return HD_OK;
    HD_TRY(reserve(&log->lines));
    HD_TRY(reserve(&log->row));
    log->log = open_at(folder, "log.jsonl", log_bytes, &log->log_bytes);
    if (log->log >= 0) log->csv = open_at(folder, "results.csv", csv_bytes, &log->csv_bytes);
    if (log->log < 0 || log->csv < 0) {
        log->error = errno;
        return fail_errno(log, folder);
    }
    return HD_OK;
}

void hd_run_log_close(hd_run_log *log) {
    if (log->log >= 0) (void)close(log->log);
    if (log->csv >= 0) (void)close(log->csv);
    if (log->ctx) {
        hd_text_free(&log->lines);
        hd_text_free(&log->row);
    }
    *log = (hd_run_log){.log = -1, .csv = -1};
}

static void write_out(hd_run_log *log, int fd, hd_text *text, int64_t *bytes) {
    size_t at = 0;
    while (at < text->length && !log->error) {
        const ssize_t n = write(fd, text->data + at, text->length - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno != EINTR)
            log->error = errno;
    }
    *bytes += (int64_t)at;
    text->length = 0;
}

hd_status hd_run_log_flush(hd_run_log *log) {
    if (log->log < 0) return HD_OK;
    write_out(log, log->log, &log->lines, &log->log_bytes);
    write_out(log, log->csv, &log->row, &log->csv_bytes);
    if (log->lines.failed || log->row.failed) return HD_E_MEMORY;
    return log->error ? fail_errno(log, "log.jsonl") : HD_OK;
}

void hd_scores_json(hd_jw *w, const hd_scores *s) {
    if (s->n == 0) {
        hd_jw_null(w);
        return;
    }
    hd_jw_begin(w, '{');
    hd_jw_key(w, "n"), hd_jw_int(w, s->n);
    hd_jw_key(w, "loss"), hd_jw_number(w, s->loss);
    for (int i = 0; i < s->count; i++) {
        hd_jw_key(w, s->metric[i].name);
        hd_jw_begin(w, '{');
        hd_jw_key(w, "value"), hd_jw_number(w, s->metric[i].value);
        hd_jw_key(w, "low"), hd_jw_number(w, s->metric[i].low);
        hd_jw_key(w, "high"), hd_jw_number(w, s->metric[i].high);
        hd_jw_end(w);
    }
    hd_jw_end(w);
}

void hd_run_log_step(hd_run_log *log, int64_t step, double loss, double lr) {
    if (log->log < 0) return;
    hd_jw w = {.out = &log->lines};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "step"), hd_jw_int(&w, step);
    hd_jw_key(&w, "loss"), hd_jw_number(&w, loss);
    hd_jw_key(&w, "lr"), hd_jw_number(&w, lr);
    hd_jw_end(&w);
    hd_text_puts(&log->lines, "\n");
    if (log->lines.length > RESERVE / 2) write_out(log, log->log, &log->lines, &log->log_bytes);
}

/* "train_loss,train_accuracy,val_loss,…": the first metrics of a run are those of all of it. */
static void csv_header(hd_run_log *log, const hd_progress *p) {
    hd_text_puts(&log->row, "epoch,steps,seconds,lr,train_loss");
    for (int i = 0; i < p->train.count; i++) hd_text_printf(&log->row, ",train_%s", p->train.metric[i].name);
    if (p->val.n > 0) hd_text_puts(&log->row, ",val_loss");
    for (int i = 0; i < p->val.count; i++) hd_text_printf(&log->row, ",val_%s", p->val.metric[i].name);
    hd_text_puts(&log->row, "\n");
}

static void csv_scores(hd_run_log *log, const hd_scores *s) {
    char number[32];
    if (s->n == 0) return;
    hd_text_printf(&log->row, ",%s", hd_text_from_f64(number, s->loss));
    for (int i = 0; i < s->count; i++) hd_text_printf(&log->row, ",%s", hd_text_from_f64(number, s->metric[i].value));
}

static void csv_row(hd_run_log *log, const hd_progress *p) {
    char number[32];
    if (log->csv_bytes == 0 && log->row.length == 0) csv_header(log, p);
    hd_text_printf(&log->row, "%lld,%lld,%.3f", (long long)p->epoch, (long long)p->total_steps, p->seconds);
    hd_text_printf(&log->row, ",%s", hd_text_from_f64(number, p->lr));
    csv_scores(log, &p->train);
    csv_scores(log, &p->val);
    hd_text_puts(&log->row, "\n");
}

void hd_run_log_epoch(hd_run_log *log, const hd_progress *p) {
    if (log->log < 0) return;
    hd_jw w = {.out = &log->lines};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "epoch"), hd_jw_int(&w, p->epoch);
    hd_jw_key(&w, "steps"), hd_jw_int(&w, p->total_steps);
    hd_jw_key(&w, "seconds"), hd_jw_number(&w, p->seconds);
    hd_jw_key(&w, "lr"), hd_jw_number(&w, p->lr);
    hd_jw_key(&w, "train"), hd_scores_json(&w, &p->train);
    hd_jw_key(&w, "val"), hd_scores_json(&w, &p->val);
    hd_jw_key(&w, "best"), hd_jw_bool(&w, p->best);
    hd_jw_end(&w);
    hd_text_puts(&log->lines, "\n");
    csv_row(log, p);
}
