/* test_trainer.c: runs: they learn, they end for the right reason, the same seed gives the same bits, and an
 * interrupted run goes on to the bits of one that was not. */
#include "run_support.h"

#include "base/file.h"
#include "base/json.h"
#include "train/trainer.h"

static run_data data_of;
static char folder[4096];

static int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* One run in a context of its own. */
typedef struct run {
    const char *recipe, *out, *resume;
    int threads;
    bool numbers;
    run_watch watch;
    hd_status status; /* expected */
    /* what came of it */
    hd_result result;
    char error[600], json[8192];
    hd_scores best_again; /* validation scored with the model as the run left it */
} run;

static void run_it(run *r) {
    hd_context *ctx = test_context(r->threads ? r->threads : 1);
    hd_dataset *data = r->numbers ? run_numbers(ctx, &data_of) : run_classes(ctx, &data_of);
    hd_recipe *recipe = r->resume ? NULL : run_recipe(ctx, r->recipe);
    hd_trainer *t;
    r->watch.ctx = ctx;
    const hd_trainer_args args = {.recipe = recipe,
                                  .data = data,
                                  .out = r->out ? r->out : "",
                                  .resume = r->resume,
                                  .progress = run_progress,
                                  .user = &r->watch,
                                  .progress_every = -1};
    if (hd_trainer_new(&t, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_status status = hd_trainer_run(t, &r->result);
    (void)snprintf(r->error, sizeof r->error, "%s", hd_last_error(ctx));
    if (status != r->status) fail_msg("status %s: %s", hd_status_name(status), r->error);
    (void)snprintf(r->json, sizeof r->json, "%s", r->result.result_json);
    const hd_split *split = hd_trainer_split(t);
    if (!r->result.finished && split->val_count > 0)
        assert_int_equal(
            hd_model_eval(hd_trainer_model(t), data, split->val, split->val_count, &r->best_again, NULL, NULL), HD_OK);
    r->result.run = r->result.result_json = NULL;
    r->result.confusion = NULL;
    r->result.scores = NULL;
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
}

static const char *path_of(const char *name) {
    static char path[8][4200];
    static int next;
    char *p = path[next++ % 8];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

#define LAYERS                                                                                                         \
    "[{\"linear\": {\"out_features\": 16}}, \"batch_norm\", \"relu\", {\"dropout\": {\"p\": 0.2}}, {\"linear\": "      \
    "{\"out_features\": 3}}]"
#define RECIPE(train) "{\"model\": " LAYERS ", \"train\": {\"epochs\": 4, \"batch_size\": 32" train "}}"

static void test_learns(void **state) {
    (void)state;
    run r = {.recipe =
                 "{\"model\": \"4-32-relu-3\", \"train\": {\"epochs\": 15, \"batch_size\": 16, \"optimizer\": {\"lr\": "
                 "0.01}}, \"eval\": {\"metrics\": [\"accuracy\", \"f1\"]}}"};
    run_it(&r);
    assert_int_equal(r.result.stop, HD_STOP_EPOCHS);
    assert_int_equal(r.result.epochs, 15);
    assert_int_equal(r.result.steps, 15 * 15);
    assert_int_equal(r.result.test.n + r.result.val.n + r.result.train.n, RUN_SAMPLES);
    const double accuracy = hd_scores_find(&r.result.test, "accuracy")->value;
    assert_true(accuracy > 0.6 && accuracy > r.result.majority);
    assert_true(r.result.linear > 0.6 && r.result.linear <= 1);
    assert_true(hd_scores_find(&r.result.test, "f1")->value > 0.6);
    assert_non_null(hd_scores_find(&r.result.train, "f1"));
    assert_true(r.result.train.loss < 0.8);
    assert_true(r.best_again.loss == r.result.val.loss); /* the model is left with its best weights */
    assert_int_equal(r.result.params, 5 * 32 + 33 * 3);
}

static void test_learns_numbers(void **state) {
    (void)state;
    run r = {.recipe =
                 "{\"model\": \"4-32-tanh-1\", \"train\": {\"epochs\": 20, \"batch_size\": 16, \"optimizer\": {\"lr\": "
                 "0.01}}}",
             .numbers = true};
    run_it(&r);
    const hd_metric *rmse = hd_scores_find(&r.result.test, "rmse");
    assert_true(rmse->value < r.result.majority && rmse->low < rmse->value && rmse->value < rmse->high);
    assert_true(hd_scores_find(&r.result.test, "r2")->value > 0.5);
    assert_true(r.result.linear < r.result.majority);
    /* mse on the training side is rmse². */
    const double train = hd_scores_find(&r.result.train, "rmse")->value;
    assert_true(fabs(train * train - r.result.train.loss) < 1e-4);
}

static void test_other_losses(void **state) {
    (void)state;
    static const char *const recipes[] = {
        "{\"model\": \"4-16-tanh-3-sigmoid\", \"train\": {\"epochs\": 12, \"batch_size\": 16, \"optimizer\": {\"lr\": "
        "0.02}}}",
        "{\"model\": \"4-16-tanh-3\", \"train\": {\"loss\": \"bce_with_logits\", \"epochs\": 12, \"batch_size\": 16, "
        "\"optimizer\": {\"lr\": 0.02}}}",
        "{\"model\": \"4-16-tanh-3\", \"train\": {\"loss\": \"half_squared_error\", \"epochs\": 12, \"batch_size\": "
        "16, "
        "\"optimizer\": {\"name\": \"sgd\", \"lr\": 0.02, \"momentum\": 0.9, \"nesterov\": true}, \"max_norm\": 1}}",
    };
    for (int i = 0; i < 3; i++) {
        run r = {.recipe = recipes[i]};
        run_it(&r);
        if (!(hd_scores_find(&r.result.test, "accuracy")->value > 0.6)) fail_msg("%s does not learn", recipes[i]);
    }
}

/* ---- the same bits ---- */

static void test_seeds_and_threads(void **state) {
    (void)state;
    run first = {.recipe = RECIPE("")}, again = first, other = {.recipe = RECIPE(", \"seed\": 2")};
    run_it(&first);
    run_it(&again);
    run_it(&other);
    assert_string_equal(first.result.weights_sha256, again.result.weights_sha256);
    assert_true(first.result.val.loss == again.result.val.loss && first.result.test.loss == again.result.test.loss);
    assert_string_not_equal(first.result.weights_sha256, other.result.weights_sha256);
    for (int threads = 2; threads < 4; threads++) {
        run more = {.recipe = RECIPE(""), .threads = threads};
        run_it(&more);
        assert_string_equal(first.result.weights_sha256, more.result.weights_sha256);
        assert_true(first.result.val.loss == more.result.val.loss);
    }
}

static void same_result(const run *a, const run *b) {
    assert_string_equal(a->result.weights_sha256, b->result.weights_sha256);
    assert_int_equal(a->result.best_epoch, b->result.best_epoch);
    assert_int_equal(a->result.steps, b->result.steps);
    assert_int_equal(a->result.stop, b->result.stop);
    assert_memory_equal(&a->result.train, &b->result.train, sizeof a->result.train);
    assert_memory_equal(&a->result.val, &b->result.val, sizeof a->result.val);
    assert_memory_equal(&a->result.test, &b->result.test, sizeof a->result.test);
}

/* A line of the log without its "seconds", which no two runs share. */
static char *read_log(const char *run_folder) {
    char path[4300];
    hd_context *ctx = test_context(1);
    char *text;
    size_t length;
    (void)snprintf(path, sizeof path, "%s/log.jsonl", run_folder);
    assert_int_equal(hd_file_read(ctx, path, 0, &text, &length), HD_OK);
    char *copy = malloc(length + 1), *to = copy;
    assert_non_null(copy);
    for (const char *from = text; *from;) {
        if (strncmp(from, "\"seconds\": ", 11) == 0) from += strcspn(from, ",}");
        if (*from) *to++ = *from++;
    }
    *to = '\0';
    hd_free(ctx, text);
    hd_context_free(ctx);
    return copy;
}

static void same_log(const char *a, const char *b) {
    char *left = read_log(a), *right = read_log(b);
    assert_string_equal(left, right);
    free(left);
    free(right);
}

/* Interrupts a run behind each of these steps in turn (again and again in the same run), and goes on. */
static void resumes(const char *recipe, bool numbers, const int64_t *stops, int n) {
    run whole = {.recipe = recipe, .out = path_of("whole"), .numbers = numbers};
    run_it(&whole);
    assert_int_equal(whole.result.stop, HD_STOP_EPOCHS);
    const char *parts = path_of("parts");
    for (int i = 0; i <= n; i++) {
        run part = {.recipe = recipe, .numbers = numbers};
        part.watch.stop_at = i < n ? stops[i] : 0;
        *(i == 0 ? &part.out : &part.resume) = parts;
        run_it(&part);
        if (i < n) {
            assert_int_equal(part.result.stop, HD_STOP_INTERRUPTED);
            assert_int_equal(part.result.steps, stops[i]);
            assert_non_null(strstr(part.json, "\"interrupted\""));
        } else {
            same_result(&whole, &part);
        }
    }
    same_log(path_of("whole"), path_of("parts"));
}

static void test_resume_adamw(void **state) {
    (void)state;
    /* 238 samples to train on at most: 8 steps an epoch, the last one short. */
    const int64_t stops[] = {1, 5, 8, 9, 20, 31};
    resumes("{\"model\": " LAYERS ", \"train\": {\"epochs\": 4, \"batch_size\": 32, \"log_every\": 3, \"schedule\": "
            "{\"name\": \"cosine\", \"warmup\": 1}}, \"eval\": {\"metrics\": [\"accuracy\", \"f1\"]}}",
            false, stops, 6);
}

static void test_resume_sgd_numbers(void **state) {
    (void)state;
    const int64_t stops[] = {3, 17};
    resumes(
        "{\"model\": \"4-8-tanh-1\", \"train\": {\"epochs\": 4, \"batch_size\": 32, \"optimizer\": {\"name\": \"sgd\", "
        "\"momentum\": 0.9}, \"schedule\": \"onecycle\", \"shuffle\": true}}",
        true, stops, 2);
}

/* The masters are f32: what is stored is all there is. */
static void test_resume_bf16(void **state) {
    (void)state;
    const int64_t stops[] = {3, 12};
    resumes("{\"model\": \"4-128-relu-128-relu-3\", \"train\": {\"epochs\": 3, \"batch_size\": 32, \"precision\": "
            "\"bf16\"}}",
            false, stops, 2);
}

static void test_resume_without_shuffle(void **state) {
    (void)state;
    const int64_t stops[] = {10};
    resumes("{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"4-8-relu-3\", \"train\": {\"epochs\": 3, "
            "\"batch_size\": 50, "
            "\"shuffle\": false, \"drop_last\": true, \"optimizer\": \"adam\"}}",
            false, stops, 1);
}

/* A process killed between checkpoints: its folder as it was then, copied while it runs. */
static void copy_folder(int64_t step, void *user) {
    char command[9000];
    if (step != 13) return;
    (void)snprintf(command, sizeof command, "cp -r '%s/killed' '%s/copy'", (const char *)user, (const char *)user);
    assert_int_equal(system(command), 0);
}

static void test_resume_after_kill(void **state) {
    (void)state;
    run whole = {.recipe = RECIPE(", \"save_every\": 5, \"log_every\": 1"), .out = path_of("killed")}, rest = {0};
    whole.watch.at_step = copy_folder;
    whole.watch.user = folder;
    run_it(&whole);
    rest.resume = path_of("copy");
    run_it(&rest);
    same_result(&whole, &rest);
    same_log(path_of("killed"), path_of("copy"));
}

static void test_resume_finished(void **state) {
    (void)state;
    run first = {.recipe = RECIPE(""), .out = path_of("done")}, again = {.resume = path_of("done")};
    run_it(&first);
    run_it(&again);
    assert_true(again.result.finished);
    assert_string_equal(first.json, again.json);
    assert_int_equal(again.watch.epochs, 0);
}

/* ---- ends ---- */

static void test_patience(void **state) {
    (void)state;
    run r = {.recipe = "{\"model\": \"4-64-relu-3\", \"train\": {\"epochs\": 500, \"batch_size\": 8, \"patience\": 3, "
                       "\"optimizer\": {\"lr\": 0.03}}}"};
    run_it(&r);
    assert_int_equal(r.result.stop, HD_STOP_PATIENCE);
    assert_int_equal(r.result.epochs, r.result.best_epoch + 3);
    assert_int_equal(r.watch.epochs, r.result.epochs);
    double best = INFINITY;
    for (int i = 0; i < r.watch.epochs; i++) {
        assert_int_equal(r.watch.best[i], r.watch.val_loss[i] < best);
        best = fmin(best, r.watch.val_loss[i]);
    }
    assert_true(r.result.val.loss == best && r.best_again.loss == best);
}

static void test_monitor(void **state) {
    (void)state;
    run r = {.recipe = RECIPE(", \"monitor\": \"accuracy\", \"patience\": 2")};
    run_it(&r);
    assert_true(r.result.best_epoch >= 1);
    assert_true(hd_scores_find(&r.best_again, "accuracy")->value == hd_scores_find(&r.result.val, "accuracy")->value);
}

static void test_target(void **state) {
    (void)state;
    run r = {.recipe = RECIPE(", \"target\": \"accuracy=0.1\"")};
    run_it(&r);
    assert_int_equal(r.result.stop, HD_STOP_TARGET);
    assert_int_equal(r.result.epochs, 1);
    run loss = {.recipe = RECIPE(", \"target\": \"loss=1e9\"")};
    run_it(&loss);
    assert_int_equal(loss.result.stop, HD_STOP_TARGET);
}

static void test_steps_and_time(void **state) {
    (void)state;
    run steps = {.recipe = RECIPE(", \"steps\": 11")}, time = {.recipe = RECIPE(", \"time\": \"0.000000001s\"")};
    run_it(&steps);
    assert_int_equal(steps.result.stop, HD_STOP_STEPS);
    assert_int_equal(steps.result.steps, 11);
    assert_int_equal(steps.result.epochs, 2);
    assert_true(steps.result.val.n > 0);
    run_it(&time);
    assert_int_equal(time.result.stop, HD_STOP_TIME);
    assert_int_equal(time.result.steps, 1);
}

static void test_diverged(void **state) {
    (void)state;
    run r = {.recipe =
                 "{\"model\": \"4-8-relu-8-relu-1\", \"train\": {\"epochs\": 50, \"batch_size\": 32, \"optimizer\": "
                 "{\"name\": \"sgd\", \"lr\": 1000}}}",
             .out = path_of("wild"),
             .status = HD_E_DIVERGED};
    r.numbers = true;
    run_it(&r);
    assert_int_equal(r.result.stop, HD_STOP_DIVERGED);
    assert_non_null(strstr(r.error, "no longer a finite number"));
    assert_non_null(strstr(r.json, "\"diverged\""));
    assert_true(isfinite(r.best_again.loss)); /* the weights that are kept are good ones */
    assert_int_equal(access(path_of("wild/best.safetensors"), R_OK), 0);
}

/* Columns of numbers where an embedding expects rows of its table. */
static void test_bad_index(void **state) {
    (void)state;
    run r = {.recipe = "{\"data\": {\"normalize\": \"none\", \"val\": 0, \"test\": 0}, \"model\": [{\"embedding\": "
                       "{\"name\": \"e\", "
                       "\"num_embeddings\": 1, \"embedding_dim\": 2}}, \"flatten\", {\"linear\": {\"out_features\": "
                       "3}}]}",
             .status = HD_E_DATA};
    run_it(&r);
    assert_non_null(strstr(r.error, "embedding \"e\" has rows 0 … 0, sample "));
    assert_non_null(strstr(r.error, "num_embeddings"));
}

static void test_no_parts(void **state) {
    (void)state;
    run r = {.recipe = "{\"data\": {\"val\": 0, \"test\": 0}, \"model\": \"4-8-relu-3\", \"train\": {\"epochs\": 3}}"};
    run_it(&r);
    assert_int_equal(r.result.best_epoch, 3);
    assert_int_equal(r.result.train.n, RUN_SAMPLES);
    assert_non_null(strstr(r.json, "\"val\": null, \"test\": null"));
}

/* ---- what a loop costs ---- */

static void test_no_allocation(void **state) {
    (void)state;
    run r = {.recipe = RECIPE(", \"log_every\": 2"), .out = path_of("quiet")};
    run_it(&r);
    assert_true(r.watch.calls_first > 0);
    assert_int_equal(r.watch.calls_first, r.watch.calls_last);
}

/* ---- folders ---- */

static void refuses(const char *recipe, const char *out, const char *resume, hd_status status, const char *message) {
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_recipe *r = resume ? NULL : run_recipe(ctx, recipe);
    hd_trainer *t = NULL;
    const hd_trainer_args args = {.recipe = r, .data = data, .out = out, .resume = resume};
    assert_int_equal(hd_trainer_new(&t, ctx, &args), status);
    assert_null(t);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
    hd_recipe_free(r);
    hd_data_free(data);
    hd_context_free(ctx);
}

static void test_refusals(void **state) {
    (void)state;
    refuses("{\"model\": \"4-8-2\"}", "", NULL, HD_E_MODEL, "the network has 2 outputs, the data have 3 classes");
    refuses("{\"model\": \"5-3\"}", "", NULL, HD_E_MODEL, "the data have 4 numbers a sample, not 5");
    refuses("{\"model\": \"4-3-sigmoid\", \"train\": {\"loss\": \"cross_entropy\"}}", "", NULL, HD_E_MODEL,
            "takes logits");
    refuses("{\"model\": [\"relu\", {\"linear\": {\"out_features\": 3}},\n {\"max_pool2d\": {}}]}", "", NULL,
            HD_E_MODEL, "recipe:2:3: max_pool2d");
    refuses("{\"model\": \"4-3\", \"train\": {\"monitor\": \"f1\"}}", "", NULL, HD_E_MODEL, "not measured");
    refuses("{\"model\": \"4-3\", \"train\": {\"target\": \"accuracy\"}}", "", NULL, HD_E_MODEL, "is no target");
    refuses("{\"model\": \"4-3\", \"train\": {\"time\": \"soon\"}}", "", NULL, HD_E_MODEL, "is no time");
    refuses("{\"model\": \"4-3\", \"data\": {\"val\": 0}, \"train\": {\"patience\": 1}}", "", NULL, HD_E_MODEL,
            "there is none");
    refuses("{\"model\": \"4-3\", \"train\": {\"from\": \"/nowhere/at.all\"}}", "", NULL, HD_E_FILE, "/nowhere/at.all");
    FILE *f = fopen(path_of("there"), "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    refuses("{\"model\": \"4-3\"}", folder, NULL, HD_E_FILE, "not empty");
    refuses(NULL, NULL, "/nowhere/at/all", HD_E_FILE, "no such run folder");
}

static void test_folder_counts_up(void **state) {
    (void)state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    for (int i = 1; i <= 2; i++) {
        hd_context *ctx = test_context(1);
        hd_dataset *data = run_classes(ctx, &data_of);
        hd_recipe *recipe = run_recipe(ctx, RECIPE(""));
        hd_trainer *t;
        hd_result result;
        char want[64], path[128];
        const hd_trainer_args args = {.recipe = recipe, .data = data, .name = "my run/x"};
        assert_int_equal(hd_trainer_new(&t, ctx, &args), HD_OK);
        (void)snprintf(want, sizeof want, "runs/my_run_x-%03d", i);
        assert_string_equal(hd_trainer_run_folder(t), want);
        (void)snprintf(path, sizeof path, "%s/recipe.yaml", want);
        assert_int_equal(access(path, R_OK), 0); /* there before the first step */
        assert_int_equal(hd_trainer_run(t, &result), HD_OK);
        assert_string_equal(result.run, want);
        assert_true(result.confusion != NULL && result.scores != NULL);
        hd_trainer_free(t);
        hd_recipe_free(recipe);
        hd_data_free(data);
        hd_context_free(ctx);
    }
    assert_int_equal(system("test $(ls runs | wc -l) = 2"), 0); /* and no temporary folder */
    assert_int_equal(system("test $(wc -l < runs/my_run_x-001/results.csv) = 5"), 0);
    assert_int_equal(system("test -s runs/my_run_x-001/result.json -a -s runs/my_run_x-001/last.state"), 0);
    assert_int_equal(chdir(here), 0);
}

/* ---- models from runs ---- */

static void test_model_opens(void **state) {
    (void)state;
    run r = {.recipe = RECIPE(""), .out = path_of("kept")};
    run_it(&r);
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_model *m;
    hd_model_info info;
    hd_split split;
    hd_scores scores;
    if (hd_model_open(&m, ctx, path_of("kept")) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    assert_int_equal(info.classes, RUN_CLASSES);
    assert_int_equal(info.params, r.result.params);
    assert_string_equal(info.loss, "cross_entropy");
    assert_int_equal(hd_split_make(&split, data, &(hd_split_args){.val = 0.1, .test = 0.2, .seed = 1}), HD_OK);
    assert_int_equal(hd_model_eval(m, data, split.val, split.val_count, &scores, NULL, NULL), HD_OK);
    assert_true(scores.loss == r.result.val.loss);
    /* Predictions one by one and all at once are the same, and are shares. */
    static float all[RUN_SAMPLES * RUN_CLASSES];
    float one[RUN_CLASSES];
    assert_int_equal(hd_model_predict(m, data_of.x, RUN_SAMPLES, all), HD_OK);
    for (int i = 0; i < RUN_SAMPLES; i += 37) {
        assert_int_equal(hd_model_predict(m, data_of.x + i * RUN_FEATURES, 1, one), HD_OK);
        for (int k = 0; k < RUN_CLASSES; k++)
            assert_true(fabs((double)one[k] - (double)all[i * RUN_CLASSES + k]) < 1e-5);
        assert_true(fabs((double)one[0] + (double)one[1] + (double)one[2] - 1) < 1e-5);
    }
    hd_split_free(&split);
    hd_model_free(m);
    hd_data_free(data);
    hd_context_free(ctx);
    /* --from takes what fits. */
    char text[5000];
    (void)snprintf(text, sizeof text, "{\"model\": " LAYERS ", \"train\": {\"epochs\": 1, \"from\": \"%s\"}}",
                   path_of("kept"));
    run from = {.recipe = text};
    run_it(&from);
    assert_true(from.result.train.loss < 1.1);
}

static void test_summary(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"lenet5\"}");
    hd_model *m;
    hd_model_info info;
    assert_int_equal(hd_model_new(&m, recipe, NULL), HD_OK);
    assert_int_equal(hd_model_get_info(m, &info), HD_OK);
    assert_int_equal(info.params, 61706);
    assert_string_equal(hd_model_layer(m, 0).name, "c1");
    assert_string_equal(hd_model_layer(m, 0).type, "conv2d");
    assert_int_equal(hd_model_layer(m, 0).params, 156);
    assert_int_equal(hd_model_layer(m, 0).output.dim[0], 6);
    assert_true(fabs(hd_model_layer(m, 0).flops - 2.0 * 25 * 6 * 784) <= 6 * 784);
    assert_true(info.train_plan.total > info.infer_plan.total && info.infer_plan.total > 61706 * 4);
    assert_string_equal(hd_model_layer(m, info.layers).type, "");
    hd_model_free(m);
    hd_recipe_free(recipe);
    hd_context_free(ctx);
}

/* What is frozen keeps its first values, what is not learns; and the sums of parameters say so. */
static void test_freeze(void **state) {
    (void)state;
    static float before[8 * 4], after[8 * 4], head[3 * 8], head_after[3 * 8];
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_recipe *recipe =
        run_recipe(ctx, "{\"model\": \"4-8-relu-3\", \"train\": {\"epochs\": 2, \"freeze\": [\"fc1.*\"]}}");
    hd_trainer *t;
    hd_result result;
    hd_model_info info;
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = ""}), HD_OK);
    hd_store *store = hd_model_store(hd_trainer_model(t));
    assert_int_equal(hd_store_get(store, "fc1.weight", before, sizeof before), HD_OK);
    assert_int_equal(hd_store_get(store, "fc2.weight", head, sizeof head), HD_OK);
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_int_equal(hd_store_get(store, "fc1.weight", after, sizeof after), HD_OK);
    assert_int_equal(hd_store_get(store, "fc2.weight", head_after, sizeof head_after), HD_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_memory_not_equal(head, head_after, sizeof head);
    assert_int_equal(hd_model_get_info(hd_trainer_model(t), &info), HD_OK);
    assert_int_equal(info.params, 5 * 8 + 9 * 3);
    assert_int_equal(info.trainable, 9 * 3);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
    refuses("{\"model\": \"4-3\", \"train\": {\"freeze\": [\"conv*\"]}}", "", NULL, HD_E_MODEL,
            "no parameter is called");
}

/* Pictures through convolution, batch normalisation and pooling: the same bits on 1, 2 and 3 threads, and resumed. */
static void test_pictures(void **state) {
    (void)state;
    enum { N = 90, SIDE = 8 };
    static unsigned char x[N * SIDE * SIDE];
    static int64_t labels[N];
    hd_rng rng = hd_rng_new(3, "pictures");
    for (int i = 0; i < N; i++) {
        labels[i] = i % 2;
        for (int k = 0; k < SIDE * SIDE; k++)
            x[i * SIDE * SIDE + k] = (unsigned char)(hd_rng_below(&rng, 128) + (k / SIDE % 2 == labels[i] ? 100 : 0));
    }
    const hd_data_arrays a = {
        .x = x, .dtype = HD_U8, .sample = HD_DIMS(1, SIDE, SIDE), .n = N, .labels = labels, .classes = 2};
    char sha[4][65];
    for (int i = 0; i < 4; i++) { /* the last run is cut in two */
        for (int part = 0; part < (i == 3 ? 2 : 1); part++) {
            hd_context *ctx = test_context(i < 3 ? i + 1 : 2);
            hd_dataset *data;
            hd_trainer *t;
            hd_result result;
            run_watch watch = {.stop_at = i == 3 && part == 0 ? 4 : 0};
            hd_recipe *recipe = run_recipe(
                ctx, "{\"model\": [{\"conv2d\": {\"out_channels\": 16, \"kernel_size\": 3, \"padding\": 1}}, "
                     "\"batch_norm\", "
                     "\"relu\", {\"conv2d\": {\"out_channels\": 16, \"kernel_size\": 3, \"padding\": 1}}, \"relu\", "
                     "{\"max_pool2d\": {\"kernel_size\": 2}}, {\"dropout\": {\"p\": 0.25}}, \"flatten\", {\"linear\": "
                     "{\"out_features\": 2}}], \"train\": {\"epochs\": 2, \"batch_size\": 16}}");
            assert_int_equal(hd_data_from_arrays(&data, ctx, &a), HD_OK);
            hd_trainer_args args = {.recipe = recipe,
                                    .data = data,
                                    .out = i == 3 ? path_of("cut") : "",
                                    .progress = run_progress,
                                    .user = &watch,
                                    .progress_every = -1};
            if (part == 1) args = (hd_trainer_args){.resume = path_of("cut"), .data = data};
            if (hd_trainer_new(&t, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
            assert_int_equal(hd_trainer_run(t, &result), HD_OK);
            memcpy(sha[i], result.weights_sha256, sizeof sha[i]);
            hd_trainer_free(t);
            hd_recipe_free(recipe);
            hd_data_free(data);
            hd_context_free(ctx);
        }
        assert_string_equal(sha[0], sha[i]);
    }
}

/* A model trained on bytes, 0 … 255, reads the same pictures written as numbers in 0 … 1. */
static void test_other_range(void **state) {
    (void)state;
    enum { N = 60 };
    static unsigned char x[N * 16];
    static float share[N * 16];
    static int64_t labels[N], indices[N];
    for (int i = 0; i < N; i++) {
        labels[i] = i % 2;
        indices[i] = i;
        for (int k = 0; k < 16; k++) {
            x[i * 16 + k] = (unsigned char)((i * 70 + k * 30) % 128 + (k / 4 % 2 == labels[i] ? 127 : 0));
            share[i * 16 + k] = (float)x[i * 16 + k] / 255;
        }
    }
    const hd_data_arrays bright = {
        .x = x, .dtype = HD_U8, .sample = HD_DIMS(1, 4, 4), .n = N, .labels = labels, .classes = 2};
    hd_context *ctx = test_context(1);
    hd_dataset *data, *other;
    hd_trainer *t;
    hd_result result;
    hd_scores a, b;
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"16-8-relu-2\", \"train\": {\"epochs\": 2, \"batch_size\": 8}}");
    hd_data_arrays low = bright;
    low.x = share;
    low.dtype = HD_F32;
    assert_int_equal(hd_data_from_arrays(&data, ctx, &bright), HD_OK);
    assert_int_equal(hd_data_from_arrays(&other, ctx, &low), HD_OK);
    assert_int_equal(hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = ""}), HD_OK);
    assert_int_equal(hd_trainer_run(t, &result), HD_OK);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), data, indices, N, &a, NULL, NULL), HD_OK);
    assert_int_equal(hd_model_eval(hd_trainer_model(t), other, indices, N, &b, NULL, NULL), HD_OK);
    if (!(fabs(a.loss - b.loss) < 1e-5))
        fail_msg("%g, not %g (%g)", b.loss, a.loss, (double)hd_data_get_info(other).high);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_data_free(other);
    hd_context_free(ctx);
}

