/* test_idx.c: IDX folders, plain and .gz, whole, halved, damaged and hostile; gzip against real files. */
#include "support.h"

#include "base/file.h"
#include "base/sha256.h"
#include "data/checksum.h"
#include "data/dataset.h"
#include "data/inflate.h"
#include <math.h>

static char path_buffer[4400];
static const char *in(const char *folder, const char *name) {
    (void)snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
    return path_buffer;
}

/* ---- making files ---- */

typedef struct bytes {
    unsigned char *data;
    size_t length, capacity;
    unsigned bits, have;
} bytes;

static void put(bytes *b, unsigned byte) {
    if (b->length == b->capacity) {
        b->capacity = 2 * b->capacity + 1024;
        b->data = realloc(b->data, b->capacity);
        assert_non_null(b->data);
    }
    b->data[b->length++] = (unsigned char)byte;
}

/* n bits, the lowest first. */
static void put_bits(bytes *b, unsigned value, unsigned n) {
    for (; n; n--, value >>= 1) {
        b->bits |= (value & 1) << b->have;
        if (++b->have < 8) continue;
        put(b, b->bits);
        b->bits = b->have = 0;
    }
}

/* A Huffman code, the highest bit first. */
static void put_code(bytes *b, unsigned code, unsigned n) {
    while (n--) put_bits(b, code >> n & 1, 1);
}

static void put_gzip_head(bytes *b) {
    const unsigned char head[10] = {0x1f, 0x8b, 8};
    for (int i = 0; i < 10; i++) put(b, head[i]);
}

static void put_gzip_tail(bytes *b, uint32_t crc, uint64_t length) {
    while (b->have) put_bits(b, 0, 1);
    for (int i = 0; i < 4; i++) put(b, crc >> (8 * i) & 255);
    for (int i = 0; i < 4; i++) put(b, (unsigned)(length >> (8 * i) & 255));
}

/* A byte in the fixed code. */
static void put_literal(bytes *b, unsigned byte) {
    put_code(b, byte < 144 ? 0x30 + byte : 0x190 + byte - 144, byte < 144 ? 8 : 9);
}

/* One block with the fixed code: every byte a literal. */
static bytes gzip_literals(const unsigned char *data, size_t length) {
    bytes b = {0};
    put_gzip_head(&b);
    put_bits(&b, 3, 3);
    for (size_t i = 0; i < length; i++) put_literal(&b, data[i]);
    put_code(&b, 0, 7);
    put_gzip_tail(&b, hd_crc32(0, data, length), length);
    return b;
}

/* `head`, then `zeros` zeros as runs of 258: 13 bits each. The check sum is not right, but nobody gets there. */
static bytes gzip_bomb(const unsigned char *head, size_t length, uint64_t zeros) {
    bytes b = {0};
    put_gzip_head(&b);
    put_bits(&b, 3, 3);
    for (size_t i = 0; i < length; i++) put_literal(&b, head[i]);
    put_literal(&b, 0);
    for (uint64_t n = 0; n < zeros / 258; n++) {
        put_code(&b, 0xc5, 8);
        put_code(&b, 0, 5);
    }
    put_code(&b, 0, 7);
    put_gzip_tail(&b, 0, 0);
    return b;
}

static void put_idx(bytes *b, int rank, const uint32_t *dims, const unsigned char *elements, size_t n) {
    const unsigned char head[4] = {0, 0, 8, (unsigned char)rank};
    for (int i = 0; i < 4; i++) put(b, head[i]);
    for (int i = 0; i < rank; i++)
        for (int k = 3; k >= 0; k--) put(b, dims[i] >> (8 * k) & 255);
    for (size_t i = 0; i < n; i++) put(b, elements[i]);
}

static void save(const char *folder, const char *name, const bytes *b) {
    (void)remove(in(folder, name)); /* a new file is quicker than one that is truncated */
    FILE *f = fopen(in(folder, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->data, 1, b->length, f), b->length);
    assert_int_equal(fclose(f), 0);
}

