/* test_base.c: status, context, memory, arena, text, numbers, random numbers. */
#include "support.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/cpu.h"
#include "base/rng_many.h"
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include <locale.h>
#include <math.h>
#include <pthread.h>

static void test_error_parts(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    assert_string_equal(hd_last_error(ctx), "");
    assert_int_equal(hd_fail(ctx, HD_E_DATA, "%s:%d|\"%s\" is not a number|Add missing=drop", "t|x.csv", 3, "a|b"),
                     HD_E_DATA);
    hd_error e = hd_last_error_parts(ctx);
    assert_int_equal(e.status, HD_E_DATA);
    assert_string_equal(e.where, "t|x.csv:3");
    assert_string_equal(e.what, "\"a|b\" is not a number");
    assert_string_equal(e.fix, "Add missing=drop");
    assert_string_equal(hd_last_error(ctx), "t|x.csv:3: \"a|b\" is not a number. Add missing=drop");

    assert_int_equal(hd_fail(ctx, HD_E_MODEL, "one part of %d", 1), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "one part of 1");
    assert_int_equal(hd_fail(ctx, HD_E_MODEL, "|no place|do this"), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "no place. do this");
    assert_int_equal(hd_fail(ctx, HD_E_MODEL, "f.c:1|Did you mean x?|Or y"), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "f.c:1: Did you mean x? Or y");

    /* an old part as an argument */
    e = hd_last_error_parts(ctx);
    assert_int_equal(hd_fail(ctx, HD_E_MODEL, "%s|again: %s|%s", e.where, e.what, e.fix), HD_E_MODEL);
    assert_string_equal(hd_last_error(ctx), "f.c:1: again: Did you mean x? Or y");
    hd_error_clear(ctx);
    assert_string_equal(hd_last_error(ctx), "");
    assert_int_equal(hd_last_error_parts(ctx).status, HD_OK);
    assert_int_equal(hd_fail(NULL, HD_E_FILE, "nobody listens"), HD_E_FILE);
    hd_context_free(ctx);
}

/* What comes out of a file can not drive the terminal, and can not be too long. */
static void test_error_hostile(void **state) {
    (void)state;
    hd_context *ctx = test_context(1);
    assert_int_equal(hd_fail(ctx, HD_E_DATA, "%s|%s", "a\x1b[2J\nb", "\xff\xc3\xa4\xc3"), HD_E_DATA);
    assert_string_equal(hd_last_error_parts(ctx).where, "a?[2J b");
    assert_string_equal(hd_last_error_parts(ctx).what, "?\xc3\xa4?");
    static char long_name[20000];
    memset(long_name, 'x', sizeof long_name - 1);
    assert_int_equal(hd_fail(ctx, HD_E_DATA, "%s|what|%s", long_name, long_name), HD_E_DATA);
    assert_true(strlen(hd_last_error(ctx)) < sizeof ctx->text);
    assert_int_equal(hd_fail(ctx, HD_E_DATA, "%.300s|%s|%.300s", long_name, "what", long_name), HD_E_DATA);
    assert_string_equal(hd_last_error_parts(ctx).what, "what");
    assert_int_equal(strlen(hd_last_error_parts(ctx).fix), 300);
    hd_context_free(ctx);
}

static void count_log(void *user, hd_log_level level, const char *text) {
    if (level == HD_LOG_WARNING && strcmp(text, "two words 2") == 0) ++*(int *)user;
}

