/* test_checkpoint.c: what a run leaves on disk: damaged, missing, foreign or hostile, it is refused or begun anew,
 * never half taken. */
#include "run_support.h"

#include "base/file.h"
#include "hadal/io.h"

static run_data data_of;
static char folder[4096];
static hd_context *ctx;
static hd_dataset *data;

#define RECIPE "{\"model\": \"4-6-tanh-3\", \"train\": {\"epochs\": 3, \"batch_size\": 40}}"

static int set_up(void **state) {
    (void)state;
    run_data_fill(&data_of);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    ctx = test_context(1);
    data = run_classes(ctx, &data_of);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    hd_data_free(data);
    hd_context_free(ctx);
    test_folder_remove(folder);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[8][4200];
    static int next;
    char *p = path[next++ % 8];
    (void)snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

/* Runs or goes on; stop_at 0: to the end. Returns the status of the first call that failed. */
static hd_status run(const char *out, const char *resume, int64_t stop_at, char sha[65]) {
    hd_recipe *recipe = resume ? NULL : run_recipe(ctx, RECIPE);
    hd_trainer *t = NULL;
    hd_result result;
    run_watch watch = {.stop_at = stop_at};
    const hd_trainer_args args = {.recipe = recipe,
                                  .data = data,
                                  .out = out,
                                  .resume = resume,
                                  .progress = run_progress,
                                  .user = &watch,
                                  .progress_every = -1};
    hd_status status = hd_trainer_new(&t, ctx, &args);
    if (status == HD_OK) status = hd_trainer_run(t, &result);
    if (status == HD_OK && sha) memcpy(sha, result.weights_sha256, 65);
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    return status;
}

static void begin(const char *name) {
    assert_int_equal(run(path_of(name), NULL, 8, NULL), HD_OK);
}

static void test_anew_without_checkpoint(void **state) {
    (void)state;
    char whole[65], anew[65];
    assert_int_equal(run(path_of("a"), NULL, 0, whole), HD_OK);
    begin("b");
    assert_int_equal(unlink(path_of("b/last.state")), 0);
    assert_int_equal(run(NULL, path_of("b"), 0, anew), HD_OK);
    assert_string_equal(whole, anew);
}

/* last.state is enough: weights files may be lost or stem from another moment. */
static void test_state_alone(void **state) {
    (void)state;
    char whole[65], part[65];
    assert_int_equal(run(path_of("a"), NULL, 0, whole), HD_OK);
    begin("b");
    assert_int_equal(unlink(path_of("b/last.safetensors")), 0);
    assert_int_equal(run(NULL, path_of("b"), 0, part), HD_OK);
    assert_string_equal(whole, part);
}

static void test_lost_best(void **state) {
    (void)state;
    begin("a");
    assert_int_equal(unlink(path_of("a/best.safetensors")), 0);
    assert_int_equal(run(NULL, path_of("a"), 0, NULL), HD_E_FILE);
}

static void test_cut_state(void **state) {
    (void)state;
    begin("a");
    char *bytes;
    size_t length;
    assert_int_equal(hd_file_read(ctx, path_of("a/last.state"), 0, &bytes, &length), HD_OK);
    for (size_t cut = 0; cut < length; cut += length / 23 + 1) {
        assert_int_equal(hd_file_write(ctx, path_of("a/last.state"), bytes, cut), HD_OK);
        assert_int_equal(run(NULL, path_of("a"), 0, NULL), HD_E_DATA);
    }
    hd_free(ctx, bytes);
}

/* Writes last.state anew with other metadata or without its last tensor. */
static void rewrite_state(const char *name, const char *from, const char *to, bool drop) {
    hd_tensors *file;
    hd_tensor_out out[64];
    char text[8192];
    assert_int_equal(hd_tensors_open(&file, ctx, path_of(name)), HD_OK);
    const char *old = hd_tensors_metadata(file, "hadal.state"), *at = from ? strstr(old, from) : old;
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, from ? to : "", at + (from ? strlen(from) : 0));
    const int32_t n = hd_tensors_count(file);
    assert_true(n < 64);
    for (int32_t i = 0; i < n; i++) {
        const hd_tensor_info in = hd_tensors_at(file, i);
        assert_string_equal(in.dtype, "F32");
        out[i] = (hd_tensor_out){in.name, HD_F32, in.dims, in.data};
    }
    const char *metadata[] = {"hadal.state", text, NULL};
    assert_int_equal(hd_tensors_write(ctx, path_of(name), out, drop ? n - 1 : n, metadata), HD_OK);
    hd_tensors_close(file);
}

