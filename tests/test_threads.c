/* test_threads.c: contexts share nothing: two of them train at the same time in two threads to the bits that each comes
 * to alone; and a run ends when another thread asks for it. */
#include "run_support.h"

#include "hadal/hadal.h"
#include <pthread.h>

static run_data data_of;

static int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    return 0;
}

/* One run in a context and a thread of its own. */
typedef struct job {
    const char *recipe, *source; /* source NULL: the small clouds */
    int threads;
    int64_t stop_at;
    hd_status status;
    char sha256[65], error[600];
    double loss;
} job;

static bool stop_at(void *user, const hd_progress *p) {
    const job *j = user;
    return j->stop_at > 0 && p->total_steps >= j->stop_at;
}

static hd_status train(hd_context *ctx, job *j) {
    hd_recipe *recipe = NULL;
    hd_dataset *data = NULL;
    hd_trainer *trainer = NULL;
    hd_result result;
    hd_status status = hd_recipe_parse(&recipe, ctx, "recipe", j->recipe);
    if (status == HD_OK && j->source) status = hd_data_open(&data, ctx, j->source, NULL);
    if (status == HD_OK && !j->source)
        status = hd_data_from_arrays(&data, ctx,
                                     &(hd_data_arrays){.x = data_of.x,
                                                       .dtype = HD_F32,
                                                       .sample = HD_DIMS(RUN_FEATURES),
                                                       .n = RUN_SAMPLES,
                                                       .labels = data_of.labels,
                                                       .classes = RUN_CLASSES});
    const hd_trainer_args args = {
        .recipe = recipe, .data = data, .out = "", .progress = stop_at, .user = j, .progress_every = -1};
    if (status == HD_OK) status = hd_trainer_new(&trainer, ctx, &args);
    if (status == HD_OK) status = hd_trainer_run(trainer, &result);
    if (status == HD_OK) {
        memcpy(j->sha256, result.weights_sha256, sizeof j->sha256);
        j->loss = result.val.loss;
    }
    hd_trainer_free(trainer);
    hd_data_free(data);
    hd_recipe_free(recipe);
    return status;
}

static void *run(void *arg) {
    job *j = arg;
    hd_context *ctx;
    j->status = hd_context_new(&ctx, &(hd_context_args){.threads = j->threads});
    if (j->status != HD_OK) return NULL;
    j->status = train(ctx, j);
    (void)snprintf(j->error, sizeof j->error, "%s", hd_last_error(ctx));
    hd_context_free(ctx);
    return NULL;
}

#define CLOUDS "{\"model\": \"4-32-32-3\", \"train\": {\"epochs\": 6, \"batch_size\": 32, \"seed\": 3}}"
/* The products of WIDE are large enough for oneDNN where it is built in. */
#define WIDE   "{\"model\": \"256-2048-10\", \"train\": {\"epochs\": 1, \"batch_size\": 128, \"seed\": 5}}"
#define DIGITS "{\"model\": \"cnn-small\", \"train\": {\"epochs\": 1, \"batch_size\": 64, \"seed\": 5}}"
#define FEW    "{\"source\": \"digits\", \"n\": 400}"

static void runs_side_by_side_come_to_the_bits_of_runs_alone(void **state) {
    (void)state;
    const job jobs[] = {{.recipe = CLOUDS, .threads = 1},
                        {.recipe = DIGITS, .source = FEW, .threads = 2, .stop_at = 3},
                        {.recipe = DIGITS, .source = FEW, .threads = 2, .stop_at = 3},
                        {.recipe = WIDE, .source = FEW, .threads = 1, .stop_at = 2},
                        {.recipe = WIDE, .source = FEW, .threads = 2, .stop_at = 2},
                        {.recipe = CLOUDS, .threads = 2}};
    enum { JOBS = (int)(sizeof jobs / sizeof *jobs) };
    job alone[JOBS], beside[JOBS];
    pthread_t thread[JOBS];
    memcpy(alone, jobs, sizeof jobs);
    memcpy(beside, jobs, sizeof jobs);
    for (int i = 0; i < JOBS; i++) (void)run(&alone[i]);
    for (int i = 0; i < JOBS; i += 2) { /* two at a time: the same net twice, then different ones */
        for (int k = i; k < i + 2; k++) assert_int_equal(pthread_create(&thread[k], NULL, run, &beside[k]), 0);
        for (int k = i; k < i + 2; k++) assert_int_equal(pthread_join(thread[k], NULL), 0);
    }
    for (int i = 0; i < JOBS; i++) {
        if (alone[i].status != HD_OK || beside[i].status != HD_OK)
            fail_msg("%d: %s%s", i, alone[i].error, beside[i].error);
        assert_string_equal(alone[i].sha256, beside[i].sha256);
        assert_true(alone[i].loss == beside[i].loss);
    }
    assert_string_equal(alone[1].sha256, alone[2].sha256);
    assert_string_equal(alone[3].sha256, alone[4].sha256);
    assert_string_equal(alone[0].sha256, alone[5].sha256); /* and on any number of threads */
}

/* ---- errors stay with their context ---- */

static void *fail_often(void *arg) {
    const char *name = arg;
    hd_context *ctx;
    if (hd_context_new(&ctx, &(hd_context_args){.threads = 1}) != HD_OK) return (void *)"no context";
    bool good = true;
    for (int i = 0; i < 200 && good; i++) {
        hd_dataset *data;
        good = hd_data_open(&data, ctx, name, NULL) == HD_E_DATA && strstr(hd_last_error(ctx), name);
    }
    hd_context_free(ctx);
    return good ? NULL : arg;
}

static void errors_stay_with_their_context(void **state) {
    (void)state;
    static char names[2][16] = {"nowhere-one", "nowhere-two"};
    pthread_t thread[2];
    void *bad[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&thread[i], NULL, fail_often, names[i]), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_join(thread[i], &bad[i]), 0);
    for (int i = 0; i < 2; i++) assert_null(bad[i]);
}

/* ---- asking a run to end ---- */

typedef struct asked {
    hd_trainer *trainer;
    pthread_mutex_t lock;
    pthread_cond_t began;
    bool running;
} asked;

static bool say_running(void *user, const hd_progress *p) {
    asked *a = user;
    (void)p;
    pthread_mutex_lock(&a->lock);
    a->running = true;
    pthread_cond_signal(&a->began);
    pthread_mutex_unlock(&a->lock);
    return false;
}

static void *ask(void *arg) {
    asked *a = arg;
    pthread_mutex_lock(&a->lock);
    while (!a->running) pthread_cond_wait(&a->began, &a->lock);
    pthread_mutex_unlock(&a->lock);
    hd_trainer_stop(a->trainer);
    return NULL;
}

static void another_thread_ends_a_run(void **state) {
    (void)state;
    asked a = {.lock = PTHREAD_MUTEX_INITIALIZER, .began = PTHREAD_COND_INITIALIZER};
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    /* far more epochs than anybody would wait for */
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"4-8-3\", \"train\": {\"epochs\": 1000000000}}");
    hd_result result;
    pthread_t thread;
    const hd_trainer_args args = {
        .recipe = recipe, .data = data, .out = "", .progress = say_running, .user = &a, .progress_every = -1};
    if (hd_trainer_new(&a.trainer, ctx, &args) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    assert_int_equal(hd_trainer_run(a.trainer, &result), HD_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(result.stop, HD_STOP_INTERRUPTED);
    hd_trainer_free(a.trainer);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_side_by_side_come_to_the_bits_of_runs_alone),
        cmocka_unit_test(errors_stay_with_their_context),
        cmocka_unit_test(another_thread_ends_a_run),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
