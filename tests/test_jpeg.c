/* test_jpeg.c: JPEG pictures become the pixels that other readers see, hostile ones are refused within the limits, and
 * folders of them are data. */
#include "data_support.h"

#include "base/alloc.h"
#include "data/png.h"
#include <stdlib.h>

/* 16×8 grey, 30 on the left and 200 on the right; 16×16 progressive, red above blue. */
static const unsigned char grey[] = {
    255, 216, 255, 224, 0,  16, 74, 70, 73,  70,  0,   1,   1,  0,  0,  1,  0,  1,  0,  0,   255, 219, 0,
    67,  0,   3,   2,   2,  3,  2,  2,  3,   3,   3,   3,   4,  3,  3,  4,  5,  8,  5,  5,   4,   4,   5,
    10,  7,   7,   6,   8,  12, 10, 12, 12,  11,  10,  11,  11, 13, 14, 18, 16, 13, 14, 17,  14,  11,  11,
    16,  22,  16,  17,  19, 20, 21, 21, 21,  12,  15,  23,  24, 22, 20, 24, 18, 20, 21, 20,  255, 192, 0,
    11,  8,   0,   8,   0,  16, 1,  1,  17,  0,   255, 196, 0,  20, 0,  1,  0,  0,  0,  0,   0,   0,   0,
    0,   0,   0,   0,   0,  0,  0,  0,  9,   255, 196, 0,   20, 16, 1,  0,  0,  0,  0,  0,   0,   0,   0,
    0,   0,   0,   0,   0,  0,  0,  0,  255, 218, 0,   8,   1,  1,  0,  0,  63, 0,  62, 142, 43,  255, 217};
static const unsigned char colour[] = {
    255, 216, 255, 224, 0,   16,  74, 70, 73, 70,  0,   1,   1,   0,   0,   1,   0,   1,   0,   0,   255, 219, 0,
    67,  0,   3,   2,   2,   3,   2,  2,  3,  3,   3,   3,   4,   3,   3,   4,   5,   8,   5,   5,   4,   4,   5,
    10,  7,   7,   6,   8,   12,  10, 12, 12, 11,  10,  11,  11,  13,  14,  18,  16,  13,  14,  17,  14,  11,  11,
    16,  22,  16,  17,  19,  20,  21, 21, 21, 12,  15,  23,  24,  22,  20,  24,  18,  20,  21,  20,  255, 219, 0,
    67,  1,   3,   4,   4,   5,   4,  5,  9,  5,   5,   9,   20,  13,  11,  13,  20,  20,  20,  20,  20,  20,  20,
    20,  20,  20,  20,  20,  20,  20, 20, 20, 20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  20,
    20,  20,  20,  20,  20,  20,  20, 20, 20, 20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  20,  255, 194, 0,
    17,  8,   0,   16,  0,   16,  3,  1,  17, 0,   2,   17,  1,   3,   17,  1,   255, 196, 0,   21,  0,   1,   1,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  0,   0,   0,   0,   0,   0,   6,   255, 196, 0,   23,  1,   1,   1,
    1,   1,   0,   0,   0,   0,   0,  0,  0,  0,   0,   0,   0,   0,   0,   8,   6,   7,   255, 218, 0,   12,  3,
    1,   0,   2,   16,  3,   16,  0,  0,  1,  145, 203, 247, 129, 55,  70,  76,  131, 255, 196, 0,   20,  16,  1,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  0,   0,   0,   0,   0,   0,   32,  255, 218, 0,   8,   1,   1,   0,
    1,   5,   2,   31,  255, 196, 0,  20, 17, 1,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   32,  255, 218, 0,   8,  1,  3,  1,   1,   63,  1,   31,  255, 196, 0,   20,  17,  1,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  0,   0,   0,   32,  255, 218, 0,   8,   1,   2,   1,   1,   63,  1,
    31,  255, 196, 0,   20,  16,  1,  0,  0,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   32,
    255, 218, 0,   8,   1,   1,   0,  6,  63, 2,   31,  255, 196, 0,   20,  16,  1,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  32,  255, 218, 0,   8,   1,   1,   0,   1,   63,  33,  31,  255, 218,
    0,   12,  3,   1,   0,   2,   0,  3,  0,  0,   0,   16,  146, 223, 255, 196, 0,   20,  17,  1,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  0,   0,   0,   32,  255, 218, 0,   8,   1,   3,   1,   1,   63,  16,
    31,  255, 196, 0,   20,  17,  1,  0,  0,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   32,
    255, 218, 0,   8,   1,   2,   1,  1,  63, 16,  31,  255, 196, 0,   20,  16,  1,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,  0,  0,  32,  255, 218, 0,   8,   1,   1,   0,   1,   63,  16,  31,  255, 217};

