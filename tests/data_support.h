/* data_support.h: for tests of data: a context, a folder to write in, files. */
#ifndef HD_TESTS_DATA_SUPPORT_H
#define HD_TESTS_DATA_SUPPORT_H
#include "support.h"

#include "hadal/data.h"

static hd_context *ctx;
static char *folder;

static inline int data_set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    folder = test_folder();
    return 0;
}

static inline int data_tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    hd_context_free(ctx);
    return 0;
}

/* Path of a file in the folder; four of them live at a time. */
static inline const char *in_folder(const char *name) {
    static char path[4][4300];
    static int next;
    char *out = path[next++ % 4];
    (void)snprintf(out, 4300, "%s/%s", folder, name);
    return out;
}

static inline const char *save_file(const char *name, const void *bytes, size_t length) {
    const char *path = in_folder(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* Opens what `arg` names and closes it again: for fail_every_allocation. */
static inline hd_status open_and_close(hd_context *inner, void *arg) {
    hd_dataset *d = NULL;
    const hd_status status = hd_data_open(&d, inner, arg, NULL);
    hd_data_free(d);
    return status;
}

#define DATA_TEST(name) cmocka_unit_test_setup_teardown(name, data_set_up, data_tear_down)
#endif
