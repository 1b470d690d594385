/* test_arrays.c: NumPy's files as data sets: every type, both orders, archives, what belongs together; and portable
 * maps as pictures. */
#include "data_support.h"

#include "data/checksum.h"
#include <math.h>
#ifdef HD_HAVE_ZLIB
#include <zlib.h>
#endif

#define in in_folder

static void save(const char *name, const void *bytes, size_t length) {
    (void)save_file(name, bytes, length);
}

/* A .npy file in memory. */
typedef struct file {
    unsigned char bytes[4096];
    size_t length;
} file;

static file npy(int version, const char *header, const void *data, size_t length) {
    file f = {.bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0}, .length = version == 1 ? 10 : 12};
    const size_t n = strlen(header);
    f.bytes[8] = (unsigned char)n;
    f.bytes[9] = (unsigned char)(n >> 8);
    memcpy(f.bytes + f.length, header, n);
    memcpy(f.bytes + f.length + n, data, length);
    f.length += n + length;
    return f;
}

static void save_npy(const char *name, const char *header, const void *data, size_t length) {
    const file f = npy(1, header, data, length);
    save(name, f.bytes, f.length);
}

static hd_dataset *opened(const char *path, const char *options) {
    char source[10000];
    hd_dataset *d;
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\"%s}", path, options);
    if (hd_data_open(&d, ctx, source, "/nowhere") != HD_OK) fail_msg("%s: %s", source, hd_last_error(ctx));
    return d;
}

static void refused(const char *path, hd_status expected, const char *words) {
    hd_dataset *d;
    const size_t held = hd_context_memory(ctx).bytes;
    const hd_status status = hd_data_open(&d, ctx, path, "/nowhere");
    if (status != expected) fail_msg("%s: %s (%s)", path, hd_status_name(status), hd_last_error(ctx));
    if (!strstr(hd_last_error(ctx), words)) fail_msg("no \"%s\" in: %s", words, hd_last_error(ctx));
    assert_int_equal(hd_context_memory(ctx).bytes, held);
}

#define HEAD(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }  \n"

static void every_type_and_order_is_read(void **state) {
    (void)state;
    /* the rows 1 2, 3 4, 5 6 */
    static const struct {
        const char *header, *bytes;
        size_t length;
    } forms[] = {
        {HEAD("|u1", "False", "(3, 2)"), "\1\2\3\4\5\6", 6},
        {HEAD("|i1", "False", "(3, 2)"), "\1\2\3\4\5\6", 6},
        {HEAD("<i2", "False", "(3, 2)"), "\1\0\2\0\3\0\4\0\5\0\6", 12},
        {HEAD(">i2", "False", "(3, 2)"), "\0\1\0\2\0\3\0\4\0\5\0\6", 12},
        {HEAD("<u4", "True", "(3, 2)"), "\1\0\0\0\3\0\0\0\5\0\0\0\2\0\0\0\4\0\0\0\6\0\0\0", 24},
        {HEAD("|u1", "True", "(3L, 2L)"), "\1\3\5\2\4\6", 6},
        {HEAD("<f2", "False", "(3, 2)"), "\0\x3c\0\x40\0\x42\0\x44\0\x45\0\x46", 12},
        {HEAD(">f4", "False", "(3,2)"), "\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0\x40\xa0\0\0\x40\xc0\0\0", 24},
        {HEAD("<f4", "False", "(3,2)"), "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40", 24},
    };
    save_npy("y.npy", HEAD("<i8", "False", "(3,)"), "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0", 24);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        for (int version = 1; version <= 3; version++) {
            const file f = npy(version, forms[i].header, forms[i].bytes, forms[i].length);
            save("x.npy", f.bytes, f.length);
            hd_dataset *d = opened(in("x.npy"), "");
            const hd_data_info info = hd_data_get_info(d);
            assert_true(info.count == 3 && info.classes == 3 && info.sample.rank == 1 && info.sample.dim[0] == 2);
            for (int64_t k = 0; k < 3; k++) {
                float x[2];
                hd_data_x(d, k, x);
                if (x[0] != (float)(2 * k + 1) || x[1] != (float)(2 * k + 2)) fail_msg("%s", forms[i].header);
            }
            assert_int_equal(hd_data_label(d, 0), 2);
            hd_data_free(d);
        }
    }
    save_npy("x.npy", HEAD("|b1", "False", "(3, 2)"), "\0\1\1\0\2\0", 6);
    hd_dataset *d = opened(in("x.npy"), "");
    float x[2];
    hd_data_x(d, 2, x);
    assert_true(x[0] == 1 && x[1] == 0 && hd_data_get_info(d).stored == HD_U8);
    hd_data_free(d);
    const double wide[3] = {-1.5, 2, 1e-3};
    save_npy("x.npy", HEAD("<f8", "False", "(3,)"), wide, sizeof wide);
    d = opened(in("x.npy"), "");
    hd_data_x(d, 0, x);
    assert_true(x[0] == -1.5f && hd_data_get_info(d).sample.dim[0] == 1);
    hd_data_free(d);
}

