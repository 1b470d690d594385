/* test_hostile_files.c: files that mean harm: every format refuses them with a message, soon, and within 64 MB and four
 * times the file. */
#include "data_support.h"

#include "base/rng.h"
#include <time.h>
#ifdef HD_HAVE_ZLIB
#include <zlib.h>
#endif

/* ---- making files ---- */

static char path[4300];
static size_t file_bytes;

static FILE *begin(const char *name) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    return f;
}

static void end(FILE *f) {
    file_bytes = (size_t)ftell(f);
    assert_int_equal(fclose(f), 0);
}

static void repeat(FILE *f, const char *text, size_t length, int64_t times) {
    char block[1 << 14];
    const size_t fit = sizeof block / length;
    for (size_t i = 0; i < fit; i++) memcpy(block + i * length, text, length);
    for (int64_t left = times; left > 0; left -= (int64_t)fit) {
        const size_t n = left < (int64_t)fit ? (size_t)left : fit;
        assert_int_equal(fwrite(block, length, n, f), n);
    }
}

static void save(const char *name, const void *bytes, size_t length) {
    FILE *f = begin(name);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    end(f);
}

/* ---- the bar ---- */

/* Only processor time counts: others may be busy. Sanitizers and builds without optimisation are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
enum { SECONDS = 20 };
#else
enum { SECONDS = 2 };
#endif

typedef hd_status (*open_fn)(hd_context *c);

static hd_status as_data(hd_context *c) {
    hd_dataset *d = NULL;
    const hd_status status = hd_data_open(&d, c, path, "/nowhere");
    hd_data_free(d);
    return status;
}

static hd_status as_picture(hd_context *c) {
    const hd_picture_args args = {.sample = HD_DIMS(1, 8, 8), .high = 255};
    float x[64];
    return hd_picture_read(c, path, &args, x, NULL, 0);
}

/* A context of its own, so that the most memory ever held is this file's. may_be_fine: whatever the content, as long as
 * it is answered. */
static void answer(open_fn open, bool may_be_fine) {
    hd_context *c = test_context(1);
    const size_t before = hd_context_memory(c).bytes;
    const clock_t start = clock();
    const hd_status status = open(c);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    const hd_memory_stats use = hd_context_memory(c);
    const bool refused = status == HD_E_DATA || status == HD_E_MODEL || status == HD_E_MEMORY || status == HD_E_FILE ||
                         (TEST_LACKS_LIBRARY && status == HD_E_UNSUPPORTED);
    if (!refused && !(may_be_fine && status == HD_OK))
        fail_msg("%s: %s (%s)", path, hd_status_name(status), hd_last_error(c));
    if (refused && (!strstr(hd_last_error(c), folder) || strlen(hd_last_error(c)) < strlen(path)))
        fail_msg("%s: no place in \"%s\"", path, hd_last_error(c));
    if (seconds > SECONDS) fail_msg("%s: %g s", path, seconds);
    if (use.peak_bytes > ((size_t)64 << 20) + 4 * file_bytes)
        fail_msg("%s: %zu bytes of memory for %zu of file", path, use.peak_bytes, file_bytes);
    assert_int_equal(use.bytes, before);
    hd_context_free(c);
    (void)unlink(path);
}

static void refused_text(const char *name, const char *text, size_t length, int64_t times, const char *rest) {
    FILE *f = begin(name);
    repeat(f, text, length, times);
    (void)fputs(rest, f);
    end(f);
    answer(as_data, false);
}

/* ---- tables ---- */