static void test_context_arguments(void **state) {
    (void)state;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = 257}), HD_E_USAGE);
    assert_null(ctx);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = -1}), HD_E_USAGE);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.isa = "sse9"}), HD_E_USAGE);
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.memory_limit = 100}), HD_E_MEMORY);
    int lines = 0;
    assert_int_equal(
        hd_context_new(&ctx, &(hd_context_args){.threads = 3, .isa = "generic", .log = count_log, .log_user = &lines}),
        HD_OK);
    assert_int_equal(hd_context_threads(ctx), 3);
    assert_string_equal(hd_context_isa(ctx), "generic");
    hd_log_line(ctx, HD_LOG_WARNING, "two\nwords %d", 2);
    assert_int_equal(lines, 1);
    hd_context_free(ctx);
    assert_int_equal(hd_context_new(&ctx, NULL), HD_OK);
    assert_true(hd_context_threads(ctx) >= 1);
    hd_log_line(ctx, HD_LOG_WARNING, "nobody listens");
    hd_context_free(ctx);
    hd_context_free(NULL);
}

static void test_names(void **state) {
    (void)state;
    for (int s = 0; s < 9; s++) assert_string_not_equal(hd_status_name((hd_status)s), "unknown");
    assert_string_equal(hd_status_name((hd_status)99), "unknown");
    static const size_t sizes[HD_DTYPE_COUNT] = {4, 8, 4, 8, 1, 1, 2};
    for (int d = 0; d < HD_DTYPE_COUNT; d++) assert_int_equal(hd_dtype_size((hd_dtype)d), sizes[d]);
    assert_string_equal(hd_dtype_name(HD_I64), "i64");
    assert_int_equal(hd_dtype_size((hd_dtype)77), 0);
    assert_string_equal(hd_version(), HD_VERSION);
}

static void test_memory(void **state) {
    (void)state;
    failing f = {0};
    hd_context_args args = failing_args(&f);
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &args), HD_OK);
    size_t before = hd_context_memory(ctx).bytes;
    unsigned char *m = hd_alloc_n(ctx, 100, 10);
    assert_int_equal((uintptr_t)m % 64, 0);
    for (int i = 0; i < 1000; i++) assert_int_equal(m[i], 0);
    memset(m, 7, 1000);
    m = hd_realloc_n(ctx, m, 400, 1); /* smaller: the bytes behind are zero when it grows again */
    m = hd_realloc_n(ctx, m, 5000, 1);
    for (int i = 0; i < 5000; i++) assert_int_equal(m[i], i < 400 ? 7 : 0);
    m = hd_realloc_n(ctx, m, 10, 1);
    assert_true(hd_context_memory(ctx).bytes < before + 1000);
    assert_true(hd_context_memory(ctx).peak_bytes >= before + 5000);
    assert_null(hd_alloc_n(ctx, SIZE_MAX / 2, 3));
    assert_null(hd_alloc(ctx, SIZE_MAX - 10));
    assert_null(hd_realloc_n(ctx, m, SIZE_MAX, 2));
    assert_int_equal(hd_last_error_parts(ctx).status, HD_E_MEMORY);
    assert_int_equal(m[9], 7);
    hd_free(ctx, m);
    hd_free(ctx, NULL);
    void *empty = hd_alloc(ctx, 0);
    assert_non_null(empty);
    hd_free(ctx, empty);
    assert_int_equal(hd_context_memory(ctx).bytes, before);
    hd_context_free(ctx);
    assert_int_equal(f.live, 0);
}

static void test_memory_limit(void **state) {
    (void)state;
    hd_context *ctx;
    assert_int_equal(hd_context_new(&ctx, &(hd_context_args){.threads = 1, .memory_limit = 100000}), HD_OK);
    void *a = hd_alloc(ctx, 50000);
    assert_non_null(a);
    assert_null(hd_alloc(ctx, 50000));
    assert_non_null(strstr(hd_last_error(ctx), "the limit is 100.0 kB"));
    assert_true(hd_context_memory(ctx).peak_bytes <= 100000);
    hd_free(ctx, a);
    a = hd_alloc(ctx, 80000);
    assert_non_null(a);
    hd_free(ctx, a);
    hd_context_free(ctx);
}