static hd_status everything(hd_context *ctx, void *arg) {
    (void)arg;
    hd_dataset *data = NULL;
    hd_recipe *recipe = NULL;
    hd_trainer *t = NULL;
    hd_result result;
    const hd_data_arrays a = {.x = data_of.x,
                              .dtype = HD_F32,
                              .sample = HD_DIMS(RUN_FEATURES),
                              .n = 40,
                              .labels = data_of.labels,
                              .classes = RUN_CLASSES};
    hd_status status = hd_data_from_arrays(&data, ctx, &a);
    if (status == HD_OK)
        status =
            hd_recipe_parse(&recipe, ctx, "r", "{\"model\": \"4-3\", \"train\": {\"epochs\": 1, \"batch_size\": 30}}");
    if (status == HD_OK)
        status = hd_trainer_new(&t, ctx, &(hd_trainer_args){.recipe = recipe, .data = data, .out = arg});
    if (status == HD_OK) status = hd_trainer_run(t, &result);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    static char none[] = "";
    assert_true(fail_every_allocation(everything, none) > 100);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_learns),
        T(test_learns_numbers),
        T(test_other_losses),
        T(test_seeds_and_threads),
        T(test_resume_adamw),
        T(test_resume_sgd_numbers),
        T(test_resume_bf16),
        T(test_resume_without_shuffle),
        T(test_resume_after_kill),
        T(test_resume_finished),
        T(test_patience),
        T(test_monitor),
        T(test_target),
        T(test_steps_and_time),
        T(test_diverged),
        T(test_bad_index),
        T(test_no_parts),
        T(test_no_allocation),
        T(test_refusals),
        T(test_folder_counts_up),
        T(test_model_opens),
        T(test_summary),
        T(test_freeze),
        T(test_pictures),
        T(test_other_range),
        T(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