static void tables_without_measure(void **state) {
    (void)state;
    refused_text("columns.csv", "1,", 2, 1000000, "1\n1\n");
    refused_text("commas.csv", ",", 1, 10000000, "\n");
    refused_text("line.csv", "a", 1, 10000000, "");
    refused_text("nul.csv", "\0", 1, 10000000, "");
    refused_text("quotes.csv", "\"", 1, 9999999, "");
    refused_text("open.csv", "\"\n", 2, 1, "1,2\n3,4\n");
    refused_text("lines.csv", "\n", 1, 10000000, "");
    refused_text("blanks.csv", " ", 1, 10000000, "");
    refused_text("ragged.csv", "1,2\n", 4, 100000, "1\n");
    refused_text("negative.csv", "1,-1\n2,-2\n", 10, 1000, "3\n");
    refused_text("one.csv", "1,0\n", 4, 100000, "");
    refused_text("digits.csv", "99999999999999999999", 20, 100000, ",1\n1,0\n");
    refused_text("exponent.csv", "1e999999999,1\n", 14, 3, "1,0\n");
    refused_text("control.csv", "\x1b[2J,1\n", 7, 3, "1,0\n");
    refused_text("latin.csv", "\xff\xfe\xff,1\n", 6, 3, "1,0\n");
    FILE *f = begin("names.csv"); /* a header of very many names, and words below */
    for (int i = 0; i < 200000; i++) (void)fprintf(f, "n%d,", i);
    (void)fputs("y\n", f);
    repeat(f, "w,", 2, 200000);
    (void)fputs("1\n", f);
    repeat(f, "v,", 2, 200000);
    (void)fputs("0\n", f);
    end(f);
    answer(as_data, false);
    f = begin("words.csv"); /* every line another word */
    for (int i = 0; i < 300000; i++) (void)fprintf(f, "w%d,%d\n", i, i % 2);
    end(f);
    answer(as_data, false);
    f = begin("targets.csv");
    for (int i = 0; i < 300000; i++) (void)fprintf(f, "%d,w%d\n", i, i);
    end(f);
    answer(as_data, false);
    f = begin("wide.csv"); /* few bytes a line, a thousand numbers each in memory */
    for (int i = 0; i < 200000; i++) (void)fprintf(f, "%x,%d\n", i % 1000 + 0xf0000, i % 2);
    end(f);
    answer(as_data, true);
    f = begin("hex.csv");
    for (int i = 0; i < 200000; i++) (void)fprintf(f, "x%x,%d\n", i % 1000, i % 2);
    end(f);
    answer(as_data, false);
}

static void arff_without_measure(void **state) {
    (void)state;
    FILE *f = begin("attributes.arff");
    (void)fputs("@relation x\n", f);
    repeat(f, "@attribute a real\n", 18, 300000);
    end(f);
    answer(as_data, false);
    f = begin("values.arff");
    (void)fputs("@relation x\n@attribute a {", f);
    for (int i = 0; i < 100000; i++) (void)fprintf(f, "v%d,", i);
    (void)fputs("}\n", f);
    end(f);
    answer(as_data, false);
    static const char *const wrong[] = {"@",
                                        "%",
                                        "@data\n",
                                        "@relation",
                                        "@attribute",
                                        "@attribute a",
                                        "@attribute 'a",
                                        "@attribute a {",
                                        "@attribute a {x",
                                        "@relation x\n@attribute a {'x}\n@data\n",
                                        "@attribute a real\n@data\n",
                                        "@attribute a real\n@data\n?\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        save("w.arff", wrong[i], strlen(wrong[i]));
        answer(as_data, false);
    }
}

/* ---- packed ---- */

#ifdef HD_HAVE_ZLIB
/* `times` times the text, in a gzip file. */
static void pack(const char *name, const char *text, size_t length, int64_t times) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    gzFile z = gzopen(path, "wb6");
    char block[1 << 14];
    const size_t fit = sizeof block / length;
    assert_non_null(z);
    for (size_t i = 0; i < fit; i++) memcpy(block + i * length, text, length);
    for (int64_t left = times; left > 0; left -= (int64_t)fit) {
        const size_t n = left < (int64_t)fit ? (size_t)left : fit;
        assert_int_equal(gzwrite(z, block, (unsigned)(n * length)), (int)(n * length));
    }
    assert_int_equal(gzclose(z), Z_OK);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    end(f);
}

