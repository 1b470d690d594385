/* test_resume.c: an interrupted run goes on to the bits of one that was not, wherever it was cut, also behind a kill.
 */
#include "compile/tune_table.h"
#include "trainer_run.h"

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

/* Everything that an optimiser keeps beside its own state; two batches a step, the last of an epoch by itself or not.
 */
static void test_resume_extras(void **state) {
    (void)state;
    const int64_t stops[] = {1, 4, 8, 9, 21};
    resumes("{\"model\": " LAYERS ", \"train\": {\"epochs\": 4, \"batch_size\": 32, \"log_every\": 3, \"schedule\": "
            "{\"name\": \"plateau\", \"patience\": 0, \"threshold\": 0.5}, \"ema\": 0.9, \"accumulate\": 3, "
            "\"skip_outliers\": 2, \"no_decay\": \"norms-and-biases\", \"groups\": [{\"params\": \"*.weight\", "
            "\"lr_scale\": 0.5}]}}",
            false, stops, 5);
}

static void test_resume_muon(void **state) {
    (void)state;
    const int64_t stops[] = {3, 12};
    resumes("{\"model\": " LAYERS ", \"train\": {\"epochs\": 3, \"batch_size\": 32, \"optimizer\": \"muon\", \"ema\": "
            "0.9}}",
            false, stops, 2);
}

/* The masters are f32: what is stored is all there is. */
static void test_resume_bf16(void **state) {
    (void)state;
    const int64_t stops[] = {3, 12};
    resumes("{\"model\": \"4-128-relu-128-relu-3\", \"train\": {\"epochs\": 3, \"batch_size\": 32, \"precision\": "
            "\"bf16\"}}",
            false, stops, 2);
}

/* A table that makes a library's kernel run a layer that the rule gives to an own one. */
static void write_table(const char *path, const char *kernel) {
    hd_context *ctx = test_context(1);
    hd_tuning *t;
    static const char *const key = "linear act=relu : f32[32,128] f32[128,128] f32[128] > f32[32,128]";
    assert_int_equal(hd_tuning_new(&t, ctx), HD_OK);
    assert_int_equal(hd_tuning_put(t, key, kernel, 0, 1), HD_OK);
    assert_int_equal(hd_tuning_put(t, "linear : f32[1,2]", kernel, 0, 1), HD_OK);
    if (hd_tuning_save(t, path) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    hd_tuning_free(t);
    hd_context_free(ctx);
}

/* The choices in a run's folder; -1: there is no table. */
static int choices_of(const char *run_folder) {
    hd_context *ctx = test_context(1);
    hd_tuning *t;
    int count = -1;
    char path[4400];
    (void)snprintf(path, sizeof path, "%s/tune.json", run_folder);
    assert_int_equal(hd_tuning_new(&t, ctx), HD_OK);
    if (hd_path_exists(path)) {
        assert_int_equal(hd_tuning_load(t, path), HD_OK);
        count = hd_tuning_get_facts(t).entries;
    }
    hd_tuning_free(t);
    hd_context_free(ctx);
    return count;
}

/* A run goes on by the table that it began with, whatever the machine's says by then. */
static void test_resume_tuned(void **state) {
    (void)state;
    static const char *const recipe =
        "{\"model\": \"4-128-relu-128-relu-3\", \"train\": {\"epochs\": 3, \"batch_size\": 32}}";
    char version[32], table[4300], other[4300];
    (void)snprintf(table, sizeof table, "%s/table.json", folder);
    (void)snprintf(other, sizeof other, "%s/other.json", folder);
    write_table(table, "onednn.linear");
    write_table(other, "cpu.linear");
    run plain = {.recipe = recipe, .out = path_of("plain")};
    run whole = {.recipe = recipe, .out = path_of("tuned"), .table = table};
    run part = {.recipe = recipe, .out = path_of("tuned-part"), .table = table, .watch.stop_at = 5};
    run rest = {.resume = path_of("tuned-part"), .table = other};
    run_it(&plain);
    run_it(&whole);
    run_it(&part);
    run_it(&rest);
    same_result(&whole, &rest);
    const bool library = hd_library_version("oneDNN", version) != NULL;
    assert_int_equal(choices_of(path_of("plain")), -1);
    assert_int_equal(choices_of(path_of("tuned")), library ? 1 : -1);
    assert_int_equal(choices_of(path_of("tuned-part")), library ? 1 : -1);
    if (library) assert_string_not_equal(plain.result.weights_sha256, whole.result.weights_sha256);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        RUN_TEST(test_resume_adamw),
        RUN_TEST(test_resume_sgd_numbers),
        RUN_TEST(test_resume_extras),
        RUN_TEST(test_resume_muon),
        RUN_TEST(test_resume_bf16),
        RUN_TEST(test_resume_tuned),
        RUN_TEST(test_resume_without_shuffle),
        RUN_TEST(test_resume_after_kill),
        RUN_TEST(test_resume_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