static void test_checked_arithmetic(void **state) {
    (void)state;
    size_t out;
    assert_false(hd_mul_ok(SIZE_MAX, 2, &out));
    assert_false(hd_add_ok(SIZE_MAX, 1, &out));
    assert_true(hd_mul_ok(3, 4, &out));
    assert_int_equal(out, 12);
    assert_int_equal(hd_dims_count(&(hd_dims){0}), 1);
    assert_int_equal(hd_dims_count(&HD_DIMS(2, 3, 4)), 24);
    assert_int_equal(hd_dims_count(&HD_DIMS(2, 0, 4)), 0);
    assert_int_equal(hd_dims_count(&HD_DIMS(HD_BATCH, 3)), -1);
    assert_int_equal(hd_dims_count(&HD_DIMS(INT64_MAX, 2)), -1);
}

static hd_status use_arena(hd_context *ctx, void *arg) {
    (void)arg;
    hd_arena arena = {.ctx = ctx};
    hd_status status = HD_OK;
    for (size_t i = 1; i < 2000 && status == HD_OK; i = i * 3 / 2 + 1) {
        unsigned char *m = hd_arena_alloc(&arena, i * 5);
        if (!m) {
            status = HD_E_MEMORY;
            break;
        }
        assert_int_equal((uintptr_t)m % 16, 0);
        for (size_t k = 0; k < i * 5; k++) assert_int_equal(m[k], 0);
        memset(m, 1, i * 5);
        char *s = hd_arena_printf(&arena, "%zu:%s", i, "text");
        if (!s)
            status = HD_E_MEMORY;
        else
            assert_non_null(strstr(s, ":text"));
    }
    hd_arena_free(&arena);
    assert_null(arena.head);
    return status;
}