static void bombs_do_not_go_off(void **state) {
    (void)state;
    pack("table.csv.gz", "1,2\n", 4, 20000000);
    answer(as_data, false);
    pack("ends.csv.gz", "\n", 1, 80000000);
    answer(as_data, false);
    pack("ignored.csv.gz", "1,word,2\n", 9, 9000000);
    answer(as_data, false);
    pack("line.csv.gz", "1", 1, 80000000);
    answer(as_data, false);
    pack("zeros.npy.gz", "\0", 1, 80000000);
    answer(as_data, false);
    pack("zeros.pgm.gz", "\0", 1, 80000000);
    answer(as_picture, false);
    pack("rows.arff.gz", "@", 1, 80000000);
    answer(as_data, false);
    /* cut, and changed in its middle */
    pack("cut.csv.gz", "1,2\n3,4\n", 8, 1000);
    assert_int_equal(truncate(path, (off_t)file_bytes - 5), 0);
    answer(as_data, false);
    pack("changed.csv.gz", "1,2\n3,4\n", 8, 1000);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -6, SEEK_END), 0);
    (void)fputc('x', f);
    assert_int_equal(fclose(f), 0);
    answer(as_data, false);
}
#endif

static void put(unsigned char *at, size_t value, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = (unsigned char)(value >> 8 * i);
}

/* One deflated member whose sizes are lies, or very many members. */
static void save_archive(size_t packed, size_t length, int method, int count, size_t at) {
    static unsigned char b[1 << 20];
    memset(b, 0, sizeof b);
    size_t used = 0;
    put(b, 0x04034b50, 4);
    put(b + 26, 5, 2);
    memcpy(b + 30, "x.npy", 5);
    used = 30 + 5 + 40;
    const size_t list = used;
    for (int i = 0; i < count && used + 100 < sizeof b; i++) {
        put(b + used, 0x02014b50, 4);
        put(b + used + 10, (size_t)method, 2);
        put(b + used + 20, packed, 4);
        put(b + used + 24, length, 4);
        put(b + used + 28, 5, 2);
        put(b + used + 42, at, 4);
        memcpy(b + used + 46, i % 2 ? "y.npy" : "x.npy", 5);
        used += 51;
    }
    put(b + used, 0x06054b50, 4);
    put(b + used + 10, (size_t)count, 2);
    put(b + used + 16, list, 4);
    save("a.npz", b, used + 22);
    answer(as_data, false);
}

static void archives_lie(void **state) {
    (void)state;
    save_archive(40, 0xfffffff0, 8, 2, 0);
    save_archive(40, 40, 0, 2, 0);
    save_archive(40, 40, 99, 2, 0);
    save_archive(0xfffffff0, 0xfffffff0, 0, 2, 0);
    save_archive(0xffffffff, 0xffffffff, 0, 2, 0);
    save_archive(40, 40, 0, 2, 0xfffffff0);
    save_archive(40, 40, 8, 4000, 0);
    save_archive(40, 40, 0, 65535, 0);
    save_archive(40, 40, 0, 0, 0);
}

static void arrays_lie(void **state) {
    (void)state;
    static const char *const shapes[] = {"(4294967295,)",
                                         "(9223372036854775807,)",
                                         "(2, 9223372036854775807)",
                                         "(0,)",
                                         "(-1,)",
                                         "(1e9,)",
                                         "(99999999999999999999,)",
                                         "(,)",
                                         "((((((",
                                         "(1,1,1,1,1,1,1,1,1,1)",
                                         "()",
                                         "(65536, 65536, 65536, 65536)"};
    static const char *const types[] = {"<f4", "|u1",     "<f8",  "|O",  "<U99999", "<c16",
                                        "|V8", "<M8[ns]", "<f16", ">i8", "<i3",     "f"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            unsigned char b[400] = "\x93NUMPY\1";
            const int n = snprintf((char *)b + 10, sizeof b - 10,
                                   "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", types[k], shapes[i]);
            put(b + 8, (size_t)n, 2);
            save("x.npy", b, (size_t)(10 + n + 7));
            answer(as_data, false);
        }
    unsigned char b[64] = "\x93NUMPY\2";
    put(b + 8, 0xffffffff, 4);
    save("x.npy", b, sizeof b);
    answer(as_data, false);
}

