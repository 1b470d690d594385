/* trainer_run.h: one training run in a context and folder of its own: for the tests of the trainer, of going on, and of
 * trained models. */
#ifndef HD_TESTS_TRAINER_RUN_H
#define HD_TESTS_TRAINER_RUN_H
#include "run_support.h"

#include "base/file.h"
#include "base/json.h"
#include "train/trainer.h"

static run_data data_of;
static char folder[4096];

static inline int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* One run in a context of its own. */
typedef struct run {
    const char *recipe, *out, *resume, *table; /* table: a file of measured kernels, or NULL */
    int threads;
    bool numbers;
    run_watch watch;
    hd_status status; /* expected */
    /* what came of it */
    hd_result result;
    char error[600], json[8192];
    hd_scores best_again; /* validation scored with the model as the run left it */
} run;

static inline void run_it(run *r) {
    hd_context *ctx = test_context(r->threads ? r->threads : 1);
    hd_dataset *data = r->numbers ? run_numbers(ctx, &data_of) : run_classes(ctx, &data_of);
    hd_recipe *recipe = r->resume ? NULL : run_recipe(ctx, r->recipe);
    hd_trainer *t;
    hd_tuning *tuning = NULL;
    r->watch.ctx = ctx;
    if (r->table && (hd_tuning_new(&tuning, ctx) != HD_OK || hd_tuning_load(tuning, r->table) != HD_OK))
        fail_msg("%s", hd_last_error(ctx));
    const hd_trainer_args args = {.recipe = recipe,
                                  .data = data,
                                  .out = r->out ? r->out : "",
                                  .resume = r->resume,
                                  .tuning = tuning,
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
    hd_tuning_free(tuning);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
}

static inline const char *path_of(const char *name) {
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

static inline void same_result(const run *a, const run *b) {
    assert_string_equal(a->result.weights_sha256, b->result.weights_sha256);
    assert_int_equal(a->result.best_epoch, b->result.best_epoch);
    assert_int_equal(a->result.steps, b->result.steps);
    assert_int_equal(a->result.stop, b->result.stop);
    assert_memory_equal(&a->result.train, &b->result.train, sizeof a->result.train);
    assert_memory_equal(&a->result.val, &b->result.val, sizeof a->result.val);
    assert_memory_equal(&a->result.test, &b->result.test, sizeof a->result.test);
}

static inline void refuses(const char *recipe, const char *out, const char *resume, hd_status status,
                           const char *message) {
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

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#endif