static void test_arena(void **state) {
    (void)state;
    assert_true(fail_every_allocation(use_arena, NULL) > 3);
    hd_context *ctx = test_context(1);
    hd_arena arena = {.ctx = ctx};
    assert_null(hd_arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(hd_arena_alloc_n(&arena, SIZE_MAX / 4, 8));
    char *a = hd_arena_strdup(&arena, "first"), *large = hd_arena_alloc(&arena, 1000000),
         *b = hd_arena_strndup(&arena, "second!", 6);
    assert_string_equal(a, "first");
    assert_string_equal(b, "second");
    assert_non_null(large);
    assert_int_equal(b - a, 16); /* a large block in between does not waste the open one */
    hd_arena_free(&arena);
    hd_context_free(ctx);
}

static hd_status use_text(hd_context *ctx, void *arg) {
    (void)arg;
    hd_text t = {.ctx = ctx};
    for (int i = 0; i < 300; i++) hd_text_printf(&t, "%d,", i);
    hd_text_puts(&t, "end");
    hd_status status = t.failed ? HD_E_MEMORY : HD_OK;
    if (!t.failed) assert_string_equal(t.data + t.length - 7, "299,end");
    hd_text_free(&t);
    return status;
}

static void test_text(void **state) {
    (void)state;
    assert_true(fail_every_allocation(use_text, NULL) > 3);
    hd_text t = {0};
    assert_string_equal(hd_text_str(&t), "");
    static const char *const words[] = {"kernel_size", "stride", "padding", "lr"};
    assert_string_equal(hd_text_nearest("kernal_size", words, 4), "kernel_size");
    assert_string_equal(hd_text_nearest("rl", words, 4), "lr");
    assert_null(hd_text_nearest("dilation", words, 4));
    assert_int_equal(hd_text_distance("", "abc"), 3);
    assert_int_equal(hd_text_distance("kitten", "sitting"), 3);
    assert_int_equal(hd_text_distance("ab", "ba"), 1);
    static char long_word[100000];
    memset(long_word, 'a', sizeof long_word - 1);
    assert_null(hd_text_nearest(long_word, words, 4));
    assert_true(hd_text_distance(long_word, "a") > 64);
}

static bool reads_f64(const char *text, double expected) {
    double value;
    return hd_text_to_f64(text, strlen(text), &value) && memcmp(&value, &expected, sizeof value) == 0;
}

static bool reads_i64(const char *text, int64_t expected) {
    int64_t value;
    return hd_text_to_i64(text, strlen(text), &value) && value == expected;
}

static void test_numbers_read(void **state) {
    (void)state;
    assert_true(reads_i64("0", 0) && reads_i64("-9223372036854775808", INT64_MIN) &&
                reads_i64("+9223372036854775807", INT64_MAX));
    static const char *const no_integers[] = {
        "", "-", "9223372036854775808", "-9223372036854775809", "1 ", " 1", "1.0", "0x1", "1e3"};
    int64_t i;
    for (size_t k = 0; k < sizeof no_integers / sizeof *no_integers; k++)
        assert_false(hd_text_to_i64(no_integers[k], strlen(no_integers[k]), &i));

    assert_true(reads_f64("0", 0.0) && reads_f64("-0", -0.0) && reads_f64("1.5", 1.5) && reads_f64(".5", 0.5));
    assert_true(reads_f64("5.", 5) && reads_f64("1e-05", 1e-05) &&
                reads_f64("123456789012345678", 123456789012345678.0));
    assert_true(reads_f64("0.1", 0.1) && reads_f64("1e22", 1e22) && reads_f64("1e23", 1e23) &&
                reads_f64("4.9e-324", 0x1p-1074));
    assert_true(reads_f64("1.7976931348623157e308", 1.7976931348623157e308) && reads_f64("1e-400", 0));
    assert_true(reads_f64("inf", (double)INFINITY) && reads_f64("-inf", -(double)INFINITY));
    /* exactly between two doubles; then a hair above, 900 digits later: one rounding, and no digit is forgotten */
    assert_true(reads_f64("9007199254740993", 9007199254740992.0));
    static char halfway[1000];
    memcpy(halfway, "9007199254740993.", 17);
    memset(halfway + 17, '0', 900);
    assert_true(reads_f64(halfway, 9007199254740992.0));
    halfway[916] = '1';
    assert_true(reads_f64(halfway, 9007199254740994.0));
    static char zeros[1000] = "0.";
    memset(zeros + 2, '0', 900);
    memcpy(zeros + 902, "125e903", 8);
    assert_true(reads_f64(zeros, 125));
    memset(zeros, '9', 950);
    assert_false(reads_f64(zeros, (double)INFINITY));

    static const char *const no_numbers[] = {"",   "-",    ".",     "e5",       "1e",  "1e+",    "1e400", "1,5",  "1 ",
                                             " 1", "0x10", "1.2.3", "infinity", "--1", "nan(1)", "1f",    "1e5.0"};
    double value;
    for (size_t k = 0; k < sizeof no_numbers / sizeof *no_numbers; k++)
        if (hd_text_to_f64(no_numbers[k], strlen(no_numbers[k]), &value)) fail_msg("\"%s\" was read", no_numbers[k]);
    assert_true(hd_text_to_f64("nan", 3, &value) && isnan(value));
    assert_true(hd_text_to_f64("2junk", 1, &value) && value == 2.0);
}

static void test_numbers_write(void **state) {
    (void)state;
    char b[32];
    assert_string_equal(hd_text_from_f64(b, 0.1), "0.1");
    assert_string_equal(hd_text_from_f64(b, 1e-5), "1e-05");
    assert_string_equal(hd_text_from_f64(b, 3), "3");
    assert_string_equal(hd_text_from_f64(b, -0.0), "-0");
    assert_string_equal(hd_text_from_f64(b, 0x1p-1074), "5e-324");
    assert_string_equal(hd_text_from_f64(b, (double)NAN), "nan");
    assert_string_equal(hd_text_from_f64(b, -(double)INFINITY), "-inf");
    hd_rng rng = hd_rng_new(1, "round trip");
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = hd_rng_u32(&rng) | (uint64_t)hd_rng_u32(&rng) << 32;
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        hd_text_from_f64(b, value);
        assert_true(hd_text_to_f64(b, strlen(b), &back));
        assert_memory_equal(&value, &back, sizeof value);
        assert_true(strtod(b, NULL) == value);
    }
    assert_string_equal(hd_text_grouped(b, 1234567), "1,234,567");
    assert_string_equal(hd_text_grouped(b, -100), "-100");
    assert_string_equal(hd_text_grouped(b, INT64_MIN), "-9,223,372,036,854,775,808");
    assert_string_equal(hd_text_bytes(b, 0), "0 B");
    assert_string_equal(hd_text_bytes(b, 999), "999 B");
    assert_string_equal(hd_text_bytes(b, 8.4e6), "8.4 MB");
    assert_string_equal(hd_text_bytes(b, 999.97e3), "1.0 MB");
    assert_string_equal(hd_text_bytes(b, 1e300), "1000000000.0 EB");
}