static void pictures_have_their_channels_in_front(void **state) {
    (void)state;
    static const char rgb[] = "\1\2\3\4\5\6\7\10\11\12\13\14"; /* two pictures of 2×1 pixels of 3 colours */
    save_npy("images.npy", HEAD("|u1", "False", "(2, 2, 1, 3)"), rgb, 12);
    save_npy("labels.npy", HEAD("|u1", "False", "(2, 1)"), "\0\1", 2);
    hd_dataset *d = opened(in("images.npy"), "");
    const hd_data_info info = hd_data_get_info(d);
    float x[6];
    assert_true(info.sample.dim[0] == 3 && info.sample.dim[1] == 2 && info.sample.dim[2] == 1);
    hd_data_x(d, 0, x);
    assert_true(x[0] == 1 && x[1] == 4 && x[2] == 2 && x[3] == 5 && x[4] == 3 && x[5] == 6);
    hd_data_free(d);
    save_npy("images.npy", HEAD("|u1", "False", "(2, 2, 3)"), rgb, 12);
    d = opened(in("images.npy"), "");
    assert_true(hd_data_get_info(d).sample.rank == 3 && hd_data_get_info(d).sample.dim[0] == 1);
    assert_string_equal(hd_data_get_info(d).kind, "pictures");
    hd_data_free(d);
    d = opened(in("images.npy"), ",\"shape\":[6]");
    assert_int_equal(hd_data_get_info(d).sample.dim[0], 6);
    hd_data_free(d);
}

static void targets_are_classes_numbers_or_one_hot(void **state) {
    (void)state;
    const float y[6] = {0, 1, 1, 0, 0, 1}, z[3] = {0.5f, 2, -1};
    save_npy("X.npy", HEAD("|u1", "False", "(3, 1)"), "\1\2\3", 3);
    save_npy("y.npy", HEAD("<f4", "False", "(3, 2)"), y, sizeof y);
    hd_dataset *d = opened(in("X.npy"), "");
    assert_true(hd_data_get_info(d).classes == 2 && hd_data_label(d, 1) == 0 && hd_data_label(d, 2) == 1);
    hd_data_free(d);
    d = opened(in("X.npy"), ",\"task\":\"number\"");
    assert_true(hd_data_get_info(d).classes == 0 && hd_data_get_info(d).targets == 2);
    hd_data_free(d);
    save_npy("other.npy", HEAD("<f4", "False", "(3,)"), z, sizeof z);
    char option[5000];
    (void)snprintf(option, sizeof option, ",\"y\":\"%s\"", in("other.npy"));
    d = opened(in("X.npy"), option);
    float v;
    hd_data_values(d, 2, &v);
    assert_true(v == -1);
    hd_data_free(d);
    const float rows[6] = {7, 1, 8, 0, 9, 1}; /* the target is the last column */
    save_npy("rows.npy", HEAD("<f4", "False", "(3, 2)"), rows, sizeof rows);
    d = opened(in("rows.npy"), "");
    hd_data_x(d, 2, &v);
    assert_true(v == 9 && hd_data_label(d, 2) == 1 && hd_data_get_info(d).classes == 2);
    hd_data_free(d);
    d = opened(in("rows.npy"), ",\"label\":1,\"task\":\"number\"");
    hd_data_x(d, 2, &v);
    assert_true(v == 1);
    hd_data_free(d);
    d = opened(in("rows.npy"), ",\"unlabeled\":true,\"width\":2");
    assert_true(hd_data_get_info(d).sample.dim[0] == 2 && hd_data_get_info(d).classes == 0);
    hd_data_free(d);
}

/* ---- archives ---- */

typedef struct archive {
    unsigned char bytes[8192], list[2048];
    size_t length, list_length;
    int count;
} archive;

