/* result.c: result.json, which is what `hadal train --json` prints. */
#include "base/file.h"
#include "base/status.h"
#include "train/method.h"
#include <stdio.h>

static void write_baselines(hd_jw *w, const hd_trainer *t, const hd_result *r) {
    const char *metric = t->model->task.classes > 0 ? "accuracy" : "rmse";
    const double values[] = {r->majority, r->linear, r->scratch};
    const char *const names[] = {t->model->task.classes > 0 ? "majority" : "mean", "linear", "scratch"};
    const int count = hd_recipe_bool(t->recipe, "train.compare_scratch") ? 3 : 2;
    hd_jw_begin(w, '{');
    for (int i = 0; i < count; i++) {
        hd_jw_key(w, names[i]);
        hd_jw_begin(w, '{');
        hd_jw_key(w, metric), hd_jw_number(w, values[i]);
        hd_jw_end(w);
    }
    hd_jw_end(w);
}

/* The object that the method has written. */
static void write_found(hd_jw *w, const hd_trainer *t) {
    hd_arena arena = {.ctx = t->ctx};
    hd_json *found = NULL;
    if (hd_json_parse(&found, &arena, "method", hd_text_str(&t->found), t->found.length) == HD_OK)
        hd_jw_value(w, found);
    else
        w->out->failed = true; /* it was written here: only memory can be wanting */
    hd_arena_free(&arena);
}

static void write_text(hd_text *text, const hd_trainer *t, const hd_result *r) {
    hd_jw w = {.out = text};
    hd_jw_begin(&w, '{');
    hd_jw_key(&w, "run"), hd_jw_string(&w, r->run[0] ? r->run : NULL);
    hd_jw_key(&w, "data"), hd_jw_string(&w, t->model->data.name);
    hd_jw_key(&w, "params"), hd_jw_int(&w, r->params);
    hd_jw_key(&w, "epochs"), hd_jw_int(&w, r->epochs);
    hd_jw_key(&w, "steps"), hd_jw_int(&w, r->steps);
    if (hd_recipe_number(t->model->recipe, "train.skip_outliers") > 0)
        hd_jw_key(&w, "skipped_steps"), hd_jw_int(&w, r->skipped);
    hd_jw_key(&w, "seconds"), hd_jw_number(&w, r->seconds);
    hd_jw_key(&w, "train"), hd_scores_json(&w, &r->train);
    hd_jw_key(&w, "val"), hd_scores_json(&w, &r->val);
    hd_jw_key(&w, "test"), hd_scores_json(&w, &r->test);
    hd_jw_key(&w, "baselines"), write_baselines(&w, t, r);
    if (t->transfer.on) hd_jw_key(&w, "transfer"), hd_transfer_json(&w, &t->transfer);
    hd_jw_key(&w, "best_epoch"), hd_jw_int(&w, r->best_epoch);
    if (t->method && t->found.length > 0) hd_jw_key(&w, "method"), write_found(&w, t);
    if (t->note.length > 0) hd_jw_key(&w, "note"), hd_jw_string(&w, hd_text_str(&t->note));
    hd_jw_key(&w, "stopped"), hd_jw_string(&w, hd_stop_name(r->stop));
    hd_jw_key(&w, "peak_bytes"), hd_jw_int(&w, (int64_t)r->peak_bytes);
    hd_jw_key(&w, "plan_bytes"), hd_jw_int(&w, (int64_t)r->plan_bytes);
    hd_jw_key(&w, "seed"), hd_jw_int(&w, (int64_t)r->seed);
    hd_jw_key(&w, "threads"), hd_jw_int(&w, r->threads);
    const char *precision = hd_recipe_text(t->model->recipe, "train.precision");
    hd_jw_key(&w, "precision"), hd_jw_string(&w, precision);
    if (!hd_precision_native(t->ctx, precision)) hd_jw_key(&w, "emulated"), hd_jw_bool(&w, true);
    hd_jw_key(&w, "weights_sha256"), hd_jw_string(&w, r->weights_sha256);
    hd_jw_end(&w);
}

hd_status hd_result_write(hd_trainer *t, hd_result *r) {
    char path[4200];
    hd_text text = {.ctx = t->ctx};
    write_text(&text, t, r);
    hd_text_puts(&text, "\n");
    if (text.failed) {
        hd_text_free(&text);
        return HD_E_MEMORY;
    }
    hd_free(t->ctx, t->result_json);
    t->result_json = text.data;
    r->result_json = t->result_json;
    if (!t->folder[0]) return HD_OK;
    (void)snprintf(path, sizeof path, "%s/result.json", t->folder);
    return hd_file_write(t->ctx, path, text.data, text.length);
}
