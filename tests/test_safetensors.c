/* test_safetensors.c: the file format: what is written is read back; everything that is not the format is refused. */
#include "support.h"

#include "hadal/io.h"
#include <sys/stat.h>

static hd_context *ctx;
static char folder[4096], path[4200];

static int set_up(void **state) {
    (void)state;
    ctx = test_context(1);
    (void)snprintf(folder, sizeof folder, "%s", test_folder());
    (void)snprintf(path, sizeof path, "%s/t.safetensors", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    test_folder_remove(folder);
    hd_context_free(ctx);
    return 0;
}

/* Writes a file of this header and so many bytes of data. stated: the length that stands in front; −1: the true one. */
static void put_file(const char *header, size_t length, long long stated, size_t data) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    const unsigned long long n = stated < 0 ? length : (unsigned long long)stated;
    for (int i = 0; i < 8; i++) assert_int_not_equal(fputc((int)(n >> (8 * i) & 255), f), EOF);
    assert_int_equal(fwrite(header, 1, length, f), length);
    for (size_t i = 0; i < data; i++) assert_int_not_equal(fputc((int)i, f), EOF);
    assert_int_equal(fclose(f), 0);
}

static void accepts(const char *header, size_t data) {
    hd_tensors *file;
    put_file(header, strlen(header), -1, data);
    if (hd_tensors_open(&file, ctx, path) != HD_OK) fail_msg("%s: %s", header, hd_last_error(ctx));
    hd_tensors_close(file);
}

static void refuses_bytes(const char *header, size_t length, long long stated, size_t data, const char *why) {
    hd_tensors *file = NULL;
    put_file(header, length, stated, data);
    assert_int_equal(hd_tensors_open(&file, ctx, path), HD_E_DATA);
    assert_null(file);
    if (!strstr(hd_last_error(ctx), why)) fail_msg("%s: message \"%s\" lacks \"%s\"", header, hd_last_error(ctx), why);
}

static void refuses(const char *header, size_t data, const char *why) {
    refuses_bytes(header, strlen(header), -1, data, why);
}

static void test_round_trip(void **state) {
    (void)state;
    const float w[6] = {1, -2, 3.5f, 0, 1e-30f, 7};
    const double d[2] = {3.25, -1e300};
    const int64_t scalar = -5;
    const uint8_t bytes[3] = {1, 2, 255};
    const uint16_t halves[3] = {0x3f80, 0xc000, 0x7fc0}; /* 1, -2, NaN */
    const hd_tensor_out tensors[] = {
        {"bytes", HD_U8, HD_DIMS(3), bytes},    {"fc.weight", HD_F32, HD_DIMS(2, 3), w},
        {"scalar", HD_I64, {0}, &scalar},       {"a \"d\" \xc3\xa9", HD_F64, HD_DIMS(2), d},
        {"empty", HD_F32, HD_DIMS(0, 4), NULL}, {"fc.bias", HD_F32, HD_DIMS(1), w + 2},
        {"halves", HD_BF16, HD_DIMS(3), halves}};
    const char *metadata[] = {"format", "pt", "hadal.recipe", "{\"a\": \"\xe2\x82\xac\\n\"}", NULL};
    assert_int_equal(hd_tensors_write(ctx, path, tensors, 7, metadata), HD_OK);
    hd_tensors *file;
    hd_tensor_info info;
    assert_int_equal(hd_tensors_open(&file, ctx, path), HD_OK);
    assert_int_equal(hd_tensors_count(file), 7);
    assert_string_equal(hd_tensors_metadata(file, "format"), "pt");
    assert_string_equal(hd_tensors_metadata(file, "hadal.recipe"), "{\"a\": \"\xe2\x82\xac\\n\"}");
    assert_null(hd_tensors_metadata(file, "nothing"));
    for (size_t i = 0; i < 7; i++) {
        assert_true(hd_tensors_find(file, tensors[i].name, &info));
        assert_int_equal(info.dims.rank, tensors[i].dims.rank);
        assert_memory_equal(info.dims.dim, tensors[i].dims.dim, sizeof info.dims.dim);
        if (info.bytes) assert_memory_equal(info.data, tensors[i].data, info.bytes);
        if (strcmp(info.dtype, "F64") == 0 || strcmp(info.dtype, "I64") == 0)
            assert_int_equal((uintptr_t)info.data % 8, 0);
    }
    assert_string_equal(info.dtype, "BF16");
    assert_false(hd_tensors_find(file, "fc", &info));
    assert_string_equal(hd_tensors_at(file, 6).name, "bytes"); /* the smallest elements stand last */
    assert_null(hd_tensors_at(file, 7).name);
    hd_tensors_close(file);
}

static void test_pytorch_file(void **state) {
    (void)state;
    const char *golden = test_data("vectors/clip.safetensors");
    if (!golden) skip();
    hd_tensors *file;
    assert_int_equal(hd_tensors_open(&file, ctx, golden), HD_OK);
    assert_true(hd_tensors_count(file) > 0);
    hd_tensors_close(file);
}