static void put(unsigned char *at, size_t value, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = (unsigned char)(value >> 8 * i);
}

static void add_member(archive *a, const char *name, const file *f, bool deflated) {
    unsigned char packed[4096];
    const unsigned char *from = f->bytes;
    size_t n = strlen(name), length = f->length;
#ifdef HD_HAVE_ZLIB
    if (deflated) {
        z_stream z = {.next_in = (Bytef *)(uintptr_t)f->bytes,
                      .avail_in = (uInt)f->length,
                      .next_out = packed,
                      .avail_out = sizeof packed};
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        length = z.total_out;
        from = packed;
        (void)deflateEnd(&z);
    }
#else
    (void)packed;
#endif
    unsigned char *local = a->bytes + a->length, *entry = a->list + a->list_length;
    put(local, 0x04034b50, 4);
    put(local + 8, deflated ? 8 : 0, 2);
    put(local + 26, n, 2);
    memcpy(local + 30, name, n);
    memcpy(local + 30 + n, from, length);
    put(entry, 0x02014b50, 4);
    put(entry + 10, deflated ? 8 : 0, 2);
    put(entry + 16, hd_crc32(0, f->bytes, f->length), 4);
    put(entry + 20, length, 4);
    put(entry + 24, f->length, 4);
    put(entry + 28, n, 2);
    put(entry + 42, a->length, 4);
    memcpy(entry + 46, name, n);
    a->length += 30 + n + length;
    a->list_length += 46 + n;
    a->count++;
}

static void end_archive(archive *a) {
    const size_t at = a->length;
    memcpy(a->bytes + at, a->list, a->list_length);
    unsigned char *end = a->bytes + at + a->list_length;
    put(end, 0x06054b50, 4);
    put(end + 10, (size_t)a->count, 2);
    put(end + 12, a->list_length, 4);
    put(end + 16, at, 4);
    a->length = at + a->list_length + 22;
}

static void fill(archive *a, bool deflated) {
    *a = (archive){0};
    const file x = npy(1, HEAD("|u1", "False", "(4, 2, 2)"), "0123456789abcdef", 16);
    const file y = npy(1, HEAD("|u1", "False", "(4,)"), "\0\1\0\1", 4);
    const file t = npy(1, HEAD("|u1", "False", "(1, 2, 2)"), "wxyz", 4),
               u = npy(1, HEAD("|u1", "False", "(1,)"), "\1", 1);
    add_member(a, "x_test.npy", &t, deflated);
    add_member(a, "x_train.npy", &x, deflated);
    add_member(a, "y_train.npy", &y, deflated);
    add_member(a, "y_test.npy", &u, deflated);
    end_archive(a);
}

static void archives_bring_their_parts(void **state) {
    (void)state;
    static archive a;
    for (int deflated = 0; deflated < 2; deflated++) {
        if (deflated && !test_zlib()) continue;
        fill(&a, deflated);
        save("a.npz", a.bytes, a.length);
        hd_dataset *d = opened(in("a.npz"), "");
        const hd_data_info info = hd_data_get_info(d);
        assert_true(info.train == 4 && info.test == 1 && info.val == 0 && info.classes == 2);
        float x[4];
        hd_data_x(d, 3, x);
        assert_true(x[0] == 'c' && hd_data_label(d, 3) == 1);
        hd_data_x(d, 4, x);
        assert_true(x[3] == 'z');
        hd_data_free(d);
    }
}

/* Every byte changed, every length cut: an answer, never a crash; and memory is given back. */
static void damaged_files_are_refused_or_read(void **state) {
    (void)state;
    static archive a;
    hd_dataset *d;
    const bool deflated = test_zlib();
    fill(&a, deflated);
    const size_t held = hd_context_memory(ctx).bytes;
    for (size_t i = 0; i < 2 * a.length; i++) {
        archive b = a;
        if (i < a.length)
            b.length = i;
        else
            b.bytes[i - a.length] = (unsigned char)(b.bytes[i - a.length] ^ (1u << i % 8 | 0x10));
        save("b.npz", b.bytes, b.length);
        const hd_status status = hd_data_open(&d, ctx, in("b.npz"), "/nowhere");
        if (status == HD_OK) hd_data_free(d);
        assert_true(status == HD_OK || status == HD_E_DATA || status == HD_E_UNSUPPORTED || status == HD_E_MEMORY);
        assert_int_equal(hd_context_memory(ctx).bytes, held);
    }
    assert_true(hd_context_memory(ctx).peak_bytes < (64u << 20));
}

