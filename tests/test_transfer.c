/* test_transfer.c: runs that begin with what another learnt: the body is taken, a head for other classes begins anew,
 * what is frozen does not move and costs no gradients, and the result says all of it. */
#include "run_support.h"

#include "base/file.h"
#include "train/trainer.h"

enum { SIDE = 8, SIZE = 3 * SIDE * SIDE, SAMPLES = 96 };

static unsigned char pictures[SAMPLES * SIZE];
static int64_t labels[SAMPLES];
static char folder[4096];

/* Class k is bright in a corner of its own. */
static void draw(int64_t classes) {
    uint32_t noise = 7;
    for (int i = 0; i < SAMPLES; i++) {
        labels[i] = i % classes;
        for (int k = 0; k < SIZE; k++) {
            noise = noise * 1664525 + 1013904223;
            const int row = k / SIDE % SIDE, column = k % SIDE;
            const bool in = row / 4 == labels[i] / 2 % 2 && column / 4 == labels[i] % 2;
            pictures[i * SIZE + k] = (unsigned char)((in ? 150 : 40) + (noise >> 26));
        }
    }
}

static int set_up(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[4][4200];
    static int next;
    char *p = path[next++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

/* What a run left to look at. */
typedef struct seen {
    hd_status status;
    char error[600], json[8000];
    double scratch, accuracy;
    size_t grads, activations;
    int64_t frozen, taken;
    char fresh[200];
} seen;

enum { EPOCHS = 2, AT_ONCE = -1, TO_THE_END = EPOCHS + 1 };

/* Ends whatever goes on after so many epochs of the run. */
static bool stop_after(void *user, const hd_progress *progress) {
    int *epochs = user;
    if (*epochs <= 0) return true;
    *epochs -= progress->epoch_end;
    return false;
}

static void run_it(const char *text, int64_t classes, const char *out, const char *resume, int epochs, seen *s) {
    hd_context *ctx = test_context(1);
    hd_dataset *data;
    hd_trainer *t = NULL;
    hd_result r;
    draw(classes);
    *s = (seen){.status = HD_OK};
    const hd_data_arrays arrays = {.x = pictures,
                                   .dtype = HD_U8,
                                   .sample = HD_DIMS(3, SIDE, SIDE),
                                   .n = SAMPLES,
                                   .labels = labels,
                                   .classes = classes};
    assert_int_equal(hd_data_from_arrays(&data, ctx, &arrays), HD_OK);
    hd_recipe *recipe = resume ? NULL : run_recipe(ctx, text);
    s->status = hd_trainer_new(&t, ctx,
                               &(hd_trainer_args){.recipe = recipe,
                                                  .data = data,
                                                  .out = out ? out : "",
                                                  .resume = resume,
                                                  .progress = stop_after,
                                                  .user = &epochs,
                                                  .progress_every = -1});
    if (s->status == HD_OK) {
        const hd_transfer_info x = hd_trainer_transfer(t);
        s->grads = hd_trainer_memory(t).grads;
        s->activations = hd_trainer_memory(t).activations;
        s->frozen = x.frozen;
        s->taken = x.taken;
        for (int32_t i = 0; i < x.fresh_count; i++) strcat(strcat(s->fresh, x.fresh[i]), " ");
        s->status = hd_trainer_run(t, &r);
        if (s->status == HD_OK) {
            (void)snprintf(s->json, sizeof s->json, "%s", r.result_json);
            s->scratch = r.scratch;
            s->accuracy = r.val.count > 0 ? r.val.metric[0].value : 0;
        }
    }
    (void)snprintf(s->error, sizeof s->error, "%s", hd_last_error(ctx));
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
}

static void must(const char *text, int64_t classes, const char *out, seen *s) {
    run_it(text, classes, out, NULL, TO_THE_END, s);
    if (s->status != HD_OK) fail_msg("%s", s->error);
}

static void must_not(const char *text, int64_t classes, const char *message) {
    seen s;
    run_it(text, classes, NULL, NULL, TO_THE_END, &s);
    assert_int_equal(s.status, HD_E_MODEL);
    if (!strstr(s.error, message)) fail_msg("\"%s\" lacks \"%s\"", s.error, message);
}

#define NET   "\"model\": {\"name\": \"resnet20\", \"width\": 2}"
#define SHORT "\"epochs\": 2, \"batch_size\": 16, \"optimizer\": {\"name\": \"sgd\", \"lr\": 0.05, \"momentum\": 0.9}"

static char text[8000];
static const char *recipe_from(const char *more, const char *model) {
    (void)snprintf(text, sizeof text,
                   "{%s\"eval\": {\"baselines\": false}, \"train\": {" SHORT ", \"from\": \"%s\"%s}}", model,
                   path_of("first"), more);
    return text;
}

static void first_run(void) {
    seen s;
    must("{" NET ", \"eval\": {\"baselines\": false}, \"train\": {" SHORT "}}", 4, path_of("first"), &s);
    assert_null(strstr(s.json, "\"transfer\""));
}

/* The bytes of a tensor in a run's last weights. */
static void tensor_of(const char *run, const char *name, float *out, size_t count) {
    hd_context *ctx = test_context(1);
    hd_tensors *file;
    hd_tensor_info t;
    char path[4400];
    (void)snprintf(path, sizeof path, "%s/%s", path_of(run),
                   strcmp(run, "first") == 0 ? "best.safetensors" : "last.safetensors");
    assert_int_equal(hd_tensors_open(&file, ctx, path), HD_OK);
    assert_true(hd_tensors_find(file, name, &t));
    assert_int_equal(t.bytes, count * sizeof *out);
    memcpy(out, t.data, t.bytes);
    hd_tensors_close(file);
    hd_context_free(ctx);
}

static bool moved(const char *name, size_t count) {
    float a[256], b[256];
    tensor_of("first", name, a, count);
    tensor_of("second", name, b, count);
    return memcmp(a, b, count * sizeof *a) != 0;
}

static void test_head_and_freeze(void **state) {
    (void)state;
    seen all, cut;
    first_run();
    must(recipe_from("", ""), 3, NULL, &all);
    must(recipe_from(", \"freeze\": [\"conv1.*\", \"bn1.*\", \"layer*\"]", ""), 3, path_of("second"), &cut);
    assert_string_equal(cut.fresh, "linear.bias linear.weight ");
    assert_int_equal(cut.taken, 95);
    assert_int_equal(all.frozen, 0);
    assert_true(cut.frozen > 4000);
    assert_non_null(strstr(cut.json, "\"new\": [\"linear.bias\", \"linear.weight\"]"));
    /* No gradients below the head, and nothing is kept for them. */
    assert_true(cut.grads <= 256 && all.grads > 16000); /* 27 numbers, rounded up */
    assert_true(cut.activations * 2 < all.activations);
    /* What is frozen stays to the bit, the statistics of its norms too. */
    assert_false(moved("conv1.weight", 54));
    assert_false(moved("bn1.weight", 2));
    assert_false(moved("bn1.running_mean", 2));
    assert_false(moved("layer3.2.bn2.running_var", 8));
    /* The pictures are normalised as the weights are used to. */
    seen again;
    run_it(NULL, 3, NULL, path_of("second"), TO_THE_END, &again);
    assert_int_equal(again.status, HD_OK);
}

/* Norms alone can be frozen under trained filters: gradients go through their still form. */
static void test_frozen_norms(void **state) {
    (void)state;
    seen s;
    first_run();
    must(recipe_from(", \"freeze\": [\"*bn*\"]", ""), 4, path_of("second"), &s);
    assert_string_equal(s.fresh, "");
    assert_int_equal(s.taken, 97);
    assert_false(moved("layer2.0.bn1.running_mean", 4));
    assert_true(moved("layer2.0.conv1.weight", 72));
}

static void test_scratch_is_compared(void **state) {
    (void)state;
    seen s, alone;
    first_run();
    must(recipe_from(", \"compare_scratch\": true", ""), 4, NULL, &s);
    assert_non_null(strstr(s.json, "\"scratch\""));
    /* It is what that run is by itself. */
    must("{" NET ", \"eval\": {\"baselines\": false}, \"train\": {" SHORT "}}", 4, NULL, &alone);
    assert_true(s.scratch == alone.accuracy);
    assert_true(s.accuracy >= alone.accuracy);
}

static void test_scratch_is_stopped(void **state) {
    (void)state;
    seen s;
    first_run();
    run_it(recipe_from(", \"compare_scratch\": true", ""), 4, NULL, NULL, EPOCHS, &s);
    assert_int_equal(s.status, HD_OK);
    assert_true(isnan(s.scratch));
    assert_null(strstr(s.json, "interrupted"));
}

/* A run that is gone on with still says what it began with. */
static void test_interrupted(void **state) {
    (void)state;
    seen s, on;
    first_run();
    run_it(recipe_from("", ""), 3, path_of("second"), NULL, AT_ONCE, &s);
    assert_int_equal(s.status, HD_OK);
    run_it(NULL, 3, NULL, path_of("second"), TO_THE_END, &on);
    if (on.status != HD_OK) fail_msg("%s", on.error);
    assert_string_equal(on.fresh, "linear.bias linear.weight ");
    assert_int_equal(on.taken, 95);
    assert_non_null(strstr(on.json, "\"transfer\""));
}

/* One-line networks and lists of layers get as many outputs as there are classes. */
static void test_other_forms(void **state) {
    (void)state;
    seen s;
    must("{\"model\": \"192-8-relu-4\", \"train\": {\"epochs\": 1}}", 4, path_of("first"), &s);
    must(recipe_from("", ""), 2, NULL, &s);
    assert_string_equal(s.fresh, "fc2.bias fc2.weight ");
    test_folder_remove(folder);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    must("{\"model\": [\"flatten\", {\"linear\": {\"out_features\": 4}}], \"train\": {\"epochs\": 1}}", 4,
         path_of("first"), &s);
    must(recipe_from("", ""), 3, NULL, &s);
    assert_string_equal(s.fresh, "linear1.bias linear1.weight ");
}

static void test_refusals(void **state) {
    (void)state;
    first_run();
    must_not(recipe_from("", "\"model\": \"mlp\", "), 4, "expected a tensor \"fc1.bias\" [128], it has none");
    must_not(recipe_from("", "\"model\": \"resnet20\", "), 4, "expected tensor \"bn1.bias\" to be [16], it is [2]");
    must_not(recipe_from("", "\"model\": {\"name\": \"resnet32\", \"width\": 2}, "), 4, "\"layer1.3.bn1.bias\" [2]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_head_and_freeze, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_frozen_norms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scratch_is_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scratch_is_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interrupted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
