/* verb_train.c: owns `hadal train`: from the words of the call to a run folder, watched. The training is the library's.
 */
#include "cli/describe.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/screen.h"
#include "cli/tune_say.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "flowers.yaml" and "flowers.json" are recipes, whether they exist or not; anything else is data. */
static bool is_recipe(const char *thing) {
    const char *dot = strrchr(thing, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static hd_status gather_recipe(cli *c, hd_recipe **out) {
    const char *data = cli_get(c, "data"), *path = NULL;
    for (int i = 0; i < c->thing_count; i++) {
        const char **slot = is_recipe(c->things[i]) ? &path : &data;
        if (*slot)
            return cli_fail(c, HD_E_USAGE, "train|\"%s\" and \"%s\" are both %s|Give one", *slot, c->things[i],
                            slot == &path ? "recipes" : "data");
        *slot = c->things[i];
    }
    CLI_TRY(c, path ? hd_recipe_load(out, c->ctx, path) : hd_recipe_new(out, c->ctx));
    if (!path && !data)
        return cli_fail(c, HD_E_USAGE, "train|expected a recipe or data, got nothing|For example: hadal train digits");
    if (data) CLI_TRY(c, hd_recipe_set(*out, "data.source", data));
    return cli_set_recipe(c, *out);
}

static void say_run(cli *c, const hd_json *recipe, const char *folder) {
    char number[64];
    const char *optimizer = tree_text(recipe, "train.optimizer.name", tree_text(recipe, "train.optimizer", "?"));
    const char *precision = tree_text(recipe, "train.precision", "f32");
    int threads = hd_context_threads(c->ctx);
    const char *method = tree_text(recipe, "train.method", "gradient");
    if (strcmp(method, "gradient") != 0) {
        say_fact(c, "run", "method %s · seed %.0f%s%s", method, tree_number(recipe, "train.seed", NAN),
                 *folder ? " · " : "", folder);
        return;
    }
    say_fact(c, "run", "cpu %s × %d thread%s · %s%s · %s lr %s · batch %.0f · seed %.0f%s%s", hd_context_isa(c->ctx),
             threads, threads == 1 ? "" : "s", precision,
             hd_precision_native(c->ctx, precision) ? "" : " (emulated: rounded to bf16, multiplied in f32)", optimizer,
             hd_text_from_f64(number, tree_number(recipe, "train.optimizer.lr", NAN)),
             tree_number(recipe, "train.batch_size", NAN), tree_number(recipe, "train.seed", NAN), *folder ? " · " : "",
             folder);
}

/* The parts in the unit of the whole. Activations as they were packed: those whose lives do not overlap share a place,
 * so that their sum may be more than the whole. */
static void say_plan(cli *c, const hd_memory *plan, size_t infer) {
    double total = (double)plan->total, unit = total >= 1e9 ? 1e9 : total >= 1e6 ? 1e6 : 1e3;
    const double activations = plan->arena > plan->grads ? (double)(plan->arena - plan->grads) : 0;
    char a[64], b[64];
    say_fact(c, "plan", "%s to train (weights %.1f, gradients %.1f, optimiser %.1f, activations %.1f), %s to predict",
             text_bytes(a, total), (double)(plan->params + plan->states) / unit, (double)plan->grads / unit,
             (double)plan->optimizer / unit, activations / unit, text_bytes(b, (double)infer));
}

/* What it begins with, when not with nothing. */
static void say_transfer(cli *c, const hd_trainer *trainer) {
    const hd_transfer_info x = hd_trainer_transfer(trainer);
    char taken[64], frozen[64], fresh[200] = "";
    size_t used = 0;
    if (!x.from) return;
    for (int32_t i = 0; i < x.fresh_count && used + 80 < sizeof fresh; i++)
        used += (size_t)snprintf(fresh + used, sizeof fresh - used, "%s%.60s", i ? ", " : " · new: ", x.fresh[i]);
    say_fact(c, "from", "%s%s%s: %s parameters taken%s%s%s%s", x.from, x.map && *x.map ? ", names by " : "",
             x.map ? x.map : "", text_count(taken, x.taken_params), fresh, x.frozen ? " · frozen: " : "",
             x.frozen ? text_count(frozen, x.frozen) : "", x.frozen ? " parameters" : "");
}

/* What is known before the first step: data, model, plan, run. */
static hd_status say_before(cli *c, hd_trainer *trainer) {
    hd_model_info m;
    CLI_TRY(c, hd_model_get_info(hd_trainer_model(trainer), &m));
    hd_arena arena = {.ctx = c->ctx};
    hd_json *recipe = NULL;
    hd_status status = recipe_tree(c, hd_model_recipe(hd_trainer_model(trainer)), &arena, &recipe);
    if (status != HD_OK) {
        hd_arena_free(&arena);
        return status;
    }
    const hd_dataset *data = hd_trainer_data(trainer);
    const hd_split *s = hd_trainer_split(trainer);
    hd_memory plan = hd_trainer_memory(trainer);
    char a[64], b[64], d[64], text[DESCRIBE_ROOM];
    say_fact(c, "data", "%s: %s train · %s validation · %s test, %s", hd_data_get_info(data).name,
             text_count(a, s->train_count), text_count(b, s->val_count), text_count(d, s->test_count),
             describe_content(text, data, s->train, s->train_count));
    say_fact(c, "model", "%s: %s parameters · %s a sample", describe_model(text, recipe), text_count(a, m.params),
             text_flops(b, m.flops));
    say_transfer(c, trainer);
    say_plan(c, &plan, m.infer_plan.total);
    say_run(c, recipe, hd_trainer_run_folder(trainer));
    const hd_tuning_facts tuning = hd_trainer_tuning(trainer);
    tuning_say_used(c, &tuning);
    say(c, "\n");
    (void)fflush(c->people);
    hd_arena_free(&arena);
    return HD_OK;
}

/* "validation 97.9 %" or "validation rmse 0.231"; of sequences "validation loss 1.955, 42.5 %". */
static void part_text(char *out, size_t size, const char *part, const hd_scores *s, bool interval) {
    const bool sequences = hd_scores_find(s, "perplexity") || hd_scores_find(s, "frame_accuracy");
    char value[64], begin[96];
    (void)snprintf(begin, sizeof begin, "%s", part);
    if (sequences) (void)snprintf(begin, sizeof begin, "%s loss %s,", part, text_short(value, s->loss));
    if (s->n <= 0 || s->count == 0)
        (void)snprintf(out, size, "%s loss %s", part, text_short(value, s->loss));
    else if (interval)
        (void)snprintf(out, size, "%s %s%s%s", begin, metric_is_share(s->metric[0].name) ? "" : s->metric[0].name,
                       metric_is_share(s->metric[0].name) ? "" : " ", text_metric(value, &s->metric[0]));
    else if (metric_is_share(s->metric[0].name))
        (void)snprintf(out, size, "%s %s", begin, text_percent(value, s->metric[0].value));
    else
        (void)snprintf(out, size, "%s %s %s", begin, s->metric[0].name, text_short(value, s->metric[0].value));
}

static void baseline_text(char *out, size_t size, const char *name, double value, bool share) {
    char text[64];
    *out = '\0';
    if (!isnan(value))
        (void)snprintf(out, size, " · %s %s", name, share ? text_percent(text, value) : text_short(text, value));
}

static void say_hint(cli *c, const progress *p, const hd_result *r) {
    int64_t from = progress_overfit_from(p);
    char text[320];
    if (from <= 0) return;
    (void)snprintf(text, sizeof text,
                   "from epoch %lld on validation loss rises while training loss falls: overfitting. Try %s"
                   "weight_decay=0.1   (hadal help overfitting)",
                   (long long)from, r->stop == HD_STOP_PATIENCE ? "" : "patience=2 or ");
    screen_note(c, text);
}

static void say_after(cli *c, const progress *p, const hd_result *r, const char *example) {
    char val[128] = "", test[128] = "", time[64], majority[96], linear[96];
    const hd_scores *judged = r->test.n > 0 ? &r->test : r->val.n > 0 ? &r->val : &r->train;
    bool share = judged->count > 0 && metric_is_share(judged->metric[0].name);
    say_hint(c, p, r);
    if (r->val.n > 0)
        part_text(val, sizeof val, "validation", &r->val, r->test.n == 0);
    else
        part_text(val, sizeof val, "train", &r->train, r->test.n == 0);
    if (r->test.n > 0) part_text(test, sizeof test, " · test", &r->test, true);
    baseline_text(majority, sizeof majority, share ? "majority" : "mean", r->majority, share);
    baseline_text(linear, sizeof linear, "linear", r->linear, share);
    baseline_text(test + strlen(test), sizeof test - strlen(test), "from scratch", r->scratch, share);
    const char *why = r->stop == HD_STOP_PATIENCE ? " (stopped: no better for a while)"
                      : r->stop == HD_STOP_TIME   ? " (stopped: the time is up)"
                      : r->stop == HD_STOP_TARGET ? " (stopped: target reached)"
                                                  : "";
    say_fact(c, "done", "best epoch %lld: %s%s%s%s   %s%s", (long long)r->best_epoch, val, test, majority, linear,
             text_seconds(time, r->seconds), why);
    if (*r->note) say_wrapped(c, r->note, 7);
    if (*r->run) say(c, "       %s/report.html · predict: hadal predict %s %s\n", r->run, r->run, example);
}

/* Goes on with the line that the progress began. */
static void say_interrupted(cli *c, const hd_result *r, int64_t epoch) {
    char steps[64];
    if (*r->run)
        say(c, "saved %s at epoch %lld, step %s.  Go on: hadal train --resume %s\n", r->run, (long long)epoch,
            text_count(steps, r->steps), r->run);
    else
        say(c, "nothing is saved: the run has no folder\n");
}

static void put_json(const char *text) {
    size_t n = strlen(text);
    (void)fwrite(text, 1, n, stdout); /* main looks at ferror */
    if (n == 0 || text[n - 1] != '\n') (void)fputc('\n', stdout);
}

/* What to type after `hadal predict RUN`. */
static void input_example(char *out, size_t size, const hd_dataset *data) {
    hd_data_info info = hd_data_get_info(data);
    float x[4];
    size_t used;
    static const char *const usual[][2] = {
        {"pictures", "picture.png"}, {"text", "data.txt"}, {"sequences", "data.conll"}, {"ratings", "USER,ITEM"}};
    const char *example = strcmp(info.kind, "music") == 0 ? info.name : "data.csv"; /* music has no ending of its own */
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(usual[i][0], info.kind) == 0) example = usual[i][1];
    (void)snprintf(out, size, "%s", example);
    if (info.positions > 0 || info.as_is || info.sample.rank != 1 || info.sample.dim[0] > 4 || info.count < 1) return;
    hd_data_x(data, 0, x);
    used = (size_t)snprintf(out, size, "%s", x[0] < 0 ? "-- " : "");
    for (int64_t i = 0; i < info.sample.dim[0]; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.3g", i ? "," : "", (double)x[i]);
}

/* Runs the trainer and tells the result. */
static hd_status train(cli *c, hd_trainer *trainer, progress *p) {
    hd_result r;
    hd_status status = cli_lib(c, hd_trainer_run(trainer, &r));
    if (status != HD_OK) return status;
    if (r.stop == HD_STOP_INTERRUPTED) {
        say_interrupted(c, &r, p->epoch);
        if (c->json) put_json(r.result_json);
        return HD_E_INTERRUPTED;
    }
    char example[128];
    input_example(example, sizeof example, hd_trainer_data(trainer));
    if (*r.run) status = report_write(c, trainer, &r); /* should it fail, what was learnt is still worth telling */
    say_after(c, p, &r, example);
    if (status == HD_OK && c->json) put_json(r.result_json);
    return status;
}

/* A finished run has nothing to go on with: its result is what was asked for. *done: it was printed. */
static hd_status print_finished(cli *c, const char *run, bool *done) {
    char path[4096], *text;
    size_t length;
    *done = false;
    (void)snprintf(path, sizeof path, "%s/result.json", run);
    if (access(path, F_OK) != 0) return HD_OK;
    hd_status status = cli_read_all(c, path, (size_t)1 << 26, &text, &length);
    if (status != HD_OK) return status;
    hd_arena arena = {.ctx = c->ctx};
    hd_json *result;
    status = cli_lib(c, hd_json_parse(&result, &arena, path, text, length));
    if (status == HD_OK && strcmp(tree_text(result, "stopped", ""), "interrupted") != 0) {
        *done = true;
        put_json(text);
        fprintf(stderr,
                "hadal: %s is finished; this is its result.json. Train anew with other words, or go on from its "
                "weights with --from %s\n",
                run, run);
    }
    hd_arena_free(&arena);
    free(text);
    return status;
}

static hd_status check_resume(cli *c) {
    if (cli_has(c, "tune"))
        return cli_fail(c, HD_E_USAGE, "train|--resume follows the run's own table of kernels|Leave --tune out");
    if (c->thing_count > 0 || cli_get(c, "out") || cli_get(c, "name") || cli_get(c, "data"))
        return cli_fail(c, HD_E_USAGE,
                        "train|--resume goes on with the run's own recipe, data and folder|"
                        "Write only: hadal train --resume %s",
                        cli_get(c, "resume"));
    for (int i = 0; i < c->option_count; i++)
        if (!c->options[i].flag)
            return cli_fail(c, HD_E_USAGE,
                            "train|--resume goes on with the run's own recipe, %s can not change|"
                            "Leave it out, or start a new run",
                            c->options[i].key);
    return HD_OK;
}

/* What was measured before the first step serves later calls too. */
static hd_status keep_tuning(cli *c, hd_trainer *trainer, const hd_tuning *tuning) {
    const hd_tune_result r = hd_trainer_tuned(trainer);
    screen_clear_line(c);
    if (r.shapes == 0) return HD_OK;
    tuning_say(c, &r);
    return tuning_save(c, tuning);
}

static hd_status run_train(cli *c) {
    const char *resume = cli_get(c, "resume");
    hd_recipe *recipe = NULL;
    hd_trainer *trainer = NULL;
    bool done = false;
    progress watch = {0};
    hd_tuning *tuning = NULL;
    hd_status status = cli_context(c);
    if (status != HD_OK) return status;
    if (resume) {
        CLI_TRY(c, check_resume(c));
        CLI_TRY(c, print_finished(c, resume, &done));
        if (done) return HD_OK;
    } else {
        CLI_TRY_TO(end, c, gather_recipe(c, &recipe));
        CLI_TRY_TO(end, c, tuning_open(c, &tuning));
        if (cli_has(c, "tune") && !tuning) CLI_TRY_TO(end, c, tuning_missing(c));
    }
    cli_catch_signals();
    const hd_tune_args how = tuning_args(c);
    hd_trainer_args args = {.recipe = recipe,
                            .tuning = tuning,
                            .tune = cli_has(c, "tune") ? &how : NULL,
                            .out = cli_get(c, "out"),
                            .name = cli_get(c, "name"),
                            .resume = resume,
                            .seconds_before = cli_clock() - c->started,
                            .progress = progress_step,
                            .user = &watch};
    CLI_TRY_TO(end, c, hd_trainer_new(&trainer, c->ctx, &args));
    if (cli_has(c, "tune")) CLI_TRY_TO(end, c, keep_tuning(c, trainer, tuning));
    CLI_TRY_TO(end, c, say_before(c, trainer));
    progress_open(&watch, c, hd_data_get_info(hd_trainer_data(trainer)).kind);
    status = train(c, trainer, &watch);
end:
    progress_close(&watch);
    hd_trainer_free(trainer);
    hd_tuning_free(tuning);
    hd_recipe_free(recipe);
    return status;
}

static const cli_flag flags[] = {
    {"data", "DATA", "what to learn from, when it is not the first word"},
    {"out", "DIR", "the run folder itself; must be empty or new (default: runs/NAME-001, counted up)"},
    {"name", "NAME", "name of the run in runs/ (default: the data's)"},
    {"tune", NULL, "first time every way to do the convolutions and products (see bench), and follow the best"},
    {"resume", "RUN", "go on where a run was interrupted, to the same bits"},
    {"threads", "N", "1 … 256; the results are the same for any number (default: all processors)"},
    {"mem", "SIZE", "hold at most this much memory, as 512MB or 8GB"},
    CLI_FLAG_END};

const cli_verb cli_verb_train = {
    .name = "train",
    .summary = "learn from data, into a run folder",
    .things = "RECIPE | DATA",
    .about = "Trains a network and keeps everything about it in one folder: recipe, log, best and last weights,\n"
             "result, report.html. Without --model, pictures get cnn-small and everything else mlp.\n\n"
             "DATA    digits xor moons circles spirals blobs sine (need no file); mnist fashion-mnist usps cifar10\n"
             "        optdigits (from the data folder); or a path\n"
             "MODEL   a known network (mlp, cnn-small, lenet5 …), a one-line text (784-200-relu-10), a recipe, a run\n"
             "        folder, or a .safetensors file\n\n"
             "Ctrl-C finishes the step, saves, and says how to go on; a second Ctrl-C leaves at once.",
    .flags = flags,
    .recipe = "",
    .list_keys = true,
    .example = "hadal train digits --model 256-64-relu-10 --epochs 5",
    .min_things = 0,
    .max_things = 2,
    .run = run_train,
};