static void wrong_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header, *words;
        hd_status status;
    } wrong[] = {
        {"", "header is not readable", HD_E_DATA},
        {"{}", "lacks descr", HD_E_DATA},
        {"{'descr': '<f4'", "header is not readable", HD_E_DATA},
        {"{'descr': '<f4', 'descr': '<f4'}", "twice", HD_E_DATA},
        {"{'rubbish': 1}", "unknown member", HD_E_DATA},
        {HEAD("<f4", "None", "(4,)"), "neither True nor False", HD_E_DATA},
        {HEAD("<f4", "False", "(-4,)"), "shape is not readable", HD_E_DATA},
        {HEAD("<f4", "False", "(4"), "shape is not readable", HD_E_DATA},
        {HEAD("<f4", "False", "4"), "shape is not readable", HD_E_DATA},
        {HEAD("<f4", "False", "(99999999999999999999,)"), "shape is not readable", HD_E_DATA},
        {HEAD("<f4", "False", "(9223372036854775807, 9)"), "overflows", HD_E_DATA},
        {HEAD("<f4", "False", "(4000000000, 4000000000)"), "the header says", HD_E_DATA},
        {HEAD("<f4", "False", "(5,)"), "the header says 5 elements of 4 bytes, the file has 16", HD_E_DATA},
        {HEAD("<f4", "False", "(0, 4)"), "the header says 0", HD_E_DATA},
        {HEAD("<f4", "False", "(1,1,1,1,1,1,1,1,4)"), "more than 8 axes", HD_E_DATA},
        {HEAD("<c8", "False", "(2,)"), "type \"<c8\" are not read", HD_E_DATA},
        {HEAD("|O", "False", "(2,)"), "element type is not readable", HD_E_DATA},
        {HEAD("<U7", "False", "(2,)"), "are not read", HD_E_DATA},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}", "records", HD_E_DATA},
        {HEAD("<f4", "False", "(4,)"), "no targets", HD_E_DATA},
        {HEAD("<f4", "False", "(2, 2, 1)"), "no targets", HD_E_DATA},
        {HEAD("<f4", "False", "()"), "the header says 1 elements", HD_E_DATA},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        save_npy("w.npy", wrong[i].header, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
        refused(in("w.npy"), wrong[i].status, wrong[i].words);
    }
    save("w.npy", "\x93NUMPY\4\0\0\0\0\0", 12);
    refused(in("w.npy"), HD_E_DATA, "version is none of 1, 2, 3");
    save("w.npy", "\x93NUMPY\1\0\xff\xff{'descr'", 18);
    refused(in("w.npy"), HD_E_DATA, "ends inside its header");
    save("w.npy", "rubbish rubbish", 15);
    refused(in("w.npy"), HD_E_DATA, "found other bytes");
    const float nan_row[4] = {1, 0, (float)NAN, 1};
    save_npy("w.npy", HEAD("<f4", "False", "(2, 2)"), nan_row, 16);
    refused(in("w.npy"), HD_E_DATA, "element 0 of sample 1 is nan");
    save_npy("x.npy", HEAD("|u1", "False", "(2, 2)"), "\0\0\0", 4);
    save_npy("y.npy", HEAD("|u1", "False", "(3,)"), "\0\1\0", 3);
    refused(in("x.npy"), HD_E_DATA, "3 targets for 2 samples");
}

/* ---- portable maps ---- */

static void check_picture(const char *bytes, size_t length, float a, float b) {
    save("p.pnm", bytes, length);
    const hd_picture_args args = {.sample = HD_DIMS(1, 1, 2), .high = 255};
    float x[2];
    char note[256];
    if (hd_picture_read(ctx, in("p.pnm"), &args, x, note, sizeof note) != HD_OK) fail_msg("%s", hd_last_error(ctx));
    if (fabsf(x[0] - a) > 0.01f || fabsf(x[1] - b) > 0.01f) fail_msg("%.10s: %g %g", bytes, (double)x[0], (double)x[1]);
}

#define PICTURE(bytes, a, b) check_picture(bytes, sizeof bytes - 1, a, b)