static void save_packed(const char *folder, const char *name, const bytes *b) {
    bytes packed = gzip_literals(b->data, b->length);
    save(folder, name, &packed);
    free(packed.data);
}

enum { N = 30, SIDE = 5 };

/* Pictures and labels 0 … 9 in turn; first: of the labels. */
static void make_pair(bytes *x, bytes *y, unsigned first) {
    unsigned char pixels[N * SIDE * SIDE], labels[N];
    for (unsigned i = 0; i < sizeof pixels; i++) pixels[i] = (unsigned char)(i * 11 + first);
    for (unsigned i = 0; i < N; i++) labels[i] = (unsigned char)((i + first) % 10);
    *x = *y = (bytes){0};
    put_idx(x, 3, (const uint32_t[]){N, SIDE, SIDE}, pixels, sizeof pixels);
    put_idx(y, 1, (const uint32_t[]){N}, labels, N);
}

static void expect(hd_context *ctx, const char *source, hd_status status, const char *words) {
    hd_dataset *d = NULL;
    hd_status got = hd_data_open(&d, ctx, source, NULL);
    if (got == HD_OK) hd_data_free(d);
    if (got != status) fail_msg("%s: status %s, %s", source, hd_status_name(got), hd_last_error(ctx));
    if (words && !strstr(hd_last_error(ctx), words)) fail_msg("no \"%s\" in: %s", words, hd_last_error(ctx));
}

/* ---- tests ---- */