static void test_numbers_locale(void **state) {
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    const char *set = NULL;
    for (size_t i = 0; i < 4 && !set; i++) set = setlocale(LC_ALL, commas[i]);
    if (!set) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    char b[32];
    double value;
    assert_string_equal(hd_text_from_f64(b, 1.5), "1.5");
    assert_true(hd_text_to_f64("1.2345678901234567890123", 24, &value) && value > 1.2);
    setlocale(LC_ALL, "C");
}

static void test_utf8(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {{"a", 1},
                 {"\xc3\xa4", 2},
                 {"\xe2\x82\xac", 3},
                 {"\xf0\x9f\x98\x80", 4},
                 {"\x80", 0},
                 {"\xc0\x80", 0},
                 {"\xc1\xbf", 0},
                 {"\xe0\x9f\xbf", 0},
                 {"\xed\xa0\x80", 0},
                 {"\xf0\x8f\xbf\xbf", 0},
                 {"\xf4\x90\x80\x80", 0},
                 {"\xf5\x80\x80\x80", 0},
                 {"\xe2\x82", 0},
                 {"\xff", 0},
                 {"\xc3(", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(hd_utf8_length(cases[i].text, strlen(cases[i].text)), cases[i].length);
    for (uint32_t code = 1; code < 0x110000; code++) {
        char out[4];
        size_t n = hd_utf8_put(out, code);
        bool surrogate = code >= 0xd800 && code < 0xe000;
        if (hd_utf8_length(out, n) != (surrogate ? 0 : n)) fail_msg("U+%04X", code);
    }
}

/* Many at once are those one by one, to the last bit, on every instruction set; and both are right. */
static void test_many_normals(void **state) {
    (void)state;
    enum { N = 1000, FIRST = 37 };
    double many[N];
    hd_rng one = hd_rng_new(5, "many"), parts;
    one.position = 4 * FIRST;
    parts = one;
    for (int isa = 0; isa <= (int)hd_cpu_isa(); isa++) {
        hd_rng each = one;
        hd_rng_normals(many, (hd_isa)isa, one.key, FIRST, N);
        for (int i = 0; i < N; i++) assert_true(many[i] == hd_rng_normal(&each));
    }
    for (int i = 0; i < N; i++) {
        const long double u = 1 - (long double)hd_rng_uniform(&parts), v = (long double)hd_rng_uniform(&parts);
        const long double expected = sqrtl(-2 * logl(u)) * cosl(6.28318530717958647692529L * v);
        assert_true(fabsl((long double)many[i] - expected) <= 2e-15L);
    }
    const double turn[] = {0, 0.25, 0.5, 0.75}, wave[] = {1, 0, -1, 0}, least = 0x1p-53;
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(hd_rng_bell(least, turn[i]) - sqrt(106 * log(2)) * wave[i]) < 1e-14);
        assert_true(hd_rng_bell(1, turn[i]) == 0);
    }
}