static void portable_maps_are_pictures(void **state) {
    (void)state;
    PICTURE("P5 2 1 255\n\x10\x80", 16, 128);
    PICTURE("P5\n# a comment\n2 1\n65535\n\x80\0\xff\xff", 128, 255);
    PICTURE("P5 2 1 15\n\x3\xf", 51, 255);
    PICTURE("P2 2 1 100 50 # half\n 100", 128, 255);
    PICTURE("P6 2 1 255\n\x10\x10\x10\x80\x80\x80", 16, 128);
    PICTURE("P3 2 1 255 7 7 7 9 9 9", 7, 9);
    PICTURE("P1 2 1 01", 255, 0);
    PICTURE("P4 2 1 \x40", 255, 0);
    static const struct {
        const char *bytes, *words;
    } wrong[] = {
        {"P5 99999 1 255\n", "size is none"},
        {"P5 -1 1 255\n", "size is none"},
        {"P5 60000 60000 255\n", "ends too early"},
        {"P2 60000 60000 255\n1", "ends too early"},
        {"P5 2 1 65536\n", "brightest value"},
        {"P5 2 1 0\n", "brightest value"},
        {"P2 2 1 255 7 256", "is no number"},
        {"P2 2 1 255 7 -1", "is no number"},
        {"P1 2 1 02", "is no number"},
        {"P5 2 1 255\n\x10", "ends too early"},
        {"P5 2", "size is none"},
        {"P5 #", "size is none"},
        {"P3 1 1 255 1 2", "ends too early"},
        {"P7 2 1 255", "another kind of file"},
    };
    const hd_picture_args args = {.sample = HD_DIMS(1, 1, 2), .high = 255};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        float x[2];
        save("p.pnm", wrong[i].bytes, strlen(wrong[i].bytes));
        const hd_status status = hd_picture_read(ctx, in("p.pnm"), &args, x, NULL, 0);
        if (TEST_LACKS_LIBRARY && status == HD_E_UNSUPPORTED) continue; /* it may be a PNG for all that is known */
        assert_int_equal(status, HD_E_DATA);
        if (!strstr(hd_last_error(ctx), wrong[i].words)) fail_msg("%s: %s", wrong[i].bytes, hd_last_error(ctx));
    }
}

static hd_status open_path(hd_context *c, void *path) {
    hd_dataset *d;
    const hd_status status = hd_data_open(&d, c, path, "/nowhere");
    if (status == HD_OK) hd_data_free(d);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static archive a;
    char path[4200];
    fill(&a, test_zlib());
    save("a.npz", a.bytes, a.length);
    (void)snprintf(path, sizeof path, "%s", in("a.npz"));
    assert_true(fail_every_allocation(open_path, path) > 5);
    const float rows[6] = {7, 1, 8, 0, 9, 1};
    save_npy("rows.npy", HEAD("<f4", "False", "(3, 2)"), rows, sizeof rows);
    (void)snprintf(path, sizeof path, "%s", in("rows.npy"));
    assert_true(fail_every_allocation(open_path, path) > 5);
}

static void pixels_have_classes(void **state) {
    (void)state;
    int64_t label[4];
    save_npy("x.npy", HEAD("|u1", "False", "(3, 2, 2)"), "\1\2\3\4\5\6\7\10\11\12\13\14", 12);
    save_npy("y.npy", HEAD("|i1", "False", "(3, 2, 2)"), "\0\1\2\0\0\377\1\1\2\2\0\0", 12);
    hd_dataset *d = opened(in("x.npy"), "");
    const hd_data_info info = hd_data_get_info(d);
    assert_true(info.positions == 4 && info.classes == 3 && info.sample.rank == 3);
    assert_string_equal(info.kind, "pictures");
    hd_data_labels(d, 1, label);
    assert_true(label[0] == 0 && label[1] == -1 && label[2] == 1 && label[3] == 1);
    hd_data_free(d);
    save_npy("y.npy", HEAD("|i1", "False", "(3, 2, 2)"), "\0\1\2\0\0\376\1\1\2\2\0\0", 12);
    refused(in("x.npy"), HD_E_DATA, "expected classes from 0 (-1: not counted)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_order_is_read),
        cmocka_unit_test(pictures_have_their_channels_in_front),
        cmocka_unit_test(targets_are_classes_numbers_or_one_hot),
        cmocka_unit_test(pixels_have_classes),
        cmocka_unit_test(archives_bring_their_parts),
        cmocka_unit_test(damaged_files_are_refused_or_read),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(portable_maps_are_pictures),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, data_set_up, data_tear_down);
}
