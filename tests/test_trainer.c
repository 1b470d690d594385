/* test_trainer.c: runs: they learn, they end for the right reason, the same seed gives the same bits; what can not be
 * run is refused. */
#include "trainer_run.h"

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
    refuses("{\"data\": {\"normalize\": \"none\", \"val\": 0, \"test\": 0}, \"model\": [{\"embedding\": {\"name\": "
            "\"e\", \"num_embeddings\": 1, \"embedding_dim\": 2}}, \"flatten\", {\"linear\": {\"out_features\": 3}}]}",
            "", NULL, HD_E_DATA, "embedding \"e\" has rows 0 … 0, sample ");
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
    const struct CMUnitTest tests[] = {
        RUN_TEST(test_learns),
        RUN_TEST(test_learns_numbers),
        RUN_TEST(test_other_losses),
        RUN_TEST(test_seeds_and_threads),
        RUN_TEST(test_patience),
        RUN_TEST(test_monitor),
        RUN_TEST(test_target),
        RUN_TEST(test_steps_and_time),
        RUN_TEST(test_diverged),
        RUN_TEST(test_bad_index),
        RUN_TEST(test_no_parts),
        RUN_TEST(test_no_allocation),
        RUN_TEST(test_refusals),
        RUN_TEST(test_folder_counts_up),
        RUN_TEST(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
