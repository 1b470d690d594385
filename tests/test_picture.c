/* test_picture.c: PNG written is PNG read; every form of PngSuite; fitting to the net said aloud; hostile files
 * refused. */
#include "support.h"

#include "data/checksum.h"
#include "hadal/data.h"
#include <dirent.h>
#include <math.h>

#ifndef HD_HAVE_PNG
#define HD_HAVE_PNG 0
#endif

static char path_buffer[4400];
static const char *in(const char *folder, const char *name) {
    (void)snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
    return path_buffer;
}

static void save(const char *folder, const char *name, const void *data, size_t length) {
    (void)remove(in(folder, name)); /* a new file is quicker than one that is truncated */
    FILE *f = fopen(in(folder, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static hd_picture_args grey(int64_t side) {
    return (hd_picture_args){.sample = HD_DIMS(1, side, side), .low = 0, .high = 255, .light_on_dark = true};
}

static void need_png(void) {
    if (HD_HAVE_PNG) return;
    print_message("skipped: built without libpng\n");
    skip();
}

static void test_round_trip(void **state) {
    (void)state;
    need_png();
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    static unsigned char pixels[300 * 301 * 3];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (unsigned char)(i * i * 7 + i / 31);
    static float x[300 * 301 * 3];
    char note[512];
    assert_int_equal(hd_picture_write(ctx, in(folder, "rgb.png"), pixels, 300, 301, 3), HD_OK);
    hd_picture_args a = {.sample = HD_DIMS(3, 300, 301), .high = 255, .strict = true};
    assert_int_equal(hd_picture_read(ctx, in(folder, "rgb.png"), &a, x, note, sizeof note), HD_OK);
    assert_string_equal(note, "");
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 300 * 301; i++) assert_true(x[c * 300 * 301 + i] == (float)pixels[i * 3 + c]);

    for (int i = 0; i < 30; i++) pixels[i] = (unsigned char)(i < 6 || i % 5 == 0 || i % 5 == 4 || i > 24 ? 0 : 8 * i);
    assert_int_equal(hd_picture_write(ctx, in(folder, "grey.png"), pixels, 6, 5, 1), HD_OK);
    a = (hd_picture_args){.sample = HD_DIMS(1, 6, 5), .high = 16, .light_on_dark = true};
    assert_int_equal(hd_picture_read(ctx, in(folder, "grey.png"), &a, x, note, sizeof note), HD_OK);
    assert_string_equal(note, "");
    for (int i = 0; i < 30; i++) assert_true(fabsf(x[i] - (float)pixels[i] * 16 / 255) < 1e-5f);
    assert_int_equal(hd_picture_write(ctx, in(folder, "no.png"), pixels, 0, 5, 1), HD_E_USAGE);
    assert_int_equal(hd_picture_write(ctx, in(folder, "no.png"), pixels, 5, 5, 2), HD_E_USAGE);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

/* The files of PngSuite that begin with basi are those that begin with basn, interlaced. */
static void test_png_suite(void **state) {
    (void)state;
    need_png();
    const char *suite = test_data("data/images-formats/png");
    if (!suite) skip();
    hd_context *ctx = test_context(1);
    DIR *d = opendir(suite);
    assert_non_null(d);
    int read = 0, pairs = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strstr(e->d_name, ".png")) continue;
        static float x[3 * 40 * 40], y[3 * 40 * 40];
        for (int colour = 0; colour < 2; colour++) {
            hd_picture_args a = {.sample = HD_DIMS(colour ? 3 : 1, 32, 32), .high = 255};
            if (hd_picture_read(ctx, in(suite, e->d_name), &a, x, NULL, 0) != HD_OK) fail_msg("%s", hd_last_error(ctx));
            for (int i = 0; i < (colour ? 3 : 1) * 32 * 32; i++) assert_true(x[i] >= 0 && x[i] <= 255);
            if (strncmp(e->d_name, "basi", 4) != 0) continue;
            char other[64];
            (void)snprintf(other, sizeof other, "basn%.50s", e->d_name + 4);
            assert_int_equal(hd_picture_read(ctx, in(suite, other), &a, y, NULL, 0), HD_OK);
            assert_memory_equal(x, y, (colour ? 3u : 1u) * 32 * 32 * sizeof *x);
            pairs++;
        }
        read++;
    }
    closedir(d);
    assert_true(read >= 100);
    assert_int_equal(pairs, 30);
    hd_context_free(ctx);
}

/* A ring of ink 100 wide on paper, as a phone sees it: not white, not black. */
static void draw_ring(unsigned char *p, int w, int h, int cx, int cy, int paper, int ink) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int r2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            p[y * w + x] = (unsigned char)(r2 <= 50 * 50 && r2 >= 36 * 36 ? ink : paper);
        }
}