#define T(name, shape, a, b) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #a "," #b "]}"

static void test_accepted(void **state) {
    (void)state;
    accepts("{}", 0);
    accepts("{}       ", 0);
    accepts("{" T("a", "[2]", 0, 8) "}", 8);
    accepts("{ " T("b", "[1]", 4, 8) " , " T("a", "[]", 0, 4) "}\n", 8);
    accepts("{" T("z", "[0,3]", 4, 4) "," T("a", "[1]", 0, 4) "}", 4);
    accepts("{\"__metadata__\":{},\"a\":{\"shape\":[2],\"data_offsets\":[0,4],\"dtype\":\"BF16\"}}", 4);
    accepts("{" T("\\u00e9\\ud83d\\ude00", "[1]", 0, 4) "}", 4);
    accepts("{" T("a", "[9223372036854775807,0,9223372036854775807]", 0, 0) "}", 0);
}

static void test_refused_lengths(void **state) {
    (void)state;
    hd_tensors *file;
    FILE *f = fopen(path, "wb");
    assert_int_equal(fclose(f), 0);
    assert_int_equal(hd_tensors_open(&file, ctx, path), HD_E_DATA);
    assert_int_equal(hd_tensors_open(&file, ctx, folder), HD_E_FILE);
    assert_int_equal(hd_tensors_open(&file, ctx, "/nowhere/at.all"), HD_E_FILE);
    refuses_bytes("{}", 2, 3, 0, "header would be 3 bytes");
    refuses_bytes("{}", 2, 0x7fffffffffffffff, 0, "header would be");
    refuses_bytes("{}", 2, 0, 0, "does not begin");
    refuses_bytes("{}", 2, 1, 0, "quotes");
    refuses_bytes("{}", 2, 100000001, 0, "limit is 100 MB");
}

static void test_refused_grammar(void **state) {
    (void)state;
    refuses(" {}", 0, "does not begin");
    refuses("[]", 0, "does not begin");
    refuses("{}x", 0, "behind the closing");
    refuses_bytes("{}\0", 3, -1, 0, "behind the closing");
    refuses("{" T("a", "[1]", 0, 4) ",}", 4, "quotes");
    refuses("{" T("a", "[1]", 0, 4), 4, "a } is expected");
    refuses("{\"a\" {}}", 0, "a : is expected");
    refuses("{\"a\":1}", 0, "tensor's object");
    refuses("{\"a\":{}}", 0, "quotes");
    refuses("{\"a\":{\"dtype\":\"F32\"}}", 0, "needs dtype, shape and data_offsets");
    refuses("{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype");
    refuses("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "repeated member");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "unknown");
    refuses("{" T("a", "[-1]", 0, 4) "}", 4, "whole number");
    refuses("{" T("a", "[1.0]", 0, 4) "}", 4, "fraction");
    refuses("{" T("a", "[01]", 0, 4) "}", 4, "whole number");
    refuses("{" T("a", "[1e0]", 0, 4) "}", 4, "fraction");
    refuses("{" T("a", "[99999999999999999999]", 0, 4) "}", 4, "too large");
    refuses("{" T("a", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "too many");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "too many");
    refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]}}", 4, "two numbers");
    refuses("{" T("\xff", "[1]", 0, 4) "}", 4, "UTF-8");
    refuses("{" T("\\ud800", "[1]", 0, 4) "}", 4, "surrogate");
    refuses("{" T("\\u0000", "[1]", 0, 4) "}", 4, "NUL");
    refuses("{" T("\\x", "[1]", 0, 4) "}", 4, "escape");
    refuses("{" T("a\n", "[1]", 0, 4) "}", 4, "control");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "quotes");
    refuses("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice");
}

static void test_refused_layouts(void **state) {
    (void)state;
    refuses("{" T("a", "[1]", 0, 4) "," T("a", "[1]", 4, 8) "}", 8, "stands twice");
    refuses("{" T("a", "[1]", 0, 4) "," T("\\u0061", "[1]", 4, 8) "}", 8, "stands twice");
    refuses("{\"__metadata__\":{\"k\":\"1\",\"\\u006b\":\"2\"}}", 0, "two \"k\"");
    refuses("{" T("a", "[2]", 0, 8) "," T("b", "[1]", 4, 8) "}", 8, "overlaps");
    refuses("{" T("a", "[1]", 0, 4) "," T("b", "[1]", 8, 12) "}", 12, "hole");
    refuses("{" T("a", "[1]", 4, 8) "}", 8, "hole");
    refuses("{" T("a", "[1]", 0, 4) "}", 8, "belong to none");
    refuses("{}", 1, "belong to none");
    refuses("{" T("a", "[2]", 0, 8) "}", 4, "outside");
    refuses("{" T("a", "[1]", 4, 0) "}", 4, "outside");
    refuses("{" T("a", "[2]", 0, 4) "}", 4, "do not fit");
    refuses("{" T("a", "[4294967296,4294967296,4]", 0, 4) "}", 4, "overflows");
    refuses("{" T("a", "[0,4]", 0, 4) "}", 4, "do not fit");
}