/* kat_vectors of Random123, the authors' own library: philox4x32 10. */
static void test_philox(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        hd_philox(out, known[i].counter, known[i].key);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_rng(void **state) {
    (void)state;
    hd_rng a = hd_rng_new(1, "c1.weight"), b = hd_rng_new(1, "c1.weight"), c = hd_rng_new(2, "c1.weight"),
           d = hd_rng_new(1, "c2.weight");
    assert_true(hd_rng_key(1, "c1.weight") == hd_rng_key(1, "c1.weight") && hd_rng_key(1, "x") != hd_rng_key(2, "x"));
    int same = 0;
    for (int i = 0; i < 100; i++) {
        uint32_t x = hd_rng_u32(&a);
        assert_int_equal(x, hd_rng_u32(&b));
        same += (x == hd_rng_u32(&c)) + (x == hd_rng_u32(&d));
    }
    assert_int_equal(same, 0);
    hd_rng fork = a; /* from the middle of a block */
    (void)hd_rng_u32(&a);
    fork.have = 0; /* as after reading a position from a checkpoint */
    (void)hd_rng_u32(&fork);
    assert_int_equal(hd_rng_u32(&a), hd_rng_u32(&fork));

    double sum = 0, squares = 0, uniform = 0;
    int counts[7] = {0};
    enum { N = 100000 };
    for (int i = 0; i < N; i++) {
        double z = hd_rng_normal(&a), u = hd_rng_uniform(&a);
        assert_true(isfinite(z) && u >= 0 && u < 1);
        sum += z;
        squares += z * z;
        uniform += u;
        counts[hd_rng_below(&a, 7)]++;
    }
    /* five standard errors of N draws */
    assert_true(fabs(sum / N) < 0.016 && fabs(squares / N - 1) < 0.023 && fabs(uniform / N - 0.5) < 0.0046);
    for (int i = 0; i < 7; i++) assert_true(abs(counts[i] - N / 7) < 560);
    assert_int_equal(hd_rng_below(&a, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_true(hd_rng_below(&a, UINT64_C(0x8000000000000001)) <= UINT64_C(0x8000000000000000));

    int64_t items[1000], seen = 0, moved = 0;
    for (int64_t i = 0; i < 1000; i++) items[i] = i;
    hd_rng_shuffle(&a, items, 1000);
    bool there[1000] = {false};
    for (int i = 0; i < 1000; i++) {
        seen += !there[items[i]];
        there[items[i]] = true;
        moved += items[i] != i;
    }
    assert_int_equal(seen, 1000);
    assert_true(moved > 900);
    assert_true(hd_hash_text("") == UINT64_C(0xcbf29ce484222325) && hd_hash_text("a") == UINT64_C(0xaf63dc4c8601ec8c));
}

/* Two contexts in two threads never meet: each sees its own errors, its own memory. */
static void *own_context(void *arg) {
    int64_t number = *(const int64_t *)arg;
    hd_context *ctx;
    if (hd_context_new(&ctx, &(hd_context_args){.threads = 2}) != HD_OK) return NULL;
    bool good = true;
    for (int i = 0; i < 2000 && good; i++) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "thread %lld: turn %d", (long long)number, i);
        good = hd_fail(ctx, HD_E_DATA, "thread %lld|turn %d", (long long)number, i) == HD_E_DATA &&
               strcmp(hd_last_error(ctx), expected) == 0;
        void *memory = hd_alloc(ctx, (size_t)number * 1000);
        good = good && memory != NULL;
        hd_free(ctx, memory);
    }
    hd_context_free(ctx);
    return good ? arg : NULL;
}

static void test_two_contexts(void **state) {
    (void)state;
    pthread_t threads[2];
    int64_t numbers[2] = {1, 2};
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, own_context, &numbers[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_ptr_equal(good, &numbers[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_parts),
        cmocka_unit_test(test_error_hostile),
        cmocka_unit_test(test_context_arguments),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_checked_arithmetic),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_numbers_read),
        cmocka_unit_test(test_numbers_write),
        cmocka_unit_test(test_numbers_locale),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_many_normals),
        cmocka_unit_test(test_rng),
        cmocka_unit_test(test_two_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
