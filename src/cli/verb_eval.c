/* verb_eval.c: owns `hadal eval`: a trained model's scores on data, beside what guessing reaches. */
#include "cli/arguments.h"
#include "cli/describe.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CONFUSED = 1000 }; /* classes; a larger table is left out */

typedef struct evaluation {
    hd_model *model;
    hd_model_info info;
    hd_dataset *data;
    hd_data_info facts;
    part part;
    hd_scores scores;
    int64_t *confusion; /* [classes × classes], or NULL */
    hd_metric baseline; /* majority, or the mean's rmse */
    int64_t times;      /* how often the run's test part has been evaluated; 0: not counted */
} evaluation;

/* The rmse of always answering the mean of the targets. */
static hd_status mean_baseline(cli *c, evaluation *e) {
    int64_t targets = e->facts.targets, n = e->part.count;
    float *y = malloc((size_t)targets * sizeof *y);
    double *sum = calloc((size_t)targets * 2, sizeof *sum), variance = 0;
    if (!y || !sum) {
        free(y);
        free(sum);
        return cli_no_memory(c);
    }
    for (int64_t i = 0; i < n; i++) {
        hd_data_values(e->data, e->part.indices[i], y);
        for (int64_t t = 0; t < targets; t++) {
            sum[2 * t] += (double)y[t];
            sum[2 * t + 1] += (double)y[t] * (double)y[t];
        }
    }
    for (int64_t t = 0; t < targets; t++) {
        double mean = sum[2 * t] / (double)n;
        variance += fmax(0, sum[2 * t + 1] / (double)n - mean * mean) / (double)targets;
    }
    free(y);
    free(sum);
    /* The deviation of a deviation, for normal errors: s / √(2n). */
    double rmse = sqrt(variance), half = 1.96 * rmse / sqrt(2 * (double)n);
    e->baseline = (hd_metric){"mean", rmse, fmax(0, rmse - half), rmse + half};
    return HD_OK;
}

/* An evaluation on the test part is counted in the run folder: whoever looks often enough chooses by it. */
static hd_status count_test(cli *c, const char *run, evaluation *e) {
    char path[4096], *old = NULL, line[256], date[32] = "";
    size_t length = 0;
    hd_text all = {.ctx = c->ctx};
    if (model_kind_of(run) != MODEL_RUN || strcmp(e->part.name, "test") != 0) return HD_OK;
    if (strcmp(e->facts.name, e->info.data) != 0) return HD_OK; /* other data than it was trained on */
    (void)snprintf(path, sizeof path, "%s/test-evaluations.jsonl", run);
    if (cli_read_all(c, path, (size_t)1 << 24, &old, &length) != HD_OK) c->error = (cli_error){0}; /* the first one */
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    for (size_t i = 0; i < length; i++) e->times += old[i] == '\n';
    e->times++;
    (void)snprintf(line, sizeof line, "{\"time\": \"%s\", \"n\": %lld, \"loss\": %.9g}\n", date, (long long)e->scores.n,
                   isfinite(e->scores.loss) ? e->scores.loss : 0);
    if (length > 0) hd_text_add(&all, old, length);
    hd_text_puts(&all, line);
    hd_status status = all.failed ? cli_no_memory(c) : cli_write_file(c, path, all.data, all.length);
    hd_text_free(&all);
    free(old);
    if (status == HD_E_FILE) { /* a run folder that may only be read is no reason to keep the result back */
        c->error = (cli_error){0};
        e->times = 0;
        screen_note(c, "the evaluation could not be counted: the run folder can not be written");
        status = HD_OK;
    }
    return status;
}

static hd_status evaluate(cli *c, evaluation *e) {
    CLI_TRY(c, open_trained(c, c->things[0], &e->model));
    CLI_TRY(c, hd_model_get_info(e->model, &e->info));
    CLI_TRY(c, open_data_for(c, c->things[1], e->model, false, &e->data));
    e->facts = hd_data_get_info(e->data);
    CLI_TRY(c, part_open(c, &e->part, e->data, cli_get(c, "part"), hd_model_recipe(e->model)));
    size_t classes = e->info.classes > 0 ? (size_t)e->info.classes : 0;
    if (classes > 0 && classes <= MOST_CONFUSED && !(e->confusion = calloc(classes * classes, sizeof *e->confusion)))
        return cli_no_memory(c);
    CLI_TRY(c, hd_model_eval(e->model, e->data, e->part.indices, e->part.count, &e->scores, e->confusion, NULL));
    if (e->info.reconstructs) {
        e->baseline.name = NULL; /* r2 compares with the mean picture */
    } else if (e->facts.classes > 0) {
        double share = largest_share(e->data, e->part.indices, e->part.count, NULL);
        e->baseline = share_of("majority", share, e->scores.n);
    } else if (e->facts.positions > 0) {
        e->baseline = (hd_metric){"mean", NAN, NAN, NAN};
    } else {
        CLI_TRY(c, mean_baseline(c, e));
    }
    return count_test(c, c->things[0], e);
}