static void test_fitting(void **state) {
    (void)state;
    need_png();
    hd_context *ctx = test_context(1);
    char *folder = test_folder(), note[512];
    static unsigned char p[400 * 300];
    static float x[28 * 28];
    draw_ring(p, 400, 300, 90, 200, 200, 40);
    assert_int_equal(hd_picture_write(ctx, in(folder, "ring.png"), p, 300, 400, 1), HD_OK);
    hd_picture_args a = grey(28);
    a.center = true;
    a.ink = 20.0f / 28;
    assert_int_equal(hd_picture_read(ctx, in(folder, "ring.png"), &a, x, note, sizeof note), HD_OK);
    assert_string_equal(
        note, "the model reads 28×28 grey pictures, this is 400×300 grey: inverted, contrast stretched, cut to the "
              "ink, scaled and centred");
    int top = 28, bottom = -1, left = 28, right = -1;
    for (int r = 0; r < 28; r++)
        for (int c = 0; c < 28; c++) {
            if (x[r * 28 + c] < 64) continue;
            top = r < top ? r : top;
            bottom = r;
            left = c < left ? c : left;
            right = c > right ? c : right;
        }
    assert_int_equal(bottom - top + 1, 20);
    assert_int_equal(right - left + 1, 20);
    assert_true(abs(top + bottom - 28) <= 1 && abs(left + right - 28) <= 1);
    assert_true(x[0] == 0 && x[14 * 28 + 14] == 0 && x[(top + 1) * 28 + 14] > 200);
    a.strict = true;
    assert_int_equal(hd_picture_read(ctx, in(folder, "ring.png"), &a, x, note, sizeof note), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "inverted"));

    /* Dark on light is what this net knows: nothing to invert. */
    a = grey(16);
    a.light_on_dark = false;
    a.center = true;
    assert_int_equal(hd_picture_read(ctx, in(folder, "ring.png"), &a, x, note, sizeof note), HD_OK);
    assert_null(strstr(note, "inverted"));
    assert_true(x[0] == 255 && x[8 * 16 + 1] < 100);
    assert_true(x[8] < 130 && x[15 * 16 + 8] < 130); /* the ink fills the box */

    /* No ink, one pixel, a wide strip. */
    memset(p, 255, sizeof p);
    assert_int_equal(hd_picture_write(ctx, in(folder, "white.png"), p, 300, 400, 1), HD_OK);
    a = grey(28);
    a.center = true;
    assert_int_equal(hd_picture_read(ctx, in(folder, "white.png"), &a, x, note, sizeof note), HD_OK);
    assert_non_null(strstr(note, "nothing found"));
    for (int i = 0; i < 28 * 28; i++) assert_true(x[i] == 0);
    assert_int_equal(hd_picture_write(ctx, in(folder, "dot.png"), p, 1, 1, 1), HD_OK);
    assert_int_equal(hd_picture_read(ctx, in(folder, "dot.png"), &a, x, note, sizeof note), HD_OK);
    assert_int_equal(hd_picture_write(ctx, in(folder, "strip.png"), p, 1, 400, 1), HD_OK);
    a.center = false;
    assert_int_equal(hd_picture_read(ctx, in(folder, "strip.png"), &a, x, note, sizeof note), HD_OK);
    assert_non_null(strstr(note, "with a border"));
    a.sample = HD_DIMS(4);
    assert_int_equal(hd_picture_read(ctx, in(folder, "strip.png"), &a, x, note, sizeof note), HD_E_DATA);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

/* A PNG from its parts: colour type, size, rows with their filter bytes (at most 64 KB). Returns its length. */
static size_t make_png(unsigned char *out, int type, uint32_t w, uint32_t h, const unsigned char *rows, size_t length) {
    unsigned char *to = out, ihdr[13] = {(unsigned char)(w >> 24), (unsigned char)(w >> 16), (unsigned char)(w >> 8),
                                         (unsigned char)w,         (unsigned char)(h >> 24), (unsigned char)(h >> 16),
                                         (unsigned char)(h >> 8),  (unsigned char)h,         8,
                                         (unsigned char)type};
    static unsigned char idat[70000];
    unsigned char head[7] = {0x78,
                             1,
                             1,
                             (unsigned char)length,
                             (unsigned char)(length >> 8),
                             (unsigned char)~length,
                             (unsigned char)(~length >> 8)};
    uint32_t adler = hd_adler32(1, rows, length);
    memcpy(idat, head, 7);
    memcpy(idat + 7, rows, length);
    for (int i = 0; i < 4; i++) idat[7 + length + (size_t)i] = (unsigned char)(adler >> (24 - 8 * i));
    const struct {
        const char *name;
        const unsigned char *data;
        size_t length;
    } chunk[3] = {{"IHDR", ihdr, 13}, {"IDAT", idat, length + 11}, {"IEND", idat, 0}};
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    to += 8;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 4; i++) *to++ = (unsigned char)(chunk[k].length >> (24 - 8 * i));
        memcpy(to, chunk[k].name, 4);
        memcpy(to + 4, chunk[k].data, chunk[k].length);
        uint32_t crc = hd_crc32(0, to, 4 + chunk[k].length);
        to += 4 + chunk[k].length;
        for (int i = 0; i < 4; i++) *to++ = (unsigned char)(crc >> (24 - 8 * i));
    }
    return (size_t)(to - out);
}