static void pictures_lie(void **state) {
    (void)state;
    static const char *const heads[] = {"P5 65536 65536 255\n",
                                        "P6 65536 65536 65535\n",
                                        "P2 65536 65536 1\n",
                                        "P1 65536 65536\n",
                                        "P4 65536 65536\n",
                                        "P3 99999999999999999999 1 1\n",
                                        "P5 -5 -5 255\n",
                                        "P5 5 5 -255\n",
                                        "P5 0 0 255\n",
                                        "P5 8 8 70000\n",
                                        "P2 1 1 255 -7\n",
                                        "P2 1 1 9 10\n",
                                        "P5",
                                        "P5 #",
                                        "P5 8",
                                        "P6 8 8 255\n",
                                        "P9 8 8 255\n",
                                        "P5 8 8 255"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        save("p.ppm", heads[i], strlen(heads[i]));
        answer(as_picture, false);
    }
    FILE *f = begin("comments.pgm");
    (void)fputs("P2 ", f);
    repeat(f, "# more\n", 7, 1400000);
    end(f);
    answer(as_picture, false);
    f = begin("digits.pgm");
    (void)fputs("P2 1 1 255 ", f);
    repeat(f, "0", 1, 10000000);
    (void)fputs("256", f);
    end(f);
    answer(as_picture, false);
}

/* Bytes from a generator under every name; and good files with some of their bytes changed. */
static void rubbish_is_answered(void **state) {
    (void)state;
    static const char *const names[] = {"r.csv", "r.tsv", "r.txt", "r.arff", "r.npy", "r.npz", "r.csv.gz", "r.npy.gz"};
    static const char *const good[] = {
        "a,b,c\n1,red,0\n2,\"blue, \"\"dark\"\"\",1\n3,red,1\n?,blue,0\n",
        "@relation x\n@attribute a real\n@attribute 'b c' {x,'y z'}\n@attribute d {0,1}\n@data\n1,x,0\n2,'y z',1\n",
        "1 2 3 0\n4 5 6 1\n 7  8\t9 1\n"};
    hd_rng rng = hd_rng_new(7, "rubbish");
    unsigned char b[3000];
    for (int i = 0; i < 400; i++) {
        const size_t n = 1 + (size_t)hd_rng_below(&rng, sizeof b);
        const bool text = i % 2;
        for (size_t k = 0; k < n; k++)
            b[k] = (unsigned char)(text ? ",;\t \n\"'0123456789.-eEnaN?{}@%"[hd_rng_below(&rng, 29)]
                                        : (char)hd_rng_below(&rng, 256));
        if (i % 8 == 4 && n > 8) memcpy(b, "\x93NUMPY\1", 8);
        if (i % 8 == 5 && n > 4) memcpy(b, "PK\3\4", 4);
        if (i % 8 >= 6 && n > 4) memcpy(b, "\x1f\x8b\x08", 4);
        save(names[i % 8], b, n);
        answer(as_data, true);
        b[0] = 'P';
        b[1] = (unsigned char)('1' + i % 6);
        b[2] = ' ';
        save("r.pgm", b, n);
        answer(as_picture, true);
    }
    for (int i = 0; i < 600; i++) {
        const char *from = good[i % 3];
        const size_t n = strlen(from);
        memcpy(b, from, n);
        for (int k = 0; k < 1 + i % 4; k++) b[hd_rng_below(&rng, n)] = (unsigned char)hd_rng_below(&rng, 256);
        save(i % 3 == 1 ? "m.arff" : "m.csv", b, n);
        answer(as_data, true);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_without_measure), cmocka_unit_test(arff_without_measure),
#ifdef HD_HAVE_ZLIB
        cmocka_unit_test(bombs_do_not_go_off),
#endif
        cmocka_unit_test(archives_lie),           cmocka_unit_test(arrays_lie),
        cmocka_unit_test(pictures_lie),           cmocka_unit_test(rubbish_is_answered),
    };
    return cmocka_run_group_tests(tests, data_set_up, data_tear_down);
}
