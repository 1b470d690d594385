/* run_log.h: log.jsonl and results.csv of a run. */
#ifndef HD_TRAIN_RUN_LOG_H
#define HD_TRAIN_RUN_LOG_H
#include "base/json.h"
#include "hadal/train.h"

typedef struct hd_run_log {
    hd_context *ctx;
    int log, csv;  /* file descriptors; -1: nothing is written */
    hd_text lines; /* of log.jsonl, not yet written; its memory is reserved at opening */
    hd_text row;
    int64_t log_bytes, csv_bytes; /* in the files */
    int error;                    /* errno of the first failure */
} hd_run_log;

/* Opens both files of a folder for appending, cut to what a checkpoint knew of (0: anew). folder "": writes nothing. */
HD_CHECKED hd_status hd_run_log_open(hd_run_log *log, hd_context *ctx, const char *folder, int64_t log_bytes,
                                     int64_t csv_bytes);
void hd_run_log_step(hd_run_log *log, int64_t step, double loss, double lr);
/* progress->epoch_end; seconds of the run. */
void hd_run_log_epoch(hd_run_log *log, const hd_progress *progress);
/* Brings what was said to the files. */
HD_CHECKED hd_status hd_run_log_flush(hd_run_log *log);
void hd_run_log_close(hd_run_log *log);

/* {"loss": …, "accuracy": {"value": …, "low": …, "high": …}}, or null when n is 0. */
void hd_scores_json(hd_jw *w, const hd_scores *scores);
#endif