#ifdef HD_HAVE_JPEG
enum { HAVE = 1 };
#else
enum { HAVE = 0 };
#endif

static bool near(int got, int wanted) {
    return abs(got - wanted) <= 6;
}

static void test_pixels(void **state) {
    (void)state;
    hd_pixels p;
    const char *path = save_file("a.jpg", grey, sizeof grey);
    if (!HAVE) {
        assert_int_equal(hd_pixels_read(ctx, path, &p), HD_E_UNSUPPORTED);
        assert_non_null(strstr(hd_last_error(ctx), "libjpeg-dev"));
        return;
    }
    assert_int_equal(hd_pixels_read(ctx, path, &p), HD_OK);
    assert_true(p.h == 8 && p.w == 16 && p.channels == 2 && !p.alpha);
    for (int i = 0; i < 8 * 16; i++)
        assert_true(near(p.data[2 * i], i % 16 < 8 ? 30 : 200) && p.data[2 * i + 1] == 255);
    hd_free(ctx, p.data);
    assert_int_equal(hd_pixels_read(ctx, save_file("b.jpg", colour, sizeof colour), &p), HD_OK);
    assert_true(p.h == 16 && p.w == 16 && p.channels == 4);
    for (int i = 0; i < 16 * 16; i++) {
        const unsigned char *rgb = p.data + 4 * i;
        if (i / 16 < 8) assert_true(near(rgb[0], 220) && near(rgb[1], 40) && near(rgb[2], 40));
        if (i / 16 >= 8) assert_true(near(rgb[0], 30) && near(rgb[1], 60) && near(rgb[2], 200));
        assert_int_equal(rgb[3], 255);
    }
    hd_free(ctx, p.data);
}

/* Well-formed files of many kinds, with the pixels that another reader saw in a PNG beside each. */
static void test_references(void **state) {
    (void)state;
    static const char *const names[] = {"grayscale_16x24_sampling2x2",
                                        "grayscale_square",
                                        "jpg-cmyk-1",
                                        "jpg-gray",
                                        "jpg-progressive",
                                        "jpg-size-15x15",
                                        "jpg-size-1x1",
                                        "jpg-size-33x33",
                                        "non-interleaved-mcu"};
    if (!HAVE || TEST_LACKS_LIBRARY) skip();
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char path[128];
        hd_pixels a, b;
        (void)snprintf(path, sizeof path, "data/images-formats/jpeg/%s.jpg", names[k]);
        const char *file = test_data(path);
        if (!file) skip();
        if (hd_pixels_read(ctx, file, &a) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        (void)snprintf(path, sizeof path, "data/images-formats/jpeg/%s.png", names[k]);
        if (hd_pixels_read(ctx, test_data(path), &b) != HD_OK) fail_msg("%s", hd_last_error(ctx));
        assert_true(a.h == b.h && a.w == b.w);
        double sum = 0;
        for (int64_t i = 0; i < a.h * a.w; i++)
            for (int c = 0; c < 3; c++) {
                const int x = a.data[i * a.channels + (a.channels == 4 ? c : 0)];
                sum += abs(x - b.data[i * b.channels + (b.channels == 4 ? c : 0)]);
            }
        if (sum / (double)(3 * a.h * a.w) > 4) fail_msg("%s differs by %g", names[k], sum / (double)(3 * a.h * a.w));
        hd_free(ctx, a.data);
        hd_free(ctx, b.data);
    }
}

