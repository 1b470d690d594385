/* test_file.c: files are read whole or refused, written whole or not at all; SHA-256. */
#include "support.h"

#include "base/file.h"
#include "base/sha256.h"
#include "base/status.h"
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char path_buffer[4200];
static const char *in(const char *folder, const char *name) {
    (void)snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
    return path_buffer;
}

static int entries(const char *folder) {
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static void test_write_and_read(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    static char big[300000];
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7 + i / 256);
    hd_out out;
    assert_int_equal(hd_out_open(&out, ctx, in(folder, "a")), HD_OK);
    assert_false(hd_path_exists(in(folder, "a"))); /* not before the commit */
    for (size_t i = 0, n = 1; i < sizeof big; i += n, n = n * 2 + 1) {
        if (n > sizeof big - i) n = sizeof big - i;
        hd_out_write(&out, big + i, n);
    }
    assert_int_equal(out.written, sizeof big);
    assert_int_equal(hd_out_commit(&out), HD_OK);
    assert_int_equal(entries(folder), 1);

    char *text;
    size_t length;
    assert_int_equal(hd_file_read(ctx, in(folder, "a"), 0, &text, &length), HD_OK);
    assert_int_equal(length, sizeof big);
    assert_memory_equal(text, big, sizeof big);
    assert_int_equal(text[length], 0);
    hd_free(ctx, text);
    hd_map map;
    assert_int_equal(hd_file_map(ctx, in(folder, "a"), &map), HD_OK);
    assert_int_equal(map.length, sizeof big);
    assert_memory_equal(map.data, big, sizeof big);
    hd_file_unmap(&map);

    assert_int_equal(hd_file_read(ctx, in(folder, "a"), 299999, &text, &length), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "at most 300.0 kB"));
    assert_int_equal(hd_file_write(ctx, in(folder, "empty"), "", 0), HD_OK);
    assert_int_equal(hd_file_map(ctx, in(folder, "empty"), &map), HD_OK);
    assert_true(map.length == 0 && map.data != NULL);
    hd_file_unmap(&map);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_old_or_new(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    char *text;
    size_t length;
    assert_int_equal(hd_file_write(ctx, in(folder, "a"), "old", 3), HD_OK);
    assert_int_equal(chmod(in(folder, "a"), 0640), 0);
    hd_out one, two;
    assert_int_equal(hd_out_open(&one, ctx, in(folder, "a")), HD_OK);
    assert_int_equal(hd_out_open(&two, ctx, in(folder, "a")), HD_OK); /* two at a time do not share a temporary */
    hd_out_write(&one, "first", 5);
    hd_out_write(&two, "second", 6);
    assert_int_equal(hd_file_read(ctx, in(folder, "a"), 0, &text, &length), HD_OK);
    assert_string_equal(text, "old");
    hd_free(ctx, text);
    hd_out_abort(&one);
    assert_int_equal(hd_out_commit(&two), HD_OK);
    assert_int_equal(hd_file_read(ctx, in(folder, "a"), 0, &text, &length), HD_OK);
    assert_string_equal(text, "second");
    hd_free(ctx, text);
    struct stat info;
    assert_int_equal(stat(in(folder, "a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(entries(folder), 1);
    hd_out_abort(&two); /* after a commit: nothing */
    test_folder_remove(folder);
    hd_context_free(ctx);
}

/* A disk that is full, played by a limit on the size of files: the old file stays, no temporary stays. */
static void test_disk_full(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    static char big[200000];
    assert_int_equal(hd_file_write(ctx, in(folder, "a"), "old", 3), HD_OK);
    struct rlimit before, small = {100000, 100000};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    hd_status status = hd_file_write(ctx, in(folder, "a"), big, sizeof big);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(status, HD_E_FILE);
    assert_non_null(strstr(hd_last_error(ctx), "can not be written"));
    char *text;
    size_t length;
    assert_int_equal(hd_file_read(ctx, in(folder, "a"), 0, &text, &length), HD_OK);
    assert_string_equal(text, "old");
    hd_free(ctx, text);
    assert_int_equal(entries(folder), 1);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_wrong_things(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    char *text;
    size_t length;
    hd_map map;
    assert_int_equal(hd_file_read(ctx, in(folder, "none"), 0, &text, &length), HD_E_FILE);
    assert_null(text);
    assert_non_null(strstr(hd_last_error(ctx), "No such file"));
    assert_int_equal(hd_file_read(ctx, folder, 0, &text, &length), HD_E_FILE);
    assert_non_null(strstr(hd_last_error(ctx), "a folder"));
    assert_int_equal(hd_file_map(ctx, "/dev/zero", &map), HD_E_FILE);
    assert_int_equal(mkfifo(in(folder, "pipe"), 0600), 0);
    assert_int_equal(hd_file_read(ctx, in(folder, "pipe"), 0, &text, &length), HD_E_FILE); /* and does not hang */
    assert_int_equal(hd_file_write(ctx, in(folder, "pipe"), "x", 1), HD_E_FILE);
    assert_int_equal(hd_file_write(ctx, "/dev/null", "x", 1), HD_E_FILE);
    assert_int_equal(hd_file_write(ctx, folder, "x", 1), HD_E_FILE);
    assert_int_equal(hd_file_write(ctx, in(folder, "no/such/folder"), "x", 1), HD_E_FILE);
    assert_int_equal(entries(folder), 1);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_folders(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    assert_int_equal(hd_dir_make(ctx, in(folder, "a/b//c/")), HD_OK);
    assert_true(hd_path_is_dir(in(folder, "a/b/c")));
    assert_int_equal(hd_dir_make(ctx, in(folder, "a/b")), HD_OK);
    assert_int_equal(hd_file_write(ctx, in(folder, "file"), "x", 1), HD_OK);
    assert_true(hd_path_exists(in(folder, "file")) && !hd_path_is_dir(in(folder, "file")));
    assert_int_equal(hd_dir_make(ctx, in(folder, "file/sub")), HD_E_FILE);
    assert_int_equal(hd_dir_make(ctx, ""), HD_E_FILE);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static hd_status use_files(hd_context *ctx, void *folder) {
    char *text;
    size_t length;
    HD_TRY(hd_dir_make(ctx, in(folder, "x/y")));
    HD_TRY(hd_file_write(ctx, in(folder, "x/y/z"), "abc", 3));
    HD_TRY(hd_file_read(ctx, in(folder, "x/y/z"), 10, &text, &length));
    hd_free(ctx, text);
    return HD_OK;
}

static void test_failing_allocations(void **state) {
    (void)state;
    char *folder = test_folder();
    assert_true(fail_every_allocation(use_files, folder) > 5);
    assert_int_equal(entries(in(folder, "x/y")), 1);
    test_folder_remove(folder);
}

static const char *sha256(const char *bytes, size_t length, size_t piece) {
    static char hex[65];
    hd_sha256 s;
    hd_sha256_init(&s);
    for (size_t i = 0; i < length; i += piece) hd_sha256_add(&s, bytes + i, length - i < piece ? length - i : piece);
    hd_sha256_hex(&s, hex);
    return hex;
}

/* FIPS 180-4's own examples, and a million times the letter a (NIST's example values). */
static void test_sha256(void **state) {
    (void)state;
    assert_string_equal(sha256("", 0, 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sha256("abc", 3, 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_string_equal(sha256(two_blocks, 56, 56), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    static char million[1000000];
    memset(million, 'a', sizeof million);
    static const size_t pieces[] = {1, 3, 63, 64, 65, 1000, 1000000};
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(sha256(million, sizeof million, pieces[i]),
                            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read), cmocka_unit_test(test_old_or_new),
        cmocka_unit_test(test_disk_full),      cmocka_unit_test(test_wrong_things),
        cmocka_unit_test(test_folders),        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
