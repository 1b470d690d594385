/* test_write_faults.c: the disk refuses its n-th write, sync or rename, once or from then on, for every n of a whole
 * run: the run says so, what lies there is the old or the new, and the run can be finished later with the same weights.
 * The test's own write, fsync and rename stand before the C library's. */
#define _GNU_SOURCE /* syscall */
#include "run_support.h"

#include "hadal/io.h"
#include <errno.h>
#include <sys/syscall.h>

static struct {
    int calls, fail_at; /* fail_at 0: never */
    bool lasting, failed, partly;
} disk;

static bool refuses(void) {
    disk.calls++;
    if (!disk.fail_at || (disk.lasting ? disk.calls < disk.fail_at : disk.calls != disk.fail_at)) return false;
    disk.failed = true;
    return true;
}

ssize_t write(int fd, const void *bytes, size_t n) {
    if (fd > 2 && refuses()) {
        if (disk.partly && n > 1) (void)syscall(SYS_write, fd, bytes, n / 2); /* what fits still arrives */
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, n);
}

int fsync(int fd) {
    if (refuses()) return errno = EIO, -1;
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to) {
    if (refuses()) return errno = EIO, -1;
    return (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, from, -100, to, 0);
}

static run_data data_of;
static char folder[4096];

static hd_status train(const char *out, const char *resume, char sha[65]) {
    hd_context *ctx = test_context(1);
    hd_dataset *data = run_classes(ctx, &data_of);
    hd_recipe *recipe = run_recipe(ctx, "{\"model\": \"4-6-tanh-3\", \"train\": {\"epochs\": 2, \"batch_size\": 80, "
                                        "\"save_every\": 2, \"optimizer\": \"adamw\"}}");
    hd_trainer *t = NULL;
    hd_result result;
    const hd_trainer_args args = {.recipe = resume ? NULL : recipe, .data = data, .out = out, .resume = resume};
    hd_status status = hd_trainer_new(&t, ctx, &args);
    if (status == HD_OK) status = hd_trainer_run(t, &result);
    if (status == HD_OK && result.finished) { /* everything had arrived but the last word: the result tells */
        const char *stored = strstr(result.result_json, "\"weights_sha256\": \"");
        assert_non_null(stored);
        (void)snprintf(sha, 65, "%s", stored + strlen("\"weights_sha256\": \""));
    } else if (status == HD_OK)
        memcpy(sha, result.weights_sha256, 65);
    if (status != HD_OK) assert_true(*hd_last_error(ctx));
    hd_trainer_free(t);
    hd_recipe_free(recipe);
    hd_data_free(data);
    hd_context_free(ctx);
    return status;
}

/* Whatever is there must be whole. */
static void opens_if_there(const char *run, const char *name) {
    char path[4300];
    (void)snprintf(path, sizeof path, "%s/%s", run, name);
    if (access(path, F_OK) != 0) return;
    hd_context *ctx = test_context(1);
    hd_model *model;
    if (hd_model_open(&model, ctx, path) != HD_OK) fail_msg("%s: %s", path, hd_last_error(ctx));
    hd_model_free(model);
    hd_context_free(ctx);
}

static void one_fault(int n, bool lasting, const char *whole, bool *beyond) {
    char run[4200], sha[65] = "", resumed[65] = "";
    (void)snprintf(run, sizeof run, "%s/%s-%d", folder, lasting ? "full" : "once", n);
    disk.calls = 0;
    disk.fail_at = n;
    disk.lasting = lasting;
    disk.failed = false;
    const hd_status status = train(run, NULL, sha);
    disk.fail_at = 0;
    *beyond = !disk.failed;
    if (status == HD_OK)
        assert_string_equal(sha, whole); /* what could be done without it, as syncing a folder */
    else if (status != HD_E_FILE)
        fail_msg("call %d fails: the status is %s", n, hd_status_name(status));
    opens_if_there(run, "best.safetensors");
    opens_if_there(run, "last.safetensors");
    if (access(run, F_OK) != 0) return; /* nothing was begun */
    const hd_status again = train(NULL, run, resumed);
    if (again != HD_OK) fail_msg("call %d failed, going on ends in %s", n, hd_status_name(again));
    assert_string_equal(resumed, whole);
}

static void every_fault(bool lasting, bool partly) {
    char whole[65], run[4200];
    bool beyond = false;
    int n = 0;
    run_data_fill(&data_of);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    (void)snprintf(run, sizeof run, "%s/whole", folder);
    disk.fail_at = 0;
    disk.partly = partly;
    assert_int_equal(train(run, NULL, whole), HD_OK);
    while (!beyond) one_fault(++n, lasting, whole, &beyond);
    assert_true(n > 20);
    test_folder_remove(folder);
}

static void each_write_fails_once(void **state) {
    (void)state;
    every_fault(false, false);
}
static void the_disk_is_full_from_some_write_on(void **state) {
    (void)state;
    every_fault(true, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_write_fails_once),
        cmocka_unit_test(the_disk_is_full_from_some_write_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