static void refused(const unsigned char *bytes, size_t length, const char *message) {
    hd_pixels p;
    const hd_status status = hd_pixels_read(ctx, save_file("bad.jpg", bytes, length), &p);
    assert_int_equal(status, HD_E_DATA);
    assert_null(p.data);
    if (!strstr(hd_last_error(ctx), message)) fail_msg("\"%s\" lacks \"%s\"", hd_last_error(ctx), message);
}

/* Where the frame header says height and width. */
static size_t find_sides(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i + 9 < length; i++)
        if (bytes[i] == 0xff && (bytes[i + 1] == 0xc0 || bytes[i + 1] == 0xc2)) return i + 5;
    fail_msg("no frame header");
    return 0;
}

static void test_hostile(void **state) {
    (void)state;
    unsigned char bytes[sizeof colour];
    hd_pixels p;
    if (!HAVE) skip();
    for (size_t n = 3; n < sizeof colour - 2; n++) refused(colour, n, "");
    for (size_t n = 3; n < sizeof grey - 2; n++) refused(grey, n, "");
    memcpy(bytes, colour, sizeof colour);
    memset(bytes + find_sides(bytes, sizeof bytes), 0xfe, 4); /* 65278×65278 */
    refused(bytes, sizeof bytes, "takes more than");
    memcpy(bytes, grey, sizeof grey);
    memset(bytes + find_sides(bytes, sizeof grey), 0xfe, 4);
    refused(bytes, sizeof grey, "takes more than");
    memset(bytes + find_sides(bytes, sizeof grey), 0, 4);
    refused(bytes, sizeof grey, "");
    const size_t held = hd_context_memory(ctx).bytes;
    for (size_t at = 3; at < sizeof colour; at++) /* whatever comes, nothing is lost */
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bytes, colour, sizeof colour);
            bytes[at] ^= (unsigned char)(1 << bit);
            const hd_status status = hd_pixels_read(ctx, save_file("flip.jpg", bytes, sizeof bytes), &p);
            assert_true(status == HD_OK || status == HD_E_DATA);
            hd_free(ctx, p.data);
            assert_int_equal(hd_context_memory(ctx).bytes, held);
        }
}

/* The same picture in class folders, and as an input. */
static void test_folder_of_jpegs(void **state) {
    (void)state;
    char command[4400];
    hd_dataset *d;
    if (!HAVE) skip();
    (void)snprintf(command, sizeof command, "mkdir -p '%s/set/one' '%s/set/two'", folder, folder);
    assert_int_equal(system(command), 0);
    (void)save_file("set/one/a.jpg", colour, sizeof colour);
    (void)save_file("set/two/b.jpeg", grey, sizeof grey);
    (void)save_file("set/two/c.JPG", colour, sizeof colour);
    (void)snprintf(command, sizeof command, "{\"path\":\"%s\",\"size\":\"8x8\"}", in_folder("set"));
    if (hd_data_open(&d, ctx, command, NULL) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.count == 3 && info.classes == 2 && info.sample.rank == 3 && info.sample.dim[1] == 8);
    float x[3 * 64];
    hd_data_x(d, 0, x);
    assert_true(near((int)x[0], 220) && near((int)x[128 + 63], 200) && hd_data_label(d, 2) == 1);
    hd_data_free(d);
}

static hd_status read_colour(hd_context *inner, void *arg) {
    hd_pixels p = {0};
    const hd_status status = hd_pixels_read(inner, arg, &p);
    hd_free(inner, p.data);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    char path[4400];
    if (!HAVE) skip();
    (void)snprintf(path, sizeof path, "%s", save_file("a.jpg", colour, sizeof colour));
    assert_true(fail_every_allocation(read_colour, path) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_pixels),          DATA_TEST(test_references), DATA_TEST(test_hostile),
        DATA_TEST(test_folder_of_jpegs), DATA_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