/* A header of nothing but tiny values must not cost more than it may: 64 MB + 4 × the file. */
static void test_hostile_sizes(void **state) {
    (void)state;
    enum { LENGTH = 4 << 20 };
    char *text = malloc(LENGTH);
    assert_non_null(text);
    const char *const parts[] = {
        "{", "[", "{\"a\":", "[0,", "\"\\", "{\"a\":{\"shape\":[0,", "{\"__metadata__\":{\"a\":\"\",", NULL};
    for (int i = 0; parts[i]; i++) {
        hd_context *small;
        hd_tensors *file;
        const size_t n = strlen(parts[i]);
        for (size_t at = 0; at < LENGTH; at++) text[at] = parts[i][at % n];
        text[0] = '{';
        put_file(text, LENGTH, -1, 0);
        const hd_context_args args = {.threads = 1, .memory_limit = ((size_t)64 << 20) + 4 * LENGTH};
        assert_int_equal(hd_context_new(&small, &args), HD_OK);
        assert_int_equal(hd_tensors_open(&file, small, path), HD_E_DATA);
        hd_context_free(small);
    }
    size_t at = (size_t)snprintf(text, LENGTH, "{");
    for (int i = 0; at + 64 < LENGTH; i++)
        at +=
            (size_t)snprintf(text + at, LENGTH - at, "%s\"%x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                             i ? "," : "", (unsigned)i * 2654435761u);
    text[at++] = '}';
    put_file(text, at, -1, 0);
    hd_tensors *file;
    const uint64_t before = hd_context_memory(ctx).bytes;
    assert_int_equal(hd_tensors_open(&file, ctx, path), HD_OK);
    assert_true(hd_tensors_count(file) > 70000);
    assert_true(hd_context_memory(ctx).peak_bytes - before < 4 * at);
    hd_tensors_close(file);
    free(text);
}

static void test_write_refuses(void **state) {
    (void)state;
    const float x = 1;
    (void)remove(path);
    const double y = 1;
    const hd_tensor_out twice[] = {{"a", HD_F32, {0}, &x}, {"a", HD_F64, {0}, &y}};
    assert_int_equal(hd_tensors_write(ctx, path, twice, 2, NULL), HD_E_USAGE);
    const hd_tensor_out reserved[] = {{"__metadata__", HD_F32, {0}, &x}};
    assert_int_equal(hd_tensors_write(ctx, path, reserved, 1, NULL), HD_E_USAGE);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(hd_tensors_write(ctx, "/nowhere/at.all", twice, 1, NULL), HD_E_FILE);
}

static hd_status write_and_read(hd_context *c, void *arg) {
    (void)arg;
    const float w[4] = {1, 2, 3, 4};
    const hd_tensor_out tensors[] = {{"b", HD_F32, HD_DIMS(2), w}, {"a", HD_F32, HD_DIMS(2), w + 2}};
    const char *metadata[] = {"format", "pt", NULL};
    hd_tensors *file;
    hd_status status = hd_tensors_write(c, path, tensors, 2, metadata);
    if (status != HD_OK) return status;
    status = hd_tensors_open(&file, c, path);
    if (status != HD_OK) return status;
    hd_tensors_close(file);
    return HD_OK;
}

static void test_failing_allocations(void **state) {
    (void)state;
    assert_true(fail_every_allocation(write_and_read, NULL) > 5);
}

/* Every cut and every flipped bit of a good file: never a crash, and never more tensors than bytes. */
static void test_mutations(void **state) {
    (void)state;
    const float w[4] = {1, 2, 3, 4};
    const hd_tensor_out tensors[] = {{"one", HD_F32, HD_DIMS(2, 1), w}, {"two", HD_F32, HD_DIMS(2), w + 2}};
    const char *metadata[] = {"format", "pt", NULL};
    unsigned char good[1024], bad[1024];
    hd_tensors *file;
    assert_int_equal(hd_tensors_write(ctx, path, tensors, 2, metadata), HD_OK);
    FILE *f = fopen(path, "rb");
    const size_t n = fread(good, 1, sizeof good, f);
    assert_int_equal(fclose(f), 0);
    for (size_t cut = 0; cut < n; cut++) {
        f = fopen(path, "wb");
        assert_int_equal(fwrite(good, 1, cut, f), cut);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(hd_tensors_open(&file, ctx, path), HD_E_DATA);
    }
    int accepted = 0;
    for (size_t bit = 0; bit < 8 * (n - sizeof w); bit++) {
        memcpy(bad, good, n);
        bad[bit / 8] = (unsigned char)(bad[bit / 8] ^ (1u << bit % 8));
        f = fopen(path, "wb");
        assert_int_equal(fwrite(bad, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
        if (hd_tensors_open(&file, ctx, path) != HD_OK) continue;
        accepted++;
        hd_tensors_close(file);
    }
    assert_true(accepted > 0); /* letters of names */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_pytorch_file),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused_lengths),
        cmocka_unit_test(test_refused_grammar),
        cmocka_unit_test(test_refused_layouts),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