static void test_folders(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    hd_context *ctx = test_context(1);
    size_t held = hd_context_memory(ctx).bytes;
    char *folder = test_folder();
    bytes x, y, tx, ty;
    make_pair(&x, &y, 0);
    make_pair(&tx, &ty, 3);
    expect(ctx, folder, HD_E_DATA, "train-images-idx3-ubyte");
    save(folder, "train-images-idx3-ubyte", &x);
    save_packed(folder, "train-labels-idx1-ubyte.gz", &y);
    hd_dataset *d;
    assert_int_equal(hd_data_open(&d, ctx, folder, NULL), HD_OK);
    hd_data_info info = hd_data_get_info(d);
    assert_true(info.count == N && info.train == N && info.test == 0 && info.classes == 10 && info.stored == HD_U8);
    assert_true(info.sample.rank == 3 && info.sample.dim[0] == 1 && info.sample.dim[2] == SIDE);
    assert_true(info.bytes <= N + 1); /* the pictures stay in the file */
    assert_string_equal(info.class_names[9], "9");
    float p[SIDE * SIDE];
    hd_data_x(d, 7, p);
    for (int i = 0; i < SIDE * SIDE; i++) assert_true(p[i] == (float)(unsigned char)((7 * SIDE * SIDE + i) * 11));
    assert_int_equal(hd_data_label(d, 17), 7);
    hd_data_free(d);

    save_packed(folder, "t10k-images-idx3-ubyte.gz", &tx);
    save(folder, "t10k-labels-idx1-ubyte", &ty);
    assert_int_equal(hd_data_open(&d, ctx, folder, NULL), HD_OK);
    info = hd_data_get_info(d);
    assert_true(info.count == 2 * N && info.train == N && info.test == N);
    hd_data_x(d, N + 2, p);
    for (int i = 0; i < SIDE * SIDE; i++) assert_true(p[i] == (float)(unsigned char)((2 * SIDE * SIDE + i) * 11 + 3));
    assert_int_equal(hd_data_label(d, N), 3);
    hd_data_free(d);

    assert_int_equal(remove(in(folder, "train-images-idx3-ubyte")), 0);
    expect(ctx, folder, HD_E_FILE, "train-images-idx3-ubyte"); /* labels without pictures */
    assert_int_equal(remove(in(folder, "train-labels-idx1-ubyte.gz")), 0);
    assert_int_equal(hd_data_open(&d, ctx, folder, NULL), HD_OK); /* a data set of one part */
    info = hd_data_get_info(d);
    assert_true(info.count == N && info.train == N && info.test == 0);
    hd_data_free(d);
    assert_int_equal(hd_context_memory(ctx).bytes, held);
    free(x.data);
    free(y.data);
    free(tx.data);
    free(ty.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_labels(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder(), source[4300];
    bytes x, y;
    make_pair(&x, &y, 0);
    save(folder, "train-images-idx3-ubyte", &x);
    for (size_t i = 8; i < y.length; i++)
        if (y.data[i] == 9) y.data[i] = 200;
    save(folder, "train-labels-idx1-ubyte", &y);
    expect(ctx, folder, HD_E_DATA, "sample 9 has label 200, but there are only 10 distinct labels");
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\",\"classes\":201}", folder);
    expect(ctx, source, HD_OK, NULL);
    (void)snprintf(source, sizeof source, "{\"path\":\"%s\",\"classes\":200}", folder);
    expect(ctx, source, HD_E_DATA, "label 200");
    for (size_t i = 8; i < y.length; i++) y.data[i] = 0;
    save(folder, "train-labels-idx1-ubyte", &y);
    expect(ctx, folder, HD_E_DATA, "at least two classes");
    y.data[7]--;
    y.length--;
    save(folder, "train-labels-idx1-ubyte", &y);
    expect(ctx, folder, HD_E_DATA, "29 labels for 30 pictures");
    free(x.data);
    free(y.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_damaged(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    bytes x, y;
    make_pair(&x, &y, 0);
    save(folder, "train-labels-idx1-ubyte", &y);
    bytes cut = x;
    for (cut.length = 0; cut.length < x.length; cut.length += cut.length < 20 ? 1 : 97) {
        save(folder, "train-images-idx3-ubyte", &cut);
        expect(ctx, folder, HD_E_DATA, "train-images-idx3-ubyte");
    }
    put(&x, 0);
    save(folder, "train-images-idx3-ubyte", &x);
    expect(ctx, folder, HD_E_DATA, "more: 751");
    x.length--;
    const struct {
        size_t at;
        unsigned char value;
        const char *words;
    } wrong[] = {{0, 1, "expected an IDX file"}, {2, 0x0d, "type 0x0d"},      {3, 0, "expected an IDX file"},
                 {3, 5, "expected an IDX file"}, {3, 1, "bytes of elements"}, {4, 255, "bytes of elements"},
                 {7, 0, "bytes of elements"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        unsigned char before = x.data[wrong[i].at];
        x.data[wrong[i].at] = wrong[i].value;
        save(folder, "train-images-idx3-ubyte", &x);
        expect(ctx, folder, HD_E_DATA, wrong[i].words);
        x.data[wrong[i].at] = before;
    }
    bytes huge = {0};
    put_idx(&huge, 4, (const uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, NULL, 0);
    save(folder, "train-images-idx3-ubyte", &huge);
    expect(ctx, folder, HD_E_DATA, "overflow");
    huge.length = 0;
    put_idx(&huge, 3, (const uint32_t[]){0, 28, 28}, NULL, 0);
    save(folder, "train-images-idx3-ubyte", &huge);
    y.length = 0;
    put_idx(&y, 1, (const uint32_t[]){0}, NULL, 0);
    save(folder, "train-labels-idx1-ubyte", &y);
    expect(ctx, folder, HD_E_DATA, "found none");
    assert_true(hd_context_memory(ctx).peak_bytes < 1 << 20);
    free(x.data);
    free(y.data);
    free(huge.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static void test_damaged_gzip(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    bytes x, y;
    make_pair(&x, &y, 0);
    save(folder, "train-labels-idx1-ubyte", &y);
    bytes packed = gzip_literals(x.data, x.length), cut = packed;
    for (cut.length = 2; cut.length < packed.length; cut.length++) {
        save(folder, "train-images-idx3-ubyte.gz", &cut);
        expect(ctx, folder, HD_E_DATA, "train-images-idx3-ubyte.gz");
    }
    for (size_t at = 0; at < packed.length; at++)
        for (int bit = 0; bit < 8; bit++) {
            packed.data[at] ^= (unsigned char)(1 << bit);
            save(folder, "train-images-idx3-ubyte.gz", &packed);
            hd_dataset *d;
            hd_status status = hd_data_open(&d, ctx, folder, NULL);
            if (status == HD_OK) hd_data_free(d);
            /* time, flags and system in the header are nobody's business; everything else is noticed */
            assert_true(status == HD_E_DATA || (status == HD_OK && at >= 3 && at < 10));
            packed.data[at] ^= (unsigned char)(1 << bit);
        }
    free(x.data);
    free(y.data);
    free(packed.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

/* 200 MB of zeros in a file of 1.3 MB. */
static void test_bombs(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    bytes x, y, head = {0};
    make_pair(&x, &y, 0);
    save(folder, "train-labels-idx1-ubyte", &y);
    put_idx(&head, 3, (const uint32_t[]){100, 1000, 2000}, NULL, 0); /* the header agrees with it */
    bytes bomb = gzip_bomb(head.data, head.length, 200000000);
    assert_true(bomb.length < 2000000);
    save(folder, "train-images-idx3-ubyte.gz", &bomb);
    expect(ctx, folder, HD_E_DATA, "would grow to 200000000 bytes");
    assert_true(hd_context_memory(ctx).peak_bytes < 1 << 20);
    free(bomb.data);
    head.length = 0;
    put_idx(&head, 3, (const uint32_t[]){30, 5, 5}, NULL, 0); /* the header does not */
    bomb = gzip_bomb(head.data, head.length, 200000000);
    save(folder, "train-images-idx3-ubyte.gz", &bomb);
    expect(ctx, folder, HD_E_DATA, "header says 750 bytes");
    assert_true(hd_context_memory(ctx).peak_bytes < 1 << 20);
    save(folder, "bomb.csv.gz", &bomb); /* as a table: one endless line */
    expect(ctx, in(folder, "bomb.csv.gz"), HD_E_DATA, "lines of at most 4 MB");
    assert_true(hd_context_memory(ctx).peak_bytes < 16 << 20);
    free(bomb.data);
    free(head.data);
    free(x.data);
    free(y.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

typedef struct text {
    char bytes[64];
    size_t length;
} text;

static hd_status collect(void *user, const unsigned char *data, size_t length) {
    text *t = user;
    assert_true(t->length + length < sizeof t->bytes);
    memcpy(t->bytes + t->length, data, length);
    t->length += length;
    return HD_OK;
}

static hd_status refuse(void *user, const unsigned char *data, size_t length) {
    (void)user;
    (void)data;
    (void)length;
    return HD_E_USAGE;
}

static void put_all(bytes *to, const bytes *b) {
    for (size_t i = 0; i < b->length; i++) put(to, b->data[i]);
}

/* A file may be several gzip files in a row, with zeros after each; anything else behind one is an error. */
static void test_members(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    hd_context *ctx = test_context(1);
    bytes a = gzip_literals((const unsigned char *)"deep", 4), b = gzip_literals((const unsigned char *)" sea", 4);
    bytes all = {0};
    put_all(&all, &a);
    put_all(&all, &b);
    for (int i = 0; i < 3; i++) put(&all, 0);
    put_all(&all, &a);
    put(&all, 0);
    text t = {0};
    assert_int_equal(hd_gunzip(ctx, "a.gz", all.data, all.length, collect, &t), HD_OK);
    assert_string_equal(t.bytes, "deep seadeep");
    assert_int_equal(hd_gunzip(ctx, "a.gz", all.data, all.length, refuse, NULL), HD_E_USAGE);
    put(&all, 'x');
    t = (text){0};
    assert_int_equal(hd_gunzip(ctx, "a.gz", all.data, all.length, collect, &t), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "expected gzip data"));
    t = (text){0};
    assert_int_equal(hd_gunzip(ctx, "a.gz", a.data, a.length - 1, collect, &t), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "the file ends too early"));
    a.data[a.length - 1] ^= 1;
    assert_int_equal(hd_gunzip(ctx, "a.gz", a.data, a.length, collect, &t), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "incorrect length check"));
    a.data[a.length - 5] ^= 1;
    assert_int_equal(hd_gunzip(ctx, "a.gz", a.data, a.length, collect, &t), HD_E_DATA);
    assert_non_null(strstr(hd_last_error(ctx), "incorrect data check"));
    free(a.data);
    free(b.data);
    free(all.data);
    hd_context_free(ctx);
}

/* Without zlib the message says what to install, for IDX files and for tables. */
static void test_without_zlib(void **state) {
    (void)state;
#ifdef HD_HAVE_ZLIB
    print_message("skipped: built with zlib\n");
    skip();
#endif
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    bytes x, y;
    make_pair(&x, &y, 0);
    save_packed(folder, "train-images-idx3-ubyte.gz", &x);
    save(folder, "train-labels-idx1-ubyte", &y);
    expect(ctx, folder, HD_E_UNSUPPORTED, "zlib1g-dev");
    save_packed(folder, "table.csv.gz", &x);
    expect(ctx, in(folder, "table.csv.gz"), HD_E_UNSUPPORTED, "unpack it first");
    free(x.data);
    free(y.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

static hd_status hash(void *user, const unsigned char *data, size_t length) {
    hd_sha256_add(user, data, length);
    return HD_OK;
}

/* Files that gzip itself has made, against the sums of the official unpacked ones. */
static void test_real_files(void **state) {
    (void)state;
    static const char *const sums[][2] = {{"data/digits-mnist/train-images-idx3-ubyte.gz",
                                           "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
                                          {"data/digits-mnist/train-labels-idx1-ubyte.gz",
                                           "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
                                          {"data/digits-mnist/t10k-images-idx3-ubyte.gz",
                                           "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
                                          {"data/digits-mnist/t10k-labels-idx1-ubyte.gz",
                                           "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}};
    if (!test_data(sums[0][0]) || !test_zlib()) skip();
    hd_context *ctx = test_context(1);
    for (int i = 0; i < 4; i++) {
        const char *path = test_data(sums[i][0]);
        if (!path) fail();
        hd_map map;
        hd_sha256 sum;
        char hex[65];
        assert_int_equal(hd_file_map(ctx, path, &map), HD_OK);
        hd_sha256_init(&sum);
        assert_int_equal(hd_gunzip(ctx, path, map.data, map.length, hash, &sum), HD_OK);
        hd_sha256_hex(&sum, hex);
        assert_string_equal(hex, sums[i][1]);
        hd_file_unmap(&map);
    }
    hd_dataset *d;
    assert_int_equal(hd_data_open(&d, ctx, test_data("data/digits-mnist"), NULL), HD_OK);
    hd_data_info info = hd_data_get_info(d);
    assert_true(info.train == 60000 && info.test == 10000 && info.classes == 10 && info.light_on_dark && info.centered);
    assert_true(fabsf(info.ink - 20.0f / 28) < 0.02f);
    int64_t of_five = 0;
    for (int64_t i = 0; i < info.train; i++) of_five += hd_data_label(d, i) == 5;
    assert_int_equal(of_five, 5421);
    hd_data_free(d);
    hd_context_free(ctx);
}

static hd_status open_folder(hd_context *ctx, void *folder) {
    hd_dataset *d;
    hd_status status = hd_data_open(&d, ctx, folder, NULL);
    if (status == HD_OK) hd_data_free(d);
    return status;
}

static void test_failing_allocations(void **state) {
    (void)state;
    if (!test_zlib()) skip();
    hd_context *ctx = test_context(1);
    char *folder = test_folder();
    bytes x, y;
    make_pair(&x, &y, 0);
    save_packed(folder, "train-images-idx3-ubyte.gz", &x);
    save(folder, "train-labels-idx1-ubyte", &y);
    assert_true(fail_every_allocation(open_folder, folder) > 5);
    free(x.data);
    free(y.data);
    test_folder_remove(folder);
    hd_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_gzip),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_without_zlib),
        cmocka_unit_test(test_real_files),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