static void test_foreign_states(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        hd_status status;
    } cases[] = {
        {"\"version\": 1", "\"version\": 2", HD_E_UNSUPPORTED},
        {"\"samples\": ", "\"samples\": 1", HD_E_DATA},
        {"\"step\": ", "\"step\": 99", HD_E_MODEL},
        {"\"epoch\": ", "\"epoch\": -", HD_E_MODEL},
        {"\"epoch\": ", "\"epoch\": 77", HD_E_MODEL},
        {"\"n\": ", "\"m\": ", HD_E_MODEL},
        {"\"best_train\": {\"n\"", "\"best_train\": {\"k\"", HD_E_MODEL},
        {"{", "[", HD_E_MODEL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[16], file[32];
        (void)snprintf(name, sizeof name, "r%zu", i);
        (void)snprintf(file, sizeof file, "r%zu/last.state", i);
        begin(name);
        rewrite_state(file, cases[i].from, cases[i].to, false);
        const hd_status got = run(NULL, path_of(name), 0, NULL);
        if (got != cases[i].status) fail_msg("%s: %s, %s", cases[i].to, hd_status_name(got), hd_last_error(ctx));
    }
    begin("less");
    rewrite_state("less/last.state", NULL, NULL, true);
    assert_int_equal(run(NULL, path_of("less"), 0, NULL), HD_E_MODEL);
    begin("same");
    rewrite_state("same/last.state", NULL, NULL, false);
    assert_int_equal(run(NULL, path_of("same"), 0, NULL), HD_OK);
}

/* ---- models in files ---- */

static void opens(const char *path, hd_status status, const char *message) {
    hd_model *m = NULL;
    const hd_status got = hd_model_open(&m, ctx, path);
    hd_model_free(m);
    if (got != status)
        fail_msg("%s: %s, not %s: %s", path, hd_status_name(got), hd_status_name(status), hd_last_error(ctx));
    if (message && !strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

/* A weights file with one piece of its metadata replaced. */
static void write_model(const char *source, const char *key, const char *from, const char *to) {
    static const char *const keys[] = {"format", "hadal.recipe", "hadal.classes", "hadal.preprocess"};
    static char text[4][8192];
    const char *metadata[9] = {NULL};
    hd_tensors *file;
    hd_tensor_out out[16];
    assert_int_equal(hd_tensors_open(&file, ctx, source), HD_OK);
    for (int i = 0; i < 4; i++) {
        const char *old = hd_tensors_metadata(file, keys[i]),
                   *at = strcmp(key, keys[i]) == 0 ? strstr(old, from) : NULL;
        if (strcmp(key, keys[i]) == 0 && !at) fail_msg("%s holds no %s: %s", key, from, old);
        (void)snprintf(text[i], sizeof text[i], "%.*s%s%s", at ? (int)(at - old) : 0, old, at ? to : "",
                       at ? at + strlen(from) : old);
        metadata[2 * i] = keys[i];
        metadata[2 * i + 1] = text[i];
    }
    const int32_t n = hd_tensors_count(file);
    for (int32_t i = 0; i < n; i++) {
        const hd_tensor_info in = hd_tensors_at(file, i);
        out[i] = (hd_tensor_out){in.name, HD_F32, in.dims, in.data};
    }
    assert_int_equal(hd_tensors_write(ctx, path_of("m.safetensors"), out, n, metadata), HD_OK);
    hd_tensors_close(file);
}

static void test_models_in_files(void **state) {
    (void)state;
    assert_int_equal(run(path_of("a"), NULL, 0, NULL), HD_OK);
    char source[4200], m[4200]; /* path_of's own are used again */
    (void)snprintf(source, sizeof source, "%s", path_of("a/best.safetensors"));
    (void)snprintf(m, sizeof m, "%s", path_of("m.safetensors"));
    opens(path_of("a"), HD_OK, NULL);
    opens(source, HD_OK, NULL);
    opens(path_of("none"), HD_E_FILE, NULL);
    static const struct {
        const char *key, *from, *to, *message;
    } cases[] = {
        {"hadal.recipe", "4-6-tanh-3", "4-5-tanh-3", "tensor \"fc1."},
        {"hadal.recipe", "4-6-tanh-3", "4-900000000-3", "parameters, the file holds"},
        {"hadal.recipe", "4-6-tanh-3", "4-6-tanh-3-3", "parameters, the file holds"},
        {"hadal.recipe", "\"model\"", "\"modell\"", "unknown key"},
        {"hadal.recipe", "{", "{{", "m.safetensors:"},
        {"hadal.preprocess", "\"sample\": [4]", "\"sample\": [0]", "impossible shape"},
        {"hadal.preprocess", "\"sample\": [4]", "\"sample\": []", "no shape"},
        {"hadal.preprocess", "\"sample\": [4]", "\"sample\": [1073741824, 1073741824]", "impossible shape"},
        {"hadal.preprocess", "\"classes\": 3", "\"classes\": 4", "another number of classes"},
        {"hadal.preprocess", "\"classes\": 3", "\"classes\": -1", "no number of classes"},
        {"hadal.preprocess", "\"each\": 1", "\"each\": 3", "another shape"},
        {"hadal.preprocess", "\"std\": [", "\"std\": [0, ", "no normalisation"},
        {"hadal.preprocess", "\"std\"", "\"stt\"", "no normalisation"},
        {"hadal.classes", "[", "[0, ", "classes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_model(source, cases[i].key, cases[i].from, cases[i].to);
        opens(m, HD_E_MODEL, cases[i].message);
    }
    const float one = 1;
    const hd_tensor_out bare[] = {{"w", HD_F32, HD_DIMS(1), &one}};
    assert_int_equal(hd_tensors_write(ctx, m, bare, 1, NULL), HD_OK);
    opens(m, HD_E_MODEL, "no Hadal model");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_anew_without_checkpoint), T(test_state_alone),     T(test_lost_best), T(test_cut_state),
        T(test_foreign_states),          T(test_models_in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
