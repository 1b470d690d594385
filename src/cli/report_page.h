/* report_page.h: the inside of report.html: what its sections are made from, one function a section. */
#ifndef HD_CLI_REPORT_PAGE_H
#define HD_CLI_REPORT_PAGE_H
#include "cli/describe.h"
#include "cli/json_out.h"
#include "cli/report.h"
#include "cli/screen.h"

/* One epoch of log.jsonl; NaN where there is nothing. */
typedef struct report_point {
    int64_t epoch;
    double train_loss, val_loss;
    double train, val, val_low, val_high; /* the first metric */
} report_point;

typedef struct report {
    cli *c;
    hd_text *page;
    const hd_result *result;
    const hd_trainer *trainer;
    hd_model *model;
    hd_model_info info;
    const hd_dataset *data;
    hd_data_info facts;
    const hd_split *split;
    const hd_json *recipe;
    const char *metric; /* name of the first metric, or "" */
    const hd_scores *judged;
    const char *judged_on;  /* "test", "validation", "training" */
    const int64_t *indices; /* of the samples that confusion and scores are of */
    int64_t count, columns;
    report_point *points;
    size_t point_count;
} report;

/* Text with &, <, >, quotes and control characters made harmless. */
void html_text(hd_text *t, const char *text);
void html_class(hd_text *t, const char *name); /* a class: blanks quoted */
void html_base64(hd_text *t, const unsigned char *bytes, size_t length);

extern const char report_style[]; /* the page's CSS */

hd_status report_history(report *r); /* reads RUN/log.jsonl into points */
void report_header(report *r);
void report_curves(report *r);
void report_method(report *r); /* what a method beside the gradient has found */
void report_network(report *r);
void report_confusion(report *r);
hd_status report_mistakes(report *r);
hd_status report_reconstructions(report *r);
hd_status report_written(report *r); /* a sample of text or music */
void report_data_and_recipe(report *r);
#endif
