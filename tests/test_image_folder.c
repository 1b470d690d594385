/* test_image_folder.c: pictures in folders named after their classes. */
#include "data_support.h"

#include <sys/stat.h>

/* A grey picture of 2×2 pixels of one shade. */
static void save_grey(const char *name, int shade) {
    char text[64];
    (void)snprintf(text, sizeof text, "P2 2 2 255 %d %d %d %d", shade, shade, shade, shade);
    (void)save_file(name, text, strlen(text));
}

static void make_folder(const char *name) {
    assert_int_equal(mkdir(in_folder(name), 0700), 0);
}

static hd_status open_with(hd_dataset **d, const char *name, const char *options) {
    char source[10000];
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", in_folder(name), options);
    return hd_data_open(d, ctx, source, "/nowhere");
}

static hd_dataset *opened(const char *name, const char *options) {
    hd_dataset *d;
    if (open_with(&d, name, options) != HD_OK) fail_msg("%s%s: %s", name, options, hd_last_error(ctx));
    return d;
}

static void refused(const char *name, const char *options, const char *words) {
    hd_dataset *d;
    const size_t held = hd_context_memory(ctx).bytes;
    assert_int_equal(open_with(&d, name, options), HD_E_DATA);
    if (!strstr(hd_last_error(ctx), words)) fail_msg("no \"%s\" in: %s", words, hd_last_error(ctx));
    assert_int_equal(hd_context_memory(ctx).bytes, held);
}

static void folders_are_classes(void **state) {
    (void)state;
    make_folder("flat");
    make_folder("flat/dog");
    make_folder("flat/cat");
    save_grey("flat/dog/2.pgm", 200);
    save_grey("flat/dog/1.pgm", 100);
    save_grey("flat/cat/x.pgm", 50);
    (void)save_file("flat/cat/notes.txt", "no picture", 10);
    hd_dataset *d = opened("flat", "");
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.count == 3 && info.train == 3 && info.classes == 2 && info.stored == HD_U8);
    assert_string_equal(info.class_names[0], "cat");
    float x[4];
    hd_data_x(d, 0, x);
    assert_true(x[0] == 50 && hd_data_label(d, 0) == 0);
    hd_data_x(d, 1, x);
    assert_true(x[3] == 100 && hd_data_label(d, 1) == 1);
    hd_data_free(d);
    d = opened("flat", ",\"size\":\"1x4x4\"");
    assert_true(hd_data_get_info(d).sample.dim[1] == 4);
    hd_data_free(d);
    d = opened("flat", ",\"size\":\"3x2\"");
    assert_true(hd_data_get_info(d).sample.dim[0] == 1 && hd_data_get_info(d).sample.dim[1] == 3);
    hd_data_free(d);
}

static void parts_are_folders_above(void **state) {
    (void)state;
    static const char *const folders[] = {"parts",         "parts/train",   "parts/test",
                                          "parts/train/a", "parts/train/b", "parts/test/b"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) make_folder(folders[i]);
    save_grey("parts/train/a/1.pgm", 1);
    save_grey("parts/train/b/2.pgm", 2);
    save_grey("parts/test/b/3.pgm", 3);
    hd_dataset *d = opened("parts", "");
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.train == 2 && info.test == 1 && info.val == 0);
    assert_int_equal(hd_data_label(d, 2), 1); /* by its name, not its number in its folder */
    hd_data_free(d);
    make_folder("parts/test/c");
    save_grey("parts/test/c/4.pgm", 4);
    refused("parts", "", "parts/test/c: expected one of the 2 classes");
}

static void a_models_classes_and_size_stay_its_own(void **state) {
    (void)state;
    hd_dataset *d = opened("parts/train", ",\"names\":[\"z\",\"b\",\"a\"],\"sample\":[1,8,8]");
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.classes == 3 && info.sample.dim[1] == 8);
    assert_int_equal(hd_data_label(d, 0), 2);
    assert_int_equal(hd_data_label(d, 1), 1);
    hd_data_free(d);
    refused("parts/train", ",\"names\":[\"z\",\"b\"]", "expected one of the 2 classes");
}

static void what_is_no_picture_is_refused(void **state) {
    (void)state;
    make_folder("bad");
    make_folder("bad/a");
    make_folder("bad/b");
    save_grey("bad/a/1.pgm", 1);
    (void)save_file("bad/b/2.pgm", "P5 60000 60000 255\n", 19);
    refused("bad", "", "bad/b/2.pgm");
    make_folder("empty");
    make_folder("empty/a");
    refused("empty", ",\"format\":\"images\"", "expected pictures");
    make_folder("single");
    make_folder("single/a");
    save_grey("single/a/1.pgm", 1);
    refused("single", "", "at least two classes");
}

static hd_status open_flat(hd_context *c, void *path) {
    hd_dataset *d;
    const hd_status status = hd_data_open(&d, c, path, "/nowhere");
    if (status == HD_OK) hd_data_free(d);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char path[4300];
    (void)snprintf(path, sizeof path, "%s", in_folder("flat"));
    assert_true(fail_every_allocation(open_flat, path) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_classes),
        cmocka_unit_test(parts_are_folders_above),
        cmocka_unit_test(a_models_classes_and_size_stay_its_own),
        cmocka_unit_test(what_is_no_picture_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, data_set_up, data_tear_down);
}