static hd_status tell_json(cli *c, const evaluation *e) {
    json_out j;
    json_begin(c, &j);
    json_string(&j, "model", c->things[0]);
    json_string(&j, "data", e->facts.name);
    json_string(&j, "part", e->part.name);
    json_int(&j, "n", e->scores.n);
    json_number(&j, "loss", e->scores.loss);
    hd_jw_key(&j.w, "metrics");
    hd_jw_begin(&j.w, '{');
    json_metrics(&j, &e->scores);
    hd_jw_end(&j.w);
    hd_jw_key(&j.w, "baselines");
    hd_jw_begin(&j.w, '{');
    if (e->baseline.name) json_metric(&j, e->baseline.name, e->baseline.value, e->baseline.low, e->baseline.high);
    hd_jw_end(&j.w);
    hd_jw_key(&j.w, "classes");
    hd_jw_begin(&j.w, '[');
    for (int64_t k = 0; k < e->info.classes; k++) hd_jw_string(&j.w, e->info.class_names[k]);
    hd_jw_end(&j.w);
    hd_jw_key(&j.w, "confusion");
    if (!e->confusion)
        hd_jw_null(&j.w);
    else {
        hd_jw_begin(&j.w, '[');
        for (int64_t t = 0; t < e->info.classes; t++) {
            hd_jw_begin(&j.w, '[');
            for (int64_t p = 0; p < e->info.classes; p++) hd_jw_int(&j.w, e->confusion[t * e->info.classes + p]);
            hd_jw_end(&j.w);
        }
        hd_jw_end(&j.w);
    }
    if (e->times > 0) json_int(&j, "test_evaluations", e->times);
    return json_end(c, &j);
}

static void say_confusion(cli *c, const evaluation *e) {
    enum { MOST = TABLE_COLUMNS - 1 };
    int64_t k = e->info.classes;
    if (!e->confusion || k > MOST) return;
    const char *cells[TABLE_COLUMNS] = {"true \\ predicted"};
    char numbers[MOST][64], names[MOST][CLASS_ROOM], spec[TABLE_COLUMNS + 1] = "l";
    table t;
    for (int64_t p = 0; p < k; p++) {
        spec[p + 1] = 'r', spec[p + 2] = '\0';
        cells[p + 1] = describe_class(names[p], e->info.class_names[p]);
    }
    table_open(&t, spec);
    table_row(&t, cells);
    for (int64_t r = 0; r < k; r++) {
        cells[0] = describe_class(names[r], e->info.class_names[r]);
        for (int64_t p = 0; p < k; p++) {
            int64_t n = e->confusion[r * k + p];
            cells[p + 1] = n ? text_count(numbers[p], n) : "·";
        }
        table_row(&t, cells);
    }
    say(c, "\n");
    table_print(c, &t, true, 0);
}

static void say_result(cli *c, const evaluation *e) {
    char count[64], text[DESCRIBE_ROOM], value[64], loss[64];
    say_fact(c, "data", "%s, %s: %s samples, %s", e->facts.name,
             strcmp(e->part.name, "all") ? e->part.name : "all of it", text_count(count, e->part.count),
             describe_content(text, e->data, e->part.indices, e->part.count));
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < e->scores.count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s · ", e->scores.metric[i].name,
                                 text_metric(value, &e->scores.metric[i]));
    char base[128] = "";
    hd_metric shown = e->baseline;
    shown.name = e->facts.classes > 0 ? "accuracy" : "rmse";
    if (e->baseline.name && !isnan(shown.value))
        (void)snprintf(base, sizeof base, " · %.20s %s", e->baseline.name, text_metric(value, &shown));
    say_fact(c, "result", "%sloss %s%s", text, text_short(loss, e->scores.loss), base);
    if (e->times > 1)
        say_fact(c, "", "test part evaluated %lld times now: choosing by it makes it a validation part",
                 (long long)e->times);
    if (strcmp(e->part.name, "all") == 0 && strcmp(e->facts.name, e->info.data) == 0)
        screen_note(c, "this model was trained on a part of these data; part=test takes only what was held out");
    say_confusion(c, e);
}

static hd_status run_eval(cli *c) {
    evaluation e = {0};
    hd_status status = cli_context(c);
    if (status == HD_OK) status = evaluate(c, &e);
    if (status == HD_OK && c->json)
        status = tell_json(c, &e);
    else if (status == HD_OK)
        say_result(c, &e);
    free(e.confusion);
    part_close(&e.part);
    hd_data_free(e.data);
    hd_model_free(e.model);
    return status;
}

static const cli_flag flags[] = {
    {"part", "PART", "train, val, test or all (default: test, or everything where the data has one part)"},
    {"threads", "N", "1 … 256 (default: all processors)"},
    {"mem", "SIZE", "hold at most this much memory, as 512MB or 8GB"},
    {"from", "FILE", "weights for a known network, as another program wrote them (safetensors)"},
    {"rename", "MAP", "how their names become the network's: a JSON file, or caffe, wrapped"},
    CLI_FLAG_END};

const cli_verb cli_verb_eval = {
    .name = "eval",
    .summary = "how well a trained model does on data",
    .things = "MODEL DATA",
    .about = "Prints the metrics with their 95 % intervals, the baseline, and the confusion matrix.\n"
             "MODEL is a run folder or a .safetensors file; DATA as for train. Evaluations on a run's own test part\n"
             "are counted in the run folder.",
    .flags = flags,
    .recipe = "data.",
    .list_keys = true,
    .example = "hadal eval runs/digits-001 digits",
    .min_things = 2,
    .max_things = 2,
    .run = run_eval,
};