/* Black ink, and white ink, on nothing: both come out as light ink on a dark ground. */
static void test_transparency(void **state) {
    (void)state;
    need_png();
    hd_context *ctx = test_context(1);
    char *folder = test_folder(), note[512];
    for (int ink = 0; ink < 256; ink += 255) {
        unsigned char rows[16 * 33] = {0}, file[2000];
        for (int y = 0; y < 16; y++)
            for (int x = 0; x < 16; x++) {
                rows[y * 33 + 1 + 2 * x] = (unsigned char)ink;
                rows[y * 33 + 2 + 2 * x] = x >= 4 && x < 12 && y >= 4 && y < 12 ? 255 : 0;
            }
        size_t n = make_png(file, 4, 16, 16, rows, sizeof rows);
        save(folder, "a.png", file, n);
        hd_picture_args a = grey(16);
        float x[256];
        assert_int_equal(hd_picture_read(ctx, in(folder, "a.png"), &a, x, note, sizeof note), HD_OK);
        assert_true(x[0] == 0 && x[8 * 16 + 8] == 255);
        assert_non_null(strstr(note, ink ? "laid on black" : "laid on white, inverted"));
    }
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_hostile(void **state) {
    (void)state;
    need_png();
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    unsigned char rows[17 * 16] = {0}, file[2000], broken[2000];
    float x[28 * 28];
    hd_picture_args a = grey(28);
    size_t n = make_png(file, 0, 16, 16, rows, sizeof rows);
    for (size_t cut = 0; cut < n; cut++) { /* every length */
        save(folder, "b.png", file, cut);
        assert_int_equal(hd_picture_read(ctx, in(folder, "b.png"), &a, x, NULL, 0), HD_E_DATA);
    }
    for (size_t at = 0; at < n; at++) { /* every byte wrong: an error or a picture, nothing else */
        memcpy(broken, file, n);
        broken[at] ^= 0x55;
        save(folder, "b.png", broken, n);
        hd_status status = hd_picture_read(ctx, in(folder, "b.png"), &a, x, NULL, 0);
        assert_true(status == HD_OK || status == HD_E_DATA);
    }
    const uint32_t sizes[][2] = {{60000, 60000}, {65536, 65536},           {100000, 1},
                                 {1, 100000},    {0x7fffffff, 0x7fffffff}, {0, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t length = make_png(file, 6, sizes[i][0], sizes[i][1], rows, sizeof rows);
        save(folder, "b.png", file, length);
        assert_int_equal(hd_picture_read(ctx, in(folder, "b.png"), &a, x, NULL, 0), HD_E_DATA);
    }
    assert_true(hd_context_memory(ctx).peak_bytes < 4 << 20);
    save(folder, "b.png", "GIF89a", 6);
    assert_int_equal(hd_picture_read(ctx, in(folder, "b.png"), &a, x, NULL, 0), HD_E_DATA);
    assert_int_equal(hd_picture_read(ctx, in(folder, "none.png"), &a, x, NULL, 0), HD_E_FILE);
    assert_int_equal(hd_picture_read(ctx, folder, &a, x, NULL, 0), HD_E_FILE);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static hd_status write_and_read(hd_context *ctx, void *folder) {
    unsigned char p[20 * 20] = {0};
    for (int i = 100; i < 300; i++) p[i] = 255;
    float x[28 * 28];
    hd_picture_args a = grey(28);
    a.center = true;
    hd_status status = hd_picture_write(ctx, in(folder, "m.png"), p, 20, 20, 1);
    if (status == HD_OK && HD_HAVE_PNG) status = hd_picture_read(ctx, in(folder, "m.png"), &a, x, NULL, 0);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    char *folder = test_folder();
    assert_true(fail_every_allocation(write_and_read, folder) > 5);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_png_suite),
        cmocka_unit_test(test_fitting),    cmocka_unit_test(test_transparency),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
